"""KV memory of hot documents and system prompts, kept on disk encrypted, so that a restart need not read them again.

A saved state is document content in another form: nothing of it, not even a file's name, is ever
written in the clear. One file holds one state (desktop_rag.engines.kv_file says how). This is a
cache: a file that does not open is deleted, and failing to save is no error.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from desktop_rag.engines import kv_file
from desktop_rag.engines.kv_file import KEY_BYTES, DamagedError, Header, Tokens

_SUFFIX = ".kv"
_PART = ".part"


@dataclass(frozen=True, slots=True)
class Saved:
    """One saved state. `shared` counts the first tokens it has in common with the prompt `best` was asked for."""

    model: str
    tokens: tuple[int, ...] = field(repr=False)
    conversation: str | None
    note: Mapping[str, Any]
    size: int
    path: Path = field(repr=False)
    shared: int = 0
    _key: bytes = field(default=b"", repr=False)

    def load(self) -> bytes:
        """The state (`size` bytes); empty when the file is gone, replaced or damaged meanwhile (then it is deleted)."""
        tokens = np.asarray(self.tokens, np.int32)
        wanted = Header(self.model, tokens, self.conversation, dict(self.note), self.size)
        try:
            with self.path.open("rb") as file:
                state = kv_file.read_state(file, self._key, wanted)
        except OSError:
            return b""
        except DamagedError:
            _unlink(self.path)
            return b""
        if state is None:
            return b""
        with contextlib.suppress(OSError):
            os.utime(self.path)
        return state


class KvStore:
    """Saved states under `folder`, at most `limit_bytes` of them; what was not used for longest goes first.

    The folder is never made here: whoever removes it because documents went can rely on it that neither
    a store opened late nor a late save brings their content back, not even into a folder made anew.
    """

    def __init__(self, folder: Path, key: bytes, limit_bytes: int = 1 << 30) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"the key has {len(key)} bytes, not {KEY_BYTES}")
        self._key = key
        self._limit = limit_bytes
        self._headers: dict[tuple[str, int, int], Saved] = {}
        self._home = _open_home(folder)

    def save(
        self,
        model: str,
        tokens: Sequence[int],
        state: bytes,
        *,
        conversation: str | None = None,
        note: Mapping[str, Any] | None = None,
    ) -> bool:
        """Keep `state`, the KV memory of `tokens` in the model with this fingerprint; replaces the conversation's last.

        Without a conversation the tokens themselves are the identity. `note` is JSON for the caller.
        False when it is not kept: the folder is gone, the disk full, the state larger than the limit.
        """
        header = Header(model, np.asarray(tokens, np.int32), conversation, dict(note or {}), len(state))
        target = self._home / self._name(header)
        part = target.with_name(f"{secrets.token_hex(8)}{_PART}")
        try:
            with open(part, "xb", opener=_private) as file:
                # No fsync: a file cut off by a power failure does not open, and waiting for the disk costs more.
                size = kv_file.write(file, self._key, header, state)
            if size > self._limit:
                _unlink(part)
                return False
            part.replace(target)
        except OSError:
            _unlink(part)
            return False
        self._shrink(keep=target)
        return True

    def best(self, model: str, tokens: Sequence[int]) -> Saved | None:
        """The state that shares the longest beginning with `tokens` (the smaller one of equals); None without any."""
        wanted = np.asarray(tokens, np.int32)
        found: Saved | None = None
        for saved in self._all():
            if saved.model != model:
                continue
            shared = _common(np.asarray(saved.tokens, np.int32), wanted)
            if shared and (found is None or (shared, -saved.size) > (found.shared, -found.size)):
                found = replace(saved, shared=shared)
        return found

    def find(self, model: str, conversation: str) -> Saved | None:
        """What was saved last for this conversation."""
        return next((s for s in self._all() if s.model == model and s.conversation == conversation), None)

    def forget(self, conversation: str) -> None:
        """Delete what belongs to this conversation, of whatever model."""
        for saved in list(self._all()):
            if saved.conversation == conversation:
                _unlink(saved.path)

    @property
    def used_bytes(self) -> int:
        """What the saved states take on disk."""
        return sum(entry.stat().st_size for entry in _entries(self._home))

    def _name(self, header: Header) -> str:
        identity = header.tokens.tobytes() if header.conversation is None else header.conversation.encode()
        kind = b"tokens" if header.conversation is None else b"conversation"
        parts = b"".join(len(part).to_bytes(4, "little") + part for part in (kind, header.model.encode(), identity))
        return hmac.new(self._key, parts, hashlib.sha256).hexdigest()[:40] + _SUFFIX

    def _all(self) -> Iterator[Saved]:
        """Every readable state; headers are read once as long as their files stay as they are."""
        seen: dict[tuple[str, int, int], Saved] = {}
        for entry in _entries(self._home):
            try:
                stat = entry.stat()
                known = (entry.name, stat.st_mtime_ns, stat.st_size)
                saved = self._headers.get(known) or self._read(Path(entry.path))
            except OSError:
                continue
            except DamagedError:
                _unlink(Path(entry.path))
                continue
            seen[known] = saved
            yield saved
        self._headers = seen

    def _read(self, path: Path) -> Saved:
        with path.open("rb") as file:
            header = kv_file.read_header(file, self._key)
        return Saved(
            header.model,
            tuple(header.tokens.tolist()),
            header.conversation,
            header.note,
            header.size,
            path,
            _key=self._key,
        )

    def _shrink(self, keep: Path) -> None:
        """Delete the longest unused files until the rest fits."""
        rows = []
        for entry in _entries(self._home):
            with contextlib.suppress(OSError):
                stat = entry.stat()
                rows.append((stat.st_mtime_ns, stat.st_size, Path(entry.path)))
        total = sum(size for _, size, _ in rows)
        for _, size, path in sorted(rows):
            if total <= self._limit:
                break
            if path != keep:
                _unlink(path)
                total -= size


def discard(folder: Path) -> bool:
    """Delete a store's folder with everything in it; whether nothing is left. Safe beside a process that is saving."""
    # Renamed first: from that moment no save can add a file to what is being deleted.
    gone = folder.with_name(f"{folder.name}.{secrets.token_hex(4)}.gone")
    with contextlib.suppress(FileNotFoundError):
        folder.rename(gone)
    for rest in folder.parent.glob(f"{folder.name}.*.gone"):
        shutil.rmtree(rest, ignore_errors=True)
    return not folder.exists() and not any(folder.parent.glob(f"{folder.name}.*.gone"))


def _open_home(folder: Path) -> Path:
    """The one folder inside `folder` where the files lie.

    Its name is drawn anew with every new `folder`, so that a store opened before a removal finds
    nothing to write into, whoever made the folder again meanwhile.
    """
    try:
        homes = sorted(path for path in folder.iterdir() if path.is_dir())
        if not homes:
            homes = [folder / secrets.token_hex(8)]
            homes[0].mkdir(mode=0o700)
        for stray in homes[1:]:
            shutil.rmtree(stray, ignore_errors=True)
        for left in homes[0].glob(f"*{_PART}"):
            _unlink(left)
    except OSError:
        # Where nothing can be kept every save says so.
        return folder / "unavailable"
    return homes[0]


def _entries(home: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(home) as entries:
            return [entry for entry in entries if entry.name.endswith(_SUFFIX)]
    except OSError:
        return []


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _unlink(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def _common(a: Tokens, b: Tokens) -> int:
    length = min(len(a), len(b))
    differing = np.flatnonzero(a[:length] != b[:length])
    return int(differing[0]) if len(differing) else length
