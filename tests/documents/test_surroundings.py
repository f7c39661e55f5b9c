"""Hostile surroundings: names no one would give, files that change while they are read, no handle left to open one."""

from __future__ import annotations

import bz2
import errno
import gzip
import io
import json
import lzma
import os
import socket
import subprocess
import sys
import tarfile
import textwrap
import zipfile
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path
from typing import Any

import docx
import openpyxl  # type: ignore[import-untyped]
import pptx
import pytest
from odfdo import Document, Paragraph
from PIL import Image
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

from desktop_rag.documents.model import Page, UnreadPage
from desktop_rag.documents.parsers import Part
from desktop_rag.documents.read import read, walk
from desktop_rag.documents.source import Child
from desktop_rag.documents.walk import listing
from desktop_rag.errors import DocumentError
from tests.documents.mails import message

LINUX = sys.platform == "linux"
LINES = "The rent is due in March.\n\n" * 4000


def saved(save: Callable[[Any], Any]) -> bytes:
    buffer = io.BytesIO()
    save(buffer)
    return buffer.getvalue()


def pdf() -> bytes:
    def save(buffer: io.BytesIO) -> None:
        canvas = Canvas(buffer)
        for number in range(20):
            canvas.drawString(72, 700, f"The rent of page {number} is due in March.")
            canvas.showPage()
        canvas.save()

    return saved(save)


def word() -> bytes:
    document = docx.Document()
    for _ in range(200):
        document.add_paragraph("The rent is due in March.")
    return saved(document.save)


def workbook() -> bytes:
    book = openpyxl.Workbook()
    for number in range(500):
        book.active.append([number, "The rent is due"])
    return saved(book.save)


def slides() -> bytes:
    deck = pptx.Presentation()
    for _ in range(5):
        deck.slides.add_slide(deck.slide_layouts[0]).shapes.title.text = "The rent is due"
    return saved(deck.save)


def open_document() -> bytes:
    document = Document("text")
    for _ in range(100):
        document.body.append(Paragraph("The rent is due in March."))
    return saved(document.save)


def archive() -> bytes:
    def save(buffer: io.BytesIO) -> None:
        with zipfile.ZipFile(buffer, "w") as target:
            for number in range(20):
                target.writestr(f"{number}.txt", LINES)

    return saved(save)


def tape() -> bytes:
    def save(buffer: io.BytesIO) -> None:
        with tarfile.open(fileobj=buffer, mode="w") as target:
            for number in range(20):
                entry = tarfile.TarInfo(f"{number}.txt")
                entry.size = len(LINES)
                target.addfile(entry, io.BytesIO(LINES.encode()))

    return saved(save)


def mail() -> bytes:
    letter = message()
    letter.add_attachment(LINES.encode(), maintype="application", subtype="pdf", filename="lease.pdf")
    return bytes(letter)


FILES: dict[str, Callable[[], bytes]] = {
    "a.txt": LINES.encode,
    "a.md": f"# Rent\n\n{LINES}".encode,
    "a.csv": lambda: b"name,age\n" + b"Anna,34\n" * 5000,
    "a.json": lambda: json.dumps([{"name": "Anna", "age": 34}] * 2000).encode(),
    "a.jsonl": lambda: b'{"name": "Anna"}\n' * 5000,
    "a.html": lambda: b"<p>The rent</p>" * 5000,
    "a.xml": lambda: b"<r>" + b"<a>The rent</a>" * 5000 + b"</r>",
    "a.rtf": lambda: b"{\\rtf1 " + b"The rent is due.\\par " * 5000 + b"}",
    "a.pdf": pdf,
    "a.docx": word,
    "a.xlsx": workbook,
    "a.pptx": slides,
    "a.odt": open_document,
    "a.zip": archive,
    "a.tar": tape,
    "a.txt.gz": lambda: gzip.compress(os.urandom(50_000).hex().encode()),
    "a.txt.bz2": lambda: bz2.compress(os.urandom(50_000).hex().encode()),
    "a.txt.xz": lambda: lzma.compress(os.urandom(50_000).hex().encode()),
    "a.eml": mail,
    "a.mbox": lambda: (b"From - Mon Mar 03 09:30:00 2025\r\n" + mail() + b"\r\n") * 10,
    "a.png": lambda: saved(lambda buffer: Image.new("RGB", (300, 300), "white").save(buffer, "png")),
}
each_format = pytest.mark.parametrize("name", FILES)


