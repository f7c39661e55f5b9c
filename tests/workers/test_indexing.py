"""The road of a dropped file through a real library: known, changed, failed, reviewed, kept, rebuilt."""

from __future__ import annotations

import os
import shutil
import zipfile
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from reportlab.pdfgen.canvas import Canvas

from desktop_rag import paths
from desktop_rag.errors import DocumentError, StoreError
from desktop_rag.workers import health, indexing, library_service, originals, reviewing, viewing
from desktop_rag.workers.loop import Request
from tests.workers.driving import add, counts, everything, run

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from desktop_rag.workers.library import Library
    from desktop_rag.workers.parsing import ParsedFile
    from desktop_rag.workers.unlocking import Gate

pytestmark = pytest.mark.slow

LETTER = "The rent of 950 euros is paid by Jean Rivera to the owner, Maria Alvarez, reached at maria@example.org.\n"


def write(folder: Path, name: str, text: str = LETTER) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def hits(library: Library, query: str) -> list[int]:
    return list(library.search(library.encoder.encode_query(query), library.default_collection()["id"], 5))


def states(events: list[dict[str, object]], document: str) -> list[object]:
    return [event["state"] for event in events if event.get("document") == document and event["event"] == "document"]


def test_every_change_of_state_is_an_event(library: Library, tmp_path: Path) -> None:
    collection = library.default_collection()["id"]
    events, result = run(indexing.add(library, [str(write(tmp_path, "a.txt"))], collection, "pseudonymise", False))
    (document,) = result["documents"]
    assert states(events, document["id"]) == ["waiting", "reading", "cleaning", "indexing", "ready"]
    assert document["pii"] == {"EMAIL_ADDRESS": 1, "PERSON": 2}
    assert not document["known"]
    assert [e["files_done"] for e in events if e["event"] == "progress"] == [0, 1]


def test_a_known_file_is_not_indexed_again_wherever_it_lies(library: Library, tmp_path: Path) -> None:
    first = add(library, write(tmp_path, "a.txt"))[0]
    before = counts(library)
    collection = library.default_collection()["id"]
    paths_ = [str(tmp_path / "a.txt"), str(write(tmp_path, "copy.txt"))]
    events, result = run(indexing.add(library, paths_, collection, "pseudonymise", False))
    assert [(d["id"], d["known"]) for d in result["documents"]] == [(first["id"], True)]
    assert states(events, first["id"]) == ["ready", "ready"]
    assert counts(library) == before


def test_the_same_file_twice_in_one_request_is_one_document(library: Library, tmp_path: Path) -> None:
    path, copy = write(tmp_path, "a.txt"), write(tmp_path, "b.txt")
    assert len(add(library, path, copy, path)) == 1
    assert counts(library)["documents"] == 1


def test_a_changed_file_replaces_its_older_version(library: Library, tmp_path: Path) -> None:
    old = add(library, write(tmp_path, "a.txt", "The contract ends in August, says Jean Rivera.\n"))[0]
    new = add(library, write(tmp_path, "a.txt", "The boiler is repaired by Erika Blum.\n"))[0]
    assert new["id"] != old["id"]
    assert [d["id"] for d in library.documents.rows()] == [new["id"]]
    assert set(counts(library).values()) == {1}
    assert "Rivera" not in everything(library)
    assert "august" not in everything(library)


def failing(folder: Path) -> dict[str, Path]:
    """One file for every way to fail."""
    made = {"empty": write(folder, "empty.txt", ""), "not_found": folder / "gone.txt"}
    canvas = Canvas(str(folder / "locked.pdf"), encrypt="secret")
    canvas.drawString(72, 700, "Nobody reads this.")
    canvas.save()
    made["encrypted"] = folder / "locked.pdf"
    made["too_large"] = folder / "huge.txt"
    with made["too_large"].open("wb") as huge:
        huge.truncate(201_000_000)
    with zipfile.ZipFile(folder / "renamed.pdf", "w") as archive:
        archive.writestr("inside.txt", "text")
    canvas = Canvas(str(folder / "whole.pdf"))
    canvas.drawString(72, 700, "Cut in the middle.")
    canvas.save()
    (folder / "cut.pdf").write_bytes((folder / "whole.pdf").read_bytes()[:200])
    (folder / "whole.pdf").unlink()
    return made | {"renamed": folder / "renamed.pdf", "cut": folder / "cut.pdf"}


