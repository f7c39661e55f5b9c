"""What `read` refuses and how it says so; which files a folder gives."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from desktop_rag.documents.limits import Limits
from desktop_rag.documents.model import DocumentInfo, Page, UnreadPage
from desktop_rag.documents.read import SUPPORTED_SUFFIXES, is_supported, read, walk
from desktop_rag.errors import DocumentError

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)


def code_of(path: Path, limits: Limits | None = None) -> str:
    with pytest.raises(DocumentError) as failure:
        list(read(path, limits=limits or Limits()))
    error = failure.value
    assert error.message.endswith(".")
    assert error.message.count(". ") == 0, "one sentence"
    assert error.hint
    assert path.name not in error.message
    return error.code


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.txt", b"", "empty"),
        ("a.pdf", b"", "empty"),
        ("a.txt", b" \n\t ", "empty"),
        ("a.txt", b"[[[[ ]]]]", "empty"),
        ("a.html", b"<html><script>x</script></html>", "empty"),
        ("a.pdf", b"just words", "unreadable"),
        ("a.docx", b"just words", "unreadable"),
        ("a.pdf", b"%PDF-1.4\nnothing more", "unreadable"),
        ("a.docx", b"PK\x03\x04 cut off", "unreadable"),
        ("a.odt", b"just words", "unreadable"),
        ("a.txt", bytes(range(256)) * 8, "unreadable"),
        ("a.bin", bytes(range(256)) * 8, "unsupported"),
        ("a.png", b"\x89PNG\r\n\x1a\n" + bytes(90), "unreadable"),
        ("a.rtf", b"{\\rtf1 }", "empty"),
        ("a.zip", b"PK\x05\x06" + bytes(18), "unreadable"),
        ("a.7z", b"7z\xbc\xaf\x27\x1c" + bytes(range(90)), "unsupported"),
        ("a.doc", OLE, "unreadable"),
    ],
)
def test_refusals_have_a_code_a_sentence_and_a_hint(tmp_path: Path, name: str, content: bytes, code: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert code_of(path) == code


def test_missing_folder_device_and_forbidden(tmp_path: Path) -> None:
    assert code_of(tmp_path / "gone.txt") == "not_found"
    assert code_of(tmp_path) == "unsupported"
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.txt")
        assert code_of(tmp_path / "pipe.txt") == "unsupported"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is forbidden to the superuser")
def test_a_forbidden_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("words")
    path.chmod(0)
    assert code_of(path) == "unreadable"


def test_sizes(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("some words " * 100)
    assert code_of(path, Limits(max_bytes=1000)) == "too_large"
    assert code_of(path, Limits(max_text_bytes=1000)) == "too_large"
    assert code_of(path, Limits(max_chars=100, max_pages=3)) == "too_large"


def test_a_text_of_200_megabytes_is_refused_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.txt"
    with path.open("wb") as stream:
        stream.truncate(250_000_000)
    assert code_of(path) == "too_large"


def test_a_file_that_goes_away_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    path.write_text("words")

    def gone(*_: object, **__: object) -> Iterator[DocumentInfo]:
        yield DocumentInfo("text", "a", None)
        raise FileNotFoundError(path)

    def broken(*_: object, **__: object) -> Iterator[DocumentInfo]:
        yield DocumentInfo("text", "a", None)
        raise OSError(5, "Input/output error")

    for parser, code in ((gone, "not_found"), (broken, "unreadable")):
        monkeypatch.setattr("desktop_rag.documents.inside.parser_of", partial(lambda loaded, _kind: loaded, parser))
        assert code_of(path) == code


def test_a_file_with_one_read_page_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    path.write_text("words")
    parts = [DocumentInfo("text", "a", 2), UnreadPage(1, None, "why"), Page(2, None, "words")]
    monkeypatch.setattr("desktop_rag.documents.inside.parser_of", lambda _kind: lambda *_, **__: iter(parts))
    assert list(read(path)) == parts


@pytest.mark.parametrize("name", ["notes", "notes.unknown", "a file with spaces ü 日本.txt", "x" * 200 + ".log"])
def test_names_do_not_matter_to_text(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("some words")
    assert [part.text for part in read(path) if isinstance(part, Page)] == ["some words"]


def test_nothing_is_written_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<p>words</p>")
    list(read(tmp_path / "a.html"))
    assert [path.name for path in tmp_path.iterdir()] == ["a.html"]


def test_suffixes() -> None:
    assert {".pdf", ".docx", ".md", ".html", ".txt", ".csv", ".log", ".json"} <= SUPPORTED_SUFFIXES
    assert is_supported(Path("Report.PDF"))
    assert is_supported(Path("picture.png"))
    assert not is_supported(Path("film.mp4"))
    assert not is_supported(Path("txt"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.txt", "a.PDF", "film.mp4", ".hidden.txt", "sub/c.md", "sub/deep/d.csv", ".git/e.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("words")
    return tmp_path


def names(root: Path, paths: list[Path]) -> list[str]:
    return [path.relative_to(root).as_posix() for path in walk(paths)]


def test_a_folder_gives_its_supported_files_sorted(folder: Path) -> None:
    assert names(folder, [folder]) == ["a.PDF", "b.txt", "sub/c.md", "sub/deep/d.csv"]


def test_named_files_always_come_and_each_once(folder: Path) -> None:
    paths = [folder / "film.mp4", folder / ".hidden.txt", folder / "gone.txt", folder / "b.txt", folder]
    expected = ["film.mp4", ".hidden.txt", "gone.txt", "b.txt", "a.PDF", "sub/c.md", "sub/deep/d.csv"]
    assert names(folder, paths) == expected


@pytest.mark.skipif(os.name == "nt", reason="symbolic links need a privilege on Windows")
def test_a_loop_of_links_ends(folder: Path) -> None:
    (folder / "sub" / "back").symlink_to(folder, target_is_directory=True)
    (folder / "broken.txt").symlink_to(folder / "nowhere.txt")
    (folder / "twice.txt").symlink_to(folder / "b.txt")
    assert names(folder, [folder]) == ["a.PDF", "b.txt", "sub/c.md", "sub/deep/d.csv"]
