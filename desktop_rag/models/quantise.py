"""Store a GGUF model's weights in fewer bits, by llama.cpp's own quantiser, with the size told beforehand.

The work is one native call that cannot be interrupted: a cancelled request ends with its process
(the role `models` is disposable), and what was being written is swept away later.
"""

from __future__ import annotations

import ctypes
import os
import queue
import re
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desktop_rag.engines.llama_backends import open_llama
from desktop_rag.errors import ModelError, UsageError
from desktop_rag.models.facts import FILE_TYPES, facts_of
from desktop_rag.models.making import Event, progress

TYPES = ("Q4_0", "Q4_1", "Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0", "F16")
"""What is offered; names as everywhere, codes from llama.h."""
CODES = {name: code for code, name in FILE_TYPES.items()}
FULL = ("F32", "F16", "BF16")
COUNTED = re.compile(r"^\[\s*(\d+)/\s*(\d+)\]")
TOLD_SIZE = re.compile(r"quant size\s*=\s*([\d.]+) MiB \(([\d.]+) BPW\)")
TOLD_FALLBACK = re.compile(r"(\d+) of (\d+) tensor\(s\) required fallback")


@dataclass(frozen=True, slots=True)
class Forecast:
    """What quantising will give: bytes on disk, bits a weight, and tensors that need another type than wished."""

    size: int
    bits: float
    fallback: int
    tensors: int
    warning: str


def check_type(name: str) -> str:
    """The proper name of a type, whatever its case. Raises UsageError("bad_request")."""
    for known in TYPES:
        if known.casefold() == name.casefold():
            return known
    raise UsageError("bad_request", f"“{name}” is no quantisation.", f"Use one of: {', '.join(TYPES)}.")


def forecast(source: Path, to: str) -> Forecast:
    """Ask the quantiser itself, without writing anything. Errors as in `quantise`."""
    facts = _check_source(source, check_type(to))
    lines: list[str] = []
    _run(source, source.with_name("nothing-is-written"), to, lines.append, dry=True)
    text = "".join(lines)
    size, fallback = TOLD_SIZE.search(text), TOLD_FALLBACK.search(text)
    if size is None:
        raise ModelError("incompatible", f"{source.name} cannot be quantised.", "Choose another model.")
    header = facts.size - facts.weights
    return Forecast(
        size=round(float(size[1]) * 2**20) + header,
        bits=float(size[2]),
        fallback=int(fallback[1]) if fallback else 0,
        tensors=facts.tensors,
        warning=_warning(facts.quantisation, to),
    )


def quantise(source: Path, target: Path, to: str) -> Generator[Event, None, None]:
    """Write `source` to `target` as `to` (a name of TYPES); yields progress and warnings.

    Raises UsageError("bad_request") for an unknown type, ModelError("incompatible") for what the
    quantiser cannot do.
    """
    facts = _check_source(source, check_type(to))
    if warning := _warning(facts.quantisation, to):
        yield {"event": "warning", "text": warning}
    told: queue.Queue[str | None] = queue.Queue()
    failed: list[ModelError] = []

    def work() -> None:
        try:
            _run(source, target, to, told.put, dry=False)
        except ModelError as error:
            failed.append(error)
        finally:
            told.put(None)

    # Not a daemon: a cancelled request waits here until the client ends the process with the work.
    thread = threading.Thread(target=work, name="quantise")
    thread.start()
    try:
        yield progress(f"Quantising to {to}", 0.0)
        while (line := told.get()) is not None:
            if counted := COUNTED.match(line):
                yield progress(f"Quantising to {to}", int(counted[1]) / int(counted[2]))
            elif fallback := TOLD_FALLBACK.search(line):
                yield {"event": "warning", "text": _fallback_words(int(fallback[1]), int(fallback[2]), to)}
    finally:
        thread.join()
    if failed:
        raise failed[0]


@dataclass(frozen=True, slots=True)
class _Source:
    quantisation: str
    size: int
    weights: int
    tensors: int


def _check_source(source: Path, to: str) -> _Source:
    facts = facts_of(source)
    if facts.format != "gguf":
        raise ModelError("incompatible", f"{facts.name} is not a GGUF file.", "Convert the original instead.")
    if facts.quantisation == to:
        raise UsageError("bad_request", f"{facts.name} is {to} already.", "Choose another quantisation.")
    from desktop_rag.models.inspect import inspect

    table = inspect(source).table
    return _Source(facts.quantisation, facts.size, sum(tensor.bytes for tensor in table), len(table))


def _warning(source: str, to: str) -> str:
    if source in FULL:
        return ""
    if to in FULL:
        return f"The weights are {source or 'quantised'}: {to} takes more space, but what was rounded away is not back."
    return (
        f"The weights are {source or 'quantised'} already: rounding them again loses more than quantising the original."
    )


def _fallback_words(fallback: int, tensors: int, to: str) -> str:
    return f"{fallback} of {tensors} tensors do not divide into blocks of {to}: they get a neighbouring type."


def _run(source: Path, target: Path, to: str, told: Callable[[str], Any], *, dry: bool) -> None:
    try:
        llama_cpp = open_llama()
    except ImportError as error:
        raise ModelError("backend_missing", "llama.cpp is missing.", "Install the application again.") from error
    c: Any = llama_cpp

    @c.llama_log_callback  # type: ignore[untyped-decorator, unused-ignore]
    def listen(_level: int, text: bytes, _data: Any) -> None:
        told(text.decode("utf-8", "replace"))

    c.llama_log_set(listen, ctypes.c_void_p())
    try:
        parameters = c.llama_model_quantize_default_params()
        parameters.ftype = CODES[to]
        parameters.allow_requantize = True
        parameters.dry_run = dry
        parameters.nthread = os.cpu_count() or 1
        code = c.llama_model_quantize(os.fsencode(source), os.fsencode(target), ctypes.byref(parameters))
    finally:
        c.llama_log_set(_silent(c), ctypes.c_void_p())
    if code != 0:
        raise ModelError("incompatible", f"llama.cpp cannot quantise {source.name} to {to}.", "Choose another type.")


_kept: dict[int, Any] = {}


def _silent(c: Any) -> Any:
    """A listener that lives as long as the library may call it."""
    if id(c) not in _kept:
        _kept[id(c)] = c.llama_log_callback(lambda _level, _text, _data: None)
    return _kept[id(c)]
