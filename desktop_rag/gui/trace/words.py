"""What a trace says, apart from how it looks: its stages with their times, its rows, what became of each. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from desktop_rag.gui import words

NOT_KEPT = (
    "Not kept",
    "How the passages of this answer were found was not kept with it. Ask again to see it.",
)
GONE = "removed since"
COLUMNS = (("bm25", "words"), ("tfidf", "TF-IDF"), ("dense", "meaning"), ("hybrid", "joined"), ("rerank", "reread"))
"""The stages of a search in their order, and what their columns are called."""


@dataclass(frozen=True, slots=True)
class State:
    """What became of a passage: a sign and a word, its colour, the whole story, and whether it was dropped."""

    sign: str
    word: str
    tone: str
    meaning: str
    dropped: bool = True


STATES = {
    "read": State("●", "in the prompt", "accent", "The model was given this passage.", dropped=False),
    "hit": State("●", "found", "accent", "Among the best. No model was given it for this answer.", dropped=False),
    "around": State(
        "●", "around the best", "accent", "Stands around the best passage; the model was given it too.", dropped=False
    ),
    "cut": State("◐", "no room", "warn", "Among the best, but the prompt had no room left for it."),
    "same": State("○", "a repeat", "muted", "Says the same as a passage above, which stands for both."),
    "below": State("○", "not taken", "muted", "A candidate; enough others were better."),
}
_NO_ROOM_AROUND = State("◐", "no room", "warn", "Stands around the best passage; the prompt had no room left for it.")
_MEMBERS = {"answered": "", "failed": "failed", "late": "was not done in time"}
_BEFORE = (("scrub", "Question cleaned"), ("encode", "Question encoded"))
_AFTER = (
    ("read_all", "Everything read"),
    ("load", "Model loaded"),
    ("prefill", "Prompt read"),
    ("decode", "Answer written"),
    ("generate", "Answer written"),
    ("align", "Sources aligned"),
)
_STAGES = {
    "bm25": "Searched by words",
    "tfidf": "Searched by words, TF-IDF",
    "dense": "Searched by meaning",
    "hybrid": "Joined",
    "rerank": "Read again",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One step on the way to an answer: its name, what it came to, and how long it took."""

    name: str
    found: str = ""
    time: str = ""


def lines(data: Mapping[str, Any]) -> list[Line]:
    """The steps of an answer in their order, from its kept data."""
    return list(_lines(data))


def _lines(data: Mapping[str, Any]) -> Iterator[Line]:
    traced, timings = data["trace"], data.get("timings_ms") or {}
    yield from (Line(name, time=milliseconds(timings[key])) for key, name in _BEFORE if timings.get(key))
    for member in traced.get("members") or ():
        failed = _MEMBERS.get(str(member["state"]), "")
        yield Line(f"Member: {member['name']}", failed or _found(int(member["hits"])), milliseconds(member.get("ms")))
    for stage in traced["stages"]:
        name = _STAGES.get(stage["stage"], str(stage["stage"]))
        if stage["stage"] == "rerank" and traced.get("reranker"):
            name = f"{name} by {traced['reranker']}"
        yield Line(name, _found(int(stage["found"])), milliseconds(stage.get("ms")))
    if prompt := _prompt(data):
        yield Line("Put into the prompt", prompt)
    yield from (Line(name, time=milliseconds(timings[key])) for key, name in _AFTER if timings.get(key))


def _prompt(data: Mapping[str, Any]) -> str:
    states = [row["state"] for row in data["trace"]["rows"]]
    read, cut = states.count("read") + states.count("around"), states.count("cut")
    if not read and not cut:
        return ""
    tokens = (data.get("usage") or {}).get("prompt_tokens")
    said = f"{words.count(read)} of {words.count(read + cut)}"
    return f"{said}, {words.plural(int(tokens), 'token')}" if tokens else said


def _found(number: int) -> str:
    return words.plural(number, "passage")


def milliseconds(value: float | None) -> str:
    """ "0.4 ms", "87 ms", "1.2 s"; empty where nobody measured."""
    if value is None:
        return ""
    return f"{value / 1000:.1f} s" if value >= 1000 else f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms"


def stages(traced: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The stages this search had, with the names of their columns."""
    had = {stage["stage"] for stage in traced["stages"]}
    return [(stage, name) for stage, name in COLUMNS if stage in had]


def cells(row: Mapping[str, Any], columns: list[tuple[str, str]]) -> list[str]:
    """A row's place in each stage, and what reading it again gave; "–" where the stage did not find it."""
    return [_cell(stage, row["places"].get(stage), row["scores"].get(stage)) for stage, _name in columns]


def _cell(stage: str, place: int | None, score: float | None) -> str:
    if place is None:
        return "–"
    return f"{score:.2f}" if stage == "rerank" and score is not None else str(place)


def scores(row: Mapping[str, Any], columns: list[tuple[str, str]]) -> str:
    """All a row's places with their scores, a line each."""
    said = (
        f"{name}: place {row['places'][stage]}, score {row['scores'][stage]:.4g}"
        for stage, name in columns
        if stage in row["places"] and row["scores"].get(stage) is not None
    )
    return "\n".join(said)


def state(row: Mapping[str, Any]) -> State:
    """What became of a row."""
    if row.get("around") and row["state"] == "cut":
        return _NO_ROOM_AROUND
    return STATES.get(str(row["state"]), STATES["below"])


def where(passage: Mapping[str, Any] | None) -> str:
    """ "report.pdf · page 2", or that it is gone."""
    if passage is None:
        return GONE
    return " · ".join(part for part in (words.file_name(passage.get("name")), words.place(passage)) if part)
