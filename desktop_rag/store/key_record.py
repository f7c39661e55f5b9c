"""`store.json` beside the database: who keeps the library's key, and the key itself where a passphrase is before it.

It holds no secret in the open. What it says of itself is summed up, so that damage is told from a wrong passphrase.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from desktop_rag.errors import StoreError
from desktop_rag.store.files import write_private
from desktop_rag.store.passphrase import Wrapped, is_hex, sound

Protection = Literal["keyring", "passphrase", "file"]
VERSION = 2
NAME = "store.json"
_CHECK_BYTES = 16


@dataclass(frozen=True, slots=True)
class Place:
    """Where a key lies: with which keeper, under which name. A passphrase needs no name."""

    protection: Protection
    identity: str


@dataclass(frozen=True, slots=True)
class Record:
    """What store.json says. `stale`: where the key may lie too, not yet or no longer used, and is to be dropped."""

    place: Place
    check: str
    """Tells the right key from another; says nothing about it otherwise."""
    wrapped: Wrapped | None = None
    stale: tuple[Place, ...] = ()
    salt: str = ""
    """Of a record of the first version only: the key itself was made of the passphrase, with scrypt."""

    def fits(self, raw: bytes) -> bool:
        """Whether this is the library's key; a record of the first version cannot tell."""
        return not self.check or hmac.compare_digest(self.check, check_of(raw))


def check_of(raw: bytes) -> str:
    """What tells this key from others."""
    return hmac.digest(raw, b"desktop-rag key check", "sha256")[:_CHECK_BYTES].hex()


def write(path: Path, record: Record) -> None:
    """Replace the record as a whole. Raises StoreError disk_full or read_only."""
    write_private(path, dump(record))


def dump(record: Record) -> bytes:
    """The record as it lies on the disk."""
    told: dict[str, Any] = {"version": VERSION, **_place(record.place), "check": record.check}
    if record.wrapped is not None:
        told["wrapped"] = record.wrapped
    if record.stale:
        told["stale"] = [_place(place) for place in record.stale]
    return json.dumps(told | {"sum": _sum(told)}, indent=1).encode()


def read(path: Path) -> Record:
    """The record. Raises StoreError("wrong_key") where it is damaged, "newer_schema" where it is not ours to read."""
    try:
        return parse(path.read_bytes())
    except OSError as error:
        raise damaged() from error


def parse(content: bytes) -> Record:
    """A record from its bytes; raises as `read` does."""
    try:
        told = json.loads(content)
    except ValueError as error:
        raise damaged() from error
    if not isinstance(told, dict):
        raise damaged()
    if "version" not in told:
        return _first_version(told)
    if told["version"] != VERSION:
        raise StoreError(
            "newer_schema", "This library was made by a newer version of the application.", "Update the application."
        )
    return _second_version(told)


def damaged() -> StoreError:
    """What is said of a record that cannot be used."""
    return StoreError(
        "wrong_key", "The file store.json that names this library's key is damaged.", "Restore it from a backup."
    )


def _second_version(told: dict[str, Any]) -> Record:
    rest = {name: value for name, value in told.items() if name != "sum"}
    wrapped, stale = told.get("wrapped"), told.get("stale", [])
    well = (
        told.get("sum") == _sum(rest)
        and is_hex(told.get("check"), _CHECK_BYTES)
        and _is_place(told)
        and isinstance(stale, list)
        and all(map(_is_place, stale))
        and (sound(wrapped) if told["protection"] == "passphrase" else wrapped is None)
    )
    if not well:
        raise damaged()
    return Record(_named(told), told["check"], wrapped, tuple(map(_named, stale)))


def _first_version(told: dict[str, Any]) -> Record:
    if not _is_place(told) or not is_hex(told.get("salt"), 16):
        raise damaged()
    return Record(_named(told), "", salt=told["salt"])


def _is_place(told: object) -> bool:
    return (
        isinstance(told, dict)
        and told.get("protection") in get_args(Protection)
        and isinstance(told.get("id"), str)
        and told["id"].isalnum()
    )


def _named(told: dict[str, Any]) -> Place:
    return Place(told["protection"], told["id"])


def _place(place: Place) -> dict[str, str]:
    return {"protection": place.protection, "id": place.identity}


def _sum(told: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]
