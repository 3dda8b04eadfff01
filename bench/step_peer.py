"""One peer of bench/compare_step in a process of its own: step_peer.py PEER DIR ROWS CANVAS THREADS f32|bf16|int8.

Answers "run SECONDS" on its input with the milliseconds of each pass as a JSON list."""
import json
import os
import sys
import tempfile
import time

import torch

from step_model import Step


def build(peer, step, ids, threads):
    if peer == "eager":
        return step
    if peer == "compile":
        return torch.compile(step, dynamic=False)
    import onnxruntime

    path = os.path.join(tempfile.mkdtemp(), "step.onnx")
    torch.onnx.export(step, (ids,), path, dynamo=True, opset_version=18, verbose=False, input_names=["ids"],
                      output_names=["token", "probability", "entropy"])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda x: session.run(None, {"ids": x.numpy()})


def main():
    peer, directory, rows, canvas, threads, number = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6]), sys.argv[6]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # exporters talk on standard output
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    step = Step(directory).eval().requires_grad_(False)
    if number == "bf16":
        step = step.bfloat16()
    if number == "int8":
        step = torch.ao.quantization.quantize_dynamic(step, {torch.nn.Linear}, dtype=torch.qint8)
    inputs = [torch.randint(0, step.vocabulary, (rows, canvas)) for _ in range(16)]
    with torch.inference_mode():
        run = build(peer, step, inputs[0], threads)
        for ids in inputs[:3]:
            run(ids)
        print(json.dumps({"torch": torch.__version__}), file=answers, flush=True)
        passes = 0
        for line in sys.stdin:
            seconds = float(line.split()[1])
            times, begin = [], time.perf_counter()
            while not times or time.perf_counter() - begin < seconds:
                ids = inputs[passes % len(inputs)]
                passes += 1
                start = time.perf_counter()
                run(ids)
                times.append((time.perf_counter() - start) * 1e3)
            print(json.dumps(times), file=answers, flush=True)


if __name__ == "__main__":
    main()
