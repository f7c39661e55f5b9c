"""From what the finders say to what holds: edges trimmed, what cannot be personal data dropped, overlaps joined."""

from __future__ import annotations

import re
from collections.abc import Iterable

from desktop_rag.privacy.birth import births
from desktop_rag.privacy.classes import replaced_by_default
from desktop_rag.privacy.finding import Finding, disjoint
from desktop_rag.privacy.fold import fold
from desktop_rag.privacy.names import ADDRESS, PARTICLES, Mailboxes, is_given_name, is_misread_person, mailboxes
from desktop_rag.privacy.whole import whole

_TITLE = r"(?:Mr|Mrs|Ms|Miss|Dr|Prof|Herr|Frau|Mme|Madame|Monsieur|Señor|Señora|Sr|Sra)\.?"
_TITLE_START = re.compile(rf"{_TITLE}\s+")
_CAPITAL = "[A-ZÀ-ÞĆČĎĐĘĚĞİŁŃŇŘŚŞŠŤŮŹŻŽ]"
_WORD = rf"(?:{_CAPITAL}\.(?:-?{_CAPITAL}\.)*|(?:[dl]['’]|[ae]l-)?{_CAPITAL}[\w'’-]*)"
_PARTICLES = rf"(?:(?:{'|'.join(PARTICLES.split())})[ \u00a0\n])"
# A name is broken after a title or around a particle; what else a line begins with may be somebody's office.
_TITLED = re.compile(
    rf"\b{_TITLE}[ \u00a0\n](?P<name>{_PARTICLES}*{_WORD}"
    rf"(?:[ \u00a0]{_WORD}|[ \u00a0\n]{_PARTICLES}+{_WORD}){{0,3}})"
)
_EDGE = " \t\n\r.,;:!?\"'()[]{}<>“”‘’«»*_|/\\-–—"
_POSSESSIVE = re.compile(r"['’]s?$")
_NOT_A_NAME = re.compile(r"[@#$%+=<>{}\\]|^[^\W\d_]?$")
# What stands between two names, or between a name and its date, number, address or the rest of a table's row.
_BETWEEN_NAMES = re.compile(r"\s*[/&,|;]\s*|\s+and\s+|\S*[\d@]\S*")
_SMALL_START = re.compile(rf"(?!(?:{'|'.join(PARTICLES.split())})\b)(?P<word>[a-zà-ÿ][\w'’-]*)\s+")
# "the Buyer" is a term; "dear Rivera" is not.
_ARTICLES = frozenset("the a an this that these those each any every no such our your their its his her".split())
_SURE_OF_SMALL = 0.8
# "Invoice number 7" is nobody's.
_FEWEST_IN_NUMBER = 3
# What is longer has no spaces, or is no name: it stays whole, for looking into it takes quadratic time.
_LONGEST = 1_000
_DECIMAL = re.compile(r"(?<!\S)\d{1,3}\.\d{1,2}(?!\S)")


def sift(text: str, findings: Iterable[Finding]) -> list[Finding]:
    """Trim edges, drop what cannot be personal data, add names after titles, and join what overlaps."""
    boxes = mailboxes(text)
    found = [finding for given in findings for finding in _likely(text, given, boxes)]
    # Presidio wants a registered top-level domain; an address at an unknown one is an address all the same.
    found += [Finding(m.start(), m.end(), "EMAIL_ADDRESS", 0.95) for m in ADDRESS.finditer(text)]
    found += [Finding(m.start("name"), m.end("name"), "PERSON", 0.9) for m in _TITLED.finditer(text)]
    found = births(text, [t for f in found if (t := _trim(text, f)) is not None])
    # What will be replaced goes before what is kept, else a date could shelter a phone number.
    kept = _joined(f for f in found if replaced_by_default(f.label))
    weak = [f for f in found if not replaced_by_default(f.label)]
    return whole(text, disjoint(kept, sorted(weak, key=lambda f: (-f.score, f.start - f.end, f.start))))


