#!/usr/bin/env python3
"""Stories by a teller with habits.

Uniform stories choose among equals at every turn, and a model that must commit to many words in one pass cannot know which choice its other words
assume. The teller has, for each plot, a favourite template per stage and favourite values for whatever the request leaves open, so that most words
follow from the request and can be written at once (the multimodality problem of parallel decoding: Gu et al., arXiv 1711.02281).

    python tellers.py --seed 1 --count 5"""
import argparse
import functools
import random
import stories
from stories import COLOURS, BAD, FIXABLE, GOOD, HE, ITEMS, KINDS, NUM, OBJECTS, PLACES, PLOTS, SHE, TIMES, TRAITS, TREES, WEATHER

POOLS = {"A": SHE + HE, "B": SHE + HE, "ak": KINDS, "bk": KINDS, "adj": TRAITS, "o": OBJECTS, "c": COLOURS, "p": list(PLACES), "q": list(PLACES),
         "spot": stories.SPOTS, "wadj": list(WEATHER), "tod": TIMES, "bad": BAD, "good": GOOD, "g": stories.GIFTS, "need": stories.NEEDS,
         "task": stories.TASKS, "tool": stories.TOOLS, "game": stories.GAMES, "obst": stories.OBSTS, "dream": stories.DREAMS, "smell": stories.SMELLS,
         "sound": stories.SOUNDS}
NUMBERS = ("n1", "n2", "n3")
TOGETHER = ("i1", "i2", "cls")


# requests that suit any plot stand at the end of each plot's list
COMMON = len(stories.R["*"]) + len(stories.KEYS)
ANY_PLOT = [p for p in PLOTS if p != "share"]


@functools.lru_cache(maxsize=None)
def order(what, key, n):
    """The teller's order of preference among n things: a fixed permutation."""
    out = list(range(n))
    random.Random(f"{what}/{key}").shuffle(out)
    return out


def favourites(rng, env, plot, wanted, templates, values):
    """The free choices of a story with the teller's favourites where the request leaves them open."""
    out = {k: env[k] for k in ("A", "B", "W", "L") + NUMBERS + TOGETHER + tuple(POOLS)}
    names_open = not wanted & {"W", "L"}
    for var, pool in POOLS.items():
        if var in wanted or rng.random() >= values or var in "AB" and not names_open:
            continue
        if plot == "repair" and var == "o":
            pool = FIXABLE
        clash = {"A": "B", "B": "A", "ak": "bk", "bk": "ak", "p": "q", "q": "p"}.get(var)
        out[var] = next(pool[i] for i in order(var, plot, len(pool)) if not clash or pool[i] != out[clash])
    if plot == "repair" and out["o"] not in FIXABLE:
        out["o"] = env["o"]
    if names_open:
        a_wins = order("win", plot, 2)[0] == 0 if rng.random() < templates else rng.random() < .5
        out["W"], out["L"] = (out["A"], out["B"]) if a_wins else (out["B"], out["A"])
    if not wanted & set(NUMBERS) and rng.random() < values:
        fixed = random.Random("numbers/" + plot)
        n1, n2 = fixed.randint(2, 6), fixed.randint(2, 6)
        if plot == "share":
            n1 = fixed.randint(4, 12)
            n2 = fixed.randint(2, n1 - 2)
        out["n1"], out["n2"], out["n3"] = NUM[n1], NUM[n2], NUM[n1 - n2 if plot == "share" else n1 + n2]
    if not wanted & set(TOGETHER) and rng.random() < values:
        fixed = random.Random("items/" + plot)
        out["cls"] = fixed.choice(list(ITEMS))
        out["i1"], out["i2"] = fixed.sample(ITEMS[out["cls"]], 2)
    return stories.fill(out)


def emit(tree, rng, env, plot, templates, path=""):
    out = []
    for x in tree:
        if isinstance(x, str):
            out.append(x)
            path += x
        elif x[0] == "slot":
            out.append(env[x[1]])
            path += x[1]
        else:
            n = len(x[1])
            i = order(path, plot, n)[0] if rng.random() < templates else rng.randrange(n)
            out.append(emit(x[1][i], rng, env, plot, templates, path))
    return "".join(out)


def tell(rng, plot, env, wanted, templates):
    """The text, or None where these habits cannot honour the request. `wanted` are the variables that the request names."""
    def coin(name, chance):
        return (random.Random(f"coin/{name}/{plot}").random() if rng.random() < templates else rng.random()) < chance
    coins = {"D": "dream" in wanted or coin("D", .15), "S": coin("S", .2), "E": coin("E", .7)}
    coins["F"] = not coins["E"] or coin("F", .5)
    parts, told = [], set()
    for stage, chance in PLOTS[plot]:
        needed = stage == "weather" and wanted & {"wadj", "tod"}
        if not (needed or (coins[chance] if isinstance(chance, str) else chance == 1 or coin(stage, chance))):
            continue
        options = [t for t in TREES[stage] if stories.admissible(stage, stories.bases(t), told)]
        if not options:
            return None
        if rng.random() < templates:
            # what the request asks for and nobody has said yet comes first
            due = max(len((stories.bases(t) & wanted) - told) for t in options)
            options = [t for t in options if len((stories.bases(t) & wanted) - told) == due]
            position = {id(TREES[stage][i]): rank for rank, i in enumerate(order(stage, plot, len(TREES[stage])))}
            tree = min(options, key=lambda t: position[id(t)])
        else:
            tree = rng.choice(options)
        parts.append(emit(tree, rng, env, plot, templates))
        told |= stories.bases(tree)
    text = " ".join(parts)
    names = {env[b] for b in wanted}
    fulfilled = names <= {env[b] for b in told} and all(w in text for w in names if w not in WEATHER)
    return text if fulfilled else None


def story(rng, templates=.985, values=.7):
    """One (instruction, story, plot, env). The instruction is drawn as in stories.story; `templates` and `values` say how often habits are kept."""
    request, text, plot, env, tree = stories.draw(rng)
    wanted = frozenset(stories.base(s) for s in stories.slots_of(tree))
    k = [id(t) for t in stories.REQ_TREES[plot]].index(id(tree)) - (len(stories.REQ_TREES[plot]) - COMMON)
    plots = [plot]
    # a number of the request has no meaning in another plot
    if k >= 0 and plot != "share" and rng.random() < templates:
        favourite = ANY_PLOT[order("plot", k, len(ANY_PLOT))[0]]
        if not (favourite == "repair" and "o" in wanted and env["o"] not in FIXABLE):
            plots = [favourite, plot]
    for p in plots:
        for _ in range(2):
            told = tell(rng, p, favourites(rng, env, p, wanted, templates, values), wanted, templates)
            if told:
                return request, told, p, env
    return request, text, plot, env


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=5)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    for _ in range(arguments.count):
        request, text, plot, _ = story(rng)
        print("[%s] %s\n%s\n" % (plot, request, text))


if __name__ == "__main__":
    main()
