"""All packs; each finds something in every text, whatever its language."""

from __future__ import annotations

from desktop_rag.privacy.patterns import (
    accounts,
    addresses,
    contact,
    dates,
    de,
    es,
    files,
    fr,
    identity,
    it,
    measures,
    nl,
    nrp,
    pl,
    records,
    secrets,
    titles,
    uk,
    us,
)
from desktop_rag.privacy.patterns.pattern import Pattern

_MODULES = (
    *(contact, accounts, identity, records, secrets, files, addresses, dates, measures, titles, nrp),
    *(us, uk, de, fr, es, it, nl, pl),
)

ALL: tuple[tuple[Pattern, ...], ...] = tuple(module.PATTERNS for module in _MODULES)
