"""Markdown: the text stays the file's own, the structure comes from markdown-it's block tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

from desktop_rag.documents.encodings import decode
from desktop_rag.documents.limits import Limits
from desktop_rag.documents.model import Block, BlockKind, DocumentInfo, Page
from desktop_rag.documents.paragraphs import paragraphs, strip_span
from desktop_rag.documents.source import Source, read_bytes, stem

# Beyond this the structure is not worth the time and memory: the file is read as paragraphs.
_MAX_STRUCTURED = 4_000_000
_NEWLINE = re.compile(r"\r\n?|\n")
_FRONT_MATTER = re.compile(
    r"---[^\S\r\n]*(?:\r\n?|\n).*?(?:\r\n?|\n)(?:---|\.\.\.)[^\S\r\n]*(?:(?:\r\n?|\n)|$)", re.DOTALL
)
_TITLE = re.compile(r"(?m)^title:[^\S\n]*[\"']?([^\"'\r\n]+)")
_LEAVES: dict[str, BlockKind] = {"fence": "code", "code_block": "code", "html_block": "paragraph"}


def parse(source: Source, *, limits: Limits, password: str | None = None) -> Iterator[DocumentInfo | Page]:
    """One page without number; offsets are those of the decoded file."""
    text, encoding = decode(read_bytes(source, limits))
    blocks = blocks_of(text)
    front = _FRONT_MATTER.match(text)
    named = _TITLE.search(front.group()) if front else None
    title = named.group(1).strip() if named else _first_heading(text, blocks)
    yield DocumentInfo("markdown", title or stem(source), None, {"encoding": encoding})
    if text.strip():
        yield Page(None, None, text, blocks)


def blocks_of(text: str) -> tuple[Block, ...]:
    """The structure of a Markdown text, or its paragraphs if it has none or is very long."""
    blocks = tuple(_blocks(text)) if len(text) <= _MAX_STRUCTURED else ()
    return blocks or tuple(Block("paragraph", start, end) for start, end in paragraphs(text))


def _first_heading(text: str, blocks: tuple[Block, ...]) -> str:
    return next((text[b.start : b.end].strip("#=- \t\r\n") for b in blocks if b.kind == "heading"), "")


def _blocks(text: str) -> Iterator[Block]:
    front = _FRONT_MATTER.match(text)
    # Blank lines in the place of the front matter keep the line numbers true.
    hidden = front.end() if front else 0
    body = re.sub(r"[^\r\n]", " ", text[:hidden]) + text[hidden:]
    starts = [0, *(match.end() for match in _NEWLINE.finditer(text))]
    starts.append(len(text))
    if hidden:
        start, end = strip_span(text, 0, hidden)
        yield Block("code", start, end)
    parser = MarkdownIt("commonmark").enable("table")
    parser.core.ruler.disable(["inline"])
    at = hidden
    for kind, lines, level, header in _structure(parser.parse(body)):
        first, last = (starts[min(line, len(starts) - 1)] for line in lines)
        start, end = strip_span(text, max(first, at), max(last, at))
        if start < end:
            yield Block(kind, start, end, level, header)
            at = end


def _structure(tokens: list[Token]) -> Iterator[tuple[BlockKind, list[int], int, str]]:
    """(kind, [first line, line after], heading level, row header) of the innermost blocks, in order."""
    depth_of_lists = 0
    header = ""
    for index, token in enumerate(tokens):
        depth_of_lists += {"list_item_open": 1, "list_item_close": -1}.get(token.type, 0)
        if token.map is None:
            continue
        if token.type == "heading_open":
            yield "heading", token.map, int(token.tag[1:]), ""
        elif token.type == "paragraph_open":
            yield ("list" if depth_of_lists else "paragraph"), token.map, 0, ""
        elif token.type in _LEAVES:
            yield _LEAVES[token.type], token.map, 0, ""
        elif token.type == "thead_open":
            header = " | ".join(cell for cell in _cells(tokens, index) if cell)
            # With the line of dashes below, which is no text of its own.
            yield "row", [token.map[0], token.map[0] + 2], 0, ""
        elif token.type == "tr_open" and tokens[index - 1].type != "thead_open":
            yield "row", token.map, 0, header


def _cells(tokens: list[Token], start: int) -> Iterator[str]:
    for token in tokens[start:]:
        if token.type == "thead_close":
            return
        if token.type == "inline":
            yield token.content.strip()
