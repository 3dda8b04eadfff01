#!/usr/bin/env python3
"""Seeded generator of the training data: small-world stories with long-range consistency, and a few exact tasks.

Everything here is original text. A template is a string with slots {A} and choices [a|b|c]; the same template makes text
(generator) and a regular expression (check.py), so the checker knows the language exactly. The words are in lexicon.py, the templates in
sentences.py, the tasks in tasks.py.

    python stories.py --seed 1 --count 5          # print examples
"""
import argparse
import random
from lexicon import (BAD, COLOURS, DREAMS, FIXABLE, GAMES, GIFTS, GOOD, HE, ITEMS, KINDS, NEEDS, NUM, OBJECTS, OBSTS, PLACES, SHE, SMELLS, SOUNDS, SPOTS, TASKS, TIMES,
                     TOOLS, TRAITS, WEATHER, art, cap, inp)
from sentences import KEYS, PLOTS, R, REQ, T, WEIGHT, WORDS
from tasks import grid, lists, sums

HELDOUT_SEED = 900_000_000  # training uses small seeds only

def fill(env):
    """All slot values from the free choices."""
    e = dict(env)
    g = lambda n: ("she", "her", "her", "herself") if n in SHE else ("he", "him", "his", "himself")
    for pre, who in (("", "A"), ("b", "B"), ("w", "W"), ("l", "L")):
        s = g(e[who])
        e[pre + "he"], e[pre + "him"], e[pre + "his"], e[pre + "self"] = s
    e["inp"], e["inq"] = inp(e["p"]), inp(e["q"])
    e["wn"] = WEATHER[e["wadj"]]
    for a, b in (("aadj", "adj"), ("aak", "ak"), ("abk", "bk"), ("ac", "c"), ("ag", "g")):
        e[a] = art(e[b])
    for k in list(e):
        if isinstance(e[k], str) and cap(k) not in e and k not in ("A", "B", "W", "L"):
            e[cap(k)] = cap(e[k])
    e["SPOT"] = cap(e["spot"])
    return e

def choose(rng, plot):
    she, he = rng.sample(SHE, 2), rng.sample(HE, 2)
    a, b = rng.sample([she[0], he[0], rng.choice([she[1], he[1]])], 2)
    ak, bk = rng.sample(KINDS, 2)
    p, q = rng.sample(list(PLACES), 2)
    cls = rng.choice(list(ITEMS))
    i1, i2 = rng.sample(ITEMS[cls], 2)
    n1, n2 = rng.randint(2, 6), rng.randint(2, 6)
    if plot == "share":
        n1 = rng.randint(4, 12)
        n2 = rng.randint(2, n1 - 2)
        n3 = n1 - n2
    else:
        n3 = n1 + n2
    win = rng.random() < .5
    pool = FIXABLE if plot == "repair" else OBJECTS
    return dict(A=a, B=b, W=a if win else b, L=b if win else a, ak=ak, bk=bk, p=p, q=q, adj=rng.choice(TRAITS), o=rng.choice(pool), c=rng.choice(COLOURS),
                spot=rng.choice(SPOTS), wadj=rng.choice(list(WEATHER)), tod=rng.choice(TIMES), bad=rng.choice(BAD), good=rng.choice(GOOD),
                n1=NUM[n1], n2=NUM[n2], n3=NUM[n3], i1=i1, i2=i2, cls=cls, g=rng.choice(GIFTS), need=rng.choice(NEEDS), task=rng.choice(TASKS),
                tool=rng.choice(TOOLS), game=rng.choice(GAMES), obst=rng.choice(OBSTS), dream=rng.choice(DREAMS), smell=rng.choice(SMELLS), sound=rng.choice(SOUNDS))

# ---------------------------------------------------------------- the template language
def parse(t):
    """Template text to a tree: list of str | ('slot', name) | ('alt', [tree, ...])."""
    pos = 0
    def seq(stops):
        nonlocal pos
        out = []
        while pos < len(t) and t[pos] not in stops:
            ch = t[pos]
            if ch == "{":
                j = t.index("}", pos)
                out.append(("slot", t[pos + 1:j]))
                pos = j + 1
            elif ch == "[":
                alts = []
                while True:
                    pos += 1
                    alts.append(seq("|]"))
                    if t[pos] == "]":
                        pos += 1
                        break
                out.append(("alt", alts))
            else:
                j = pos
                while j < len(t) and t[j] not in "{[" + stops:
                    j += 1
                out.append(t[pos:j])
                pos = j
        return out
    return seq("")

