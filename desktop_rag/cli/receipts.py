"""The receipt of an erasure in the terminal: its lines, and the name of the file it is saved to."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from desktop_rag.errors import UsageError
from desktop_rag.privacy.receipt import KINDS, erased_words, facts, proof_words

_HINT = "Choose a name that ends in .html or .json, in a folder that you may write to."


def receipt_file(name: str) -> Path:
    """Where a receipt shall be saved, found out before anything is erased. Raises UsageError where that cannot be."""
    path = Path(name).expanduser().absolute()
    if path.suffix.lower() not in (".html", ".htm", ".json"):
        raise UsageError("bad_request", f"A receipt cannot be saved as “{path.name}”.", _HINT)
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise UsageError("bad_request", f"The receipt cannot be saved in the folder {path.parent}.", _HINT)
    return path


def receipt_lines(issued: Mapping[str, Any]) -> list[str]:
    """A receipt for people."""
    lines = [_line(row) for row in issued["documents"]]
    if any("error" not in row for row in issued["documents"]):
        lines += [
            erased_words(issued, list(KINDS)),
            proof_words(issued),
            *(f"  {word}: {said}" for word, said in facts(issued)),
            *issued["notes"],
        ]
    return lines


def _line(row: Mapping[str, Any]) -> str:
    if "error" in row:
        return f"{row['document']}: {row['error']['message']} {row['error']['hint']}".strip()
    return f"{row['name']}: {'removed, verified' if row['verified'] else 'removed, NOT verified'}"
