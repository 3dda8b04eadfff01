"""Small tasks with one right answer: grids, sums, lists."""
from lexicon import ANIMALS, NUM, PEOPLE

def sudoku(rng):
    while True:
        g = [[0] * 4 for _ in range(4)]
        def ok(r, c, v):
            return all(g[r][k] != v and g[k][c] != v for k in range(4)) and all(g[r // 2 * 2 + i][c // 2 * 2 + j] != v for i in range(2) for j in range(2))
        def go(k):
            if k == 16:
                return True
            vs = [1, 2, 3, 4]
            rng.shuffle(vs)
            for v in vs:
                if ok(k // 4, k % 4, v):
                    g[k // 4][k % 4] = v
                    if go(k + 1):
                        return True
                    g[k // 4][k % 4] = 0
            return False
        go(0)
        return g

def solutions(puz, limit=2):
    g = [row[:] for row in puz]
    n = 0
    def ok(r, c, v):
        return all(g[r][k] != v and g[k][c] != v for k in range(4)) and all(g[r // 2 * 2 + i][c // 2 * 2 + j] != v for i in range(2) for j in range(2))
    def go():
        nonlocal n
        for k in range(16):
            r, c = k // 4, k % 4
            if not g[r][c]:
                for v in (1, 2, 3, 4):
                    if ok(r, c, v):
                        g[r][c] = v
                        go()
                        g[r][c] = 0
                        if n >= limit:
                            return
                return
        n += 1
    go()
    return n

def grid(rng):
    sol = sudoku(rng)
    puz = [r[:] for r in sol]
    cells = list(range(16))
    rng.shuffle(cells)
    holes = rng.randint(4, 10)
    for k in cells:
        if holes and (holes < 40):
            v = puz[k // 4][k % 4]
            puz[k // 4][k % 4] = 0
            if solutions(puz) > 1:
                puz[k // 4][k % 4] = v
            else:
                holes -= 1
    show = lambda g: "\n".join("".join(str(v) if v else "_" for v in r) for r in g)
    return rng.choice(["Complete the grid:", "Solve the grid:", "Fill the grid:"]) + "\n" + show(puz), show(sol), "grid", {}

def sums(rng):
    a, b = rng.randint(1, 49), rng.randint(1, 49)
    if rng.random() < .7:
        q = rng.choice(["What is %d plus %d?", "Add %d and %d.", "How much is %d + %d?"]) % (a, b)
        return q, "%d + %d = %d" % (a, b, a + b), "sum", {}
    a, b = max(a, b), min(a, b)
    q = rng.choice(["What is %d minus %d?", "Take %d from %d.", "How much is %d - %d?"])
    q = q % ((b, a) if q.startswith("Take") else (a, b))
    return q, "%d - %d = %d" % (a, b, a - b), "sum", {}

DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
LISTW = ANIMALS + PEOPLE
def lists(rng):
    k = rng.random()
    if k < .5:
        w = rng.sample(LISTW, rng.randint(3, 6))
        return rng.choice(["Sort these words: ", "Put these words in alphabetical order: "]) + ", ".join(w) + ".", ", ".join(sorted(w)) + ".", "list", {}
    if k < .75:
        w = rng.sample(LISTW, rng.randint(3, 6))
        return rng.choice(["Turn this list around: ", "Reverse this list: "]) + ", ".join(w) + ".", ", ".join(w[::-1]) + ".", "list", {}
    if k < .9:
        a, n = rng.randint(0, 5), rng.randint(3, 7)
        w = NUM[a:a + n]
        if rng.random() < .5:
            w = w[::-1]
        return "Count from %s to %s." % (w[0], w[-1]), ", ".join(w) + ".", "list", {}
    i, n = rng.randrange(7), rng.randint(2, 5)
    return "Which %s days come after %s?" % (NUM[n], DAYS[i]), ", ".join(DAYS[(i + j + 1) % 7] for j in range(n)) + ".", "list", {}
