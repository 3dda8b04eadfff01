#!/usr/bin/env python3
"""Masked diffusion training on a CPU. Fresh examples all the time, nothing is seen twice.

    python train.py --tokenizer ../default --out run --minutes 48                      # stage 1, from nothing
    python train.py --tokenizer ../default --out run --minutes 80 --start run1/model   # stage 2, from the model of stage 1

Cross entropy on the hidden tokens, the wrong ones, and a few right ones. The learning rate follows the clock (warm-up, flat, linear to zero), so a run
ends when its time is up on any machine; --resume goes on with an interrupted one. OUT/model is the averaged model, OUT/log.jsonl the course of it."""
import argparse
import json
import os
import random
import shutil
import time
import torch
import torch.nn.functional as F
import stories
import tasks
import tellers
from data import SEEKING, WARM, Batches, Mix, draft
from model import Model, load, save
from muon import Muon
from tokenizers import Tokenizer

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")
LOG_EVERY = 20


def curriculum(time_share, full):
    """Stage 1. Short texts and small batches first: copying (names, places, colours) is learned there, and hardly at all in long texts."""
    if time_share < .2:
        return Mix(2048, short=1.0, full=full)
    if time_share < .4:
        return Mix(3072, short=.6, full=full)
    if time_share < .6:
        return Mix(4096, short=.35, full=full, mend=.15)
    return Mix(6144, short=.25, full=full, mend=.3)


def warm(time_share, arguments):
    """Stage 2. What a request seldom names is looked for there only if that is asked of the model often, at a high rate, in short texts."""
    if time_share < arguments.seek:
        return Mix(arguments.batch, SEEKING, short=.4, full=arguments.full, mend=.3, frontier=.6)
    return Mix(arguments.batch, WARM, short=.08, full=arguments.full, mend=.4, frontier=.6)


def validation(batches):
    """Held-out rows by name: masked stories of both kinds, and sums with the whole answer hidden."""
    out = {}
    for name, source, share, count in (("story .5", stories.story, .5, 24), ("teller .5", tellers.story, .5, 24), ("teller .85", tellers.story, .85, 24),
                                       ("sum 1", tasks.sums, 1, 150)):
        rng = random.Random(stories.HELDOUT_SEED)
        rows = {}
        for _ in range(count):
            request, answer, _, _ = source(rng)
            prompt, ids = batches.encode(request, answer)
            rows.setdefault(len(prompt) + len(ids), []).append((prompt, ids + [batches.end], True))
        out[name] = [batches.hide(same_length, share) for same_length in rows.values()]
    return out


