#!/usr/bin/env python3
"""Quality against steps: a picture (SVG) and a table (Markdown) from measured rows.

    python3 plot_quality.py rows.jsonl quality.svg > quality.md
A row is one measurement: {"policy", "steps", "holds"[, "token_accuracy"][, "passes"]}: `steps` is the limit that was set, `passes` the mean of what was
used, `holds` the share of stories that hold together, `token_accuracy` the share of masked tokens that came out as in the reference. Needs nothing but
Python's own library."""
import argparse
import json
import math
from xml.sax.saxutils import escape

COLOURS = ("#1b6ca8", "#d1495b", "#3a7d44", "#8d5a97", "#c98b1b", "#555555")
PANELS = (("holds", "stories that hold together"), ("token_accuracy", "masked-token accuracy"))
WIDTH, HEIGHT, LEFT, TOP, BOTTOM, GAP = 460, 300, 52, 56, 44, 40

def read(path):
    rows = []
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                row = json.loads(line)
                for name in ("policy", "steps", "holds"):
                    if name not in row:
                        raise SystemExit("%s:%d: %s: absent (expected: in every row)" % (path, number, name))
                rows.append(row)
    if not rows:
        raise SystemExit("%s: no rows (expected: at least one)" % path)
    return rows

def text(x, y, content, anchor="middle", size=12, extra=""):
    return '<text x="%.1f" y="%.1f" text-anchor="%s" font-size="%d" %s>%s</text>' % (x, y, anchor, size, extra, escape(content))

def panel(rows, field, title, offset, policies, axis):
    """One set of axes: steps on a logarithmic scale, the field from 0 to 1."""
    steps = sorted({row["steps"] for row in rows})
    low, high = math.log2(steps[0]), math.log2(steps[-1])
    def across(value):
        return offset + LEFT + (math.log2(value) - low) / max(high - low, 1e-9) * (WIDTH - LEFT - 12)
    def down(value):
        return TOP + (1 - value) * (HEIGHT - TOP - BOTTOM)
    out = [text(offset + LEFT + (WIDTH - LEFT) / 2, TOP - 14, title, size=13, extra='font-weight="bold"')]
    for tick in (0, .2, .4, .6, .8, 1):
        out.append('<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#ddd"/>' % (across(steps[0]), down(tick), across(steps[-1]), down(tick)))
        out.append(text(offset + LEFT - 8, down(tick) + 4, "%.1f" % tick, "end"))
    for step in steps:
        out.append(text(across(step), HEIGHT - BOTTOM + 18, str(step)))
    out.append(text(offset + LEFT + (WIDTH - LEFT) / 2, HEIGHT - 8, axis))
    for policy, colour in policies.items():
        points = sorted((row["steps"], row[field]) for row in rows if row["policy"] == policy and row.get(field) is not None)
        if points:
            path = " ".join("%.1f,%.1f" % (across(x), down(y)) for x, y in points)
            out.append('<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>' % (path, colour))
            out += ['<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>' % (across(x), down(y), colour) for x, y in points]
    return out

def picture(rows, axis):
    names = list(dict.fromkeys(row["policy"] for row in rows))
    policies = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(names)}
    panels = [(field, title) for field, title in PANELS if any(row.get(field) is not None for row in rows)]
    width = len(panels) * (WIDTH + GAP)
    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" fill="#222">' % (width, HEIGHT),
           '<rect width="100%" height="100%" fill="white"/>']
    x = LEFT
    for name, colour in policies.items():
        out.append('<rect x="%d" y="10" width="14" height="4" fill="%s"/>' % (x, colour))
        out.append(text(x + 20, 16, name, "start"))
        x += 40 + 7 * len(name)
    for i, (field, title) in enumerate(panels):
        out += panel(rows, field, title, i * (WIDTH + GAP), policies, axis)
    return "\n".join(out + ["</svg>"]) + "\n"

def table(rows, axis):
    fields = [name for name in ("passes", "holds", "token_accuracy") if any(row.get(name) is not None for row in rows)]
    out = ["| policy | %s | " % axis + " | ".join(name.replace("_", " ") for name in fields) + " |", "|---" * (len(fields) + 2) + "|"]
    for row in sorted(rows, key=lambda row: (row["policy"], row["steps"])):
        cells = ["" if row.get(name) is None else "%.1f" % row[name] if name == "passes" else "%.3f" % row[name] for name in fields]
        out.append("| %s | %d | %s |" % (row["policy"], row["steps"], " | ".join(cells)))
    return "\n".join(out)

def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows")
    parser.add_argument("picture")
    parser.add_argument("--axis", default="forward passes at most", help="what `steps` are")
    arguments = parser.parse_args()
    rows = read(arguments.rows)
    with open(arguments.picture, "w", encoding="utf-8") as out:
        out.write(picture(rows, arguments.axis))
    print(table(rows, arguments.axis))

if __name__ == "__main__":
    main()
