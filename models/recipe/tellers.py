#!/usr/bin/env python3
"""Stories by tellers with habits.

Uniform stories choose among equals at every turn, and a model that must commit to many words in one pass cannot know which choice its other words
assume (the multimodality problem of parallel decoding: Gu et al., arXiv 1711.02281). A teller chooses once: who the story is about. The request says
it, or it is drawn; the name, the place, the voice, and through the plot and the voice every sentence, follow from it and from what the request names.

    python tellers.py --seed 1 --count 5"""
import argparse
import functools
import random
import lexicon
import sentences
import stories
from lexicon import BAD, COLOURS, FIXABLE, GOOD, HE, ITEMS, KINDS, NUM, OBJECTS, PLACES, SHE, TIMES, TRAITS, WEATHER
from sentences import PLOTS
from stories import TREES

VOICES = 4
NAMES = SHE + HE
# what follows from plot and voice where the request leaves it open
BY_VOICE = {"q": list(PLACES), "spot": lexicon.SPOTS, "bad": BAD, "good": GOOD, "g": lexicon.GIFTS, "need": lexicon.NEEDS, "task": lexicon.TASKS,
            "tool": lexicon.TOOLS, "game": lexicon.GAMES, "obst": lexicon.OBSTS, "dream": lexicon.DREAMS, "smell": lexicon.SMELLS,
            "sound": lexicon.SOUNDS, "wadj": list(WEATHER), "tod": TIMES}
# what follows from another word: the hero's kind, the thing
BY_WORD = {"adj": ("ak", TRAITS), "p": ("ak", list(PLACES)), "c": ("o", COLOURS)}
# requests that suit any plot stand at the end of each plot's list
COMMON = len(sentences.R["*"]) + len(sentences.KEYS)
ANY_PLOT = [p for p in PLOTS if p != "share"]
ATTEMPTS = 8
# What requests seldom name, though most stories tell of it, with a plot whose requests do (None: those of any plot): a model that has nearly always seen
# it follow from the teller does not look for it in the request.
SELDOM = [("wadj", None)] * 3 + [("tod", None), ("wadj", "visitor"), ("spot", "lost"), ("spot", "surprise"), ("need", "visitor"), ("task", "promise"),
                                 ("game", "contest"), ("W", "contest"), ("obst", "journey"), ("q", "journey"), ("dream", None), ("tool", "repair"),
                                 ("bad", "meeting"), ("n1", "share"), ("n2", "share"), ("i1", "share")]
SELDOM_SHARE, SEEKING_SHARE = .5, .8
# What is seldom named is told in the plot's way, whoever the story is about; the weather of a request always in the same words.
PLAIN = frozenset("wadj tod spot need task game obst q dream tool bad n1 n2 i1".split())
WEATHER_REQUESTED = next(t for t, text in zip(TREES["weather"], sentences.T["weather"]) if text == "It began on a {wadj} {tod}.")


@functools.lru_cache(maxsize=None)
def order(what, n):
    """An order of preference among n things: a fixed permutation."""
    out = list(range(n))
    random.Random(what).shuffle(out)
    return out


def preferred(what, pool, taken=None):
    """The favourite of the pool, or the next one where that is taken."""
    return next(pool[i] for i in order(what, len(pool)) if pool[i] != taken)


def coin(what, chance):
    return random.Random("coin/" + what).random() < chance


def voice_of(kind):
    return order("voices", len(KINDS))[KINDS.index(kind)] % VOICES


def name_of(who, kind, taken):
    """Every kind has a name of its own, one as a hero (A) and one as the other (B)."""
    names = [NAMES[i] for i in order("names/" + who, len(NAMES))]
    k = KINDS.index(kind)
    return next(name for name in names[k:] + names[:k] if name != taken)


def kind_of(who, name, taken):
    k = order("names/" + who, len(NAMES)).index(NAMES.index(name)) % len(KINDS)
    return next(kind for kind in KINDS[k:] + KINDS[:k] if kind != taken)


def persons(rng, env, wanted):
    """Names and kinds of A and B, and who wins; the one place where something is drawn."""
    out = {}
    if "W" in wanted:
        wanted = wanted | {"A"}
        env = env | {"A": env["W"]}
    for who, kind, other, other_kind in (("A", "ak", "B", "bk"), ("B", "bk", "A", "ak")):
        taken = out.get(other, env[other] if other in wanted else None)
        taken_kind = out.get(other_kind, env[other_kind] if other_kind in wanted else None)
        if kind in wanted:
            out[kind] = env[kind]
        elif who in wanted:
            out[kind] = kind_of(who, env[who], taken_kind)
        elif who == "A":
            out[kind] = rng.choice([k for k in KINDS if k != taken_kind])
        else:
            out[kind] = preferred("bk/%d" % voice_of(out["ak"]), KINDS, taken_kind)
        out[who] = env[who] if who in wanted else name_of(who, out[kind], taken)
    a_wins = "W" in wanted or coin("win/%d" % voice_of(out["ak"]), .5)
    out["W"], out["L"] = (out["A"], out["B"]) if a_wins else (out["B"], out["A"])
    return out


def counted(env, plot, voice, wanted):
    """The numbers and what is counted."""
    n1, n2 = (2 + order("%s/%s/%d" % (n, plot, voice), 5)[0] for n in ("n1", "n2"))
    if plot == "share":
        n1 = NUM.index(env["n1"]) if "n1" in wanted else 5 + order("n1/share/%d" % voice, 8)[0]
        n2 = NUM.index(env["n2"]) if "n2" in wanted else 2 + voice % 2 * (n1 > 4)
    if "i1" in wanted:
        group = next(c for c, items in ITEMS.items() if env["i1"] in items)
        first = env["i1"]
    else:
        group = preferred("group/%s/%d" % (plot, voice), list(ITEMS))
        first = preferred("i1/%s/%d" % (plot, voice), ITEMS[group])
    return {"n1": NUM[n1], "n2": NUM[n2], "n3": NUM[n1 - n2 if plot == "share" else n1 + n2], "cls": group, "i1": first,
            "i2": preferred("i2/%d" % voice, ITEMS[group], first)}


