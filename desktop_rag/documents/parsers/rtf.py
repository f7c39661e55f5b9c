"""Rich text (RTF): paragraphs and table rows; text boxes, notes, headers and footers come last.

Hidden and deleted text is left out, as in Word files.

striprtf turns the text into plain words but leaves out such groups, and reads pictures letter by letter: both are
taken out of the source beforehand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from striprtf.striprtf import rtf_to_text

from desktop_rag.documents.composer import Composer
from desktop_rag.documents.limits import Limits
from desktop_rag.documents.model import DocumentInfo, Page
from desktop_rag.documents.parsers.csv import is_header, row_text
from desktop_rag.documents.source import Source, read_bytes, stem
from desktop_rag.errors import DocumentError

_BINARY = re.compile(rb"\\bin(\d{1,9}) ?")
_GROUP = re.compile(
    r"\{\s*(?:\\\*\s*)?\\(?:(pict|objdata|themedata|datastore|colorschememapping|blipuid|latentstyles|filetbl)"
    r"|(footnote|annotation|shptxt|header[lrf]?|footer[lrf]?))(?![a-z])"
)
_BRACE = re.compile(r"\\[\\{}]|[{}]")
_MARKED = re.compile(r"\\(?:v|deleted)(?![a-z0])")
_MARK = re.compile(r"\\(?:[\\{}]|(v|deleted)(?![a-z])(-?\d*) ?|(plain)(?![a-z\d]))|[{}]")
# What striprtf turns into "words(address)" by searching a whole line from each such place.
_FIELD = re.compile(r"\\field(?=\s*\{)")
_TITLE = re.compile(r"\{\\title ([^{}\\]{1,300})\}")
# Values that striprtf stumbles over; no program writes them.
_ABSURD = re.compile(r"\\uc(?![\da-z])|\\(?:u|uc)-?\d{6,}|\\fcharset\d{4,}|\\ansicpg(?!\d)")
_MAC_CHARSETS = {78: 128, 79: 136, 80: 129, 82: 177, 85: 134, 86: 238, 87: 204, 88: 222, 89: 238}
_CHARSET = re.compile(r"\\fcharset(\d{1,3})(?!\d)")
_UNWRITTEN = {0: "\ufffd", 0xFEFF: None}
_SURROGATES = re.compile("[\ud800-\udfff]+")


def parse(source: Source, *, limits: Limits, password: str | None = None) -> Iterator[DocumentInfo | Page]:
    """One page without number."""
    data = read_bytes(source, limits)
    title = _TITLE.search(data[:100_000].decode("latin-1"))
    yield DocumentInfo("rtf", " ".join(title[1].split()) if title else stem(source), None)
    composer = Composer()
    write(composer, data)
    if composer.length:
        yield composer.page()


def write(composer: Composer, data: bytes) -> None:
    """Add what there is to read in an RTF text. Raises DocumentError("unreadable") for a damaged one."""
    # Every byte is a character: those beyond ASCII are written as escapes, and pictures may hold any.
    body, asides = _parted(_visible(_without_binary(data).decode("latin-1")))
    try:
        # Behind the body they still have its fonts and encoding.
        text = rtf_to_text(_plain(body, asides), errors="replace")  # type: ignore[no-untyped-call]
    except (ValueError, TypeError, LookupError, OverflowError) as failure:
        raise DocumentError(
            "unreadable",
            "The RTF file is damaged and cannot be read.",
            "Open it in Word or LibreOffice and save it again.",
        ) from failure
    _compose(composer, _SURROGATES.sub(_joined, text).translate(_UNWRITTEN))


def _without_binary(data: bytes) -> bytes:
    """The source without the bytes of pictures, which may look like anything."""
    parts, start = [], 0
    for found in _BINARY.finditer(data):
        if found.start() >= start:
            parts.append(data[start : found.start()])
            start = found.end() + int(found[1])
    return b"".join([*parts, data[start:]]) if parts else data


def _visible(raw: str) -> str:
    """The source without hidden and deleted text: marked from a word on, to another one or to the end of its group."""
    if not _MARKED.search(raw):
        return raw
    parts: list[str] = []
    outer: list[frozenset[str]] = []
    marks: frozenset[str] = frozenset()
    start = 0
    for found in _MARK.finditer(raw):
        if not marks:
            parts.append(raw[start : found.start()])
        start = found.end()
        mark = found[0]
        if mark == "{":
            outer.append(marks)
        elif mark == "}":
            marks = outer.pop() if outer else frozenset()
        elif found[1]:
            marks = marks - {found[1]} if found[2] == "0" else marks | {found[1]}
        elif found[3]:
            marks = frozenset()
        if mark in "{}" or found[3] or not (marks or found[1]):
            parts.append(mark)
    if not marks:
        parts.append(raw[start:])
    return "".join(parts)


def _parted(raw: str) -> tuple[str, list[str]]:
    """(source without groups of data and asides, asides in order)."""
    parts: list[str] = []
    asides: list[str] = []
    start = 0
    for found in _GROUP.finditer(raw):
        if found.start() < start:
            continue
        end = _end_of_group(raw, found.start())
        if end is None:
            break
        parts.append(raw[start : found.start()])
        if found[2]:
            asides.append(raw[found.end() : end - 1])
        start = end
    parts.append(raw[start:])
    return "".join(parts), list(dict.fromkeys(asides))


def _end_of_group(raw: str, start: int) -> int | None:
    depth = 0
    for found in _BRACE.finditer(raw, start):
        if found[0] == "{":
            depth += 1
        elif found[0] == "}":
            depth -= 1
            if depth == 0:
                return found.end()
    return None


def _plain(body: str, asides: list[str]) -> str:
    """A source that striprtf reads to its end, in time, without stumbling."""
    inner = "".join(f"\\par{{\\pard {aside}}}" for aside in asides)
    body = body.rstrip("\x00 \r\n")
    # A file that ends early has no brace of its own at its end.
    source = f"{body[:-1]}{inner}}}" if body.endswith("}") else body + inner
    source = _FIELD.sub(r"\\field\n", _ABSURD.sub(" ", source))
    return _CHARSET.sub(lambda found: f"\\fcharset{_MAC_CHARSETS.get(int(found[1]), int(found[1]))}", source)


def _joined(found: re.Match[str]) -> str:
    """Halves of one character put together; what is left of others becomes U+FFFD."""
    return found[0].encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _compose(composer: Composer, text: str) -> None:
    table: list[list[str]] = []
    for line in text.split("\n"):
        # Cells end with a bar, the last one of a row too.
        if line.rstrip().endswith("|"):
            table.append([" ".join(cell.split()) for cell in line.rstrip()[:-1].split("|")])
            continue
        _rows(composer, table)
        table = []
        composer.add("paragraph", line)
    _rows(composer, table)


def _rows(composer: Composer, rows: list[list[str]]) -> None:
    named = len(rows) > 1 and len(rows[0]) > 1 and is_header(rows[0])
    names = rows[0] if named else []
    header = "; ".join(name for name in names if name)
    for cells in rows[1:] if named else rows:
        composer.add("row", row_text(names, cells), header=header)