def test_a_file_that_fails_has_a_row_with_its_cause_and_the_others_go_on(library: Library, tmp_path: Path) -> None:
    broken = failing(tmp_path)
    rows = {row["name"]: row for row in add(library, *broken.values(), write(tmp_path, "good.txt"))}
    assert rows["good.txt"]["state"] == "ready"
    for code, path in broken.items():
        row = rows[path.name]
        assert (row["state"], row["chunks"], row["known"]) == ("failed", 0, False), row
        assert row["error"]["message"].endswith("."), row
        assert row["error"]["hint"], row
        if code not in ("renamed", "cut"):
            assert row["error"]["code"] == code
    assert rows["renamed.pdf"]["error"]["code"] in ("unsupported", "unreadable")
    assert rows["cut.pdf"]["error"]["code"] in ("unreadable", "empty")
    assert health.examine(library, "none")["index"]["parity"] is True


def test_failing_again_replaces_the_row_and_a_mended_file_becomes_ready(library: Library, tmp_path: Path) -> None:
    first = add(library, write(tmp_path, "a.txt", ""))[0]
    again = add(library, tmp_path / "a.txt")[0]
    assert (first["state"], again["state"]) == ("failed", "failed")
    assert len(library.documents.rows()) == 1
    assert add(library, write(tmp_path, "a.txt"))[0]["state"] == "ready"
    assert len(library.documents.rows()) == 1


def test_a_password_opens_an_encrypted_file_and_is_not_stored(library: Library, tmp_path: Path) -> None:
    locked = failing(tmp_path)["encrypted"]
    library.passwords += ["wrong", "secret"]
    assert add(library, locked)[0]["state"] == "ready"
    assert "secret" not in everything(library)


def test_nothing_is_indexed_before_the_review_and_the_ticks_decide(library: Library, tmp_path: Path) -> None:
    document = add(library, write(tmp_path, "a.txt"), review=True)[0]
    assert document["state"] == "reviewing"
    assert counts(library) | {"documents": 0} == dict.fromkeys(counts(library), 0)
    assert "Rivera" not in everything(library)

    _, shown = run(reviewing.review(library, document["id"]))
    spans = {shown["pages"][0]["text"][s["start"] : s["end"]]: s for s in shown["pages"][0]["spans"]}
    assert {"Jean Rivera", "Maria Alvarez", "maria@example.org"} <= set(spans)
    decisions = {document["id"]: {str(spans["Maria Alvarez"]["id"]): False}}
    events, result = run(indexing.accept(library, [document["id"]], decisions))
    assert states(events, document["id"]) == ["cleaning", "indexing", "ready"]
    assert result["documents"][0]["pii"] == {"EMAIL_ADDRESS": 1, "PERSON": 1}
    text = viewing.text(library, document["id"])["pages"][0]["text"]
    assert "Maria Alvarez" in text
    assert "Rivera" not in text


@pytest.mark.parametrize("change", ["deleted", "changed"])
def test_a_file_that_goes_between_review_and_accept_fails_and_leaves_nothing(
    library: Library, tmp_path: Path, change: str
) -> None:
    path = write(tmp_path, "a.txt")
    document = add(library, path, review=True)[0]["id"]
    path.unlink() if change == "deleted" else path.write_text("Something else by Erika Blum.\n")
    _, result = run(indexing.accept(library, [document], {}))
    (row,) = result["documents"]
    assert (row["state"], row["error"]["code"]) == ("failed", "not_found")
    assert "Rivera" not in everything(library)
    assert counts(library)["chunks"] == 0


def test_accepting_twice_or_what_failed_changes_nothing(library: Library, tmp_path: Path) -> None:
    ready, failed = add(library, write(tmp_path, "a.txt"), tmp_path / "gone.txt")
    before = counts(library), everything(library)
    _, result = run(indexing.accept(library, [ready["id"], failed["id"]], {}))
    assert [d["state"] for d in result["documents"]] == ["ready", "failed"]
    assert (counts(library), everything(library)) == before


