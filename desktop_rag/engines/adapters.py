"""LoRA adapters on a llama.cpp model: loaded once, switched between two answers, each with a scale.

The KV memory holds what the former weights computed: whoever switches adapters must clear it, and
name the adapters in the fingerprint of what is saved.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from desktop_rag.engines.llama_backends import open_llama
from desktop_rag.errors import EngineError, ModelError
from desktop_rag.models.lora import check_adapter

_NAME_BYTES = 256

_File = tuple[str, int, int]
_loaded: dict[int, dict[_File, Any]] = {}


def set_adapters(model_pointer: int, context_pointer: int, adapters: Sequence[tuple[str | Path, float]]) -> None:
    """Make exactly these (path, scale) work on the context from the next token on; none restores the plain model.

    A scale of 1 is the adapter's full strength, 0 switches it off. A file is read once for each model and kept.
    All are checked before anything changes. Raises ModelError("not_installed" | "truncated" | "incompatible"),
    UsageError("bad_request") for a scale out of range.
    """
    llama_cpp = open_llama()

    c: Any = llama_cpp
    architecture = _architecture(c, model_pointer)
    for path, scale in adapters:
        check_adapter(Path(path), scale, architecture)
    active = [(_load(c, model_pointer, Path(path)), scale) for path, scale in adapters if scale]
    handles = (c.llama_adapter_lora_p_ctypes * len(active))(*(handle for handle, _ in active))
    scales = (ctypes.c_float * len(active))(*(scale for _, scale in active))
    if code := int(c.llama_set_adapters_lora(context_pointer, handles, len(active), scales)):
        raise EngineError("crashed", f"The adapters could not be set (code {code}).", "Load the model again.")


def forget(model_pointer: int) -> None:
    """To be called when the model is freed, which frees its adapters: another may get the same address."""
    _loaded.pop(model_pointer, None)


def _load(c: Any, model_pointer: int, path: Path) -> Any:
    """The adapter of this file, read unless it is there already. Raises ModelError("incompatible")."""
    stat = path.stat()
    identity = (str(path.absolute()), stat.st_mtime_ns, stat.st_size)
    known = _loaded.setdefault(model_pointer, {})
    if identity not in known:
        handle = c.llama_adapter_lora_init(model_pointer, os.fsencode(path))
        if not handle:
            raise ModelError(
                "incompatible",
                f"{path.name} does not fit this model: it was made for one of another size.",
                "Choose an adapter made for exactly this model.",
            )
        known[identity] = handle
    return known[identity]


def _architecture(c: Any, model_pointer: int) -> str:
    name = ctypes.create_string_buffer(_NAME_BYTES)
    c.llama_model_meta_val_str(model_pointer, b"general.architecture", name, _NAME_BYTES)
    return name.value.decode("utf-8", "replace")
