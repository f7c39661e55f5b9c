"""Packed files and TAR archives: all of what is in them and nothing beside it, within their limits."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import time
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop_rag.documents.limits import DEFAULT_LIMITS, Limits
from desktop_rag.documents.model import DocumentInfo, UnreadPage
from desktop_rag.documents.parsers import packed, tar
from desktop_rag.documents.read import read
from desktop_rag.documents.source import Child, MemorySource
from desktop_rag.errors import DocumentError

MB = 1_000_000
Pack = Callable[[bytes], bytes]
METHODS: list[tuple[str, Pack]] = [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)]
each_method = pytest.mark.parametrize(("kind", "pack"), METHODS, ids=[kind for kind, _ in METHODS])


def unpacked(data: bytes, kind: str = "gz", limits: Limits = DEFAULT_LIMITS) -> bytes:
    info, child = packed.parse(MemorySource(f"notes.txt.{kind}", data), limits=limits)
    assert info == DocumentInfo(kind, "notes.txt", None)
    assert isinstance(child, Child)
    assert child.name == "notes.txt"
    return child.load()


def code_of(data: bytes, kind: str = "gz", limits: Limits = DEFAULT_LIMITS) -> str:
    with pytest.raises(DocumentError) as refused:
        unpacked(data, kind, limits)
    assert refused.value.hint
    return refused.value.code


@each_method
@pytest.mark.parametrize("size", [1, 100, 65_535, 65_536, 65_537, 500_000])
def test_a_packed_file_gives_back_its_bytes(kind: str, pack: Pack, size: int) -> None:
    text = bytes(i * i % 251 for i in range(size))
    assert unpacked(pack(text), kind) == text
    assert unpacked(pack(bytes(size)), kind) == bytes(size)
    assert unpacked(pack(text) + pack(b"more") + bytes(512), kind) == text + b"more"


@each_method
def test_a_packed_bomb_is_stopped_while_it_unpacks(kind: str, pack: Pack) -> None:
    data = pack(bytes(60 * MB))
    tracemalloc.start()
    try:
        assert code_of(data, kind) == "too_large"
        assert tracemalloc.get_traced_memory()[1] < 40 * MB
    finally:
        tracemalloc.stop()
    assert code_of(pack(bytes(range(256)) * 100), kind, Limits(max_unpacked_bytes=20_000)) == "too_large"


def test_a_file_that_asks_for_gigabytes_of_memory_is_refused() -> None:
    data = bytearray(lzma.compress(b"words"))
    # The header of the first block: its size, flags, the filter, the length of its settings, the size of its window.
    start, end = 12, 12 + (data[12] + 1) * 4
    assert data[start + 2 : start + 4] == b"\x21\x01"
    data[start + 4] = 40
    data[end - 4 : end] = zlib.crc32(data[start : end - 4]).to_bytes(4, "little")
    assert code_of(bytes(data), "xz") == "unreadable"


@each_method
def test_a_packed_file_of_very_many_pieces_is_refused(kind: str, pack: Pack) -> None:
    began = time.monotonic()
    assert code_of(pack(b"a") + pack(b"") * 20_000, kind) == "too_large"
    assert time.monotonic() - began < 20


def test_a_header_without_end_is_no_trap() -> None:
    began = time.monotonic()
    data = b"\x1f\x8b\x08\x08" + bytes(6) + b"a" * 20 * MB
    assert code_of(data) in ("unreadable", "empty")
    assert time.monotonic() - began < 5


@each_method
def test_what_packed_files_are_refused_for(kind: str, pack: Pack) -> None:
    whole = pack(bytes(i * i % 251 for i in range(5000)))
    middle = len(whole) // 2
    assert code_of(whole[:-9], kind) == "unreadable"
    assert code_of(whole[:middle] + b"\xff\xff\xff" + whole[middle + 3 :], kind) == "unreadable"
    assert code_of(pack(b""), kind) == "empty"


@settings(max_examples=150, deadline=None)
@given(at=st.integers(0, 120), junk=st.binary(max_size=20), method=st.sampled_from(METHODS))
def test_a_damaged_packed_file_never_crashes(at: int, junk: bytes, method: tuple[str, Pack]) -> None:
    kind, pack = method
    data = pack(bytes(range(90)))
    for hostile in (data[:at], data[:at] + junk + data[at:], junk):
        try:
            list(packed.parse(MemorySource(f"a.{kind}", hostile), limits=DEFAULT_LIMITS))
        except DocumentError:
            continue


def archived(*files: tuple[str | tarfile.TarInfo, bytes], kind: int = tarfile.GNU_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=kind) as target:
        for named, data in files:
            entry = tarfile.TarInfo(named) if isinstance(named, str) else named
            entry.size = len(data)
            target.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def inside(data: bytes, limits: Limits = DEFAULT_LIMITS) -> dict[str, bytes]:
    info, *parts = tar.parse(MemorySource("a.tar", data), limits=limits)
    assert info == DocumentInfo("tar", "a", None)
    return {part.name: part.load() for part in parts if isinstance(part, Child)}


def refusal(data: bytes, limits: Limits = DEFAULT_LIMITS) -> str:
    with pytest.raises(DocumentError) as refused:
        inside(data, limits)
    assert refused.value.hint
    return refused.value.code


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_file_of_an_archive_is_a_child(kind: int) -> None:
    long = f"{'folder/' * 11}{'Größe ' * 20}".strip() if kind != tarfile.USTAR_FORMAT else "b"
    files = {"a/lease.txt": b"rent" * 400, long: b"", "c.txt": b"x" * 512}
    assert inside(archived(*files.items(), kind=kind)) == files


@each_method
def test_a_packed_archive_opens_one_level_at_a_time(kind: str, pack: Pack, tmp_path: Path) -> None:
    for name in (f"papers.tar.{kind}", "papers.t" + {"gz": "gz", "bz2": "bz2", "xz": "xz"}[kind]):
        path = tmp_path / name
        path.write_bytes(pack(archived(("a/lease.txt", b"The rent is due in March."))))
        parts = list(read(path))
        assert [part.name for part in parts if isinstance(part, Child)] == ["papers.tar"]
        assert [part.name for part in read(path, member=["papers.tar"]) if isinstance(part, Child)] == ["a/lease.txt"]
        _, page = read(path, member=["papers.tar", "a/lease.txt"])
        assert getattr(page, "text", "") == "The rent is due in March."


def test_an_archive_is_told_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "backup"
    path.write_bytes(archived(("a.pdf", b"%PDF-1.4 and so on")))
    assert [part.name for part in read(path) if isinstance(part, Child)] == ["a.pdf"]


def test_links_devices_and_what_nobody_put_there_are_passed_over() -> None:
    odd = []
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE):
        entry = tarfile.TarInfo(f"odd{kind.decode()}.txt")
        entry.type, entry.linkname = kind, "/etc/passwd"
        odd.append((entry, b""))
    assert inside(archived(*odd, (".hidden/a.txt", b"x"), ("__MACOSX/b", b"x"), ("a.txt", b"words"))) == {
        "a.txt": b"words"
    }
    assert refusal(archived(*odd)) == "empty"


def test_names_that_lead_out_of_an_archive_stay_in_it() -> None:
    hostile = ("../../etc/passwd", "/etc/shadow", "a/../b.txt", "b\nc.txt", "gnp\u202etxt.exe", "../../etc/passwd")
    assert list(inside(archived(*((name, b"x") for name in hostile)))) == [
        "etc/passwd", "etc/shadow", "a/b.txt", "b c.txt", "gnp txt.exe", "etc/passwd (2)",
    ]  # fmt: skip


def test_an_archive_that_ends_early_says_so() -> None:
    whole = archived(("a.txt", b"a" * 600), ("b.txt", b"b" * 600))
    for cut in (512 + 1024, 512 + 1024 + 512, 512 + 1024 + 700):
        _, *parts = tar.parse(MemorySource("a.tar", whole[:cut]), limits=DEFAULT_LIMITS)
        assert isinstance(parts[0], Child)
        assert parts[0].load() == b"a" * 600
        assert isinstance(parts[-1], UnreadPage), f"cut at {cut}"
        assert "ends early" in parts[-1].cause
    damaged = whole[:1536] + b"\xff" * 512 + whole[2048:]
    assert isinstance(list(tar.parse(MemorySource("a.tar", damaged), limits=DEFAULT_LIMITS))[-1], UnreadPage)
    assert refusal(whole[:700]) == "unreadable"
    assert refusal(b"no archive" * 100) == "unreadable"


def test_more_files_than_the_limits_are_refused() -> None:
    assert refusal(archived(*((f"{i}", b"x") for i in range(20))), Limits(max_zip_entries=10)) == "too_large"


def test_a_file_that_claims_to_be_large_gives_no_more_than_there_is() -> None:
    entry = tarfile.TarInfo("a.txt")
    entry.size = 1 << 40
    assert refusal(entry.tobuf(tarfile.GNU_FORMAT) + b"x" * 1024) == "unreadable"


def test_gaps_that_are_left_out_fill_no_memory() -> None:
    header = bytearray(tarfile.TarInfo("a.txt").tobuf(tarfile.GNU_FORMAT))
    header[156:157] = tarfile.GNUTYPE_SPARSE
    header[483:495] = b"77777777777\x00"
    header[148:156] = b"        "
    header[148:156] = b"%06o\x00 " % sum(header)
    assert refusal(bytes(header) + bytes(1024)) == "unsupported"


def test_names_without_end_are_no_trap() -> None:
    """`tarfile` goes through what is said of a name in a time that grows with its square, and by recursion."""
    began = time.monotonic()
    entry = tarfile.TarInfo("x")
    entry.type, entry.size = tarfile.XHDTYPE, 4 * MB
    assert refusal(entry.tobuf(tarfile.PAX_FORMAT) + b"1" * 4 * MB + bytes(1024)) == "unreadable"
    entry.type, entry.size = tarfile.GNUTYPE_LONGNAME, 1
    chain = (entry.tobuf(tarfile.GNU_FORMAT) + b"a" + bytes(511)) * 5000
    assert refusal(chain + archived(("a.txt", b"words"))) == "unreadable"
    assert time.monotonic() - began < 10


@settings(max_examples=200, deadline=None)
@given(at=st.integers(0, 4000), junk=st.binary(min_size=1, max_size=20), kind=st.sampled_from([0, 1, 2]))
def test_a_damaged_archive_never_crashes(at: int, junk: bytes, kind: int) -> None:
    data = archived(("a.txt", b"some words " * 90), ("é/" * 60 + "c.txt", bytes(range(200))), kind=kind or 1)
    for hostile in (data[:at], data[:at] + junk + data[at + len(junk) :], data[:at] + junk + data[at:]):
        try:
            for part in tar.parse(MemorySource("a.tar", hostile), limits=DEFAULT_LIMITS):
                if isinstance(part, Child):
                    part.load()
        except DocumentError:
            continue
