"""The egress log: every connection this application was permitted, with its reason, and every one it was refused.

It is complete by construction: the process that may connect has an audit hook that writes the line
before Python's socket is let through, and lets nothing through that could not be written down. The
other processes are sealed; what their Python code attempts all the same is noted as refused.

JSON lines in `egress/YYYY-MM.jsonl` of the data directory, only ever appended to, readable by their
owner only; a file a month, two years of them. A line holds {at, role, purpose, what, allowed, reason,
host, address, port}: the server's name as it was asked for and the address it led to, never a path, a
question or an answer.
"""

from __future__ import annotations

import ipaddress
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from desktop_rag.errors import NetworkError, StoreError
from desktop_rag.paths import private_dir
from desktop_rag.privacy.seal import CONNECTION, LOOK_UP
from desktop_rag.store.files import unwritable

FOLDER = "egress"
LISTENING, BEGUN = "listening", "begun"
LOOPBACK, LOCAL_INDEX = "loopback", "local_index"
THIS_MACHINE_ONLY = (LOOPBACK, LOCAL_INDEX)
PURPOSES = {
    "download": "search and download of models",
    "remote_model": "questions to the remote model",
    "remote_index": "a team's collection on its server",
    LOOPBACK: "measurement of a server on this computer",
    LOCAL_INDEX: "a team's collection on a server on this computer",
}
SEALED = "this process is sealed"
OUTSIDE = "it was opened for this computer only"
_FILES = 24
# A library that tries again and again must not fill the disk.
_MOST_REFUSED = 1000
_HOST_CHARACTERS = 253
# A connection belongs to the name that was looked up for its port just before.
_FRESH_SECONDS = 60.0
_SENDING = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_LOOKING_UP = frozenset({f"socket.{name}" for name in ("getaddrinfo", "gethostbyname", "gethostbyaddr", "getnameinfo")})

Row = dict[str, Any]


class Log:
    """One process's pen. Safe from any thread: a line is one write at the file's end."""

    def __init__(self, data_dir: Path, role: str, purpose: str = "") -> None:
        self._folder = data_dir / FOLDER
        self._role, self._purpose = role, purpose
        self._refused = 0

    def begin(self) -> None:
        """Note when the log began, and let files go that are too old. Raises StoreError where it cannot be written."""
        files = _files(self._folder)
        if not files:
            self._write(BEGUN, True, "the log begins")
        try:
            for old in files[:-_FILES]:
                old.unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(error, self._folder) from error

    def permitted(self, what: str, host: str, address: str | None = None, port: int | None = None) -> None:
        """Note what is about to happen for this process's purpose. Raises StoreError where it cannot be written."""
        self._write(what, True, PURPOSES.get(self._purpose, self._purpose), host, address, port)

    def stopped(self, what: str, module: str) -> None:
        """Note what this sealed process refused to the code of a module.

        The host is left out: in a process that reads documents, anything could stand in it.
        """
        self.refused(what, f"{SEALED}; {module} tried")

    def refused(self, what: str, reason: str, host: str | None = None, port: int | None = None) -> None:
        """Note what was not let through; where that cannot be written, nothing is lost but the line."""
        self._refused += 1
        if self._refused <= _MOST_REFUSED:
            try:
                self._write(what, False, reason, host, None, port)
            except StoreError:
                return

    def _write(
        self,
        what: str,
        allowed: bool,
        reason: str,
        host: str | None = None,
        address: str | None = None,
        port: int | None = None,
    ) -> None:
        now = datetime.now(UTC)
        row = {
            "at": now.isoformat(timespec="seconds"),
            "role": self._role,
            "purpose": self._purpose or None,
            "what": what,
            "allowed": allowed,
            "reason": reason,
            "host": host,
            "address": address,
            "port": port,
        }
        try:
            path = private_dir(self._folder) / f"{now:%Y-%m}.jsonl"
            handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(handle, json.dumps(row).encode("ascii") + b"\n")
            finally:
                os.close(handle)
        except OSError as error:
            raise unwritable(error, self._folder) from error


def watch(log: Log, *, this_machine_only: bool) -> None:
    """Write down every connection and look-up of this process, for good; with `this_machine_only` refuse the others."""
    names: dict[int, tuple[str, float]] = {}

    def name_of(target: str, port: int) -> str:
        name, asked = names.get(port, (target, 0.0))
        return name if time.monotonic() - asked < _FRESH_SECONDS else target

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event in _SENDING and isinstance(args[1], tuple):
            target, port = _text(args[1][0]), int(args[1][1])
            _pass(log, CONNECTION, name_of(target, port), target, port, this_machine_only)
        elif event == "socket.bind" and isinstance(args[1], tuple):
            log.permitted(LISTENING, _text(args[1][0]), None, int(args[1][1]))
        elif event in _LOOKING_UP and args[0] is not None:
            host = _text(args[0][0] if isinstance(args[0], tuple) else args[0])
            port = args[1] if len(args) > 1 and isinstance(args[1], int) else 0
            names[port] = host, time.monotonic()
            if not _is_address(host):
                _pass(log, LOOK_UP, host, None, port or None, this_machine_only)

    sys.addaudithook(hook)


def _pass(log: Log, what: str, host: str, address: str | None, port: int | None, this_machine_only: bool) -> None:
    if this_machine_only and not (address and _is_address(address) and ipaddress.ip_address(address).is_loopback):
        log.refused(what, OUTSIDE, host, port)
        raise NetworkError("sealed", "Only a server on this computer may be asked here.")
    log.permitted(what, host, address, port)


def _text(host: object) -> str:
    return (host.decode("ascii", "replace") if isinstance(host, bytes) else str(host))[:_HOST_CHARACTERS]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Egress:
    """What the log says: since when, the permitted connections and all that was refused, oldest first."""

    since: str | None
    connections: Sequence[Row]
    refused: Sequence[Row]


def read(data_dir: Path) -> list[Row]:
    """Every line of the log, oldest first; a line that was cut off by a crash is left out."""
    rows = []
    for path in _files(data_dir / FOLDER):
        for line in path.read_text("ascii", "replace").splitlines():
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if isinstance(row, dict) and {"at", "what", "allowed"} <= row.keys():
                rows.append(row)
    return rows


def summary(rows: Sequence[Row]) -> Egress:
    """The lines sorted into what people ask for."""
    return Egress(
        rows[0]["at"] if rows else None,
        [row for row in rows if row["what"] == CONNECTION and row["allowed"]],
        [row for row in rows if not row["allowed"]],
    )


def kinds(refused: Sequence[Row]) -> list[tuple[Row, int]]:
    """What was refused, once for each kind of attempt: its latest line, and how often there was one like it.

    A library may look for a socket at every start; that is one thing to know, not hundreds.
    """
    found: dict[tuple[Any, ...], tuple[Row, int]] = {}
    for row in refused:
        key = tuple(row.get(name) for name in ("role", "purpose", "what", "reason", "host", "port"))
        found[key] = row, found.get(key, (row, 0))[1] + 1
    return list(found.values())


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("????-??.jsonl"))
