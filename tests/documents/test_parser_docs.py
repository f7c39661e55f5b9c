"""Every sample document of the shared collection through `read`; skipped where the collection is not at hand.

Without text recognition, which `desktop-rag eval files` measures: a picture only has to be told from text.

Run with -s to see the table of what is missed.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from desktop_rag.documents.model import Page, UnreadPage
from desktop_rag.documents.read import read
from desktop_rag.documents.source import Child
from desktop_rag.errors import DocumentError

DATA = Path(os.environ.get("DESKTOP_RAG_DATA") or Path(__file__).parents[3] / "shared" / "data") / "parser_docs"
SECONDS = 20.0
KNOWN_MISSES = {
    "files/pdf/kreuzberg__scanned.pdf": "not a miss: this scan carries a readable layer of text, so it needs no OCR",
}


def rows() -> list[dict[str, Any]]:
    found = []
    for name in ("MANIFEST.jsonl", "SYNTHETIC_MANIFEST.jsonl"):
        manifest = DATA / name
        if manifest.is_file():
            found += [json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines() if line]
    return found


def squeezed(text: str) -> str:
    return "".join(text.split())


def outcome(path: Path, password: str | None = None) -> tuple[str, str | None, bool]:
    """(all text without white space, code of the error or None, whether a picture is left to be recognised)."""
    texts: list[str] = []
    pictures = False
    began = time.monotonic()
    try:
        for part in read(path, password=password, recognise=False):
            assert time.monotonic() - began < SECONDS, "takes too long"
            if isinstance(part, Page):
                texts.append(part.text)
            if isinstance(part, Child):
                texts.append(part.name)
            pictures = pictures or isinstance(part, UnreadPage)
    except DocumentError as failure:
        return squeezed("".join(texts)), failure.code, pictures
    return squeezed("".join(texts)), None, pictures


def complaint(row: dict[str, Any]) -> str | None:
    """What is wrong with how a file was read, None if it is as the manifest expects."""
    text, code, pictures = outcome(DATA / row["file"])
    expected = row["expect"]
    if expected == "needs_password":
        # Of some files the collection does not know the password.
        opened, refused, _ = (
            outcome(DATA / row["file"], row["password"]) if row["password"] else ("unknown", None, False)
        )
        if code != "encrypted" or refused or not opened:
            return f"without the password {code}, with it {refused}"
    elif expected == "needs_ocr":
        return None if pictures else f"{code} instead of a picture to be recognised"
    elif expected == "error_or_empty":
        return None if code or not any(map(str.isalnum, text)) else "text found"
    elif expected == "text":
        missing = [words for words in row["must_include"] if squeezed(words) not in text]
        unwanted = [words for words in row["must_not_include"] if squeezed(words) in text]
        if code or not text or missing or unwanted:
            return f"{code}, missing {missing}, unwanted {unwanted}"
    return None


@pytest.mark.skipif(not rows(), reason="the shared collection of documents is not here")
def test_every_document_is_read_as_the_manifest_expects() -> None:
    counts: dict[str, list[int]] = {}
    complaints: dict[str, str] = {}
    for row in rows():
        found = complaint(row)
        count = counts.setdefault(row["expect"], [0, 0])
        count[0] += 1
        if found is None:
            assert row["file"] not in KNOWN_MISSES, f"{row['file']} is read now: take it off the list"
        else:
            count[1] += 1
            complaints[row["file"]] = found
    print("\nexpected            files  missed")
    for expected, (files, missed) in sorted(counts.items()):
        print(f"{expected:<18}{files:>7}{missed:>8}")
    for name, found in complaints.items():
        print(f"{name}: {found}")
    assert complaints.keys() <= KNOWN_MISSES.keys(), complaints
