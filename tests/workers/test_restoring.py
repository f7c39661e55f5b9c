"""A library that was backed up and restored elsewhere has all its rows, answers the same, and agrees with itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop_rag import paths
from desktop_rag.retrieval.modes import MODES
from desktop_rag.store import passphrase
from desktop_rag.workers import backing_up, exchanging, health, judging, questions, receipts, viewing
from desktop_rag.workers.library import Library
from tests.workers.driving import add, run
from tests.workers.made_chunks import directions, put

pytestmark = pytest.mark.slow

PHRASE = b"correct horse battery"
QUESTION = "How long is the warranty of the pump?"
# So many passages fill a segment of the words' index, and some wait beside it.
_PASSAGES = 700
_NEWEST = ("forward", "segments", "unmerged", "terms", "vectors", "judged", "judged_passages", "entries", "aliases")


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passphrases that cost next to nothing."""
    monkeypatch.setattr(passphrase, "_COST", {"memory_kib": 64, "iterations": 1, "lanes": 1})


@pytest.fixture
def elsewhere(models: dict[str, Any], tmp_path: Path) -> Iterator[Callable[[str, bytes | None], Library]]:
    """Opens data directories of other computers."""
    opened: list[Library] = []

    def make(name: str, phrase: bytes | None = None) -> Library:
        folder = paths.private_dir(tmp_path / name)
        library = Library(folder, phrase)
        vars(library).update(models)
        opened.append(library)
        return library

    yield make
    for library in opened:
        library.close()


@pytest.fixture
def filled(elsewhere: Callable[..., Library], tmp_path: Path) -> Library:
    """With something in every table that a search or an answer needs: segments, judged questions, an import."""
    library = elsewhere("home")
    make_import(library, elsewhere("sender"), tmp_path)
    (tmp_path / "pump.txt").write_text("The warranty of the pump P-7 lasts 24 months. Jean Rivera keeps the papers.\n")
    (tmp_path / "gone.txt").write_text("The canteen opens at noon.\n")
    rows = {row["name"]: row["id"] for row in add(library, *tmp_path.glob("*.txt"))}
    said = "Clause {0} about boat zorblat{0}."
    put(library, "long.txt", [said.format(number) for number in range(_PASSAGES)], directions(_PASSAGES))
    run(receipts.remove(library, [rows["gone.txt"]]))
    prepared = questions.prepare(library, {"question": QUESTION, "mode": "hybrid"})
    judging.judge(library, "Who keeps the papers of the pump?", prepared["passages"][:1])
    library.collections.set_fusion(library.default_collection()["id"], "minmax:0.4")
    return library


def make_import(library: Library, sender: Library, folder: Path) -> None:
    """A collection that came in one file from another computer."""
    (folder / "letter.md").write_text("The heating is repaired by Bartholomew Crane within two weeks.\n")
    add(sender, folder / "letter.md")
    sender.collections.update(sender.default_collection()["id"], name="From elsewhere", policy=None, review=None)
    home, file = sender.default_collection()["id"], folder / "export.zip"
    run(exchanging.export_collection(sender, home, file, PHRASE, originals=True))
    run(exchanging.import_collection(library, file, PHRASE))


def tables(library: Library) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, and the schema."""
    names = [row[0] for row in library.db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    rows = {name: sorted(map(repr, map(tuple, library.db.execute(f"SELECT * FROM {name}")))) for name in names}
    return rows | {"": sorted(repr(tuple(row)) for row in library.db.execute("SELECT name, sql FROM sqlite_master"))}  # type: ignore[return-value]


def asked(library: Library) -> dict[str, Any]:
    """What is found in every mode, whole."""
    asking = (QUESTION, "boat zorblat333", "heating repaired", "canteen")
    return {
        f"{mode} {question}": [
            (hit["name"], hit["page"], hit["start"], hit["text"], hit["score"])
            for hit in questions.find(library, question, None, mode, 10)["hits"]
        ]
        for mode in MODES
        for question in asking
    }


def test_what_was_backed_up_and_restored_is_the_same(
    filled: Library, elsewhere: Callable[..., Library], tmp_path: Path
) -> None:
    assert all(filled.db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in _NEWEST), "nothing is empty"
    rows, found, file = tables(filled), asked(filled), tmp_path / "backup.zip"
    run(backing_up.backup(filled, file, PHRASE))
    # What comes after the backup is not in it.
    (tmp_path / "later.md").write_text("The canteen is closed.\n")
    add(filled, tmp_path / "later.md")

    folder = paths.private_dir(tmp_path / "restored")
    run(backing_up.restore(folder, file, PHRASE))
    restored = elsewhere("restored", PHRASE)
    assert tables(restored) == rows
    assert asked(restored) == found
    report = health.examine(restored, "none")
    assert report["index"]["parity"] is True
    assert not [problem for problem in report["problems"] if "put right" in problem]
    assert restored.lexical.agrees()
    (judged,) = judging.listed(restored)
    assert [passage["name"] for passage in judged["passages"]] == ["pump.txt"]
    assert {c["name"] for c in restored.collections.all()} == {c["name"] for c in filled.collections.all()}
    assert restored.collections.fusion(restored.default_collection()["id"]) == "minmax:0.4"
    # It goes on like any other: documents are opened, removed and added.
    document = judged["passages"][0]["document"]
    assert "24 months" in viewing.text(restored, document)["pages"][0]["text"]
    run(receipts.remove(restored, [document]))
    assert judging.listed(restored) == []
    assert {row["state"] for row in add(restored, tmp_path / "later.md")} == {"ready"}
    assert health.examine(restored, "none")["index"]["parity"] is True
