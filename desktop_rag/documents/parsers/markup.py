"""lxml parsers that can do no harm: no entities, no DTD, no network, bounded depth."""

from __future__ import annotations

from typing import Any

from lxml import etree  # type: ignore[import-untyped]

from desktop_rag.errors import DocumentError

Element = Any
"""An lxml element; the library comes without type information."""


def parse_xml(data: bytes, what: str) -> Element:
    """The root element of an XML part; DocumentError "unreadable" names `what` if there is none."""
    parser = etree.XMLParser(
        resolve_entities=False, load_dtd=False, no_network=True, recover=True, huge_tree=False, remove_comments=True
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        root = None
    if root is None:
        raise DocumentError(
            "unreadable", f"The file is damaged: {what} cannot be read.", "Open it in its program and save it again."
        )
    return root


def parse_html(text: str) -> Element | None:
    """The root element of an HTML text as forgiving as a browser; None if there is no element in it."""
    parser = etree.HTMLParser(
        encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, recover=True, huge_tree=True
    )
    try:
        return etree.fromstring(text.encode("utf-8"), parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