class Run:
    """One training run and what has to be kept of it."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.tokenizer = Tokenizer.from_file(os.path.join(arguments.tokenizer, "tokenizer.json"))
        self.batches = Batches(self.tokenizer, arguments.seed, self.mix(0))
        self.validation = validation(Batches(self.tokenizer, stories.HELDOUT_SEED, Mix(0)))
        if arguments.start:
            self.model = load(arguments.start)[0].train()
        else:
            self.model = Model(self.tokenizer.get_vocab_size(), arguments.width, arguments.layers, arguments.heads, arguments.ff)
        matrices = [p for block in self.model.blocks for p in block.parameters() if p.dim() > 1]
        vectors = [p for block in self.model.blocks for p in block.parameters() if p.dim() == 1] + [self.model.final_norm]
        self.optimizers = [Muon(matrices, arguments.lr, dtype=torch.bfloat16 if arguments.bf16 else torch.float32),
                           torch.optim.AdamW([self.model.embedding] + vectors, lr=arguments.adam_lr, betas=(.9, .98), weight_decay=0, fused=True)]
        if arguments.compile:
            for block in self.model.blocks:
                block.compile(dynamic=True)
        self.average = [p.detach().clone() for p in self.model.parameters()]
        self.step, self.tokens, self.seconds = 0, 0, 0.0
        os.makedirs(arguments.out, exist_ok=True)

    def mix(self, time_share):
        if self.arguments.start:
            return warm(time_share, self.arguments)
        return curriculum(time_share, self.arguments.full)

    def precision(self):
        return torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.arguments.bf16)

    def train_step(self, time_share):
        """One batch; its loss."""
        arguments = self.arguments
        self.batches.mix = self.mix(time_share)
        scale = min(1, (self.step + 1) / 60, max(.02, (1 - time_share) / arguments.decay))
        for optimizer, rate in zip(self.optimizers, (arguments.lr, arguments.adam_lr)):
            for group in optimizer.param_groups:
                group["lr"] = rate * scale
        seen, target, counts = self.batches.next()
        if arguments.start and self.batches.random.random() < arguments.own * min(1, time_share / .1):
            with self.precision():
                seen = draft(self.model, self.batches, seen, counts)
        with self.precision():
            logits = self.model.logits(seen, counts)
        loss = F.cross_entropy(logits.float(), target[counts])
        loss.backward()
        torch.nn.utils.clip_grad_norm_([self.model.embedding], 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.step += 1
        self.tokens += seen.numel()
        keep = min(arguments.average, (1 + self.step) / (10 + self.step))
        torch._foreach_lerp_(self.average, [p.data for p in self.model.parameters()], 1 - keep)
        return loss.item()

    def swap(self):
        """Exchanges the model's weights and their average."""
        for parameter, average in zip(self.model.parameters(), self.average):
            weights = parameter.data.clone()
            parameter.data.copy_(average)
            average.copy_(weights)

    @torch.no_grad()
    def evaluate(self):
        out = {}
        for name, batches in self.validation.items():
            with self.precision():
                losses = [F.cross_entropy(self.model.logits(seen, counts).float(), target[counts], reduction="none") for seen, target, counts in batches]
            out[name] = round(torch.cat(losses).mean().item(), 4)
        return out

    def keep(self):
        """Writes the averaged model and what --resume needs; the losses on held-out rows."""
        self.swap()
        losses = self.evaluate()
        path = os.path.join(self.arguments.out, "model")
        save(self.model, path, self.batches.mask, self.batches.end, self.tokenizer.token_to_id("<|pad|>"))
        for name in TOKENIZER_FILES:
            shutil.copy(os.path.join(self.arguments.tokenizer, name), path)
        self.swap()
        state = dict(model=self.model.state_dict(), average=self.average, optimizers=[o.state_dict() for o in self.optimizers],
                     step=self.step, tokens=self.tokens, seconds=self.seconds)
        file = os.path.join(self.arguments.out, "resume.pt")
        torch.save(state, file + ".new")
        os.replace(file + ".new", file)
        return losses

    def resume(self, file):
        state = torch.load(file)
        self.model.load_state_dict(state["model"])
        self.average = state["average"]
        for optimizer, saved in zip(self.optimizers, state["optimizers"]):
            optimizer.load_state_dict(saved)
        self.step, self.tokens, self.seconds = state["step"], state["tokens"], state["seconds"]
        self.batches.random.seed(self.arguments.seed * 1000003 + self.step)

    def train(self):
        with open(os.path.join(self.arguments.out, "log.jsonl"), "a", encoding="utf-8") as log:
            def write(row):
                print(row, flush=True)
                log.write(json.dumps(row) + "\n")
                log.flush()
            write({"parameters": sum(p.numel() for p in self.model.parameters())})
            started = time.time() - self.seconds
            saved, since, tokens, losses = time.time(), time.time(), self.tokens, []
            while True:
                self.seconds = time.time() - started
                time_share = self.seconds / 60 / self.arguments.minutes
                if time_share >= 1:
                    break
                losses.append(self.train_step(time_share))
                if self.step % LOG_EVERY == 0:
                    now = time.time()
                    row = dict(step=self.step, minutes=round(self.seconds / 60, 2), tokens=self.tokens, loss=round(sum(losses) / len(losses), 4),
                               tokens_per_second=round((self.tokens - tokens) / (now - since)))
                    if now - saved > self.arguments.save_every * 60:
                        row["validation"], saved = self.keep(), time.time()
                    write(row)
                    since, tokens, losses = now, self.tokens, []
            write(dict(step=self.step, minutes=round(self.seconds / 60, 2), tokens=self.tokens, validation=self.keep(), final=True))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--tokenizer", required=True, help="directory with tokenizer.json")
    add("--out", required=True)
    add("--minutes", type=float, required=True)
    add("--start", help="a model directory to go on from (stage 2)")
    add("--resume", help="resume.pt of an interrupted run with the same arguments")
    add("--seed", type=int, default=1)
    add("--width", type=int, default=192)
    add("--layers", type=int, default=6)
    add("--heads", type=int, default=6)
    add("--ff", type=int, default=528)
    add("--lr", type=float, default=.006, help="of Muon, for the matrices")
    add("--adam-lr", type=float, default=2e-3, help="of AdamW, for embedding and norms")
    add("--decay", type=float, default=.4, help="share of the time in which the rate falls to zero")
    add("--average", type=float, default=.995, help="how much of the averaged weights stays per step")
    add("--batch", type=int, default=3072, help="tokens per batch of stage 2")
    add("--full", type=float, default=.15, help="share of stories in a whole canvas")
    add("--own", type=float, default=.3, help="stage 2: share of batches that go through the model's own samples")
    add("--seek", type=float, default=.3, help="stage 2: share of the time in which requests that name seldom things come first")
    add("--bf16", action="store_true", help="products in bfloat16: four times faster where the CPU has AVX-512 BF16 or AMX, slower elsewhere")
    add("--compile", action="store_true", help="compile the blocks (needs g++): a quarter faster after a minute")
    add("--threads", type=int, default=2)
    add("--save-every", type=float, default=5, help="minutes")
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(arguments.threads)
    run = Run(arguments)
    if arguments.resume:
        run.resume(arguments.resume)
    run.train()


if __name__ == "__main__":
    main()
