"""The library's end of the `parse` role: a child reads the files, is polled without blocking, killed when too slow."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from desktop_rag.documents.model import KNOWN, Block, DocumentInfo, Page, UnreadPage
from desktop_rag.errors import DesktopRagError, DocumentError, EngineError
from desktop_rag.workers.client import WorkerClient

# A scanned page full of figures takes a minute on an old machine.
SILENT_SECONDS = 120.0
TOTAL_SECONDS = 900.0
_POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class FoundChild:
    """A file inside the file: its name there, its content's hash and size in bytes, or why it cannot be had."""

    name: str
    sha256: str | None
    size: int
    error: DocumentError | None


@dataclass(slots=True)
class ParsedFile:
    """All of a file: its pages in order, those that could not be read among them."""

    info: DocumentInfo | None = None
    pages: list[Page | UnreadPage] = field(default_factory=list)
    children: list[FoundChild] = field(default_factory=list)

    @property
    def read_pages(self) -> int:
        """How many pages gave text."""
        return sum(isinstance(page, Page) for page in self.pages)

    @property
    def recognised_pages(self) -> int:
        """How many of them are pictures that were read by text recognition."""
        return sum(isinstance(page, Page) and page.confidence is not None for page in self.pages)


class Parser:
    """Reads files one at a time in a disposable child; all of its requests are driven by one thread."""

    def __init__(self, data_dir: Path) -> None:
        self._client = WorkerClient("parse", ["--data-dir", str(data_dir)], disposable=True)
        self._taken = False

    def read(
        self,
        path: Path,
        password: str | None = None,
        member: Sequence[str] = (),
        *,
        recognise: bool = True,
        known: Mapping[int, Page] | None = None,
    ) -> Generator[ParsedFile, None, None]:
        """Yield the growing result at least every few hundredths of a second; the last yield is complete.

        `member` is the way to a file inside; without `recognise` pages that are pictures stay unread, and those
        that are `known` by their number are taken from there.
        Raises DocumentError: the reader's own, "parse_timeout", or "unreadable" after a crash.
        """
        result = ParsedFile()
        known = known or {}
        way = {"path": str(path), "password": password, "member": list(member)}
        with contextlib.closing(self._ask("read", **way, recognise=recognise, known=sorted(known))) as messages:
            for message in messages:
                if message is not None:
                    _take(result, message, known)
                yield result

    def ask(
        self, op: str, path: Path, password: str | None = None, member: Sequence[str] = (), **args: Any
    ) -> Generator[dict[str, Any] | None, None, dict[str, Any]]:
        """The answer to an operation of the parse role other than `read`; yields its events, and None while it waits.

        Raises DocumentError, as `read` does.
        """
        way = {"path": str(path), "password": password, "member": list(member)}
        answer: dict[str, Any] = {}
        with contextlib.closing(self._ask(op, **way, **args)) as messages:
            for message in messages:
                if message is not None and message["event"] == "done":
                    answer = message
                else:
                    yield message
        return answer

    def _ask(self, op: str, **args: Any) -> Generator[dict[str, Any] | None, None, None]:
        """The child's messages to one request, None while there are none.

        Requests take turns here and not in the child: so time counts from when the child begins with
        one, and the child is never ended for somebody else's request.
        """
        while self._taken:
            yield None
        self._taken = True
        inbox: queue.Queue[dict[str, Any] | DesktopRagError] = queue.Queue()
        thread = threading.Thread(target=self._pump, args=(op, args, inbox), daemon=True)
        thread.start()
        started = heard = time.monotonic()
        finished = False
        try:
            while not finished:
                try:
                    message = inbox.get(timeout=_POLL_SECONDS)
                except queue.Empty:
                    if time.monotonic() - heard > SILENT_SECONDS or time.monotonic() - started > TOTAL_SECONDS:
                        raise DocumentError(
                            "parse_timeout", "Reading this file took too long and was stopped.", "It may be damaged."
                        ) from None
                    yield None
                else:
                    now = time.monotonic()
                    if not isinstance(message, DesktopRagError) and message.get("confidence") is not None:
                        # Recognising a page takes seconds, and a scan may have hundreds: only silence ends that.
                        started += now - heard
                    heard = now
                    if isinstance(message, DesktopRagError):
                        finished = True
                        raise _as_document_error(message)
                    finished = message["event"] == "done"
                    yield message
        finally:
            if not finished:
                self._client.kill()
            thread.join(5.0)
            self._taken = False

    @property
    def pid(self) -> int | None:
        """The running child's process id; None when there is none."""
        return self._client.pid

    @property
    def seal(self) -> str | None:
        """How the running child is sealed."""
        return (self._client.hello or {}).get("seal")

    def ensure(self) -> None:
        """Start the child and wait for its handshake."""
        self._client.ready()

    def prove(self, args: dict[str, Any]) -> dict[str, Any]:
        """The proof of the child's seal, also while it reads; {} while none runs and {start} does not ask for one."""
        if self._client.pid is None and not args.get("start"):
            return {}
        return self._client.call("prove", **args)

    def close(self) -> None:
        """End the child."""
        self._client.close()

    def _pump(self, op: str, args: dict[str, Any], inbox: queue.Queue[dict[str, Any] | DesktopRagError]) -> None:
        try:
            for event in self._client.stream(op, **args):
                inbox.put(event)
        except DesktopRagError as error:
            inbox.put(error)


def _as_document_error(error: DesktopRagError) -> DesktopRagError:
    if isinstance(error, EngineError) and error.code in ("crashed", "hung"):
        return DocumentError(
            "unreadable",
            "The reader stopped on this file; it is damaged or asks for too much memory.",
            "The other files go on.",
        )
    return error


def _take(result: ParsedFile, message: dict[str, Any], known: Mapping[int, Page]) -> None:
    if message["event"] == "info":
        result.info = DocumentInfo(
            message["format"], message["title"], message["pages"], dict(message.get("details") or {})
        )
    elif message["event"] == "unread" and message["cause"] == KNOWN:
        result.pages.append(known[message["number"]])
    elif message["event"] == "unread":
        result.pages.append(UnreadPage(message["number"], message["locator"], message["cause"]))
    elif message["event"] == "page":
        blocks = tuple(Block(*block) for block in message["blocks"])
        result.pages.append(
            Page(message["number"], message["locator"], message["text"], blocks, message.get("confidence"))
        )
    elif message["event"] == "child":
        error = DocumentError(*message["error"]) if message["error"] else None
        result.children.append(FoundChild(message["name"], message["sha256"], int(message["size"] or 0), error))
