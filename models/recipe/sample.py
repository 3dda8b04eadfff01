#!/usr/bin/env python3
"""The server's policies for masked models, in a few lines, for looking at checkpoints; what counts is the server.

    python sample.py ../default "Tell me a story about a lost kite." --watch
A block of masked places follows the request. Every pass accepts, among the first --window places counted from the first undecided one, all whose
probability is at least --threshold (one at least), and opens again, anywhere in the block, what was accepted before and now has less than --remask.
The text ends at the first end-of-text that is decided along with all before it."""
import argparse
import dataclasses
import os
import torch
from tokenizers import Tokenizer
from model import load


@dataclasses.dataclass(frozen=True)
class Policy:
    block: int = 256
    window: int = 32
    acceptance: str = "threshold"  # or "fixed": equal shares over `steps`, the most probable first; or "entropy": while the sum stays below `bound`
    threshold: float = .9
    bound: float = .1
    least: int = 1  # tokens accepted per pass at least
    remask: float = 0.0
    revisions: int = 2  # how often one place is opened again at most
    steps: int = 256  # passes per block at most; the last one accepts all that is left
    temperature: float = 0.0
    seed: int = 0


class Sampler:
    def __init__(self, path):
        self.model, config = load(path)
        self.tokenizer = Tokenizer.from_file(os.path.join(path, "tokenizer.json"))
        self.mask, self.end = config["mask_token_id"], config["eos_token_id"]
        self.user, self.assistant = (self.tokenizer.token_to_id(x) for x in ("<|user|>", "<|assistant|>"))

    @torch.no_grad()
    def __call__(self, request, length=256, policy=Policy(), watch=None):
        """The text and its forward passes."""
        prompt = [self.user] + self.tokenizer.encode(request).ids + [self.assistant]
        ids = torch.tensor([prompt + [self.mask] * length])
        canvas = ids[0, len(prompt):]
        noise = torch.Generator().manual_seed(policy.seed)
        passes = 0
        for start in range(0, length, policy.block):
            block = canvas[start:start + policy.block]
            opened = torch.zeros(len(block), dtype=torch.long)
            steps = 0
            while not self.finished(block):
                steps += 1
                logits = self.model(ids)[0, len(prompt) + start:len(prompt) + start + len(block)]
                self.step(block, opened, logits, policy, steps, noise)
                if watch:
                    watch(passes + steps, self.show(canvas))
            passes += steps
            if bool((block == self.end).any()):
                break
        ids = canvas.tolist()
        return self.tokenizer.decode(ids[:ids.index(self.end)] if self.end in ids else ids), passes

    def finished(self, block):
        undecided = (block == self.mask).nonzero()[:, 0]
        ends = (block == self.end).nonzero()[:, 0]
        return len(undecided) == 0 or len(ends) > 0 and int(ends[0]) < int(undecided[0])

    def step(self, block, opened, logits, policy, steps, noise):
        """One pass over the block, in place."""
        logits[:, self.mask] = -1e9
        probability = logits.softmax(-1)
        token = logits.argmax(-1)
        if policy.temperature > 0:
            u = torch.rand(logits.shape, generator=noise).clamp(1e-9, 1 - 1e-9)
            token = (logits / policy.temperature - torch.log(-torch.log(u))).argmax(-1)
        confidence = probability.gather(-1, token[:, None])[:, 0]
        undecided = (block == self.mask).nonzero()[:, 0]
        shown = (block != self.mask).nonzero()[:, 0]
        own = probability[shown].gather(-1, block[shown][:, None])[:, 0]
        left = policy.steps - steps
        taken = self.accept(undecided, probability, confidence, policy, left)
        block[taken] = token[taken]
        if policy.remask > 0 and left > 0:
            again = shown[(own < policy.remask) & (opened[shown] < policy.revisions)]
            block[again] = self.mask
            opened[again] += 1

    def accept(self, undecided, probability, confidence, policy, left):
        if left <= 0:
            return undecided
        near = undecided[undecided < int(undecided[0]) + policy.window]
        best = near[confidence[near].argsort(descending=True, stable=True)]
        if policy.acceptance == "fixed":
            return best[:-(-len(undecided) // (left + 1))]
        if policy.acceptance == "entropy":
            p = probability[near]
            entropy, order = (-(p * p.clamp_min(1e-12).log()).sum(-1)).sort(stable=True)
            count = int((entropy.cumsum(0) - entropy <= policy.bound).sum())
            return near[order[:max(count, policy.least)]]
        count = int((confidence[near] >= policy.threshold).sum())
        return best[:max(count, policy.least)]

    def show(self, canvas):
        return "".join("_" if t == self.mask else self.tokenizer.decode([t]) for t in canvas.tolist() if t != self.end)


def arguments_of(parser):
    """Adds the policy's fields as options."""
    for field in dataclasses.fields(Policy):
        parser.add_argument("--" + field.name, type=type(field.default), default=field.default)


def policy_of(arguments):
    return Policy(**{field.name: getattr(arguments, field.name) for field in dataclasses.fields(Policy)})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dir")
    parser.add_argument("request")
    parser.add_argument("--length", type=int, default=256)
    parser.add_argument("--watch", action="store_true")
    arguments_of(parser)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    watch = (lambda passes, text: print("%3d %s" % (passes, text))) if arguments.watch else None
    text, passes = Sampler(arguments.dir)(arguments.request, arguments.length, policy_of(arguments), watch)
    print(text, "\n(%d passes)" % passes)


if __name__ == "__main__":
    main()
