"""Times steps on a GPU beside what it can do at the most; see bench/gpu."""
import argparse
import datetime
import json
import math
import os
import pathlib
import random
import re
import statistics
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BLOCK = 1 << 22
# Of layers; heads are never in 4 bits, nor DiffusionGemma's in 8.
WEIGHT_BYTES = {"bf16": 2, "fp8": 1, "fp8_inputs": 1, "int4": 4.5 / 8}
PEER_TIMEOUT = 120  # seconds
CACHED_PART = 32
# Kernels of candidates and soft embeddings, the head's product among them.
CANDIDATES = r"\S+ vocabulary|gather_candidates|measure|finish|weigh_tokens|mix_(exact_)?embeddings|place_soft_embedding"


class Checkpoint:
    """A safetensors file of random BF16 matrices, the same block of numbers again and again: only shapes matter here."""

    def __init__(self, directory, config):
        self.directory = pathlib.Path(directory)
        self.tensors = {}
        (self.directory / "config.json").write_text(json.dumps(config))
        generator = random.Random(1)
        # Of magnitude 2^-6 to 2^-7, either sign.
        self.block = b"".join(struct.pack("<H", generator.getrandbits(1) << 15 | 0x3C80 | generator.getrandbits(7)) for _ in range(BLOCK // 2))

    def add(self, name, *shape):
        self.tensors[name] = shape

    def write(self):
        header, at = {}, 0
        for name, shape in self.tensors.items():
            size = 2 * math.prod(shape)
            header[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [at, at + size]}
            at += size
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        with open(self.directory / "model.safetensors", "wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            for shape in self.tensors.values():
                left = 2 * math.prod(shape)
                while left > 0:
                    left -= file.write(self.block[:left])
        return at


def write_llada(directory, layers):
    width, inner, vocabulary, root = 4096, 12288, 126464, "model.transformer."
    checkpoint = Checkpoint(directory, dict(
        model_type="llada", architectures=["LLaDAModelLM"], d_model=width, n_layers=layers, n_heads=32, n_kv_heads=32, mlp_hidden_size=inner, vocab_size=vocabulary,
        embedding_size=vocabulary, max_sequence_length=4096, rope_theta=500000.0, rms_norm_eps=1e-5, weight_tying=False))
    checkpoint.add(root + "wte.weight", vocabulary, width)
    checkpoint.add(root + "ff_out.weight", vocabulary, width)
    checkpoint.add(root + "ln_f.weight", width)
    for i in range(layers):
        block = f"{root}blocks.{i}."
        for name in ("q_proj", "k_proj", "v_proj", "attn_out"):
            checkpoint.add(f"{block}{name}.weight", width, width)
        for name in ("ff_proj", "up_proj"):
            checkpoint.add(f"{block}{name}.weight", inner, width)
        checkpoint.add(block + "ff_out.weight", width, inner)
        checkpoint.add(block + "attn_norm.weight", width)
        checkpoint.add(block + "ff_norm.weight", width)
    return checkpoint.write()


def write_gemma(directory, layers):
    """Every sixth layer attends to everything, as published."""
    kinds = ["full_attention" if i % 6 == 5 else "sliding_attention" for i in range(layers)]
    width, inner, expert, experts, vocabulary = 2816, 2112, 704, 128, 262144
    text = dict(attention_bias=False, bos_token_id=2, eos_token_id=1, pad_token_id=0, hidden_activation="gelu_pytorch_tanh", max_position_embeddings=16384,
                model_type="diffusion_gemma_text", rms_norm_eps=1e-6, tie_word_embeddings=True, vocab_size=vocabulary, hidden_size=width, intermediate_size=inner,
                num_hidden_layers=layers, num_attention_heads=16, num_key_value_heads=8, head_dim=256, global_head_dim=512, num_global_key_value_heads=2,
                sliding_window=1024, layer_types=kinds, num_experts=experts, top_k_experts=8, moe_intermediate_size=expert, final_logit_softcapping=30.0,
                use_bidirectional_attention="vision",
                rope_parameters=dict(full_attention=dict(partial_rotary_factor=0.25, rope_theta=1e6, rope_type="proportional"),
                                     sliding_attention=dict(rope_theta=1e4, rope_type="default")))
    checkpoint = Checkpoint(directory, dict(architectures=["DiffusionGemmaForBlockDiffusion"], model_type="diffusion_gemma", canvas_length=256, text_config=text,
                                            tie_word_embeddings=True))
    decoder = "model.decoder."
    checkpoint.add(decoder + "embed_tokens.weight", vocabulary, width)
    checkpoint.add(decoder + "norm.weight", width)
    checkpoint.add(decoder + "self_conditioning.pre_norm.weight", width)
    checkpoint.add(decoder + "self_conditioning.down_proj.weight", width, inner)
    for name in ("gate_proj", "up_proj"):
        checkpoint.add(f"{decoder}self_conditioning.{name}.weight", inner, width)
    for i, kind in enumerate(kinds):
        root = f"{decoder}layers.{i}."
        sliding = kind == "sliding_attention"
        size, kv = (256, 8) if sliding else (512, 2)
        for name, outputs in [("q_proj", 16 * size), ("k_proj", kv * size)] + ([("v_proj", kv * size)] if sliding else []):
            checkpoint.add(f"{root}self_attn.{name}.weight", outputs, width)
        checkpoint.add(root + "self_attn.o_proj.weight", width, 16 * size)
        for name in ("q_norm", "k_norm"):
            checkpoint.add(f"{root}self_attn.{name}.weight", size)
        for name in ("input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm", "post_feedforward_layernorm_1",
                     "post_feedforward_layernorm_2", "pre_feedforward_layernorm_2"):
            checkpoint.add(f"{root}{name}.weight", width)
        for name in ("gate_proj", "up_proj"):
            checkpoint.add(f"{root}mlp.{name}.weight", inner, width)
        checkpoint.add(root + "mlp.down_proj.weight", width, inner)
        checkpoint.add(root + "router.proj.weight", experts, width)
        checkpoint.add(root + "router.scale", width)
        checkpoint.add(root + "router.per_expert_scale", experts)
        checkpoint.add(root + "experts.gate_up_proj", experts, 2 * expert, width)
        checkpoint.add(root + "experts.down_proj", experts, width, expert)
        checkpoint.add(root + "layer_scalar", 1)
        checkpoint.add(f"model.encoder.language_model.layers.{i}.layer_scalar", 1)
    return checkpoint.write()


class Engine:
    """sfumato_bench over one directory."""

    def __init__(self, program, directory, rows, canvas, products, context, device):
        start = time.perf_counter()
        arguments = [program, directory, str(rows), str(canvas), str(os.cpu_count()), products, str(context), device]
        self.process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        self.problem = None if line else self.process.stderr.read().strip()
        self.facts = json.loads(line) if line else {}
        self.ready = time.perf_counter() - start

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.communicate()


def torch_rates():
    """Of copies and of 8192^3 products; nothing where torch can't be used."""
    try:
        import torch
        if not torch.cuda.is_available():
            return {}
    except ImportError:
        return {}

    def seconds(work):
        work()
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        times = []
        for _ in range(5):
            begin.record()
            work()
            end.record()
            torch.cuda.synchronize()
            times.append(begin.elapsed_time(end) / 1e3)
        return min(times)

    source = torch.ones(1 << 30, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    copy = 2 * source.numel() / seconds(lambda: target.copy_(source))
    del source, target
    a = torch.randn(8192, 8192, device="cuda").bfloat16()
    b = torch.randn(8192, 8192, device="cuda").bfloat16()
    rate = 2 * 8192**3 / seconds(lambda: a @ b)
    return {"copy": copy, "matrix": rate, "torch": torch.__version__}


def peer(family, directory, rows, context, kind, seconds):
    """Milliseconds of PyTorch's step; None where it has none."""
    command = [sys.executable, str(ROOT / "bench/gpu_peer.py"), family, directory, str(rows), str(context), kind, str(seconds)]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=PEER_TIMEOUT)
    except subprocess.TimeoutExpired:
        return None, f"more than {PEER_TIMEOUT} s"
    if answer.returncode != 0:
        return None, (answer.stderr.strip().splitlines() or ["no answer"])[-1]
    return json.loads(answer.stdout)["ms"], ""


def llada_floor(rows, canvases, _, layers, products):
    """Bytes and operations that no step can do without: every weight but the embeddings once; of each row all products."""
    width, inner, vocabulary = 4096, 12288, 126464
    body, head = layers * (4 * width * width + 3 * width * inner), vocabulary * width
    attention = layers * 4 * rows * (rows // canvases) * width
    return WEIGHT_BYTES[products] * body + max(1, WEIGHT_BYTES[products]) * head, 2 * rows * (body + head) + attention


def gemma_floor(rows, canvases, context, layers, products):
    """The same: all experts are read, eight are computed; keys and values in BF16, and the head's matrix, which is there once more for the soft embeddings' product."""
    width, inner, expert, vocabulary = 2816, 2112, 704, 262144
    of_weight = WEIGHT_BYTES[products]
    total_bytes = 2 * vocabulary * width + of_weight * 3 * width * inner
    operations = 2 * rows * (2 * vocabulary * width + 3 * width * inner)
    for layer in range(layers):
        full = layer % 6 == 5
        size, kv = (512, 2) if full else (256, 8)
        dense = width * size * (2 * 16 + (1 if full else 2) * kv) + 3 * width * inner + 128 * width
        keys = context if full else min(context, 1024)
        total_bytes += of_weight * (dense + 128 * 3 * width * expert) + canvases * keys * kv * size * 4
        operations += 2 * rows * (dense + 8 * 3 * width * expert) + 4 * rows * (keys + rows // canvases) * 16 * size
    return total_bytes, operations


def measure(program, name, directory, floor_of, batches, products, context, layers, seconds, rates):
    """For each number of canvases: that, a row of the table, milliseconds of a step, and of its kernels."""
    engine, kernels = (Engine(program, directory, max(batches), 256, products, context, device) for device in ("cuda", "cuda-profile"))
    for rows in batches:
        problem = engine.problem or kernels.problem
        if problem:
            yield rows, f"| {name} | {rows} | {products} | {problem.splitlines()[-1]} |\n", None, {}
            continue
        engine.ask(f"rows {rows}")
        engine.ask("profile")
        wall = statistics.median(engine.ask(f"run {seconds}"))
        profile = engine.ask("profile")["step"]
        device = profile["ms"] / profile["calls"]
        kernels.ask(f"rows {rows}")
        kernels.ask("profile")
        steps = len(kernels.ask(f"run {seconds / 2}"))
        parts = {part: entry["ms"] / steps for part, entry in kernels.ask("profile").items() if part != "step"}
        inside = sum(parts.values())
        candidates = sum(ms for part, ms in parts.items() if re.fullmatch(CANDIDATES, part))
        total_bytes, operations = floor_of(256 * rows, rows, context, layers, products)
        bytes_ms, operations_ms = 1e3 * total_bytes / rates["copy"], 1e3 * operations / rates["matrix"]
        least = max(bytes_ms, operations_ms)
        row = (f"| {name} | {rows} | {products} | {wall:.2f} | {device:.2f} | {inside:.2f} | {wall - device:.2f} | {100 * candidates / inside:.0f} % | "
               f"{bytes_ms:.2f} / {operations_ms:.2f} | {device / least:.2f} | {256 * rows / wall * 1e3:.0f} | {engine.facts['device_bytes'] >> 20} | "
               f"{engine.ready:.1f} |\n")
        yield rows, row, wall, parts
    engine.close()
    kernels.close()


def measure_cache(program, directory, products, seconds):
    """A row: a step of a whole canvas, and of 32 positions in its middle over what the others left in pages, as a dual cache has it."""
    engine = Engine(program, directory, 1, 256, products, "cache", "cuda")
    if engine.problem:
        return f"| {products} | {engine.problem.splitlines()[-1]} |\n"
    whole = statistics.median(engine.ask(f"run {seconds}"))
    engine.ask(f"part {CACHED_PART}")
    part = statistics.median(engine.ask(f"run {seconds}"))
    engine.close()
    return f"| {products} | {whole:.2f} | {part:.2f} |\n"


def table_of_peers(steps, kinds):
    """Milliseconds by model, canvases, and products of ours or kind of a peer; None where there are none."""
    columns = list(dict.fromkeys(column for _, _, column in steps))
    text = "\nSteps in ms beside PyTorch's in BF16 (LLaDA with fused projections and SDPA, DiffusionGemma as in transformers), wall clock:\n\n"
    text += "| model | canvases | " + " | ".join(columns) + " |\n|---|---|" + "---|" * len(columns) + "\n"
    for name, rows in dict.fromkeys((name, rows) for name, rows, _ in steps):
        cells = [steps.get((name, rows, column)) for column in columns]
        text += f"| {name} | {rows} | " + " | ".join("none" if ms is None else f"{ms:.2f}" for ms in cells) + " |\n"
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, help="a folder that ci/gpu has built")
    parser.add_argument("--batches", default="1,4,16", help="canvases of a step")
    parser.add_argument("--products", default="bf16,fp8,fp8_inputs,int4")
    parser.add_argument("--peers", default="eager,compile", help="of PyTorch, where it can use the GPU; or none")
    parser.add_argument("--layers", type=int, default=6, help="of each model; their heads are whole")
    parser.add_argument("--context", type=int, default=4096, help="tokens in pages before each canvas of DiffusionGemma")
    parser.add_argument("--seconds", type=float, default=3, help="for each measurement")
    parser.add_argument("--results", default=str(ROOT / "bench/results"), help="where the table goes")
    arguments = parser.parse_args()
    programs = pathlib.Path(arguments.build) / "bin"
    os.environ.setdefault("SFUMATO_CUDA_LIBRARY", str(pathlib.Path(arguments.build) / "lib/libsfumato_cuda.so"))
    peak = json.loads(subprocess.run([programs / "sfumato_cuda_peak"], check=True, capture_output=True, text=True).stdout)
    torch_peak = torch_rates()
    rates = {"copy": max(peak["copy"], torch_peak.get("copy", 0)), "matrix": max(peak["mma_sync"], torch_peak.get("matrix", 0))}
    today = datetime.date.today().isoformat()
    gpu = re.sub(r"[^a-z0-9]+", "-", peak["name"].lower()).strip("-")
    text = (f"# Steps on {peak['name']}, {today}\n\n`bench/gpu`, {arguments.layers} layers of each model with their whole heads, random BF16 weights, "
            "canvases of 256, all positions open. Nothing else ran on the GPU, as far as this program knows.\n\n"
            f"Rates of the same run: copies {peak['copy'] / 1e12:.2f} TB/s (read and written), mma.sync BF16 {peak['mma_sync'] / 1e12:.0f} TFLOP/s out of registers")
    if torch_peak:
        text += f"; PyTorch {torch_peak['torch']}: copies {torch_peak['copy'] / 1e12:.2f} TB/s, 8192^3 products {torch_peak['matrix'] / 1e12:.0f} TFLOP/s"
    text += (".\n\nFloor: what the weights and pages, read once, and the operations of all rows take at the higher of these rates; the ratio is the time on the GPU to the "
             "greater of both. Between steps: the host's time, with nothing on the GPU. In kernels: of a second run that measures each kernel.\n\n"
             "| model | canvases | products | step ms, wall | on the GPU | in kernels | between steps | candidates | floor ms, bytes / operations | ratio | token-forwards/s | "
             "MiB of the GPU | ready in s |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|\n")
    details, steps = "", {}
    batches = [int(rows) for rows in arguments.batches.split(",")]
    kinds = [kind for kind in arguments.peers.split(",") if kind != "none"] if torch_peak else []
    models = [("LLaDA-8B", "llada", write_llada, llada_floor, 0),
              ("DiffusionGemma-26B-A4B", "gemma", write_gemma, gemma_floor, arguments.context)]
    for name, family, write, floor_of, context in models:
        with tempfile.TemporaryDirectory(prefix="sfumato-gpu-") as directory:
            write(directory, arguments.layers)
            for products in arguments.products.split(","):
                for rows, row, wall, parts in measure(programs / "sfumato_bench", name, directory, floor_of, batches, products, context, arguments.layers,
                                                      arguments.seconds, rates):
                    print(row, end="", flush=True)
                    text += row
                    steps[name, rows, products] = wall
                    if parts:
                        details += f"\n{name}, {rows} canvases, {products}:\n\n| kernel | ms of a step |\n|---|---|\n"
                        details += "".join(f"| {part} | {ms:.3f} |\n" for part, ms in sorted(parts.items(), key=lambda item: -item[1]))
            if family == "llada":
                cached = "".join(measure_cache(programs / "sfumato_bench", directory, products, arguments.seconds) for products in arguments.products.split(","))
                details += (f"\n{name}, one canvas, ms: all positions, and {CACHED_PART} of them over an approximate cache of the others:\n\n"
                            f"| products | 256 positions | {CACHED_PART} |\n|---|---|---|\n{cached}")
            for rows in batches:
                for kind in kinds:
                    steps[name, rows, kind], why = peer(family, directory, rows, context, kind, arguments.seconds)
                    print(f"{name}, {rows} canvases, PyTorch {kind}: " + (why or f"{steps[name, rows, kind]:.2f} ms"), flush=True)
    text += table_of_peers(steps, kinds) if kinds else "\nPyTorch can't use this GPU here, so no peer was timed.\n"
    path = pathlib.Path(arguments.results) / f"{today}-{gpu}.md"
    path.write_text(text + details)
    print(f"written: {path}")


main()
