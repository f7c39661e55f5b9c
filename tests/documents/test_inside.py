"""The way to a file inside another one: what holds it is gone through once, and again only when it has changed."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from desktop_rag.documents import inside
from desktop_rag.documents.inside import source_of
from desktop_rag.documents.parsers import mbox
from desktop_rag.documents.parsers import zip as zipped
from desktop_rag.documents.read import read
from desktop_rag.documents.source import Child
from desktop_rag.errors import DocumentError
from tests.documents.mails import message


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    inside.forget()


def archive(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name, data in files.items():
            target.writestr(name, data)
    return buffer.getvalue()


def mailbox(path: Path, mails: int) -> Path:
    with path.open("wb") as file:
        for number in range(mails):
            mail = message()
            mail.add_attachment(b"%d" % number, maintype="application", subtype="pdf", filename="lease.pdf")
            file.write(b"From - Mon Mar 03 09:30:00 2025\r\n" + bytes(mail) + b"\r\n")
    return path


def counted(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> list[int]:
    """A list that gets one item for each call of a function."""
    calls: list[int] = []
    original: Callable[..., Any] = getattr(module, name)

    def count(*args: Any, **options: Any) -> Any:
        calls.append(1)
        return original(*args, **options)

    monkeypatch.setattr(module, name, count)
    return calls


def content(path: Path, *member: str) -> bytes:
    with source_of(path, member).open() as stream:
        return stream.read()


def test_a_mailbox_is_gone_through_once_for_all_its_attachments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = mailbox(tmp_path / "a.mbox", 30)
    names = [part.name for part in read(path) if isinstance(part, Child)]
    passes = counted(monkeypatch, mbox, "_mails")
    assert [content(path, name) for name in names] == [b"%d" % number for number in range(30)]
    assert len(passes) == 1


def test_an_archive_in_an_archive_is_unpacked_once_for_all_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.zip"
    files = {f"{number}.txt": b"%d" % number for number in range(20)}
    path.write_bytes(archive({"inner.zip": archive(files)}))
    listings, unpacked = counted(monkeypatch, zipped, "parse"), counted(monkeypatch, zipped, "_unpacked")
    assert [content(path, "inner.zip", name) for name in files] == list(files.values())
    assert (len(listings), len(unpacked)) == (2, 21)


def test_a_file_that_was_changed_is_gone_through_again(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(archive({"a.txt": b"old"}))
    assert content(path, "a.txt") == b"old"
    path.write_bytes(archive({"a.txt": b"new", "b.txt": b"other"}))
    assert (content(path, "a.txt"), content(path, "b.txt")) == (b"new", b"other")
    kept = path.stat()
    path.unlink()
    (tmp_path / "c").write_bytes(archive({"b.txt": b"late!", "d.txt": b"news"}))
    (tmp_path / "c").rename(path)
    os.utime(path, ns=(kept.st_mtime_ns, kept.st_mtime_ns))
    assert content(path, "b.txt") == b"late!"


def test_a_file_that_is_not_there_any_more(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(archive({"a.txt": b"words"}))
    for way in (["b.txt"], ["a.txt", "b.txt"]):
        with pytest.raises(DocumentError) as refused:
            source_of(path, way)
        assert refused.value.code == "not_found"


def test_the_next_file_lets_go_of_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(archive({"a.txt": b"words"}))
    (tmp_path / "b.txt").write_text("words")
    content(path, "a.txt")
    assert inside._inside.cache_info().currsize == 1
    list(read(tmp_path / "b.txt"))
    assert inside._inside.cache_info().currsize == 0
