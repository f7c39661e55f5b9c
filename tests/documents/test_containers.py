"""Archives: what lies in them, under which names, and that none may take more than its share or lead astray."""

from __future__ import annotations

import gzip
import io
import struct
import time
import tracemalloc
import warnings
import zipfile
import zlib
from pathlib import Path

import pytest
import pyzipper  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop_rag.documents import archives
from desktop_rag.documents.archives import Names
from desktop_rag.documents.limits import DEFAULT_LIMITS, Limits
from desktop_rag.documents.model import DocumentInfo
from desktop_rag.documents.parsers import zip as zipped
from desktop_rag.documents.read import read
from desktop_rag.documents.source import Child, MemorySource
from desktop_rag.errors import DocumentError

MB = 1_000_000


def archive(*files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as target, warnings.catch_warnings():
        # Names that come twice are wanted here.
        warnings.simplefilter("ignore", UserWarning)
        for name, data in files:
            target.writestr(name, data)
    return buffer.getvalue()


def children(data: bytes, limits: Limits = DEFAULT_LIMITS, password: str | None = None) -> list[Child]:
    info, *rest = zipped.parse(MemorySource("a.zip", data), limits=limits, password=password)
    assert info == DocumentInfo("zip", "a", None)
    assert all(isinstance(part, Child) for part in rest)
    return [part for part in rest if isinstance(part, Child)]


def names(data: bytes) -> list[str]:
    return [child.name for child in children(data)]


def code_of(data: bytes, limits: Limits = DEFAULT_LIMITS, password: str | None = None) -> str:
    """The code of the error that reading an archive and everything in it ends with."""
    with pytest.raises(DocumentError) as refused:
        _ = [child.load() for child in children(data, limits, password)]
    assert refused.value.hint
    return refused.value.code


def test_every_file_is_a_child_in_order() -> None:
    data = archive(("b/lease.txt", b"rent"), ("a.txt", b""), ("b/c/d.txt", b"deep"))
    assert [(child.name, child.size, child.load()) for child in children(data)] == [
        ("b/lease.txt", 4, b"rent"),
        ("a.txt", 0, b""),
        ("b/c/d.txt", 4, b"deep"),
    ]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_every_method_that_can_be_unpacked(method: int) -> None:
    text = b"words " * 100_000
    (child,) = children(archive(("a.txt", text), method=method))
    assert child.load() == text


def test_what_nobody_put_there_is_passed_over() -> None:
    link = zipfile.ZipInfo("link.txt")
    link.external_attr = 0o120777 << 16
    unwanted = ("folder/", "__MACOSX/._a.txt", ".DS_Store", "x/.hidden/a.txt", "Thumbs.db")
    buffer = io.BytesIO(archive(*((name, b"x") for name in (*unwanted, "a.txt"))))
    with zipfile.ZipFile(buffer, "a") as target:
        target.writestr(link, "/etc/passwd")
    assert names(buffer.getvalue()) == ["a.txt"]


@pytest.mark.parametrize("files", [(), (("folder/", b""),), ((".DS_Store", b"x"), ("__MACOSX/a", b"x"))])
def test_an_archive_without_files_is_empty(files: tuple[tuple[str, bytes], ...], tmp_path: Path) -> None:
    assert code_of(archive(*files)) == "empty"
    path = tmp_path / "a.zip"
    path.write_bytes(archive(*files))
    with pytest.raises(DocumentError):
        list(read(path))


def test_names_that_lead_out_of_the_archive_stay_in_it() -> None:
    hostile = ("../../etc/passwd", "/etc/shadow", r"..\..\win.ini", "C:/boot.ini", "a/../b.txt", "./c.txt", "a//d.txt")
    found = names(archive(*((name, b"x") for name in hostile)))
    assert found == ["etc/passwd", "etc/shadow", "win.ini", "boot.ini", "a/b.txt", "c.txt", "a/d.txt"]


def test_names_that_come_twice_come_once() -> None:
    data = archive(("a.txt", b"1"), ("a.txt", b"2"), ("a (2).txt", b"3"), ("../a.txt", b"4"))
    found = {child.name: child.load() for child in children(data)}
    assert found == {"a.txt": b"1", "a (2).txt": b"2", "a (2) (2).txt": b"3", "a (3).txt": b"4"}


def test_a_thousand_files_of_one_name_take_no_time() -> None:
    given_names = Names()
    began = time.monotonic()
    assert len({given_names.give("a.txt") for _ in range(50_000)}) == 50_000
    assert time.monotonic() - began < 5


@given(raw=st.lists(st.text(st.characters(), max_size=300), max_size=8), folders=st.booleans())
def test_every_name_given_is_unique_printable_and_inside(raw: list[str], folders: bool) -> None:
    names_given = Names()
    found = [names_given.give(name, folders=folders) for name in raw]
    assert len(set(found)) == len(found)
    for name in found:
        parts = name.split("/")
        assert folders or len(parts) == 1
        assert all(parts), "an empty or absolute part"
        assert not {".", ".."} & set(parts)
        assert not any(char < " " or "\ud800" <= char <= "\udfff" or char in "\u202e\u2066\x7f" for char in name)
        assert max(map(len, parts)) < 200
        name.encode("utf-8")


def test_newlines_and_marks_in_names() -> None:
    assert names(archive(("a\nb\r\tc.txt", b"x"), ("gnp\u202etxt.exe", b"x"))) == ["a b c.txt", "gnp txt.exe"]


@pytest.mark.parametrize(
    ("encoding", "name"),
    [("cp437", "Übersicht für Müller.txt"), ("gbk", "审计压缩包文件检索测试需求文档.txt"), ("utf-8", "Größe – ok.txt")],
)
def test_names_in_the_encoding_they_were_written_in(encoding: str, name: str) -> None:
    raw = name.encode(encoding)
    placeholder = "x" * len(raw)
    assert names(archive((placeholder, b"x")).replace(placeholder.encode(), raw)) == [name]


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    data = archive(("a.txt", bytes(100 * MB)))
    assert len(data) < MB
    tracemalloc.start()
    try:
        assert code_of(data) == "too_large"
        assert tracemalloc.get_traced_memory()[1] < 5 * MB
    finally:
        tracemalloc.stop()


def test_more_bytes_or_entries_than_the_limits_are_refused() -> None:
    files = [(f"{i}.txt", b"abcdefgh") for i in range(20)]
    assert code_of(archive(*files), Limits(max_unpacked_bytes=100)) == "too_large"
    assert code_of(archive(*files), Limits(max_zip_entries=10)) == "too_large"


def with_sizes(data: bytes, *, packed: int | None = None, unpacked: int | None = None) -> bytes:
    """The archive with other sizes written for its first file in both places."""
    central = data.index(b"PK\x01\x02")
    changed = bytearray(data)
    for at in (central + 20, 18):
        if packed is not None:
            struct.pack_into("<L", changed, at, packed)
        if unpacked is not None:
            struct.pack_into("<L", changed, at + 4, unpacked)
    return bytes(changed)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_a_size_that_is_a_lie_unpacks_no_more_than_it_says(method: int) -> None:
    data = with_sizes(archive(("a.txt", bytes(80 * MB)), method=method), unpacked=1000)
    tracemalloc.start()
    try:
        assert code_of(data) == "unreadable"
        assert tracemalloc.get_traced_memory()[1] < 75 * MB
    finally:
        tracemalloc.stop()


def test_entries_that_share_their_bytes_are_refused() -> None:
    data = archive(("a.txt", zlib.compress(bytes(MB)) * 5), ("b.txt", b"x"), method=zipfile.ZIP_STORED)
    first = data.index(b"PK\x01\x02")
    second = data.index(b"PK\x01\x02", first + 4)
    end = data.index(b"PK\x05\x06")
    kernel = data[first:second]
    forged = data[:first] + kernel * 3 + data[end:]
    forged = bytearray(forged)
    at = forged.rindex(b"PK\x05\x06")
    struct.pack_into("<HHLL", forged, at + 8, 3, 3, len(kernel) * 3, first)
    assert code_of(bytes(forged)) == "unreadable"


def test_a_list_of_files_that_would_fill_the_memory_is_refused() -> None:
    entry = struct.pack("<4s4B4HL2L5H2L", b"PK\x01\x02", 20, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    count = 400_000
    directory = entry * count
    head = b"PK\x03\x04" + bytes(26)
    data = head + directory + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 65535, 65535, len(directory), len(head), 0)
    tracemalloc.start()
    try:
        with pytest.raises(DocumentError) as refused:
            archives.members(MemorySource("a.zip", data))
        assert refused.value.code == "too_large"
        assert tracemalloc.get_traced_memory()[1] < 5 * MB
    finally:
        tracemalloc.stop()


def test_an_archive_in_an_archive_opens_one_level_at_a_time() -> None:
    inner = archive(("bomb.txt", bytes(100 * MB)))
    for _ in range(5):
        inner = archive(*((f"{i}.zip", inner) for i in range(4)))
    began = time.monotonic()
    for _ in range(5):
        found = children(inner)
        assert len(found) == 4
        inner = found[0].load()
    assert code_of(inner) == "too_large"
    assert time.monotonic() - began < 5


def encrypted(name: bytes, text: bytes, password: bytes) -> bytes:
    """An archive of one stored file under ZipCrypto, which zipfile reads but does not write."""
    keys = [0x12345678, 0x23456789, 0x34567890]

    def crc(value: int, byte: int) -> int:
        return zlib.crc32(bytes([byte]), value ^ 0xFFFFFFFF) ^ 0xFFFFFFFF

    def update(byte: int) -> None:
        keys[0] = crc(keys[0], byte)
        keys[1] = ((keys[1] + (keys[0] & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        keys[2] = crc(keys[2], keys[1] >> 24)

    for byte in password:
        update(byte)
    check = zlib.crc32(text)
    packed = bytearray()
    for byte in bytes(11) + bytes([check >> 24]) + text:
        mask = (keys[2] | 2) & 0xFFFF
        packed.append(byte ^ ((mask * (mask ^ 1)) >> 8) & 0xFF)
        update(byte)
    sizes = struct.pack("<3L2H", check, len(packed), len(text), len(name), 0)
    local = struct.pack("<4s5H", b"PK\x03\x04", 20, 1, 0, 0, 0x21) + sizes + name + packed
    central = struct.pack("<4s6H", b"PK\x01\x02", 20, 20, 1, 0, 0, 0x21) + sizes + struct.pack("<3H2L", 0, 0, 0, 0, 0)
    directory = central + name
    return local + directory + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(directory), len(local), 0)


@pytest.mark.parametrize("password", ["geheim", "grün"])
def test_a_password_opens_an_archive(password: str) -> None:
    data = encrypted(b"a.txt", b"the secret words", password.encode("cp1252"))
    assert code_of(data) == "encrypted"
    assert code_of(data, password="wrong") == "encrypted"
    assert code_of(data, password="") == "encrypted"
    (child,) = children(data, password=password)
    assert child.load() == b"the secret words"


@pytest.mark.parametrize("password", ["geheim", "grün"])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_a_password_opens_an_archive_under_aes(password: str, method: int) -> None:
    buffer = io.BytesIO()
    with pyzipper.AESZipFile(buffer, "w", method, encryption=pyzipper.WZ_AES) as target:
        target.setpassword(password.encode())
        target.writestr("a.txt", bytes(i * i % 251 for i in range(5000)))
        target.writestr("b.txt", b"the secret words")
    data = buffer.getvalue()
    for wrong in (None, "", "wrong"):
        assert code_of(data, password=wrong) == "encrypted"
    first, second = children(data, password=password)
    assert second.load() == b"the secret words"
    assert first.load() == bytes(i * i % 251 for i in range(5000))
    at = data.index(b"a.txt") + 100
    (damaged, _) = children(data[:at] + b"????" + data[at + 4 :], password=password)
    with pytest.raises(DocumentError) as refused:
        damaged.load()
    assert refused.value.code == "unreadable"


def test_an_archive_under_another_encryption_says_what_to_do() -> None:
    data = bytearray(archive(("a.txt", b"x" * 100), method=zipfile.ZIP_STORED))
    central = data.index(b"PK\x01\x02")
    for at in (6, central + 8):
        struct.pack_into("<H", data, at, 0x41)
    for password in (None, "geheim"):
        with pytest.raises(DocumentError, match="cannot be opened here") as refused:
            children(bytes(data), password=password)
        assert refused.value.code == "encrypted"
        assert "Unpack it" in refused.value.hint


def test_the_method_of_which_a_few_bytes_become_gigabytes_is_counted_too() -> None:
    text = bytes(i * i % 251 for i in range(MB))
    data = archive(("a.txt", b"words"), ("b.txt", text), method=zipfile.ZIP_BZIP2)
    assert [child.load() for child in children(data)] == [b"words", text]
    tracemalloc.start()
    try:
        hostile = with_sizes(archive(("a.txt", bytes(200 * MB)), method=zipfile.ZIP_BZIP2), unpacked=1000)
        tracemalloc.reset_peak()
        assert code_of(hostile) == "too_large"
        assert tracemalloc.get_traced_memory()[1] < 50 * MB
    finally:
        tracemalloc.stop()
    at = data.index(b"BZh") + 12
    assert code_of(data[:at] + b"???" + data[at + 3 :]) == "unreadable"
    wrong = data.replace(struct.pack("<L", zlib.crc32(text)), struct.pack("<L", 7))
    assert code_of(wrong) == "unreadable"


def test_a_method_nobody_knows_is_unsupported() -> None:
    data = bytearray(archive(("a.txt", b"x" * 100)))
    for at in (8, data.index(b"PK\x01\x02") + 10):
        struct.pack_into("<H", data, at, 97)
    assert code_of(bytes(data)) == "unsupported"


@settings(max_examples=200, deadline=None)
@given(at=st.integers(0, 700), junk=st.binary(min_size=1, max_size=12), method=st.sampled_from([0, 8, 12, 14]))
def test_a_damaged_archive_never_crashes(at: int, junk: bytes, method: int) -> None:
    data = archive(("a.txt", b"some words " * 9), ("b/c.txt", bytes(range(200))), method=method)
    at = min(at, len(data) - 1)
    for hostile in (data[:at], data[:at] + junk + data[at + len(junk) :], data[:at] + junk + data[at:]):
        try:
            found = children(hostile)
        except DocumentError:
            continue
        for child in found:
            try:
                assert len(child.load()) <= DEFAULT_LIMITS.max_unpacked_bytes
            except DocumentError:
                continue


def test_an_archive_that_changes_under_the_reader_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(archive(("a.txt", b"1"), ("b.txt", b"2")))
    _, first, second = read(path)
    assert isinstance(first, Child)
    assert isinstance(second, Child)
    path.write_bytes(archive(("other.txt", b"3" * 50)))
    with pytest.raises(DocumentError):
        second.load()


def test_read_finds_the_files_inside(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(archive(("b/notes.txt.gz", gzip.compress(b"The words inside"))))
    _, child = read(path)
    assert isinstance(child, Child)
    info, page = read(path, member=["b/notes.txt.gz", "notes.txt"])
    assert isinstance(info, DocumentInfo)
    assert getattr(page, "text", "") == "The words inside"
