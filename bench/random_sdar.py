"""Writes a random block-causal checkpoint of SDAR's layout, with nothing but the standard library; see bench/prefix_reuse."""
import array
import json
import os
import random
import struct
import sys

WIDTH, INNER, LAYERS, HEADS, KEY_VALUE_HEADS, HEAD, VOCABULARY, POSITIONS, BLOCK = 256, 1024, 6, 4, 2, 64, 512, 4608, 4


def matrix(outputs, inputs):
    scale = (3 / inputs) ** 0.5
    return (outputs, inputs), array.array("f", ((2 * random.random() - 1) * scale for _ in range(outputs * inputs)))


def ones(size):
    return (size,), array.array("f", [1.0] * size)


def tensors():
    yield "model.embed_tokens.weight", matrix(VOCABULARY, WIDTH)
    for i in range(LAYERS):
        layer = f"model.layers.{i}."
        for name, outputs in (("q_proj", HEADS * HEAD), ("k_proj", KEY_VALUE_HEADS * HEAD), ("v_proj", KEY_VALUE_HEADS * HEAD)):
            yield f"{layer}self_attn.{name}.weight", matrix(outputs, WIDTH)
        yield layer + "self_attn.o_proj.weight", matrix(WIDTH, HEADS * HEAD)
        for name in ("q_norm", "k_norm"):
            yield f"{layer}self_attn.{name}.weight", ones(HEAD)
        for name in ("gate_proj", "up_proj"):
            yield f"{layer}mlp.{name}.weight", matrix(INNER, WIDTH)
        yield layer + "mlp.down_proj.weight", matrix(WIDTH, INNER)
        for name in ("input_layernorm", "post_attention_layernorm"):
            yield f"{layer}{name}.weight", ones(WIDTH)
    yield "model.norm.weight", ones(WIDTH)
    yield "lm_head.weight", matrix(VOCABULARY, WIDTH)


def main(directory):
    random.seed(1)
    header, bodies, offset = {}, [], 0
    for name, (shape, values) in tensors():
        if sys.byteorder == "big":
            values.byteswap()
        bodies.append(values.tobytes())
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [offset, offset + len(bodies[-1])]}
        offset += len(bodies[-1])
    text = json.dumps(header).encode()
    with open(os.path.join(directory, "model.safetensors"), "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.writelines(bodies)
    with open(os.path.join(directory, "config.json"), "w") as file:
        json.dump(dict(model_type="sdar", architectures=["SDARForCausalLM"], hidden_size=WIDTH, head_dim=HEAD, intermediate_size=INNER, num_hidden_layers=LAYERS,
                       num_attention_heads=HEADS, num_key_value_heads=KEY_VALUE_HEADS, vocab_size=VOCABULARY, max_position_embeddings=POSITIONS,
                       rope_theta=1000000, rms_norm_eps=1e-6, block_size=BLOCK, mask_token_id=VOCABULARY - 1, tie_word_embeddings=False,
                       attention_bias=False), file)


main(sys.argv[1])
