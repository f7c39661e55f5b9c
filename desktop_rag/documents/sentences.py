"""Where sentences begin and end, by rules: for chunks that must not cut one, and for citations.

Offsets only; the text is never changed. The rules know common abbreviations (English, with the
most frequent German and French ones), initials, decimals, list lines, quotation marks, and the
full stops of Chinese, Japanese and Indic scripts. Line breaks alone end nothing, because text
taken from a PDF is wrapped; blank lines and lines that begin with a bullet do.
"""

from __future__ import annotations

import re

from desktop_rag.documents.paragraphs import strip_span

_CLOSERS = r"[\"'”’»›)\]}」』）】〉》]*"
_BOUNDARY = re.compile(
    r"(?P<blank>(?>\r\n?|\n)[^\S\r\n]*(?:\r\n?|\n)|\f)"
    r"|(?P<bullet>(?:\r\n?|\n)(?=[^\S\r\n]*(?:[-*+•‣▪◦●·–—]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)])[^\S\r\n]))"
    rf"|(?P<wide>[。！？｡]+{_CLOSERS})"
    # Only from the first mark of a run, so that a long leader of dots costs one look, not one per dot.
    rf"|(?P<stop>(?<![.!?…؟۔।॥։])[.!?…؟۔।॥։]++{_CLOSERS})(?=\s)"
)
_LAST_WORD = re.compile(r"[^\s(\[{\"'“‘«]*$")
_NEXT = re.compile(r"\s*[\"'“‘«(\[]*(\w*)")
_INITIALS = re.compile(r"(?:[^\W\d_]\.)+")
_NUMBER = re.compile(r"\d{1,3}")

# Always followed by what they introduce, so their full stop never ends a sentence.
_TITLES = frozenset(
    "mr mrs ms mx dr prof rev hon gen col maj capt lt sgt cmdr gov sen rep pres supt messrs mme mlle st mt ft "
    "e.g i.e z.b d.h u.a vs v cf viz bzgl bzw ca approx hr fr frl dipl ing abs nr str".split()
)
# An abbreviation only before a number: "No. 5", "Art. 12", "pp. 3"; elsewhere an ordinary word or an end.
_BEFORE_NUMBER = frozenset(
    "no nos art arts sec secs fig figs eq eqs tab ch chap vol vols p pp par para paras cl ex app ref refs s ss r "
    "jan feb mar apr jun jul aug sep sept oct nov dec ver".split()
)
# Often last in a sentence: an end only when the next word looks like a beginning.
_MAYBE_LAST = frozenset(
    "etc inc ltd co corp llc plc jr sr al esq bros dept univ est ave blvd rd a.m p.m u.s u.k u.s.a u.n e.u d.c "
    "ph.d m.d b.a m.a usw usf".split()
)
_STARTERS = frozenset(
    "the a an it its he she they we you i this that these those there in on at for from if when while after before "
    "but and or so however as our their his her no all some many most each every such what who why how where please "
    "der die das ein eine es er sie wir le la les il elle nous vous".split()
)
_MONTHS = frozenset("januar februar märz april mai juni juli august september oktober november dezember".split())


def sentences(text: str) -> list[tuple[int, int]]:
    """Offsets (start, end) of the sentences: ordered, stripped, disjoint, covering every non-white character."""
    spans: list[tuple[int, int]] = []
    at = 0
    for match in _BOUNDARY.finditer(text):
        if match.lastgroup == "stop" and not _ends(text, at, match):
            continue
        cut = match.end() if match.lastgroup in ("stop", "wide") else match.start()
        start, end = strip_span(text, at, cut)
        if start < end:
            spans.append((start, end))
        at = cut
    start, end = strip_span(text, at, len(text))
    if start < end:
        spans.append((start, end))
    return spans


def _ends(text: str, begin: int, match: re.Match[str]) -> bool:
    """Whether the punctuation found after a word closes a sentence that began at `begin`."""
    following = _NEXT.match(text, match.end())
    word = following.group(1) if following else ""
    if word[:1].islower():
        return False
    if not match.group().startswith(".") or match.group().startswith(".."):
        return True
    # Sixty characters hold any abbreviation, and bound the work on text without spaces.
    before = _LAST_WORD.search(text[max(begin, match.start() - 60) : match.start()])
    token = before.group() if before else ""
    alone = match.start() - begin < 60 and text[begin : match.start()].strip() == token
    return not _abbreviates(token, word, alone)


def _abbreviates(token: str, following: str, alone: bool) -> bool:
    """Whether `token` + "." is an abbreviation, initial or list number (`alone`) rather than a last word."""
    folded = token.casefold()
    starter = following.casefold() in _STARTERS
    if folded in _TITLES:
        return True
    if folded in _BEFORE_NUMBER and (following[:1].isdigit() or (following and set(following) <= set("IVXLC"))):
        return True
    if folded in _MAYBE_LAST:
        return not starter
    if _NUMBER.fullmatch(token):
        return alone or following.casefold() in _MONTHS
    if _INITIALS.fullmatch(token + "."):
        return token[-1].isupper() and not starter
    return False
