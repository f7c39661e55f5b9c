"""Which format a file has: by its content first, by its name only where content cannot tell."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

from desktop_rag.documents.archives import BROKEN, members, opened
from desktop_rag.documents.encodings import decode, looks_binary
from desktop_rag.documents.source import Source, suffix
from desktop_rag.errors import DocumentError

HEAD = 65_536
"""Bytes from the start of a file that decide on its format."""
LOCKED = "locked"
"""The format of an Office file that has to be decrypted before its format can be told."""

_BY_SUFFIX: dict[str, str] = {
    ".pdf": "pdf",
    **dict.fromkeys((".docx", ".docm", ".dotx", ".dotm"), "docx"),
    **dict.fromkeys((".pptx", ".pptm", ".ppsx", ".potx"), "pptx"),
    **dict.fromkeys((".xlsx", ".xlsm", ".xltx", ".xlsb", ".xls", ".ods"), "sheet"),
    **dict.fromkeys((".odt", ".ott"), "odt"),
    **dict.fromkeys((".odp", ".otp"), "odp"),
    **dict.fromkeys((".doc", ".dot"), "doc"),
    **dict.fromkeys((".ppt", ".pps"), "ppt"),
    ".rtf": "rtf",
    ".epub": "epub",
    ".eml": "eml",
    ".msg": "msg",
    ".mbox": "mbox",
    **dict.fromkeys((".mht", ".mhtml"), "mhtml"),
    ".zip": "zip",
    ".tar": "tar",
    **dict.fromkeys((".gz", ".tgz"), "gz"),
    **dict.fromkeys((".bz2", ".tbz", ".tbz2"), "bz2"),
    **dict.fromkeys((".xz", ".txz"), "xz"),
    ".xml": "xml",
    ".ipynb": "ipynb",
    ".json": "json",
    **dict.fromkeys((".jsonl", ".ndjson"), "jsonl"),
    **dict.fromkeys((".md", ".markdown", ".mdown", ".mkd"), "markdown"),
    **dict.fromkeys((".html", ".htm", ".xhtml"), "html"),
    **dict.fromkeys((".csv", ".tsv", ".tab"), "csv"),
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".gif", ".tif", ".tiff", ".webp", ".bmp"), "image"),
    **dict.fromkeys(
        (
            ".txt .text .log .rst .adoc .asciidoc .org .tex .yaml .yml .toml .ini .cfg .conf .properties "
            ".py .pyi .js .mjs .ts .tsx .jsx .java .kt .c .h .cc .cpp .hpp .cs .go .rs .rb .php .pl .r .jl .swift "
            ".scala .lua .sql .sh .bash .zsh .ps1 .bat .css .scss .srt .vtt .diff .patch"
        ).split(),
        "text",
    ),
}
SUPPORTED_SUFFIXES: frozenset[str] = frozenset(_BY_SUFFIX)
"""Suffixes (lower case, with the dot) of the files a folder is searched for."""

# Formats that are text inside; a file named like any other one must have that one's content.
_TEXTUAL = frozenset({"markdown", "csv", "text", "json", "jsonl", "ipynb", "mhtml", "eml", "mbox"})
_PACKED: tuple[tuple[str, str], ...] = (
    ("word/", "docx"), ("ppt/", "pptx"), ("xl/", "sheet"), ("META-INF/container.xml", "epub"),
)  # fmt: skip
_OPEN_DOCUMENT = (("spreadsheet", "sheet"), ("presentation", "odp"), ("text", "odt"))
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"{\\rtf", "rtf"),
    (b"\x89PNG", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"GIF8", "image"),
    (b"II*\x00", "image"),
    (b"MM\x00*", "image"),
    (b"\x1f\x8b", "gz"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\x00", "xz"),
)
# A text may begin with these letters; no text has the other beginnings, however white the page a picture shows.
_LIKE_TEXT = (b"GIF8", b"BZh")
_UNPACK = "Unpack it in another program and add the files."
_SAVE = "Save it as PDF, Word (.docx), HTML or plain text and add that."
_NO_TEXT = "It holds no text to be read; if something is written about it, add that."
_FOREIGN: tuple[tuple[bytes, str, str], ...] = (
    (b"7z\xbc\xaf", "7z archives", _UNPACK),
    (b"Rar!", "RAR archives", _UNPACK),
    (b"RIFF", "sound and films", _NO_TEXT),
    (b"\x7fELF", "programs", _NO_TEXT),
    (b"MZ\x90\x00", "programs", _NO_TEXT),
    (b"SQLite format 3", "databases", "Export what you need as CSV and add that."),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_STREAMS = (
    ("encryptedpackage", LOCKED), ("worddocument", "doc"), ("workbook", "sheet"), ("book", "sheet"),
    ("powerpoint document", "ppt"), ("__properties_version1.0", "msg"),
)  # fmt: skip
_HTML = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.{0,2000}?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)
_MAILBOX = re.compile(rb"(?:From \S+@|(?:Return-Path|Received|MIME-Version|Message-ID|Delivered-To): )", re.IGNORECASE)


def is_supported(path: Path) -> bool:
    """Whether a folder walk takes this file, by its suffix alone."""
    return path.suffix.lower() in SUPPORTED_SUFFIXES


def detect(source: Source) -> str:
    """The format's name in the registry of parsers, or LOCKED.

    Raises DocumentError "unsupported", "encrypted" or "unreadable", and lets OSError pass.
    """
    with source.open() as stream:
        head = stream.read(HEAD)
    named = suffix(source)
    # Before all others: what an archive begins with may be the start of the first file in it.
    if head[257:262] == b"ustar" and b"\x00" in head[:257]:
        return "tar"
    at = head.find(b"%PDF-", 0, 1024)
    # A text may speak of "%PDF-"; rubbish before the header is forgiven in files that do not claim to be text.
    if at == 0 or (at > 0 and _BY_SUFFIX.get(named, "pdf") == "pdf"):
        return "pdf"
    if head.startswith(b"PK\x03\x04"):
        return _zipped(source, named)
    if head.startswith(_OLE):
        return _compound(source)
    if named == ".pdf" and b"startxref" in head:
        return "pdf"
    binary = looks_binary(head)
    return _by_magic(head, binary) or _textual(head, named, binary)


def _zipped(source: Source, named: str) -> str:
    names = members(source)
    # The newest way to encrypt an OpenDocument file leaves only this part of it.
    if "content.xml" in names or "encrypted-package" in names:
        return _open_document(source)
    for telling, kind in _PACKED:
        if any(name.startswith(telling) for name in names):
            return kind
    if _BY_SUFFIX.get(named, "zip") != "zip" or not names:
        raise DocumentError(
            "unreadable",
            "The file is damaged: it is packed like an Office document or an archive, but nothing can be found in it.",
            "Open it in the program that made it and save it again.",
        )
    return "zip"


def _open_document(source: Source) -> str:
    from desktop_rag.documents.parsers.locked_odf import is_locked

    try:
        with opened(source) as archive:
            if is_locked(archive):
                return LOCKED
            kind = archive.read("mimetype")[:200].decode("ascii", "replace")
    except (*BROKEN, KeyError, RuntimeError, OSError, zlib.error):
        kind = suffix(source).replace(".odt", "text").replace(".odp", "presentation").replace(".ods", "spreadsheet")
    found = next((name for telling, name in _OPEN_DOCUMENT if telling in kind), None)
    if found is None:
        raise _not_yet("this kind of OpenDocument file")
    return found


def _compound(source: Source) -> str:
    """An old Office file, a mail of Outlook, or a newer Office file with a password: told by its streams."""
    import olefile  # type: ignore[import-untyped]

    try:
        with source.open() as stream, olefile.OleFileIO(stream) as file:
            streams = {"/".join(parts).lower() for parts in file.listdir()}
    except (OSError, ValueError, IndexError, TypeError) as failure:
        raise DocumentError(
            "unreadable", "The file is damaged and cannot be opened.", "It may be an unfinished download."
        ) from failure
    found = next((kind for telling, kind in _OLE_STREAMS if telling in streams), None)
    if found is None:
        raise _not_yet("this kind of old Office file")
    return found


def _by_magic(head: bytes, binary: bool) -> str | None:
    if (head[:4], head[8:12]) == (b"RIFF", b"WEBP") or (head[:2], head[6:10]) == (b"BM", bytes(4)):
        return "image"
    for magic, kind in _MAGIC:
        if head.startswith(magic) and (binary or magic not in _LIKE_TEXT):
            return kind
    for magic, what, hint in _FOREIGN:
        if head.startswith(magic):
            raise _not_yet(what, hint)
    return None


def _textual(head: bytes, named: str, binary: bool) -> str:
    if binary:
        raise _binary(named)
    known = _BY_SUFFIX.get(named)
    if known is None and _MAILBOX.match(head):
        return "mbox" if head.startswith(b"From ") else "eml"
    if known in _TEXTUAL:
        return known
    if _HTML.match(decode(head)[0][:8000]) or known == "html":
        return "html"
    if known == "xml":
        return "xml"
    if known is not None:
        raise DocumentError(
            "unreadable",
            f"The file is named {named} but is something else inside.",
            "It may be an unfinished download: get it again, or rename it to what it is.",
        )
    return "text"


def _not_yet(kind: str, hint: str = _SAVE) -> DocumentError:
    return DocumentError("unsupported", f"Reading {kind} is not available yet.", hint)


def _binary(named: str) -> DocumentError:
    if named in SUPPORTED_SUFFIXES:
        return DocumentError(
            "unreadable", f"The content of the file is no {named} file but other binary data.", "It may be damaged."
        )
    return _not_yet("this kind of file")
