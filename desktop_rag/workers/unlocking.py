"""The library behind its key: opened at once where the key is at hand, else shut until somebody unlocks it.

While it is shut, every operation that needs it answers with what keeps it shut; nothing is decrypted, and nothing holds
the data directory. The passphrase comes as an argument of a request, down the pipe, and is kept nowhere.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from desktop_rag.errors import StoreError, UsageError, from_payload
from desktop_rag.store import keepers, key_record
from desktop_rag.store.key import (
    change_keeper,
    good_passphrase,
    is_taken,
    load_key,
    make_key,
    wrong_passphrase,
)
from desktop_rag.store.key_record import Protection
from desktop_rag.store.lock import acquire
from desktop_rag.store.passphrase import as_bytes
from desktop_rag.store.set_aside import set_aside
from desktop_rag.workers import backing_up
from desktop_rag.workers.library import Library
from desktop_rag.workers.loop import Handler, Operation, Request
from desktop_rag.workers.protocol import Message

NOW, ASK, LATER = "now", "ask", "later"
"""When the library is opened: with the process; the same, but a new key waits for a person's word; when told to."""


class Gate:
    """Gives the library while it is open. `made_ready` is called with it each time it was opened.

    `sign`: see `open_database`.
    """

    def __init__(
        self,
        data_dir: Path,
        opening: str,
        made_ready: Callable[[Library], None],
        sign: Callable[[], None] | None = None,
    ) -> None:
        self._sign = sign
        self._data_dir, self._ask, self._made_ready = data_dir, opening == ASK, made_ready
        self._library: Library | None = None
        # As a mapping: an exception would keep what was typed, in the frames it came through.
        self._refusal = StoreError("wrong_key", "The library is locked.", "Unlock it first.").to_payload()
        if opening != LATER:
            try:
                self._open()
            except StoreError as error:
                if error.code != "wrong_key":
                    raise
        self.handlers: dict[str, Handler] = {
            "unlock": self._unlock,
            "key": self._key,
            "key_change": self._change,
            "key_backup": self._backup,
            "key_restore": self._restore,
            "key_set_aside": self._set_aside,
        }
        self.background = frozenset({"key_backup", "key_restore"})

    @property
    def library(self) -> Library:
        """The opened library. Raises StoreError("wrong_key") while it is shut."""
        if self._library is None:
            raise from_payload(self._refusal)
        return self._library

    def close(self) -> None:
        """Let go of everything."""
        if self._library is not None:
            self._library.close()

    def prove_reader(self, args: dict[str, Any]) -> Message:
        """What the library's reader says of its seal; {} while there is none."""
        return {} if self._library is None else self._library.parser.prove(args)

    def _open(self, passphrase: bytes | None = None) -> None:
        try:
            library = Library(self._data_dir, passphrase, ask=self._ask, sign=self._sign)
        except StoreError as error:
            self._refusal = error.to_payload()
            raise
        with ExitStack() as undo:
            undo.callback(library.close)
            self._made_ready(library)
            undo.pop_all()
        self._library = library

    def _unlock(self, request: Request) -> Operation:
        """Open the library, with {passphrase} or what is at hand; with {keeper}, a new one whose key lies there."""
        yield None
        keeper, passphrase = request.args.get("keeper"), request.args.pop("passphrase", None)
        if self._library is None:
            if keeper is not None:
                self._make(_keeper(keeper), passphrase)
            self._open(_bytes(passphrase))
        return {"key": self.library.key.protection}

    def _make(self, keeper: Protection, passphrase: object) -> None:
        new = _new(passphrase) if keeper == "passphrase" else None
        with acquire(self._data_dir):
            make_key(self._data_dir, keeper, new)

    def _key(self, request: Request) -> Operation:
        """Who keeps the key: {key, open, keyring}; `key` is null where there is no library yet."""
        yield None
        taken = is_taken(self._data_dir)
        record = key_record.read(self._data_dir / key_record.NAME) if taken else None
        return {
            "key": record and record.place.protection,
            "open": self._library is not None,
            "keyring": keepers.has_keyring(),
        }

    def _change(self, request: Request) -> Operation:
        """Give the key to another {keeper}; `present` is the passphrase that holds now, `passphrase` the new one."""
        yield None
        library, args = self.library, request.args
        keeper = _keeper(args.get("keeper"))
        passphrase = _new(args.pop("passphrase", None)) if keeper == "passphrase" else None
        self._check_present(library, _bytes(args.pop("present", None)))
        library.key = change_keeper(self._data_dir, library.key, keeper, passphrase)
        return {"key": library.key.protection}

    def _check_present(self, library: Library, present: bytes | None) -> None:
        """Whoever finds an open window must not be able to lock its owner out."""
        if library.key.protection == "passphrase" and load_key(self._data_dir, present) != library.key:
            raise wrong_passphrase()

    def _backup(self, request: Request) -> Operation:
        """Write a backup to {file} behind {passphrase}; {replace} a file that is there."""
        args, library = request.args, self.library
        target = Path(str(args["file"])).absolute()
        if target.exists() and not args.get("replace"):
            raise UsageError("bad_request", f"There is a file “{target.name}” already.", "Choose another name.")
        return backing_up.backup(library, target, _new(args.pop("passphrase", None)))

    def _restore(self, request: Request) -> Operation:
        """Restore the backup {file}, which is behind {passphrase}, where there is no library yet."""
        args = request.args
        return backing_up.restore(self._data_dir, Path(str(args["file"])), _bytes(args.pop("passphrase", None)) or b"")

    def _set_aside(self, request: Request) -> Operation:
        """Move a library that nobody can unlock beside, so that a new one can begin here: {folder}."""
        yield None
        if self._library is not None:
            raise UsageError("bad_request", "The library is open.", "Remove its documents instead.")
        with acquire(self._data_dir):
            folder = set_aside(self._data_dir)
        return {"folder": str(folder)}


def _new(passphrase: object) -> bytes:
    return good_passphrase(str(passphrase or ""))


def _bytes(passphrase: object) -> bytes | None:
    return as_bytes(str(passphrase)) if passphrase else None


def _keeper(name: object) -> Protection:
    for keeper in ("keyring", "passphrase", "file"):
        if name == keeper:
            return keeper
    raise UsageError("bad_request", f"There is no keeper “{name}”.", "Choose keyring, passphrase or file.")
