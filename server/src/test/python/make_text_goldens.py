#!/usr/bin/env python3
"""Writes the tokenizers, chat templates and expected values of the text tests.   python make_text_goldens.py

Needs tokenizers 0.23 and jinja2 3.1; the output is committed."""
import datetime
import json
import pathlib
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

OUT = pathlib.Path(__file__).resolve().parents[1] / "resources/io/sfumato/server/text"

CORPUS = """The painter lets forms emerge without hard outlines. A canvas comes into focus step by step, and every step can be seen.
Mara the fox kept a red lantern by the old mill. "Where is the mask?" asked the owl, and nobody answered until the morning came.
user and assistant take turns: the user asks, the assistant answers. 12 + 30 = 42, 7 x 8 = 56, 100 - 1 = 99.
Zoë says naïve things about cafés in Kraków. 日本語の文章も少し。 Привет, мир! 🙂 🎨 for (int i = 0; i < n; i++) { sum += x[i]; }
"""

TEXTS = ["", " ", "a", "The painter lets forms emerge.", "  leading and trailing  ", "tabs\tand\nlines\r\n\n\n", "Zoë in Kraków, naïve café",
         "日本語の文章も少し。", "🙂🎨👩‍👩‍👧‍👦", "12 + 30 = 42", "i < n; i++", "e\u0301 is not \u00e9", "a\u0000b", "\ufeffbom", "العربية עברית", "x" * 300]


def byte_level(special):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=420, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(CORPUS.splitlines(), trainer)
    return tokenizer


def byte_fallback(special):
    pieces = special + [f"<0x{value:02X}>" for value in range(256)]
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.train_from_iterator(CORPUS.splitlines(), trainers.BpeTrainer(vocab_size=480, special_tokens=pieces, show_progress=False))
    definition = json.loads(tokenizer.to_str())
    definition["added_tokens"] = [token for token in definition["added_tokens"] if token["content"] in special]
    tokenizer = Tokenizer.from_str(json.dumps(definition))
    tokenizer.add_tokens([AddedToken("\n\n", normalized=False, special=False)])
    return tokenizer


def word_piece(special):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.train_from_iterator(CORPUS.splitlines(), trainers.WordPieceTrainer(vocab_size=260, special_tokens=special, show_progress=False))
    ids = [(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ids)
    return tokenizer


def unigram():
    pieces = [("<unk>", 0.0), ("<mask>", -1.0)] + [(letter, -3.0) for letter in "▁abcdefghijklmnopqrstuvwxyz<>"]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=0))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens(["<unk>", "<mask>"])
    return tokenizer


def plain_ids(tokenizer, text):
    """What the model makes of the text when no special token is known: no part of it can be taken for one."""
    definition = json.loads(tokenizer.to_str())
    definition["added_tokens"] = [token for token in definition["added_tokens"] if not token["special"]]
    definition["post_processor"] = None
    return Tokenizer.from_str(json.dumps(definition)).encode(text, add_special_tokens=False).ids


def golden(tokenizer, literals):
    return {"texts": [{"text": text, "ids": tokenizer.encode(text, add_special_tokens=False).ids} for text in TEXTS],
            "literals": [{"text": text, "ids": plain_ids(tokenizer, text)} for text in literals],
            "rendered": [{"text": text, "ids": tokenizer.encode(text, add_special_tokens=False).ids} for text in literals]}


