"""A GGUF model in llama.cpp's memory: its file checked and loaded, its tokens and texts, its metadata.

All of it is llama-cpp-python's low-level API, a plain mirror of llama.h.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from desktop_rag.engines.adapters import forget
from desktop_rag.engines.devices import accelerators, device_pointers, missing_device
from desktop_rag.engines.llama_backends import open_llama
from desktop_rag.engines.protocol import LoadOptions
from desktop_rag.engines.template import control_words
from desktop_rag.errors import ModelError
from desktop_rag.models.footprint import is_mapped
from desktop_rag.models.inspect import GgufInfo, inspect
from desktop_rag.models.shape import shape_of_gguf

_PIECE_BYTES = 64
_META_BYTES = 1 << 14
_ALL_LAYERS = -1
# Words of llama.cpp's own messages that tell one failure from another.
_UNKNOWN_KIND = "unknown model architecture"
_NO_MEMORY = ("failed to allocate", "unable to allocate", "out of memory", "bad_alloc", "Cannot allocate memory")


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a model's layers lie: on the processor, but for `gpu_layers` of them on `device`."""

    device: str
    layers: int
    gpu_layers: int


class LlamaModel:
    """Weights and vocabulary. Raises ModelError when the file is not a whole model this library can load."""

    def __init__(self, path: Path, options: LoadOptions) -> None:
        self.path = path
        self.header: GgufInfo = inspect(path)
        llama_cpp = open_llama()

        self.c: Any = llama_cpp
        _silence(llama_cpp)
        llama_cpp.llama_backend_init()
        self.pointer: Any = self._load(options)
        self.vocab = llama_cpp.llama_model_get_vocab(self.pointer)
        self.words = int(llama_cpp.llama_vocab_n_tokens(self.vocab))
        self.bos = int(llama_cpp.llama_vocab_bos(self.vocab))
        self.eos = int(llama_cpp.llama_vocab_eos(self.vocab))
        self.adds_bos = bool(llama_cpp.llama_vocab_get_add_bos(self.vocab))
        self._pieces: dict[int, bytes] = {}
        self._buffer = ctypes.create_string_buffer(_PIECE_BYTES)
        layers = int(llama_cpp.llama_model_n_layer(self.pointer))
        asked = layers if options.gpu_layers < 0 else min(options.gpu_layers, layers)
        asked = 0 if options.device == "cpu" else asked
        self.placement = Placement(self._device(options) if asked else "cpu", layers, asked)

    def close(self) -> None:
        """Free the weights; a second time is harmless."""
        if self.pointer is not None:
            forget(self.pointer)
            self.c.llama_model_free(self.pointer)
            self.pointer = None

    @property
    def is_recurrent(self) -> bool:
        """Whether the model keeps a running state that cannot be taken back token by token."""
        return bool(self.c.llama_model_is_recurrent(self.pointer) or self.c.llama_model_is_hybrid(self.pointer))

    def tokenize(self, text: str, *, special: bool) -> list[int]:
        """Token ids; with `special`, control tokens written in the text are those tokens."""
        data = text.encode("utf-8", "replace")
        size = len(data) + 8
        buffer = (self.c.llama_token * size)()
        count = int(self.c.llama_tokenize(self.vocab, data, len(data), buffer, size, False, special))
        if count < 0:
            buffer = (self.c.llama_token * -count)()
            count = int(self.c.llama_tokenize(self.vocab, data, len(data), buffer, -count, False, special))
        return list(buffer[:count])

    def piece(self, token: int) -> bytes:
        """A token's bytes in an answer; control tokens have none."""
        known = self._pieces.get(token)
        if known is None:
            known = self._pieces[token] = self._bytes_of(token, special=False)
        return known

    def text_of(self, token: int) -> str:
        """A token as it is written in a prompt, control tokens too; "" for a token the model lacks."""
        return self._bytes_of(token, special=True).decode("utf-8", "replace") if token >= 0 else ""

    def length_of(self, token: int) -> int:
        """Bytes of a token as it is written in a prompt."""
        return len(self._bytes_of(token, special=True))

    def is_end(self, token: int) -> bool:
        """Whether the model says with this token that its answer ends."""
        return bool(self.c.llama_vocab_is_eog(self.vocab, token))

    def control_words(self) -> list[str]:
        """What the control tokens look like as text, such as "<|im_end|>"."""
        c, vocab = self.c, self.vocab
        kinds = [int(c.llama_vocab_get_attr(vocab, token)) for token in range(self.words)]
        special = c.LLAMA_TOKEN_ATTR_CONTROL | c.LLAMA_TOKEN_ATTR_UNKNOWN
        # A tokenizer parses these wherever they stand; some conversions mark a turn's borders so.
        defined = (self.text_of(token) for token, kind in enumerate(kinds) if kind & c.LLAMA_TOKEN_ATTR_USER_DEFINED)
        return control_words(
            (self.text_of(token) for token, kind in enumerate(kinds) if kind & special),
            defined,
            self.meta("tokenizer.chat_template"),
        )

    def meta(self, key: str) -> str:
        """A value of the file's metadata as text, "" where there is none."""
        return str(self._meta(key.encode()).decode("utf-8", "replace"))

    def number(self, key: str) -> int | None:
        """A whole number of the metadata under the architecture's name, such as "attention.key_length"."""
        text = self.meta(f"{self.header.architecture}.{key}")
        return int(text) if text.isdecimal() else None

    def _meta(self, key: bytes) -> bytes:
        size = _META_BYTES
        while True:
            buffer = ctypes.create_string_buffer(size)
            count = int(self.c.llama_model_meta_val_str(self.pointer, key, buffer, size))
            if count < size:
                return buffer.value if count >= 0 else b""
            size = count + 1

    def _bytes_of(self, token: int, *, special: bool) -> bytes:
        buffer = self._buffer
        count = int(self.c.llama_token_to_piece(self.vocab, token, buffer, len(buffer), 0, special))
        if count < 0:
            buffer = ctypes.create_string_buffer(-count)
            count = int(self.c.llama_token_to_piece(self.vocab, token, buffer, -count, 0, special))
        return buffer.raw[:count]

    def _load(self, options: LoadOptions) -> Any:
        params = self.c.llama_model_default_params()
        params.n_gpu_layers = options.gpu_layers if options.gpu_layers >= 0 else 1 << 16
        self.mapped = self._is_mapped(options)
        params.load_mode = self.c.LLAMA_LOAD_MODE_MMAP if self.mapped else self.c.LLAMA_LOAD_MODE_NONE
        pointers = self._placed(params, options)
        with messages(self.c) as said:
            model = self.c.llama_model_load_from_file(os.fsencode(self.path), params)
        del pointers
        if not model:
            raise _load_failure(self.header, said)
        return model

    def _is_mapped(self, options: LoadOptions) -> bool:
        """Whether the file is to be mapped. Raises ModelError("out_of_memory") where it can neither be read whole."""
        free = int(psutil.virtual_memory().available)
        try:
            shape = shape_of_gguf(self.header)
        except ModelError:
            # The library tells best what is wrong with this file.
            return True
        mapped = is_mapped(shape, free, 0 if options.device == "cpu" else options.gpu_layers)
        # Most systems promise memory they do not have and end the process later.
        if not mapped and shape.weights_bytes > free + int(psutil.swap_memory().free):
            needs = f"{shape.weights_bytes / 1e9:.1f} GB of memory, {free / 1e9:.1f} GB are free"
            raise out_of_memory(f"{self.path.name} needs {needs}.")
        return mapped

    def _placed(self, params: Any, options: LoadOptions) -> Any:
        """Tell the loader which devices to use; what it points to must outlive the load."""
        if not options.gpu_layers or options.device == "cpu":
            # Without layers on it the library would still send prompts to a device: slower, and not what was asked for.
            pointers = device_pointers([])
            params.devices = ctypes.cast(pointers, ctypes.c_void_p)
            return pointers
        there = [device.name for device in accelerators()]
        if not there and options.gpu_layers:
            raise missing_device(options.device, there)
        if options.device is None:
            return None
        pointers = device_pointers([options.device])
        params.devices = ctypes.cast(pointers, ctypes.c_void_p)
        return pointers

    def _device(self, options: LoadOptions) -> str:
        return options.device or ", ".join(device.name for device in accelerators())


