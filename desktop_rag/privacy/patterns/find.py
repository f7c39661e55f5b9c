"""All patterns over one text."""

from __future__ import annotations

from desktop_rag.privacy.finding import Finding


def find(text: str) -> list[Finding]:
    """Everything the patterns find in a text, sorted by start; overlaps are for the caller to join."""
    return []
