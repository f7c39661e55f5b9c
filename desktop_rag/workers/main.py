"""`desktop-rag worker ROLE`: the entry of every child process.

Order matters: the pipe is taken out of the reach of libraries that print, the process is sealed,
and only then is the role's service imported.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import desktop_rag
from desktop_rag.errors import DesktopRagError, EngineError, StoreError, UsageError
from desktop_rag.logs import log, open_log
from desktop_rag.privacy import egress
from desktop_rag.privacy.dumps import forbid_dumps, forbid_inspection
from desktop_rag.privacy.proof import DISCARD, prove, unanswered
from desktop_rag.privacy.seal import seal
from desktop_rag.workers.loop import Beside, Channel, Loop, Service, bug
from desktop_rag.workers.protocol import PROTOCOL

_ROLES = {
    "library": "desktop_rag.workers.library_service",
    "parse": "desktop_rag.workers.parse_service",
    "chat": "desktop_rag.workers.chat_service",
    "models": "desktop_rag.workers.models_service",
    "bench": "desktop_rag.workers.bench_service",
    "trial": "desktop_rag.workers.trial_service",
    "pii": "desktop_rag.workers.pii_service",
    "retrieval": "desktop_rag.workers.retrieval_service",
    "network": "desktop_rag.workers.network_service",
}
# The one role that may hold sockets; it lives only while a person has opened a purpose, and gets cleaned text only.
_OPEN_ROLE = "network"
# All the others, but for the reader, which is the library's own child.
SEALED_ROLES = tuple(role for role in _ROLES if role not in ("parse", _OPEN_ROLE))
# The one sealed role that may speak to services of this computer: the library's key can lie in the system's keyring.
_KEY_ROLE = "library"
_BUG_EXIT = 70


def run(role: str, options: dict[str, Any]) -> int:
    """Serve `role` until the parent goes away; returns an exit code when the start failed."""
    channel = _take_pipe()
    forbid_dumps()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        if role not in _ROLES:
            raise UsageError("bad_request", f"There is no worker “{role}”.")
        if options.get("nice"):
            os.nice(int(options["nice"]))
        options["seal"] = state = _sealed(role, options)
        options["sign"] = lambda: channel.send({"event": "upgrading"})
        module = importlib.import_module(_ROLES[role])
        service: Service = module.open_service(Path(options["data_dir"]), options)
        service = replace(service, beside={**service.beside, "prove": partial(_prove, state, service.children)})
    except DesktopRagError as error:
        channel.send({"event": "fatal", "error": error.to_payload()})
        return error.exit_code
    except ImportError as error:
        failed = EngineError(
            "start_failed", f"A part of the application is missing: {error.name}.", "Install it again."
        )
        channel.send({"event": "fatal", "error": failed.to_payload()})
        return failed.exit_code
    except Exception as error:  # noqa: BLE001 - the process's edge: a bug at the start is told without its values
        channel.send({"event": "fatal", "error": bug(error).to_payload()})
        return _BUG_EXIT
    open_log(Path(options["data_dir"]), role)
    log.info("%s started, version %s, seal: %s", role, desktop_rag.__version__, state)
    channel.send(
        {
            "event": "hello",
            "protocol": PROTOCOL,
            "role": role,
            "pid": os.getpid(),
            "capabilities": sorted(service.handlers),
            "seal": state,
        }
    )
    try:
        Loop(channel, service).run()
    except BaseException as error:  # noqa: BLE001 - the process's edge: the places go to stderr, whose last lines the parent keeps
        sys.stderr.write(json.dumps(bug(error).to_payload()) + "\n")
        sys.stderr.flush()
        return _BUG_EXIT
    return 0


def _sealed(role: str, options: Mapping[str, Any]) -> str:
    """Seal this process, or watch what the one role that stays open does; returns what the handshake says of it."""
    purpose = str(options.get("purpose") or "")
    noted = egress.Log(Path(options["data_dir"]), role, purpose)
    if role != _OPEN_ROLE:
        with suppress(StoreError):  # a library that cannot be written may still be read
            noted.begin()
        return seal(local=role == _KEY_ROLE, refused=noted.stopped)
    # Without a line for it, nothing is connected.
    noted.begin()
    egress.watch(noted, this_machine_only=purpose in egress.THIS_MACHINE_ONLY)
    forbid_inspection()
    return f"open for {purpose}"


def _prove(state: str, children: Mapping[str, Beside], args: dict[str, Any]) -> dict[str, Any]:
    """The proof of this process's seal, and those of the processes it has: {..., "children": {role: proof}}."""
    proof = prove(state, int(args.get("port") or DISCARD))
    return {**proof, "children": {role: _child_proof(ask, args) for role, ask in children.items()}}


def _child_proof(ask: Beside, args: dict[str, Any]) -> dict[str, Any]:
    try:
        return ask(args)
    except DesktopRagError as error:
        return dict(unanswered(error.message))


def _take_pipe() -> Channel:
    """Keep stdout for the protocol alone: whatever a library prints goes to stderr instead."""
    sink = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    source = os.fdopen(os.dup(0), "rb")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    return Channel(source, sink)
