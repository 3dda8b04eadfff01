"""Training batches: fresh examples all the time, hidden and spoilt in the ways that decoding will show them to the model."""
import dataclasses
import random
import lexicon
import stories
import tasks
import tellers
import torch
from sentences import PLOTS

BUCKETS = (24, 32, 48, 64, 96, 112, 128, 144, 160, 192, 224, 288)
CANVAS = 256
AGREEING = (("Ġa", "Ġan"), ("ĠA", "ĠAn"), ("Ġhe", "Ġshe"), ("ĠHe", "ĠShe"), ("Ġhis", "Ġher"))  # tokens that follow from a neighbour or a name
TASK_TOKENS = 96  # rows up to this length are tasks or beginnings of stories
DELIVERED = ((1.0, stories.example),)


def only(source, mark):
    """The examples of a source whose request or answer contains the mark."""
    def draw(rng):
        while True:
            example = source(rng)
            if mark in example[0] + example[1]:
                return example
    return draw


TASKS = ((.07, tasks.sums), (.15, only(tasks.sums, " - ")), (.12, tasks.lists), (.11, only(tasks.lists, "ords")), (.09, tasks.grid))
# By example; in tokens stories are three quarters. Taking away and sorting are the hardest tasks.
WARM = ((.40, tellers.story), (.06, tellers.uniform)) + TASKS
SEEKING = ((.38, tellers.seeking), (.18, tellers.uniform)) + TASKS


@dataclasses.dataclass
class Mix:
    """What a batch is made of; all but the batch size are shares."""
    batch_tokens: int
    sources: tuple = DELIVERED
    short: float = 0.0  # stories cut off early: in a short text copying from the request is learned first
    full: float = .15  # stories that stand in a whole canvas, so that length is learned
    mend: float = 0.0  # rows in which visible tokens are wrong
    low: float = .5  # rows with less hidden
    frontier: float = 0.0  # tellers' rows hidden as they stand while they are written in a window; tasks are then mostly hidden


