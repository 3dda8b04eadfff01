#!/usr/bin/env python3
"""Answers the held-out requests with the reference sampler and writes what score.py reads.

    python evaluate.py ../default ../requests/heldout.jsonl results.jsonl --stories 50 --tasks 25 --remask .1
    python3 score.py results.jsonl"""
import argparse
import json
import torch
from sample import Sampler, arguments_of, policy_of


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dir")
    parser.add_argument("requests")
    parser.add_argument("results", help="lines are added at the end")
    parser.add_argument("--stories", type=int, default=200)
    parser.add_argument("--tasks", type=int, default=100, help="of each kind")
    parser.add_argument("--length", type=int, default=256)
    parser.add_argument("--run", default="", help="name of this run in the results")
    arguments_of(parser)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    sampler, policy = Sampler(arguments.dir), policy_of(arguments)
    left = {"story": arguments.stories, "sum": arguments.tasks, "list": arguments.tasks, "grid": arguments.tasks}
    with open(arguments.requests, encoding="utf-8") as requests, open(arguments.results, "a", encoding="utf-8") as results:
        for row in map(json.loads, requests):
            if left[row["kind"]] > 0:
                left[row["kind"]] -= 1
                text, passes = sampler(row["request"], arguments.length, policy)
                results.write(json.dumps(row | {"run": arguments.run, "text": text, "passes": passes}) + "\n")


if __name__ == "__main__":
    main()
