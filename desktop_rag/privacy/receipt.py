"""What a receipt of an erasure says, as JSON and in words. It holds no value of a document beyond its name. Pure."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from desktop_rag import __version__

KINDS = {
    "pages": ("page", "pages"),
    "passages": ("passage", "passages"),
    "vectors": ("vector", "vectors"),
    "terms": ("word of the index", "words of the index"),
    "vault_entries": ("vault entry", "vault entries"),
    "spellings": ("spelling", "spellings"),
    "marked_places": ("marked place", "marked places"),
    "answers": ("answer blanked", "answers blanked"),
    "questions": ("question blanked", "questions blanked"),
    "judged": ("question about the search", "questions about the search"),
    "folder_notes": ("line of a folder's log", "lines of a folder's log"),
    "reading_notes": ("note of the reader", "notes of the reader"),
    "saved_memories": ("saved memory of a model", "saved memories of a model"),
    "older_copies": ("older copy of the library", "older copies of the library"),
}
"""What is erased, one and many of it."""

_ORIGINALS = "Your own files were not touched: they are where they were."
_PICTURES = "Pictures of pages are kept in memory only; none were written."
_ELSEWHERE = (
    "What is outside this application is not known to it: backups, copies and exports you made, snapshots, and blocks"
    " that a drive has set aside."
)
_SERVED = "Vectors of it, without text, lie on the server {} until whoever published the collection publishes it again."
_WATCHED = "{} in a watched folder and will be read again as long as that folder is watched."


@dataclass(slots=True)
class Proof:
    """What was looked for after an erasure, where, and what was found."""

    values: int = 0
    """Phrases, names, paths and vault values that were looked for."""
    left_out: int = 0
    """Those that were not: too short, too common, or beyond what one look can hold."""
    shared: int = 0
    """Those that other documents, or the user's own rules, hold too, which stay."""
    blanked: Counter[str] = field(default_factory=Counter)
    """"questions" and "answers" that repeated what was erased."""
    searches: int = 0
    texts: int = 0
    pages: int = 0
    files: int = 0
    bytes: int = 0
    found: Counter[str] = field(default_factory=Counter)
    """The places where something was found: a table's column, a file."""
    documents: set[str] = field(default_factory=set)
    """The documents of which something was found."""
    unread: list[str] = field(default_factory=list)
    """What could not be looked into."""

    def find(self, place: str, documents: Iterable[str]) -> None:
        """Note a trace of some documents."""
        self.found[place] += 1
        self.documents.update(documents)


def receipt(
    documents: Sequence[Mapping[str, Any]],
    erased: Mapping[str, int],
    proof: Proof,
    *,
    watched: int = 0,
    servers: Collection[str] = (),
) -> dict[str, Any]:
    """The receipt of one request; `documents` are its rows, those with an "error" among them.

    `servers`: the addresses of those that still have vectors of what was erased.
    """
    rows = [dict(row) for row in documents]
    for row in rows:
        if "error" not in row:
            row["verified"] = row["verified"] and row["document"] not in proof.documents and not proof.unread
    notes = [_ORIGINALS, _PICTURES, _ELSEWHERE]
    if watched:
        notes.insert(1, _WATCHED.format("Its file lies" if watched == 1 else f"{watched} of the files lie"))
    notes[1:1] = [_SERVED.format(address) for address in sorted(servers)]
    done = [row for row in rows if "error" not in row]
    return {
        "documents": rows,
        "erased": {kind: erased[kind] for kind in KINDS if erased.get(kind)},
        "looked_for": {"values": proof.values, "left_out": proof.left_out, "shared": proof.shared},
        "searched": {"searches": proof.searches, "texts": proof.texts},
        "scanned": {"files": proof.files, "bytes": proof.bytes, "database_pages": proof.pages},
        "found": dict(proof.found),
        "unread": proof.unread,
        "verified": bool(done) and all(row["verified"] for row in done) and not proof.found,
        "problem": _problem(done, proof),
        "notes": notes,
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "application": f"Desktop RAG {__version__}",
    }


def _problem(done: Sequence[Mapping[str, Any]], proof: Proof) -> str | None:
    """Why it is not verified, in one sentence."""
    if proof.found:
        return f"Something of it still stands in: {', '.join(proof.found)}."
    if proof.unread:
        return f"Could not be looked into: {', '.join(proof.unread)}."
    if not all(row["verified"] for row in done):
        return "The library still knew a part of it right after it was erased."
    return None


def without_names(issued: Mapping[str, Any]) -> dict[str, Any]:
    """The same receipt with the start of its content's hash in place of each erased document's name."""
    rows = [row if "error" in row else {**row, "name": _nameless(row)} for row in issued["documents"]]
    return {**issued, "documents": rows}


def _nameless(row: Mapping[str, Any]) -> str:
    return f"sha256:{row['sha256'][:16]}" if row["sha256"] else str(row["document"])


def erased_words(issued: Mapping[str, Any], kinds: Sequence[str] = ("passages", "vault_entries", "answers")) -> str:
    """ "Erased: 12 passages, 3 vault entries." """
    erased = issued.get("erased") or {}
    told = [counted(erased[kind], kind) for kind in kinds if erased.get(kind)]
    return f"Erased: {', '.join(told)}." if told else "Nothing had been made of it yet."


def proof_words(issued: Mapping[str, Any]) -> str:
    """ "Nothing of it was found in 214 files." """
    if issued["problem"]:
        return f"Not verified. {issued['problem']}"
    files = issued["scanned"]["files"]
    return f"Nothing of it was found in {files:,} {'file' if files == 1 else 'files'}."


def facts(issued: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What was looked for and where: pairs of a word and what it says."""
    wanted, searched, scanned = issued["looked_for"], issued["searched"], issued["scanned"]
    told = [
        ("Looked for", f"{wanted['values']:,} phrases, names and values of what was erased"),
        ("Searched", f"{searched['searches']:,} searches by words and by meaning"),
        ("Library", f"{searched['texts']:,} texts and {scanned['database_pages']:,} decrypted pages, free ones too"),
        ("Files", f"{scanned['files']:,} files, {scanned['bytes'] / 1e6:,.1f} MB, byte by byte"),
    ]
    if wanted["shared"]:
        told.append(("Also elsewhere", f"{wanted['shared']:,} stand in other documents or your rules too, which stay"))
    if wanted["left_out"]:
        told.append(("Left out", f"{wanted['left_out']:,} too short, too common or too many to be looked for"))
    return told


def counted(number: int, kind: str) -> str:
    """ "1 passage", "1,203 passages"."""
    return f"{number:,} {KINDS[kind][number != 1]}"
