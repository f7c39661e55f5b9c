"""What a table of modes means, in sentences made from its numbers. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # numpy comes with it, and a window that only tells of figures does without
    from desktop_rag.evaluation.bootstrap import Comparison

Row = Mapping[str, Any]
Compare = Callable[[str, str], "Comparison"]
"""How the first mode does against the second."""
FIGURE = "ndcg@10"
# A mode beside what it is made of: it should not be worse.
PARTS = {"hybrid": ("bm25", "dense"), "rerank": ("hybrid",), "deep": ("hybrid",)}
# Nobody feels how much less than this a search takes.
_UNFELT_MS = 50.0
_NAMES = {"bm25": "BM25", "tfidf": "TF-IDF"}


def verdict(rows: Sequence[Row], compare: Compare, encoder: str) -> list[str]:
    """One sentence for each comparison that matters, at last what to use."""
    by_mode = {str(row["mode"]): row for row in rows}
    names = {mode: _NAMES.get(mode, encoder if mode == "dense" else mode) for mode in by_mode}

    def against(mode: str, other: str) -> str:
        return _sentence(names[mode], names[other], by_mode[mode], by_mode[other], compare(mode, other))

    sentences = [against(mode, "bm25") for mode in ("tfidf", "dense") if mode in by_mode and "bm25" in by_mode]
    parts = {mode: best_part(mode, by_mode) for mode in PARTS if mode in by_mode}
    sentences += [against(mode, part) for mode, part in parts.items() if part is not None]
    return [*sentences, *_advice(by_mode, names, compare)]


def best_part(mode: str, by_mode: Mapping[str, Row]) -> str | None:
    """The best of what a mode is made of, among those that were measured."""
    held = [part for part in PARTS.get(mode, ()) if part in by_mode]
    return max(held, key=lambda part: float(by_mode[part][FIGURE])) if held else None


def _sentence(name: str, other: str, ours: Row, theirs: Row, found: Comparison) -> str:
    figures = f"(nDCG@10 {_figure(ours)} against {_figure(theirs)}, p = {probability(found.p)})"
    if not found.significant:
        return f"Between {name} and {other} there is no sure difference on these documents {figures}."
    winner, loser = (name, other) if found.difference > 0 else (other, name)
    if found.difference < 0:
        figures = f"(nDCG@10 {_figure(theirs)} against {_figure(ours)}, p = {probability(found.p)})"
    return f"{winner[:1].upper()}{winner[1:]} beats {loser} on these documents {figures}."


def _advice(by_mode: Mapping[str, Row], names: Mapping[str, str], compare: Compare) -> list[str]:
    """The fastest of the modes that nothing surely beats; among those that nobody has to wait for, the best."""
    if len(by_mode) < 2:
        return []
    best = max(by_mode, key=lambda mode: float(by_mode[mode][FIGURE]))
    level = [mode for mode in by_mode if mode == best or not compare(best, mode).significant]
    figure = {mode: float(by_mode[mode][FIGURE]) for mode in level}
    chosen = min(level, key=lambda mode: (max(_UNFELT_MS, float(by_mode[mode]["p50_ms"])), -figure[mode]))
    why = "nothing is better" if chosen == best else f"{names[best]} is not surely better, and slower"
    return [f"Use {names[chosen]}: {why}."]


def _figure(row: Row) -> str:
    return f"{float(row[FIGURE]):.3f}"


def probability(p: float) -> str:
    """A p value for people; never as sure as zero."""
    return "0.0001" if p < 0.00015 else f"{p:.2g}" if p < 0.1 else f"{p:.2f}"
