"""Files inside files: attachments and what archives hold become documents of their own, and go with their file."""

from __future__ import annotations

import zipfile
from email.message import EmailMessage
from typing import TYPE_CHECKING

import pytest

from desktop_rag.workers import indexing, removing, rows, viewing
from tests.workers.driving import add, run

if TYPE_CHECKING:
    from pathlib import Path

    from desktop_rag.workers.library import Library

pytestmark = pytest.mark.slow

BODY = "Please find the lease attached.\nThe deposit was paid by Jean Rivera in March.\n"
LEASE = b"The heating is serviced every October by the landlord.\n"
NOTE = b"The spare key is kept with the caretaker.\n"


def mail(path: Path, *attachments: tuple[str, bytes]) -> Path:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "Lease", "anna@example.org", "office@example.org"
    message.set_content(BODY)
    for name, content in attachments:
        message.add_attachment(content, maintype="text", subtype="plain", filename=name)
    path.write_bytes(bytes(message))
    return path


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as made:
        for name, content in members.items():
            made.writestr(name, content)
    return path


def found(library: Library, words: str) -> list[str]:
    chunks = library.lexical.search(words, [library.default_collection()["id"]], 5)
    ids = [chunk for chunk, _ in chunks]
    return [library.documents.chunk_rows(ids)[chunk]["name"] for chunk in ids]


def test_a_mail_comes_first_and_its_attachment_after_it(library: Library, tmp_path: Path) -> None:
    letter, lease = add(library, mail(tmp_path / "letter.eml", ("lease.txt", LEASE)))
    assert (letter["state"], letter["children"], letter["parent"]) == ("ready", [lease["id"]], None)
    assert (lease["state"], lease["name"], lease["parent"]) == ("ready", "lease.txt", letter["id"])
    assert lease["path"] == f"{tmp_path / 'letter.eml'}!lease.txt"
    assert lease["chunks"] == 1


def test_what_lies_in_an_archive_on_a_mail_is_found_and_shown(library: Library, tmp_path: Path) -> None:
    inner = archive(tmp_path / "papers.zip", {"flat/lease.txt": LEASE, "flat/note.txt": NOTE})
    documents = add(library, mail(tmp_path / "letter.eml", ("papers.zip", inner.read_bytes())))
    assert [d["name"] for d in documents] == ["letter.eml", "papers.zip", "lease.txt", "note.txt"]
    assert {d["state"] for d in documents} == {"ready"}
    _, shown = run(viewing.view(library, documents[3]["id"]))
    assert (shown["original"], shown["format"]) == (True, "text")
    assert "caretaker" in shown["pages"][0]["text"]


def test_the_same_attachment_is_indexed_once(library: Library, tmp_path: Path) -> None:
    documents = add(library, mail(tmp_path / "twice.eml", ("a.txt", LEASE), ("b.txt", LEASE)))
    assert [d["name"] for d in documents] == ["twice.eml", "a.txt"]


def test_a_file_inside_that_cannot_be_read_is_a_row_with_its_cause(library: Library, tmp_path: Path) -> None:
    documents = add(library, archive(tmp_path / "a.zip", {"broken.pdf": b"no pdf", "note.txt": NOTE}))
    assert [(d["name"], d["state"]) for d in documents] == [
        ("a.zip", "ready"), ("broken.pdf", "failed"), ("note.txt", "ready"),
    ]  # fmt: skip
    assert documents[1]["error"]["code"] == "unreadable"


def test_removing_a_mail_removes_what_came_with_it(library: Library, tmp_path: Path) -> None:
    letter, lease = add(library, mail(tmp_path / "letter.eml", ("lease.txt", LEASE)))
    erased = removing.remove_document(library, letter["id"])
    assert [one.absent for one in erased.family()] == [True, True]
    assert not library.documents.exists(lease["id"])


def test_a_changed_archive_takes_the_place_of_its_former_content(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    add(library, archive(path, {"old.txt": LEASE}))
    documents = add(library, archive(path, {"new.txt": NOTE}))
    assert [d["name"] for d in documents] == ["a.zip", "new.txt"]
    assert [d["name"] for d in rows.document_rows(library, None)] == ["a.zip", "new.txt"]


def test_files_too_deep_inside_others_are_refused(library: Library, tmp_path: Path) -> None:
    content, name = NOTE, "note.txt"
    for depth in range(5):
        content = archive(tmp_path / f"{depth}.zip", {name: content}).read_bytes()
        name = f"{depth}.zip"
    documents = add(library, tmp_path / "4.zip")
    assert documents[-1]["error"]["code"] == "too_large"
    assert [d["state"] for d in documents[:-1]] == ["ready"] * (len(documents) - 1)


def test_each_file_inside_waits_for_its_own_review(library: Library, tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {"letter.txt": BODY.encode(), "note.txt": NOTE})
    collection = library.default_collection()["id"]
    _, result = run(indexing.add(library, [str(path)], collection, "pseudonymise", True))
    assert [(d["name"], d["state"]) for d in result["documents"]] == [
        ("a.zip", "ready"), ("letter.txt", "reviewing"), ("note.txt", "reviewing"),
    ]  # fmt: skip


def test_adding_again_is_another_try_for_what_could_not_be_read(library: Library, tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {"locked.pdf": _locked_pdf(tmp_path), "note.txt": NOTE})
    locked = add(library, path)[1]
    assert (locked["state"], locked["error"]["code"]) == ("failed", "encrypted")
    library.passwords.append("open sesame")
    documents = add(library, path)
    assert [(d["id"], d["state"]) for d in documents if d["name"] == "locked.pdf"] == [(locked["id"], "ready")]


def test_a_document_can_be_read_again(library: Library, tmp_path: Path) -> None:
    letter, lease = add(library, mail(tmp_path / "letter.eml", ("lease.txt", LEASE)))
    _, result = run(indexing.read_again(library, [lease["id"], letter["id"]]))
    assert {d["state"] for d in result["documents"]} == {"ready"}
    assert [d["name"] for d in rows.document_rows(library, None)] == ["letter.eml", "lease.txt"]


def _locked_pdf(folder: Path) -> bytes:
    from reportlab.lib.pdfencrypt import StandardEncryption
    from reportlab.pdfgen.canvas import Canvas

    path = folder / "locked.pdf"
    canvas = Canvas(str(path), encrypt=StandardEncryption("open sesame", canPrint=0))
    canvas.drawString(72, 700, "The alarm code was changed in spring.")
    canvas.save()
    return path.read_bytes()
