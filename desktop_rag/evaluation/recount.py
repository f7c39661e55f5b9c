"""Counting the tokens of a text again, with the tokenizer of the model that wrote it and without its weights.

Only the `bench` role imports it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from desktop_rag.engines.llama_backends import open_llama
from desktop_rag.errors import ModelError
from desktop_rag.evaluation.bare_loop import silence, tokenize


def count_tokens(path: Path, texts: Sequence[str]) -> list[int]:
    """How many tokens each text has; `path` is a GGUF file or a folder with tokenizer.json. Raises ModelError."""
    return _by_folder(path, texts) if path.is_dir() else _by_gguf(path, texts)


def _by_folder(folder: Path, texts: Sequence[str]) -> list[int]:
    from tokenizers import Tokenizer

    file = folder / "tokenizer.json"
    if not file.is_file():
        raise ModelError("incompatible", f"{folder.name} has no tokenizer.json.", "Convert the model again.")
    tokenizer: Any = Tokenizer.from_file(str(file))
    return [len(tokenizer.encode(text, add_special_tokens=False).ids) for text in texts]


def _by_gguf(path: Path, texts: Sequence[str]) -> list[int]:
    llama_cpp = open_llama()

    silence(llama_cpp)
    llama_cpp.llama_backend_init()
    params = llama_cpp.llama_model_default_params()
    params.vocab_only = True
    model = llama_cpp.llama_model_load_from_file(os.fsencode(path), params)
    if not model:
        raise ModelError("incompatible", f"The tokenizer of {path.name} cannot be loaded.", "Choose another model.")
    try:
        vocab = llama_cpp.llama_model_get_vocab(model)
        return [len(tokenize(llama_cpp, vocab, text)) for text in texts]
    finally:
        llama_cpp.llama_model_free(model)
