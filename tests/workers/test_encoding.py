"""A collection's encoder follows its languages, and is changed without losing anything, whatever interrupts it."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from desktop_rag import paths
from desktop_rag.errors import DesktopRagError, EngineError, SearchError, UsageError
from desktop_rag.retrieval.encode import EncoderCard
from desktop_rag.store.connection import transaction
from desktop_rag.workers import encoding, health, indexing, questions
from desktop_rag.workers.crew import Workers
from desktop_rag.workers.encoding import MULTILINGUAL
from desktop_rag.workers.library import ENCODER_MODEL
from tests.workers.driving import add, counts, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from desktop_rag.workers.library import Library

pytestmark = pytest.mark.slow

ENGLISH = "The landlord repairs the heating within two weeks after the tenant has told him that it is broken.\n\n"
GERMAN = (
    "Der Vermieter repariert die Heizung innerhalb von zwei Wochen, nachdem der Mieter den Mangel gemeldet hat.\n\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three English documents of many passages, and a German one."""
    for number in range(3):
        clauses = "".join(f"Clause {number}.{clause}. {ENGLISH * 6}" for clause in range(20))
        (tmp_path / f"{number}.txt").write_text(clauses, encoding="utf-8")
    (tmp_path / "deutsch.txt").write_text(GERMAN * 12, encoding="utf-8")
    return tmp_path


def english(folder: Path) -> list[Path]:
    return sorted(folder.glob("[0-9].txt"))


def change(library: Library) -> list[dict[str, Any]]:
    """Drive a change of encoder to its end; returns its events."""
    return [event for event in encoding.change(library) if event is not None]


def in_use(library: Library) -> str | None:
    found = library.collections.encoders(library.default_collection()["id"]).in_use
    return found.name if found else None


def following(library: Library) -> str | None:
    found = library.collections.encoders(library.default_collection()["id"]).next
    return found.name if found else None


def assert_whole(library: Library) -> None:
    """Every passage has exactly one vector, the one its encoder makes of its text, in database and cache."""
    collection = library.default_collection()["id"]
    told = counts(library)
    assert told["chunks"] == told["vectors"] == told["chroma"] > 0
    assert library.db.execute("SELECT count(*) FROM vectors").fetchone()[0] == told["chunks"]
    ids, vectors = library.vectors.matrix(collection)
    rows = library.documents.chunk_rows([int(ids[0]), int(ids[-1])])
    for at in (0, -1):
        row = rows[int(ids[at])]
        text = f"{row['context']}\n{row['text']}" if row["context"] else row["text"]
        made = library.encoder_for(collection).encode_all([text])[0]
        assert float(made @ vectors[at].astype(np.float32)) > 0.99
        assert int(ids[at]) in library.search(made, collection, 40)


def test_an_english_collection_is_encoded_by_the_fast_encoder(library: Library, folder: Path) -> None:
    add(library, *english(folder))
    change(library)
    assert (in_use(library), following(library)) == (ENCODER_MODEL, None)
    assert_whole(library)


def test_an_empty_collection_takes_the_encoder_of_its_first_document(library: Library, folder: Path) -> None:
    (document,) = add(library, folder / "deutsch.txt")
    assert document["language"] == "de"
    assert (in_use(library), following(library)) == (MULTILINGUAL, None)
    # What is English besides does not take it away again.
    add(library, *english(folder))
    assert (in_use(library), following(library)) == (MULTILINGUAL, None)
    assert_whole(library)


def test_a_document_of_another_language_changes_the_encoder(library: Library, folder: Path) -> None:
    add(library, *english(folder))
    before = counts(library)["chunks"]
    (german,) = add(library, folder / "deutsch.txt")
    collection = library.default_collection()["id"]
    # Until the change is over everything can be found by the encoder in use, and the new document by both.
    assert (in_use(library), following(library)) == (ENCODER_MODEL, MULTILINGUAL)
    assert library.vectors.count(collection) == before + german["chunks"]
    next_id = library.collections.encoders(collection).next.id  # type: ignore[union-attr]
    assert library.vectors.count(collection, next_id) == german["chunks"]
    assert len(library.search(library.encoder_for(collection).encode_query("heating"), collection, 5)) == 5
    events = change(library)
    done = [event["passages_done"] for event in events if event["event"] == "encoding"]
    assert done == sorted(done)
    assert done[0] == german["chunks"]
    assert done[-1] == before + german["chunks"]
    assert (in_use(library), following(library)) == (MULTILINGUAL, None)
    assert_whole(library)
    best = library.search(library.encoder_for(collection).encode_query("Wer repariert die Heizung?"), collection, 3)
    rows = library.documents.chunk_rows(list(best))
    assert rows[max(best, key=lambda chunk: best[chunk])]["name"] == "deutsch.txt"