@pytest.mark.parametrize(("review", "state"), [(False, "ready"), (True, "reviewing")])
def test_two_requests_for_one_file_read_it_once(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, review: bool, state: str
) -> None:
    path = write(tmp_path, "a.txt", LETTER * 40)
    collection = library.default_collection()["id"]
    readings: list[Path] = []
    read = library.parser.read

    def counted(path: Path, *args: Any, **options: Any) -> Generator[ParsedFile, None, None]:
        readings.append(path)
        yield from read(path, *args, **options)

    monkeypatch.setattr(library.parser, "read", counted)
    waiting = [indexing.add(library, [str(path)], collection, "pseudonymise", review) for _ in range(2)]
    results = []
    while waiting:  # as the worker's loop takes turns
        operation = waiting.pop(0)
        try:
            next(operation)
            waiting.append(operation)
        except StopIteration as stop:
            results.append(stop.value["documents"])
    assert [[d["state"] for d in rows] for rows in results] == [[state], [state]]
    assert results[0][0]["id"] == results[1][0]["id"]
    assert readings == [path]
    held = counts(library)
    assert held["documents"] == 1
    assert held["chunks"] == held["lexical"] == held["vectors"] == held["chroma"]
    assert bool(held["chunks"]) is not review


def test_a_document_removed_while_it_is_indexed_is_gone_and_the_others_go_on(library: Library, tmp_path: Path) -> None:
    from desktop_rag.workers.removing import remove_document

    collection = library.default_collection()["id"]
    chosen = [str(write(tmp_path, "a.txt", LETTER * 40)), str(write(tmp_path, "b.txt", "The boiler is new.\n"))]
    for state in ("reading", "cleaning", "indexing"):
        operation = indexing.add(library, chosen, collection, "pseudonymise", False)
        doomed = None
        for event in operation:
            if event and event.get("name") == "a.txt" and event["state"] == state:
                doomed = event["document"]
                break
        assert doomed is not None, state
        assert remove_document(library, doomed).absent
        _, result = run(operation)
        assert [(d["name"], d["state"]) for d in result["documents"]] == [("b.txt", "ready")]
        assert "Rivera" not in everything(library)
        assert counts(library) == dict.fromkeys(counts(library), 1)


