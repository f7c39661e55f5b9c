"""The binary formats of 1997 to 2003: Word files made byte by byte, presentations from the shared collection."""

from __future__ import annotations

import contextlib
import os
import struct
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from doc2docx.cfb.container import ObjectType  # type: ignore[import-untyped]
from doc2docx.cfb.directory import DirectoryEntry  # type: ignore[import-untyped]
from doc2docx.cfb.writer import write_compound_storage  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop_rag.documents.limits import Limits
from desktop_rag.documents.model import Page
from desktop_rag.documents.parsers.old_office import parse
from desktop_rag.documents.read import read
from desktop_rag.documents.source import MemorySource
from desktop_rag.errors import DocumentError

Pages = Callable[..., list[Page]]
DATA = Path(os.environ.get("DESKTOP_RAG_DATA") or Path(__file__).parents[3] / "shared" / "data") / "parser_docs"
SLIDES = DATA / "files" / "ppt" / "docling__legacy_sample.ppt"
_CLX, _PAPX, _TEXT_AT = 33, 13, 2048
IN_TABLE = struct.pack("<HB", 0x2416, 1)
ROW_ENDS = IN_TABLE + struct.pack("<HB", 0x2417, 1)
HEADING = struct.pack("<HB", 0x2640, 0)
TABLE = [
    ("Name\x07", IN_TABLE), ("Age\x07", IN_TABLE), ("\x07", ROW_ENDS),
    ("Anna\x07", IN_TABLE), ("34\x07", IN_TABLE), ("\x07", ROW_ENDS),
]  # fmt: skip
LETTER = [
    ("Costs\r", HEADING), ("Práce v €100: \x13 HYPERLINK x \x14the link\x15\r", b""), *TABLE, ("End \U0001f601\r", b""),
]  # fmt: skip


def compound(**streams: bytes) -> bytes:
    """An OLE file with these streams; "_" in a name stands for a space."""

    def entry(kind: ObjectType) -> DirectoryEntry:
        return DirectoryEntry(0, "", kind, 1, 0, 0, 0, bytes(16), 0, 0, 0, 0, 0)

    parts = tuple((name.replace("_", " "), entry(ObjectType.STREAM), data) for name, data in streams.items())
    return bytes(write_compound_storage(entry(ObjectType.ROOT_STORAGE), parts))


