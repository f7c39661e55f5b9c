"""Download one model file: resumed where it stopped, verified before it gets its name.

Runs in the `network` role only. Nothing is sent but the address, the range wanted and a bare
user agent: no cookies, no referrer, no credentials of the system. Redirects are followed to HTTPS
only. A server may drop, stall, ignore ranges, change the file or lie about its length; each ends in
a resumed attempt, a fresh start, or one sentence that says what happened.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from desktop_rag import paths
from desktop_rag.errors import Cancelled, ModelError, UsageError
from desktop_rag.models.cards import incoming
from desktop_rag.models.catalogue import find
from desktop_rag.models.hub import HEADERS, HubFile, locate, open_client, told
from desktop_rag.models.inspect import PART
from desktop_rag.models.part import Part, check_space
from desktop_rag.models.web import (
    AgainError,
    check_address,
    check_status,
    content_range,
    interrupted,
    number,
    refused,
)
from desktop_rag.workers.loop import Operation, Request

REDIRECTS = (301, 302, 303, 307, 308)
MOST_REDIRECTS = 5
MOST_RESTARTS = 3
REPORT_SECONDS = 0.1

Events = Generator[dict[str, Any], None, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One file: its address, where it goes, and what is known of it (`size` in bytes)."""

    url: str
    target: Path
    sha256: str | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait (seconds) for a connection and for the next bytes, and the pauses between attempts.

    An attempt that brought new bytes does not count: a line that drops every minute still gets there.
    """

    connect: float = 15.0
    silence: float = 30.0
    pauses: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0, 8.0)


def download(wanted: Wanted, cancelled: Callable[[], bool], patience: Patience = Patience()) -> Events:
    """Bring the file to `wanted.target`; yields {"event": "progress", received, total, rate, fraction}.

    Returns {path, size, sha256, resumed}. Raises Cancelled (what has arrived stays for the next
    time); NetworkError "offline", "interrupted", "refused", "no_space"; ModelError "checksum",
    "truncated"; StoreError where the folder cannot be written or another process is at it.
    """
    check_address(wanted.url, wanted.url)
    part = Part(wanted.target)
    try:
        return (yield from _attempts(_Transfer(wanted, part, cancelled), patience))
    finally:
        part.close()


def _attempts(transfer: _Transfer, patience: Patience) -> Events:
    yield from transfer.take_up()
    pauses = list(patience.pauses)
    with open_client(httpx.Timeout(patience.silence, connect=patience.connect)) as client:
        while True:
            before = transfer.part.received
            try:
                yield from transfer.attempt(client)
                return transfer.finish()
            except AgainError as again:
                if transfer.part.received > before:
                    pauses = list(patience.pauses)
                if not pauses:
                    raise again.told from again
                pause = max(pauses.pop(0), again.after)
                yield transfer.progress(waiting=pause)
                transfer.wait(pause)


class _Transfer:
    """The state of one download across its attempts."""

    def __init__(self, wanted: Wanted, part: Part, cancelled: Callable[[], bool]) -> None:
        self.part = part
        self._wanted = wanted
        self._cancelled = cancelled
        self._total = wanted.size
        self._resumed = 0
        self._restarts = 0
        self._begun = time.monotonic()
        self._begun_at = 0

    def take_up(self) -> Iterator[dict[str, Any]]:
        """Read back what an earlier download left, if it is of the same file."""
        note = self.part.note()
        if note.get("url") == self._wanted.url and note.get("sha256") == self._wanted.sha256:
            self.part.take_back()
        else:
            self.part.begin_again()
        reported = 0.0
        for _ in self.part.resume():
            self._stop_if_cancelled()
            if time.monotonic() - reported >= REPORT_SECONDS:
                reported = time.monotonic()
                yield self.progress()
        if self._wanted.size is not None and self.part.received > self._wanted.size:
            self.part.begin_again()
        self._resumed = self._begun_at = self.part.received
        self._begun = time.monotonic()
        yield self.progress()

    def attempt(self, client: httpx.Client) -> Iterator[dict[str, Any]]:
        """Ask for the rest and write it. Raises AgainError where another attempt may help."""
        if self._wanted.size is not None:
            if self.part.received == self._wanted.size:
                return
            check_space(self.part.target.parent, self._wanted.size - self.part.received)
        with told(), self._open(client) as response:
            if response.status_code == 416:
                self._past_the_end(response)
                return
            self._accept(response)
            reported = 0.0
            for chunk in response.iter_raw():
                self._stop_if_cancelled()
                self.part.write(chunk)
                if self._total is not None and self.part.received > self._total:
                    self._not_the_file(f"it is longer than {self._total:,} bytes")
                if time.monotonic() - reported >= REPORT_SECONDS:
                    reported = time.monotonic()
                    yield self.progress()
        if self._total is not None and self.part.received < self._total:
            raise AgainError(interrupted("The server stopped in the middle of the file."))
        yield self.progress()

    def finish(self) -> dict[str, Any]:
        """Verify and put in place."""
        sha256 = self.part.finish(self._total, self._wanted.sha256)
        size = self.part.received
        verified = self._wanted.sha256 is not None
        path = str(self._wanted.target)
        return {"path": path, "size": size, "sha256": sha256, "verified": verified, "resumed": self._resumed}

    def progress(self, waiting: float | None = None) -> dict[str, Any]:
        """How far it is; `rate` in bytes a second since the last start, `waiting` seconds until the next attempt."""
        elapsed = time.monotonic() - self._begun
        got, total = self.part.received, self._total
        return {
            "event": "progress",
            "received": got,
            "total": total,
            "rate": round((got - self._begun_at) / elapsed) if elapsed > 0.2 else None,
            "fraction": round(got / total, 4) if total else None,
            **({"waiting": waiting} if waiting is not None else {}),
        }

    def wait(self, seconds: float) -> None:
        """Pause before the next attempt, in steps that notice a cancel."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._stop_if_cancelled()
            time.sleep(min(left, 0.05))
        self._stop_if_cancelled()

    @contextmanager
    def _open(self, client: httpx.Client) -> Iterator[httpx.Response]:
        """The answer to the request, redirects followed."""
        headers = dict(HEADERS)
        if self.part.received:
            headers["Range"] = f"bytes={self.part.received}-"
            tag = self.part.note().get("etag")
            # A weak tag may not be used here (RFC 9110, 13.1.5).
            if tag and not str(tag).startswith("W/"):
                headers["If-Range"] = str(tag)
        url = self._wanted.url
        for _ in range(MOST_REDIRECTS + 1):
            self._stop_if_cancelled()
            client.cookies.clear()
            with client.stream("GET", url, headers=headers) as response:
                if response.status_code not in REDIRECTS:
                    yield response
                    return
                target = urljoin(url, response.headers.get("location", ""))
            check_address(target, self._wanted.url)
            url = target
        raise refused("The server redirects in circles.")

    def _accept(self, response: httpx.Response) -> None:
        """Look at the head of an answer; afterwards the part stands where the body goes on."""
        check_status(response.status_code, response.headers, urlsplit(self._wanted.url).hostname or "")
        tag, known = response.headers.get("etag"), self.part.note()
        start, total = 0, number(response.headers.get("content-length"))
        if response.status_code == 206:
            start, total = content_range(response.headers.get("content-range", ""))
            changed = known.get("etag") and tag and known["etag"] != tag
            if start != self.part.received or changed:
                self._start_over()
                raise AgainError(interrupted("The file changed on the server while it was being downloaded."))
        elif self.part.received:
            # The whole file comes (again): the server knows no ranges, or the file is another one now.
            self._start_over()
        if self._wanted.size is not None and total is not None and total != self._wanted.size:
            self._not_the_file(f"the server offers {total:,} bytes, {self._wanted.size:,} are expected")
        if self._wanted.size is None and total is not None:
            check_space(self.part.target.parent, total - start)
        self._total = total if total is not None else self._wanted.size
        self.part.remember({"url": self._wanted.url, "etag": tag, "size": self._total, "sha256": self._wanted.sha256})

    def _past_the_end(self, response: httpx.Response) -> None:
        """A server without the bytes asked for: either everything is here, or this is another file."""
        _, total = content_range(response.headers.get("content-range", ""))
        if total is not None and total == self.part.received and self._wanted.size in (None, total):
            self._total = total
            return
        self._start_over()
        raise AgainError(interrupted("The file changed on the server while it was being downloaded."))

    def _start_over(self) -> None:
        """Forget what has arrived; a server that makes this happen again and again is given up."""
        self.part.begin_again()
        self._resumed = self._begun_at = 0
        self._restarts += 1
        if self._restarts > MOST_RESTARTS:
            raise interrupted("The server breaks off and cannot go on from there.")

    def _not_the_file(self, difference: str) -> None:
        self.part.begin_again()
        raise ModelError(
            "checksum",
            f"What the server sends is not {self.part.target.name}: {difference}.",
            "Nothing was kept. Try again later, or get the model from another place.",
        )

    def _stop_if_cancelled(self) -> None:
        if self._cancelled():
            raise Cancelled


