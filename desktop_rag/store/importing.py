"""Bringing the rows of a verified export into the library, in one transaction.

A pseudonym stands for one person in the whole library. Where a number of the export is somebody else's here already,
it becomes a new one in every text, the same each time the collection is imported again.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from desktop_rag.errors import UsageError
from desktop_rag.privacy.classes import TOKEN
from desktop_rag.privacy.scrub import REVERSIBLE, Replacement, Scrubbed
from desktop_rag.store.connection import Connection, transaction

_NUMBERED = re.compile(r"\[(.+)_(\d{1,15})\]")
Numbers = dict[str, dict[int, int]]
"""By class, which number of the export is which here."""
EncoderId = Callable[[Mapping[str, Any]], int | None]
"""The id of one of the export's encoders here; None where it is not installed in the same version."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What one import did: the collection, its new documents, those that the export has no more, how many it had."""

    collection: int
    added: list[str]
    gone: list[str]
    unchanged: int


def import_rows(db: Connection, source: Connection, manifest: Mapping[str, Any], encoder_id: EncoderId) -> Imported:
    """Insert what is not here yet, in state "indexing": its words, and vectors it may lack, are still to be made.

    Raises UsageError where the collection was made in this very library.
    """
    with transaction(db):
        collection, held = _collection(db, manifest)
        usable = _encoders(db, source, collection, manifest, encoder_id)
        known = _known(db, collection)
        rows = [dict(row) for row in source.execute("SELECT * FROM documents ORDER BY rowid")]
        fresh = [row for row in rows if row["content"] not in known]
        numbers = _numbers(db, source, held)
        _remember(db, collection, numbers, manifest)
        writer = _Writer(db, source, collection, numbers, usable)
        writer.vault()
        added = [writer.document(row) for row in fresh]
        wanted = {row["content"] for row in rows}
        gone = [document for digest, document in known.items() if digest not in wanted]
    return Imported(collection, added, gone, len(rows) - len(fresh))


def _collection(db: Connection, manifest: Mapping[str, Any]) -> tuple[int, Numbers]:
    """The collection's id here, made if need be, and what its pseudonyms became."""
    found = db.execute("SELECT id, name, imported FROM collections WHERE uuid = ?", (manifest["uuid"],)).fetchone()
    if found is not None and found["imported"] is None:
        raise UsageError(
            "bad_request",
            f"“{found['name']}” was exported from this very library: there is nothing to import.",
            "To restore an earlier state of it, delete the collection first.",
        )
    if found is not None:
        kept = json.loads(found["imported"])
        return found["id"], {label: {int(k): v for k, v in held.items()} for label, held in kept.items()}
    name, number = manifest["name"], 1
    while db.execute("SELECT 1 FROM collections WHERE name = ?", (name,)).fetchone():
        number += 1
        name = f"{manifest['name']} ({number})"
    cursor = db.execute(
        "INSERT INTO collections (name, policy, review, created, uuid, imported, fusion)"
        " VALUES (?, ?, 1, ?, ?, '{}', ?)",
        (name, manifest["policy"], time.time(), manifest["uuid"], manifest.get("fusion")),
    )
    return int(cursor.lastrowid), {}


def _encoders(
    db: Connection, source: Connection, collection: int, manifest: Mapping[str, Any], encoder_id: EncoderId
) -> dict[int, int]:
    """Which of the export's encoders are which here; a new collection is searched with the one it had."""
    rows = {row["id"]: dict(row) for row in source.execute("SELECT * FROM encoders")}
    usable = {number: here for number, row in rows.items() if (here := encoder_id(row)) is not None}
    in_use = db.execute("SELECT encoder_id FROM collections WHERE id = ?", (collection,)).fetchone()[0]
    there = manifest["encoders"]
    found = [usable[n] for n in (there.get("in_use"), there.get("next")) if n in usable]
    if in_use is None and found:
        db.execute(
            "UPDATE collections SET encoder_id = ?, next_encoder_id = ?, encoder_chosen = ? WHERE id = ?",
            (found[0], found[1] if len(found) > 1 else None, int(bool(there.get("chosen"))), collection),
        )
    return usable


