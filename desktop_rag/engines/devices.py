"""Which devices the loaded llama.cpp build can compute on, and how much memory is free on them.

The list is the library's own: what a build was not made for is not in it, whatever the machine has.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from desktop_rag.engines.llama_backends import library
from desktop_rag.errors import ModelError

Kind = Literal["cpu", "gpu", "igpu", "accel"]

# enum ggml_backend_dev_type
_KINDS: dict[int, Kind] = {0: "cpu", 1: "gpu", 2: "igpu", 3: "accel"}
_OFFLOADABLE = ("gpu", "igpu")


@dataclass(frozen=True, slots=True)
class Device:
    """One device; `name` is the library's ("Vulkan0"), `description` the maker's. Memory in bytes, 0 where unknown.

    An "igpu" shares the machine's memory; an "accel" helps the processor and holds no layers.
    """

    name: str
    description: str
    kind: Kind
    free_bytes: int
    total_bytes: int

    @property
    def takes_layers(self) -> bool:
        """Whether layers of a model can lie on it."""
        return self.kind in _OFFLOADABLE


def devices() -> list[Device]:
    """Every device of this build on this machine, the processor among them."""
    ggml = _ggml()
    return [_describe(ggml, handle) for handle in _handles(ggml)]


def accelerators() -> list[Device]:
    """Those that layers can be moved to; empty where this build or this machine has none."""
    return [device for device in devices() if device.takes_layers]


def backends() -> list[str]:
    """What the library was built with, such as ["Vulkan", "CPU"]."""
    ggml = _ggml()
    count = int(ggml.ggml_backend_reg_count())
    names = (ggml.ggml_backend_reg_name(ggml.ggml_backend_reg_get(at)) for at in range(count))
    return [name.decode("utf-8", "replace") for name in names]


def device_pointers(names: Sequence[str]) -> Any:
    """What `llama_model_params.devices` takes: the devices with these names, then null. Keep it while loading.

    Raises ModelError("backend_missing") for one that is not there (any more).
    """
    ggml = _ggml()
    found = {_describe(ggml, handle).name: handle for handle in _handles(ggml)}
    for name in names:
        if name not in found:
            raise missing_device(name, [device.name for device in accelerators()])
    return (ctypes.c_void_p * (len(names) + 1))(*(found[name] for name in names), None)


def missing_device(name: str | None, there: Sequence[str]) -> ModelError:
    """What a person is told when layers should go to a device that does not exist."""
    if name is None:
        message = "Layers cannot be moved: this build of llama.cpp finds no graphics device on this machine."
    else:
        message = f"The device {name} is not there."
    hint = f"There is: {', '.join(there)}." if there else "Set the layers on the GPU to 0 to compute on the processor."
    return ModelError("backend_missing", message, hint, details={"devices": list(there)})


def _describe(ggml: Any, handle: int) -> Device:
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    ggml.ggml_backend_dev_memory(handle, ctypes.byref(free), ctypes.byref(total))
    # A kind newer than this list holds no layers as far as is known here.
    kind = _KINDS.get(int(ggml.ggml_backend_dev_type(handle)), "accel")
    return Device(
        ggml.ggml_backend_dev_name(handle).decode("utf-8", "replace"),
        ggml.ggml_backend_dev_description(handle).decode("utf-8", "replace").strip(),
        kind,
        _available() if kind == "cpu" else int(free.value),
        int(total.value),
    )


def _available() -> int:
    """What the system would give a process now; the library calls all of the machine's memory free."""
    import psutil  # type: ignore[import-untyped]

    return int(psutil.virtual_memory().available)


def _handles(ggml: Any) -> Iterator[int]:
    for at in range(int(ggml.ggml_backend_dev_count())):
        yield int(ggml.ggml_backend_dev_get(at))


class _Ggml:
    """The functions that llama_cpp's Python part does not bind, from the libraries it loaded."""

    def __init__(self) -> None:
        # Two libraries: on Windows a function is only found in the one that defines it.
        base, registry = (library(name) for name in ("ggml-base", "ggml"))
        handle, size_pointer = ctypes.c_void_p, ctypes.POINTER(ctypes.c_size_t)
        for part, name, arguments, result in (
            (registry, "ggml_backend_dev_count", [], ctypes.c_size_t),
            (registry, "ggml_backend_dev_get", [ctypes.c_size_t], handle),
            (registry, "ggml_backend_reg_count", [], ctypes.c_size_t),
            (registry, "ggml_backend_reg_get", [ctypes.c_size_t], handle),
            (base, "ggml_backend_reg_name", [handle], ctypes.c_char_p),
            (base, "ggml_backend_dev_name", [handle], ctypes.c_char_p),
            (base, "ggml_backend_dev_description", [handle], ctypes.c_char_p),
            (base, "ggml_backend_dev_type", [handle], ctypes.c_int),
            (base, "ggml_backend_dev_memory", [handle, size_pointer, size_pointer], None),
        ):
            function = getattr(part, name)
            function.argtypes, function.restype = arguments, result
            setattr(self, name, function)


_bound: list[_Ggml] = []


def _ggml() -> Any:
    if not _bound:
        _bound.append(_Ggml())
    return _bound[0]
