"""Load a model with some layers on a device once, to see whether it holds. To be run in a process that may die of it.

Running out of device memory ends in an error at best, and in an abort with some drivers. What the
devices really took is read from the library's own report while loading: its message for every
buffer. No text of a person is anywhere near.
"""

from __future__ import annotations

import ctypes
import os
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from desktop_rag.engines.devices import accelerators, device_pointers, missing_device
from desktop_rag.engines.llama_backends import open_llama
from desktop_rag.errors import ModelError

_KV_TYPES = {"f16": 1, "q8_0": 8, "q4_0": 2}
_MICRO_BATCH = 128
_OFFLOADED = re.compile(r"offloaded (\d+)/(\d+) layers")
_BUFFER = re.compile(r":\s+(\S+)\s+(model|KV|compute|output) buffer size\s+(?:is|=)\s+([\d.]+) MiB")


@dataclass(frozen=True, slots=True)
class Trial:
    """What is tried. `gpu_layers` counts the output matrix as one; -1 means all. `device` None means all devices."""

    path: str
    gpu_layers: int
    context: int
    kv_type: str = "f16"
    micro_batch: int | None = None
    flash_attention: bool | None = None
    device: str | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """What the library reported: layers moved of those there are, bytes by device and purpose, free bytes by device.

    `buffers` is {device: {"model" | "KV" | "compute" | "output": bytes}}, the processor's included.
    """

    gpu_layers: int
    layers: int
    context: int
    buffers: dict[str, dict[str, int]] = field(default_factory=dict)
    free_before: dict[str, int] = field(default_factory=dict)
    free_after: dict[str, int] = field(default_factory=dict)

    def on_devices(self) -> dict[str, int]:
        """Bytes that lie on each accelerator."""
        return {name: sum(self.buffers.get(name, {}).values()) for name in self.free_before}

    def to_payload(self) -> dict[str, Any]:
        """JSON-ready; `Held(**payload)` is the same again."""
        return asdict(self)


def load(trial: Trial) -> Held:
    """Load, compute one micro batch, free. The process's llama.cpp log is this function's from here on.

    Raises ModelError: "backend_missing" without the device, "out_of_memory" when it does not hold.
    """
    llama_cpp = open_llama()

    there = accelerators()
    if trial.gpu_layers and not there:
        raise missing_device(trial.device, [])
    # An empty list of devices, where no layer is moved: else a device still helps with long prompts.
    names = [] if not trial.gpu_layers else [device.name for device in there] if not trial.device else [trial.device]
    chosen = device_pointers(names)
    free_before = {device.name: device.free_bytes for device in there}
    report = _Report(llama_cpp)
    llama_cpp.llama_backend_init()
    loaded = _Loaded(llama_cpp, trial, chosen)
    try:
        loaded.compute()
        free_after = {device.name: device.free_bytes for device in accelerators()}
    finally:
        loaded.close()
    moved, layers = report.layers()
    return Held(moved, layers, loaded.size, report.buffers(), free_before, free_after)


class _Report:
    """The library's messages while loading."""

    _keep: Any = None

    def __init__(self, c: Any) -> None:
        self.lines: list[str] = []
        # Kept by the class: the library calls it as long as the process lives.
        _Report._keep = c.llama_log_callback(self._take)
        c.llama_log_set(_Report._keep, ctypes.c_void_p(0))

    def _take(self, level: int, text: bytes, data: Any) -> None:
        self.lines.append(text.decode("utf-8", "replace"))

    def layers(self) -> tuple[int, int]:
        """Layers moved, and how many could be."""
        found = _OFFLOADED.search("".join(self.lines))
        return (int(found[1]), int(found[2])) if found else (0, 0)

    def buffers(self) -> dict[str, dict[str, int]]:
        """Bytes by device and purpose; a buffer told twice (laid out again) counts once."""
        sizes: dict[str, dict[str, int]] = {}
        models: dict[str, float] = {}
        for name, purpose, mebibytes in _BUFFER.findall("".join(self.lines)):
            if purpose == "model":
                # A device may have several buffers of weights.
                models[name] = models.get(name, 0.0) + float(mebibytes)
                sizes.setdefault(name, {})[purpose] = round(models[name] * 2**20)
            else:
                sizes.setdefault(name, {})[purpose] = round(float(mebibytes) * 2**20)
        return sizes


class _Loaded:
    """A model and a context with the trial's options."""

    def __init__(self, c: Any, trial: Trial, devices: Any) -> None:
        self._c = c
        parameters = c.llama_model_default_params()
        parameters.n_gpu_layers = trial.gpu_layers
        parameters.devices = ctypes.cast(devices, ctypes.c_void_p)
        self._model = c.llama_model_load_from_file(os.fsencode(trial.path), parameters)
        if not self._model:
            raise _does_not_hold(trial, "its weights")
        self._micro_batch = min(trial.micro_batch or _MICRO_BATCH, trial.context)
        options = c.llama_context_default_params()
        options.n_ctx = trial.context
        options.n_batch = options.n_ubatch = self._micro_batch
        options.type_k = options.type_v = _KV_TYPES[trial.kv_type]
        if trial.flash_attention is not None:
            options.flash_attn_type = int(trial.flash_attention)
        self._context = c.llama_init_from_model(self._model, options)
        if not self._context:
            c.llama_model_free(self._model)
            raise _does_not_hold(trial, "its working memory")
        self.size = int(c.llama_n_ctx(self._context))
        self._trial = trial

    def compute(self) -> None:
        """One micro batch: some drivers only take memory when it is used."""
        count = min(self._micro_batch, self.size - 1)
        tokens = (self._c.llama_token * count)()
        if self._c.llama_decode(self._context, self._c.llama_batch_get_one(tokens, count)):
            raise _does_not_hold(self._trial, "a computation")
        self._c.llama_synchronize(self._context)

    def close(self) -> None:
        self._c.llama_free(self._context)
        self._c.llama_model_free(self._model)


def _does_not_hold(trial: Trial, what: str) -> ModelError:
    where = trial.device or "the devices"
    return ModelError(
        "out_of_memory",
        f"{Path(trial.path).name} does not hold with {trial.gpu_layers} layers on {where}: no room for {what}.",
        "Put fewer layers on the GPU, or choose a shorter context.",
    )
