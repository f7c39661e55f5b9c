"""Where the chat process may keep its KV memory: a folder and a key for it alone, both gone when a document goes.

KV memory is document content in another form. The chat process gets neither the library's key nor
a say in the place: it writes into the folder named here or not at all. Emptying removes the folder;
a write that comes late finds no folder, and the next one has another name and another key.
"""

from __future__ import annotations

import secrets
import shutil
from base64 import b64encode
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from desktop_rag.engines.kv_store import discard
from desktop_rag.paths import private_dir

_GONE = ".gone"


class KvFolder:
    """The folder of one data directory; at most one generation of it exists at a time."""

    def __init__(self, data_dir: Path, key: bytes) -> None:
        self._parent = data_dir / "kv"
        self._key = key
        self.generation = secrets.token_hex(8)
        """Another one whenever something was emptied: what a model was shown before is not to be shown again."""

    def place(self, *, keep: bool) -> dict[str, str] | None:
        """`current`, or None where nothing shall be kept; what was kept before goes then."""
        if keep:
            return self.current()
        if not self.is_empty():
            self.empty()
        return None

    def current(self) -> dict[str, str]:
        """The folder to use now, made if there is none, and its key in base64."""
        folder = next((path for path in self._generations() if path.suffix != _GONE), None)
        if folder is None:
            folder = private_dir(private_dir(self._parent) / secrets.token_hex(8))
        derived = HKDF(SHA256(), 32, salt=None, info=b"desktop-rag kv " + folder.name.encode()).derive(self._key)
        return {"folder": str(folder), "key": b64encode(derived).decode()}

    def empty(self) -> None:
        """Remove everything that was kept, also beside a process that is just saving."""
        self.generation = secrets.token_hex(8)
        for folder in self._generations():
            if folder.suffix == _GONE:
                shutil.rmtree(folder, ignore_errors=True)
            else:
                discard(folder)

    def count(self) -> int:
        """How many files are kept."""
        return sum(path.is_file() for folder in self._generations() for path in folder.rglob("*"))

    def is_empty(self) -> bool:
        """Whether nothing is kept."""
        return not any(self._generations())

    def _generations(self) -> list[Path]:
        return sorted(path for path in self._parent.iterdir() if path.is_dir()) if self._parent.is_dir() else []
