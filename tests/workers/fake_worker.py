"""A worker that misbehaves on demand: `fake_worker.py BEHAVIOUR...`; the first one is for the first life, and so on.

It speaks the pipe's language by hand, without the application's code, so that the client is tested
against the protocol and not against itself. How often it was started is counted in $FAKE_LIVES.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any


def send(**message: object) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def hello(protocol: int = 1) -> None:
    send(event="hello", protocol=protocol, role="fake", pid=os.getpid(), capabilities=[], seal="none", extra="ignored")


def noise() -> None:
    """What libraries print, and what looks like a message but is none."""
    sys.stdout.buffer.write(
        b'Loading model...\n\n\x00\xff\xfe garbage\n[1, 2]\nnull\n7\n{"half": \n' + b"[" * 100_000 + b"\n"
        b'{"id": "seven", "event": "done"}\n{"id": [], "event": "done"}\n{"id": 424242, "event": "done"}\n'
        b'{"event": "fatal"}\n{"event": "fatal", "error": 5}\n{"event": "weather", "value": 3}\n{}\n'
    )
    sys.stdout.flush()


def die(request: dict[str, Any]) -> None:
    sys.stderr.write("".join(f"line {number}\n" for number in range(60)))
    sys.stderr.flush()
    os.kill(os.getpid(), getattr(signal, request["args"]["signal"]))


def sleep_through(request: dict[str, Any]) -> None:
    """Asked to end by SIGTERM: leave a mark and go ("tidy"), or do not hear it ("deaf")."""

    def tidy(*_: object) -> None:
        Path(request["args"]["mark"]).write_text("SIGTERM")
        os._exit(0)

    signal.signal(signal.SIGTERM, tidy if request["op"] == "tidy" else signal.SIG_IGN)
    send(id=request["id"], event="begun")
    while True:
        time.sleep(600)


def serve(behaviour: str) -> None:
    for line in sys.stdin:
        request = json.loads(line)
        number, op = request.get("id"), request["op"]
        match op:
            case "cancel" if behaviour != "stubborn":
                send(id=request["target"], event="error", error={"family": "Cancelled", "code": "cancelled"})
            case "die":
                die(request)
            case "break":
                payload = {"code": "bug", "message": "m" * 200, "details": {"places": ["loop.py:7 step"] * 8}}
                sys.exit(json.dumps(payload))
            case "tidy" | "deaf":
                sleep_through(request)
            case "leave":
                sys.exit(3)
            case "hang" | "wait":
                send(id=number, event="begun")
                time.sleep(600 if op == "hang" else 0)
            case "fail":
                error = {"family": "ModelError", "code": "truncated", "message": "Cut off.", "hint": "Get it again."}
                send(id=number, event="error", error=error)
            case "echo":
                echo(request, noisy=behaviour == "noise", size=len(line))


def echo(request: dict[str, Any], *, noisy: bool, size: int) -> None:
    for message in ({"event": "echo", **request["args"]}, {"event": "done", "pid": os.getpid(), "size": size}):
        if noisy:
            noise()
        send(id=request["id"], **message)


def main() -> None:
    lives = Path(os.environ["FAKE_LIVES"])
    life = len(lives.read_text().splitlines()) if lives.exists() else 0
    with lives.open("a") as file:
        file.write(f"{os.getpid()}\n")
    behaviours = sys.argv[1:]
    behaviour = behaviours[min(life, len(behaviours) - 1)]
    match behaviour:
        case "mute":
            time.sleep(600)
        case "upgrading":
            for _ in range(8):
                send(event="upgrading")
                time.sleep(0.25)
            hello()
        case "stillborn":
            sys.exit("cannot start")
        case "fatal":
            error = {"family": "StoreError", "code": "locked", "message": "Open elsewhere.", "hint": "Close it."}
            send(event="fatal", error=error)
            sys.exit(5)
        case "other-version":
            hello(protocol=999)
        case "noise":
            noise()
            hello()
            noise()
        case _:
            hello()
    serve(behaviour)


main()
