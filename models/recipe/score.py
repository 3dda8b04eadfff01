#!/usr/bin/env python3
"""Scores texts that a server has written.

    python3 score.py results.jsonl [--json] [--failures 5]
Each line of the results is one answer: {"kind": "story" | "sum" | "list" | "grid", "request", "text", "reference", "passes"}, and where several
runs are in one file also "run". Stories are judged by check.py, the others are right or wrong. Needs nothing but Python's own library."""
import argparse
import collections
import json
import check

KINDS = ("story", "sum", "list", "grid")
LIMITS = (24, 64)
REQUIRED = {"kind": str, "request": str, "text": str, "reference": str, "passes": int}

def read(path):
    rows = []
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            row = json.loads(line)
            for name, kind in REQUIRED.items():
                if not isinstance(row.get(name), kind):
                    raise SystemExit("%s:%d: %s: %r (expected: %s)" % (path, number, name, row.get(name), kind.__name__))
            if row["kind"] not in KINDS:
                raise SystemExit("%s:%d: kind: %s (expected: one of %s)" % (path, number, row["kind"], ", ".join(KINDS)))
            rows.append(row)
    return rows

def judge(row):
    """The verdict on one answer; `good` is what counts."""
    if row["kind"] == "story":
        verdict = check.story(row["request"], row["text"])
        return verdict | {"good": verdict["holds"]}
    return {"good": check.task(row["kind"], row["request"], row["text"], row["reference"])}

def mean(values):
    values = list(values)
    return sum(values) / len(values) if values else 0.0

def summary(rows):
    """One line of the table: the answers of one kind of one run."""
    verdicts = [judge(row) for row in rows]
    out = {"count": len(rows), "passes": mean(row["passes"] for row in rows)}
    for part in ("grammar", "consistency", "request"):
        if part in verdicts[0]:
            out[part] = mean(verdict[part] for verdict in verdicts)
    out["good"] = mean(verdict["good"] for verdict in verdicts)
    for limit in LIMITS:
        out["within %d" % limit] = mean(verdict["good"] and row["passes"] <= limit for verdict, row in zip(verdicts, rows))
    return out, verdicts

def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results")
    parser.add_argument("--json", action="store_true", help="one JSON object per line instead of the table")
    parser.add_argument("--failures", type=int, default=0, help="show so many failed answers of each kind")
    arguments = parser.parse_args()
    groups = collections.defaultdict(list)
    for row in read(arguments.results):
        groups[row.get("run", ""), row["kind"]].append(row)
    columns = ("count", "passes", "grammar", "consistency", "request", "good") + tuple("within %d" % limit for limit in LIMITS)
    if not arguments.json:
        print("| run | kind | answers | passes | grammar | consistency | request | holds / exact | " + " | ".join("<= %d passes" % n for n in LIMITS) + " |")
        print("|---" * (len(columns) + 2) + "|")
    for (run, kind), rows in sorted(groups.items(), key=lambda item: (item[0][0], KINDS.index(item[0][1]))):
        line, verdicts = summary(rows)
        if arguments.json:
            print(json.dumps({"run": run, "kind": kind} | {name: round(value, 4) for name, value in line.items()}))
        else:
            cells = ["%d" % line["count"], "%.1f" % line["passes"]] + ["%.3f" % line[name] if name in line else "" for name in columns[2:]]
            print("| %s | %s | %s |" % (run, kind, " | ".join(cells)))
        failed = [(row, verdict) for row, verdict in zip(rows, verdicts) if not verdict["good"]]
        for row, verdict in failed[:arguments.failures]:
            print("    %s -> %s (%s)" % (row["request"], row["text"], {k: v for k, v in verdict.items() if k in ("conflicts", "unknown")} or row["reference"]))

if __name__ == "__main__":
    main()