def word(paragraphs: list[tuple[str, bytes]], *, flags: int = 0x0200, claimed: int | None = None) -> bytes:
    """A .doc file of (text with its mark at the end, paragraph properties)."""
    text = "".join(words for words, _ in paragraphs)
    encoded = text.encode("utf-16-le")
    places = [_TEXT_AT]
    for words, _ in paragraphs:
        places.append(places[-1] + len(words.encode("utf-16-le")))
    pages_at = -(-(_TEXT_AT + len(encoded)) // 512)
    pages, bounds = [], []
    for first in range(0, len(paragraphs), 10):
        chunk = paragraphs[first : first + 10]
        pages.append(_page(places[first : first + len(chunk) + 1], [properties for _, properties in chunk]))
        bounds.append(places[first])
    bounds.append(places[-1])
    pieces = struct.pack("<II", 0, len(text)) + struct.pack("<HIH", 0, _TEXT_AT, 0)
    clx = b"\x02" + struct.pack("<I", len(pieces)) + pieces
    papx = struct.pack(f"<{len(bounds)}I", *bounds) + struct.pack(
        f"<{len(pages)}I", *range(pages_at, pages_at + len(pages))
    )
    pairs = [(0, 0)] * 93
    pairs[_CLX], pairs[_PAPX] = (0, len(clx)), (len(clx), len(papx))
    lengths = [0] * 22
    lengths[3] = len(text) if claimed is None else claimed
    head = struct.pack("<HHHHHH", 0xA5EC, 0x00C1, 0, 0x0409, 0, flags).ljust(32, b"\x00")
    head += struct.pack("<H", 14) + bytes(28) + struct.pack("<H", 22) + struct.pack("<22I", *lengths)
    head += struct.pack("<H", 93) + b"".join(struct.pack("<II", *pair) for pair in pairs) + struct.pack("<H", 0)
    words_stream = (head.ljust(_TEXT_AT, b"\x00") + encoded).ljust(pages_at * 512, b"\x00") + b"".join(pages)
    return compound(**{"WordDocument": words_stream, "1Table": (clx + papx).ljust(4096, b"\x00")})


def _page(places: list[int], properties: list[bytes]) -> bytes:
    page = bytearray(512)
    struct.pack_into(f"<{len(places)}I", page, 0, *places)
    page[511] = len(properties)
    end = 510
    for index, codes in enumerate(properties):
        content = struct.pack("<H", 0) + codes
        content += bytes(1 - len(content) % 2)
        end = (end - len(content) - 1) & ~1
        page[end] = (len(content) + 1) // 2
        page[end + 1 : end + 1 + len(content)] = content
        page[4 * len(places) + 13 * index] = end // 2
    return bytes(page)


def refusal(data: bytes, name: str = "old.doc") -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        list(parse(MemorySource(name, data), limits=Limits()))
    return caught.value


def test_a_word_97_file_keeps_its_structure(tmp_path: Path, pages_of: Pages) -> None:
    path = tmp_path / "old.doc"
    path.write_bytes(word(LETTER))
    (page,) = pages_of(path)
    assert [(block.kind, page.text[block.start : block.end]) for block in page.blocks] == [
        ("heading", "Costs"), ("paragraph", "Práce v €100: the link"), ("row", "Name: Anna; Age: 34"),
        ("paragraph", "End \U0001f601"),
    ]  # fmt: skip


def test_an_encrypted_word_file_is_refused_by_its_flag() -> None:
    assert refusal(word(LETTER, flags=0x0300)).code == "encrypted"


def test_a_word_file_that_claims_more_than_it_holds_is_refused() -> None:
    began = time.monotonic()
    assert refusal(word(LETTER, claimed=0x7FFFFFF0)).code == "unreadable"
    assert time.monotonic() - began < 2


def test_a_file_of_word_95_is_told_how_to_be_read() -> None:
    failure = refusal(compound(WordDocument=b"\xdc\xa5".ljust(5000, b"\x00")))
    assert failure.code == "unsupported"
    assert ".docx" in failure.hint


def test_a_long_word_file_takes_time_in_proportion_to_its_length(pages_of: Pages) -> None:
    def seconds(count: int) -> float:
        data = word([(f"Paragraph number {number} of them.\r", b"") for number in range(count)])
        began = time.process_time()
        page = next(part for part in parse(MemorySource("x.doc", data), limits=Limits()) if isinstance(part, Page))
        assert len(page.blocks) == count
        return time.process_time() - began

    seconds(10)
    assert seconds(8000) < 10 * max(seconds(2000), 0.1)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 20_000), st.binary(min_size=1, max_size=12))
def test_a_damaged_word_file_is_read_or_refused_and_always_the_same(place: int, noise: bytes) -> None:
    data = bytearray(word(LETTER))
    place %= len(data)
    data[place : place + len(noise)] = noise
    results: list[object] = []
    for _ in range(2):
        try:
            results.append(list(parse(MemorySource("x.doc", bytes(data)), limits=Limits())))
        except DocumentError as failure:
            results.append(failure.code)
    assert results[0] == results[1]


@pytest.mark.skipif(not SLIDES.is_file(), reason="the shared collection of documents is not here")
def test_old_slides_are_numbered_pages_with_notes(pages_of: Pages) -> None:
    first, second, third = pages_of(SLIDES)
    assert [page.number for page in (first, second, third)] == [1, 2, 3]
    assert second.text.startswith("Second slide title")
    assert second.text.endswith("Notes:\n\nSome notes on the second slide.")
    assert "Let’s introduce a list" in second.text, "wrong encoding"


@pytest.mark.skipif(not SLIDES.is_file(), reason="the shared collection of documents is not here")
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 180_000), st.binary(min_size=1, max_size=12))
def test_damaged_old_slides_are_read_or_refused(place: int, noise: bytes) -> None:
    data = bytearray(SLIDES.read_bytes())
    data[place : place + len(noise)] = noise
    with contextlib.suppress(DocumentError):
        list(parse(MemorySource("x.ppt", bytes(data)), limits=Limits()))


def test_an_old_file_that_ends_early_is_refused(tmp_path: Path) -> None:
    data = word(LETTER)
    path = tmp_path / "cut.doc"
    for share in (0.3, 0.7):
        path.write_bytes(data[: int(len(data) * share)])
        with pytest.raises(DocumentError) as caught:
            list(read(path))
        assert caught.value.code in ("unreadable", "unsupported")
