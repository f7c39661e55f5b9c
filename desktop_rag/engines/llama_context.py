"""llama.cpp's KV memory with the tokens that are in it: computing more, keeping, taking back, moving, saving.

The list of cached tokens never claims more than was computed, whatever stops a computation.
"""

from __future__ import annotations

import ctypes
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.ctypeslib import as_array
from numpy.typing import NDArray

from desktop_rag.engines.cancel import Cancellation
from desktop_rag.engines.llama_batch import TokenBatch
from desktop_rag.engines.llama_exact import Exactness, OneKernel
from desktop_rag.engines.llama_library import LlamaModel, messages, out_of_memory, ran_out
from desktop_rag.engines.pace import Pace
from desktop_rag.engines.protocol import LoadOptions
from desktop_rag.errors import EngineError, ModelError, UsageError

BATCH = 512
MICRO_BATCH = 128
_ABORTED = 2
_SAVED = 1
# enum llama_flash_attn_type
_FLASH_AUTO, _FLASH_OFF, _FLASH_ON = -1, 0, 1
# enum ggml_type, and bytes a value
_KV_TYPES = {"f16": 1, "q8_0": 8, "q4_0": 2}
_KV_BYTES = {1: 2.0, 8: 34 / 32, 2: 18 / 32}

Logits = NDArray[np.float32]


class LlamaContext:
    """One context of a model. Raises ModelError("out_of_memory") when there is no room for it."""

    def __init__(self, model: LlamaModel, options: LoadOptions, threads: int) -> None:
        self._c = model.c
        self._model = model
        self._idle = Cancellation()
        self._cancelled = self._idle
        self._abort = _native_abort(self._c)
        self.kv_type = _kv_type(options)
        self.pointer = self._make(options, threads)
        self.memory = self._c.llama_get_memory(self.pointer)
        self.size = int(self._c.llama_n_ctx(self.pointer))
        self.threads = threads
        self.batch = TokenBatch(self._c, BATCH)
        self.tokens: list[int] = []
        self._threads_batch = options.threads_batch or threads
        # On a device the processor's threads have next to nothing to do.
        self.pace = Pace(threads) if not model.placement.gpu_layers else None
        self.one_kernel = OneKernel(self.pointer)
        self.exact = Exactness(any_length=self.one_kernel.there)
        self._views: dict[int, Logits] = {}
        # After a shift, what follows was computed with tokens that are gone: of no use to another prompt.
        self._exact = self.size

    def close(self) -> None:
        """Free the KV memory."""
        self.batch.close()
        self._c.llama_free(self.pointer)

    def watch(self, cancelled: Cancellation | None) -> None:
        """Let this flag stop computations; None for none."""
        self._cancelled = cancelled or self._idle
        self._c.llama_set_abort_callback(self.pointer, self._abort, self._cancelled.address)

    def keep_prefix(self, tokens: Sequence[int]) -> int:
        """Forget what is not a common prefix with `tokens`, and return its length; one token stays to compute."""
        shared = 0
        limit = min(len(self.tokens), len(tokens) - 1, self._exact)
        while shared < limit and self.tokens[shared] == tokens[shared]:
            shared += 1
        if shared and not self._c.llama_memory_seq_rm(self.memory, 0, shared, -1):
            shared = 0
        if not shared:
            self.clear()
        del self.tokens[shared:]
        self._exact = self.size
        return shared

    def clear(self) -> None:
        """Forget everything."""
        self._c.llama_memory_clear(self.memory, True)
        self.tokens.clear()
        self._exact = self.size

    def take_back(self, count: int) -> None:
        """Forget the last `count` tokens."""
        if count:
            del self.tokens[-count:]
            self._c.llama_memory_seq_rm(self.memory, 0, len(self.tokens), -1)

    def drop_oldest(self, keep: int) -> int:
        """Make room by forgetting half of what follows the first `keep` tokens; 0 where the model cannot."""
        count = (len(self.tokens) - keep) // 2
        if count < 1 or not self._c.llama_memory_can_shift(self.memory):
            return 0
        if not self._c.llama_memory_seq_rm(self.memory, 0, keep, keep + count):
            return 0
        self._c.llama_memory_seq_add(self.memory, 0, keep + count, -1, -count)
        del self.tokens[keep : keep + count]
        self._exact = min(self._exact, keep)
        return count

    def compute(self, tokens: Sequence[int], *, every_row: bool = False) -> bool:
        """Compute `tokens` after those there, with logits of every or of the last one; False when stopped."""
        at = 0
        while at < len(tokens):
            part = tokens[at : at + BATCH]
            at += len(part)
            self.batch.fill(part, len(self.tokens), every_row=every_row, last_row=at == len(tokens))
            if self._cancelled.is_set():
                return False
            code = self._decode()
            if code or self._cancelled.is_set():
                self._c.llama_memory_seq_rm(self.memory, 0, len(self.tokens), -1)
                if code in (0, _ABORTED):
                    return False
                raise _stopped(code)
            self.tokens += part
        return True

    def _decode(self) -> int:
        """Compute the batch; of single tokens the time decides how many threads the next ones get."""
        if self.pace is None or self.batch.native.n_tokens > 1:
            return int(self._c.llama_decode(self.pointer, self.batch.native))
        begin = time.perf_counter()
        code = int(self._c.llama_decode(self.pointer, self.batch.native))
        before = self.pace.threads
        if self.pace.took(time.perf_counter() - begin) != before:
            self._c.llama_set_n_threads(self.pointer, self.pace.threads, self._threads_batch)
        return code

    def logits(self, row: int) -> Logits:
        """The logits (vocab,) of one row of the last computation; -1 is the last. Valid until the next one."""
        address = ctypes.cast(self._c.llama_get_logits_ith(self.pointer, row), ctypes.c_void_p).value
        if address is None:
            raise _stopped(row)
        view = self._views.get(address)
        if view is None:
            # The library may move its buffer when a larger batch needs more rows.
            if len(self._views) > BATCH:
                self._views.clear()
            numbers = (ctypes.c_float * self._model.words).from_address(address)
            view = self._views[address] = as_array(numbers)
        return view

    def snapshot(self, tokens: int) -> tuple[tuple[int, ...], bytes]:
        """The first `tokens` positions: their ids, and the KV memory as bytes."""
        count = min(tokens, len(self.tokens), self._exact)
        whole = count == len(self.tokens)
        if not whole:
            self._c.llama_memory_seq_rm(self.memory, _SAVED, -1, -1)
            self._c.llama_memory_seq_cp(self.memory, 0, _SAVED, 0, count)
        sequence = 0 if whole else _SAVED
        size = int(self._c.llama_state_seq_get_size(self.pointer, sequence))
        buffer = (ctypes.c_uint8 * size)()
        written = int(self._c.llama_state_seq_get_data(self.pointer, buffer, size, sequence))
        if not whole:
            self._c.llama_memory_seq_rm(self.memory, _SAVED, -1, -1)
        return tuple(self.tokens[:count]), bytes(memoryview(buffer)[:written])

    def restore(self, tokens: Sequence[int], state: bytes) -> bool:
        """Put back what `snapshot` gave; False, and an empty memory, when it does not belong to this model."""
        self.clear()
        if not tokens or len(tokens) >= self.size:
            return False
        buffer = (ctypes.c_uint8 * len(state)).from_buffer_copy(state)
        read = int(self._c.llama_state_seq_set_data(self.pointer, buffer, len(state), 0))
        last = int(self._c.llama_memory_seq_pos_max(self.memory, 0))
        if not read or last != len(tokens) - 1:
            self.clear()
            return False
        self.tokens = list(tokens)
        return True

    def kv_token_bytes(self) -> int:
        """Bytes that one token adds: keys and values of every layer."""
        c, model = self._c, self._model
        per_head = int(c.llama_model_n_embd(model.pointer)) // max(1, int(c.llama_model_n_head(model.pointer)))
        heads = int(c.llama_model_n_layer(model.pointer)) * int(c.llama_model_n_head_kv(model.pointer))
        sizes = (model.number("attention.key_length") or per_head, model.number("attention.value_length") or per_head)
        return round(heads * sum(sizes) * _KV_BYTES[self.kv_type])

    def _make(self, options: LoadOptions, threads: int) -> Any:
        trained = int(self._c.llama_model_n_ctx_train(self._model.pointer))
        params = self._c.llama_context_default_params()
        params.n_ctx = min(options.context, trained)
        params.n_batch = BATCH
        params.n_ubatch = min(options.micro_batch or MICRO_BATCH, BATCH)
        params.n_threads = threads
        params.n_threads_batch = options.threads_batch or threads
        params.flash_attn_type = _flash(options)
        params.type_k = params.type_v = self.kv_type
        # A second sequence, sharing the memory of the first, is what a snapshot of a beginning is taken from.
        params.n_seq_max = 2
        params.kv_unified = True
        params.no_perf = True
        params.abort_callback = self._abort
        params.abort_callback_data = self._idle.address
        self._check_room(self.kv_token_bytes() * params.n_ctx)
        with messages(self._c) as said:
            made = self._c.llama_init_from_model(self._model.pointer, params)
        if not made and options.kv_type != "f16" and not ran_out(said):
            raise ModelError(
                "incompatible", f"This model cannot have a KV memory of {options.kv_type}.", "Set its precision to f16."
            )
        if not made:
            raise out_of_memory(f"There is not enough memory for a context of {params.n_ctx:,} tokens.")
        return made

    def _check_room(self, kv_bytes: int) -> None:
        """Most systems promise memory they do not have and end the process later: look before."""
        import psutil  # type: ignore[import-untyped]

        free = int(psutil.virtual_memory().available) + int(psutil.swap_memory().free)
        if not self._model.placement.gpu_layers and kv_bytes > free:
            raise out_of_memory(
                f"A context this long needs {kv_bytes / 2**30:,.1f} GB of memory, {free / 2**30:,.1f} GB are free."
            )