def _known(db: Connection, collection: int) -> dict[str, str]:
    """By digest the documents that an import brought here."""
    query = "SELECT content, id FROM documents WHERE collection_id = ? AND content IS NOT NULL"
    return {row[0]: row[1] for row in db.execute(query, (collection,))}


def _numbers(db: Connection, source: Connection, held: Numbers) -> Numbers:
    """What every pseudonym of the export becomes here; one that nobody was given yet stays as it is."""
    there: dict[str, set[int]] = {}
    for row in source.execute("SELECT label, number FROM entries"):
        there.setdefault(row[0], set()).add(row[1])
    marks = ", ".join(repr(policy) for policy in sorted(REVERSIBLE))
    texts = (
        f"SELECT text FROM pages p JOIN documents d ON d.id = p.document WHERE d.policy IN ({marks})"
        f" UNION ALL SELECT context FROM chunks k JOIN documents d ON d.id = k.document WHERE d.policy IN ({marks})"
    )
    for row in source.execute(texts):
        for label, number in map(_parted, TOKEN.findall(row[0])):
            if number is not None:
                there.setdefault(label, set()).add(number)
    return {label: _settled(db, label, wanted, held.get(label, {})) for label, wanted in there.items()}


def _settled(db: Connection, label: str, wanted: set[int], held: dict[int, int]) -> dict[int, int]:
    row = db.execute("SELECT last FROM numbers WHERE label = ?", (label,)).fetchone()
    given = row[0] if row else 0
    last = max(given, *wanted)
    settled = dict(held)
    for number in sorted(wanted - held.keys()):
        if number <= given:
            last += 1
        settled[number] = last if number <= given else number
    db.execute(
        "INSERT INTO numbers (label, last) VALUES (?, ?) ON CONFLICT (label) DO UPDATE SET last = excluded.last",
        (label, last),
    )
    return settled


def _remember(db: Connection, collection: int, numbers: Numbers, manifest: Mapping[str, Any]) -> None:
    secret = manifest.get("secret")
    db.execute(
        "UPDATE collections SET imported = ?, secret = coalesce(secret, ?) WHERE id = ?",
        (json.dumps(numbers), bytes.fromhex(secret) if isinstance(secret, str) else None, collection),
    )


def _parted(token: str) -> tuple[str, int | None]:
    found = _NUMBERED.fullmatch(token)
    return (found[1], int(found[2])) if found else (token, None)


