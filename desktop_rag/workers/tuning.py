"""How a model is loaded on this machine, and what the machine can do at most: measured once, remembered."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

from desktop_rag.engines import calibration
from desktop_rag.engines.protocol import Engine, Finish, LoadOptions
from desktop_rag.engines.registry import LLAMA_CPP
from desktop_rag.errors import DesktopRagError, StoreError
from desktop_rag.logs import log
from desktop_rag.meter import machine, roofline
from desktop_rag.models.installed import Installed
from desktop_rag.settings import Settings
from desktop_rag.workers.client import WorkerClient
from desktop_rag.workers.placing import place

Event = dict[str, Any]
LEAST_TOKENS = 16
_LOOK_SECONDS = 0.05


def load_options(
    data_dir: Path, model: Installed, engine: str, settings: Settings, given: Mapping[str, Any]
) -> LoadOptions:
    """The settings' choices and what was found fastest for this model here; `given` goes before both."""
    context = int(settings["context"])
    values: dict[str, Any] = {
        "context": min(context, model.context) if model.context else context,
        "kv_type": settings["kv_type"],
        "adapters": model.adapters,
    }
    found = calibration.remembered(data_dir, calibration.model_key(model.path)) if engine == LLAMA_CPP else None
    if found is not None:
        values |= {
            "threads": found.threads,
            "threads_batch": found.threads_batch,
            "micro_batch": found.micro_batch,
            # A compressed KV memory needs flash attention, however fast the other way is.
            "flash_attention": found.flash_attention or str(given.get("kv_type", values["kv_type"])) != "f16",
        }
    if engine == LLAMA_CPP and "gpu_layers" not in given:
        placed = place(
            data_dir,
            model.path,
            context=int(given.get("context", values["context"])),
            kv_type=str(given.get("kv_type", values["kv_type"])),
            micro_batch=values.get("micro_batch"),
            wanted=int(settings["gpu_layers"]),
        )
        # Also before what was given: a longer context was tried and did not hold.
        given = {**given, "gpu_layers": placed.gpu_layers, "context": placed.context}
    if "adapters" in given:
        given = {**given, "adapters": tuple((str(path), float(scale)) for path, scale in given["adapters"])}
    return LoadOptions(**{**values, **given})


class Limits:
    """This machine's limit, as far as it was measured. Measuring is the `models` role's: its buffers are not chat's."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._machine: machine.Machine | None = None

    @property
    def known(self) -> bool:
        """Whether the machine was measured, in a quiet moment."""
        found = self._found()
        return found is not None and not found.disturbed

    def measure(self) -> Iterator[None]:
        """Have a process of its own measure; what cannot be measured stays unknown. Closing it ends that process."""
        measuring = WorkerClient("models", ["--data-dir", str(self._data_dir)], disposable=True)
        # In a thread: whoever runs these steps must not wait for a process to start, or for its next sign.
        waiting = threading.Thread(target=_measured, args=(measuring,), name="measuring", daemon=True)
        waiting.start()
        try:
            while waiting.is_alive():
                waiting.join(_LOOK_SECONDS)
                yield None
        finally:
            measuring.close()
            waiting.join()
            self._machine = None

    def _found(self) -> machine.Machine | None:
        if self._machine is None:
            self._machine = machine.remembered(self._data_dir)
        return self._machine

    def fraction(self, engine: Engine, finish: Finish) -> float | None:
        """The share of the limit that an answer's decoding reached; None where it cannot be told.

        A run that beats the limit proves that it was measured too low: the limit is raised.
        """
        info, speed = engine.info, finish.decode_tps
        if not info.read_bytes or speed is None or finish.generated_tokens < LEAST_TOKENS or info.device != "cpu":
            return None
        limits = self._found()
        if limits is None:
            return None
        context = finish.prompt_tokens + finish.generated_tokens / 2
        kv = float(info.kv_token_bytes or 0)
        # Tokens that prompt lookup proposed and the model agreed with were read for in the same pass.
        speed *= 1 - finish.accepted / finish.generated_tokens
        if not finish.drafted:
            reached = roofline.reached_gbs(speed, info.read_bytes, kv, context)
            better = machine.raised(limits, reached, info.read_bytes)
            if better is not limits:
                self._machine = limits = better
                try:
                    machine.remember(self._data_dir, better)
                except StoreError as error:
                    # No reason to lose an answer that is there.
                    log.warning("the machine's limit could not be kept: %s", error.code)
        limit = limits.gbs_for(info.read_bytes)
        return roofline.fraction(speed, info.read_bytes, kv, context, limit)


def _measured(measuring: WorkerClient) -> None:
    try:
        measuring.call("machine", measure=True)
    except DesktopRagError as error:
        log.warning("the machine could not be measured: %s", error.code)


def calibrate(data_dir: Path, model: Installed, engine: Engine) -> Generator[Event, None, None]:
    """Find the fastest way to run a loaded llama.cpp model, once; nothing for other engines."""
    key = calibration.model_key(model.path)
    pointer: Any = getattr(engine, "model_pointer", None)
    if engine.info.engine != LLAMA_CPP or not key or calibration.remembered(data_dir, key) is not None:
        return
    from desktop_rag.engines.calibration_lane import llama_lanes

    found = yield from calibration.calibrate(llama_lanes(pointer))
    if found.others <= calibration.DISTURBED:
        calibration.remember(data_dir, key, dataclasses.replace(found, rounds=()))
