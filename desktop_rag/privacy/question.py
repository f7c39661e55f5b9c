"""A question on its way in: known people become their pseudonyms, unknown ones are masked where it is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from desktop_rag.privacy.classes import replaced_by_default
from desktop_rag.privacy.finding import Detector
from desktop_rag.privacy.scrub import Replacement, scrub
from desktop_rag.privacy.vault import Entry, Match, Vault

_MOST_NAMESAKES = 3


@dataclass(frozen=True, slots=True)
class MappedQuestion:
    """`search_text` has pseudonyms for known values; `stored_text` has masks for unknown ones too.

    `unknown`: values that look like personal data but are in no vault. They create no entry.
    """

    search_text: str
    stored_text: str
    unknown: tuple[str, ...]


def map_question(question: str, vaults: Sequence[Vault], detector: Detector | None) -> MappedQuestion:
    """Vaults first (any case, accents and possessives aside, longest match), then the detectors.

    A name that several people share becomes all of their pseudonyms. Without a detector (every
    collection keeps personal data) nothing is masked.
    """
    known = scrub(question, [Replacement(m.start, m.end, _tokens(m.entries)) for m in _matches(question, vaults)])
    if detector is None:
        return MappedQuestion(known.text, known.text, ())
    found = [
        f
        for f in next(iter(detector.detect([question])))
        if replaced_by_default(f.label) and not any(r.start < f.end and f.start < r.end for r in known.replacements)
    ]
    unknown = tuple(question[f.start : f.end] for f in found)
    masked = [*known.replacements, *(Replacement(f.start, f.end, f"[{f.label}]") for f in found)]
    return MappedQuestion(known.text, scrub(question, masked).text, unknown)


def _matches(question: str, vaults: Sequence[Vault]) -> list[Match]:
    """The longest matches over all vaults; equal ones are joined."""
    by_place: dict[tuple[int, int], list[Entry]] = {}
    for vault in vaults:
        for match in vault.find(question, written_as_name=False):
            by_place.setdefault((match.start, match.end), []).extend(match.entries)
    kept: list[Match] = []
    for (start, end), entries in sorted(by_place.items(), key=lambda item: item[0][0] - item[0][1]):
        if all(end <= other.start or start >= other.end for other in kept):
            kept.append(Match(start, end, tuple(entries)))
    return sorted(kept, key=lambda m: m.start)


def _tokens(entries: Sequence[Entry]) -> str:
    return " or ".join(entry.pseudonym for entry in entries[:_MOST_NAMESAKES])