class _Writer:
    """Inserts the export's documents, one after the other, in the caller's transaction."""

    def __init__(
        self, db: Connection, source: Connection, collection: int, numbers: Numbers, encoders: Mapping[int, int]
    ) -> None:
        self._db, self._source, self._collection = db, source, collection
        self._numbers, self._encoders = numbers, encoders
        self._entries: dict[int, int] = {}
        self._aliases: dict[int, int] = {}

    def vault(self) -> None:
        """The people behind the pseudonyms, where the export has them."""
        for row in self._source.execute("SELECT id, label, number FROM entries"):
            number = self._numbers[row["label"]][row["number"]]
            place = (self._collection, row["label"], number)
            self._db.execute("INSERT OR IGNORE INTO entries (collection_id, label, number) VALUES (?, ?, ?)", place)
            query = "SELECT id FROM entries WHERE collection_id = ? AND label = ? AND number = ?"
            self._entries[row["id"]] = self._db.execute(query, place).fetchone()[0]
        for row in self._source.execute("SELECT * FROM aliases"):
            entry = self._entries[row["entry"]]
            self._db.execute(
                "INSERT OR IGNORE INTO aliases (entry_id, folded, value, substitute) VALUES (?, ?, ?, ?)",
                (entry, row["folded"], row["value"], row["substitute"]),
            )
            query = "SELECT id FROM aliases WHERE entry_id = ? AND folded = ?"
            self._aliases[row["id"]] = self._db.execute(query, (entry, row["folded"])).fetchone()[0]

    def document(self, row: Mapping[str, Any]) -> str:
        """One document with all that is stored of it; returns its id here."""
        taken = self._db.execute("SELECT 1 FROM documents WHERE id = ?", (row["id"],)).fetchone()
        document = uuid.uuid4().hex[:16] if taken else row["id"]
        now = time.time()
        columns = ("content", "name", "format", "language", "policy", "pages", "pages_read", "pages_ocr")
        self._db.execute(
            f"INSERT INTO documents (id, collection_id, path, review, state, added, updated, {', '.join(columns)})"
            " VALUES (?, ?, '', 0, 'indexing', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (document, self._collection, now, now, *(row[column] for column in columns)),
        )
        moved = self._pages(document, row)
        self._chunks(document, row["id"], moved, reversible=row["policy"] in REVERSIBLE)
        return document

    def _pages(self, document: str, row: Mapping[str, Any]) -> dict[int, tuple[int, Scrubbed]]:
        """By ordinal each page's id, and where its offsets lie now."""
        moved = {}
        for page in self._rows("pages", row["id"], "ordinal"):
            here = self._renumbered(page["text"], reversible=row["policy"] in REVERSIBLE)
            cursor = self._db.execute(
                "INSERT INTO pages (document_id, ordinal, number, locator, unread, confidence, text)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    document,
                    page["ordinal"],
                    page["number"],
                    page["locator"],
                    page["unread"],
                    page["confidence"],
                    here.text,
                ),
            )
            moved[page["ordinal"]] = (int(cursor.lastrowid), here)
        for span in self._rows("spans", row["id"], "page, start"):
            page, here = moved[span["page"]]
            # Nobody here has the original: what its text was is now what the scrubbed text is.
            place = (here.to_scrubbed(span["start"]), here.to_scrubbed(span["end"]))
            whom = (self._entries.get(span["entry"]), self._aliases.get(span["alias"]))
            self._db.execute(
                "INSERT INTO spans (page_id, start, end, scrubbed_start, scrubbed_end, label, score, replace, decided,"
                " entry_id, alias_id) VALUES (?, ?, ?, ?, ?, ?, ?, 1, 1, ?, ?)",
                (page, *place, *place, span["label"], span["score"], *whom),
            )
        return moved

    def _chunks(
        self, document: str, there: str, moved: Mapping[int, tuple[int, Scrubbed]], *, reversible: bool
    ) -> None:
        ids = {}
        for chunk in self._rows("chunks", there, "ordinal"):
            page, here = moved[chunk["page"]]
            context = self._renumbered(chunk["context"], reversible=reversible).text
            place = (here.to_scrubbed(chunk["start"]), here.to_scrubbed(chunk["end"]))
            cursor = self._db.execute(
                "INSERT INTO chunks (document_id, page_id, ordinal, start, end, context, length)"
                " VALUES (?, ?, ?, ?, ?, ?, 0)",
                (document, page, chunk["ordinal"], *place, context),
            )
            ids[chunk["ordinal"]] = int(cursor.lastrowid)
        vectors = [
            (ids[row["chunk"]], self._encoders[row["encoder"]], row["vector"])
            for row in self._rows("vectors", there, "chunk")
            if row["encoder"] in self._encoders
        ]
        self._db.executemany("INSERT INTO vectors (chunk_id, encoder_id, vector) VALUES (?, ?, ?)", vectors)

    def _rows(self, table: str, there: str, order: str) -> Sequence[Any]:
        query = f"SELECT * FROM {table} WHERE document = ? ORDER BY {order}"
        found: Sequence[Any] = self._source.execute(query, (there,)).fetchall()
        return found

    def _renumbered(self, text: str, *, reversible: bool) -> Scrubbed:
        """The text with the pseudonyms as they are here, and where everything lies in it."""
        parts, places, replaced, at, length = [], [], [], 0, 0
        for match in TOKEN.finditer(text) if reversible else ():
            label, number = _parted(match[0])
            if number is None or self._numbers[label][number] == number:
                continue
            token = f"[{label}_{self._numbers[label][number]}]"
            replaced.append(Replacement(match.start(), match.end(), token))
            length += match.start() - at
            places.append((length, length + len(token)))
            parts += [text[at : match.start()], token]
            length, at = length + len(token), match.end()
        return Scrubbed("".join([*parts, text[at:]]), tuple(replaced), tuple(places))
