"""A kill at any point loses nothing that was acknowledged and doubles nothing: the database says what is left to do."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from desktop_rag import paths
from desktop_rag.errors import EngineError
from desktop_rag.workers import indexing
from desktop_rag.workers.crew import Workers
from desktop_rag.workers.removing import remove_document
from tests.workers.driving import add, counts, everything, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from desktop_rag.workers.library import Library

pytestmark = pytest.mark.slow

FILES = 20


@pytest.fixture
def workers() -> Iterator[Workers]:
    made = Workers(paths.data_dir())
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(FILES):
        clauses = "".join(f"In clause {number}.{i} the tenant Jean Rivera pays {i} euros.\n\n" for i in range(4))
        (tmp_path / f"{number:02}.txt").write_text(f"Contract number {number}.\n\n{clauses}")
    return tmp_path


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is POSIX")
def test_a_killed_library_goes_on_where_it_was(
    workers: Workers, open_library: Callable[[], Library], folder: Path
) -> None:
    acknowledged: list[str] = []

    def killed_half_way() -> None:
        for event in workers.library.stream("add", paths=[str(folder)], review=False):
            if event["event"] == "document" and event["state"] == "ready":
                acknowledged.append(event["document"])
            if len(acknowledged) == FILES // 2 and workers.library.pid:
                os.kill(workers.library.pid, signal.SIGKILL)

    with pytest.raises(EngineError) as caught:
        killed_half_way()
    assert caught.value.code == "crashed"
    assert FILES // 2 <= len(acknowledged) < FILES

    resumed = workers.library.call("resume")["documents"]
    assert {document["state"] for document in resumed} == {"ready"}
    assert not {document["id"] for document in resumed} & set(acknowledged), "what was ready is not done again"
    workers.close()

    held = counts(library := open_library())
    assert (held["documents"], held["ready"]) == (FILES, FILES)
    assert held["chunks"] == held["lexical"] == held["vectors"] == held["chroma"] >= FILES
    once = dict(held)
    assert add(library, folder)
    assert counts(library) == once
    assert "Rivera" not in "\n".join(
        row[0] for row in library.db.execute("SELECT text FROM pages UNION SELECT term FROM terms")
    )


@pytest.mark.parametrize("state", ["waiting", "reading", "cleaning", "indexing"])
def test_every_state_a_kill_can_leave_is_taken_up(
    open_library: Callable[[], Library], folder: Path, state: str
) -> None:
    library = open_library()
    collection = library.default_collection()["id"]
    path = str(folder / "00.txt")
    operation = indexing.add(library, [path], collection, "pseudonymise", False)
    next(event for event in operation if event and event.get("state") == state)
    next(operation)  # a step into the state
    operation.close()
    library.close()

    library = open_library()
    (document,) = library.documents.unfinished()
    run(indexing.run(library, [document]))
    interrupted = counts(library)
    assert interrupted["ready"] == 1

    remove_document(library, document)
    assert add(library, path)[0]["state"] == "ready"
    assert counts(library) == interrupted


def test_a_file_that_went_away_meanwhile_fails_and_leaves_nothing(
    open_library: Callable[[], Library], folder: Path
) -> None:
    library = open_library()
    collection = library.default_collection()["id"]
    path = folder / "00.txt"
    path.write_text("".join(f"In clause {i} the tenant Jean Rivera pays {i} euros.\n\n" for i in range(40)))
    operation = indexing.add(library, [str(path)], collection, "pseudonymise", False)
    next(event for event in operation if event and event.get("state") == "cleaning")
    while not library.db.execute("SELECT count(*) FROM chunks").fetchone()[0]:
        next(operation)
    operation.close()
    library.close()
    path.unlink()

    library = open_library()
    (document,) = library.documents.unfinished()
    run(indexing.run(library, [document]))
    row = library.documents.row(document)
    assert row["state"] == "failed"
    assert '"not_found"' in row["error"]
    for table in ("chunks", "forward", "unmerged", "segments", "terms", "vectors", "entries", "aliases"):
        assert library.db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == 0, table
    assert "Rivera" not in everything(library)