def test_one_document_among_many_changes_nothing(library: Library, folder: Path) -> None:
    for number in range(3, 30):
        (folder / f"letter {number}.txt").write_text(f"Letter {number}. {ENGLISH}", encoding="utf-8")
    add(library, *sorted(folder.glob("letter *.txt")), folder / "deutsch.txt")
    assert in_use(library) == ENCODER_MODEL
    assert library.collections.encoders(library.default_collection()["id"]).next is None
    (folder / "brief.txt").write_text(f"Brief. {GERMAN * 3}", encoding="utf-8")
    add(library, folder / "brief.txt")
    change(library)
    assert in_use(library) == MULTILINGUAL, "two of 29 are enough"


@pytest.mark.parametrize("steps", [0, 3, 12, 40])
def test_an_interrupted_change_goes_on_with_what_is_left(
    open_library: Callable[[], Library], folder: Path, steps: int
) -> None:
    library = open_library()
    add(library, *english(folder), folder / "deutsch.txt")
    work = encoding.change(library)
    for _ in range(steps):
        next(work, None)
    collection = library.default_collection()["id"]
    everything = library.documents.passages(collection)
    assert library.vectors.count(collection) == everything
    work.close()
    library.close()
    again = open_library()
    change(again)
    assert (in_use(again), following(again)) == (MULTILINGUAL, None)
    assert_whole(again)


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is POSIX")
def test_a_killed_change_goes_on_at_the_next_start(open_library: Callable[[], Library], folder: Path) -> None:
    workers = Workers(paths.data_dir())

    def killed_half_way() -> None:
        for event in workers.library.stream("add", paths=[str(folder)], review=False):
            if event["event"] == "encoding" and event["passages_done"] > event["passages"] // 2 and workers.library.pid:
                os.kill(workers.library.pid, signal.SIGKILL)

    try:
        list(workers.library.stream("add", paths=[str(path) for path in english(folder)], review=False))
        with pytest.raises(EngineError) as caught:
            killed_half_way()
        assert caught.value.code == "crashed"
    finally:
        workers.close()
    library = open_library()
    done = library.vectors.count(None, library.collections.encoders(1).next.id)  # type: ignore[union-attr]
    assert (in_use(library), following(library)) == (ENCODER_MODEL, MULTILINGUAL)
    assert library.vectors.count() == library.documents.passages(1)
    first = change(library)[0]
    assert first["passages_done"] == done > 0
    assert in_use(library) == MULTILINGUAL
    assert_whole(library)


