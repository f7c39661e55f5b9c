"""The parent's end: one child process per role, spoken to by requests that stream events.

A client starts its process on first use, notices a crash, a hang or a wrong protocol, turns each
into one `EngineError`, and starts afresh (with back-off) at the next request.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import queue
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from desktop_rag.errors import DesktopRagError, EngineError, from_payload
from desktop_rag.offline import worker_environment
from desktop_rag.workers.program import check_unchanged, worker_command
from desktop_rag.workers.protocol import PROTOCOL, Message, decode, encode, lines

START_SECONDS = 60.0
LOOK_SECONDS = 0.5
HUNG_SECONDS = 60.0
CANCEL_SECONDS = 0.4
TERMINATE_SECONDS = 0.3
BACK_OFF = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
STABLE_SECONDS = 60.0


class _Process:
    """One running child and the queues of its open requests."""

    def __init__(
        self, command: list[str], on_end: Callable[[_Process], None], environment: dict[str, str] | None = None
    ) -> None:
        self.child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=environment,
        )
        self.hello: Message | None = None
        self.fatal: DesktopRagError | None = None
        self.greeted = threading.Event()
        self.upgrading = False
        self.started = time.monotonic()
        self.last_sign = self.started
        self.open: dict[int, queue.Queue[Message]] = {}
        self.asked: dict[int, str] = {}
        self.ended = threading.Event()
        self.stderr: deque[str] = deque(maxlen=40)
        self._on_end = on_end
        self._write_lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._read, name="worker-out", daemon=True),
            threading.Thread(target=self._drain, name="worker-err", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def send(self, message: Message) -> None:
        assert self.child.stdin is not None
        with self._write_lock, contextlib.suppress(BrokenPipeError, ValueError, OSError):
            view = memoryview(encode(message))
            while view:
                view = view[self.child.stdin.write(view) or 0 :]

    def _read(self) -> None:
        assert self.child.stdout is not None
        with contextlib.suppress(ValueError, OSError):
            for line in lines(self.child.stdout):
                message = decode(line)
                if message is not None:
                    self.last_sign = time.monotonic()
                    self._dispatch(message)
        self.child.wait()
        self._threads[1].join(1.0)
        self.ended.set()
        self.greeted.set()
        for waiting in list(self.open.values()):
            waiting.put({"event": "gone"})
        self._on_end(self)

    def _dispatch(self, message: Message) -> None:
        event, number, error = message.get("event"), message.get("id"), message.get("error")
        if number is not None:
            waiting = self.open.get(number) if isinstance(number, int) else None
            if waiting is not None:
                waiting.put(message)
        elif event == "hello":
            self.hello = message
            self.greeted.set()
        elif event == "upgrading":
            self.upgrading = True
        elif event == "fatal" and isinstance(error, dict):
            self.fatal = from_payload(error)

    def _drain(self) -> None:
        assert self.child.stderr is not None
        with contextlib.suppress(ValueError, OSError):
            for line in lines(self.child.stderr):
                self.stderr.append(line.decode("utf-8", "replace").rstrip()[:4000])

    def stop(self, patience: float) -> None:
        """Close the pipe (the worker leaves by itself), then terminate, then kill."""
        assert self.child.stdin is not None
        with contextlib.suppress(OSError):
            self.child.stdin.close()
        for end in (None, self.child.terminate, self.child.kill):
            if end is not None:
                end()
            if self.ended.wait(patience):
                break
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(2.0)
        for pipe in (self.child.stdout, self.child.stderr):
            if pipe is not None:
                pipe.close()

    def outcome(self) -> str:
        """One clause on how the process ended."""
        code = self.child.poll()
        if code is not None and code < 0:
            with contextlib.suppress(ValueError):
                return f"it was ended by {signal.Signals(-code).name}"
        return f"it left with code {code}"


def _places(lines: Iterable[str]) -> dict[str, Any]:
    """Where our own code broke, if the worker said so before it left.

    Whatever else is on stderr comes from libraries, may quote documents, and goes nowhere.
    """
    for line in lines:
        message = decode(line.encode())
        if message is not None and message.get("code") == "bug":
            return dict(message.get("details") or {})
    return {}


class WorkerClient:
    """One role's process, restarted when needed. Thread-safe; events of one request arrive in order."""

    def __init__(
        self,
        role: str,
        arguments: list[str],
        *,
        disposable: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.role = role
        self.on_state: Callable[[str], None] | None = None
        self.on_busy: Callable[[bool], None] | None = None
        self._arguments = arguments
        self._disposable = disposable
        self._environment = environment
        self._process: _Process | None = None
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._crashes = 0
        self._state: str | None = None
        self._closed = threading.Event()
        self._ways = 0
        self._streams = 0

    @property
    def hello(self) -> Message | None:
        """The handshake of the running process, if it is up."""
        process = self._process
        return process.hello if process and not process.ended.is_set() else None

    @property
    def pid(self) -> int | None:
        """The running process's id."""
        process = self._process
        return process.child.pid if process and not process.ended.is_set() else None

    @property
    def busy(self) -> bool:
        """Whether any request has not ended yet."""
        process = self._process
        return process is not None and bool(process.open)

    def start(self) -> None:
        """Begin starting the process without waiting for it."""
        self._running()

    def give_way(self, on: bool) -> None:
        """Let the process's background work rest in between, until each who asked for it says that it may go on."""
        with self._lock:
            self._ways += 1 if on else -1
            if self._process is not None:
                self._process.send({"op": "give_way", "on": self._ways > 0})

    def stream(self, op: str, **args: Any) -> Iterator[Message]:
        """Run one operation; yields its events, the last one being "done". Closing it cancels the work.

        Raises the worker's own DesktopRagError, or EngineError when the process crashed or hung.
        """
        self._count(1)
        try:
            yield from self._stream(op, args)
        finally:
            self._count(-1)

    def _count(self, change: int) -> None:
        """Tell who wants to know when the first request begins and the last has ended."""
        with self._lock:
            before, self._streams = self._streams, self._streams + change
            if self.on_busy is not None and bool(before) != bool(self._streams):
                self.on_busy(bool(self._streams))

    def _stream(self, op: str, args: Mapping[str, Any]) -> Iterator[Message]:
        process = self.ready()
        number = next(self._numbers)
        inbox: queue.Queue[Message] = queue.Queue()
        process.open[number] = inbox
        process.asked[number] = op
        process.send({"id": number, "op": op, "args": args})
        finished = False
        try:
            while True:
                message = self._receive(process, inbox)
                event = message.get("event")
                if event in ("gone", "error"):
                    finished = True
                    raise self._gone(process) if event == "gone" else from_payload(dict(message["error"]))
                finished = event == "done"
                yield message
                if finished:
                    return
        finally:
            if not finished:
                self._cancel(process, number, inbox)
            process.open.pop(number, None)
            process.asked.pop(number, None)

    def call(self, op: str, **args: Any) -> Message:
        """Run one operation to its end and return its "done" event."""
        last: Message = {}
        for event in self.stream(op, **args):
            last = event
        return last

    def cancel(self, op: str | None = None) -> None:
        """Ask the process to stop all it is doing, or every request for one operation; may be called from any thread.

        The streams end by themselves.
        """
        process = self._process
        if process is not None:
            for number in list(process.open):
                if op is None or process.asked.get(number) == op:
                    process.send({"op": "cancel", "target": number})

    def close(self) -> None:
        """End the process and do not start it again."""
        self._closed.set()
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            process.stop(0.5 if self._disposable else 1.5)
            self._tell("stopped")

    def kill(self) -> None:
        """End the process at once; the next request starts a new one. Frees everything it held."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            process.child.terminate()
            if not process.ended.wait(TERMINATE_SECONDS):
                process.child.kill()
            process.stop(2.0)

    def _running(self) -> _Process:
        with self._lock:
            process = self._process
            if process is not None and not process.ended.is_set():
                return process
            if process is not None:
                process.stop(0.1)
            if self._closed.wait(BACK_OFF[min(self._crashes, len(BACK_OFF) - 1)]):
                raise EngineError("start_failed", "The application is closing.")
            check_unchanged()
            self._tell("starting")
            try:
                environment = worker_environment(self.role)
                if self._environment is not None:
                    environment = {**(environment or os.environ), **self._environment}
                self._process = _Process([*worker_command(self.role), *self._arguments], self._on_end, environment)
                if self._ways:
                    self._process.send({"op": "give_way", "on": True})
            except OSError as error:
                raise EngineError(
                    "start_failed", f"The {self.role} process could not start: {error.strerror}."
                ) from error
            return self._process

    def ready(self) -> _Process:
        """Wait for the handshake. Raises EngineError, or the worker's own error when it could not start."""
        process = self._running()
        while not process.greeted.wait(min(LOOK_SECONDS, START_SECONDS)):
            if process.upgrading:
                self._tell("upgrading")
            # A large library that is brought up to date takes minutes, and gives signs of life meanwhile.
            if time.monotonic() - process.last_sign > START_SECONDS:
                self.kill()
                told = f"The {self.role} process did not answer."
                raise EngineError("start_failed", told, "Try again.", retryable=True)
        if process.fatal is not None:
            raise process.fatal
        if process.hello is None:
            raise self._gone(process)
        if process.hello.get("protocol") != PROTOCOL:
            raise EngineError(
                "protocol_mismatch", f"The {self.role} process is of another version.", "Install the application again."
            )
        self._tell("ready")
        return process

    def _receive(self, process: _Process, inbox: queue.Queue[Message]) -> Message:
        while True:
            try:
                return inbox.get(timeout=1.0)
            except queue.Empty:
                if process.ended.is_set() and inbox.empty():
                    # It ended between the handshake and the registration of this request.
                    return {"event": "gone"}
                if time.monotonic() - process.last_sign > HUNG_SECONDS:
                    self.kill()
                    self._tell("crashed")
                    raise EngineError(
                        "hung",
                        f"The {self.role} process stopped answering.",
                        "It was ended; try again.",
                        retryable=True,
                    ) from None

    def _cancel(self, process: _Process, number: int, inbox: queue.Queue[Message]) -> None:
        """Flag first; a disposable worker that does not obey in time is ended."""
        if process.ended.is_set():
            return
        process.send({"op": "cancel", "target": number})
        if not self._disposable:
            return
        deadline = time.monotonic() + CANCEL_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            try:
                if inbox.get(timeout=left).get("event") in ("done", "error", "gone"):
                    return
            except queue.Empty:
                break
        self.kill()

    def _gone(self, process: _Process) -> DesktopRagError:
        if process.fatal is not None:
            return process.fatal
        return EngineError(
            "crashed",
            f"The {self.role} process stopped unexpectedly ({process.outcome()}).",
            "Nothing stored is lost; try again.",
            retryable=True,
            details=_places(process.stderr),
        )

    def _on_end(self, process: _Process) -> None:
        if self._process is not process:
            return
        lived = time.monotonic() - process.started
        self._crashes = 0 if lived > STABLE_SECONDS else self._crashes + 1
        self._tell("crashed")

    def _tell(self, state: str) -> None:
        """Report a change, once."""
        if state != self._state:
            self._state = state
            if self.on_state is not None:
                self.on_state(state)
