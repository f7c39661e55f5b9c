"""Taking values out of a document that is indexed already: in what is stored of it, so its file need not be there.

A page, its private places, its passages, their terms and the answers made from them change in one transaction, or not
at all. Vectors of what has changed are forgotten: the document is "indexing" until they are made anew.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from desktop_rag.answering.instructions import judged
from desktop_rag.privacy.classes import TOKEN
from desktop_rag.privacy.fold import fold
from desktop_rag.privacy.marks import Mark
from desktop_rag.privacy.scrub import REVERSIBLE, Replacement, Scrubbed, finder, replacement_token, scrub
from desktop_rag.privacy.vault import Entry
from desktop_rag.store.connection import transaction
from desktop_rag.store.judged import Judged
from desktop_rag.store.reviews import LOOK_ALIKE
from desktop_rag.workers.library import Library
from desktop_rag.workers.standing import Place, Sought, StoredPage, stored_page

_CHUNKS_A_STEP = 20


class Mending:
    """One document while values are taken out of it; `changed` tells whether any was."""

    def __init__(self, library: Library, row: dict[str, Any], sought: Sought) -> None:
        self._library, self._db, self._row, self._sought = library, library.db, row, sought
        self.changed = False

    def steps(self) -> Iterator[None]:
        """Take them out of every page, then out of what its passages carry along; yields between steps."""
        pages = self._db.execute("SELECT id FROM pages WHERE document_id = ? ORDER BY ordinal", (self._row["id"],))
        for page in [row[0] for row in pages]:
            self._page(page)
            yield
        yield from self._contexts()

    def _page(self, page: int) -> None:
        found = self._db.execute("SELECT text FROM pages WHERE id = ? AND text IS NOT NULL", (page,)).fetchone()
        if found is None or not self._sought.may_stand_in(found[0]):
            return
        stored = stored_page(self._db, page, found[0])
        marks = self._sought.standing(stored.text, stored.stand_ins, stored.kept)
        if marks:
            with self._change():
                self._mend(stored, marks)

    def _contexts(self) -> Iterator[None]:
        """Take them out of headings and column names."""
        rows = self._db.execute(
            "SELECT DISTINCT context FROM chunks WHERE document_id = ? AND context != ''", (self._row["id"],)
        )
        for context in [row[0] for row in rows if self._sought.may_stand_in(row[0])]:
            yield
            hidden = self._stand_ins(context)
            marks = self._sought.standing(context, hidden)
            chunks = [c for c in self._library.documents.chunks(self._row["id"]) if c["context"] == context]
            for at in range(0, len(chunks) if marks else 0, _CHUNKS_A_STEP):
                with self._change():
                    fixed = [Replacement(start, end, context[start:end]) for start, end in hidden]
                    new = [self._replacement(context, mark)[0] for mark in marks]
                    clear = scrub(context, _in_order([*fixed, *new])).text
                    for chunk in chunks[at : at + _CHUNKS_A_STEP]:
                        self._index(chunk["chunk"], clear, chunk["text"])
                yield

    def _stand_ins(self, context: str) -> list[Place]:
        """Where a heading is not looked at: what stands for a value, and what a person kept in this document."""
        found = [match.span() for match in TOKEN.finditer(context)]
        if self._row["policy"] == "substitute":
            substitutes = self._library.substitutes(self._row["collection_id"])
            found += [(stand_in.start, stand_in.end) for stand_in in substitutes.look_alikes(context, found)]
        if self._kept:
            found += [match.span() for match in self._kept.finditer(context)]
        apart: list[Place] = []
        for start, end in sorted(found):
            if not apart or start >= apart[-1][1]:
                apart.append((start, end))
        return apart

    @cached_property
    def _kept(self) -> re.Pattern[str] | None:
        """What finds, in a heading, what a person kept somewhere in the document."""
        rows = self._db.execute(
            "SELECT DISTINCT substr(p.text, s.scrubbed_start + 1, s.scrubbed_end - s.scrubbed_start) FROM spans s"
            " JOIN pages p ON p.id = s.page_id WHERE p.document_id = ? AND s.decided AND NOT s.replace",
            (self._row["id"],),
        )
        return finder({row[0] for row in rows if row[0]})

    @cached_property
    def _nearby(self) -> dict[int, None]:
        """Whom the document mentions, the last one last."""
        rows = self._db.execute(
            "SELECT s.entry_id FROM spans s JOIN pages p ON p.id = s.page_id"
            " WHERE p.document_id = ? AND s.entry_id IS NOT NULL ORDER BY p.ordinal DESC, s.start DESC",
            (self._row["id"],),
        )
        latest_first = dict.fromkeys(row[0] for row in rows)
        return dict.fromkeys(reversed(latest_first))

    @contextmanager
    def _change(self) -> Iterator[None]:
        """A transaction that the vault in memory follows."""
        library, collection = self._library, self._row["collection_id"]
        if not self.changed:
            # Vectors of what goes may lie in Chroma's readable files, and the text itself in a model's saved memory.
            if library.private(collection):
                library.drop_cache()
            library.kv.empty()
            self.changed = True
        try:
            with transaction(self._db):
                yield
                self._db.execute(
                    "UPDATE documents SET state = 'indexing', encoded = 0, updated = ? WHERE id = ?"
                    " AND state IN ('ready', 'partly_read')",
                    (time.time(), self._row["id"]),
                )
        except BaseException:
            library.forget_vault(collection)
            raise
        finally:
            library.vectors.changed(collection)

    def _replacement(self, text: str, mark: Mark) -> tuple[Replacement, Entry | None]:
        """What stands for a value from now on, and where the vault keeps it, if it does."""
        policy, collection, entry, standing = self._row["policy"], self._row["collection_id"], None, ""
        if policy in REVERSIBLE:
            value = text[mark.start : mark.end]
            entry = self._library.vault(collection).resolve(mark.label, value, self._nearby)
            self._nearby.pop(entry.id, None)
            self._nearby[entry.id] = None
            believable = policy == "substitute"
            standing = self._library.substitutes(collection).of(entry, value) if believable else entry.pseudonym
        return Replacement(mark.start, mark.end, replacement_token(policy, mark.label, standing)), entry

    def _mend(self, stored: StoredPage, marks: Sequence[Mark]) -> None:
        text, held = stored.text, []
        for span in stored.spans:
            if any(span.gives_way(mark) for mark in marks):
                self._db.execute("DELETE FROM spans WHERE id = ?", (span.id,))
            else:
                held.append(span)
        # What stands for a value already is replaced by itself: so it moves along, and is taken for nothing else.
        fixed = {span.place: Replacement(*span.place, text[slice(*span.place)]) for span in held if span.stands}
        new = {(mark.start, mark.end): (mark, *self._replacement(text, mark)) for mark in marks}
        scrubbed = scrub(text, _in_order([*fixed.values(), *(replacement for _, replacement, _ in new.values())]))
        places = {(r.start, r.end): now for r, now in zip(scrubbed.replacements, scrubbed.places, strict=True)}
        for span in held:
            now = places[span.place] if span.stands else tuple(map(scrubbed.to_scrubbed, span.place))
            self._db.execute("UPDATE spans SET scrubbed_start = ?, scrubbed_end = ? WHERE id = ?", (*now, span.id))
        fresh = [place for place in places if place not in fixed]
        for place in fresh:
            # Where taking a value out put together what looks like a stand-in, that was disarmed.
            mark, _, entry = new.get(place, (Mark(*place, LOOK_ALIKE, 1.0, replace=False), None, None))
            self._add_span(stored, mark, places[place], entry)
        self._db.execute("UPDATE pages SET text = ? WHERE id = ?", (scrubbed.text, stored.id))
        self._move_chunks(stored.id, scrubbed, fresh)
        tokens = {text[slice(*place)]: replacement.token for place, (_, replacement, _) in new.items()}
        self._library.conversations.mend(self._row["id"], tokens)
        Judged(self._db).mend(self._row["id"], tokens)

    def _move_chunks(self, page: int, scrubbed: Scrubbed, fresh: Sequence[Place]) -> None:
        """Passages move along with their text; those that a fresh place lies in are indexed anew."""
        rows = self._db.execute("SELECT id, start, end, context FROM chunks WHERE page_id = ?", (page,)).fetchall()
        for chunk, start, end, context in map(tuple, rows):
            now = (scrubbed.to_scrubbed(start), scrubbed.to_scrubbed(end))
            self._db.execute("UPDATE chunks SET start = ?, end = ? WHERE id = ?", (*now, chunk))
            if any(place[0] < end and start < place[1] for place in fresh):
                self._index(chunk, context, scrubbed.text[slice(*now)])

    def _add_span(self, stored: StoredPage, mark: Mark, now: Place, entry: Entry | None) -> None:
        folded = fold(mark.label, stored.text[mark.start : mark.end])
        start = stored.to_original.to_original(mark.start)
        end = stored.to_original.to_original(mark.end, end=True)
        identity = entry.id if entry else None
        self._db.execute(
            "INSERT INTO spans (page_id, start, end, scrubbed_start, scrubbed_end, label, score, replace, entry_id,"
            " alias_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
            " (SELECT id FROM aliases WHERE entry_id = ?9 AND folded = ?10))",
            (stored.id, start, end, *now, mark.label, mark.score, int(mark.replace), identity, folded),
        )

    def _index(self, chunk: int, context: str, text: str) -> None:
        """Make a passage's terms anew, and forget its vector."""
        self._library.lexical.remove([chunk])
        length = self._library.lexical.add(chunk, f"{context}\n{text}")
        self._db.execute(
            "UPDATE chunks SET context = ?, length = ?, instruction_like = ? WHERE id = ?",
            (context, length, judged(text, context), chunk),
        )
        self._db.execute("DELETE FROM vectors WHERE chunk_id = ?", (chunk,))


def _in_order(replacements: Sequence[Replacement]) -> list[Replacement]:
    return sorted(replacements, key=lambda r: (r.start, r.end))
