"""The database as it lies on the disk, decrypted page by page: free pages and the room between rows included.

What SQLite no longer shows may still stand there for whoever holds the key. SQLCipher 4 keeps each page as AES-256-CBC
with its own initialisation vector, followed by a MAC; the first 16 bytes of the file are the key's salt
(https://www.zetetic.net/sqlcipher/design/).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from desktop_rag.errors import StoreError

PAGE_BYTES = 4096
_SALT_BYTES, _IV_BYTES, _MAC_BYTES = 16, 16, 64
_RESERVED = _IV_BYTES + _MAC_BYTES
_WAL_HEADER, _FRAME_HEADER = 32, 24
_PAGES_A_PIECE = 256
# Bytes 16 to 20 of the first page: the page size, the two format versions, the reserved bytes of each page.
_FIRST = PAGE_BYTES.to_bytes(2, "big") + b"\x02\x02" + bytes([_RESERVED])


def decrypted_pages(database: Path, key: bytes) -> Iterator[bytes]:
    """The contents of the database and of its log, many pages at a time, in the order in which they lie there.

    Raises StoreError("unreadable") where they are kept in another way than this one.
    """
    for at, piece in enumerate(_pieces(database, 0, 0)):
        content = b"".join(_decrypted(page, key, first=at == 0 and number == 0) for number, page in enumerate(piece))
        if at == 0 and not content.startswith(_FIRST):
            raise StoreError("unreadable", "The library's pages are kept in a way that cannot be looked into.")
        yield content
    for piece in _pieces(database.with_name(f"{database.name}-wal"), _WAL_HEADER, _FRAME_HEADER):
        # Each copy of a page says before it which one it is.
        yield b"".join(_decrypted(page[_FRAME_HEADER:], key, first=page[:4] == b"\x00\x00\x00\x01") for page in piece)


def _pieces(path: Path, head: int, before_each: int) -> Iterator[list[bytes]]:
    """Lists of whole pages, each with the `before_each` bytes that stand before it.

    Closing the file lets go of SQLite's own locks on it (POSIX locks belong to the process); what keeps others away is
    the lock of the data directory.
    """
    size = PAGE_BYTES + before_each
    try:
        with path.open("rb") as file:
            file.seek(head)
            while block := file.read(size * _PAGES_A_PIECE):
                yield [block[at : at + size] for at in range(0, len(block) - size + 1, size)]
    except FileNotFoundError:
        return


def _decrypted(page: bytes, key: bytes, *, first: bool) -> bytes:
    start = _SALT_BYTES if first else 0
    vector = page[-_RESERVED:-_MAC_BYTES]
    decryptor = Cipher(algorithms.AES(key), modes.CBC(vector)).decryptor()
    return decryptor.update(page[start:-_RESERVED]) + decryptor.finalize()
