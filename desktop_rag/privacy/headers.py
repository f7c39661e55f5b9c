"""Column names come beside the text of a page, so they are cleaned on their own, by what is known of their document."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from desktop_rag.privacy.finding import Finding
from desktop_rag.privacy.findings import MemoryRows
from desktop_rag.privacy.fold import words
from desktop_rag.privacy.rules import Rules
from desktop_rag.privacy.scrub import Policy, Replacement, replacement_token, scrub
from desktop_rag.privacy.vault import Entry, Vault

_NO_RULES = Rules()


class Headers:
    """Cleans the headers of one document: as its text was cleaned first, then by the detector and the rules."""

    def __init__(self, policy: Policy, rules: Rules = _NO_RULES) -> None:
        self._policy, self._rules = policy, rules
        self._values: dict[str, str] = {}
        self._kept: set[str] = set()
        self._own = Vault(MemoryRows())

    def replaced(self, label: str, value: str, token: str) -> None:
        """Note what stands for a value in the document's text."""
        self._values[value] = token
        self._own.resolve(label, value)

    def kept(self, label: str, value: str) -> None:
        """Note a value that stays in the text, be it that its reviewer wants so."""
        if self._rules.replaces(label, 1.0) or label == "POSSIBLE_NAME":
            self._kept.add(_folded(value))

    def cleaned(
        self,
        header: str,
        findings: Sequence[Finding],
        vault: Vault | None,
        nearby: Mapping[int, None],
        stand_in: Callable[[Entry, str], str] = lambda entry, _value: entry.pseudonym,
    ) -> str:
        """A header without the values replaced in the document, those in `vault`, and `findings` (of `Rules.apply`).

        `nearby`: the entries the document mentions, the last mentioned last. `stand_in`: what stands for a value of
        one of them.
        """
        places = {entry: place for place, entry in enumerate(nearby)}
        exact = list(self._exact(header))
        known = [
            *self._known(header, vault or self._own, places, stand_in),
            *(Replacement(f.start, f.end, "" if self._policy == "remove" else f"[{f.label}]") for f in findings),
        ]
        stays = self._kept - {_folded(value) for value in self._values}
        wanted = [r for r in known if _folded(header[r.start : r.end]) not in stays]
        return scrub(header, _joined([*exact, *wanted])).text

    def _exact(self, header: str) -> Iterator[Replacement]:
        for value in sorted(self._values, key=len, reverse=True):
            for match in re.finditer(rf"(?<!\w){re.escape(value)}(?!\w)", header):
                yield Replacement(match.start(), match.end(), self._values[value])

    def _known(
        self, header: str, vault: Vault, places: Mapping[int, int], stand_in: Callable[[Entry, str], str]
    ) -> Iterator[Replacement]:
        for match in vault.find(header, written_as_name=True):
            entry: Entry = max(match.entries, key=lambda e: places.get(e.id, -1))
            if self._rules.replaces(entry.label, 1.0):
                standing = stand_in(entry, header[match.start : match.end])
                yield Replacement(match.start, match.end, replacement_token(self._policy, entry.label, standing))


def _folded(value: str) -> str:
    return " ".join(word for word, _, _ in words(value))


def _joined(candidates: Sequence[Replacement]) -> list[Replacement]:
    """Replacements that overlap become one over all of them, with the token of the first in the list given."""
    order = {id(candidate): number for number, candidate in enumerate(candidates)}
    joined: list[tuple[Replacement, int]] = []
    for item in sorted(candidates, key=lambda r: r.start):
        number = order[id(item)]
        if not joined or item.start >= joined[-1][0].end:
            joined.append((item, number))
            continue
        last, held = joined[-1]
        token = last.token if held < number else item.token
        joined[-1] = (Replacement(last.start, max(last.end, item.end), token), min(held, number))
    return [item for item, _ in joined]
