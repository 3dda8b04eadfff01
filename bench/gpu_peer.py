"""One peer of bench/gpu in a process of its own: gpu_peer.py llada|gemma DIR CANVASES CONTEXT eager|compile SECONDS [DEVICE].

Prints the median of a step's milliseconds, BF16, canvases of 256, as JSON."""
import json
import os
import statistics
import sys
import time

import torch


def llada_step(directory, sequences, compiled, device):
    from step_model import Step

    step = Step(directory).eval().requires_grad_(False).to(device, torch.bfloat16)
    run = torch.compile(step, dynamic=False) if compiled else step
    return lambda: run(torch.randint(0, step.vocabulary, (sequences, 256), device=device))


def gemma_step(directory, sequences, context, compiled, device):
    from step_gemma import make_step

    return make_step(directory, sequences, 256, context, compiled, device, torch.bfloat16)


def main():
    family, directory, sequences, context, kind, seconds, *rest = sys.argv[1:]
    device = rest[0] if rest else "cuda"
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # libraries talk on standard output
    torch.manual_seed(1)
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    with torch.inference_mode():
        if family == "llada":
            step = llada_step(directory, int(sequences), kind == "compile", device)
        else:
            step = gemma_step(directory, int(sequences), int(context), kind == "compile", device)
        for _ in range(3):
            step()
        wait()
        times, begin = [], time.perf_counter()
        while len(times) < 3 or time.perf_counter() - begin < float(seconds):
            start = time.perf_counter()
            step()
            wait()
            times.append((time.perf_counter() - start) * 1e3)
    print(json.dumps({"ms": statistics.median(times), "torch": torch.__version__}), file=answers, flush=True)


if __name__ == "__main__":
    main()
