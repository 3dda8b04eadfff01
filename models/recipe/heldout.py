#!/usr/bin/env python3
"""Writes the held-out requests, with reference answers, for `sfumato bench` and score.py.

    python heldout.py ../requests/heldout.jsonl
All of them come from the seed HELDOUT_SEED; a request occurs once."""
import json
import random
import sys
import stories
import tasks

COUNTS = {"story": 200, "sum": 100, "list": 100, "grid": 100}

def main(path):
    rng = random.Random(stories.HELDOUT_SEED)
    rows, seen = {kind: [] for kind in COUNTS}, set()
    makers = {"story": stories.story, "sum": tasks.sums, "list": tasks.lists, "grid": tasks.grid}
    for kind, make in makers.items():
        while len(rows[kind]) < COUNTS[kind]:
            request, reference, plot, _ = make(rng)
            if request in seen:
                continue
            seen.add(request)
            row = {"id": "%s-%03d" % (kind, len(rows[kind])), "kind": kind, "request": request, "reference": reference}
            rows[kind].append(row | ({"plot": plot} if kind == "story" else {}))
    with open(path, "w", encoding="utf-8") as f:
        for kind in COUNTS:
            for row in rows[kind]:
                f.write(json.dumps(row, ensure_ascii=False) + "\n")

if __name__ == "__main__":
    main(sys.argv[1])