def written(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_bytes(FILES[name]())
    return path


def reading(path: Path) -> Generator[Part, None, None]:
    yield from read(path, recognise=False)


def outcome(parts: Any) -> str:
    """What came of a file: "read", or the code of its error; everything inside is loaded."""
    try:
        for part in parts:
            if isinstance(part, Child):
                part.load()
    except DocumentError as failure:
        return failure.code if failure.hint else "no hint"
    return "read"


def grown(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"and more\n" * 50_000)


def shrunk(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 3)


def emptied(path: Path) -> None:
    os.truncate(path, 0)


def replaced(path: Path) -> None:
    other = path.with_suffix(".new")
    other.write_bytes(b"something else\n" * 1000)
    other.replace(path)


def deleted(path: Path) -> None:
    path.unlink()


@each_format
@pytest.mark.parametrize("change", [grown, shrunk, emptied, replaced, deleted])
def test_a_file_that_changes_while_it_is_read(tmp_path: Path, name: str, change: Callable[[Path], None]) -> None:
    path = written(tmp_path, name)
    with closing(reading(path)) as parts:
        next(parts)
        change(path)
        found = outcome(parts)
    assert found in ("read", "unreadable", "not_found", "empty", "too_large", "unsupported")
    if change is deleted and found == "read":
        return
    assert outcome(read(path, recognise=False)) in ("read", "unreadable", "not_found", "empty", "unsupported")


@pytest.mark.skipif(not LINUX, reason="counts the handles in /proc")
@each_format
def test_no_handle_is_left_open(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, name)
    list(read(path, recognise=False))  # what libraries open once for all
    before = len(os.listdir("/proc/self/fd"))
    outcome(read(path, recognise=False))
    with closing(reading(path)) as parts:
        next(parts)
    path.write_bytes(path.read_bytes()[:700])
    outcome(read(path, recognise=False))
    assert len(os.listdir("/proc/self/fd")) == before


STARVED = """
    import gc, os, resource, sys
    from pathlib import Path
    from desktop_rag.documents.read import read
    from desktop_rag.errors import DocumentError

    def outcome(path):
        try:
            for part in read(path, recognise=False):
                if hasattr(part, "load"):
                    part.load()
        except DocumentError as failure:
            return failure.code
        return "read"

    paths = [Path(name) for name in sys.argv[1:]]
    assert all(outcome(path) == "read" for path in paths)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for left in range(4):
        taken = len(os.listdir("/proc/self/fd")) - 1
        resource.setrlimit(resource.RLIMIT_NOFILE, (taken + left, hard))
        found = {path.suffix: outcome(path) for path in paths}
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        gc.collect()
        assert len(os.listdir("/proc/self/fd")) - 1 == taken, (left, found)
        print(left, found)
        assert set(found.values()) <= {"read", "unreadable"}, found
        assert left or "read" not in found.values(), found
    assert all(outcome(path) == "read" for path in paths)
"""


@pytest.mark.skipif(not LINUX, reason="limits the handles of a process")
def test_no_handles_left_is_a_clear_error_and_none_is_lost(tmp_path: Path) -> None:
    paths = [os.fspath(written(tmp_path, name)) for name in FILES if name != "a.png"]
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(STARVED), *paths],
        capture_output=True, check=False, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout


def test_no_handles_left_is_said_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, "a.txt")

    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(DocumentError, match="Too many open files") as failure:
        list(read(path))
    assert failure.value.retryable


ODD_NAMES = [
    b"two\nlines.txt",
    "annual\u202etxt.exe.txt".encode(),
    b"not \xff\xfe utf-8.txt",
    b"x" * 251 + b".txt",
    b"-rf.txt",
    b"--help",
    b"trailing dots...txt",
    b" spaces .txt",
    b"$(reboot);`id`'\".txt",
    b"%00%2e%2e.txt",
    b"CON.txt",
    b"\x01\x7f.txt",
]


@pytest.mark.skipif(not LINUX, reason="other systems do not allow these names")
@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names(tmp_path: Path, name: bytes) -> None:
    path = tmp_path / os.fsdecode(name)
    path.write_text("some words")
    assert [part.text for part in read(path) if isinstance(part, Page)] == ["some words"]
    assert list(walk([path])) == [path]
    supported = path.suffix == ".txt"
    assert list(walk([tmp_path])) == [path] * supported
    assert list(listing(tmp_path).files) == [os.fspath(path)] * supported


@pytest.mark.skipif(not LINUX, reason="makes pipes and sockets")
def test_pipes_sockets_and_devices_are_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "device.txt").symlink_to("/dev/zero")
    (tmp_path / "loop.txt").symlink_to(tmp_path / "loop.txt")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.fspath(tmp_path / "socket.txt"))
        assert list(walk([tmp_path])) == []
        assert listing(tmp_path).files == {}
        for name in ("pipe.txt", "device.txt", "socket.txt"):
            assert outcome(read(tmp_path / name)) == "unsupported"
        assert outcome(read(tmp_path / "loop.txt")) == "unreadable"


def test_a_drive_that_fails_below_a_folder_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("a", "b", "c"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "note.txt").write_text("words")
    scandir = os.scandir

    def failing(path: Any) -> Any:
        if os.fspath(path).endswith("b"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", failing)
    found = listing(tmp_path)
    assert sorted(Path(path).parent.name for path in found.files) == ["a", "c"]
    assert found.closed == [os.fspath(tmp_path / "b")]


def test_a_page_that_was_not_read_is_no_empty_page(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(tape()[:300_000])
    assert isinstance(list(read(path))[-1], UnreadPage)
