"""Remarks that people left on the cells of an Excel file, which calamine does not read."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator

from desktop_rag.documents.archives import BROKEN
from desktop_rag.documents.parsers.markup import Element, parse_xml
from desktop_rag.errors import DocumentError

# What Excel writes into the old form of a remark that is a thread in the new one.
_COPY = "[Threaded comment]"


def comments(archive: zipfile.ZipFile) -> list[str]:
    """A line for each remark: cell, author and words. A damaged part is left out."""
    people = {str(person.get("id")): str(person.get("displayName", "")) for person in _all(archive, "/persons/")}
    found = []
    for root in _roots(archive, "/comments"):
        authors = [author.text or "" for author in root.iter("{*}author")]
        for comment in root.iter("{*}comment"):
            number = str(comment.get("authorId", ""))
            author = authors[int(number)] if number.isdecimal() and int(number) < len(authors) else ""
            found.append((comment, author))
    found += [(one, people.get(str(one.get("personId")), "")) for one in _all(archive, "/threadedComments/")]
    return [_line(comment, author) for comment, author in found if not _words(comment).startswith(_COPY)]


def _words(comment: Element) -> str:
    texts = ("".join(text.itertext()) for outer in comment.iterfind("{*}text") for text in [outer])
    return " ".join(" ".join(texts).split())


def _line(comment: Element, author: str) -> str:
    words, author = _words(comment), " ".join(author.split())
    # Excel itself begins a remark with its author's name.
    named = f"{author}: " if author and not author.startswith("tc=") and not words.startswith(author) else ""
    return f"{comment.get('ref', '')} {named}{words}".strip()


def _all(archive: zipfile.ZipFile, folder: str) -> Iterator[Element]:
    for root in _roots(archive, folder):
        yield from root


def _roots(archive: zipfile.ZipFile, within: str) -> Iterator[Element]:
    for name in sorted(archive.namelist()):
        if within in f"/{name}" and name.endswith(".xml"):
            try:
                yield parse_xml(archive.read(name), "its remarks")
            except (*BROKEN, DocumentError, RuntimeError, zlib.error):
                continue
