"""The names of the search modes."""

from __future__ import annotations

from desktop_rag.errors import UsageError

MODES = ("bm25", "tfidf", "dense", "hybrid", "rerank", "deep")


def check_mode(mode: str) -> None:
    """Raise UsageError for a mode that does not exist."""
    if mode not in MODES:
        raise UsageError("bad_request", f"There is no search mode “{mode}”.", f"Use one of: {', '.join(MODES)}.")
