"""lxml parsers that can do no harm: no entities, no DTD, no network, bounded depth."""

from __future__ import annotations

import re
from typing import Any

from lxml import etree  # type: ignore[import-untyped]

from desktop_rag.errors import DocumentError

Element = Any
"""An lxml element; the library comes without type information."""


# What is left of a page whose elements lie in one another too deeply to be a tree: these close by themselves.
_SHALLOW = re.compile(r"<(?!/?(?:p|h[1-6]|br|title|script|style|template)\b)[^>]*>", re.IGNORECASE)


def parse_xml(data: bytes, what: str) -> Element:
    """The root element of an XML part; DocumentError "unreadable" names `what` if it is not well-formed.

    Nothing is guessed: a part that is broken in its middle would otherwise lose its rest without a word.
    """
    parser = etree.XMLParser(
        resolve_entities=False, load_dtd=False, no_network=True, recover=False, huge_tree=False, remove_comments=True
    )
    try:
        return etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as failure:
        raise DocumentError(
            "unreadable", f"The file is damaged: {what} cannot be read.", "Open it in its program and save it again."
        ) from failure


def parse_html(text: str) -> Element | None:
    """The root element of an HTML text, as forgiving as a browser; None if there is no element in it."""
    root, whole = _parsed(text)
    if not whole:
        root, whole = _parsed(_SHALLOW.sub(" ", text))
    if not whole:
        raise DocumentError(
            "unreadable",
            "The elements of the page lie in one another too deeply.",
            "Open it in a browser and save it as PDF.",
        )
    return root


def _parsed(text: str) -> tuple[Element | None, bool]:
    """(root or None, whether libxml2 read the text to its end)."""
    parser = etree.HTMLParser(
        encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, recover=True, huge_tree=True
    )
    try:
        root = etree.fromstring(text.encode("utf-8"), parser)
    except (etree.XMLSyntaxError, ValueError):
        root = None
    return root, not any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log)
