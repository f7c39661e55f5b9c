"""The `network` role: the one process that may hold sockets, for the one purpose a person opened it for.

"download" searches the hub and brings models; "remote_model" asks a server at an address; "loopback"
asks a server on this very machine and nothing else; "remote_index" and "local_index" bring a collection's vectors to a
Chroma server, at an address or on this machine, and ask it. The text that comes here has been scrubbed by
`library`; originals and the vault never do. It fails closed: while the application is sealed, or
when a passage's collection keeps its personal data, or when nobody says what the collections do,
nothing is sent.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from desktop_rag.engines.openai_dialect import base_of, host_of
from desktop_rag.engines.protocol import Engine, LoadOptions
from desktop_rag.errors import NetworkError, UsageError
from desktop_rag.logs import log
from desktop_rag.meter.memory import resident_mb
from desktop_rag.privacy import egress
from desktop_rag.privacy.seal import CONNECTION
from desktop_rag.workers.generating import answer_op, complete_op, milliseconds_since
from desktop_rag.workers.loop import Handler, Operation, Request, Service
from desktop_rag.workers.network_seal import NetworkSeal, check_policies
from desktop_rag.workers.remote_index import RemoteIndex
from desktop_rag.workers.remote_key import read_key

DOWNLOAD, REMOTE_MODEL, LOOPBACK = "download", "remote_model", egress.LOOPBACK
REMOTE_INDEX, LOCAL_INDEX = "remote_index", egress.LOCAL_INDEX
PURPOSES = (DOWNLOAD, REMOTE_MODEL, LOOPBACK, REMOTE_INDEX, LOCAL_INDEX)


class _Remote:
    """A model behind an address, served like one in this process."""

    def __init__(self, seal: NetworkSeal) -> None:
        self._seal = seal
        self._engine: Engine | None = None
        self._choice: tuple[str, str, str] | None = None

    def load(self, request: Request) -> Operation:
        """Reach the server of {url, model?, key_file?}; keeps the one that is there if it is the same."""
        args = request.args
        self._seal.check()
        base = self._seal.checked(base_of(str(args.get("url") or "")))
        yield None
        choice = base, str(args.get("model") or ""), str(args.get("key_file") or "")
        if self._engine is None or choice != self._choice:
            self._engine = self._open(choice, request)
            self._choice = choice
            log.info("network opened for %s: %s", self._seal.purpose, host_of(base))
        return self._status(self._engine)

    def status(self, request: Request) -> Operation:
        """What is loaded."""
        yield None
        return self._status(self._engine) if self._engine else {"model": None}

    def generate(self, request: Request) -> Operation:
        """Stream an answer to {question, passages, history, policies, max_tokens}; scrubbed text only."""
        self._seal.check()
        self._check_cleaned(request.args)
        engine = self._loaded()
        begin = time.perf_counter()
        yield {"event": "loaded", "load_ms": milliseconds_since(begin)}
        done = yield from answer_op(engine, request)
        return {**done, **self._status(engine)}

    def complete(self, request: Request) -> Operation:
        """The model alone, for measurements with the application's own prompts: {messages | prompt, max_tokens}."""
        self._seal.check()
        if "policies" in request.args:
            self._check_cleaned(request.args)
        engine = self._loaded()
        done = yield from complete_op(engine, request)
        return {**done, **self._status(engine)}

    def _check_cleaned(self, args: Mapping[str, Any]) -> None:
        try:
            check_policies(args)
        except NetworkError:
            host = host_of(self._choice[0]) if self._choice else None
            self._seal.log.refused(CONNECTION, "its text was not cleaned", host)
            raise

    def _open(self, choice: tuple[str, str, str], request: Request) -> Engine:
        from desktop_rag.engines.openai_http import OpenAiEngine

        base, model, key_file = choice
        key = read_key(base, key_file)
        context = int(self._seal.settings()["context"])
        return OpenAiEngine(base, model, key, LoadOptions(context=context), cancelled=request.cancelled)

    def _loaded(self) -> Engine:
        if self._engine is None:
            raise UsageError("bad_request", "No remote model is open.", "Enter its address in the settings.")
        return self._engine

    def _status(self, engine: Engine) -> dict[str, Any]:
        info = engine.info
        return {
            "model": info.model,
            "name": info.model,
            "engine": info.engine,
            "options": info.options,
            "device": info.device,
            "layers": None,
            "gpu_layers": None,
            "context": info.context,
            "threads": None,
            "weights_mb": None,
            "kv_mb": None,
            "memory_mb": resident_mb(),
            "encrypted": info.options.startswith("https:"),
        }


def open_service(data_dir: Path, options: dict[str, Any]) -> Service:
    """The operations of the purpose in `options`; no other's.

    Raises NetworkError("sealed") while the application is sealed, UsageError for an unknown purpose.
    """
    purpose = str(options.get("purpose") or "")
    if purpose not in PURPOSES:
        raise UsageError("bad_request", "The network is opened for a named purpose only.")
    seal = NetworkSeal(data_dir, purpose, opened=bool(options.get("opened")))
    seal.check()
    handlers: dict[str, Handler]
    if purpose == DOWNLOAD:
        from desktop_rag.models.download import download_op
        from desktop_rag.models.hub import search_op

        handlers = {"search": search_op, "download": partial(download_op, data_dir=data_dir)}
    elif purpose in (REMOTE_INDEX, LOCAL_INDEX):
        from desktop_rag.engines.openai_http import exchange

        handlers = RemoteIndex(seal, exchange).handlers
    else:
        remote = _Remote(seal)
        handlers = {name: getattr(remote, name) for name in ("load", "status", "generate", "complete")}
    return Service(handlers)
