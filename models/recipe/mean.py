#!/usr/bin/env python3
"""The mean of models' weights, with the tokenizer of the first.

    python mean.py OUT MODEL MODEL ..."""
import os
import shutil
import sys
import torch
from model import load, save
from tokenizers import Tokenizer
from train import TOKENIZER_FILES


def main():
    out, *directories = sys.argv[1:]
    if len(directories) < 2:
        sys.exit("models: %d (expected: 2 or more)" % len(directories))
    models = [load(directory)[0] for directory in directories]
    with torch.no_grad():
        for weights in zip(*(model.parameters() for model in models)):
            weights[0].copy_(sum(weights) / len(weights))
    tokenizer = Tokenizer.from_file(os.path.join(directories[0], "tokenizer.json"))
    save(models[0], out, *(tokenizer.token_to_id(token) for token in ("<|mask|>", "<|endoftext|>", "<|pad|>")))
    for name in TOKENIZER_FILES:
        if not os.path.exists(os.path.join(out, name)):
            shutil.copy(os.path.join(directories[0], name), out)


if __name__ == "__main__":
    main()
