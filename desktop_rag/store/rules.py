"""The terms that a user wants replaced always, or never: for one collection, or for all. Private text, so kept here."""

from __future__ import annotations

import time
from typing import Any

from desktop_rag.errors import StoreError, UsageError
from desktop_rag.privacy.marks import LABEL, OWN_TERM
from desktop_rag.privacy.rules import ALWAYS, NEVER, Kind, Rule, Rules, key
from desktop_rag.store.connection import Connection, transaction
from desktop_rag.store.treatments import Treatments

_COLUMNS = "r.id, r.collection_id, c.name AS collection, r.kind, r.term, r.label"
_FROM = "rules r LEFT JOIN collections c ON c.id = r.collection_id"
_LONGEST = 200


class RuleRows:
    """Queries on the rules; a row is {id, collection_id, collection, kind, term, label}, with no collection for all."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def all(self, collection: int | None = None) -> list[dict[str, Any]]:
        """The rules that hold in a collection, those for all collections first; without one, every rule there is."""
        rows = self._db.execute(
            f"SELECT {_COLUMNS} FROM {_FROM} WHERE ?1 IS NULL OR r.collection_id IS NULL OR r.collection_id = ?1"
            " ORDER BY coalesce(r.collection_id, 0), r.kind, r.term COLLATE NOCASE",
            (collection,),
        )
        return [dict(row) for row in rows]

    def holding(self, collection: int) -> Rules:
        """The rules of a collection; about the same term or class its own come before those for all."""
        held = {key(row["term"]): Rule(row["kind"], row["term"], row["label"]) for row in self.all(collection)}
        return Rules(held.values(), Treatments(self._db).holding(collection))

    def add(self, collection: int | None, kind: Kind, term: str, label: str | None = None) -> dict[str, Any]:
        """Remember a term, in place of what was said about it before. Raises UsageError for what is no term."""
        term = " ".join(term.split())
        folded = key(term)
        if not folded or len(term) > _LONGEST:
            raise UsageError(
                "bad_request",
                "A term needs a letter or a digit." if not folded else "A term is a few words, not a page.",
                f"Choose words as they stand in your documents, {_LONGEST} characters at most.",
            )
        if kind not in (ALWAYS, NEVER):
            raise UsageError("bad_request", f"A term is replaced “{ALWAYS}” or “{NEVER}”, not “{kind}”.")
        label = (label or OWN_TERM).strip().upper().replace(" ", "_")
        if not LABEL.fullmatch(label):
            raise UsageError("bad_request", "A class has letters only.", "For example: PERSON, or leave it out.")
        with transaction(self._db):
            self._db.execute("DELETE FROM rules WHERE collection_id IS ? AND folded = ?", (collection, folded))
            cursor = self._db.execute(
                "INSERT INTO rules (collection_id, kind, term, folded, label, created) VALUES (?, ?, ?, ?, ?, ?)",
                (collection, kind, term, folded, label, time.time()),
            )
        return self.need(int(cursor.lastrowid))

    def need(self, rule: int) -> dict[str, Any]:
        """One rule. Raises StoreError("not_found")."""
        row = self._db.execute(f"SELECT {_COLUMNS} FROM {_FROM} WHERE r.id = ?", (rule,)).fetchone()
        if row is None:
            raise StoreError("not_found", "This rule is not there any more.", "List the rules.")
        return dict(row)

    def about(self, term: str, collection: int | None) -> dict[str, Any]:
        """The rule of a collection, or of all, about a term. Raises StoreError("not_found")."""
        found = self._db.execute(
            "SELECT id FROM rules WHERE collection_id IS ? AND folded = ?", (collection, key(term))
        ).fetchone()
        if found is None:
            raise StoreError("not_found", "There is no rule about this term.", "List the rules.")
        return self.need(found[0])

    def forget(self, rule: int) -> None:
        """The term is treated as any other from now on."""
        with transaction(self._db):
            self._db.execute("DELETE FROM rules WHERE id = ?", (rule,))
