"""ggml's own matrix-vector products, timed: the same machine code that reads the weights while decoding.

Called through ctypes on the libraries that llama-cpp-python brings: a pass over
`megabytes` of weights of one type, as often as the time allows, the fastest counts. Weights that the
engine would rearrange for this processor (ggml's "repack" buffers) are rearranged here as well.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from desktop_rag.engines.llama_backends import library

Pointer = ctypes.c_void_p
MIB = 2**20
ROW = 2048
# ggml type: code, values a block, bytes a block, where its 16-bit scales lie.
TYPES: dict[str, tuple[int, int, int, tuple[int, ...]]] = {
    "F32": (0, 1, 4, ()),
    "F16": (1, 1, 2, ()),
    "Q4_0": (2, 32, 18, (0,)),
    "Q4_1": (3, 32, 20, (0, 2)),
    "Q5_0": (6, 32, 22, (0,)),
    "Q8_0": (8, 32, 34, (0,)),
    "Q4_K": (12, 256, 144, (0, 2)),
    "Q5_K": (13, 256, 176, (0, 2)),
    "Q6_K": (14, 256, 210, (208,)),
}


class _InitParameters(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("memory", Pointer), ("no_alloc", ctypes.c_bool)]


class _TensorHead(ctypes.Structure):
    """The first two fields of ggml_tensor; that they are so is checked before the second one is written."""

    _fields_ = [("type", ctypes.c_int), ("buffer", Pointer)]


_BASE: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "ggml_init": (Pointer, (_InitParameters,)),
    "ggml_free": (None, (Pointer,)),
    "ggml_new_tensor_2d": (Pointer, (Pointer, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)),
    "ggml_mul_mat": (Pointer, (Pointer, Pointer, Pointer)),
    "ggml_new_graph_custom": (Pointer, (Pointer, ctypes.c_size_t, ctypes.c_bool)),
    "ggml_build_forward_expand": (None, (Pointer, Pointer)),
    "ggml_log_set": (None, (Pointer, Pointer)),
    "ggml_log_get": (None, (ctypes.POINTER(Pointer), ctypes.POINTER(Pointer))),
    "ggml_graph_node": (Pointer, (Pointer, ctypes.c_int)),
    "ggml_backend_tensor_get": (None, (Pointer, Pointer, ctypes.c_size_t, ctypes.c_size_t)),
    "ggml_backend_tensor_set": (None, (Pointer, Pointer, ctypes.c_size_t, ctypes.c_size_t)),
    "ggml_backend_alloc_ctx_tensors": (Pointer, (Pointer, Pointer)),
    "ggml_backend_alloc_ctx_tensors_from_buft": (Pointer, (Pointer, Pointer)),
    "ggml_backend_buft_alloc_buffer": (Pointer, (Pointer, ctypes.c_size_t)),
    "ggml_backend_buffer_free": (None, (Pointer,)),
    "ggml_backend_graph_compute": (ctypes.c_int, (Pointer, Pointer)),
    "ggml_backend_free": (None, (Pointer,)),
    "ggml_backend_reg_dev_get": (Pointer, (Pointer, ctypes.c_size_t)),
    "ggml_backend_reg_get_proc_address": (Pointer, (Pointer, ctypes.c_char_p)),
    "ggml_backend_dev_supports_op": (ctypes.c_bool, (Pointer, Pointer)),
}
_CPU: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "ggml_backend_cpu_init": (Pointer, ()),
    "ggml_backend_cpu_reg": (Pointer, ()),
    "ggml_backend_cpu_set_n_threads": (None, (Pointer, ctypes.c_int)),
}


class Kernels:
    """ggml's CPU backend, opened. Raises OSError or AttributeError where this build of the library has none."""

    def __init__(self) -> None:
        self._call: dict[str, Any] = {}
        for stem, table in (("ggml-base", _BASE), ("ggml-cpu", _CPU)):
            part = library(stem)
            for name, (result, arguments) in table.items():
                function = getattr(part, name)
                function.restype, function.argtypes = result, list(arguments)
                self._call[name] = function
        self._backend = self._call["ggml_backend_cpu_init"]()
        registry = self._call["ggml_backend_cpu_reg"]()
        self._device = self._call["ggml_backend_reg_dev_get"](registry, 0)
        self._repack = self._repack_buffers(registry)

    def close(self) -> None:
        """Free the backend."""
        self._call["ggml_backend_free"](self._backend)

    @contextmanager
    def weights(self, kind: str, megabytes: int, batch: int = 1) -> Iterator[Weights]:
        """`megabytes` of weights of type `kind` in touched memory, ready to be multiplied with `batch` vectors."""
        with self._quiet():
            made = Weights(self._call, self._backend, kind, megabytes * MIB, batch, self._repack_for(kind, batch))
        try:
            yield made
        finally:
            made.close()

    def _repack_buffers(self, registry: int) -> list[int]:
        address = self._call["ggml_backend_reg_get_proc_address"](registry, b"ggml_backend_dev_get_extra_bufts")
        if not address:
            return []
        found = ctypes.CFUNCTYPE(ctypes.POINTER(Pointer), Pointer)(address)(self._device)
        buffers: list[int] = []
        while found and found[len(buffers)]:
            buffers.append(found[len(buffers)])
        return buffers

    def _repack_for(self, kind: str, batch: int) -> int | None:
        """The buffer type that rearranges weights of this type here; asked as llama.cpp asks, with an empty buffer."""
        return next((buffer for buffer in self._repack if self._supports(buffer, kind, batch)), None)

    def _supports(self, buffer_type: int, kind: str, batch: int) -> bool:
        call = self._call
        context = call["ggml_init"](_InitParameters(16384, None, True))
        weight = call["ggml_new_tensor_2d"](context, TYPES[kind][0], ROW, ROW)
        vector = call["ggml_new_tensor_2d"](context, 0, ROW, batch)
        product = call["ggml_mul_mat"](context, weight, vector)
        head = _TensorHead.from_address(weight)
        supported = False
        if head.type == TYPES[kind][0] and not head.buffer:
            head.buffer = call["ggml_backend_buft_alloc_buffer"](buffer_type, 0)
            supported = bool(call["ggml_backend_dev_supports_op"](self._device, product))
            call["ggml_backend_buffer_free"](head.buffer)
            head.buffer = None
        call["ggml_free"](context)
        return supported

    @contextmanager
    def _quiet(self) -> Iterator[None]:
        """The library tells of every tensor it rearranges: not here."""
        callback, data = Pointer(), Pointer()
        self._call["ggml_log_get"](ctypes.byref(callback), ctypes.byref(data))
        silence = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, Pointer)(lambda _level, _text, _data: None)
        self._call["ggml_log_set"](ctypes.cast(silence, Pointer), None)
        try:
            yield
        finally:
            self._call["ggml_log_set"](callback, data)