class Batches:
    """An endless stream of (input, target, places that count), each [rows, tokens]."""

    def __init__(self, tokenizer, seed, mix):
        self.random, self.tokenizer, self.mix = random.Random(seed), tokenizer, mix
        self.user, self.assistant, self.end, self.mask = (
            tokenizer.token_to_id(x) for x in ("<|user|>", "<|assistant|>", "<|endoftext|>", "<|mask|>"))
        self.kin = {}  # token -> tokens of words of the same kind
        for words in lexicon.LEX.values():
            ids = [e[0] for e in (tokenizer.encode(" " + w).ids for w in words) if len(e) == 1]
            for token in ids:
                self.kin[token] = self.kin.get(token, []) + ids
        for pair in AGREEING:
            for word, other in zip(pair, reversed(pair)):
                self.kin[tokenizer.token_to_id(word)] = [tokenizer.token_to_id(other)]
        self.waiting = {n: [] for n in BUCKETS}
        self.share = self.random.random()

    def next(self):
        while True:
            rows = self.add_example()
            if rows:
                return self.hide(rows)

    def example(self):
        """A request, its answer, its plot, and whether it was drawn uniformly."""
        r = self.random.random() * sum(share for share, _ in self.mix.sources)
        for share, source in self.mix.sources:
            r -= share
            if r < 0:
                break
        request, answer, plot, _ = source(self.random)
        return request, answer, plot, source in (stories.story, tellers.uniform)

    def encode(self, request, answer):
        return [self.user] + self.tokenizer.encode(request).ids + [self.assistant], self.tokenizer.encode(answer).ids

    def add_example(self):
        """Draws one example into the bucket of its length; the bucket's rows if that fills it."""
        request, answer, plot, uniform = self.example()
        prompt, ids = self.encode(request, answer)
        n = len(prompt) + len(ids) + 1
        if plot in PLOTS and self.random.random() < self.mix.short:
            n = self.random.choice([x for x in (48, 64, 96) if x >= len(prompt) + 16] or [112])
            ids = ids[:n - len(prompt)]
        elif plot in PLOTS and self.random.random() < self.mix.full:
            n = min(len(prompt) + CANVAS, BUCKETS[-1])
        elif plot not in PLOTS and self.mix.frontier:
            r = self.random.random()
            n = BUCKETS[-1] if r < .07 else 96 if r < .17 else n
        n = next((x for x in BUCKETS if x >= n), None)
        if n is None:
            return None
        self.waiting[n].append((prompt, ids + [self.end] * (n - len(prompt) - len(ids)), uniform))
        if len(self.waiting[n]) * n < self.mix.batch_tokens:
            return None
        rows, self.waiting[n] = self.waiting[n], []
        return rows

    def hide(self, rows, fixed=None):
        """Hides and spoils rows of one length; `fixed`: exactly this share, scattered, nothing spoilt, as for validation."""
        target = torch.tensor([prompt + answer for prompt, answer, _ in rows])
        seen, counts = target.clone(), torch.zeros(target.shape, dtype=torch.bool)
        self.share = (self.share + .618034) % 1  # low discrepancy over batches and rows
        order = self.random.sample(range(len(rows)), len(rows))
        for i, (prompt, answer, uniform) in enumerate(rows):
            row = Row(seen[i, len(prompt):], counts[i, len(prompt):], answer)
            if fixed:
                row.hide(self.random.sample(range(len(answer)), self.count(fixed, answer)), self.mask)
                continue
            share = (self.share + order[i] / len(rows)) % 1
            if self.random.random() < self.mix.low:
                share *= .4
            text = answer.index(self.end) + 1 if self.end in answer else len(answer)
            spoilt = .15
            if self.mix.frontier and text < TASK_TOKENS:
                self.hide_task(row, text, share)
            elif not uniform and self.random.random() < self.mix.frontier:
                self.hide_front(row, text, share)
                spoilt = .12
            else:
                row.hide(self.places(len(answer), self.count(share, answer)), self.mask)
            if self.random.random() < self.mix.mend:
                self.spoil(row, self.random.random() * spoilt)
        return seen, target, counts

    def count(self, share, answer):
        return max(1, min(len(answer), round(share * len(answer) + .5)))

    def places(self, n, k):
        """k of n places: scattered, all of the end, or in spans."""
        r = self.random.random()
        if r < .70:
            return self.random.sample(range(n), k)
        if r < .85:
            return list(range(n - k, n))
        out = set()
        while len(out) < k:
            start, length = self.random.randrange(n), self.random.randint(2, 24)
            out.update(range(start, min(n, start + length, start + k - len(out))))
        return list(out)

    def hide_front(self, row, text, share):
        """All after a window, part of the window, nothing before it. What is far away is hidden but does not count."""
        window = self.random.choice((16, 32, 32, 64))
        # Most that follows from the request alone stands at the beginning.
        start = 0 if self.random.random() < .3 else self.random.randrange(text)
        end = min(len(row.answer), start + window)
        row.hide({start} | {q for q in range(start, end) if self.random.random() < max(share, .1)}, self.mask)
        row.hide(range(end, len(row.answer)), self.mask)
        row.counts[end + 12:] = False

    def hide_task(self, row, text, share):
        """All of the answer, its end, or some of it; and some of the padding behind it (in a whole canvas all of it)."""
        r = self.random.random()
        wide = len(row.answer) > TASK_TOKENS
        padding = [q for q in range(text, len(row.answer)) if wide or self.random.random() < .3]
        if r < .4:
            hidden = list(range(text))
        elif r < .7:
            hidden = list(range(self.random.randrange(text), text))
        else:
            hidden = [q for q in range(text) if self.random.random() < max(share, .3)] or [self.random.randrange(text)]
        row.hide(hidden + padding, self.mask)
        row.counts[text + 12:] = False

    def spoil(self, row, share):
        """Makes visible tokens wrong. They count in the loss, and so does a tenth of the right ones."""
        for q in (row.seen != self.mask).nonzero()[:, 0].tolist():
            r = self.random.random()
            if r < share:
                row.seen[q] = self.wrong(q, row.answer)
            if r < share + .1:
                row.counts[q] = True

    def wrong(self, q, answer):
        """A wrong token for place q: one of the same kind, its neighbour's (tokens that are accepted in one pass may count one place apart), or any."""
        r = self.random.random()
        kin = self.kin.get(answer[q])
        if r < .5 and kin:
            return self.random.choice(kin)
        if r < .75:
            return answer[max(0, min(len(answer) - 1, q + self.random.choice((-1, 1))))]
        return self.random.choice(answer) if r < .9 else self.random.randrange(5, self.tokenizer.get_vocab_size())


@dataclasses.dataclass
class Row:
    """The answer of one row: what the model sees, which places count (views into the batch), and the truth."""
    seen: torch.Tensor
    counts: torch.Tensor
    answer: list

    def hide(self, places, mask):
        places = torch.tensor(sorted(places), dtype=torch.long)
        self.seen[places] = mask
        self.counts[places] = True


@torch.no_grad()
def draft(model, batches, seen, counts):
    """The rows as the model itself would go on from them: some hidden places take its own samples, right or wrong. They still count in the loss,
    so the model learns to doubt its own mistakes, and revision opens them again."""
    places = (seen == batches.mask) & counts
    if seen.shape[1] <= TASK_TOKENS:
        return seen
    logits = model.logits(seen, places)
    logits[:, batches.mask] = -1e9
    temperature = .3 + .9 * batches.random.random()
    noise = torch.rand(logits.shape).clamp(1e-9, 1 - 1e-9)
    token = (logits / temperature - torch.log(-torch.log(noise))).argmax(-1)
    confidence = logits.softmax(-1).gather(-1, token[:, None])[:, 0]
    taken = torch.rand(confidence.shape) < batches.random.random() * (.35 + .65 * confidence)
    seen = seen.clone()
    hidden = seen[places]
    hidden[taken] = token[taken]
    seen[places] = hidden
    return seen
