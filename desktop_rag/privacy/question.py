"""A question on its way in: known people become their stand-ins, unknown ones are masked where it is stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from desktop_rag.privacy.finding import Detector, Finding
from desktop_rag.privacy.marks import Mark, laid_over
from desktop_rag.privacy.rules import Rules
from desktop_rag.privacy.scrub import Replacement, scrub
from desktop_rag.privacy.vault import Entry, Vault

_MOST_NAMESAKES = 3
_NO_RULES = Rules()
# What the documents of a vault say for a value of an entry, as it is written in the question.
Say = Callable[[Vault, Entry, str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class MappedQuestion:
    """`search_text` has stand-ins for known values; `stored_text` has masks for unknown ones too.

    `unknown`: values that look like personal data but are in no vault. They create no entry. `replaced`: known values
    as they were typed.
    """

    search_text: str
    stored_text: str
    unknown: tuple[str, ...]
    replaced: tuple[str, ...] = ()


def by_pseudonym(vault: Vault, entry: Entry, written: str) -> Sequence[str]:
    """Documents that hold pseudonyms."""
    return (entry.pseudonym,)


def map_question(
    question: str,
    vaults: Sequence[Vault],
    detector: Detector | None,
    say: Say = by_pseudonym,
    stand_ins: Sequence[tuple[int, int]] = (),
    rules: Rules = _NO_RULES,
) -> MappedQuestion:
    """Vaults first (any case, accents and possessives aside, longest match), then the detectors and the user's rules.

    A name that several people share becomes all of their stand-ins. Without a detector (every collection keeps
    personal data) nothing is masked. `stand_ins`: where the question itself speaks of somebody by a believable
    stand-in, read off the screen; those places stay as they are.
    """
    known = scrub(question, _replacements(question, vaults, say))
    replaced = tuple(question[r.start : r.end] for r in known.replacements)
    if detector is None:
        return MappedQuestion(known.text, known.text, (), replaced)
    settled = [*((r.start, r.end) for r in known.replacements), *stand_ins]
    found = [
        f
        for f in rules.apply(question, next(iter(detector.detect([question]))))
        if not any(start < f.end and f.start < end for start, end in settled)
    ]
    found = sorted([*found, *_always(question, rules, [*settled, *((f.start, f.end) for f in found)])], key=_start)
    unknown = tuple(question[f.start : f.end] for f in found)
    masked = [*known.replacements, *(Replacement(f.start, f.end, f"[{f.label}]") for f in found)]
    return MappedQuestion(known.text, scrub(question, masked).text, unknown, replaced)


def _always(question: str, rules: Rules, settled: Sequence[tuple[int, int]]) -> list[Finding]:
    """What is always replaced and not settled yet: of a term that says a known value too, the rest of it."""
    places = [Mark(start, end, "", 1.0, replace=True) for start, end in settled]
    terms = [Mark(f.start, f.end, f.label, 1.0, replace=False) for f in rules.always(question)]
    left = laid_over(question, terms, places)
    return [Finding(mark.start, mark.end, mark.label, 1.0) for mark in left if not mark.replace]


def _start(finding: Finding) -> int:
    return finding.start


def _replacements(question: str, vaults: Sequence[Vault], say: Say) -> list[Replacement]:
    """The longest matches over all vaults; what equal ones say is joined."""
    by_place: dict[tuple[int, int], list[str]] = {}
    for vault in vaults:
        for match in vault.find(question, written_as_name=False):
            written = question[match.start : match.end]
            said = by_place.setdefault((match.start, match.end), [])
            for entry in match.entries[:_MOST_NAMESAKES]:
                said += [item for item in say(vault, entry, written) if item not in said]
    kept: list[Replacement] = []
    for (start, end), said in sorted(by_place.items(), key=lambda item: item[0][0] - item[0][1]):
        if all(end <= other.start or start >= other.end for other in kept):
            kept.append(Replacement(start, end, " or ".join(said[:_MOST_NAMESAKES])))
    return sorted(kept, key=lambda r: r.start)
