"""What belongs together is one finding: an address with its flat, postcode and town, an office with what it is of.

A town that stands alone may stay in a text; as part of somebody's address it goes with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from desktop_rag.privacy.finding import Finding

_UNIT = (
    r"(?:apt|apartment|suite|ste|unit|flat|floor|fl|room|rm|no|nr|box|p\.?o\.? ?box|app|appt|bât|whg|og|piso|esc|puerta"
    r"|int|interno|scala|bus|m|lok|lokal)\.?[ ]?#?[ ]?\w{1,6}|\#[ ]?\w{1,6}"
)
_POSTCODE = (
    r"\d{5}(?:-\d{4})?|\d{2}-\d{3}|\d{4}(?:[ ]?[A-Z]{2})?|[A-Z]{1,2}\d[A-Z\d]?[ ]?\d[A-Z]{2}|[A-Z]\d[A-Z][ ]?\d[A-Z]\d"
)
_STATE = rf"[A-Z]{{2,3}}[ ](?:{_POSTCODE})"
_GAP = r"[ \t]*[,;]?[ \t]*\n?[ \t]*"
_TAIL = re.compile(rf"{_GAP}(?<![^\W\d_])(?:{_STATE}|{_POSTCODE}|(?i:{_UNIT}))(?![\w-])")
_TO_TOWN = re.compile(rf"{_GAP}\Z")
_MOST_GAP = 8
_SPACES = (" ", "\u00a0")
_MOST_NAMES = 5
_OF = re.compile(
    r"\s+(?:of|of the|for|for the|at|in|de|de la|del|de los|du|des|de l['’]|für|der|des|van|van de|di|della|dell['’]"
    r"|w|we|im\.?|ds\.)\s*\Z"
)


def whole(text: str, findings: Sequence[Finding]) -> list[Finding]:
    """The findings (sorted, without overlaps), those that belong together joined."""
    return list(_offices(text, list(_addresses(text, list(_names(text, findings))))))


def _names(text: str, findings: Sequence[Finding]) -> Iterator[Finding]:
    """Given name and surname with nothing but a space between them are one person."""
    held: Finding | None = None
    for finding in findings:
        if held is not None and finding.label == "PERSON" and held.label in ("PERSON", "POSSIBLE_NAME"):
            value = text[held.start : finding.end]
            if text[held.end : finding.start] in _SPACES and len(value.split()) <= _MOST_NAMES:
                held = Finding(held.start, finding.end, "PERSON", max(held.score, finding.score))
                continue
        if held is not None:
            yield held
        held = finding
    if held is not None:
        yield held


def _addresses(text: str, findings: Sequence[Finding]) -> Iterator[Finding]:
    rest = list(reversed(findings))
    while rest:
        finding = rest.pop()
        if finding.label == "STREET_ADDRESS":
            finding = _with_tail(text, finding, rest)
        yield finding


def _with_tail(text: str, address: Finding, rest: list[Finding]) -> Finding:
    """The address as far as it goes; findings that it takes in leave `rest`, whose last is the next one."""
    while True:
        end = address.end
        following = rest[-1] if rest else None
        if following and following.label in ("STREET_ADDRESS", "LOCATION") and _close(text, end, following.start):
            rest.pop()
            end = following.end
        elif (tail := _TAIL.match(text, end)) and (following is None or tail.end() <= following.start):
            end = tail.end()
        if end == address.end:
            return address
        address = Finding(address.start, end, address.label, address.score)


def _close(text: str, end: int, start: int) -> bool:
    return start - end <= _MOST_GAP and _TO_TOWN.match(text[end:start]) is not None


def _offices(text: str, findings: Sequence[Finding]) -> Iterator[Finding]:
    """“Supreme Court” and “Norway” with nothing but “of” between them are one."""
    held: Finding | None = None
    for finding in findings:
        joins = held is not None and held.label == "ORGANIZATION" and finding.label in ("ORGANIZATION", "LOCATION")
        if held is not None and joins and _OF.match(text[held.end : finding.start]):
            held = Finding(held.start, finding.end, held.label, max(held.score, finding.score))
            continue
        if held is not None:
            yield held
        held = finding
    if held is not None:
        yield held
