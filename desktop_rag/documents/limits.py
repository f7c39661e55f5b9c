"""How much of a file is read before it is refused or split."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one file; a file over one of them raises DocumentError("too_large")."""

    max_bytes: int = 200_000_000
    """Size of any file on disk."""
    max_text_bytes: int = 64_000_000
    """Size of a format that has to be held in memory whole (text, Markdown, HTML, tables)."""
    max_pages: int = 20_000
    """Pages of a document."""
    max_chars: int = 2_000_000
    """Characters of one Page; a longer text is split into several ("part 2")."""
    max_unpacked_bytes: int = 300_000_000
    """Total uncompressed size of a zipped document."""
    max_zip_ratio: int = 200
    """Uncompressed to compressed size of a zipped document."""
    max_zip_entries: int = 10_000
    """Number of members of a zipped document."""
    max_children: int = 2000
    """Files inside one archive or mail."""
    max_depth: int = 3
    """How deep files may lie in files: a document in an archive on a mail has depth 2."""
    recognise: bool = True
    """Whether pages that are pictures are read by text recognition."""
    known: frozenset[int] = frozenset()
    """Pages (from 1) that were recognised before and are not recognised again."""


DEFAULT_LIMITS = Limits()
"""What a person's ordinary documents stay within."""
