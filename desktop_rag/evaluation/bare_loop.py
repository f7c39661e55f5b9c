"""The shortest way from tokens to tokens: `llama_decode` and an argmax, through ctypes and nothing else.

It neither makes text nor looks for an end. What the application adds to this is its own cost.
Only the `bench` role imports it.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from desktop_rag.engines.llama_backends import open_llama
from desktop_rag.engines.template import ChatTemplate
from desktop_rag.errors import EngineError, ModelError

_BATCH = 512
_PIECE_BYTES = 256
_BREATH = 16


class BareLoop:
    """One GGUF file and one context of the library. Raises ModelError when it cannot be loaded."""

    def __init__(self, path: Path, *, threads: int, context: int, micro_batch: int) -> None:
        llama_cpp = open_llama()

        self._c: Any = llama_cpp
        silence(llama_cpp)
        llama_cpp.llama_backend_init()
        model_params = llama_cpp.llama_model_default_params()
        model_params.n_gpu_layers = 0
        self._model = llama_cpp.llama_model_load_from_file(os.fsencode(path), model_params)
        if not self._model:
            raise ModelError("incompatible", f"The model {path.name} cannot be loaded.", "Choose another one.")
        self._vocab = llama_cpp.llama_model_get_vocab(self._model)
        self._words = int(llama_cpp.llama_vocab_n_tokens(self._vocab))
        params = llama_cpp.llama_context_default_params()
        params.n_ctx, params.n_batch, params.n_ubatch = context, _BATCH, micro_batch
        params.n_threads = params.n_threads_batch = threads
        # As in the high-level class: with it the same weights write other words on some processors.
        params.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
        self._ctx = llama_cpp.llama_init_from_model(self._model, params)
        if not self._ctx:
            llama_cpp.llama_model_free(self._model)
            raise ModelError("out_of_memory", "There is not enough memory for this model.", "Choose a smaller one.")

    def tokens(self, messages: Sequence[Mapping[str, str]]) -> list[int]:
        """The prompt of these messages after the model's own template."""
        c, vocab = self._c, self._vocab
        source = c.llama_model_chat_template(self._model, None)
        template = ChatTemplate(
            source.decode("utf-8", "replace") if source else "",
            bos=self.text([c.llama_vocab_bos(vocab)], special=True),
            eos=self.text([c.llama_vocab_eos(vocab)], special=True),
        )
        return tokenize(c, vocab, template.render(messages), special=True)

    def text(self, tokens: Sequence[int], *, special: bool = False) -> str:
        """What tokens say."""
        parts = []
        for token in tokens:
            buffer = ctypes.create_string_buffer(_PIECE_BYTES)
            size = int(self._c.llama_token_to_piece(self._vocab, token, buffer, _PIECE_BYTES, 0, special))
            parts.append(buffer.raw[: max(0, size)])
        return b"".join(parts).decode("utf-8", "replace")

    def run(self, prompt: Sequence[int], count: int) -> Iterator[dict[str, Any] | None]:
        """Decode `count` tokens after `prompt`; yields None now and then, and at last what it took.

        The last value is {tokens, ttft_s, seconds, tok_s}: seconds from the first token to the last one.
        """
        c = self._c
        c.llama_memory_clear(c.llama_get_memory(self._ctx), True)
        begun = time.perf_counter()
        for at in range(0, len(prompt), _BATCH):
            self._decode(prompt[at : at + _BATCH])
            yield None
        answer = [self._best()]
        first = time.perf_counter()
        one = (c.llama_token * 1)()
        while len(answer) < count:
            one[0] = answer[-1]
            if c.llama_decode(self._ctx, c.llama_batch_get_one(one, 1)) != 0:
                raise EngineError("crashed", "The model stopped computing.", "Try again.", retryable=True)
            answer.append(self._best())
            if len(answer) % _BREATH == 0:
                yield None
        seconds = time.perf_counter() - first
        yield {
            "tokens": answer,
            "ttft_s": first - begun,
            "seconds": seconds,
            "tok_s": (len(answer) - 1) / seconds if len(answer) > 1 else None,
        }

    def close(self) -> None:
        """Free everything."""
        self._c.llama_free(self._ctx)
        self._c.llama_model_free(self._model)

    def _decode(self, part: Sequence[int]) -> None:
        array = (self._c.llama_token * len(part))(*part)
        if self._c.llama_decode(self._ctx, self._c.llama_batch_get_one(array, len(part))) != 0:
            raise EngineError("crashed", "The model stopped computing.", "Try again.", retryable=True)

    def _best(self) -> int:
        logits = self._c.llama_get_logits_ith(self._ctx, -1)
        return int(np.ctypeslib.as_array(logits, shape=(self._words,)).argmax())


def tokenize(library: Any, vocab: Any, text: str, *, special: bool = False) -> list[int]:
    """The tokens of a text; `special` reads control words as control tokens."""
    data = text.encode("utf-8", "replace")
    room = len(data) + 8
    while True:
        buffer = (library.llama_token * room)()
        count = int(library.llama_tokenize(vocab, data, len(data), buffer, room, False, special))
        if count >= 0:
            return list(buffer[:count])
        room = -count


def silence(library: Any) -> None:
    """The library's own log could hold text; nothing of it is kept."""
    callback = library.llama_log_callback(lambda level, text, data: None)
    library.llama_log_set(callback, ctypes.c_void_p(0))
    silence.callback = callback  # type: ignore[attr-defined]
