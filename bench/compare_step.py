"""Compares denoising steps with PyTorch (eager, torch.compile) and ONNX Runtime; see bench/compare_step."""
import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
LARGE = dict(d_model=768, n_layers=12, n_heads=12, mlp_hidden_size=3072, vocab_size=32000)


class Turn:
    """A program that measures when it is asked to."""

    def __init__(self, name, command):
        self.name = name
        environment = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=HERE)
        self.times = []
        self.facts = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name}: ended with {self.process.wait()} (expected: an answer)")
        return json.loads(line)

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def write_large(directory, stored):
    """A checkpoint in LLaDA's layout with random weights."""
    import torch
    from safetensors.torch import save_file

    c = LARGE
    number = torch.bfloat16 if stored == "bf16" else torch.float32
    torch.manual_seed(7)

    def matrix(outputs, inner):
        return (torch.randn(outputs, inner) * inner**-0.5).to(number)

    width, root = c["d_model"], "model.transformer."
    tensors = {root + "wte.weight": matrix(c["vocab_size"], width), root + "ff_out.weight": matrix(c["vocab_size"], width), root + "ln_f.weight": torch.ones(width)}
    for i in range(c["n_layers"]):
        block = f"{root}blocks.{i}."
        for name, outputs, inner in [("q_proj", width, width), ("k_proj", width, width), ("v_proj", width, width), ("attn_out", width, width),
                                     ("ff_proj", c["mlp_hidden_size"], width), ("up_proj", c["mlp_hidden_size"], width), ("ff_out", width, c["mlp_hidden_size"])]:
            tensors[block + name + ".weight"] = matrix(outputs, inner)
        for name in ("attn_norm", "ff_norm"):
            tensors[block + name + ".weight"] = torch.ones(width)
    save_file(tensors, os.path.join(directory, "model.safetensors"), {"format": "pt"})
    config = dict(c, model_type="llada", architectures=["LLaDAModelLM"], n_kv_heads=c["n_heads"], embedding_size=c["vocab_size"], max_sequence_length=512,
                  rope_theta=10000.0, rms_norm_eps=1e-5, weight_tying=False)
    with open(os.path.join(directory, "config.json"), "w") as file:
        json.dump(config, file)


def compare(a, label, directory, rows, bar):
    from step_model import operations

    with open(os.path.join(directory, "config.json")) as file:
        config = json.load(file)
    number = "bf16" if a.bf16 else "int8" if a.int8 else "f32"
    unit = "GOP/s" if a.int8 else "GFLOP/s"
    shape = [directory, str(rows), str(a.canvas), str(a.threads), number]
    ours = Turn("sfumato", [a.program, *shape])
    turns = [ours]
    for peer in a.peers.split(","):
        if peer == "onnx" and (a.bf16 or a.int8):
            continue  # its CPU products have no bf16, and its int8 is a matter of its own tools
        turns.append(Turn(peer, [sys.executable, os.path.join(HERE, "step_peer.py"), peer, *shape]))
    peak = 0.0
    for _ in range(a.rounds):
        peak = max(peak, ours.ask("peak 0.1"))
        for turn in turns:
            turn.times += turn.ask(f"run {a.seconds}")
            time.sleep(0.05)  # lets idle threads that spin fall asleep
    profile = ours.ask("profile")
    for turn in turns:
        turn.close()
    flop = operations(config, rows, a.canvas)
    print(f"\n{label}, {rows} x {a.canvas} tokens, {number}, {a.threads} threads; registers alone reach {peak:.0f} {unit}")
    print(f"  {'':10}{'median ms':>11}{'best ms':>10}{'passes':>8}{unit:>9}{'of peak':>9}{'x sfumato':>11}")
    medians = {turn.name: statistics.median(turn.times) for turn in turns}
    for turn in turns:
        rate = flop / medians[turn.name] / 1e6
        print(f"  {turn.name:10}{medians[turn.name]:11.2f}{min(turn.times):10.2f}{len(turn.times):8}{rate:9.0f}{rate / peak:9.0%}{medians[turn.name] / medians['sfumato']:11.2f}")
    peers = [turn for turn in turns if turn is not ours]
    if peers:
        ratio = min(medians[p.name] for p in peers) / medians["sfumato"]
        by_best = min(min(p.times) for p in peers) / min(ours.times)
        print(f"  against the best peer: {ratio:.2f} by medians, {by_best:.2f} by best passes (bar: {bar})")
    total = sum(part["ms"] for part in profile.values())
    print("  where sfumato's time goes: " + ", ".join(
        f"{name} {part['ms'] / total:.1%}" + (f" at {part['gflops']:.0f} {unit}" if part["gflops"] else "")
        for name, part in sorted(profile.items(), key=lambda item: -item[1]["ms"])), flush=True)


def main():
    parser = argparse.ArgumentParser(prog="bench/compare_step", description=__doc__)
    add = parser.add_argument
    add("--program", required=True, help=argparse.SUPPRESS)
    add("--model", default=os.path.join(HERE, "..", "models", "default"), help="the embedded model's directory")
    add("--shapes", default="embedded,large", help="embedded, large (12 x 768, vocabulary 32,000, random weights)")
    add("--rows", default="1,4", help="canvases per step on the embedded model")
    add("--canvas", type=int, default=256)
    add("--threads", type=int, default=2)
    add("--rounds", type=int, default=8, help="turns of every program")
    add("--seconds", type=float, default=1.0, help="length of a turn")
    add("--peers", default="eager,compile,onnx")
    rounding = parser.add_mutually_exclusive_group()
    rounding.add_argument("--bf16", action="store_true", help="products of numbers rounded to BF16")
    rounding.add_argument("--int8", action="store_true", help="products of numbers rounded to 8 bits, beside PyTorch's dynamic quantization")
    add("--stored", choices=("f32", "bf16"), default="f32", help="format of the random weights in their file; peers widen them when they load")
    a = parser.parse_args()
    a.model = os.path.abspath(a.model)
    with open("/proc/cpuinfo") as file:
        cpu = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), platform.processor())
    print(f"{cpu}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start")
    for shape in a.shapes.split(","):
        if shape == "embedded":
            for rows in map(int, a.rows.split(",")):
                compare(a, "embedded model", a.model, rows, 1.3)
        else:
            with tempfile.TemporaryDirectory() as directory:
                write_large(directory, a.stored)
                compare(a, f"12 x 768, vocabulary 32,000, weights stored in {a.stored}", directory, 1, 1.15)


if __name__ == "__main__":
    main()
