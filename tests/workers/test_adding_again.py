"""Files that are added again, moved, changed or taken away while the library works on them."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from reportlab.pdfgen.canvas import Canvas

from desktop_rag.errors import StoreError
from desktop_rag.workers import indexing, library_service, reviewing, viewing
from desktop_rag.workers.loop import Request
from tests.workers.driving import add, counts, everything, run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from desktop_rag.workers.library import Library
    from desktop_rag.workers.loop import Operation
    from desktop_rag.workers.unlocking import Gate

pytestmark = pytest.mark.slow

LETTER = "The rent of 950 euros is paid by Jean Rivera to the owner, Maria Alvarez, reached at maria@example.org.\n"


def write(folder: Path, name: str, text: str = LETTER) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def locked(folder: Path) -> Path:
    canvas = Canvas(str(folder / "locked.pdf"), encrypt="secret")
    canvas.drawString(72, 700, "The rent is paid by Jean Rivera every month.")
    canvas.save()
    return folder / "locked.pdf"


def adding(library: Library, path: Path, *, review: bool = False) -> Operation:
    return indexing.add(library, [str(path)], library.default_collection()["id"], "pseudonymise", review)


def until(operation: Iterator[dict[str, Any] | None], state: str) -> str:
    """Drive an operation until a document reaches a state; returns the document."""
    return str(next(event for event in operation if event and event.get("state") == state)["document"])


def operations(library: Library) -> library_service._Operations:
    return library_service._Operations(cast("Gate", SimpleNamespace(library=library)))


def test_adding_again_without_a_review_finishes_what_waits_for_one(library: Library, tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt")
    waiting = add(library, path, review=True)[0]
    assert waiting["state"] == "reviewing"
    assert add(library, path, review=True)[0]["state"] == "reviewing"
    (row,) = add(library, path, review=False)
    assert (row["id"], row["state"]) == (waiting["id"], "ready")
    assert counts(library) == dict.fromkeys(counts(library), 1)


def test_asking_for_no_review_while_the_file_is_read_is_heard(library: Library, tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt")
    first = adding(library, path, review=True)
    document = until(first, "reading")
    second = adding(library, path)
    until(second, "reading")
    run(first)
    run(second)
    assert library.documents.row(document)["state"] == "ready"


def test_an_older_version_that_finishes_late_leaves_the_newer_one(library: Library, tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt")
    late = adding(library, path)
    until(late, "indexing")
    write(tmp_path, "a.txt", "The boiler is repaired by Erika Blum.\n")
    newer = adding(library, path)
    new = until(newer, "waiting")
    run(late)
    assert library.documents.exists(new), "the newer version was erased by the older one"
    run(newer)
    assert [(row["id"], row["state"]) for row in library.documents.rows()] == [(new, "ready")]
    assert "Rivera" not in everything(library)


def test_what_is_stored_is_of_the_stored_hash(library: Library, tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt")
    operation = adding(library, path)
    document = until(operation, "waiting")  # it was hashed, and is not read yet
    write(tmp_path, "a.txt", "The boiler is repaired by Erika Blum.\n")
    run(operation)
    row = library.documents.row(document)
    assert (row["state"], row["size"]) == ("ready", path.stat().st_size)
    assert [d["known"] for d in add(library, path)] == [True]
    assert run(viewing.view(library, document))[1]["original"] is True
    assert [d["known"] for d in add(library, write(tmp_path, "b.txt"))] == [False], "the first content is not there"


def test_a_file_that_changes_while_it_is_read_is_read_once_more(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, "a.txt")
    read = library.parser.read

    def read_and_change(path: Path, *args: Any, **options: Any) -> Any:
        yield from read(path, *args, **options)
        path.write_text("The boiler is repaired by Erika Blum.\n")

    monkeypatch.setattr(library.parser, "read", read_and_change)
    document = add(library, path)[0]
    assert "boiler" in viewing.text(library, document["id"])["pages"][0]["text"]


def test_a_file_that_changes_under_the_second_reading_is_not_cleaned_by_places_that_do_not_fit(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, "a.txt")
    document = add(library, path, review=True)[0]["id"]
    read = library.parser.read

    def change_and_read(path: Path, password: str | None, member: Sequence[str], **more: Any) -> Any:
        path.write_text(f"A new first line, by Erika Blum.\n{LETTER}")
        yield from read(path, password, member, **more)

    monkeypatch.setattr(library.parser, "read", change_and_read)
    (row,) = run(indexing.accept(library, [document], {}))[1]["documents"]
    assert (row["state"], row["error"]["code"]) == ("failed", "not_found")
    assert "Blum" not in everything(library)


def test_ticks_count_only_in_the_review_of_their_own_document(library: Library, tmp_path: Path) -> None:
    ready = add(library, write(tmp_path, "a.txt"))[0]["id"]
    waiting = add(library, write(tmp_path, "b.txt", "Erika Blum repairs the boiler.\n"), review=True)[0]["id"]
    spans = library.documents.spans(library.documents.page_rows(ready)[0]["id"])
    ticks = {str(span["id"]): False for span in spans} | {"no number": True}
    before = library.documents.spans(library.documents.page_rows(ready)[0]["id"])
    run(indexing.accept(library, [ready, waiting], {ready: ticks, waiting: ticks}))
    assert library.documents.spans(library.documents.page_rows(ready)[0]["id"]) == before
    assert library.documents.row(waiting)["state"] == "ready"


def test_a_collection_deleted_while_files_are_added_is_told_in_words(library: Library, tmp_path: Path) -> None:
    chosen = [str(write(tmp_path, f"{number}.txt", f"The boiler {number} is new.\n")) for number in range(3)]
    collection = library.collections.create("Short", "pseudonymise", False)["id"]
    operation = indexing.add(library, chosen, collection, "pseudonymise", False)
    until(operation, "waiting")
    _, deleted = run(operations(library).collection_delete(Request(1, "collection_delete", {"id": collection})))
    assert [row["verified"] for row in deleted["receipt"]["documents"]] == [True]
    with pytest.raises(StoreError) as caught:
        run(operation)
    assert caught.value.code == "not_found"
    assert library.documents.rows() == []


def test_what_comes_into_a_collection_while_it_is_deleted_goes_with_a_receipt(library: Library, tmp_path: Path) -> None:
    collection = library.default_collection()["id"]
    add(library, write(tmp_path, "a.txt"))
    deleting = operations(library).collection_delete(Request(1, "collection_delete", {"id": collection}))
    next(deleting)
    add(library, write(tmp_path, "b.txt", "Erika Blum repairs the boiler.\n"))
    _, deleted = run(deleting)
    assert [row["name"] for row in deleted["receipt"]["documents"]] == ["a.txt", "b.txt"]
    assert "boiler" not in everything(library)


def test_a_document_that_is_not_there_does_not_hide_the_receipt_of_the_others(library: Library, tmp_path: Path) -> None:
    document = add(library, write(tmp_path, "a.txt"))[0]["id"]
    _, result = run(operations(library).remove(Request(1, "remove", {"documents": ["missing", document]})))
    missing, removed = result["receipt"]["documents"]
    assert (missing["document"], missing["error"]["code"]) == ("missing", "not_found")
    assert (removed["document"], removed["verified"]) == (document, True)


def test_a_moved_file_that_is_added_again_is_found_at_its_new_place(library: Library, tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt")
    document = add(library, path)[0]["id"]
    moved = path.rename(tmp_path / "b.txt")
    (row,) = add(library, moved)
    assert (row["id"], row["known"], row["name"], row["path"]) == (document, True, "b.txt", str(moved))
    assert run(viewing.view(library, document))[1]["original"] is True
    add(library, write(tmp_path, "copy.txt"))
    assert library.documents.row(document)["path"] == str(moved), "the file is still there"


@pytest.mark.parametrize("step", ["accept", "resume"])
def test_an_encrypted_file_without_its_password_waits_for_it(library: Library, tmp_path: Path, step: str) -> None:
    path = locked(tmp_path)
    library.passwords.append("secret")
    if step == "accept":
        document = add(library, path, review=True)[0]["id"]
    else:
        operation = adding(library, path)
        document = until(operation, "cleaning")
        operation.close()
    library.passwords.clear()  # as after a new start
    _, result = run(indexing.accept(library, [document], {}) if step == "accept" else indexing.resume(library))
    (row,) = result["documents"]
    assert (row["state"], row["error"]["code"]) == ("cleaning", "encrypted")
    assert "password" in row["error"]["hint"]
    assert json.loads(library.documents.row(document)["error"]) == row["error"]

    library.passwords.append("secret")
    (row,) = add(library, path, review=True)
    assert (row["id"], row["state"], row["error"]) == (document, "ready", None)


def test_the_owner_sees_an_encrypted_file_with_its_password(library: Library, tmp_path: Path) -> None:
    library.passwords += ["wrong", "secret"]
    document = add(library, locked(tmp_path))[0]["id"]
    shown = run(viewing.view(library, document))[1]
    assert shown["original"] is True
    assert "Jean Rivera" in shown["pages"][0]["text"]
    place = run(viewing.locate(library, {"document": document, "page": 1, "locator": None, "start": 0, "end": 8}))[1]
    assert place["original"] is True
    assert place["boxes"]
    library.passwords.clear()
    assert run(viewing.view(library, document))[1]["original"] is False


def test_showing_a_document_does_not_disturb_the_one_that_is_indexed(library: Library, tmp_path: Path) -> None:
    shown = add(library, write(tmp_path, "a.txt"))[0]["id"]
    operation = adding(library, write(tmp_path, "b.txt", LETTER * 2))
    until(operation, "reading")
    next(operation)
    library.parser.ensure()
    reader = library.parser._client.pid
    view = viewing.view(library, shown)
    for _ in range(100):
        next(view)
        if "viewer" in vars(library):
            break
    assert "viewer" in vars(library), "the view waits for the file that is indexed"
    next(view)
    view.close()
    assert library.parser._client.pid == reader
    assert [row["state"] for row in run(operation)[1]["documents"]] == ["ready"]


def test_a_review_of_what_is_not_read_yet_says_so(library: Library, tmp_path: Path) -> None:
    from desktop_rag.errors import DocumentError

    document = until(adding(library, write(tmp_path, "a.txt")), "waiting")
    with pytest.raises(DocumentError) as caught:
        run(reviewing.review(library, document))
    assert caught.value.code == "not_found"


def test_showing_gives_way_to_questions() -> None:
    from desktop_rag import paths

    service = library_service.open_service(paths.data_dir(), {"seal": "none"})
    service.close()
    assert {"document_view", "review", "locate", "page_sizes", "page_image"} <= service.background
    assert not {"search", "prepare", "finish", "documents"} & service.background


def test_a_changed_file_does_not_take_its_twin_along(library: Library, tmp_path: Path) -> None:
    """Two files with the same content have one row; when one of them changes, the other keeps the old content."""
    write(tmp_path, "a.txt")
    write(tmp_path, "b.txt")
    add(library, tmp_path)
    write(tmp_path, "a.txt", "The roof of the mill was mended in spring.\n")
    add(library, tmp_path)
    rows = {row["name"]: row for row in library.documents.rows()}
    assert {name: row["state"] for name, row in rows.items()} == {"a.txt": "ready", "b.txt": "ready"}
    assert "rent" in viewing.text(library, rows["b.txt"]["id"])["pages"][0]["text"]
