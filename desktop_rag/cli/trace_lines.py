"""Why these passages, in lines for people: what each stage found, and each candidate's place in all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from desktop_rag.cli.output import counted

_STAGES = {"bm25": "words", "tfidf": "words by TF-IDF", "dense": "meaning", "hybrid": "joined", "rerank": "read again"}
_STATES = {
    "hit": "",
    "read": "read by the model",
    "around": "stands around the best",
    "cut": "no room in the prompt",
    "same": "says the same as one above",
    "below": "not among the hits",
}
_MEMBERS = {"answered": "{} in {:.0f} ms", "failed": "failed", "late": "not done after {1:.0f} ms"}
_MOST_BELOW = 10
"""So many candidates are shown after the last hit."""


def trace_lines(traced: Mapping[str, Any]) -> list[str]:
    """Who found how much, and a line for each candidate with its place in every stage."""
    stages = [row["stage"] for row in traced["stages"]]
    return ["", "How they were found", *_stage_lines(traced), *_table(traced["rows"], stages)]


def word_lines(words: Sequence[Mapping[str, Any]] | None) -> list[str]:
    """What each word of the question gives a hit; none where that was not asked for."""
    if words is None:
        return []
    if not words:
        return ["       words: none of the question's"]
    each = [
        f"{w['term']} {w['score']:.2f} ({w['frequency']}× here, in {counted(w['passages'], 'passage')})" for w in words
    ]
    return [f"       words {sum(w['score'] for w in words):.2f}: {', '.join(each)}"]


def _stage_lines(traced: Mapping[str, Any]) -> Iterator[str]:
    for member in traced["members"]:
        said = _MEMBERS[member["state"]].format(counted(member["hits"], "passage"), member["ms"])
        yield f"  {member['name']}: {said}"
    # The members of a deep search have told of the first two stages.
    for row in traced["stages"][2 if traced["members"] else 0 :]:
        time = "" if row["ms"] is None else f", {row['ms']:.0f} ms"
        by = f" by {traced['reranker']}" if row["stage"] == "rerank" and traced.get("reranker") else ""
        yield f"  {_STAGES[row['stage']]}{by}: {counted(row['found'], 'passage')}{time}"


def _table(rows: list[Mapping[str, Any]], stages: list[str]) -> Iterator[str]:
    names = [_STAGES[stage] for stage in stages]
    yield ""
    yield "Place in each stage (– is: not found there)"
    yield "  ".join(["    #", *names, "passage"])
    last = max((n for n, row in enumerate(rows) if row["state"] != "below"), default=-1)
    for place, row in enumerate(rows[: last + 1 + _MOST_BELOW], start=1):
        cells = [f"{row['places'].get(s, '–'):>{len(name)}}" for s, name in zip(stages, names, strict=True)]
        state = _STATES[row["state"]]
        yield "  ".join([f"{place:>5}", *cells, _where(row) + (f" ({state})" if state else "")])


def _where(row: Mapping[str, Any]) -> str:
    if row["name"] is None:
        return "removed since"
    place = f"page {row['page']}" if row["page"] else row["locator"]
    return f"{row['name']}, {place}" if place else str(row["name"])
