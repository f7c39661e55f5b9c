"""The `trial` role: loads a model once with layers on a device, in a process that may crash or hang doing it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from desktop_rag.engines.offload_trial import Held, Trial, load
from desktop_rag.errors import EngineError
from desktop_rag.workers.client import WorkerClient
from desktop_rag.workers.loop import Operation, Request, Service

SECONDS = 300.0


def open_service(data_dir: Path, options: dict[str, Any]) -> Service:
    """The role's one operation."""
    return Service({"load": _load})


def _load(request: Request) -> Operation:
    """Load {path, gpu_layers, context, …}; what the devices took."""
    yield None
    return load(Trial(**request.args)).to_payload()


def in_child(data_dir: Path, seconds: float = SECONDS) -> Callable[[Trial], Held]:
    """What `verify_plan` needs: every attempt in a fresh process, ended after `seconds`.

    Raises what the attempt raised, EngineError("crashed") when its process died, ("hung") when time was up.
    """

    def attempt(trial: Trial) -> Held:
        client = WorkerClient("trial", ["--data-dir", str(data_dir)], disposable=True)
        late = threading.Event()

        def end() -> None:
            late.set()
            client.kill()

        timer = threading.Timer(seconds, end)
        timer.start()
        try:
            answer = client.call("load", **asdict(trial))
        except EngineError as error:
            if late.is_set():
                raise EngineError("hung", f"Loading took longer than {seconds:g} s.", "Try fewer layers.") from error
            raise
        finally:
            timer.cancel()
            timer.join()
            client.close()
        return Held(**{name: answer[name] for name in Held.__dataclass_fields__})

    return attempt
