"""llama.cpp through llama-cpp-python's low-level API: our own decode loop.

The high-level class re-detokenises the whole answer at every token, cannot stop inside a prefill and
runs on half the cores by default. Here logits are computed for the last row only, the longest prefix
shared with the previous prompt stays in the KV cache, and an abort callback ends a computation within
one graph node.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np

from desktop_rag.engines.pieces import TextStream, runs_in_circles
from desktop_rag.engines.protocol import ChatMessage, EngineInfo, Finish, Piece
from desktop_rag.engines.template import ChatTemplate, disarmed
from desktop_rag.errors import EngineError, ModelError

_BATCH = 512
_MICRO_BATCH = 128
_ABORTED = 2
_PIECE_BYTES = 64


class LlamaCppEngine:
    """One GGUF file in memory. Raises ModelError when it cannot be loaded."""

    def __init__(self, path: Path, *, context: int, threads: int) -> None:
        import llama_cpp

        self._c: Any = llama_cpp
        _silence(llama_cpp)
        llama_cpp.llama_backend_init()
        self._model = self._load_model(path)
        self._vocab = llama_cpp.llama_model_get_vocab(self._model)
        trained = int(llama_cpp.llama_model_n_ctx_train(self._model))
        self._cancelled: Event | None = None
        self._abort = llama_cpp.ggml_abort_callback(self._should_abort)
        self._ctx = self._make_context(min(context, trained), threads)
        self._memory = llama_cpp.llama_get_memory(self._ctx)
        self._batch = llama_cpp.llama_batch_init(_BATCH, 0, 1)
        self._cached: list[int] = []
        self._words = int(llama_cpp.llama_vocab_n_tokens(self._vocab))
        self._control = self._control_words()
        self._template = ChatTemplate(
            self._meta("tokenizer.chat_template"),
            bos=self._token_text(llama_cpp.llama_vocab_bos(self._vocab)),
            eos=self._token_text(llama_cpp.llama_vocab_eos(self._vocab)),
        )
        self._info = EngineInfo(
            engine="llama.cpp",
            model=path.stem,
            context=int(llama_cpp.llama_n_ctx(self._ctx)),
            weights_bytes=int(llama_cpp.llama_model_size(self._model)),
            kv_bytes=self._kv_bytes(),
            threads=threads,
        )

    @property
    def info(self) -> EngineInfo:
        """See Engine."""
        return self._info

    def render(self, messages: Sequence[ChatMessage]) -> list[int]:
        """See Engine."""
        return self._tokenize(self._template.render(disarmed(messages, self._control)), special=True)

    def count(self, text: str) -> int:
        """See Engine."""
        return len(self._tokenize(text, special=False))

    def generate(
        self, prompt: Sequence[int], *, max_tokens: int, temperature: float, seed: int, cancelled: Event
    ) -> Iterator[Piece | Finish]:
        """See Engine."""
        start = time.perf_counter()
        room = self._info.context - len(prompt)
        if room < 1:
            raise ModelError(
                "context_too_long",
                "The question and its passages do not fit the model's memory.",
                "Use fewer passages.",
            )
        self._cancelled = cancelled
        tokens = list(prompt)
        reused = self._keep_prefix(tokens)
        first: float | None = None
        answer: list[int] = []
        reason = "length"
        stream = TextStream()
        choose = _chooser(temperature, seed)
        complete = self._decode(tokens, reused)
        while True:
            if not complete:
                reason = "cancelled"
                break
            token = choose(self._logits())
            now = time.perf_counter() - start
            first = now if first is None else first
            if self._c.llama_vocab_is_eog(self._vocab, token):
                reason = "end"
                break
            answer.append(token)
            if text := stream.add(self._piece(token)):
                yield Piece(text, len(answer), now)
            if len(answer) >= min(max_tokens, room):
                break
            if runs_in_circles(answer):
                reason = "loop"
                break
            tokens.append(token)
            complete = self._decode(tokens, len(tokens) - 1)
        if rest := stream.end():
            yield Piece(rest, len(answer), time.perf_counter() - start)
        yield Finish(reason, len(prompt), reused, len(answer), first, time.perf_counter() - start)

    def close(self) -> None:
        """See Engine."""
        self._c.llama_batch_free(self._batch)
        self._c.llama_free(self._ctx)
        self._c.llama_model_free(self._model)

    def _load_model(self, path: Path) -> Any:
        params = self._c.llama_model_default_params()
        params.n_gpu_layers = 0
        model = self._c.llama_model_load_from_file(os.fsencode(path), params)
        if not model:
            raise ModelError(
                "incompatible",
                f"The model {path.name} cannot be loaded.",
                "Its kind may be too new for this version; choose another.",
            )
        return model

    def _make_context(self, context: int, threads: int) -> Any:
        params = self._c.llama_context_default_params()
        params.n_ctx = context
        params.n_batch = _BATCH
        params.n_ubatch = _MICRO_BATCH
        params.n_threads = params.n_threads_batch = threads
        params.abort_callback = self._abort
        made = self._c.llama_init_from_model(self._model, params)
        if not made:
            self._c.llama_model_free(self._model)
            raise ModelError("out_of_memory", "There is not enough memory for this model.", "Choose a smaller one.")
        return made

    def _should_abort(self, _: Any) -> bool:
        return self._cancelled is not None and self._cancelled.is_set()

    def _keep_prefix(self, tokens: list[int]) -> int:
        """Forget what the cache holds beyond the common prefix; at least one token is left to compute."""
        shared = 0
        limit = min(len(self._cached), len(tokens) - 1)
        while shared < limit and self._cached[shared] == tokens[shared]:
            shared += 1
        if shared and not self._c.llama_memory_seq_rm(self._memory, 0, shared, -1):
            shared = 0
        if not shared:
            self._c.llama_memory_clear(self._memory, True)
        self._cached = tokens[:shared]
        return shared

    def _decode(self, tokens: list[int], at: int) -> bool:
        """Compute tokens[at:]; False when it was stopped. The cache never claims more than was computed."""
        while at < len(tokens):
            part = tokens[at : at + _BATCH]
            self._fill(part, at, wants_logits=at + len(part) == len(tokens))
            code = int(self._c.llama_decode(self._ctx, self._batch))
            if code == _ABORTED or self._should_abort(None):
                self._c.llama_memory_seq_rm(self._memory, 0, len(self._cached), -1)
                return False
            if code != 0:
                raise EngineError(
                    "crashed", f"The model stopped computing (code {code}).", "Try again.", retryable=True
                )
            self._cached += part
            at += len(part)
        return True

    def _fill(self, part: list[int], at: int, *, wants_logits: bool) -> None:
        batch = self._batch
        batch.n_tokens = len(part)
        for i, token in enumerate(part):
            batch.token[i] = token
            batch.pos[i] = at + i
            batch.n_seq_id[i] = 1
            batch.seq_id[i][0] = 0
            batch.logits[i] = 0
        batch.logits[len(part) - 1] = int(wants_logits)

    def _logits(self) -> np.ndarray[Any, np.dtype[np.float32]]:
        pointer = self._c.llama_get_logits_ith(self._ctx, -1)
        return np.ctypeslib.as_array(pointer, shape=(self._words,))

    def _tokenize(self, text: str, *, special: bool) -> list[int]:
        data = text.encode("utf-8", "replace")
        size = len(data) + 8
        buffer = (self._c.llama_token * size)()
        count = int(self._c.llama_tokenize(self._vocab, data, len(data), buffer, size, False, special))
        if count < 0:
            buffer = (self._c.llama_token * -count)()
            count = int(self._c.llama_tokenize(self._vocab, data, len(data), buffer, -count, False, special))
        return list(buffer[:count])

    def _piece(self, token: int, *, special: bool = False) -> bytes:
        size = _PIECE_BYTES
        buffer = ctypes.create_string_buffer(size)
        count = int(self._c.llama_token_to_piece(self._vocab, token, buffer, size, 0, special))
        if count < 0:
            buffer = ctypes.create_string_buffer(-count)
            count = int(self._c.llama_token_to_piece(self._vocab, token, buffer, -count, 0, special))
        return buffer.raw[:count]

    def _token_text(self, token: int) -> str:
        return self._piece(token, special=True).decode("utf-8", "replace") if token >= 0 else ""

    def _control_words(self) -> list[str]:
        """What the model's control tokens look like as text, such as "<|im_end|>"."""
        c, vocab = self._c, self._vocab
        return [self._token_text(token) for token in range(self._words) if c.llama_vocab_is_control(vocab, token)]

    def _meta(self, key: str) -> str:
        size = 1 << 16
        buffer = ctypes.create_string_buffer(size)
        count = int(self._c.llama_model_meta_val_str(self._model, key.encode(), buffer, size))
        return buffer.value.decode("utf-8", "replace") if count >= 0 else ""

    def _kv_bytes(self) -> int:
        """2 * layers * kv heads * head size * 2 bytes (f16) for every position of the context."""
        c, model = self._c, self._model
        head = int(c.llama_model_n_embd(model)) // max(1, int(c.llama_model_n_head(model)))
        per_token = 2 * int(c.llama_model_n_layer(model)) * int(c.llama_model_n_head_kv(model)) * head * 2
        return per_token * int(c.llama_n_ctx(self._ctx))


def _chooser(temperature: float, seed: int) -> Any:
    """Greedy at temperature 0, else a seeded draw from the softmax."""
    if temperature <= 0:
        return lambda logits: int(np.argmax(logits))
    generator = np.random.default_rng(seed)

    def draw(logits: np.ndarray[Any, np.dtype[np.float32]]) -> int:
        noise = generator.gumbel(size=logits.shape)
        return int(np.argmax(logits / temperature + noise))

    return draw


def _silence(llama_cpp: Any) -> None:
    """llama.cpp's own log could hold prompt text; nothing of it is kept."""
    callback = llama_cpp.llama_log_callback(lambda level, text, data: None)
    llama_cpp.llama_log_set(callback, ctypes.c_void_p(0))
    _silence.callback = callback  # type: ignore[attr-defined]
