"""A file on its way in: what has arrived so far (`NAME.part`), where it came from, and its end as a checked file.

The part and a note beside it (`NAME.part.json`: address, entity tag, size) outlive a cancel or a
crash, so that the next attempt asks for the rest only; the note stays until the file is registered.
The final name appears by one rename, after size and SHA-256 have been verified; whatever carries the
final name is whole.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from desktop_rag.errors import ModelError, NetworkError, StoreError
from desktop_rag.paths import private_dir
from desktop_rag.store.files import unwritable, write_private
from desktop_rag.store.lock import acquire

RESERVE_BYTES = 512 * 2**20
"""What must stay free on the disk: the library's database grows there too."""
BLOCK_BYTES = 1 << 20
ARRIVING, NOTE = ".part", ".part.json"
"""What a file is called after its name while it arrives, and the note on where it comes from."""
_FULL = (errno.ENOSPC, errno.EDQUOT)


class Part:
    """The unfinished file of `target`. One process at a time: held by a lock until `close`."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(target.name + ARRIVING)
        self._note = target.with_name(target.name + NOTE)
        self._lock = _alone(private_dir(target.parent))
        self._hash = hashlib.sha256()
        self._file: IO[bytes] | None = None
        self.received = 0

    def close(self) -> None:
        """Let go; what has arrived stays."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None
        self._lock.close()

    def take_back(self) -> None:
        """Let a finished file that nobody has registered yet count as arrived, so that it is not fetched twice."""
        if self.target.is_file() and not self.path.exists():
            self.target.replace(self.path)

    def resume(self) -> Iterator[int]:
        """Take up what is there; yields the bytes read back so far, because their hash is needed."""
        self._hash = hashlib.sha256()
        self.received = 0
        with contextlib.suppress(FileNotFoundError), self.path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                self._hash.update(block)
                self.received += len(block)
                yield self.received

    def note(self) -> dict[str, Any]:
        """What was written beside the part; {} where there is nothing usable."""
        try:
            note = json.loads(self._note.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return note if isinstance(note, dict) else {}

    def remember(self, note: dict[str, Any]) -> None:
        """Write where the bytes come from. Raises StoreError."""
        write_private(self._note, json.dumps(note).encode())

    def begin_again(self) -> None:
        """Forget what has arrived."""
        if self._file is not None:
            self._file.close()
            self._file = None
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)
        self._hash = hashlib.sha256()
        self.received = 0

    def write(self, block: bytes) -> None:
        """Add bytes at the end. Raises NetworkError("no_space"), StoreError."""
        try:
            if self._file is None:
                self._file = self.path.open("ab", buffering=0)
                self.path.chmod(0o600)
            view = memoryview(block)
            while view:
                view = view[self._file.write(view) or 0 :]
        except OSError as error:
            if error.errno in _FULL:
                raise _no_space(f"The disk became full at {self.received / 1e6:,.0f} MB.") from error
            raise unwritable(error, self.target.parent) from error
        self._hash.update(block)
        self.received += len(block)

    def finish(self, size: int | None, sha256: str | None) -> str:
        """Verify, then give the file its name; returns its SHA-256.

        Raises ModelError("truncated" | "checksum"); the part that is not what was wanted is deleted.
        """
        found = self._hash.hexdigest()
        if size is not None and self.received < size:
            raise ModelError(
                "truncated",
                f"{self.target.name} is cut short ({self.received:,} of {size:,} bytes).",
                "Try again: the download goes on where it stopped.",
                retryable=True,
            )
        if (size is not None and self.received > size) or (sha256 and found != sha256.lower()):
            self.begin_again()
            raise ModelError(
                "checksum",
                f"What the server sent is not {self.target.name}: its SHA-256 differs from the expected one.",
                "It was deleted. Try again later, or get the model from another place.",
            )
        self._put_in_place()
        return found

    def _put_in_place(self) -> None:
        try:
            with self.path.open("ab") as file:
                os.fsync(file.fileno())
            if self._file is not None:
                self._file.close()
                self._file = None
            self.path.replace(self.target)
            _sync_folder(self.target.parent)
        except OSError as error:
            raise unwritable(error, self.target.parent) from error


def check_space(folder: Path, needed: int) -> None:
    """Raise NetworkError("no_space") unless `needed` bytes fit and RESERVE_BYTES stay free."""
    free = shutil.disk_usage(folder).free
    if needed + RESERVE_BYTES > free:
        raise _no_space(
            f"There is not enough space: {needed / 1e9:,.1f} GB are needed, {free / 1e9:,.1f} GB are free"
            f" and {RESERVE_BYTES / 1e9:,.1f} GB of them stay reserved."
        )


def _no_space(message: str) -> NetworkError:
    return NetworkError("no_space", message, "Free some space; what has arrived is kept.", retryable=True)


def _alone(folder: Path) -> IO[str]:
    try:
        return acquire(folder)
    except StoreError as error:
        if error.code != "locked":
            raise
        raise StoreError(
            "locked", "This model is being downloaded already.", "Wait for it, or stop it there.", retryable=True
        ) from error


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable, where folders can be synced."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
