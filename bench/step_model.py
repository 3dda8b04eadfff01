"""LLaDA's graph in PyTorch, as the peers of bench/compare_step run it: one fused projection for queries, keys and values,
the library's own attention, and log-softmax statistics for every position, which is the work a server does per step."""
import json
import os

import torch
import torch.nn as nn
import torch.nn.functional as F


def rotate(x, cos, sin):
    a, b = x.chunk(2, -1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)


def linear(inner, outputs):
    return nn.utils.skip_init(nn.Linear, inner, outputs, bias=False)


class Block(nn.Module):
    def __init__(self, width, heads, inner):
        super().__init__()
        self.heads = heads
        self.attn_norm = nn.Parameter(torch.ones(width))
        self.ff_norm = nn.Parameter(torch.ones(width))
        self.qkv = linear(width, 3 * width)
        self.out = linear(width, width)
        self.gate_up = linear(width, 2 * inner)
        self.down = linear(inner, width)

    def forward(self, x, cos, sin):
        batch, length, width = x.shape
        y = F.rms_norm(x, (width,), self.attn_norm, 1e-5)
        q, k, v = self.qkv(y).view(batch, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(rotate(q, cos, sin), rotate(k, cos, sin), v)
        x = x + self.out(y.transpose(1, 2).reshape(batch, length, width))
        y = F.rms_norm(x, (width,), self.ff_norm, 1e-5)
        gate, up = self.gate_up(y).chunk(2, -1)
        return x + self.down(F.silu(gate) * up)


class Step(nn.Module):
    """Token ids [batch, length] to the best token, its probability and the entropy of each position."""

    def __init__(self, directory):
        super().__init__()
        from safetensors.torch import load_file

        with open(os.path.join(directory, "config.json")) as file:
            c = json.load(file)
        tensors = {k.removeprefix("model.transformer."): v.float() for k, v in load_file(os.path.join(directory, "model.safetensors")).items()}
        width, heads, length = c["d_model"], c["n_heads"], c["max_sequence_length"]
        if c.get("n_kv_heads", heads) != heads:
            raise SystemExit(f"n_kv_heads: {c['n_kv_heads']} (expected: n_heads {heads})")
        self.vocabulary = c["vocab_size"]
        self.blocks = nn.ModuleList(Block(width, heads, c["mlp_hidden_size"]) for _ in range(c["n_layers"]))
        self.embedding = nn.Parameter(tensors["wte.weight"])
        head = tensors.get("ff_out.weight", tensors["wte.weight"])
        self.head = linear(head.shape[1], head.shape[0])
        self.head.weight = nn.Parameter(head)
        self.norm = nn.Parameter(tensors["ln_f.weight"])
        half = width // heads // 2
        angles = torch.arange(length)[:, None] * c["rope_theta"] ** (-torch.arange(half) / half)[None]
        self.register_buffer("cos", angles.cos())
        self.register_buffer("sin", angles.sin())
        with torch.no_grad():
            for i, block in enumerate(self.blocks):
                name = f"blocks.{i}."
                block.attn_norm.copy_(tensors[name + "attn_norm.weight"])
                block.ff_norm.copy_(tensors[name + "ff_norm.weight"])
                block.qkv.weight.copy_(torch.cat([tensors[f"{name}{x}_proj.weight"] for x in "qkv"]))
                block.out.weight.copy_(tensors[name + "attn_out.weight"])
                block.gate_up.weight.copy_(torch.cat([tensors[f"{name}{x}_proj.weight"] for x in ("ff", "up")]))
                block.down.weight.copy_(tensors[name + "ff_out.weight"])

    def forward(self, ids):
        length = ids.shape[1]
        x = F.embedding(ids, self.embedding)
        for block in self.blocks:
            x = block(x, self.cos[:length], self.sin[:length])
        p = self.head(F.rms_norm(x, (x.shape[-1],), self.norm, 1e-5)).float().log_softmax(-1)
        e = p.exp()
        top, token = p.max(-1)
        return token, top.exp(), -(e * p).sum(-1)


def operations(config, batch, length):
    """Floating point operations of one step's products."""
    width, layers = config["d_model"], config["n_layers"]
    weights = layers * (4 * width * width + 3 * width * config["mlp_hidden_size"]) + config["vocab_size"] * width
    return 2 * batch * length * (weights + 2 * layers * length * width)
