"""LLaDA's architecture (pre-RMSNorm, RoPE, SwiGLU, no biases, full bidirectional attention), written for training on a CPU."""
import json
import os
import torch
import torch.nn as nn
import torch.nn.functional as F

QUERY_KEY_SCALE, OUTPUT_SCALE = .7, .1
PREFIX = "model.transformer."


class Block(nn.Module):
    def __init__(self, width, heads, ff):
        super().__init__()
        self.heads = heads
        self.attn_norm = nn.Parameter(torch.ones(width))
        self.ff_norm = nn.Parameter(torch.ones(width))
        # Queries and keys start alike and values pass through: a place looks for places like itself and takes over what it finds. Without
        # this start, copying a name from elsewhere is not learned in the time that a CPU has (mimetic initialization, arXiv 2305.09828).
        query_key, value = (nn.init.orthogonal_(torch.empty(width, width)) for _ in range(2))
        self.qkv = nn.Parameter(torch.stack([query_key * QUERY_KEY_SCALE, query_key * QUERY_KEY_SCALE, value]))
        self.out = nn.Parameter(value.T * OUTPUT_SCALE)
        self.gate_up = nn.Parameter(torch.randn(2, ff, width) * width ** -.5)
        self.down = nn.Parameter(torch.zeros(width, ff))

    def forward(self, x, cos, sin):  # x [rows, tokens, width]
        rows, tokens, width = x.shape
        y = F.rms_norm(x, (width,), self.attn_norm, 1e-5)
        qkv = F.linear(y, self.qkv.reshape(3 * width, width)).view(rows, tokens, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # [rows, heads, tokens, head width]
        y = attention(rotate(q, cos, sin), rotate(k, cos, sin), v)
        x = x + F.linear(y.transpose(1, 2).reshape(rows, tokens, width), self.out)
        y = F.rms_norm(x, (width,), self.ff_norm, 1e-5)
        gate, up = F.linear(y, self.gate_up.reshape(-1, width)).chunk(2, -1)
        return x + F.linear(F.silu(gate) * up, self.down)


def attention(q, k, v):
    """Plain, with all scores in memory: for rows this short and heads this narrow, twice as fast as the library's fused one, backwards above all."""
    scores = (q * q.shape[-1] ** -.5) @ k.mT
    return scores.softmax(-1, dtype=torch.float32).to(v.dtype) @ v


def rotate(x, cos, sin):
    a, b = x.chunk(2, -1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)


class Model(nn.Module):
    def __init__(self, vocabulary, width=192, layers=6, heads=6, ff=528, theta=10000.0, max_length=512):
        super().__init__()
        self.shape = dict(vocabulary=vocabulary, width=width, layers=layers, heads=heads, ff=ff, theta=theta, max_length=max_length)
        # Tied to the output: copying a word from elsewhere in the text is then one linear map for all words.
        self.embedding = nn.Parameter(torch.randn(vocabulary, width) * width ** -.5)
        self.blocks = nn.ModuleList(Block(width, heads, ff) for _ in range(layers))
        self.final_norm = nn.Parameter(torch.ones(width))
        half = width // heads
        angle = torch.arange(max_length)[:, None] * theta ** (-torch.arange(0, half, 2) / half)[None]
        self.register_buffer("cos", angle.cos(), persistent=False)
        self.register_buffer("sin", angle.sin(), persistent=False)

    def hidden(self, ids):
        x = F.embedding(ids, self.embedding)
        for block in self.blocks:
            x = block(x, self.cos[:ids.shape[1]], self.sin[:ids.shape[1]])
        return F.rms_norm(x, (x.shape[-1],), self.final_norm, 1e-5)

    def logits(self, ids, places):
        """Logits of the chosen places only: [places, vocabulary]."""
        return F.linear(self.hidden(ids)[places], self.embedding)

    def forward(self, ids):
        return F.linear(self.hidden(ids), self.embedding)


def tensors(model):
    """LLaDA's tensor names in Hugging Face layout. The tied matrix stands there twice."""
    out = {"wte.weight": model.embedding, "ln_f.weight": model.final_norm, "ff_out.weight": model.embedding}
    for i, block in enumerate(model.blocks):
        parts = {"attn_norm": block.attn_norm, "ff_norm": block.ff_norm, "attn_out": block.out, "ff_out": block.down,
                 "q_proj": block.qkv[0], "k_proj": block.qkv[1], "v_proj": block.qkv[2], "ff_proj": block.gate_up[0], "up_proj": block.gate_up[1]}
        out |= {"blocks.%d.%s.weight" % (i, name): value for name, value in parts.items()}
    return out


def save(model, path, mask, end, pad, dtype=torch.bfloat16):
    """Writes config.json and model.safetensors in LLaDA's Hugging Face layout."""
    from safetensors.torch import save_file
    os.makedirs(path, exist_ok=True)
    file = {PREFIX + name: value.detach().to(dtype).contiguous().clone() for name, value in tensors(model).items()}
    save_file(file, os.path.join(path, "model.safetensors"), {"format": "pt"})
    shape = model.shape
    config = {
        "activation_type": "silu", "alibi": False, "alibi_bias_max": 8.0, "architectures": ["LLaDAModelLM"], "attention_dropout": 0.0,
        "attention_layer_norm": False, "attention_layer_norm_with_affine": True, "bias_for_layer_norm": False, "block_group_size": 1,
        "block_type": "llama", "embedding_dropout": 0.0, "flash_attention": False, "include_bias": False, "include_qkv_bias": False,
        "init_cutoff_factor": None, "init_device": "meta", "init_fn": "mitchell", "init_std": 0.02, "input_emb_norm": False,
        "layer_norm_type": "rms", "layer_norm_with_affine": True, "mlp_ratio": 4, "model_type": "llada", "multi_query_attention": None,
        "precision": "amp_bf16", "residual_dropout": 0.0, "rms_norm_eps": 1e-5, "rope": True, "rope_full_precision": True,
        "scale_logits": False, "torch_dtype": str(dtype).split(".")[1], "use_cache": False, "weight_tying": False,
        "d_model": shape["width"], "n_heads": shape["heads"], "n_kv_heads": shape["heads"], "n_layers": shape["layers"],
        "mlp_hidden_size": shape["ff"], "vocab_size": shape["vocabulary"], "embedding_size": shape["vocabulary"],
        "max_sequence_length": shape["max_length"], "rope_theta": shape["theta"], "mask_token_id": mask, "eos_token_id": end, "pad_token_id": pad}
    with open(os.path.join(path, "config.json"), "w", encoding="utf-8") as out:
        json.dump(config, out, indent=2)
        out.write("\n")


def load(path):
    """The model of a directory that `save` has written, in float32, and its configuration."""
    from safetensors.torch import load_file
    with open(os.path.join(path, "config.json"), encoding="utf-8") as file:
        config = json.load(file)
    model = Model(config["vocab_size"], config["d_model"], config["n_layers"], config["n_heads"], config["mlp_hidden_size"],
                  config["rope_theta"], config["max_sequence_length"])
    file = {name[len(PREFIX):]: value.float() for name, value in load_file(os.path.join(path, "model.safetensors")).items()}
    if not torch.equal(file["ff_out.weight"], file["wte.weight"]):
        raise ValueError("ff_out.weight: differs from wte.weight (expected: tied embeddings)")
    with torch.no_grad():
        for name, value in tensors(model).items():
            value.copy_(file[name])
    return model.eval(), config