def test_a_full_disk_is_told_and_the_document_can_go_on_later(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = add(library, write(tmp_path, "a.txt"))[0]
    before = counts(library)
    pages = library.db.execute("PRAGMA page_count").fetchone()[0]
    library.db.execute(f"PRAGMA max_page_count = {pages + 4}")
    collection = library.default_collection()["id"]
    big = write(tmp_path, "big.txt", "".join(f"Clause {i} names the tenant of flat {i * 7}.\n" for i in range(400)))
    events, result = run(indexing.add(library, [str(big)], collection, "pseudonymise", False))
    told = [event["error"]["code"] for event in events if event.get("error")]
    assert told == ["disk_full"]
    assert [(d["state"], d["error"]["code"]) for d in result["documents"]] == [("failed", "disk_full")]
    assert hits(library, "rent of 950 euros"), "what was there before is lost"
    assert library.documents.row(good["id"])["state"] == "ready"

    library.db.execute("PRAGMA max_page_count = 1000000")
    run(indexing.run(library, library.documents.unfinished()))
    assert library.documents.row(result["documents"][0]["id"])["state"] == "ready"
    after = counts(library)
    assert after["documents"] == before["documents"] + 1
    assert after["chunks"] == after["lexical"] == after["vectors"] == after["chroma"] > before["chunks"]


def test_what_is_kept_never_lies_in_chroma(library: Library, tmp_path: Path) -> None:
    add(library, write(tmp_path, "a.txt"), policy="keep")
    assert "Jean Rivera" in everything(library)
    assert hits(library, "Who pays the rent?")
    health.examine(library, "none")
    files = [file for file in (paths.data_dir() / "chroma").rglob("*") if file.is_file()]
    assert not files


def test_a_collection_that_keeps_from_now_on_leaves_chroma(library: Library, tmp_path: Path) -> None:
    add(library, write(tmp_path, "a.txt"))
    collection = library.default_collection()["id"]
    assert counts(library)["chroma"] == 1
    operations = library_service._Operations(cast("Gate", SimpleNamespace(library=library)))
    run(operations.collection_update(Request(1, "collection_update", {"id": collection, "policy": "keep"})))
    assert library.chroma._opened().list_collections() == []
    assert hits(library, "Who pays the rent?")
    assert health.examine(library, "none")["index"]["parity"] is True


def test_chroma_holds_ids_and_vectors_but_no_text(library: Library, tmp_path: Path) -> None:
    document = add(library, write(tmp_path, "a.txt", "The turbine hall is inspected in April.\n"))[0]
    assert counts(library)["chroma"] == 1
    library.chroma.close()
    content = b"".join(file.read_bytes() for file in (paths.data_dir() / "chroma").rglob("*") if file.is_file())
    assert content
    for planted in (b"turbine", b"a.txt", document["id"].encode()):
        assert planted not in content


@pytest.mark.parametrize("damage", ["deleted", "emptied", "garbage"])
def test_a_damaged_chroma_is_made_again_from_the_database(
    open_library: Callable[[], Library], tmp_path: Path, damage: str
) -> None:
    library = open_library()
    add(library, write(tmp_path, "a.txt"), write(tmp_path, "b.txt", "The boiler is repaired in May.\n"))
    library.close()
    folder = paths.data_dir() / "chroma"
    if damage == "deleted":
        shutil.rmtree(folder)
    else:
        for file in [file for file in folder.rglob("*") if file.is_file()]:
            file.write_bytes(b"" if damage == "emptied" else os.urandom(4096))

    library = open_library()
    report = health.examine(library, "none")
    counts = {name: report["index"][name] for name in ("documents", "chunks", "lexical", "vectors")}
    assert counts == dict.fromkeys(counts, 2)
    assert report["index"]["parity"] is True
    assert len(hits(library, "boiler")) == 2


def test_damage_found_for_one_collection_does_not_empty_the_others(library: Library, tmp_path: Path) -> None:
    add(library, write(tmp_path, "a.txt"))
    other = library.collections.create("Other", "pseudonymise", False)["id"]
    run(indexing.add(library, [str(write(tmp_path, "b.txt", "The boiler.\n"))], other, "pseudonymise", False))
    assert hits(library, "rent")
    library._checked.discard(other)
    repair = library.chroma.repair
    broken = iter([True])

    def repair_once_broken(collection: int, store: object) -> int:
        if next(broken, False):
            raise RuntimeError("damaged")
        return repair(collection, store)  # type: ignore[arg-type]

    library.chroma.repair = repair_once_broken  # type: ignore[method-assign]
    library.ensure_parity(other)
    assert len(hits(library, "rent")) == 1


def test_a_cache_that_breaks_while_adding_does_not_stop_the_work(library: Library, tmp_path: Path) -> None:
    add(library, write(tmp_path, "a.txt"))

    def broken(*arguments: object) -> None:
        raise RuntimeError("damaged")

    library.chroma.add = broken  # type: ignore[method-assign]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(library.chroma, "discard", lambda: (vars(library.chroma).pop("add", None), None)[1])
        assert add(library, write(tmp_path, "b.txt", "The boiler.\n"))[0]["state"] == "ready"
    assert set(counts(library).values()) == {2}


def test_another_encoder_is_refused_not_mixed(library: Library, tmp_path: Path) -> None:
    add(library, write(tmp_path, "a.txt"))
    library.db.execute("UPDATE encoders SET fingerprint = 'another'")
    row = add(library, write(tmp_path, "b.txt", "The boiler.\n"))[0]
    assert (row["state"], row["error"]["code"]) == ("failed", "fingerprint_changed")


def test_a_file_that_cannot_be_opened_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pathlib import Path as RealPath

    path = write(tmp_path, "a.txt")

    def refuse(self: Path, *arguments: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(RealPath, "open", refuse)
    with pytest.raises(DocumentError) as caught:
        list(originals.digest(path))
    assert caught.value.code == "unreadable"
    assert "Permission denied" in caught.value.message


def test_a_folder_is_searched_and_odd_names_survive(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "Übung 1\n"
    folder.mkdir()
    write(folder, "naïve — file’s [1].txt", "The boiler.\n")
    write(folder, ".hidden.txt", "hidden\n")
    odd = os.fsdecode(b"odd-\xff.txt")
    write(folder, odd, "The valve is closed.\n")
    rows = add(library, folder)
    assert {(row["name"], row["state"]) for row in rows} == {
        ("naïve — file’s [1].txt", "ready"),
        ("odd-\N{REPLACEMENT CHARACTER}.txt", "ready"),
    }
    assert str(folder / odd) in {row["path"] for row in rows}
    assert [row["known"] for row in add(library, folder / odd)] == [True]


def test_unknown_documents_are_not_found(library: Library) -> None:
    with pytest.raises(StoreError) as caught:
        run(indexing.accept(library, ["nothing"], {}))
    assert caught.value.code == "not_found"
