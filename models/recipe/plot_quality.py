#!/usr/bin/env python3
"""Quality against steps: a picture (SVG) and a table (Markdown) from measured rows.

    python3 plot_quality.py rows.jsonl quality.svg > quality.md
    python3 plot_quality.py --across passes rows.jsonl policies.svg > policies.md
A row is one measurement: {"policy", "steps" or "passes" or both[, "setting"]} and one field of PANELS or more. `steps` is the limit that was set, `passes`
the mean of what was used, `setting` the policy's parameter; what has "run": "decoded" is shown as hollow points beside the line of its policy. `holds` is the share of stories that hold together, `token_accuracy` the share of masked
tokens that came out as in the reference, `token_agreement` and `text_agreement` the shares of tokens and of whole texts that are those of a reference run.
Needs nothing but Python's own library."""
import argparse
import json
import math
from xml.sax.saxutils import escape

COLOURS = ("#1b6ca8", "#d1495b", "#3a7d44", "#8d5a97", "#c98b1b", "#555555")
PANELS = (("holds", "stories that hold together"), ("token_accuracy", "masked-token accuracy"), ("token_agreement", "tokens that agree with the reference run"),
          ("text_agreement", "texts that agree with the reference run"))
AXES = {"steps": "forward passes at most", "passes": "forward passes, mean"}
WIDTH, HEIGHT, LEFT, TOP, BOTTOM, GAP = 460, 300, 52, 56, 44, 40

def read(path, across):
    rows = []
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                row = json.loads(line)
                for name in ("policy", across):
                    if name not in row:
                        raise SystemExit("%s:%d: %s: absent (expected: in every row)" % (path, number, name))
                if not row[across] > 0:
                    raise SystemExit("%s:%d: %s: %s (expected: > 0)" % (path, number, across, row[across]))
                if not any(field in row for field, title in PANELS):
                    raise SystemExit("%s:%d: %s: absent (expected: one of them)" % (path, number, ", ".join(field for field, title in PANELS)))
                rows.append(row)
    if not rows:
        raise SystemExit("%s: no rows (expected: at least one)" % path)
    return rows

def text(x, y, content, anchor="middle", size=12, extra=""):
    return '<text x="%.1f" y="%.1f" text-anchor="%s" font-size="%d" %s>%s</text>' % (x, y, anchor, size, extra, escape(content))

def ticks(values):
    """The values themselves where they are few, else powers of two within them."""
    values = sorted(set(values))
    if len(values) <= 8:
        return values
    return [2 ** power for power in range(math.ceil(math.log2(values[0])), math.floor(math.log2(values[-1])) + 1)]

def panel(rows, field, title, offset, policies, across_field, axis):
    """One set of axes: steps or passes on a logarithmic scale, the field from 0 to 1."""
    values = [row[across_field] for row in rows]
    low, high = math.log2(min(values)), math.log2(max(values))
    def across(value):
        return offset + LEFT + (math.log2(value) - low) / max(high - low, 1e-9) * (WIDTH - LEFT - 12)
    def down(value):
        return TOP + (1 - value) * (HEIGHT - TOP - BOTTOM)
    out = [text(offset + LEFT + (WIDTH - LEFT) / 2, TOP - 14, title, size=13, extra='font-weight="bold"')]
    for tick in (0, .2, .4, .6, .8, 1):
        out.append('<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#ddd"/>' % (across(min(values)), down(tick), across(max(values)), down(tick)))
        out.append(text(offset + LEFT - 8, down(tick) + 4, "%.1f" % tick, "end"))
    for value in ticks(values):
        out.append(text(across(value), HEIGHT - BOTTOM + 18, "%g" % value))
    out.append(text(offset + LEFT + (WIDTH - LEFT) / 2, HEIGHT - 8, axis))
    for policy, colour in policies.items():
        shown = [row for row in rows if row["policy"] == policy and row.get(field) is not None]
        points = sorted((row[across_field], row[field]) for row in shown if row.get("run") != "decoded")
        if points:
            path = " ".join("%.1f,%.1f" % (across(x), down(y)) for x, y in points)
            out.append('<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>' % (path, colour))
            out += ['<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>' % (across(x), down(y), colour) for x, y in points]
        out += ['<circle cx="%.1f" cy="%.1f" r="5" fill="none" stroke="%s" stroke-width="2"/>' % (across(row[across_field]), down(row[field]), colour)
                for row in shown if row.get("run") == "decoded"]
    return out

def picture(rows, across, axis):
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
    if any(row.get("run") == "decoded" for row in rows):
        out.append('<circle cx="%d" cy="12" r="5" fill="none" stroke="#222" stroke-width="2"/>' % (x + 7))
        out.append(text(x + 20, 16, "decoded by the model", "start"))
    for i, (field, title) in enumerate(panels):
        out += panel(rows, field, title, i * (WIDTH + GAP), policies, across, axis)
    return "\n".join(out + ["</svg>"]) + "\n"

def table(rows, across, axis):
    names = ("setting", "run", "steps", "passes") + tuple(field for field, title in PANELS)
    fields = [name for name in names if any(row.get(name) is not None for row in rows)]
    formats = {"setting": "%s", "run": "%s", "steps": "%d", "passes": "%.1f"}
    titles = {across: axis}
    out = ["| policy | " + " | ".join(titles.get(name, name.replace("_", " ")) for name in fields) + " |", "|---" * (len(fields) + 1) + "|"]
    for row in sorted(rows, key=lambda row: (row["policy"], row[across])):
        cells = ["" if row.get(name) is None else formats.get(name, "%.3f") % row[name] for name in fields]
        out.append("| %s | %s |" % (row["policy"], " | ".join(cells)))
    return "\n".join(out)

def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows")
    parser.add_argument("picture")
    parser.add_argument("--across", choices=AXES, default="steps", help="the field of the horizontal axis")
    parser.add_argument("--axis", help="what that is")
    arguments = parser.parse_args()
    rows = read(arguments.rows, arguments.across)
    axis = arguments.axis or AXES[arguments.across]
    with open(arguments.picture, "w", encoding="utf-8") as out:
        out.write(picture(rows, arguments.across, axis))
    print(table(rows, arguments.across, axis))

if __name__ == "__main__":
    main()
