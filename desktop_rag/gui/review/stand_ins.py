"""What a value becomes, for the eyes of who reviews it. Pure."""

from __future__ import annotations

from desktop_rag.gui.review.decisions import Decisions, Span

_LEAST = 5
_KINDS = {
    "PERSON": "a name like it",
    "POSSIBLE_NAME": "a name like it",
    "EMAIL_ADDRESS": "an address like it",
    "STREET_ADDRESS": "an address like it",
    "URL": "a link like it",
}


def stand_in(decisions: Decisions, span: Span) -> tuple[str, bool]:
    """What will stand for a value where stand-ins are believable, and whether it is settled; "" under other policies.

    Until it is settled only its kind is known: what it will be depends on the documents indexed before.
    """
    if decisions.policy != "substitute" or not span.replace:
        return "", False
    return (span.replacement, True) if span.replacement else (_kind(span), False)


def _kind(span: Span) -> str:
    if span.label in _KINDS:
        return _KINDS[span.label]
    inside = [char for char in span.text if char.isalnum()]
    if len(inside) < _LEAST:
        # What is so short gets its type and a number.
        return "a stand-in"
    return "a number like it" if 2 * sum(map(str.isdecimal, inside)) >= len(inside) else "words like it"
