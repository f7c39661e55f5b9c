"""A server on this machine that drops, stalls, lies and forgets, and remembers what it was asked."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PIECE = 4096


@dataclass
class Answer:
    """How to serve one request for a file.

    `drop_after`, `stall_after`: bytes of the body after which the line breaks or goes silent.
    `length`: what to say instead of the truth. `ranges` False ignores ranges, `if_range` False ignores
    the condition only.
    `hang_up`: end the connection without a word.
    """

    content: bytes = b""
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    etag: str | None = '"one"'
    ranges: bool = True
    if_range: bool = True
    drop_after: int | None = None
    stall_after: int | None = None
    length: int | None = None
    chunked: bool = False
    hang_up: bool = False


@dataclass
class Asked:
    """One request as it arrived, and the bytes of the body that were sent for it."""

    path: str
    headers: dict[str, str]
    sent: int = 0


class Server:
    """Serves the given answers in turn, the last one for ever; `asked` is what came in."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.asked: list[Asked] = []
        self.wake = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.serve(self)

            def log_message(self, *_: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.http.server_port}"

    def put(self, path: str, *answers: Answer) -> str:
        self.answers[path] = list(answers)
        return f"{self.address}{path}"

    @property
    def sent(self) -> list[int]:
        """Bytes of the body sent for each request."""
        return [asked.sent for asked in self.asked]

    def close(self) -> None:
        self.wake.set()
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        asked = Asked(handler.path, {key.lower(): value for key, value in handler.headers.items()})
        self.asked.append(asked)
        waiting = self.answers.get(handler.path.split("?")[0], [Answer(status=404)])
        answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        with contextlib.suppress(OSError):
            if not answer.hang_up:
                self._serve(handler, answer, asked)
        handler.close_connection = True

    def _serve(self, handler: BaseHTTPRequestHandler, answer: Answer, asked: Asked) -> None:
        start, status = _start(answer, asked.headers), answer.status or 200
        body = answer.content
        if answer.status is None and start is not None:
            status = 206 if start < len(body) else 416
            handler.send_response(status)
            span = f"{start}-{len(body) - 1}" if status == 206 else "*"
            handler.send_header("Content-Range", f"bytes {span}/{len(body)}")
            body = body[start:]
        else:
            handler.send_response(status)
        if answer.etag and answer.status is None:
            handler.send_header("ETag", answer.etag)
        for key, value in answer.headers.items():
            handler.send_header(key, value)
        # Said, as every answer ends its connection: a client that kept it would ask into a closed one.
        handler.send_header("Connection", "close")
        if answer.chunked:
            handler.send_header("Transfer-Encoding", "chunked")
        else:
            handler.send_header("Content-Length", str(len(body) if answer.length is None else answer.length))
        handler.end_headers()
        self._body(handler, body, answer, asked)

    def _body(self, handler: BaseHTTPRequestHandler, body: bytes, answer: Answer, asked: Asked) -> None:
        end = len(body) if answer.drop_after is None else answer.drop_after
        for at in range(0, min(end, len(body)), PIECE):
            if answer.stall_after is not None and asked.sent >= answer.stall_after:
                self.wake.wait(20)
                return
            piece = body[at : min(at + PIECE, end)]
            handler.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if answer.chunked else piece)
            handler.wfile.flush()
            asked.sent += len(piece)
        if answer.chunked and answer.drop_after is None:
            handler.wfile.write(b"0\r\n\r\n")


def _start(answer: Answer, headers: dict[str, str]) -> int | None:
    """Where to begin, None for the whole file."""
    wanted = headers.get("range")
    condition = headers.get("if-range")
    if not answer.ranges or wanted is None or (answer.if_range and condition not in (None, answer.etag)):
        return None
    return int(wanted.removeprefix("bytes=").rstrip("-"))


def serving() -> Iterator[Server]:
    """For a fixture."""
    server = Server()
    yield server
    server.close()
