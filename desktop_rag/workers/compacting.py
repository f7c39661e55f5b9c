"""Giving back the room that removed documents leave in the database, in steps of a few milliseconds.

Free pages are moved to the end of the file and cut off. A library that was made before this was possible is written
anew once, in memory, where a person asks for it and there is enough; its own free pages are used again otherwise.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import psutil  # type: ignore[import-untyped]

from desktop_rag.store.connection import INCREMENTAL, transaction
from desktop_rag.workers.library import Library
from desktop_rag.workers.loop import Operation

_PAGES_A_STEP = 200
_STEP_SECONDS = 0.05
# By itself only where it pays: so much of the file, and so many bytes.
_SHARE, _LEAST_BYTES = 0.25, 16e6
# A library that is written anew may take so much of what memory is free.
_OF_MEMORY = 0.4


def free_bytes(library: Library) -> int:
    """How much of the database's file holds nothing any more."""
    return _number(library, "freelist_count") * _number(library, "page_size")


def pays(library: Library) -> bool:
    """Whether so much is free that it is given back without being asked for."""
    free = free_bytes(library)
    whole = _number(library, "page_count") * _number(library, "page_size")
    return free > max(_LEAST_BYTES, _SHARE * whole) and _number(library, "auto_vacuum") == INCREMENTAL


def compact(library: Library, *, asked: bool = True) -> Operation:
    """Yields "progress", returns {before_mb, after_mb, rewritten, seconds}; killed anywhere, nothing is lost.

    `asked`: by a person, who may wait for one long step where the library is of the older kind.
    """
    begun, before = time.perf_counter(), _size_mb(library)
    while _promoted(library):
        yield None
    rewritten = False
    if _number(library, "auto_vacuum") == INCREMENTAL:
        yield from _shortened(library)
    elif asked and free_bytes(library) and _fits(library):
        yield {"event": "progress", "text": "Writing the library anew", "fraction": None}
        rewritten = _written_anew(library)
    yield None
    library.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return {
        "before_mb": before,
        "after_mb": _size_mb(library),
        "rewritten": rewritten,
        "seconds": round(time.perf_counter() - begun, 2),
    }


def afterwards(library: Library, work: Operation) -> Operation:
    """Some work, and compacting after it where that pays."""
    done = yield from work
    if pays(library):
        yield from compact(library, asked=False)
    return done


def _promoted(library: Library) -> bool:
    """Bring some words into large segments; whether there are more."""
    with transaction(library.db):
        return library.lexical.promote(_STEP_SECONDS)


def _shortened(library: Library) -> Iterator[dict[str, Any]]:
    total = _number(library, "freelist_count")
    while left := _number(library, "freelist_count"):
        share = max(0.0, 1 - left / max(total, left))
        yield {"event": "progress", "text": f"Giving room back {100 * share:.0f} %", "fraction": share}
        library.db.execute(f"PRAGMA incremental_vacuum({_PAGES_A_STEP})").fetchall()
        if _number(library, "freelist_count") >= left:
            return


def _written_anew(library: Library) -> bool:
    library.db.execute(f"PRAGMA auto_vacuum={INCREMENTAL}")
    library.db.execute("VACUUM")
    return True


def _fits(library: Library) -> bool:
    """Whether there is memory for a copy: it must not lie on the disk in between."""
    used = (_number(library, "page_count") - _number(library, "freelist_count")) * _number(library, "page_size")
    return bool(used < _OF_MEMORY * psutil.virtual_memory().available)


def _size_mb(library: Library) -> float:
    path = library.data_dir / "library.db"
    sizes = (file.stat().st_size for file in (path, path.with_name(f"{path.name}-wal")) if file.exists())
    return round(sum(sizes) / 1e6, 2)


def _number(library: Library, pragma: str) -> int:
    return int(library.db.execute(f"PRAGMA {pragma}").fetchone()[0])
