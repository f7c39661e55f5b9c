"""E-books (EPUB): a page for each part of the book in reading order, located by the title of its chapter."""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from urllib.parse import unquote

from desktop_rag.documents.archives import BROKEN, check, opened
from desktop_rag.documents.composer import Composer
from desktop_rag.documents.limits import Limits
from desktop_rag.documents.model import DocumentInfo, Page, UnreadPage
from desktop_rag.documents.parsers.html import Flattener, decoded
from desktop_rag.documents.parsers.markup import Element, parse_html, parse_xml
from desktop_rag.documents.source import Source, stem
from desktop_rag.errors import DocumentError

_HARMLESS_ENCRYPTION = frozenset(("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC"))
"""Fonts that are only disguised; their books can be read."""
_TEXTS = frozenset(("application/xhtml+xml", "text/html", "application/x-dtbook+xml", "text/x-oeb1-document"))
_HEADINGS = "//*[local-name()='h1' or local-name()='h2' or local-name()='h3']"
_PICTURES = "//*[local-name()='img' or local-name()='image' or local-name()='svg' or local-name()='object']"
_LONGEST_PART = 64_000_000


def parse(source: Source, *, limits: Limits, password: str | None = None) -> Iterator[DocumentInfo | Page | UnreadPage]:
    """One page without number for each part that has text; a part that is a picture or damaged was not read."""
    with ExitStack() as closing:
        try:
            archive = closing.enter_context(opened(source))
        except BROKEN as failure:
            raise _damaged("it ends early or is no e-book") from failure
        check(archive, limits)
        book = _Book(archive)
        yield DocumentInfo("epub", book.title or stem(source), None, book.details)
        yield from _pages(book)


def _pages(book: _Book) -> Iterator[Page | UnreadPage]:
    for number, path in enumerate(book.spine, 1):
        part = _part(book, number, path)
        if part is not None:
            yield part


def _part(book: _Book, number: int, path: str) -> Page | UnreadPage | None:
    """A part of the book; None for one on which there is nothing, and for the picture on the cover."""
    where = f"part {number}"
    try:
        root = parse_html(decoded(book.read(path))[0])
    except DocumentError as failure:
        return UnreadPage(None, where, failure.message)
    if root is None:
        return None
    composer = Composer()
    if (named := " ".join(book.contents.get(path, "").split())) and not root.xpath(_HEADINGS):
        composer.add("heading", named, level=1)
    titled = composer.length
    Flattener(composer).feed(root)
    if composer.length > titled:
        return composer.page(locator=where)
    if number > 1 and root.xpath(_PICTURES):
        return UnreadPage(None, where, "no text in this part (a picture?)")
    return None


@dataclass(frozen=True, slots=True)
class _Item:
    path: str
    kind: str
    properties: str


class _Book:
    """An opened e-book: what it is called, which parts it has in which order, and what they are called."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._names = frozenset(archive.namelist())
        self._refuse_locked()
        package = self._package()
        self._folder = posixpath.dirname(package)
        root = parse_xml(self.read(package), "the list of its parts")
        self.title = _text(root, "title")
        language = _text(root, "language")
        self.details = {"language": language} if language else {}
        items = self._items(root)
        self.spine = self._spine(root, items)
        self.contents = self._contents(items)

    def read(self, path: str) -> bytes:
        """The unpacked bytes of a part; DocumentError "unreadable" if it is missing or damaged."""
        try:
            with self._archive.open(path) as stream:
                data = stream.read(_LONGEST_PART + 1)
        except (KeyError, zlib.error, RuntimeError, *BROKEN) as failure:
            raise _damaged("this part of it is missing or broken") from failure
        if len(data) > _LONGEST_PART:
            raise _damaged("this part of it is far too large")
        return data

    def _refuse_locked(self) -> None:
        if "META-INF/encryption.xml" not in self._names:
            return
        root = parse_xml(self.read("META-INF/encryption.xml"), "what it says of its encryption")
        methods = {element.get("Algorithm", "") for element in _all(root, "EncryptionMethod")}
        # The method of a key says nothing of the book; only data that is encrypted by it has a place in the book.
        if _all(root, "CipherReference") and not methods <= _HARMLESS_ENCRYPTION:
            raise DocumentError(
                "encrypted",
                "The e-book is locked by its seller (DRM) and can only be read in the seller's own program.",
                "Add a copy without this lock, if the seller gives one.",
            )

    def _package(self) -> str:
        if "META-INF/container.xml" in self._names:
            root = parse_xml(self.read("META-INF/container.xml"), "the place of its parts")
            paths = (str(element.get("full-path", "")) for element in _all(root, "rootfile"))
            found = next((path for path in paths if path in self._names), None)
        else:
            found = next((name for name in sorted(self._names) if name.endswith(".opf")), None)
        if found is None:
            raise _damaged("the list of its parts is missing")
        return found

    def _path(self, href: str, folder: str) -> str:
        target = unquote(href.partition("#")[0])
        return posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")

    def _items(self, root: Element) -> dict[str, _Item]:
        return {
            item.get("id", ""): _Item(
                self._path(item.get("href", ""), self._folder),
                item.get("media-type", "").lower(),
                item.get("properties", ""),
            )
            for item in _all(root, "item")
        }

    def _spine(self, root: Element, items: dict[str, _Item]) -> list[str]:
        """Paths of the parts in reading order, each once: a list may name the same one a million times."""
        named = [items[ref] for ref in (entry.get("idref", "") for entry in _all(root, "itemref")) if ref in items]
        chosen = named or list(items.values())
        return list(dict.fromkeys(item.path for item in chosen if item.kind in _TEXTS))

    def _contents(self, items: dict[str, _Item]) -> dict[str, str]:
        """The first title that the table of contents gives each part; without a readable one, none."""
        titles: dict[str, str] = {}
        for item in items.values():
            if "nav" in item.properties.split():
                entries = self._entries(item, html=True)
            elif item.kind == "application/x-dtbncx+xml":
                entries = self._entries(item, html=False)
            else:
                continue
            for path, title in entries:
                titles.setdefault(path, title)
        return titles

    def _entries(self, item: _Item, *, html: bool) -> list[tuple[str, str]]:
        folder = posixpath.dirname(item.path)
        try:
            data = self.read(item.path)
            root = parse_html(decoded(data)[0]) if html else parse_xml(data, "its contents")
        except DocumentError:
            return []
        if root is None:
            return []
        if html:
            links = [(link.get("href", ""), "".join(link.itertext())) for link in _all(root, "a")]
        else:
            links = [(_source(point), _text(point, "text")) for point in _all(root, "navPoint")]
        return [(self._path(href, folder), " ".join(title.split())) for href, title in links if title.strip()]


def _all(root: Element, name: str) -> list[Element]:
    """Elements of this local name, whatever their namespace."""
    return [e for e in root.iter() if isinstance(e.tag, str) and e.tag.rpartition("}")[2] == name]


def _text(root: Element, name: str) -> str:
    found = next((e for e in root.iter() if isinstance(e.tag, str) and e.tag.rpartition("}")[2] == name), None)
    return "" if found is None else " ".join("".join(found.itertext()).split())


def _source(point: Element) -> str:
    return next((e.get("src", "") for e in point.iter() if isinstance(e.tag, str) and e.tag.endswith("content")), "")


def _damaged(cause: str) -> DocumentError:
    return DocumentError("unreadable", f"The e-book is damaged: {cause}.", "Get it again from where it came from.")
