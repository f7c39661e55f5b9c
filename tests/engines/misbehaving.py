"""A small web server on this machine that answers as a test tells it, for clients that must survive anything."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """One request; what happens is the server's `answers` by path, and every request is kept in `asked`."""

    protocol_version = "HTTP/1.1"
    server: Misbehaving

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self._answer(json.loads(body))

    def _answer(self, body: Any) -> None:
        self.body = body
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.asked.append((self.path, headers, body))
        answer = next((a for path, a in self.server.answers.items() if self.path.endswith(path)), None)
        if answer is None:
            self.whole(404, b"{}")
        else:
            try:
                answer(self)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""

    def whole(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"content-type": "application/json", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def begin(self, kind: str = "text/event-stream") -> None:
        """The headers of a stream in chunks."""
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()

    def chunk(self, text: str) -> None:
        data = text.encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def say(self, *words: str) -> None:
        for word in words:
            self.chunk("data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": word}}]}) + "\n\n")

    def end(self) -> None:
        self.wfile.write(b"0\r\n\r\n")

    def cut(self) -> None:
        """Drop the connection in the middle of whatever was promised."""
        self.close_connection = True

    def hang(self) -> None:
        """Say nothing more until the test is over; it is over soon."""
        self.server.over.wait(30)
        self.close_connection = True


class Misbehaving(ThreadingHTTPServer):
    """`answers`: what to do for a path's end. `url` is the base address of the OpenAI-compatible part."""

    daemon_threads = True

    def __init__(self, answers: dict[str, Answer]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = {"/models": listing("tiny"), **answers}
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        self.over = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that left is no news."""


def listing(*names: str, **more: Any) -> Answer:
    rows = [{"id": name, "object": "model", **more} for name in names]
    return lambda handler: handler.whole(200, json.dumps({"object": "list", "data": rows}).encode())


def hello(handler: Handler) -> None:
    """A short and proper answer."""
    handler.begin()
    handler.say("Hello", " there")
    handler.chunk("data: [DONE]\n\n")
    handler.end()


def cut_after(*words: str) -> Answer:
    """The beginning of an answer, then the end of the connection."""

    def cut(handler: Handler) -> None:
        handler.begin()
        handler.say(*words)
        handler.cut()

    return cut


@contextmanager
def misbehaving(**answers: Answer) -> Iterator[Misbehaving]:
    """A running server; keyword `chat` answers the chat, `models` the list, `count` the tokenizer."""
    paths = {"chat": "/chat/completions", "models": "/models", "count": "/extras/tokenize/count"}
    server = Misbehaving({paths[name]: answer for name, answer in answers.items()})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
