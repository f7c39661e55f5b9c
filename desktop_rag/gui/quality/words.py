"""What the Search quality page says: its columns, the names of the ways to search, where a passage is. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from desktop_rag.evaluation.retrieval_table import tongues
from desktop_rag.evaluation.verdict import probability
from desktop_rag.gui import words

COLUMNS = (
    ("nDCG@10", "How high the right passages stand among the first ten: 1 is the best order there can be."),
    ("MRR", "One divided by the place of the first right passage, on average."),
    ("recall@10", "The share of the right passages that are among the first ten."),
    ("success@1", "How often the very first passage is a right one."),
    ("time", "Milliseconds for half of the questions; the cleaning of the question is left out."),
    ("p", "How often chance alone would give as great a difference to BM25. Below 0.05 it is hardly chance."),
)
_FIGURES = ("ndcg@10", "mrr@10", "recall@10", "success@1")
MODES = {
    "bm25": ("Words", "BM25"),
    "tfidf": ("Words", "TF-IDF"),
    "dense": ("Meaning", "vectors"),
    "hybrid": ("Words and meaning", "hybrid, the usual one"),
    "rerank": ("Read again", "hybrid, and the best compared closely"),
    "deep": ("Deep search", "several searches at once"),
}
"""By mode what it is called, and what it does."""


ENCODER_COLUMNS = ("languages", "size", "speed")
SHORT = {"dense": "meaning", "hybrid": "both", "rerank": "read again", "deep": "deep"}
"""The ways to search that an encoder makes a difference to, as heads of narrow columns."""


def encoder_cells(one: Mapping[str, Any]) -> tuple[str, ...]:
    """What an encoder is and costs, then nDCG@10 of each way to search with it."""
    speed = one.get("passages_s")
    return (
        tongues(one["encoder"]),
        words.size(round(float(one["size_mb"]) * 1e6)),
        "–" if speed is None else f"{float(speed):.0f}/s",
        *(f"{float(row['ndcg@10']):.3f}" for row in one["modes"]),
    )


def doing(step: str) -> str:
    """What is going on: a way to search in a collection is measured, everything else says itself what it is."""
    if ": " in step or not step:
        return f"Measuring {step}".strip()
    return step[:1].upper() + step[1:]


def foreseen(told: Mapping[str, Any]) -> str:
    """ "To encode 1 203 passages with multilingual-e5-small takes about 35 s"."""
    passages = words.plural(int(told["passages"]), "passage")
    return f"To encode {passages} with {told['encoder']} takes {words.left(told['seconds']).removesuffix(' left')}."


def spent(row: Mapping[str, Any]) -> str:
    """How long questions take by a mode, and whether its lead over BM25 may be chance."""
    half, most, p = (row.get(name) for name in ("p50_ms", "p95_ms", "p_vs_bm25"))
    parts = [
        f"half of the questions within {half:.0f} ms" if half is not None else "",
        f"19 of 20 within {most:.0f} ms" if most is not None else "",
        f"p = {probability(p)} against BM25" if p is not None else "",
    ]
    said = ", ".join(part for part in parts if part)
    return said[:1].upper() + said[1:]


def cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The numbers of a mode as the table has them."""
    p = row.get("p_vs_bm25")
    time = row.get("p50_ms")
    return (
        *(f"{float(row[name]):.3f}" for name in _FIGURES),
        "–" if time is None else f"{time:.0f} ms" if time >= 10 else f"{time:.1f} ms",
        "–" if p is None else probability(p),
    )


def set_name(one: Mapping[str, Any]) -> str:
    """ "Contracts · 12 questions · all-MiniLM-L6-v2"."""
    encoder = (one.get("encoder") or {}).get("name") or "no encoder"
    return f"{one['set']} · {words.plural(int(one['queries']), 'question')} · {encoder}"


def where(passage: Mapping[str, Any]) -> str:
    """ "report.pdf · page 2"."""
    return " · ".join(part for part in (words.file_name(passage.get("name")), words.place(passage)) if part)


def left_out(number: int) -> str:
    """That questions have no passage any more."""
    if not number:
        return ""
    theirs = "its passage is" if number == 1 else "their passages are"
    return f"{words.plural(number, 'question')} left out: {theirs} not in the library as it is now."
