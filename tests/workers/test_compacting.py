"""What removed documents leave is given back; nothing else changes, whatever moment it is stopped at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from desktop_rag.store.connection import INCREMENTAL
from desktop_rag.workers import compacting, health, questions, receipts
from tests.workers.driving import add, run

if TYPE_CHECKING:
    from desktop_rag.workers.library import Library

pytestmark = pytest.mark.slow
DOCUMENTS = 12


def text(number: int) -> str:
    lines = (
        f"Clause {number}-{line}: the zorb{number} of the harbour is kept dry in winter. " * 3 for line in range(60)
    )
    return "\n\n".join(lines)


@pytest.fixture
def emptied(library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """A library of which most was removed; the rows that are left."""
    monkeypatch.setattr(compacting, "_PAGES_A_STEP", 10)
    for number in range(DOCUMENTS):
        (tmp_path / f"{number}.txt").write_text(text(number))
    rows = add(library, *(tmp_path / f"{number}.txt" for number in range(DOCUMENTS)))
    run(receipts.remove(library, [row["id"] for row in rows[2:]]))
    return rows[:2]


def size(library: Library) -> int:
    return (library.data_dir / "library.db").stat().st_size


def found(library: Library) -> list[tuple[str, str]]:
    hits = questions.find(library, "Where is zorb1 kept?", None, "hybrid", 5)["hits"]
    return [(hit["name"], hit["text"]) for hit in hits]


def test_free_room_is_given_back_in_steps(library: Library, emptied: list[dict[str, Any]]) -> None:
    before, held = size(library), found(library)
    free = compacting.free_bytes(library)
    assert free > 0.3 * before
    assert health.examine(library, "off")["index"]["free_mb"] == pytest.approx(free / 1e6, abs=0.01)
    events, done = run(compacting.compact(library))
    assert compacting.free_bytes(library) == 0
    assert size(library) <= before - free
    assert done["after_mb"] < done["before_mb"]
    assert not done["rewritten"]
    assert len([event for event in events if event]) > 1, "others are served in between"
    assert found(library) == held
    assert health.examine(library, "off")["index"]["parity"]
    assert run(compacting.compact(library))[1]["after_mb"] == done["after_mb"]


def test_stopped_in_the_middle_the_rest_is_given_back_later(library: Library, emptied: list[dict[str, Any]]) -> None:
    held, free = found(library), compacting.free_bytes(library)
    steps = compacting.compact(library)
    for _ in range(3):
        next(steps)
    steps.close()
    assert 0 < compacting.free_bytes(library) < free
    assert found(library) == held
    run(compacting.compact(library))
    assert compacting.free_bytes(library) == 0


def test_a_library_of_the_older_kind_is_written_anew_where_it_is_asked_for(
    library: Library, emptied: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    library.db.execute("PRAGMA auto_vacuum=0")
    library.db.execute("VACUUM")
    (row, *_) = emptied
    run(receipts.remove(library, [row["id"]]))
    held = found(library)
    monkeypatch.setattr(compacting, "_OF_MEMORY", 0.0)
    run(compacting.compact(library))
    assert compacting.free_bytes(library) > 0, "without memory for a copy it stays as it is"
    monkeypatch.setattr(compacting, "_OF_MEMORY", 0.4)
    assert not compacting.pays(library)
    done = run(compacting.compact(library))[1]
    assert done["rewritten"]
    assert library.db.execute("PRAGMA auto_vacuum").fetchone()[0] == INCREMENTAL
    assert compacting.free_bytes(library) == 0
    assert found(library) == held


def test_by_itself_only_where_it_pays(
    library: Library, emptied: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing() -> Any:
        yield None
        return {"resumed": 0}

    free = compacting.free_bytes(library)
    assert run(compacting.afterwards(library, nothing()))[1] == {"resumed": 0}
    assert compacting.free_bytes(library) == free, "so little is used again soon"
    monkeypatch.setattr(compacting, "_LEAST_BYTES", 1000.0)
    run(compacting.afterwards(library, nothing()))
    assert compacting.free_bytes(library) == 0
