"""A step of DiffusionGemma in PyTorch: Hugging Face's own decoder, then head, soft cap and candidates; every step is conditioned on the one before."""
import json
import os

import torch


def make_cache(config, decoder, sequences, context, place):
    """Keys and values of so many tokens, random numbers; windows hold what a prefill leaves in them."""
    from transformers.cache_utils import DynamicCache

    cache = DynamicCache(config=config)
    for layer, module in zip(cache.layers, decoder.layers):
        size = module.self_attn.head_dim
        kept = min(context, layer.sliding_window - 1) if layer.is_sliding else context
        shape = (sequences, module.self_attn.k_proj.out_features // size, kept, size)
        layer.keys, layer.values = torch.randn(shape, **place), torch.randn(shape, **place)
        layer.is_initialized = True
        if layer.is_sliding:
            layer.cumulative_length = context
    return cache


def make_step(directory, sequences, canvas, context=0, compiled=False, device="cpu", dtype=torch.float32):
    from safetensors.torch import load_file
    from transformers import DiffusionGemmaConfig
    from transformers.models.diffusion_gemma.modeling_diffusion_gemma import DiffusionGemmaDecoderModel

    with open(os.path.join(directory, "config.json")) as file:
        config = DiffusionGemmaConfig(**json.load(file))
    text = config.text_config
    text._attn_implementation = "sdpa"
    with torch.device("meta"):
        decoder = DiffusionGemmaDecoderModel(config)
    place = {"device": device, "dtype": dtype}
    prefix = "model.decoder."
    stored = load_file(os.path.join(directory, "model.safetensors"))
    weights = {name.removeprefix(prefix): tensor.to(**place) for name, tensor in stored.items() if name.startswith(prefix)}
    del stored
    decoder.load_state_dict(weights, strict=False, assign=True)
    decoder.rotary_emb = type(decoder.rotary_emb)(text).to(device)  # buffers that no checkpoint holds
    decoder.embed_tokens.embed_scale = torch.tensor(text.hidden_size**0.5, **place)
    missing = [name for name, value in list(decoder.named_parameters()) + list(decoder.named_buffers()) if value.is_meta]
    if missing:
        raise SystemExit(f"PyTorch: {missing} without values (expected: none)")
    decoder.eval().requires_grad_(False)
    cap, vocabulary = text.final_logit_softcapping, text.vocab_size
    cache = make_cache(text, decoder, sequences, context, place)
    last = None

    def forward(tokens, conditioning):
        hidden = decoder(tokens, past_key_values=cache, self_conditioning_logits=conditioning).last_hidden_state
        logits = torch.tanh(torch.nn.functional.linear(hidden, decoder.embed_tokens.weight) / cap) * cap
        logs = torch.log_softmax(logits.float(), -1)
        probabilities = logs.exp()
        return logits, torch.multinomial(probabilities.flatten(0, 1), 1), probabilities.topk(2), -(probabilities * logs).sum(-1)

    run = torch.compile(forward) if compiled else forward

    def step():
        nonlocal last
        last, *candidates = run(torch.randint(0, vocabulary, (sequences, canvas), device=device), last)
        return candidates

    return step