# Reduced templates, each with what is peculiar to its style.
TEMPLATES = {
    "sfumato": "{% for m in messages %}{% if m['role'] == 'user' %}{{ '<|user|>' + m['content'] }}{% elif m['role'] == 'assistant' %}"
               "{{ '<|assistant|>' + m['content'] + '<|endoftext|>' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}",
    "gemma_style": """{{ bos_token }}
{%- if messages[0]['role'] == 'system' -%}
    {%- set first_user_prefix = messages[0]['content'] + '\\n\\n' -%}
    {%- set loop_messages = messages[1:] -%}
{%- else -%}
    {%- set first_user_prefix = "" -%}
    {%- set loop_messages = messages -%}
{%- endif -%}
{%- for message in loop_messages -%}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
        {{ raise_exception("Conversation roles must alternate user/assistant/user/assistant/...") }}
    {%- endif -%}
    {%- set role = "model" if message['role'] == 'assistant' else message['role'] -%}
    {{ '<start_of_turn>' + role + '\\n' + (first_user_prefix if loop.first else "") }}
    {%- if message['content'] is string -%}
        {{ message['content'] | trim }}
    {%- endif -%}
    {{ '<end_of_turn>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{ '<start_of_turn>model\\n' }}
{%- endif -%}
""",
    "qwen_style": """{%- if tools %}
    {{- '<|im_start|>system\\n' + tools | tojson + '<|im_end|>\\n' }}
{%- elif messages[0].role != 'system' %}
    {{- '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}
{%- endif %}
{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step_tool and message.role == "user" and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
        {%- set ns.multi_step_tool = false %}
        {%- set ns.last_query_index = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- set content = message.content %}
    {%- if message.role == "assistant" and '</think>' in content and loop.index0 < ns.last_query_index %}
        {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
    {%- endif %}
    {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>' + '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}
""",
    "llama_style": """{{- bos_token }}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}
        {%- set date_string = strftime_now("%d %b %Y") %}
    {%- else %}
        {%- set date_string = "26 Jul 2024" %}
    {%- endif %}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{{- "Today Date: " + date_string + "\\n\\n" }}
{{- system_message }}
{{- "<|eot_id|>" }}
{%- for message in messages %}
    {%- if message['content'] is mapping %}
        {{- raise_exception("only text") }}
    {%- endif %}
    {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
""",
}

CONVERSATIONS = [
    [{"role": "user", "content": "Hello there"}],
    [{"role": "user", "content": "  Zoë 🙂\n"}, {"role": "assistant", "content": "<think>\nhm\n</think>\n\nYes, \"quoted\" & <b>."}, {"role": "user", "content": "{{ 7 * 7 }} {% raw %}"}],
    [{"role": "system", "content": " Be brief. "}, {"role": "user", "content": ""}],
    [{"role": "assistant", "content": "I speak first"}],
]


def environment():
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])

    def raise_exception(message):
        raise ValueError(message)

    environment.globals["raise_exception"] = raise_exception
    environment.globals["strftime_now"] = lambda form: datetime.datetime(2026, 3, 5, 14, 7, 9).strftime(form)
    environment.filters["tojson"] = lambda value: json.dumps(value, ensure_ascii=False)
    return environment


def render(template, messages):
    try:
        return {"text": environment().from_string(template).render(messages=messages, add_generation_prompt=True, bos_token="<bos>", eos_token="<eos>")}
    except ValueError as error:
        return {"error": str(error)}


def write(name, value):
    (OUT / name).write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    tokenizers = {
        "byte_level": byte_level(["<|mask|>", "<|endoftext|>", "<|pad|>", "<|user|>", "<|assistant|>"]),
        "byte_fallback": byte_fallback(["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "<start_of_turn>", "<end_of_turn>"]),
        "word_piece": word_piece(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]),
        "unigram": unigram(),
    }
    literals = {"byte_level": ["<|mask|>", "say <|mask|> and <|endoftext|>!", "<|user|><|assistant|>"], "byte_fallback": ["<mask>", "a <mask>\n\nb<eos>"],
                "word_piece": ["[MASK]", "the [MASK] came"], "unigram": []}
    for name, tokenizer in tokenizers.items():
        (OUT / f"{name}.tokenizer.json").write_text(tokenizer.to_str(), encoding="utf-8")
        write(f"{name}.golden.json", golden(tokenizer, literals[name]))
    chats = [{"name": name, "template": template, "cases": [{"messages": messages, **render(template, messages)} for messages in CONVERSATIONS]}
             for name, template in TEMPLATES.items()]
    write("chat_templates.golden.json", chats)


if __name__ == "__main__":
    main()
