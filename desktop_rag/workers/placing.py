"""How many layers of a model go onto devices: planned from its file, tried in a child process, remembered.

A device holds another number of layers when other programs use it: what was remembered is void as
soon as less is free than when it was tried.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desktop_rag.engines.calibration import machine_key, model_key
from desktop_rag.engines.devices import Device, accelerators, missing_device
from desktop_rag.engines.offload_trial import Trial
from desktop_rag.engines.offload_verify import Attempt, verify_plan
from desktop_rag.errors import StoreError
from desktop_rag.logs import log
from desktop_rag.models.inspect import inspect
from desktop_rag.models.offload import plan_offload
from desktop_rag.models.shape import Shape, shape_of_gguf
from desktop_rag.store.files import write_private
from desktop_rag.workers.trial_service import in_child

FILE = "placement.json"
MARGIN = 1 << 30
# Less free memory than when it was tried, by more than this, and it is tried again.
TOLERANCE = 128 << 20
AUTOMATIC = -1


@dataclass(frozen=True, slots=True)
class Placement:
    """What to load with: the output matrix counts as one of `gpu_layers`; `sentence` is for the model's card.

    `tried` are the attempts as {"gpu_layers", "context", "error"}; empty where nothing had to be tried.
    """

    gpu_layers: int
    context: int
    sentence: str
    tried: tuple[dict[str, Any], ...] = ()


def place(
    data_dir: Path,
    path: Path,
    *,
    context: int,
    kv_type: str = "f16",
    micro_batch: int | None = None,
    wanted: int = AUTOMATIC,
    attempt: Attempt | None = None,
    listed: Callable[[], Sequence[Device]] = accelerators,
) -> Placement:
    """Decide for a GGUF file; `wanted` AUTOMATIC takes what fits, 0 none, else so many layers.

    Raises ModelError("backend_missing") when layers are wanted and no device is there, ("out_of_memory")
    when not even one holds; whether the processor computes instead is for the person to say.
    """
    devices = listed()
    shape = shape_of_gguf(inspect(path))
    if wanted == 0 or (wanted == AUTOMATIC and not devices):
        return Placement(0, context, f"0 of {shape.layers} layers on GPU")
    if not devices:
        raise missing_device(None, [])
    layers = _planned(shape, devices, context, kv_type, micro_batch) if wanted == AUTOMATIC else wanted
    if layers == 0:
        return Placement(0, context, f"0 of {shape.layers} layers on GPU: too little memory is free on it")
    trial = Trial(str(path), min(layers, shape.layers + 1), context, kv_type, micro_batch)
    key = _key(path, trial, wanted, devices)
    known = _remembered(data_dir, key, devices)
    if known is not None:
        return known
    verified = verify_plan(trial, attempt or in_child(data_dir))
    tried = tuple(verified.to_payload()["tried"])
    found = Placement(verified.gpu_layers, verified.context, verified.sentence, tried)
    _remember(data_dir, key, devices, found)
    return found


def _planned(shape: Shape, devices: Sequence[Device], context: int, kv_type: str, micro_batch: int | None) -> int:
    return plan_offload(shape, devices, context, kv_type, micro_batch=micro_batch, margin=MARGIN).gpu_layers


def _key(path: Path, trial: Trial, wanted: int, devices: Sequence[Device]) -> str:
    """Everything that decides but the free memory, which changes all the time."""
    there = ", ".join(f"{device.name} {device.description} {device.total_bytes}" for device in devices)
    layers = "automatic" if wanted == AUTOMATIC else wanted
    how = f"{layers} layers, {trial.context} tokens, {trial.kv_type}, {trial.micro_batch}"
    return f"{machine_key()} | {there} | {model_key(path)} | {how}"


def _remembered(data_dir: Path, key: str, devices: Sequence[Device]) -> Placement | None:
    row = _read(data_dir).get(key)
    try:
        if row is None or any(device.free_bytes < row["free"][device.name] - TOLERANCE for device in devices):
            return None
        return Placement(int(row["gpu_layers"]), int(row["context"]), str(row["sentence"]))
    except (KeyError, TypeError, ValueError):
        return None


def _remember(data_dir: Path, key: str, devices: Sequence[Device], found: Placement) -> None:
    rows = _read(data_dir)
    rows[key] = {
        "gpu_layers": found.gpu_layers,
        "context": found.context,
        "sentence": found.sentence,
        "free": {device.name: device.free_bytes for device in devices},
    }
    try:
        write_private(data_dir / FILE, json.dumps(rows, indent=1).encode())
    except StoreError as error:
        # It holds, remembered or not: next time it is tried again.
        log.warning("the placement could not be kept: %s", error.code)


def _read(data_dir: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((data_dir / FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}
