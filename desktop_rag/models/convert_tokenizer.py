"""The tokenizer of a GGUF file as a `tokenizer.json`, checked token by token against llama.cpp.

Transformers' own reading of a GGUF takes every byte-level tokenizer for GPT-2's: digits then fall
into other tokens than the model was trained on, and nobody is told. Here the pattern that cuts a
text into words follows the file's `tokenizer.ggml.pre`; where that is unknown, Transformers' reading
is taken. Either way the result is written only if it cuts `PROBES` into exactly llama.cpp's tokens.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desktop_rag.engines.llama_backends import open_llama
from desktop_rag.errors import ModelError

_WORDS = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_CASELESS = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+"
_REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
# How the families cut a text before merging, one pattern after the other (llama.cpp, src/llama-vocab.cpp).
_FAMILIES: dict[tuple[str, ...], tuple[str, ...]] = {
    (_WORDS,): ("gpt-2", "phi-2", "mpt", "olmo", "jais"),
    (r"\p{N}", _WORDS): ("smollm", "refact", "starcoder", "command-r", "codeshell"),
    (_CASELESS + r"|\p{N}{1,3}" + _REST,): ("llama-bpe", "llama3", "llama-v3", "dbrx", "smaug-bpe", "falcon3"),
    (_CASELESS + r"|\p{N}" + _REST,): ("qwen2", "stablelm2", "deepseek-r1-qwen", "megrez"),
}
PATTERNS = {name: patterns for patterns, names in _FAMILIES.items() for name in names}
# Tokens that are whole words are taken as they are, without merging.
WHOLE_WORDS = frozenset({"llama-bpe", "llama3", "llama-v3", "falcon3"})
_CONTROL, _USER_DEFINED = 3, 4

PROBES = (
    "",
    " ",
    "Hello world",
    "The pump was installed on 14 March 2019.",
    "Rent: 1 250.00 EUR, 12345678 × 3 = 37037034",
    "  two spaces\tand a tab\n\n\nthree lines\r\n   indented",
    "I'm, you're, we've, they'll, IT'S, don't",
    "Grüße — 你好, мир 👩‍🔬! مرحبا ½ Ⅷ ５",
    "def f(x):\n    return x[0] != {'a': 1}  # <|im_end|> </s> <s>",
    "a" * 100 + " " * 20 + "...!!!???",
)


@dataclass(frozen=True, slots=True)
class GgufTokens:
    """The tokenizer's part of a GGUF header: texts and kinds by id, merges, special ids and the chat template."""

    model: str
    pre: str
    texts: list[str]
    kinds: list[int]
    merges: list[str]
    special: dict[str, str]
    chat_template: str


def write_tokenizer(gguf: Path, folder: Path) -> None:
    """Write tokenizer.json, tokenizer_config.json, generation_config.json and chat_template.jinja into `folder`.

    Raises ModelError("incompatible") when the result would not read a text as llama.cpp does.
    """
    read = read_tokens(gguf)
    tokenizer = _byte_level(read) if read.model == "gpt2" and read.pre in PATTERNS else _as_transformers_reads(gguf)
    ends = _check(gguf, tokenizer)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {f"{name}_token": text for name, text in read.special.items()}
    _write(folder / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", **config})
    ids = {f"{name}_token_id": read.texts.index(text) for name, text in read.special.items() if name in ("bos", "pad")}
    _write(folder / "generation_config.json", {**ids, "eos_token_id": ends})
    if read.chat_template:
        (folder / "chat_template.jinja").write_text(read.chat_template, encoding="utf-8")


def read_tokens(gguf: Path) -> GgufTokens:
    """The tokenizer's keys of `gguf`; ModelError("incompatible") if it has none."""
    from gguf import GGUFReader

    fields = GGUFReader(gguf).fields

    def of(key: str, default: Any = "") -> Any:
        field = fields.get(f"tokenizer.{key}")
        return default if field is None else field.contents()

    texts: list[str] = of("ggml.tokens", [])
    if not texts:
        raise ModelError("incompatible", f"{gguf.name} has no tokenizer.", "Choose another model.")
    ids = {name: of(f"ggml.{key}_token_id", -1) for name, key in _SPECIAL.items()}
    return GgufTokens(
        model=of("ggml.model"),
        pre=of("ggml.pre"),
        texts=texts,
        kinds=of("ggml.token_type", [1] * len(texts)),
        merges=of("ggml.merges", []),
        special={name: texts[token] for name, token in ids.items() if 0 <= token < len(texts)},
        chat_template=of("chat_template"),
    )


_SPECIAL = {"bos": "bos", "eos": "eos", "unk": "unknown", "pad": "padding"}


def _byte_level(read: GgufTokens) -> Any:
    """Byte-pair merging over bytes, cut by the family's patterns."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers

    merges = [(left, right) for left, _, right in (merge.partition(" ") for merge in read.merges)]
    vocabulary = {text: token for token, text in enumerate(read.texts)}
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, ignore_merges=read.pre in WHOLE_WORDS))
    cuts = [pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in PATTERNS[read.pre]]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [*cuts, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    for kind, special in ((_CONTROL, True), (_USER_DEFINED, False)):
        added = [text for text, its in zip(read.texts, read.kinds, strict=True) if its == kind]
        tokens = [AddedToken(text, special=special, normalized=False) for text in added]
        (tokenizer.add_special_tokens if special else tokenizer.add_tokens)(tokens)
    return tokenizer


def _as_transformers_reads(gguf: Path) -> Any:
    from transformers import AutoTokenizer

    made = AutoTokenizer.from_pretrained(str(gguf.parent), gguf_file=gguf.name, local_files_only=True)
    return made.backend_tokenizer


def _check(gguf: Path, tokenizer: Any) -> list[int]:
    """The tokens that end an answer; ModelError("incompatible") if a probe is cut otherwise than by llama.cpp."""
    llama_cpp = open_llama()
    reference = llama_cpp.Llama(str(gguf), vocab_only=True, verbose=False)
    try:
        for text in PROBES:
            expected = reference.tokenize(text.encode(), add_bos=False, special=True)
            if tokenizer.encode(text, add_special_tokens=False).ids != expected:
                raise ModelError(
                    "incompatible",
                    f"The tokenizer of {gguf.name} cannot be carried over: it reads some texts differently.",
                    "Use this model with llama.cpp.",
                )
        vocab = reference._model.vocab
        return [token for token in range(reference.n_vocab()) if llama_cpp.llama_vocab_is_eog(vocab, token)]
    finally:
        reference.close()


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
