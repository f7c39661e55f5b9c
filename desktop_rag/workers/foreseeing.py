"""What will stand for the values of a document under review, as far as the vault knows already: nothing is stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from desktop_rag.privacy.substitutes import Substitutes, Wording
from desktop_rag.privacy.vault import Entry
from desktop_rag.workers.library import Library


class Foreseen:
    """The believable stand-ins that other documents of the collection have settled."""

    def __init__(self, library: Library, row: dict[str, Any], texts: Sequence[str]) -> None:
        """`texts` are those of the document's pages."""
        self._vault = library.vault(row["collection_id"])
        self._substitutes: Substitutes | None = None
        # Without one, the collection may have no key yet, and asking would make it.
        settled = any(entry.substitutes for entry in self._vault.entries.values())
        if row["policy"] == "substitute" and settled:
            self._substitutes = library.substitutes(row["collection_id"])
            self._wording = Wording.of(texts)

    def stand_in(self, label: str, value: str) -> str | None:
        """What is known to stand for a value; never what the document itself says of somebody else."""
        entry = self._entry(label, value)
        known = self._substitutes.known(entry, value) if self._substitutes and entry else None
        return known if known and not self._wording.holds(known) else None

    def _entry(self, label: str, value: str) -> Entry | None:
        if label == "PERSON":
            # A name is known by its words, whoever has them.
            return Entry(0, label, 0)
        matches = self._vault.find(value, written_as_name=False) if self._substitutes else []
        whole = (match for match in matches if match.end - match.start == len(value))
        return next((entry for match in whole for entry in match.entries if entry.label == label), None)
