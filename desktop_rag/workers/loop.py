"""The inside of a worker: requests come in on a thread, operations run as generators on the main one.

Between two steps of a background operation (indexing) every waiting foreground operation (a
question) is served, so a question never waits longer than one step. Each `yield` is a cancel point.
While another process needs the cores (a model writes), background operations rest after each step.
"""

from __future__ import annotations

import os
import queue
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from desktop_rag.engines.cancel import Cancellation
from desktop_rag.errors import Cancelled, DesktopRagError, UsageError
from desktop_rag.logs import log
from desktop_rag.workers.protocol import BEAT_SECONDS, Message, decode, encode

Operation = Generator[Message | None, None, Message]
# While giving way: how long to rest after a step, in times of what the step took, and at most.
_REST, _MOST_REST_SECONDS = 5.0, 0.3


@dataclass(slots=True)
class Request:
    """One request; `cancelled` may be read from any thread, also from inside native callbacks."""

    id: int
    op: str
    args: dict[str, Any]
    cancelled: Cancellation = field(default_factory=Cancellation)
    begun: float = field(default_factory=time.monotonic)


Handler = Callable[[Request], Operation]
Beside = Callable[[dict[str, Any]], Message]
"""A request's arguments -> the fields of its answer."""


@dataclass(frozen=True, slots=True)
class Service:
    """What a role offers: handlers by operation name, and which of them give way to others."""

    handlers: dict[str, Handler]
    background: frozenset[str] = frozenset()
    close: Callable[[], None] = lambda: None
    """Lets go of files and children. A worker's process just ends; whoever runs a service without one calls this."""
    beside: dict[str, Beside] = field(default_factory=dict)
    """Operations that wait for nobody: each request is answered in a thread of its own, whatever else goes on."""
    children: dict[str, Beside] = field(default_factory=dict)
    """By role, how to ask a process of its own to prove its seal; {} while it does not run."""


def _milliseconds(request: Request) -> float:
    return 1000 * (time.monotonic() - request.begun)


def bug(error: BaseException) -> DesktopRagError:
    """What a person is told of a bug: its kind and the places in our code, never a value."""
    places = [f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)][-8:]
    return DesktopRagError(
        "bug",
        f"Something went wrong inside the application ({type(error).__name__}).",
        "Please report it; nothing stored is lost.",
        details={"places": places[::-1]},
    )


class Channel:
    """The worker's end of the pipe; writing is safe from any thread."""

    def __init__(self, source: BinaryIO, sink: BinaryIO) -> None:
        self._source = source
        self._sink = sink
        self._lock = threading.Lock()

    def send(self, message: Message) -> None:
        """Write one message; a closed pipe means the parent is gone, and so are we."""
        rest = memoryview(encode(message))
        try:
            with self._lock:
                while rest:
                    # An unbuffered pipe may take a part only.
                    rest = rest[self._sink.write(rest) :]
                self._sink.flush()
        except (BrokenPipeError, ValueError):
            os._exit(0)

    def lines(self) -> BinaryIO:
        """The parent's messages as raw lines."""
        return self._source


class Loop:
    """Runs a service until the parent closes the pipe."""

    def __init__(self, channel: Channel, service: Service) -> None:
        self._channel = channel
        self._service = service
        self._incoming: queue.Queue[Request] = queue.Queue()
        self._open: dict[int, Request] = {}
        self._background: deque[tuple[Request, Operation]] = deque()
        self._giving_way = False
        self._rest = 0.0

    def run(self) -> None:
        """Serve for ever; the reader thread ends the process when the parent goes."""
        threading.Thread(target=self._read, name="reader", daemon=True).start()
        threading.Thread(target=self._beat, name="beat", daemon=True).start()
        while True:
            request = self._next_request()
            if request is None:
                self._step_background()
            elif request.op in self._service.background:
                self._begin(request)
            else:
                self._finish(request)

    def _next_request(self) -> Request | None:
        rest, self._rest = self._rest, 0.0
        try:
            return self._incoming.get(block=not self._background or rest > 0, timeout=rest or None)
        except queue.Empty:
            return None

    def _read(self) -> None:
        for line in self._channel.lines():
            message = decode(line)
            if message is None:
                continue
            if message.get("op") == "cancel":
                waiting = self._open.get(int(message.get("target", -1)))
                if waiting is not None:
                    waiting.cancelled.set()
            elif message.get("op") == "give_way":
                self._giving_way = bool(message.get("on"))
            elif "id" in message:
                request = Request(int(message["id"]), str(message.get("op")), dict(message.get("args") or {}))
                if request.op in self._service.beside:
                    threading.Thread(target=self._answer_beside, args=(request,), name=request.op, daemon=True).start()
                    continue
                self._open[request.id] = request
                self._incoming.put(request)
        os._exit(0)

    def _answer_beside(self, request: Request) -> None:
        try:
            self._reply(request, {"event": "done", **self._service.beside[request.op](request.args)})
        except DesktopRagError as error:
            self._fail(request, error)
        except Exception as error:  # noqa: BLE001 - the process's edge: a bug ends its request, not everybody's
            self._fail(request, bug(error))

    def _beat(self) -> None:
        parent = os.getppid()
        pause = threading.Event()
        while not pause.wait(BEAT_SECONDS):
            if os.getppid() != parent:
                os._exit(0)
            self._channel.send({"event": "beat"})

    def _operation(self, request: Request) -> Operation:
        handler = self._service.handlers.get(request.op)
        if handler is None:
            raise UsageError("not_available", f"“{request.op}” is not available yet.")
        try:
            return handler(request)
        except DesktopRagError:
            raise
        except Exception as error:  # the process's edge, as in _step: some handlers work before their first event
            raise bug(error) from error

    def _begin(self, request: Request) -> None:
        try:
            self._background.append((request, self._operation(request)))
        except DesktopRagError as error:
            self._fail(request, error)

    def _finish(self, request: Request) -> None:
        try:
            operation = self._operation(request)
            while self._step(request, operation):
                pass
        except DesktopRagError as error:
            self._fail(request, error)

    def _step_background(self) -> None:
        request, operation = self._background.popleft()
        begun = time.monotonic()
        try:
            if self._step(request, operation):
                self._background.append((request, operation))
        except DesktopRagError as error:
            self._fail(request, error)
        if self._giving_way and self._background:
            self._rest = min(_REST * (time.monotonic() - begun), _MOST_REST_SECONDS)

    def _step(self, request: Request, operation: Operation) -> bool:
        """Advance an operation by one event; False when it ended."""
        try:
            if request.cancelled.is_set():
                operation.close()
                raise Cancelled
            event = next(operation)
        except StopIteration as stop:
            self._reply(request, {"event": "done", **(stop.value or {})})
            self._open.pop(request.id, None)
            log.info("%s done %.0f ms", request.op, _milliseconds(request))
            return False
        except DesktopRagError:
            raise
        except Exception as error:  # the process's edge: a bug ends its request, not everybody's
            raise bug(error) from error
        if event is not None:
            self._reply(request, event)
        return True

    def _reply(self, request: Request, event: Message) -> None:
        self._channel.send({**event, "id": request.id})

    def _fail(self, request: Request, error: DesktopRagError) -> None:
        self._open.pop(request.id, None)
        places = error.details.get("places", "") if error.code == "bug" else ""
        log.warning("%s %s %.0f ms %s", request.op, error.code, _milliseconds(request), places)
        self._reply(request, {"event": "error", "error": error.to_payload()})
