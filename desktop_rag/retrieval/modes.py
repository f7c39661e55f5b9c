"""The names of the search modes: those that exist, and those that are to come."""

from __future__ import annotations

from desktop_rag.errors import UsageError

MODES = ("bm25", "dense", "hybrid", "rerank", "deep")
PLANNED_MODES = ("tfidf",)


def check_mode(mode: str) -> None:
    """Raise UsageError for a mode that does not exist (yet)."""
    if mode in PLANNED_MODES:
        raise UsageError(
            "not_available", f"The search mode “{mode}” is not available yet.", f"Use one of: {', '.join(MODES)}."
        )
    if mode not in MODES:
        raise UsageError("bad_request", f"There is no search mode “{mode}”.", f"Use one of: {', '.join(MODES)}.")
