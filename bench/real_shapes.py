"""Loads and steps layers of real dimensions; see bench/real_shapes."""
import argparse
import gc
import json
import os
import statistics
import subprocess
import tempfile
import time

import torch
from safetensors.torch import save_file

CONTEXTS = (512, 8192)


def matrix(*shape):
    return (torch.randn(shape, dtype=torch.float32) * shape[-1] ** -0.5).bfloat16()


def ones(*shape):
    return torch.ones(shape, dtype=torch.bfloat16)


def write(directory, config, tensors):
    save_file(tensors, os.path.join(directory, "model.safetensors"), {"format": "pt"})
    with open(os.path.join(directory, "config.json"), "w") as file:
        json.dump(config, file)


def write_llada(directory, layers):
    """LLaDA-8B: d_model 4096, 32 heads, feed-forward 12288, vocabulary 126464."""
    width, inner, vocabulary, root = 4096, 12288, 126464, "model.transformer."
    tensors = {root + "wte.weight": matrix(vocabulary, width), root + "ff_out.weight": matrix(vocabulary, width), root + "ln_f.weight": ones(width)}
    for i in range(layers):
        block = f"{root}blocks.{i}."
        for name in ("q_proj", "k_proj", "v_proj", "attn_out"):
            tensors[f"{block}{name}.weight"] = matrix(width, width)
        for name in ("ff_proj", "up_proj"):
            tensors[f"{block}{name}.weight"] = matrix(inner, width)
        tensors[block + "ff_out.weight"] = matrix(width, inner)
        tensors[block + "attn_norm.weight"] = ones(width)
        tensors[block + "ff_norm.weight"] = ones(width)
    write(directory, dict(model_type="llada", architectures=["LLaDAModelLM"], d_model=width, n_layers=layers, n_heads=32, n_kv_heads=32, mlp_hidden_size=inner,
                          vocab_size=vocabulary, embedding_size=vocabulary, max_sequence_length=4096, rope_theta=500000.0, rms_norm_eps=1e-5, weight_tying=False), tensors)


def write_sdar(directory, layers):
    """SDAR-1.7B, the body of Qwen3-1.7B: hidden 2048, 16 / 8 heads of 128, feed-forward 6144, vocabulary 151936."""
    width, inner, vocabulary = 2048, 6144, 151936
    tensors = {"model.embed_tokens.weight": matrix(vocabulary, width), "lm_head.weight": matrix(vocabulary, width), "model.norm.weight": ones(width)}
    for i in range(layers):
        root = f"model.layers.{i}."
        for name, outputs in (("q_proj", 2048), ("k_proj", 1024), ("v_proj", 1024), ("o_proj", 2048)):
            tensors[f"{root}self_attn.{name}.weight"] = matrix(outputs, width)
        for name in ("q_norm", "k_norm"):
            tensors[f"{root}self_attn.{name}.weight"] = ones(128)
        for name in ("gate_proj", "up_proj"):
            tensors[f"{root}mlp.{name}.weight"] = matrix(inner, width)
        tensors[root + "mlp.down_proj.weight"] = matrix(width, inner)
        tensors[root + "input_layernorm.weight"] = ones(width)
        tensors[root + "post_attention_layernorm.weight"] = ones(width)
    write(directory, dict(model_type="sdar", architectures=["SDARForCausalLM"], hidden_size=width, head_dim=128, intermediate_size=inner, num_hidden_layers=layers,
                          num_attention_heads=16, num_key_value_heads=8, vocab_size=vocabulary, max_position_embeddings=32768, rope_theta=1000000,
                          rms_norm_eps=1e-6, block_size=4, mask_token_id=151669, tie_word_embeddings=False, attention_bias=False), tensors)