class Weights:
    """Matrices of one type, and the graphs that multiply the first so many of them with a vector."""

    def __init__(
        self, call: dict[str, Any], backend: int, kind: str, size: int, batch: int, repack: int | None
    ) -> None:
        self._call = call
        self._backend = backend
        self._batch = batch
        code, per_block, block_bytes, _ = TYPES[kind]
        matrices = max(1, round(size / 16 / MIB))
        rows = max(64, round(size / matrices / (ROW // per_block * block_bytes) / 64) * 64)
        self.rows = rows
        self.matrix_bytes = ROW * rows // per_block * block_bytes
        self._context = call["ggml_init"](_InitParameters(matrices * 512 + 4096, None, True))
        self._tensors = [call["ggml_new_tensor_2d"](self._context, code, ROW, rows) for _ in range(matrices)]
        if repack:
            self._buffer = call["ggml_backend_alloc_ctx_tensors_from_buft"](self._context, repack)
        else:
            self._buffer = call["ggml_backend_alloc_ctx_tensors"](self._context, backend)
        if not self._buffer:
            call["ggml_free"](self._context)
            raise MemoryError(f"{size} bytes")
        content = _content(kind, self.matrix_bytes)
        for tensor in self._tensors:
            call["ggml_backend_tensor_set"](tensor, content.ctypes.data, 0, self.matrix_bytes)

    def best_seconds(self, threads: int, seconds: float, size: int | None = None) -> tuple[float, int]:
        """The fastest pass in about `seconds`, and the bytes it read; `size` limits the pass to the first matrices."""
        count = len(self._tensors) if size is None else max(1, min(len(self._tensors), size // self.matrix_bytes))
        context, buffer, graph = self._graph(self._tensors[:count])
        try:
            self._call["ggml_backend_cpu_set_n_threads"](self._backend, threads)
            compute = self._call["ggml_backend_graph_compute"]
            compute(self._backend, graph)
            best = float("inf")
            end = time.perf_counter() + seconds
            while True:
                started = time.perf_counter()
                compute(self._backend, graph)
                finished = time.perf_counter()
                best = min(best, finished - started)
                if finished >= end:
                    return best, count * self.matrix_bytes
        finally:
            self._call["ggml_backend_buffer_free"](buffer)
            self._call["ggml_free"](context)

    def product(self) -> np.ndarray[Any, np.dtype[np.float32]]:
        """The first matrix times a vector of ones, one number a row: shows that what is timed is really computed."""
        context, buffer, graph = self._graph(self._tensors[:1])
        self._call["ggml_backend_graph_compute"](self._backend, graph)
        result = np.zeros(self.rows * self._batch, np.float32)
        node = self._call["ggml_graph_node"](graph, 0)
        self._call["ggml_backend_tensor_get"](node, result.ctypes.data, 0, result.nbytes)
        self._call["ggml_backend_buffer_free"](buffer)
        self._call["ggml_free"](context)
        return result

    def _graph(self, tensors: list[int]) -> tuple[int, int, int]:
        call = self._call
        context = call["ggml_init"](_InitParameters(len(tensors) * 1024 + MIB, None, True))
        vector = call["ggml_new_tensor_2d"](context, 0, ROW, self._batch)
        graph = call["ggml_new_graph_custom"](context, 2048, False)
        for tensor in tensors:
            call["ggml_build_forward_expand"](graph, call["ggml_mul_mat"](context, tensor, vector))
        buffer = call["ggml_backend_alloc_ctx_tensors"](context, self._backend)
        ones = np.ones(ROW * self._batch, np.float32)
        call["ggml_backend_tensor_set"](vector, ones.ctypes.data, 0, ones.nbytes)
        return context, buffer, graph

    def close(self) -> None:
        """Free the weights."""
        self._call["ggml_backend_buffer_free"](self._buffer)
        self._call["ggml_free"](self._context)


def _content(kind: str, size: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Bytes that are proper numbers of this type: slow paths for infinities and denormals would spoil the time."""
    _, per_block, block_bytes, scales = TYPES[kind]
    if per_block == 1:
        return np.full(size // block_bytes, 0.01, np.float32 if kind == "F32" else np.float16).view(np.uint8)
    block = np.full((size // block_bytes, block_bytes), 0x5A, np.uint8)
    scale = np.array([0.01], np.float16).view(np.uint8)
    for at in scales:
        block[:, at : at + 2] = scale
    return block.reshape(-1)
