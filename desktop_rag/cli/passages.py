"""Passages as the terminal prints them."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from desktop_rag.cli.output import counted
from desktop_rag.cli.trace_lines import word_lines
from desktop_rag.privacy.classes import TOKEN
from desktop_rag.privacy.scrub import put_back
from desktop_rag.workers.crew import Workers

_INVENTED_SHOWN = 5


def hit_lines(hit: dict[str, Any]) -> list[str]:
    """A hit of a search: where, what it says, and what its words are worth if that was asked for."""
    first = f"{hit['score']:.3f}  {hit['name']}{place_of(hit)}{also_in(hit)}{warning_of(hit)}"
    return [first, f"       {' '.join(hit['text'].split())[:300]}", *word_lines(hit.get("words"))]


def place_of(place: dict[str, Any]) -> str:
    """The page, or whatever the document has instead."""
    return f", page {place['page']}" if place["page"] else f", {place['locator']}" if place["locator"] else ""


def warning_of(passage: dict[str, Any]) -> str:
    """What the reader should know of a passage that speaks to the model."""
    return " (looks like instructions to the model: read as text)" if passage["instruction_like"] else ""


def also_in(hit: dict[str, Any]) -> str:
    """How many other documents say the same."""
    others = len(hit["also"])
    return f" (word for word also in {counted(others, 'other document')})" if others else ""


def revealed(workers: Workers, options: Namespace, texts: list[str]) -> list[str]:
    """The texts, with their real values if the user asked for them."""
    if not options.reveal:
        return texts
    values = workers.library.call("reveal", texts=texts, collection=options.collection)["values"]
    return [put_back(text, values) for text in texts]


def invented_lines(workers: Workers, options: Namespace, texts: list[str]) -> list[str]:
    """A line for people that names the stand-ins which read like real values; none needs to be told of [PERSON_3]."""
    if options.reveal or options.json:
        return []
    values = workers.library.call("reveal", texts=texts, collection=options.collection)["values"]
    invented = [token for token in values if not TOKEN.fullmatch(token)]
    if not invented:
        return []
    more = f" and {len(invented) - _INVENTED_SHOWN} more" if len(invented) > _INVENTED_SHOWN else ""
    return [f"Stand-ins for real values: {', '.join(invented[:_INVENTED_SHOWN])}{more}. --reveal shows the real ones."]