def emit(tree, rng, env):
    out = []
    for x in tree:
        if isinstance(x, str):
            out.append(x)
        elif x[0] == "slot":
            out.append(env[x[1]])
        else:
            out.append(emit(rng.choice(x[1]), rng, env))
    return "".join(out)

TREES = {st: [parse(x) for x in ts] for st, ts in T.items()}
def requests_for(plot):
    return [REQ + " " + x for x in R[plot] + R["*"]] + [WORDS + x for x in KEYS]
REQ_TREES = {p: [parse(x) for x in requests_for(p)] for p in PLOTS}

# which request slots a given set of stages can honour is checked by regenerating; see story()
def slots_of(tree):
    s = []
    for x in tree:
        if isinstance(x, tuple):
            if x[0] == "slot":
                s.append(x[1])
            else:
                for a in x[1]:
                    s += slots_of(a)
    return s

BASE = {"aak": "ak", "abk": "bk", "ac": "c", "aadj": "adj", "ag": "g", "inp": "p", "inq": "q", "Inp": "p", "Inq": "q", "wn": "wadj", "Wn": "wadj", "Aadj": "adj", "Abk": "bk",
        "Ac": "c", "SPOT": "spot", "N1": "n1", "N3": "n3", "Sound": "sound", "he": "A", "him": "A", "his": "A", "He": "A", "His": "A", "self": "A", "bhe": "B", "bhim": "B",
        "bhis": "B", "Bhe": "B", "Bhis": "B", "whe": "W", "Whe": "W", "whis": "W", "lhe": "L", "Lhe": "L"}
def base(s):
    return BASE.get(s, s)

def bases(tree):
    k = id(tree)
    if k not in SLOTS:
        SLOTS[k] = frozenset(base(x) for x in slots_of(tree))
    return SLOTS[k]

INTRO = {"wadj": {"weather", "got"}, "tod": {"weather", "got", "newcomer"}}
MUST_RECALL = {"bad": {"endf", "over"}}
def admissible(st, slots, told):
    for b in slots:
        if b in INTRO and b not in told and st not in INTRO[b]:
            return False
        if b in MUST_RECALL and st in MUST_RECALL[b] and b not in told:
            return False
    return True

SLOTS = {}
def story(rng, plot=None):
    """One (instruction, story, plot, env), every choice at random."""
    req, text, plot, env, _ = draw(rng, plot)
    return req, text, plot, env

def draw(rng, plot=None, named=None):
    """A story, and the tree of its request, which names the given variable if there is one."""
    plot = plot or rng.choices(list(WEIGHT), list(WEIGHT.values()))[0]
    requests = [t for t in REQ_TREES[plot] if named is None or named in bases(t)]
    env = fill(choose(rng, plot))
    for tries in range(10000):
        if tries % 12 == 0:  # not every story can honour every request
            req_tree = rng.choice(requests)
            req = emit(req_tree, rng, env)
            wanted = {env[base(s)] for s in slots_of(req_tree)}
        coins = {"D": rng.random() < .15 or "dream" in slots_of(req_tree), "S": rng.random() < .2}
        coins["E"] = rng.random() < .7
        coins["F"] = not coins["E"] or rng.random() < .5
        parts = []
        told = set()
        used = set()
        for st, pr in PLOTS[plot]:
            if (coins[pr] if isinstance(pr, str) else rng.random() < pr):
                opts = [t for t in TREES[st] if admissible(st, bases(t), told)]
                if not opts:
                    break
                tree = rng.choice(opts)
                parts.append(emit(tree, rng, env))
                told |= bases(tree)
        else:
            used = {env[b] for b in told}
        if used and wanted <= used:
            text = " ".join(parts)
            if all(w in text for w in wanted if w not in WEATHER):
                return req, text, plot, env, req_tree

def example(rng):
    k = rng.random()
    # by example; a story is about ten times as long as a short task
    if k < .62:
        return story(rng)
    if k < .80:
        return grid(rng)
    if k < .92:
        return sums(rng)
    return lists(rng)

if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--count", type=int, default=5)
    ap.add_argument("--plot")
    a = ap.parse_args()
    rng = random.Random(a.seed)
    for _ in range(a.count):
        q, r, plot, _ = story(rng, a.plot) if a.plot else example(rng)
        print("[%s] %s\n%s\n" % (plot, q, r))
