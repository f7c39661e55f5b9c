"""Where a document's bytes come from: a file on disk, or what lies in an archive or hangs on a mail."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from desktop_rag.documents.limits import Limits
from desktop_rag.errors import DocumentError


class Source(Protocol):
    """Bytes with a name. Opening raises OSError as a file does; what is opened can be sought in."""

    @property
    def name(self) -> str:
        """The file's name, with its suffix."""
        ...

    @property
    def size(self) -> int:
        """Bytes."""
        ...

    def open(self) -> BinaryIO:
        """The content from its start; the caller closes it."""
        ...


@dataclass(frozen=True, slots=True)
class FileSource:
    """A file on disk."""

    path: Path

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return self.path.stat().st_size

    def open(self) -> BinaryIO:
        """The file."""
        return self.path.open("rb")


@dataclass(frozen=True, slots=True)
class MemorySource:
    """What was taken out of another file: it stays in memory, for nothing of it may be left on a disk."""

    name: str
    data: bytes

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.data)

    def open(self) -> BinaryIO:
        """The bytes as a file."""
        return io.BytesIO(self.data)


@dataclass(frozen=True, slots=True)
class Child:
    """A file inside another one: `name` is unique in there, `load` gives its content or raises DocumentError."""

    name: str
    size: int | None
    load: Callable[[], bytes]


def stem(source: Source) -> str:
    """The name without its suffix: what a document is called that says nothing better."""
    return Path(source.name).stem


def suffix(source: Source) -> str:
    """The name's suffix in lower case, with its dot."""
    return Path(source.name).suffix.lower()


@contextmanager
def told_of_disk() -> Iterator[None]:
    """Say in plain words what a disk complains about: DocumentError "not_found" or "unreadable" for any OSError."""
    try:
        yield
    except FileNotFoundError as failure:
        raise DocumentError(
            "not_found", "The file is not there any more.", "It may have been moved, renamed or deleted: add it again."
        ) from failure
    except PermissionError as failure:
        raise DocumentError(
            "unreadable", "You have no permission to read this file.", "Change its permissions, or copy it."
        ) from failure
    except OSError as failure:
        reason = f" ({failure.strerror})" if failure.strerror else ""
        raise DocumentError(
            "unreadable",
            f"The file could not be read from its disk{reason}.",
            "Check that the disk or network folder is connected and try again.",
            retryable=True,
        ) from failure


def read_bytes(source: Source, limits: Limits) -> bytes:
    """The whole content, for formats that cannot be read bit by bit; "too_large" beyond what memory should hold."""
    with source.open() as stream:
        data = stream.read(limits.max_text_bytes + 1)
    if len(data) > limits.max_text_bytes:
        raise DocumentError(
            "too_large",
            f"The file is larger than the {limits.max_text_bytes // 1_000_000} MB of text that are read at once.",
            "Split it into smaller files and add those.",
        )
    return data
