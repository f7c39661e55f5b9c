"""Whether several tokens computed together give bit for bit what they give one at a time.

Kernels for one token and for several round differently, and in quantised models a difference in the
last bit grows through the layers to tenths of a logit: enough to change an answer. A draft is checked
several tokens at a time, so it is used only where that was seen to make no difference, on this model,
this machine and this size of computation.

One such pair of kernels is flash attention's on the processor. ggml can be told to use the same one for
any number of tokens ("use_ref"); the switch is the backend's, which libllama hands out only through a
C++ method. Where that is not exported the probe finds the difference, and drafts stay off.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desktop_rag.engines.llama_backends import library

# llama_context::get_sched() const, as compilers with the Itanium ABI spell it.
_GET_SCHEDULER = "_ZNK13llama_context9get_schedEv"


class Exactness:
    """What is known of one context: sizes of computations that agree with single ones, and those that do not.

    Kernels may be chosen by the length of the context too: unless it is known that they are not
    (`any_length`), what was found counts until that has doubled.
    """

    def __init__(self, *, any_length: bool) -> None:
        self._any_length = any_length
        self._found: dict[tuple[int, int], bool] = {}

    def known(self, size: int, context: int) -> bool | None:
        """Whether `size` tokens after `context` others may be computed together; None where it was not tried."""
        return self._found.get(self._key(size, context))

    def learn(self, size: int, context: int, *, agrees: bool) -> None:
        """What a trial showed."""
        key = self._key(size, context)
        self._found[key] = agrees and self._found.get(key, True)

    def _key(self, size: int, context: int) -> tuple[int, int]:
        return size, 0 if self._any_length else context.bit_length()


def same_bits(one: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    """Whether two rows of logits agree to the last bit."""
    return bool(np.array_equal(one, other))


class OneKernel:
    """Lets flash attention use one kernel for any number of tokens while it is on; nothing where that cannot be."""

    def __init__(self, context: Any) -> None:
        self._backends: list[Any] = []
        self._set: Any = None
        try:
            self._find(context)
        except (OSError, AttributeError):
            self._backends = []

    @property
    def there(self) -> bool:
        """Whether the switch was found."""
        return bool(self._backends)

    def use(self, on: bool) -> None:
        """Switch; prefill is faster without."""
        for backend in self._backends:
            self._set(backend, on)

    def _find(self, context: Any) -> None:
        llama, base, cpu = (library(name) for name in ("llama", "ggml-base", "ggml-cpu"))
        scheduler_of = getattr(llama, _GET_SCHEDULER)
        scheduler_of.restype, scheduler_of.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
        count = base.ggml_backend_sched_get_n_backends
        count.restype, count.argtypes = ctypes.c_int, [ctypes.c_void_p]
        backend_at = base.ggml_backend_sched_get_backend
        backend_at.restype, backend_at.argtypes = ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_int]
        is_cpu = cpu.ggml_backend_is_cpu
        is_cpu.restype, is_cpu.argtypes = ctypes.c_bool, [ctypes.c_void_p]
        self._set = cpu.ggml_backend_cpu_set_use_ref
        self._set.restype, self._set.argtypes = None, [ctypes.c_void_p, ctypes.c_bool]
        scheduler = scheduler_of(context)
        backends = [backend_at(scheduler, at) for at in range(count(scheduler))]
        self._backends = [backend for backend in backends if is_cpu(backend)]
