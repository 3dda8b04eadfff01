"""The words of the stories, and what each slot of a template may hold."""

SHE = "Mara Lena Ida Nora Wanda Rosa Tilda Greta Hanna Juno Vera Olive Pia Ruth Stella Zora Bella Clara Dora Fern Hazel Ivy Lily Molly Nell Poppy Tess Willa Ada June".split()
HE = "Tom Finn Otto Hugo Emil Karl Leo Max Ned Oscar Paul Rolf Sam Theo Victor Walter Anton Ben Bruno Carlo David Felix Gus Henry Ivan Jack Kurt Luka Milo Noah".split()
ANIMALS = "fox bear badger hare otter owl mouse hedgehog squirrel frog goat crow cat dog duck beaver mole robin heron tortoise rabbit donkey goose sparrow pony".split()
PEOPLE = "baker sailor gardener painter farmer tailor miller potter weaver fisher shepherd carpenter teacher doctor beekeeper robot dragon giant wizard knight pirate ghost child cook clockmaker".split()
KINDS = ANIMALS + PEOPLE
TRAITS = "small tall shy brave kind old young quiet clever cheerful gentle proud careful curious lazy busy merry patient sleepy stubborn honest hungry polite dreamy".split()
COLOURS = "red blue green yellow white black brown purple silver golden pink grey orange".split()
OBJECTS = "kite scarf lantern drum bell ball hat umbrella basket ring key book flute clock cup button ribbon feather map teapot whistle mitten coat blanket wagon puppet mirror violin compass box candle bucket brush stone kettle pillow marble flag cap boot sled bicycle trumpet spoon".split()
FIXABLE = "kite lantern drum bell umbrella basket flute clock teapot wagon puppet mirror violin compass box bucket kettle sled bicycle trumpet".split()
PLACES = {"harbour": "in", "forest": "in", "village": "in", "hill": "on", "mill": "at", "meadow": "in", "lake": "by", "river": "by",
          "garden": "in", "island": "on", "market": "at", "valley": "in", "beach": "on", "castle": "in", "orchard": "in",
          "lighthouse": "at", "library": "in", "farm": "on", "park": "in", "station": "at", "mountains": "in", "tower": "in",
          "desert": "in", "barn": "in", "school": "at", "sea": "by", "bakery": "at", "cave": "in", "city": "in", "marsh": "in"}
SPOTS = ["under a bench", "behind a barrel", "in a tall tree", "under a pile of leaves", "inside an old boot", "on a high shelf",
         "behind a door", "in a hollow log", "under a bridge", "between two rocks", "beside a well", "at the bottom of a sack",
         "under the stairs", "behind a stone wall", "in the long grass", "on top of a roof", "inside a flower pot",
         "in a rabbit hole", "under a cart", "behind a curtain", "in a heap of hay", "under a bed", "behind a rose bush",
         "in a wooden chest"]
WEATHER = {"rainy": "rain", "snowy": "snow", "windy": "wind", "sunny": "sun", "foggy": "fog", "stormy": "storm", "frosty": "frost",
           "misty": "mist", "cloudy": "clouds"}
TIMES = "morning afternoon evening night".split()
BAD = "sad worried lonely afraid angry cold tired bored sorry nervous".split()
GOOD = "happy proud glad thankful calm cheerful warm content delighted".split()
NUM = "zero one two three four five six seven eight nine ten eleven twelve".split()
ITEMS = {"fruits": "apples pears plums cherries berries figs peaches".split(), "treats": "buns cakes pies rolls cookies tarts muffins".split(),
         "treasures": "shells pebbles coins pearls beads crystals acorns".split(), "flowers": "roses daisies tulips lilies poppies violets".split()}
GIFTS = ["jar of honey", "bag of seeds", "loaf of bread", "pot of jam", "wheel of cheese", "bunch of herbs", "pair of socks", "box of chalk",
         "bowl of nuts", "ball of wool", "cake with candles", "jug of milk", "sack of flour", "song", "poem", "picture"]
NEEDS = ["a bowl of soup", "a warm bed", "a cup of tea", "a dry place to sleep", "a piece of bread", "a glass of water", "a little light", "a place by the fire"]
TASKS = ["water the garden", "feed the hens", "light the lamp", "sweep the floor", "ring the bell", "guard the gate", "bake the bread", "carry the letters",
         "paint the fence", "count the sheep", "wind the clock", "pick the berries", "close the window", "tend the fire"]
TOOLS = "hammer needle screwdriver brush rope spanner thread glue nail hook wire saw".split()
GAMES = ["a race", "a singing contest", "a baking contest", "a rowing race", "a dance", "a chess game", "a swimming race", "a riddle contest", "a climbing race", "a drawing contest"]
OBSTS = ["a wide river", "a steep hill", "a dark wood", "a broken bridge", "a deep ditch", "a thick hedge", "a flock of geese", "a muddy road", "a locked gate", "a fallen tree"]
DREAMS = ["see the whole world", "learn to dance", "make people laugh", "sleep until noon", "sing on a stage", "find a real friend", "build a house", "fly one day",
          "read every book", "paint the sky", "cook for a king", "grow the biggest pumpkin", "sail across the sea", "hear the stars"]
SMELLS = "smoke bread roses apples salt honey pine soup mint hay".split()
SOUNDS = ["a dog barked", "a bell rang", "a bird sang", "the church clock struck", "a door creaked", "the leaves whispered", "a cart rolled by", "water dripped from a roof",
          "someone laughed", "a rooster crowed"]

# slot -> words it may hold (for the checker's regular expressions); computed slots are listed too
def art(s):
    return ("an " if s[0] in "aeiou" or s.startswith("hon") and s.startswith("honest") else "a ") + s

def cap(s):
    return s[0].upper() + s[1:]

def inp(p):
    return PLACES[p] + " the " + p

LEX = {
    "A": SHE + HE, "B": SHE + HE, "W": SHE + HE, "L": SHE + HE, "ak": KINDS, "bk": KINDS, "adj": TRAITS, "o": OBJECTS, "c": COLOURS,
    "p": list(PLACES), "q": list(PLACES), "spot": SPOTS, "wadj": list(WEATHER), "wn": list(WEATHER.values()), "tod": TIMES, "bad": BAD,
    "good": GOOD, "n1": NUM[1:], "n2": NUM[1:], "n3": NUM[1:], "i1": sum(ITEMS.values(), []), "i2": sum(ITEMS.values(), []),
    "cls": list(ITEMS), "g": GIFTS, "need": NEEDS, "task": TASKS, "tool": TOOLS, "game": GAMES, "obst": OBSTS, "dream": DREAMS,
    "smell": SMELLS, "sound": SOUNDS,
    "he": ["he", "she"], "him": ["him", "her"], "his": ["his", "her"], "self": ["himself", "herself"],
    "bhe": ["he", "she"], "bhim": ["him", "her"], "bhis": ["his", "her"], "whe": ["he", "she"], "lhe": ["he", "she"], "whis": ["his", "her"],
}
LEX["inp"] = [inp(p) for p in PLACES]
LEX["inq"] = LEX["inp"]
LEX["aadj"] = [art(x) for x in TRAITS]
LEX["aak"] = [art(x) for x in KINDS]
LEX["abk"] = [art(x) for x in KINDS]
LEX["ac"] = [art(x) for x in COLOURS]
LEX["ag"] = [art(x) for x in GIFTS]
for k in "he bhe his bhis inp inq aadj abk wn sound whe lhe n1 n3 ac".split():
    LEX[cap(k)] = [cap(x) for x in LEX[k]]
LEX["SPOT"] = [cap(x) for x in SPOTS]