def download_op(request: Request, data_dir: Path | None = None) -> Operation:
    """Serve {id | repo and file | url, name?, sha256?, size?, folder?}: progress events, then the finished file.

    `id` is one of the catalogue, whose pins then hold. Without a pinned SHA-256 the hub's own is asked
    for first, and required; all parts of a split model are brought, and all files of one that is a
    folder. They lie in a folder for unfinished things until the `models` role's `place` registers them:
    {path, files, size, sha256, verified, resumed}, with repo and file where it has them.
    """
    args = request.args
    yield {"event": "progress", "received": 0, "total": args.get("size"), "rate": None, "fraction": None}
    files, more, name = _files(args)
    if not name:
        raise UsageError("bad_request", "The address names no file.", "Write it with the file's name at its end.")
    root = Path(str(args["folder"])) if args.get("folder") else incoming(data_dir or paths.data_dir(), name)
    done: list[dict[str, Any]] = []
    for count, file in enumerate(files, 1):
        # Only the last part of a name that a server or a catalogue gave: it must not choose a folder.
        target = root / Path(file.name).name
        steps = download(Wanted(file.url, target, file.sha256, file.size), request.cancelled.is_set)
        part = {"part": count, "parts": len(files)} if len(files) > 1 else {}
        done.append((yield from _with(steps, part)))
    sizes = {Path(row["path"]).name: row["size"] for row in done}
    resumed = sum(row["resumed"] for row in done)
    # The hash of a split model's first part says nothing of the whole.
    sha256 = done[0]["sha256"] if len(done) == 1 else None
    return {**done[0], **more, "files": sizes, "size": sum(sizes.values()), "sha256": sha256, "resumed": resumed}


