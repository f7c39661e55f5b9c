"""The parts of a Word file: which there are, how they relate, and what its styles mean.

Read with zipfile and lxml rather than through python-docx, whose walk over a document leaves out
text boxes, content controls, footnotes and embedded HTML, and which refuses macro-enabled and
strict files. Names are compared without their namespace, so both dialects of the format work.
"""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from dataclasses import dataclass

from desktop_rag.documents.archives import check
from desktop_rag.documents.limits import Limits
from desktop_rag.documents.parsers.markup import Element, parse_xml
from desktop_rag.documents.source import Source
from desktop_rag.errors import DocumentError


def local(element: Element) -> str:
    """The element's name without its namespace ("" for comments and the like)."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def attribute(element: Element, name: str) -> str:
    """The value of the attribute with this local name, "" if there is none."""
    return next((str(value) for key, value in element.attrib.items() if key.rpartition("}")[2] == name), "")


def child(element: Element | None, *names: str) -> Element | None:
    """The first descendant along this path of local names, None where the path breaks off."""
    for name in names:
        if element is None:
            return None
        element = next((inner for inner in element if local(inner) == name), None)
    return element


@dataclass(frozen=True, slots=True)
class Relation:
    """One entry of a part's relationships: the kind (last word of its type) and the target's name in the archive."""

    id: str
    kind: str
    target: str


class Package:
    """An opened Word file. Close it, or use it in a `with` block."""

    def __init__(self, source: Source, limits: Limits) -> None:
        self._stream = source.open()
        try:
            self._archive = zipfile.ZipFile(self._stream)
        except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as failure:
            self._stream.close()
            raise _damaged("it ends early or is no Word file") from failure
        try:
            check(self._archive, limits)
            self._names = frozenset(self._archive.namelist())
            self.main = self._main_part()
        except BaseException:
            self.close()
            raise
        self.relations = self._relations(self.main)

    def __enter__(self) -> Package:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._archive.close()
        self._stream.close()

    def read(self, name: str) -> bytes:
        """The unpacked bytes of a part; DocumentError "unreadable" if it is missing or damaged."""
        try:
            return self._archive.read(name)
        except (KeyError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as failure:
            raise _damaged("a part inside it is broken") from failure

    def related(self, kind: str) -> list[Element]:
        """Root elements of the main part's relations of one kind; a damaged side part is left out."""
        roots = []
        for relation in self.relations:
            if relation.kind == kind and relation.target in self._names:
                try:
                    roots.append(parse_xml(self.read(relation.target), relation.target))
                except DocumentError:
                    continue
        return roots

    def title(self) -> str:
        """The title in the file's properties, "" if there is none."""
        if "docProps/core.xml" not in self._names:
            return ""
        try:
            found = child(parse_xml(self.read("docProps/core.xml"), "its properties"), "title")
        except DocumentError:
            return ""
        return "" if found is None else " ".join((found.text or "").split())

    def _main_part(self) -> str:
        for relation in self._relations(""):
            if relation.kind == "officeDocument" and relation.target in self._names:
                return relation.target
        if "word/document.xml" in self._names:
            return "word/document.xml"
        raise _damaged("its text is missing")

    def _relations(self, part: str) -> tuple[Relation, ...]:
        folder, name = posixpath.split(part)
        source = posixpath.join(folder, "_rels", f"{name}.rels")
        if source not in self._names:
            return ()
        found = []
        for entry in parse_xml(self.read(source), "the list of its parts"):
            if attribute(entry, "TargetMode") != "External":
                target = posixpath.normpath(posixpath.join("/", folder, attribute(entry, "Target"))).lstrip("/")
                kind = attribute(entry, "Type").rpartition("/")[2]
                found.append(Relation(attribute(entry, "Id"), kind, target))
        return tuple(found)


def _damaged(cause: str) -> DocumentError:
    return DocumentError(
        "unreadable", f"The file is damaged: {cause}.", "Open it in Word or LibreOffice and save it again."
    )


@dataclass(frozen=True, slots=True)
class Style:
    """What a paragraph style means: a heading's level (0: none) and whether it makes a list item."""

    level: int
    listed: bool


def styles(package: Package) -> dict[str, Style]:
    """Paragraph styles by id, with what they inherit."""
    raw = {
        attribute(style, "styleId"): style
        for root in package.related("styles")
        for style in root
        if local(style) == "style"
    }
    return {name: _style(raw, name) for name in raw}


def _style(raw: dict[str, Element], name: str) -> Style:
    level, listed = 0, False
    seen: set[str] = set()
    while name in raw and name not in seen:
        seen.add(name)
        style = raw[name]
        level = level or _own_level(style)
        listed = listed or child(style, "pPr", "numPr") is not None
        base = child(style, "basedOn")
        name = "" if base is None else attribute(base, "val")
    return Style(level, listed)


def _own_level(style: Element) -> int:
    named = child(style, "name")
    name = "" if named is None else attribute(named, "val").lower()
    if name == "title":
        return 1
    word, _, number = name.partition(" ")
    if word == "heading" and number.isdecimal():
        return int(number)
    return outline_level(child(style, "pPr"))


def outline_level(properties: Element | None) -> int:
    """The heading level a paragraph's properties give directly, 0 for body text."""
    outline = child(properties, "outlineLvl")
    value = "" if outline is None else attribute(outline, "val")
    return int(value) + 1 if value.isdecimal() and int(value) < 9 else 0
