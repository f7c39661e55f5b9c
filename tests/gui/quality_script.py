"""What the scripted backend says of the quality of the search."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from desktop_rag.gui.backend import Event

FIGURES = (
    ("bm25", 0.712, 3.1, None),
    ("tfidf", 0.655, 3.4, 0.04),
    ("dense", 0.748, 9.2, 0.31),
    ("hybrid", 0.803, 11.4, 0.012),
    ("rerank", 0.841, 162.0, 0.004),
    ("deep", 0.839, 240.0, 0.004),
)


def one_set(name: str, *, sure: bool, own: bool = True) -> dict[str, Any]:
    """The figures of a collection."""
    fusion = {
        "now": "usual",
        "best": "votes:0.4",
        "ndcg_now": 0.803,
        "ndcg_best": 0.829,
        "difference": 0.021,
        "p": 0.018 if sure else 0.4,
        "sure": sure,
        "sentence": "On questions that had no part in the choice, votes:0.4 finds more than usual: nDCG@10 +0.021,"
        " p = 0.018."
        if sure
        else "votes:0.4 looks best, but on questions that had no part in the choice its lead may be chance.",
    }
    rows = [
        {
            "mode": mode,
            "ndcg@10": figure,
            "mrr@10": figure - 0.02,
            "recall@10": min(1.0, figure + 0.1),
            "success@1": figure - 0.1,
            "p50_ms": ms,
            "p_vs_bm25": p,
        }
        for mode, figure, ms, p in FIGURES
    ]
    return {
        "set": name,
        "modes": rows,
        "verdict": [
            "Hybrid beats BM25 on these documents (nDCG@10 0.803 against 0.712, p = 0.012).",
            "Use hybrid: rerank is not surely better, and slower.",
        ],
        "encoder": {"name": "all-MiniLM-L6-v2"},
        "documents": 12,
        "queries": 24,
        **({"collection": 1, "fusion": fusion} if own else {}),
    }


def side_by_side(*, sure: bool = False) -> dict[str, Any]:
    """Two encoders on a collection's questions; the second is `sure`ly better, or may be."""
    rows = [
        {
            "encoder": {"name": name, "dimension": 384, "languages": [language]},
            "size_mb": size,
            "passages_s": speed,
            "in_use": name == "all-MiniLM-L6-v2",
            "modes": [
                {"mode": mode, "ndcg@10": figure, "p50_ms": 9.2, "p95_ms": 21.4, "p_vs_bm25": 0.012}
                for mode, figure in (("dense", dense), ("hybrid", hybrid))
            ],
        }
        for name, language, size, speed, dense, hybrid in (
            ("all-MiniLM-L6-v2", "en", 24.7, 95.2, 0.748, 0.803),
            ("multilingual-e5-small", "mul", 128.2, 34.1, 0.771, 0.812),
        )
    ]
    verdict = "Between multilingual-e5-small and all-MiniLM-L6-v2 there is no sure difference on these documents"
    figures = "(hybrid nDCG@10 0.812 against 0.803, p = 0.34)"
    if sure:
        verdict = "multilingual-e5-small is better than all-MiniLM-L6-v2 on these documents"
        figures = "(hybrid nDCG@10 0.871 against 0.803, p = 0.004) and takes 2.8 times as long to index"
    better = "multilingual-e5-small" if sure else None
    return {"encoders": rows, "encoders_verdict": [f"{verdict} {figures}."], "better_encoder": better}


def measured() -> Iterator[Event]:
    """Two collections, in one of which other weights are surely better."""
    yield {"event": "progress", "text": "Brackwater 2025: hybrid 50 %", "fraction": 0.5}
    sets = [one_set("Brackwater 2025", sure=True), {**one_set("Contracts", sure=False), "collection": 2}]
    yield {"event": "done", "sets": sets, "left_out": 1}


def evaluated(folder: Path) -> Iterator[Event]:
    """One judged set."""
    yield {"event": "progress", "text": f"{folder.name}: bm25 50 %", "fraction": 0.5}
    yield {"event": "set", **one_set(folder.name, sure=False, own=False)}
    yield {"event": "done", **one_set(folder.name, sure=False, own=False)}
