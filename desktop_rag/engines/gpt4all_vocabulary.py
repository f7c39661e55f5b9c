"""The tokenizer GPT4All's binding keeps to itself: the same file's vocabulary, opened by llama.cpp without its weights.

Both libraries live in one process (GPT4All loads its llama.cpp privately). The pre-tokenizers GPT4All
knows split text alike in both; what it really computed is read back from it after every prompt.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from desktop_rag.engines.llama_backends import open_llama
from desktop_rag.engines.template import ChatTemplate, control_words
from desktop_rag.errors import ModelError

_PIECE_BYTES = 64
_META_BYTES = 1 << 16


class Vocabulary:
    """Tokens of a GGUF file. Raises ModelError("incompatible") when its vocabulary cannot be read."""

    def __init__(self, path: Path) -> None:
        llama_cpp = open_llama()

        self._c: Any = llama_cpp
        llama_cpp.llama_log_set(_deaf(), ctypes.c_void_p(0))
        params = llama_cpp.llama_model_default_params()
        params.vocab_only = True
        params.n_gpu_layers = 0
        self._model = llama_cpp.llama_model_load_from_file(os.fsencode(path), params)
        if not self._model:
            raise ModelError("incompatible", f"The vocabulary of {path.name} cannot be read.", "Choose another model.")
        self._vocab = llama_cpp.llama_model_get_vocab(self._model)
        self._size = int(llama_cpp.llama_vocab_n_tokens(self._vocab))
        self.bos = int(llama_cpp.llama_vocab_bos(self._vocab))
        self.adds_bos = bool(llama_cpp.llama_vocab_get_add_bos(self._vocab))
        self.control = self._control_words()

    def template(self) -> ChatTemplate:
        """The chat template of the file."""
        eos = int(self._c.llama_vocab_eos(self._vocab))
        source = self._meta("tokenizer.chat_template")
        return ChatTemplate(source, bos=self.text(self.bos), eos=self.text(eos))

    def tokenize(self, text: str, *, special: bool) -> tuple[int, ...]:
        """Tokens of a text; with `special`, control words in it become control tokens."""
        data = text.encode("utf-8", "replace")
        size = len(data) + 8
        while True:
            buffer = (self._c.llama_token * size)()
            count = int(self._c.llama_tokenize(self._vocab, data, len(data), buffer, size, False, special))
            if count >= 0:
                return tuple(buffer[:count])
            size = -count

    def piece(self, token: int, *, special: bool = False) -> bytes:
        """The bytes of a token; control tokens have some only with `special`."""
        size = _PIECE_BYTES
        while True:
            buffer = ctypes.create_string_buffer(size)
            count = int(self._c.llama_token_to_piece(self._vocab, token, buffer, size, 0, special))
            if count >= 0:
                return buffer.raw[:count]
            size = -count

    def text(self, token: int) -> str:
        """How a token is written, control tokens included; "" for none."""
        return self.piece(token, special=True).decode("utf-8", "replace") if token >= 0 else ""

    def joined(self, tokens: Sequence[int]) -> str:
        """The text of some tokens, control tokens included."""
        return b"".join(self.piece(token, special=True) for token in tokens).decode("utf-8", "replace")

    def is_control(self, token: int) -> bool:
        """Whether a token steers the model and is no text."""
        return bool(self._c.llama_vocab_is_control(self._vocab, token))

    def _control_words(self) -> list[str]:
        """What steers the model, as text; see `template.control_words`."""
        kinds = [int(self._c.llama_vocab_get_attr(self._vocab, token)) for token in range(self._size)]
        special = self._c.LLAMA_TOKEN_ATTR_CONTROL | self._c.LLAMA_TOKEN_ATTR_UNKNOWN
        defined = self._c.LLAMA_TOKEN_ATTR_USER_DEFINED
        return control_words(
            (self.text(token) for token, kind in enumerate(kinds) if kind & special),
            (self.text(token) for token, kind in enumerate(kinds) if kind & defined),
            self._meta("tokenizer.chat_template"),
        )

    def ends(self, token: int) -> bool:
        """Whether a token ends an answer."""
        return bool(self._c.llama_vocab_is_eog(self._vocab, token))

    def close(self) -> None:
        """Free the vocabulary."""
        if self._model:
            self._c.llama_model_free(self._model)
            self._model = None

    def _meta(self, key: str) -> str:
        size = _META_BYTES
        buffer = ctypes.create_string_buffer(size)
        count = int(self._c.llama_model_meta_val_str(self._model, key.encode(), buffer, size))
        if count >= size:
            buffer = ctypes.create_string_buffer(count + 1)
            self._c.llama_model_meta_val_str(self._model, key.encode(), buffer, count + 1)
        return buffer.value.decode("utf-8", "replace") if count >= 0 else ""


@cache
def _deaf() -> Any:
    """For llama.cpp's own log, which could hold prompt text; the library may call it until the process ends."""
    llama_cpp = open_llama()

    return llama_cpp.llama_log_callback(lambda level, text, data: None)