def test_a_kill_between_the_cache_and_the_switch_leaves_no_old_vectors_in_the_cache(
    open_library: Callable[[], Library], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = open_library()
    add(library, *english(folder), folder / "deutsch.txt")
    counts(library)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(library.collections, "set_encoder", killed)
    with pytest.raises(KeyboardInterrupt):
        change(library)
    library.close()
    again = open_library()
    assert in_use(again) == ENCODER_MODEL
    told = counts(again)
    assert told["chunks"] == told["vectors"] == told["chroma"]
    change(again)
    assert in_use(again) == MULTILINGUAL
    assert_whole(again)


def test_a_document_that_is_encoded_while_the_encoder_is_switched_gets_the_new_ones(
    library: Library, folder: Path
) -> None:
    """The last of a document's batches may belong to an encoder that is not at work any more."""
    add(library, english(folder)[0])
    add(library, folder / "deutsch.txt")
    collection = library.default_collection()["id"]
    document = library.documents.add(english(folder)[1], collection, "pseudonymise", False)
    library.documents.update(document, state="waiting")
    work = indexing.run(library, [document])
    for event in work:
        if library.documents.row(document)["state"] == "indexing":
            break
        assert event is None or event["event"] != "done"
    change(library)
    assert in_use(library) == MULTILINGUAL
    for _ in work:
        pass
    change(library)
    assert_whole(library)


class TestByHand:
    def test_a_chosen_encoder_stays(self, library: Library, folder: Path) -> None:
        add(library, *english(folder))
        collection = library.default_collection()["id"]
        _, result = run(encoding.choose(library, collection, "multilingual-E5-small"))
        assert result["collection"]["encoder"]["id"] == in_use(library) == MULTILINGUAL
        assert_whole(library)
        run(encoding.choose(library, collection, ENCODER_MODEL))
        assert in_use(library) == ENCODER_MODEL
        add(library, folder / "deutsch.txt")
        assert (in_use(library), following(library)) == (ENCODER_MODEL, None)
        assert_whole(library)

    def test_choosing_the_encoder_in_use_ends_a_change(self, library: Library, folder: Path) -> None:
        add(library, *english(folder), folder / "deutsch.txt")
        assert following(library) == MULTILINGUAL
        run(encoding.choose(library, library.default_collection()["id"], "all-MiniLM-L6-v2"))
        assert (in_use(library), following(library)) == (ENCODER_MODEL, None)
        assert_whole(library)

    def test_an_empty_collection_keeps_what_was_chosen(self, library: Library, folder: Path) -> None:
        run(encoding.choose(library, library.default_collection()["id"], "multilingual-e5-small"))
        add(library, english(folder)[0])
        assert in_use(library) == MULTILINGUAL
        assert_whole(library)

    def test_an_unknown_name_is_refused(self, library: Library) -> None:
        with pytest.raises(UsageError, match="no encoder “word2vec”"):
            run(encoding.choose(library, library.default_collection()["id"], "word2vec"))


class TestAnEncoderThatIsNotInstalled:
    @pytest.fixture
    def foreign(self, library: Library, folder: Path) -> int:
        """A collection whose vectors another version of the encoder made."""
        add(library, english(folder)[0])
        collection = int(library.default_collection()["id"])
        with transaction(library.db):
            card = {"name": "elder", "id": "elder"}
            number = library.vectors.encoder_id(EncoderCard("elder", 384, 1, "another", card))
            library.db.execute("UPDATE vectors SET encoder_id = ?", (number,))
            library.collections.set_encoder(collection, number)
        return collection

    def test_it_is_refused_with_what_to_do(self, library: Library, foreign: int, folder: Path) -> None:
        with pytest.raises(SearchError) as refused:
            library.encoder_for(foreign)
        assert refused.value.code == "fingerprint_changed"
        assert "--encoder" in refused.value.hint
        with pytest.raises(SearchError):
            library.search(np.ones(384, np.float32), foreign, 3)
        (document,) = add(library, english(folder)[1])
        assert document["error"]["code"] == "fingerprint_changed"
        told = health.examine(library, "none")
        assert [card["installed"] for card in told["encoders"]] == [False]
        assert [problem for problem in told["problems"] if "not installed" in problem and "--encoder" in problem]

    def test_what_it_offers_works(self, library: Library, foreign: int, folder: Path) -> None:
        run(encoding.choose(library, foreign, "all-MiniLM-L6-v2"))
        (document,) = add(library, english(folder)[1])
        assert document["state"] == "ready"
        assert in_use(library) == ENCODER_MODEL
        assert_whole(library)


def test_what_is_told_of_a_collection(library: Library, folder: Path) -> None:
    first = library.default_collection()
    assert encoding.described(library, first)["encoder"] is None
    add(library, *english(folder), folder / "deutsch.txt")
    told: dict[str, Any] = encoding.described(library, first)
    assert told["name"] == first["name"]
    assert told["encoder"] | {"fingerprint": "", "sha256": ""} == {
        "name": "all-MiniLM-L6-v2",
        "id": ENCODER_MODEL,
        "dimension": 384,
        "parameters": 22_713_216,
        "max_tokens": 256,
        "pooling": "mean",
        "query_prefix": "",
        "document_prefix": "",
        "normalised": True,
        "licence": "Apache-2.0",
        "languages": ["en"],
        "runtime": "ctranslate2",
        "compute_type": "int8",
        "sha256": "",
        "fingerprint": "",
        "installed": True,
    }
    assert told["next_encoder"]["name"] == "multilingual-e5-small"
    assert 0 < told["next_encoder"]["passages_done"] < told["next_encoder"]["passages"]


def test_a_failing_change_does_not_fail_what_brought_the_documents(
    library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: Library) -> Iterator[None]:
        yield None
        raise DesktopRagError("broken", "It broke.")

    def brings() -> Any:
        yield None
        return {"documents": []}

    monkeypatch.setattr(encoding, "change", fails)
    assert run(encoding.then_change(library, brings()))[1] == {"documents": []}


def test_a_question_to_collections_of_two_encoders_finds_in_both(library: Library, folder: Path) -> None:
    add(library, *english(folder)[:1])
    other = library.collections.create("Deutsch", "pseudonymise", False)["id"]
    run(indexing.add(library, [str(folder / "deutsch.txt")], other, "pseudonymise", False))
    assert in_use(library) == ENCODER_MODEL
    assert library.encoder_for(other) is library.encoder_named(MULTILINGUAL)
    assert library.encoders([other])[other].card.name == "multilingual-e5-small"
    found = questions.find(library, "Wer repariert die Heizung?", "Deutsch", "dense", 3)["hits"]
    assert found[0]["name"] == "deutsch.txt"
    assert found[0]["scores"]["dense"] > 0.8
    both = questions.find(library, "Who repairs the heating?", None, "dense", 50)["hits"]
    assert {hit["name"] for hit in both} == {"0.txt", "deutsch.txt"}
