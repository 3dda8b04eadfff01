#!/usr/bin/env python3
"""Has a checkpoint learned to copy? Masks a tenth of held-out stories and reports loss and accuracy of names, kinds, colours, things and places,
apart for words that are visible elsewhere (copying) and those that are not.   python copying.py DIR [--tokens 30] [--stories 60]"""
import argparse
import collections
import os
import random
import torch
import lexicon
import stories
from model import load
from tokenizers import Tokenizer

CLASSES = {"A": "name", "ak": "kind", "o": "thing", "c": "colour", "p": "place"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dir")
    parser.add_argument("--tokens", type=int, help="only the first tokens of each story")
    parser.add_argument("--stories", type=int, default=60)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    model, config = load(arguments.dir)
    tokenizer = Tokenizer.from_file(os.path.join(arguments.dir, "tokenizer.json"))
    user, assistant, end = (tokenizer.token_to_id(x) for x in ("<|user|>", "<|assistant|>", "<|endoftext|>"))
    label = {}
    for slot, name in CLASSES.items():
        for word in lexicon.LEX[slot]:
            ids = tokenizer.encode(" " + word).ids
            if len(ids) == 1:
                label[ids[0]] = name
    rng = random.Random(stories.HELDOUT_SEED)
    found = collections.defaultdict(list)
    for _ in range(arguments.stories):
        request, story, _, _ = stories.story(rng)
        prompt, text = [user] + tokenizer.encode(request).ids + [assistant], tokenizer.encode(story).ids
        text = text[:arguments.tokens] if arguments.tokens else text + [end]
        ids = torch.tensor([prompt + text])
        seen = ids.clone()
        places = torch.tensor(rng.sample(range(len(text)), max(1, len(text) // 10))) + len(prompt)
        seen[0, places] = config["mask_token_id"]
        with torch.no_grad():
            log_probability = model(seen)[0].log_softmax(-1)
        for i in places.tolist():
            token = int(ids[0, i])
            visible = bool((seen[0] == token).any())
            found[label.get(token, "other"), visible].append((-log_probability[i, token].item(), int(log_probability[i].argmax() == token)))
    for (name, visible), values in sorted(found.items()):
        loss, right = (sum(column) / len(values) for column in zip(*values))
        print("%-7s %-10s n=%-5d loss %.2f accuracy %.2f" % (name, "visible" if visible else "not seen", len(values), loss, right))


if __name__ == "__main__":
    main()
