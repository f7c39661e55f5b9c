"""An answer as blocks of runs: light formatting, pseudonyms, and the marks that follow a sentence. Pure.

Offsets always refer to the answer as it is stored; formatting characters are dropped on the way.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from desktop_rag.gui.links import LINK, host_of
from desktop_rag.gui.private_text import split, spots

_HEADING = re.compile(r"(#{1,4})\s+")
_BULLET = re.compile(r"\s*[-*•]\s+")
_NUMBER = re.compile(r"\s*(\d{1,3})[.)]\s+")
_BOLD, _CODE = r"(?P<bold>\*\*)", "(?P<code>`)"


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of one style; `token` is the pseudonym it stands for, `link` says that it is an address."""

    text: str
    bold: bool = False
    code: bool = False
    token: str | None = None
    link: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """What follows a sentence: how well it is supported, and its citation chips."""

    support: str
    citations: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """One line: "text", "heading", "bullet", "number" or "code"; `label` is the number of a numbered line."""

    kind: str
    parts: tuple[Run | Mark, ...]
    label: str = ""


def blocks(answer: str, sentences: Sequence[dict[str, Any]] = (), stand_ins: Collection[str] = ()) -> list[Block]:
    """The lines of an answer; blank lines only part paragraphs and are left out.

    `stand_ins`: the words in it that believably stand for somebody.
    """
    inline = re.compile(f"{_BOLD}|{_CODE}|(?P<token>{spots(stand_ins).pattern})|(?P<link>{LINK.pattern})")
    result: list[Block] = []
    position, in_code = 0, False
    marks = _marks(sentences)
    for raw in answer.split("\n"):
        end = position + len(raw)
        if raw.strip().startswith("```"):
            in_code = not in_code
        elif in_code:
            result.append(Block("code", (Run(raw, code=True),)))
        elif raw.strip():
            result.append(_line(answer, position, end, marks, inline))
        position = end + 1
    return result


def plain(text: str, stand_ins: Collection[str] = ()) -> list[Block]:
    """A passage as one block: what stands for a value is seen, formatting characters are left as they are."""
    runs = (Run(piece.text, token=piece.token) for piece in split(text, stand_ins))
    return [Block("text", tuple(runs))]


def _marks(sentences: Sequence[dict[str, Any]]) -> list[tuple[int, Mark]]:
    return sorted(
        (
            (int(item["end"]), Mark(str(item.get("support") or ""), tuple(item.get("citations") or ())))
            for item in sentences
            if item.get("support") or item.get("citations")
        ),
        key=lambda pair: pair[0],
    )


def _line(answer: str, start: int, end: int, marks: list[tuple[int, Mark]], inline: re.Pattern[str]) -> Block:
    text = answer[start:end]
    kind, label, skip = "text", "", 0
    if match := _HEADING.match(text):
        kind, skip = "heading", match.end()
    elif match := _BULLET.match(text):
        kind, skip = "bullet", match.end()
    elif match := _NUMBER.match(text):
        kind, label, skip = "number", match[1], match.end()
    # A sentence's end may count the line break after it: that still belongs to this line.
    own = [(min(at, end), mark) for at, mark in marks if start < at <= end + 1]
    return Block(kind, tuple(_parts(_runs(answer, start + skip, end, inline), answer, own)), label)


def _parts(runs: Iterable[tuple[int, Run, int]], answer: str, marks: list[tuple[int, Mark]]) -> Iterator[Run | Mark]:
    waiting = list(marks)
    for at, run, length in runs:
        offset = at
        while waiting and waiting[0][0] <= at + length:
            place, mark = waiting.pop(0)
            if run.token is None and offset < place < at + length:
                yield Run(answer[offset:place].rstrip(), run.bold, run.code)
                offset = place
                yield mark
            elif place >= at + length:
                rest = run.text if run.token else answer[offset : at + length]
                yield replace(run, text=rest if run.token else rest.rstrip() or rest)
                offset = at + length
                yield mark
            else:
                yield mark
        if offset < at + length:
            yield run if offset == at else Run(answer[offset : at + length], run.bold, run.code)
    for _place, mark in waiting:
        yield mark


def _runs(answer: str, start: int, end: int, inline: re.Pattern[str]) -> Iterator[tuple[int, Run, int]]:
    text = answer[start:end]
    paired_bold, paired_code = text.count("**") % 2 == 0, text.count("`") % 2 == 0
    bold = code = False
    position = 0
    for match in inline.finditer(text):
        if (match["bold"] and not paired_bold) or (match["code"] and not paired_code):
            continue
        if match.start() > position:
            yield start + position, Run(text[position : match.start()], bold, code), match.start() - position
        position = match.end()
        if match["bold"]:
            bold = not bold
        elif match["code"]:
            code = not code
        elif match["link"]:
            yield start + match.start(), Run(match[0], bold, code, link=host_of(match[0]) is not None), len(match[0])
        else:
            yield start + match.start(), Run(match[0], bold, code, match[0]), len(match[0])
    if position < len(text):
        yield start + position, Run(text[position:], bold, code), len(text) - position
