"""Encoders side by side on one set of questions: figures, speed, size, and which is surely better. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from desktop_rag.evaluation.judged import Questions
from desktop_rag.evaluation.ranking import by_question
from desktop_rag.evaluation.verdict import FIGURE, probability

BY_MEANING = ("dense", "hybrid", "rerank", "deep")
"""The modes that an encoder makes a difference to."""
_TOLD = ("hybrid", "dense", "rerank", "deep")
Runs = Mapping[str, Any]
"""By mode what it gave: something with `run`."""


def row(facts: Mapping[str, Any], modes: Sequence[Mapping[str, Any]], *, in_use: bool) -> dict[str, Any]:
    """{encoder, size_mb, passages_s, in_use, modes}: `modes` are rows of a result, those by meaning stay."""
    return {**facts, "in_use": in_use, "modes": [mode for mode in modes if mode["mode"] in BY_MEANING]}


def against(asked: Questions, ours: Runs, theirs: Runs) -> dict[str, Any] | None:
    """Another encoder (`theirs`) beside the one in use, by the mode that matters most: {mode, difference, low, high,
    p, sure}; None where no mode was measured with both."""
    from desktop_rag.evaluation.bootstrap import compared  # numpy, for this measurement alone

    mode = next((each for each in _TOLD if each in ours and each in theirs), None)
    if mode is None:
        return None
    figures = [
        [held[FIGURE] for held in by_question(runs[mode].run, asked.judgements).values()] for runs in (theirs, ours)
    ]
    found = compared(*figures)
    told = {key: round(getattr(found, key), 6) for key in ("difference", "low", "high", "p")}
    return {"mode": mode, **told, "sure": found.significant}


def verdict(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """A sentence for each encoder that is not in use; of the surely better ones what it costs."""
    (own,) = [each for each in rows if each["in_use"]]
    return [_sentence(own, other) for other in rows if not other["in_use"] and other.get("against")]


def better(rows: Sequence[Mapping[str, Any]]) -> str | None:
    """The name of the encoder that surely finds more than the one in use, the best of several; None where none does."""
    sure = [each for each in rows if (found := each.get("against")) and found["sure"] and found["difference"] > 0]
    best = max(sure, key=lambda each: float(each["against"]["difference"]), default=None)
    return None if best is None else str(best["encoder"]["name"])


def _sentence(own: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    found, mode = other["against"], other["against"]["mode"]
    ours, theirs = ({each["mode"]: each for each in held["modes"]}[mode][FIGURE] for held in (own, other))
    name, mine = other["encoder"]["name"], own["encoder"]["name"]
    figures = f"({mode} nDCG@10 {theirs:.3f} against {ours:.3f}, p = {probability(found['p'])})"
    if not found["sure"]:
        return f"Between {name} and {mine} there is no sure difference on these documents {figures}."
    if found["difference"] < 0:
        return f"{mine}, which is in use, is better than {name} on these documents {figures}."
    return f"{name} is better than {mine} on these documents {figures}{_price(own, other)}."


def _price(own: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    if not own.get("passages_s") or not other.get("passages_s"):
        return ""
    times = own["passages_s"] / other["passages_s"]
    return f" and takes {times:.1f} times as long to index" if times > 1.2 else ""