def _load_failure(header: GgufInfo, said: Sequence[str]) -> ModelError:
    """What went wrong, from the library's own messages."""
    text = "\n".join(said)
    name = header.path.name
    if _UNKNOWN_KIND in text:
        return ModelError(
            "incompatible",
            f"{name} is a model of the kind {header.architecture!r}, which this version of llama.cpp does not know.",
            "Choose a model of another kind.",
        )
    if ran_out(said):
        return out_of_memory(f"There is not enough memory to load {name}.")
    return ModelError(
        "incompatible",
        f"The model {name} cannot be loaded.",
        "Its kind may be too new for this version; choose another.",
    )


def ran_out(said: Sequence[str]) -> bool:
    """Whether the library's messages tell of too little memory."""
    text = "\n".join(said)
    return any(words in text for words in _NO_MEMORY)


def out_of_memory(message: str) -> ModelError:
    """The error for a model or a context that does not fit."""
    return ModelError("out_of_memory", message, "Choose a smaller model or a shorter context, or close other programs.")


@contextmanager
def messages(llama_cpp: Any) -> Iterator[list[str]]:
    """The library's messages while it loads: they are about the file, no prompt exists yet."""
    said: list[str] = []
    callback = llama_cpp.llama_log_callback(
        lambda level, text, data: said.append(text.decode("utf-8", "replace") if text else "")
    )
    llama_cpp.llama_log_set(callback, ctypes.c_void_p(0))
    try:
        yield said
    finally:
        _silence(llama_cpp)


def _silence(llama_cpp: Any) -> None:
    """llama.cpp's own log could hold prompt text; nothing of it is kept."""
    if not hasattr(_silence, "callback"):
        _silence.callback = llama_cpp.llama_log_callback(  # type: ignore[attr-defined]
            lambda level, text, data: None
        )
    llama_cpp.llama_log_set(_silence.callback, ctypes.c_void_p(0))  # type: ignore[attr-defined]
