"""A copy of a GGUF model that GPT4All 2.8.2 can open: the same weights under an older name of the same pre-tokenizer.

GPT4All stands on llama.cpp of July 2024 and refuses pre-tokenizers named later, although llama.cpp
splits text for some of them by a pattern it knew already (llama.cpp, src/llama-vocab.cpp: names that
lead to one `case` of `llm_tokenizer_bpe`). Only that one string changes; nothing is computed.
"""

from __future__ import annotations

import os
import shutil
import struct
from pathlib import Path
from typing import Any, BinaryIO

from desktop_rag.errors import ModelError
from desktop_rag.models.engines import GPT4ALL_ARCHITECTURES, GPT4ALL_PRE_TOKENIZERS
from desktop_rag.models.inspect import TYPE_NAMES, GgufInfo, inspect
from desktop_rag.store.files import unwritable

PRE_TOKENIZER = "tokenizer.ggml.pre"
# New name -> name of the same pattern in July 2024.
SAME_PATTERN = {
    "smollm": "refact",
    "codeshell": "refact",
    "exaone": "refact",
    "minerva-7b": "refact",
    "deepseek-r1-qwen": "qwen2",
    "megrez": "qwen2",
}
# ggml's types until Q4_0_8_8 (33); later ones have no kernel in GPT4All.
_LAST_TYPE = 33
TENSOR_TYPES = frozenset(name for code, name in TYPE_NAMES.items() if code <= _LAST_TYPE)
_COPY_BYTES = 1 << 22


def pre_tokenizer(info: GgufInfo) -> str:
    """The pre-tokenizer a file names; "" where it names none or its tokenizer has none."""
    return str(info.metadata.get(PRE_TOKENIZER, "")) if info.tokenizer == "gpt2" else ""


def refusal(info: GgufInfo) -> str:
    """Why GPT4All cannot open a file, as the end of a sentence; "" when nothing speaks against it."""
    if info.architecture not in GPT4ALL_ARCHITECTURES:
        return f"GPT4All knows no {info.architecture}"
    unknown = next((tensor.type for tensor in info.table if tensor.type not in TENSOR_TYPES), None)
    if unknown is not None:
        return f"GPT4All knows no weights of type {unknown}"
    name = pre_tokenizer(info)
    return f"GPT4All does not know how “{name}” splits text" if name and name not in GPT4ALL_PRE_TOKENIZERS else ""


def can_copy(path: Path) -> bool:
    """Whether GPT4All refuses this file for the name of its pre-tokenizer alone, and a copy can help."""
    try:
        info = inspect(path)
    except ModelError:
        return False
    name = pre_tokenizer(info)
    renamed = SAME_PATTERN.get(name)
    if renamed is None or name in GPT4ALL_PRE_TOKENIZERS:
        return False
    info.metadata[PRE_TOKENIZER] = renamed
    return not refusal(info)


def make_copy(source: Path, target: Path) -> None:
    """Write the copy of `source` to `target`: whole or not at all, in constant memory.

    Raises ModelError("incompatible") when a copy would not help, StoreError when it cannot be written.
    """
    info = inspect(source)
    if not can_copy(source):
        raise ModelError(
            "incompatible",
            f"A copy of {source.name} for GPT4All would not help: {refusal(info) or 'it opens the file as it is'}.",
            "Use it as it is." if not refusal(info) else "Use llama.cpp.",
        )
    head, weights = _rewritten_head(source, SAME_PATTERN[pre_tokenizer(info)])
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with source.open("rb") as old, temporary.open("wb") as new:
                _write(old, new, head, weights)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(error, target.parent) from error


def _write(old: BinaryIO, new: BinaryIO, head: bytes, weights: int) -> None:
    new.write(head)
    old.seek(weights)
    shutil.copyfileobj(old, new, _COPY_BYTES)
    new.flush()
    os.fsync(new.fileno())


def _rewritten_head(source: Path, name: str) -> tuple[bytes, int]:
    """The file's start with the other name, padded as before, and where the weights begin in `source`."""
    from gguf import GGUFReader

    reader: Any = GGUFReader(source)
    field = reader.fields[PRE_TOKENIZER]
    # A field's parts are its key's length and name, its type, and its value's length and bytes.
    kept = field.offset + sum(part.nbytes for part in field.parts[:3])
    after = field.offset + sum(part.nbytes for part in field.parts)
    end = _end(reader.tensors[-1].field if reader.tensors else reader.fields[next(reversed(reader.fields))])
    with source.open("rb") as file:
        old = file.read(end)
    value = name.encode()
    head = old[:kept] + struct.pack("<Q", len(value)) + value + old[after:]
    return head + bytes(-len(head) % int(reader.alignment)), int(reader.data_offset)


def _end(field: Any) -> int:
    return int(field.offset + sum(part.nbytes for part in field.parts))
