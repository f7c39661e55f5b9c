"""Which format a file has: by its content first, by its name only where content cannot tell."""

from __future__ import annotations

import mmap
import re
from pathlib import Path

from desktop_rag.documents.archives import members
from desktop_rag.documents.encodings import decode, looks_binary
from desktop_rag.errors import DocumentError

HEAD = 65_536
"""Bytes from the start of a file that decide on its format."""

_BY_SUFFIX: dict[str, str] = {
    ".pdf": "pdf",
    ".docx": "docx",
    ".docm": "docx",
    ".dotx": "docx",
    ".xml": "xml",
    **dict.fromkeys((".md", ".markdown", ".mdown", ".mkd"), "markdown"),
    **dict.fromkeys((".html", ".htm", ".xhtml"), "html"),
    **dict.fromkeys((".csv", ".tsv", ".tab"), "csv"),
    **dict.fromkeys(
        (
            ".txt .text .log .rst .adoc .asciidoc .org .tex .json .jsonl .yaml .yml .toml .ini .cfg .conf .properties "
            ".py .pyi .js .mjs .ts .tsx .jsx .java .kt .c .h .cc .cpp .hpp .cs .go .rs .rb .php .pl .r .jl .swift "
            ".scala .lua .sql .sh .bash .zsh .ps1 .bat .css .scss .srt .vtt .diff .patch"
        ).split(),
        "text",
    ),
}
SUPPORTED_SUFFIXES: frozenset[str] = frozenset(_BY_SUFFIX)
"""Suffixes (lower case, with the dot) of the files a folder is searched for."""

_OFFICE = (
    ("ppt/", "PowerPoint presentations"),
    ("xl/", "Excel workbooks"),
    ("content.xml", "OpenDocument files"),
    ("META-INF/container.xml", "e-books"),
)
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"{\\rtf", "Rich Text files"),
    (b"\x89PNG", "pictures"),
    (b"\xff\xd8\xff", "pictures"),
    (b"GIF8", "pictures"),
    (b"II*\x00", "pictures"),
    (b"MM\x00*", "pictures"),
    (b"RIFF", "sound, pictures and films"),
    (b"\x1f\x8b", "compressed files"),
    (b"7z\xbc\xaf", "compressed files"),
    (b"Rar!", "compressed files"),
    (b"\x7fELF", "programs"),
    (b"MZ\x90\x00", "programs"),
    (b"SQLite format 3", "databases"),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
_HTML = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.{0,2000}?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)
_MAILBOX = re.compile(rb"(?:From \S+@|(?:Return-Path|Received|MIME-Version|Message-ID|Delivered-To): )", re.IGNORECASE)
_PACKED_SUFFIXES = frozenset(
    ".pptx .xlsx .xlsm .xlsb .odt .ods .odp .epub .zip .7z .rar .gz .png .jpg .jpeg .gif .tif .tiff .webp .exe".split()
)
_MAIL_SUFFIXES = (".eml", ".mbox")


def is_supported(path: Path) -> bool:
    """Whether a folder walk takes this file, by its suffix alone."""
    return path.suffix.lower() in SUPPORTED_SUFFIXES


def detect(path: Path) -> str:
    """The format's name in the registry of parsers.

    Raises DocumentError "unsupported", "encrypted" or "unreadable", and lets OSError pass.
    """
    with path.open("rb") as stream:
        head = stream.read(HEAD)
    suffix = path.suffix.lower()
    at = head.find(b"%PDF-", 0, 1024)
    # A text may speak of "%PDF-"; rubbish before the header is forgiven in files that do not claim to be text.
    if at == 0 or (at > 0 and _BY_SUFFIX.get(suffix, "pdf") == "pdf"):
        return "pdf"
    if head.startswith(b"PK\x03\x04"):
        return _zipped(path, suffix)
    if head.startswith(_OLE):
        raise _old_office(path)
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            raise _not_yet(kind)
    if suffix == ".pdf" and b"startxref" in head:
        return "pdf"
    if looks_binary(head):
        raise _binary(suffix)
    return _textual(head, suffix)


def _zipped(path: Path, suffix: str) -> str:
    names = members(path)
    if any(name.startswith("word/document") and name.endswith(".xml") for name in names):
        return "docx"
    for telling, kind in _OFFICE:
        if any(name.startswith(telling) for name in names):
            raise _not_yet(kind)
    if _BY_SUFFIX.get(suffix) == "docx" or not names:
        raise DocumentError(
            "unreadable",
            "The file is damaged: it is packed like a Word document, but its text cannot be found in it.",
            "Open it in Word or LibreOffice and save it again.",
        )
    raise _not_yet("archives")


def _old_office(path: Path) -> DocumentError:
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        encrypted = data.find(_ENCRYPTED_PACKAGE) >= 0
    if encrypted:
        return DocumentError(
            "encrypted", "The file is protected by a password.", "Save a copy without the password and add that."
        )
    return _not_yet("old Office files (.doc, .xls, .ppt, .msg)")


def _textual(head: bytes, suffix: str) -> str:
    known = _BY_SUFFIX.get(suffix)
    if suffix in _MAIL_SUFFIXES or (known is None and _MAILBOX.match(head)):
        raise _not_yet("mails")
    if known in ("markdown", "csv", "text"):
        return known
    if _HTML.match(decode(head)[0][:8000]) or known == "html":
        return "html"
    if known == "xml":
        return "xml"
    if known in ("pdf", "docx") or suffix in _PACKED_SUFFIXES:
        raise DocumentError(
            "unreadable",
            f"The file is named {suffix} but is something else inside.",
            "It may be an unfinished download: get it again, or rename it to what it is.",
        )
    return "text"


def _not_yet(kind: str) -> DocumentError:
    return DocumentError(
        "unsupported",
        f"Reading {kind} is not available yet.",
        "Save it as PDF, Word (.docx), HTML or plain text and add that.",
    )


def _binary(suffix: str) -> DocumentError:
    if suffix in SUPPORTED_SUFFIXES:
        return DocumentError(
            "unreadable", f"The content of the file is no {suffix} text but binary data.", "The file may be damaged."
        )
    return _not_yet("this kind of file")