def gemma_config(layers):
    """DiffusionGemma-26B-A4B; every second of these layers is a full one, so that both kinds are there."""
    kinds = ["full_attention" if i % 2 else "sliding_attention" for i in range(layers)]
    text = dict(attention_bias=False, bos_token_id=2, eos_token_id=1, pad_token_id=0, hidden_activation="gelu_pytorch_tanh", max_position_embeddings=262144 // 16,
                model_type="diffusion_gemma_text", rms_norm_eps=1e-6, tie_word_embeddings=True, vocab_size=262144, hidden_size=2816, intermediate_size=2112,
                num_hidden_layers=layers, num_attention_heads=16, num_key_value_heads=8, head_dim=256, global_head_dim=512, num_global_key_value_heads=2,
                sliding_window=1024, layer_types=kinds, num_experts=128, top_k_experts=8, moe_intermediate_size=704, final_logit_softcapping=30.0,
                use_bidirectional_attention="vision",
                rope_parameters=dict(full_attention=dict(partial_rotary_factor=0.25, rope_theta=1e6, rope_type="proportional"),
                                     sliding_attention=dict(rope_theta=1e4, rope_type="default")))
    return dict(architectures=["DiffusionGemmaForBlockDiffusion"], model_type="diffusion_gemma", canvas_length=256, text_config=text, tie_word_embeddings=True)


def write_gemma(directory, layers):
    config = gemma_config(layers)
    text = config["text_config"]
    width, inner, expert, experts = 2816, 2112, 704, 128
    tensors = {"model.decoder.embed_tokens.weight": matrix(text["vocab_size"], width), "model.decoder.norm.weight": ones(width),
               "model.decoder.self_conditioning.pre_norm.weight": ones(width), "model.decoder.self_conditioning.down_proj.weight": matrix(width, inner)}
    for name in ("gate_proj", "up_proj"):
        tensors[f"model.decoder.self_conditioning.{name}.weight"] = matrix(inner, width)
    for i, kind in enumerate(text["layer_types"]):
        root = f"model.decoder.layers.{i}."
        size, kv = (256, 8) if kind == "sliding_attention" else (512, 2)
        names = {"q_proj": 16 * size, "k_proj": kv * size} | ({"v_proj": kv * size} if kind == "sliding_attention" else {})
        for name, outputs in names.items():
            tensors[f"{root}self_attn.{name}.weight"] = matrix(outputs, width)
        tensors[root + "self_attn.o_proj.weight"] = matrix(width, 16 * size)
        for name in ("q_norm", "k_norm"):
            tensors[f"{root}self_attn.{name}.weight"] = ones(size)
        for name in ("input", "post_attention", "pre_feedforward", "post_feedforward"):
            tensors[f"{root}{name}_layernorm.weight"] = ones(width)
        for name in ("post_feedforward_layernorm_1", "post_feedforward_layernorm_2", "pre_feedforward_layernorm_2"):
            tensors[f"{root}{name}.weight"] = ones(width)
        for name in ("gate_proj", "up_proj"):
            tensors[f"{root}mlp.{name}.weight"] = matrix(inner, width)
        tensors[root + "mlp.down_proj.weight"] = matrix(width, inner)
        tensors[root + "router.proj.weight"] = matrix(experts, width)
        tensors[root + "router.scale"] = ones(width)
        tensors[root + "router.per_expert_scale"] = ones(experts)
        tensors[root + "experts.gate_up_proj"] = matrix(experts, 2 * expert, width)
        tensors[root + "experts.down_proj"] = matrix(experts, width, expert)
        tensors[root + "layer_scalar"] = ones(1)
        tensors[f"model.encoder.language_model.layers.{i}.layer_scalar"] = ones(1)
    write(directory, config, tensors)


class Engine:
    """sfumato_bench over one directory."""

    def __init__(self, program, directory, canvas, threads, products="f32", context=0):
        start = time.perf_counter()
        self.process = subprocess.Popen([program, directory, "1", str(canvas), str(threads), products, str(context)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"sfumato: ended with {self.process.wait()} (expected: an answer)")
        self.facts = json.loads(line)
        self.ready = time.perf_counter() - start

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def anonymous(self):
        """Bytes of memory that are the process's own; the mapped file is not."""
        with open(f"/proc/{self.process.pid}/status") as file:
            return next(1024 * int(line.split()[1]) for line in file if line.startswith("RssAnon"))

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def torch_llada(directory, canvas):
    from step_model import Step

    step = Step(directory).eval().requires_grad_(False)
    return lambda: step(torch.randint(0, step.vocabulary, (1, canvas)))


def torch_gemma(directory, canvas):
    from step_gemma import make_step

    return make_step(directory, 1, canvas)


def timed(run, seconds):
    times, begin = [], time.perf_counter()
    run()
    while len(times) < 3 or time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times)


