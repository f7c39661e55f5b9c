"""The way to a file inside another one (an attachment, a member of an archive) and to its parts.

Who reads a container asks for its files one after the other. What was found in it last is therefore kept: to go
through a mailbox, or to unpack an archive in an archive, for each file anew takes time that grows with the square.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path, PurePosixPath

from desktop_rag.documents.formats import LOCKED, detect
from desktop_rag.documents.limits import DEFAULT_LIMITS, Limits
from desktop_rag.documents.parsers import Part, parser_of
from desktop_rag.documents.passwords import unknown_scheme
from desktop_rag.documents.source import Child, FileSource, MemorySource, Source
from desktop_rag.errors import DocumentError


def source_of(
    path: Path, member: Sequence[str] = (), *, limits: Limits = DEFAULT_LIMITS, password: str | None = None
) -> Source:
    """The file, or what lies in it at `member`. Raises DocumentError as `read` does, and lets OSError pass."""
    way = tuple(member[: limits.max_depth + 1])
    if not way:
        return FileSource(path)
    limits = replace(limits, recognise=False, known=frozenset())
    load = _inside(path, _state(path), way[:-1], limits, password).get(way[-1])
    if load is None:
        raise DocumentError("not_found", "The file is not in there any more.", "Add what it was in again.")
    return MemorySource(PurePosixPath(way[-1]).name, load())


def parts_of(source: Source, limits: Limits, password: str | None) -> Iterator[Part]:
    """What the parser of its format finds in a source, decrypted first where that has to be."""
    kind = detect(source)
    if kind == LOCKED:
        from desktop_rag.documents.parsers.locked import unlocked

        source = unlocked(source, limits, password)
        kind = detect(source)
        if kind == LOCKED:
            raise unknown_scheme()
    return parser_of(kind)(source, limits=limits, password=password)


def forget() -> None:
    """Let go of what is kept: another file comes."""
    _inside.cache_clear()


def _state(path: Path) -> tuple[int, ...]:
    """What tells a file from another one that takes its place."""
    status = path.stat()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


# Two, for an archive of mails with attachments: the mail at hand and what it lies in.
@lru_cache(maxsize=2)
def _inside(
    path: Path, state: tuple[int, ...], member: tuple[str, ...], limits: Limits, password: str | None
) -> dict[str, Callable[[], bytes]]:
    """What gives the content of each file in the container at `member`, by its name there."""
    found: dict[str, Callable[[], bytes]] = {}
    try:
        for part in parts_of(source_of(path, member, limits=limits, password=password), limits, password):
            if isinstance(part, Child):
                found[part.name] = part.load
            if len(found) == limits.max_children:
                break
    except DocumentError:
        # Of a container that is damaged further back, the files before that can be had.
        if not found:
            raise
    return found
