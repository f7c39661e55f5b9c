"""llama-cpp-python with something to compute on: the one place that imports it.

A build for one machine carries the processor's backend inside. A build for all machines carries one per
generation of processors (`libggml-cpu-haswell.so` and its like, `GGML_CPU_ALL_VARIANTS`) beside libllama, and
must be told to load the best one before the first model: the library would look beside the program and in the
current folder, where anybody may put a file.
"""

from __future__ import annotations

import ctypes
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from desktop_rag.errors import ModelError

VARIANT = "DESKTOP_RAG_CPU_VARIANT"
"""Environment variable: the name of the variant to load instead of the best, for tests and for finding faults."""

_PATTERNS = ("libggml-cpu-*.so", "libggml-cpu-*.dylib", "ggml-cpu-*.dll")
_NAME = re.compile(r"^(?:lib)?ggml-cpu-(.+)\.(?:so|dylib|dll)$")
# dlopen(3): a handle only if the library is loaded already.
_NOT_LOADED_ANEW = getattr(os, "RTLD_NOLOAD", 0)


def open_llama() -> Any:
    """The module `llama_cpp`, with a backend for this processor loaded.

    Raises ModelError("backend_missing") where the wanted variant is not there or does not run here, ImportError
    without the package.
    """
    import llama_cpp

    _load_backends()
    return llama_cpp


def variants() -> tuple[str, ...]:
    """The names of the processor's backends that this build carries, such as "haswell"; () where there is only one."""
    return tuple(sorted(_name(file) for file in _variant_files()))


def chosen_variant() -> str | None:
    """The name of the one that is loaded; None in a build that carries only one. Loads llama.cpp."""
    open_llama()
    loaded = [file for file in _variant_files() if _is_loaded(file)]
    return _name(loaded[0]) if loaded else None


def library(stem: str) -> ctypes.CDLL:
    """A handle to one of the libraries that llama.cpp consists of: "llama", "ggml", "ggml-base" or "ggml-cpu".

    Raises OSError where it is not there.
    """
    open_llama()
    if stem == "ggml-cpu":
        for file in _variant_files():
            if _is_loaded(file):
                return ctypes.CDLL(str(file))
    return _in_folder(stem)


def _folder() -> Path:
    import llama_cpp

    return Path(llama_cpp.__file__).parent / "lib"


def _in_folder(stem: str) -> ctypes.CDLL:
    # A wheel holds each library under several names, as copies: opened by a name that libllama does not use, one
    # would be there twice, each with backends of its own. A handle finds what its library depends on as well.
    stem = stem if sys.platform == "win32" else "llama"
    for file in (f"lib{stem}.so", f"lib{stem}.dylib", f"{stem}.dll"):
        if (_folder() / file).exists():
            return ctypes.CDLL(str(_folder() / file))
    raise OSError(stem)


def _variant_files() -> list[Path]:
    return sorted(file for pattern in _PATTERNS for file in _folder().glob(pattern))


def _name(file: Path) -> str:
    found = _NAME.match(file.name)
    return found.group(1) if found else file.stem


def _is_loaded(file: Path) -> bool:
    if sys.platform == "win32" or not _NOT_LOADED_ANEW:
        return False
    try:
        ctypes.CDLL(str(file), mode=_NOT_LOADED_ANEW)
    except OSError:
        return False
    return True


@cache
def _load_backends() -> None:
    files = _variant_files()
    if not files:
        return
    registry = _in_folder("ggml")
    with _quietly(registry):
        _load(registry, files)


def _load(registry: ctypes.CDLL, files: list[Path]) -> None:
    wanted = os.environ.get(VARIANT)
    if wanted:
        _load_one(registry, {_name(file): file for file in files}, wanted)
        return
    # A file named in this variable would be loaded besides.
    os.environ.pop("GGML_BACKEND_PATH", None)
    load_all = registry.ggml_backend_load_all_from_path
    load_all.argtypes, load_all.restype = [ctypes.c_char_p], None
    load_all(os.fsencode(_folder()))
    count = registry.ggml_backend_reg_count
    count.restype = ctypes.c_size_t
    if not count():
        raise ModelError(
            "backend_missing",
            "llama.cpp has no part that runs on this processor.",
            "Install the application again; if that does not help, this processor is too old for it.",
        )


@contextmanager
def _quietly(registry: ctypes.CDLL) -> Iterator[None]:
    """Without a line on stderr for what is loaded and what is not."""
    callback = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
    deaf = callback(lambda level, text, data: None)
    registry.ggml_log_set(deaf, None)
    try:
        yield
    finally:
        registry.ggml_log_set(None, None)


def _load_one(registry: ctypes.CDLL, files: dict[str, Path], wanted: str) -> None:
    load = registry.ggml_backend_load
    load.argtypes, load.restype = [ctypes.c_char_p], ctypes.c_void_p
    if wanted not in files or not load(os.fsencode(files[wanted])):
        raise ModelError(
            "backend_missing",
            f"llama.cpp's variant “{wanted}” is not there, or does not run on this processor.",
            f"There is: {', '.join(sorted(files))}. Leave {VARIANT} out for the best one.",
        )