def _with(steps: Events, more: dict[str, Any]) -> Events:
    """The same events with something added to each."""
    while True:
        try:
            event = next(steps)
        except StopIteration as stop:
            return dict(stop.value)
        yield {**event, **more}


def _files(args: dict[str, Any]) -> tuple[list[HubFile], dict[str, Any], str]:
    """What to bring, what to tell of where it is from, and what the folder it waits in is called."""
    if args.get("id"):
        entry = find(str(args["id"]))
        repo, file = entry.source.repo, entry.source.file
        if not repo:
            raise UsageError("bad_request", f"{entry.name} comes with the application.", "Run the set-up again.")
        if not file:
            # The names of its files say nothing of it: every model of this kind has the same.
            return [locate(repo, one.name, one.sha256, one.size) for one in entry.files], {"repo": repo}, entry.id
        pinned = entry.files[0]
        return _named([locate(repo, file, pinned.sha256, pinned.size)], {"repo": repo, "file": file})
    if args.get("repo") and args.get("file"):
        repo, file = str(args["repo"]), str(args["file"])
        return _named(_parts(repo, file, args), {"repo": repo, "file": file})
    if args.get("url"):
        url = str(args["url"])
        one = HubFile(url, str(args.get("name") or urlsplit(url).path), args.get("size"), args.get("sha256"))
        return _named([one], {})
    raise UsageError("bad_request", "A download needs a model's id, or a repository with a file.")


def _named(files: list[HubFile], more: dict[str, Any]) -> tuple[list[HubFile], dict[str, Any], str]:
    return files, more, Path(files[0].name).name


def _parts(repo: str, file: str, args: dict[str, Any]) -> list[HubFile]:
    parts = PART.match(file)
    if parts is None:
        return [locate(repo, file, args.get("sha256"), args.get("size"))]
    count = int(parts["parts"])
    names = [f"{parts['stem']}-{number_of:05d}-of-{count:05d}.gguf" for number_of in range(1, count + 1)]
    return [locate(repo, name, None, None) for name in names]