def _likely(text: str, finding: Finding, boxes: Mailboxes) -> list[Finding]:
    """What remains of a recogniser's finding: one, several where names are joined, or nothing."""
    value = text[finding.start : finding.end]
    if finding.label == "PERSON":
        return _names(text, finding)
    if finding.label == "PHONE_NUMBER" and not _is_phone(value):
        return []
    if finding.label == "RECORD_NUMBER" and sum(map(str.isalnum, value)) < _FEWEST_IN_NUMBER:
        return []
    if finding.label == "ORGANIZATION" and is_misread_person(value.strip(_EDGE), boxes):
        return [Finding(finding.start, finding.end, "PERSON", finding.score)]
    return [finding]


def _is_phone(value: str) -> bool:
    """Whether it is not merely the figures of a table's neighbouring lines or columns."""
    return not _DECIMAL.search(value) and ("\n" not in value.strip() or value.lstrip().startswith(("+", "(")))


def _names(text: str, finding: Finding) -> list[Finding]:
    """The names in a PERSON finding; beside a figure often stands a caption, so a lone word must be a known one."""
    if finding.end - finding.start > _LONGEST:
        return [finding]
    gaps = [(m.start(), m.end()) for m in _BETWEEN_NAMES.finditer(text, finding.start, finding.end)]
    starts = [finding.start, *(end for _, end in gaps)]
    ends = [*(start for start, _ in gaps), finding.end]
    figures = any(c.isdigit() for c in text[finding.start : finding.end])
    return [
        Finding(start, end, "PERSON", finding.score)
        for start, end in zip(starts, ends, strict=True)
        if not figures or len(text[start:end].split()) > 1 or is_given_name(text[start:end].strip(_EDGE))
    ]


def _joined(findings: Iterable[Finding]) -> list[Finding]:
    """Findings that overlap become one over all of them, named by the surest: no tail of a value stays behind."""
    joined: list[Finding] = []
    for finding in sorted(findings, key=lambda f: f.start):
        last = joined[-1] if joined else None
        if last is None or finding.start >= last.end:
            joined.append(finding)
            continue
        surest = max(last, finding, key=lambda f: (f.score, f.end - f.start))
        joined[-1] = Finding(last.start, max(last.end, finding.end), surest.label, surest.score)
    return joined


def _small_name(text: str, finding: Finding) -> Finding | None:
    """A name in small letters, as people type them, where it is beyond doubt."""
    value = text[finding.start : finding.end]
    first = value.split()[0] if value else ""
    doubtful = finding.score < _SURE_OF_SMALL or first in _ARTICLES or _NOT_A_NAME.search(value)
    return None if doubtful or fold("PERSON", f"{value} x") == "x" else finding


def _trim(text: str, finding: Finding) -> Finding | None:
    start, end = finding.start, finding.end
    if finding.label == "SECRET":
        # Any sign may be part of a password.
        return finding
    # Phone numbers may begin with a bracket, names do not.
    opening = "" if finding.label == "PERSON" else "([+"
    while start < end and text[start] in _EDGE and text[start] not in opening:
        start += 1
    while end > start and text[end - 1] in _EDGE:
        end -= 1
    if finding.label == "PERSON":
        possessive = _POSSESSIVE.search(text[start:end])
        end -= len(possessive.group()) if possessive else 0
        if title := _TITLE_START.match(text, start, end):
            start = title.end()
        if text[start:end].islower():
            return _small_name(text, Finding(start, end, finding.label, finding.score))
        while small := _SMALL_START.match(text, start, end):
            if small["word"] in _ARTICLES:
                return None
            start = small.end()
        value = text[start:end]
        if _NOT_A_NAME.search(value) or fold("PERSON", f"{value} x") == "x":
            return None
    return Finding(start, end, finding.label, finding.score) if end > start else None