def shapes(a):
    models = {"llada-8b": (write_llada, torch_llada, 256), "diffusion-gemma-26b-a4b": (write_gemma, torch_gemma, 256)}
    for name in a.models.split(","):
        writer, peer, canvas = models[name]
        with tempfile.TemporaryDirectory(dir=a.scratch) as directory:
            torch.manual_seed(7)
            writer(directory, a.layers)
            gc.collect()
            engine = Engine(a.program, directory, canvas, a.threads, a.products)
            median = statistics.median(engine.ask(f"run {a.seconds}"))
            facts, held = engine.facts, engine.anonymous()
            profile = engine.ask("profile")
            engine.close()
            stated = facts["weight_bytes"] + facts["state_bytes"]
            print(f"\n{name}, {a.layers} layers, {facts['parameters'] / 1e9:.2f} G parameters, canvas of {canvas}, {a.products}, {a.threads} threads")
            print(f"  ready after {engine.ready:.1f} s; memory {held / 2**30:.2f} GiB, weights {facts['weight_bytes'] / 2**30:.2f} + state "
                  f"{facts['state_bytes'] / 2**30:.2f} GiB: {held / stated - 1:+.1%} (bar: 5 %)")
            print(f"  step {median:.0f} ms; " + ", ".join(f"{part} {figures['ms'] / sum(p['ms'] for p in profile.values()):.0%}"
                                                    for part, figures in sorted(profile.items(), key=lambda item: -item[1]["ms"])[:6]), flush=True)
            if a.peers:
                with torch.inference_mode():
                    run = peer(directory, canvas)
                    other = timed(run, a.seconds)
                    del run
                gc.collect()
                print(f"  PyTorch eager {other:.0f} ms: {other / median:.2f} x sfumato", flush=True)


def contexts(a):
    """A step of 32 tokens behind a short and a long context; what may grow is attention alone."""
    with tempfile.TemporaryDirectory(dir=a.scratch) as directory:
        torch.manual_seed(7)
        write_sdar(directory, a.layers)
        medians, attention = {}, {}
        for context in CONTEXTS:
            engine = Engine(a.program, directory, 32, a.threads, a.products, context)
            engine.ask("profile")
            medians[context] = statistics.median(engine.ask(f"run {a.seconds}"))
            attention[context] = engine.ask("profile")["attention"]
            engine.close()
        short, long = CONTEXTS
        # Each layer reads its keys and values once: 2 x 8 heads x 128 floats for each token of the context.
        read = a.layers * 2 * 8 * 128 * 4 * long
        flop = a.layers * 4 * 32 * long * 16 * 128
        print(f"\nsdar-1.7b, {a.layers} layers: a step of 32 tokens takes {medians[short]:.1f} ms behind {short} tokens, {medians[long]:.1f} behind {long}: "
              f"{medians[long] / medians[short]:.2f} times")
        calls = attention[long]["calls"] / a.layers
        print(f"  attention {attention[short]['ms'] * a.layers / attention[short]['calls']:.1f} and {attention[long]['ms'] / calls:.1f} ms a step; behind {long} "
              f"tokens it reads {read / 2**20:.0f} MiB and computes {flop / 1e9:.1f} GFLOP, at {attention[long]['gflops']:.0f} GFLOP/s", flush=True)


def main():
    parser = argparse.ArgumentParser(prog="bench/real_shapes", description=__doc__)
    add = parser.add_argument
    add("--program", required=True, help=argparse.SUPPRESS)
    add("--models", default="llada-8b,diffusion-gemma-26b-a4b")
    add("--layers", type=int, default=2)
    add("--products", choices=("f32", "bf16", "int8"), default="f32")
    add("--threads", type=int, default=2)
    add("--seconds", type=float, default=6.0, help="time of each measurement")
    add("--scratch", help="folder for the checkpoints, removed afterwards")
    add("--no-peers", dest="peers", action="store_false")
    add("--no-contexts", dest="contexts", action="store_false")
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    with open("/proc/cpuinfo") as file:
        print(next(line.split(":")[1].strip() for line in file if line.startswith("model name")) + f", {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start")
    if a.models:
        shapes(a)
    if a.contexts:
        contexts(a)


if __name__ == "__main__":
    main()
