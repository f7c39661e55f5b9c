"""The inside of a loopback server: llama-cpp-python's own OpenAI-compatible server on 127.0.0.1, for one parent.

Started by `desktop_rag.workers.loopback`, never by hand. It reads one line of JSON from stdin (model,
key and sizes: nothing secret stands in a command line), says {"port": N} or {"error": "..."} on
stdout, and leaves when stdin closes, that is with its parent, however that ended. Nothing is logged.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import IO, Any

HOST = "127.0.0.1"


def main() -> int:
    """Serve until the parent goes away."""
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    _silence()
    options: dict[str, Any] = json.loads(sys.stdin.readline())
    threading.Thread(target=_leave_with_parent, name="parent", daemon=True).start()
    try:
        server, listening = _prepare(options, answer)
    except (ImportError, ValueError, OSError) as error:
        # The kind alone: a library's message could quote anything.
        _say(answer, {"error": type(error).__name__})
        return 1
    server.run(sockets=[listening])
    return 0


def _prepare(options: dict[str, Any], answer: IO[str]) -> tuple[Any, Any]:
    """A server with the model in memory, and the socket it will listen on; it says its port when it does."""
    import uvicorn
    from llama_cpp.server.app import create_app
    from llama_cpp.server.settings import ModelSettings, ServerSettings

    app = create_app(
        server_settings=ServerSettings(host=HOST, port=0, api_key=options["key"], interrupt_requests=False),
        model_settings=[
            ModelSettings(
                model=options["path"],
                model_alias=options["model"],
                n_ctx=options["context"],
                n_threads=options["threads"],
                n_threads_batch=options["threads"],
                # Logits of every prompt token would cost gigabytes with a large vocabulary.
                logits_all=False,
                verbose=False,
            )
        ],
    )
    config = uvicorn.Config(app, host=HOST, port=0, access_log=False, log_config=None, lifespan="off")
    listening = config.bind_socket()

    class Announcing(uvicorn.Server):
        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            _say(answer, {"port": listening.getsockname()[1]})

    return Announcing(config), listening


def _silence() -> None:
    """Whatever a library prints, a prompt might be in it."""
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 1)
    os.dup2(null, 2)
    os.close(null)


def _leave_with_parent() -> None:
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(0)


def _say(answer: IO[str], message: dict[str, Any]) -> None:
    answer.write(json.dumps(message) + "\n")
    answer.flush()


if __name__ == "__main__":
    sys.exit(main())
