"""A llama.cpp model to be measured: contexts of their own beside the engine's, so that its KV memory stays.

What the tokens are does not matter to the time they take: the same one is computed again and again.
"""

from __future__ import annotations

import time
from typing import Any

from desktop_rag.engines.calibration import LANE_TOKENS, OpenLane
from desktop_rag.engines.llama_backends import open_llama
from desktop_rag.errors import EngineError, ModelError

_ENABLED, _DISABLED = 1, 0
_TOKEN = 0


def llama_lanes(model_pointer: int, *, kv_type: int | None = None) -> OpenLane:
    """Lanes over a loaded model; `kv_type` is ggml's number of the KV memory's type (f16 by default)."""

    def open_lane(micro_batch: int, flash_attention: bool) -> LlamaLane:
        return LlamaLane(model_pointer, micro_batch, flash_attention, kv_type)

    return open_lane


class LlamaLane:
    """One context. Raises ModelError("out_of_memory") when there is no room for it."""

    def __init__(self, model_pointer: int, micro_batch: int, flash_attention: bool, kv_type: int | None) -> None:
        llama_cpp = open_llama()

        self._c: Any = llama_cpp
        parameters = llama_cpp.llama_context_default_params()
        parameters.n_ctx = LANE_TOKENS
        parameters.n_batch = LANE_TOKENS
        parameters.n_ubatch = micro_batch
        parameters.flash_attn_type = _ENABLED if flash_attention else _DISABLED
        if kv_type is not None:
            parameters.type_k = parameters.type_v = kv_type
        self._context = llama_cpp.llama_init_from_model(model_pointer, parameters)
        if not self._context:
            raise ModelError(
                "out_of_memory", "There is not enough memory to measure this model.", "Close other applications."
            )
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._tokens = (llama_cpp.llama_token * LANE_TOKENS)(*([_TOKEN] * LANE_TOKENS))
        self._at = 0

    def set_threads(self, decode: int, prefill: int) -> None:
        """See Lane."""
        self._c.llama_set_n_threads(self._context, decode, prefill)

    def prefill(self, tokens: int) -> float:
        """See Lane."""
        if self._at + tokens >= LANE_TOKENS:
            self._forget(0)
        begin = time.perf_counter()
        self._compute(tokens)
        return time.perf_counter() - begin

    def decode(self, tokens: int) -> float:
        """See Lane."""
        start = self._at if self._at + tokens < LANE_TOKENS else 0
        self._forget(start)
        begin = time.perf_counter()
        for _ in range(tokens):
            self._compute(1)
        seconds = time.perf_counter() - begin
        self._forget(start)
        return seconds

    def close(self) -> None:
        """See Lane."""
        if self._context:
            self._c.llama_free(self._context)
            self._context = None

    def _compute(self, tokens: int) -> None:
        batch = self._c.llama_batch_get_one(self._tokens, tokens)
        if code := int(self._c.llama_decode(self._context, batch)):
            raise EngineError("crashed", f"The model stopped computing (code {code}).", "Try again.", retryable=True)
        # A backend that works on its own returns at once; the time is over when the result is there.
        self._c.llama_synchronize(self._context)
        self._at += tokens

    def _forget(self, keep: int) -> None:
        """Leave the first `keep` tokens."""
        if not (keep and self._c.llama_memory_seq_rm(self._memory, 0, keep, -1)):
            self._c.llama_memory_clear(self._memory, False)
            keep = 0
        self._at = keep