def _kv_type(options: LoadOptions) -> int:
    kind = _KV_TYPES.get(options.kv_type)
    if kind is None:
        raise UsageError("bad_request", f"{options.kv_type} is no type of KV memory.", "Use f16, q8_0 or q4_0.")
    if options.flash_attention is False and options.kv_type != "f16":
        raise ModelError(
            "incompatible",
            "A compressed KV memory works with flash attention only.",
            "Switch flash attention on, or use f16.",
        )
    return kind


def _flash(options: LoadOptions) -> int:
    """On wherever model and device can, unless somebody chose: it is as fast, and what lets drafts be exact."""
    if options.flash_attention is None:
        return _FLASH_ON if options.kv_type != "f16" else _FLASH_AUTO
    return _FLASH_ON if options.flash_attention else _FLASH_OFF


def _native_abort(llama_cpp: Any) -> Any:
    """The C library's strlen as abort callback.

    Of a `Cancellation`'s address it tells 0 or 1 without waking Python at every node of the graph.
    """
    library = ctypes.CDLL("msvcrt" if sys.platform == "win32" else None)
    return ctypes.cast(library.strlen, llama_cpp.ggml_abort_callback)


def _stopped(code: int) -> EngineError:
    return EngineError("crashed", f"The model stopped computing (code {code}).", "Try again.", retryable=True)