def values(people, env, plot, wanted):
    """All slot values of the story: what the request names, and what follows from it."""
    out = dict(people)
    voice = voice_of(out["ak"])
    out |= counted(env, plot, voice, wanted)
    things = FIXABLE if plot == "repair" else OBJECTS
    out["o"] = env["o"] if "o" in wanted else preferred("o/%s/%d" % (plot, voice), things)
    for name, (source, pool) in BY_WORD.items():
        taken = env["q"] if name == "p" and "q" in wanted else None
        out[name] = env[name] if name in wanted else preferred("%s/%s" % (name, out[source]), pool, taken)
    for name, pool in BY_VOICE.items():
        out[name] = env[name] if name in wanted else preferred("%s/%s/%d" % (name, plot, voice), pool, out["p"] if name == "q" else None)
    return stories.fill(out)


def emit(tree, env, habit, path=""):
    out = []
    for x in tree:
        if isinstance(x, str):
            out.append(x)
            path += x
        elif x[0] == "slot":
            out.append(env[x[1]])
            path += x[1]
        else:
            out.append(emit(x[1][order(path + habit, len(x[1]))[0]], env, habit, path))
    return "".join(out)


def course(plot, voice, wanted, forced):
    """The template of every stage that is told, and the variables they name; None where a forced one cannot stand."""
    habit = "%s/%d" % (plot, voice)
    coins = {"D": "dream" in wanted or coin("D" + habit, .15), "S": coin("S" + habit, .2), "E": coin("E" + habit, .7)}
    coins["F"] = not coins["E"] or coin("F" + habit, .5)
    if wanted & {"wadj", "tod"} and any(stage == "weather" for stage, _ in PLOTS[plot]):
        forced = {"weather": WEATHER_REQUESTED} | forced
    out, told = [], set()
    for stage, chance in PLOTS[plot]:
        if not (stage in forced or (coins[chance] if isinstance(chance, str) else chance == 1 or coin(stage + habit, chance))):
            continue
        options = [t for t in TREES[stage] if stories.admissible(stage, stories.bases(t), told)]
        if stage in forced:
            options = [t for t in options if t is forced[stage]]
        if not options:
            return None
        # what the request asks for and nobody has said yet comes first; a story opens as its plot does, whoever it is about
        due = max(len((stories.bases(t) & wanted) - told) for t in options)
        options = [t for t in options if len((stories.bases(t) & wanted) - told) == due]
        plain = stage == "open" or any((stories.bases(t) & wanted & PLAIN) - told for t in options)
        rank = order("sentence/%s/%s" % (stage, plot if plain else habit), len(TREES[stage]))
        position = {id(TREES[stage][i]): place for place, i in enumerate(rank)}
        tree = min(options, key=lambda t: position[id(t)])
        out.append((tree, plot if plain else habit))
        told |= stories.bases(tree)
    return out, told


def tell(plot, env, wanted):
    """The text, or None where this plot cannot honour the request."""
    voice = voice_of(env["ak"])
    habit = "%s/%d" % (plot, voice)
    forced, impossible = {}, set()
    for _ in range(ATTEMPTS):
        told = course(plot, voice, wanted, forced)
        if told is None:
            stage, tree = forced.popitem()
            impossible.add(id(tree))
            continue
        missing = sorted(wanted - told[1])
        if not missing:
            text = " ".join(emit(tree, env, way) for tree, way in told[0])
            return text if all(env[b].lower() in text.lower() for b in wanted if b != "wadj") else None
        places = [(stage, t) for stage, _ in PLOTS[plot] if stage not in forced for t in TREES[stage]
                  if missing[0] in stories.bases(t) and id(t) not in impossible]
        if not places:
            return None
        stage, tree = places[order("place/%s/%s" % (missing[0], habit), len(places))[0]]
        forced[stage] = tree
    return None


def uniform(rng):
    """As stories.story, with requests that name what is seldom named more often."""
    named, among = rng.choice(SELDOM) if rng.random() < SELDOM_SHARE else (None, None)
    return stories.draw(rng, among, named)[:4]


def seeking(rng):
    return story(rng, SEEKING_SHARE)


def story(rng, seldom=SELDOM_SHARE):
    """One (instruction, story, plot, env). Instructions are drawn as in stories.story, those that name what is seldom named more often."""
    named, among = rng.choice(SELDOM) if rng.random() < seldom else (None, None)
    request, text, plot, env, tree = stories.draw(rng, among, named)
    wanted = frozenset(stories.base(s) for s in stories.slots_of(tree))
    people = persons(rng, env, wanted)
    k = [id(t) for t in stories.REQ_TREES[plot]].index(id(tree)) - (len(stories.REQ_TREES[plot]) - COMMON)
    plots = [plot]
    if k >= 0:  # a request that suits any plot
        known = voice_of(people["ak"]) if wanted & {"A", "ak"} else 0
        plots = [ANY_PLOT[i] for i in order("plot/%d/%d" % (k, known), len(ANY_PLOT))]
    for p in plots:
        if p == "repair" and "o" in wanted and env["o"] not in FIXABLE:
            continue
        chosen = values(people, env, p, wanted)
        told = tell(p, chosen, wanted)
        if told:
            return request, told, p, chosen
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
