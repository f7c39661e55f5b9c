"""Firms, courts, offices and what people do there."""

from __future__ import annotations

import re

from desktop_rag.training.recogniser import people, places
from desktop_rag.training.recogniser.source import Source

_PART = re.compile(r"\{(\w+)\}")
_COURTS = ("HIGH COURT OF JUSTICE", "COUNTY COURT AT {}", "SUPREME COURT OF {}", "DISTRICT COURT OF {}")
_POLISH_COURTS = ("Sąd Rejonowy w {}", "Sąd Okręgowy w {}", "Sąd Apelacyjny w {}", "Sąd Najwyższy")
_LETTERS = "ABCDEFGHIKLMNOPRSTUVW"


def organisation(source: Source, language: str) -> str:
    """An organisation by one of the language's patterns."""
    pattern = source.listed(language, "org")
    return _PART.sub(lambda match: _part(match.group(1), source, language), pattern)


def _part(name: str, source: Source, language: str) -> str:
    pool, rng = source.pools[language], source.rng
    makers = {
        "n": lambda: str(rng.randrange(1, 120)),
        "first": lambda: people.first(source, language),
        "last": lambda: people.last(source, language),
        "word": lambda: source.word(language, 300, 6000).capitalize(),
        "word2": lambda: source.word(language, 300, 6000).capitalize(),
        "acro": lambda: "".join(rng.choice(_LETTERS) for _ in range(rng.randrange(2, 6))),
        "city": lambda: places.city(source, language),
        "company": lambda: rng.choice(pool.companies),
        "street": lambda: rng.choice(pool.streets),
    }
    return makers[name]() if name in makers else source.listed(language, name)


def upper(source: Source, language: str) -> str:
    """An organisation in capitals."""
    return organisation(source, language).upper()


def court_in_capitals(source: Source, language: str) -> str:
    """An English court as it heads a judgment."""
    return source.rng.choice(_COURTS).format(places.city(source, "en").upper())


def polish_court(source: Source, language: str) -> str:
    """A Polish court."""
    return source.rng.choice(_POLISH_COURTS).format(places.city(source, "pl"))


def job(source: Source, language: str) -> str:
    """What somebody does for a living."""
    value = source.rng.choice(source.pools[language].jobs)
    small = language in ("en", "fr", "es") and source.rng.random() < 0.5
    return value.lower() if small else value


def patient(source: Source, language: str) -> str:
    """How Spanish case reports begin."""
    return source.rng.choice(("Varón", "Mujer", "Paciente", "Hombre", "Niño", "Niña", "paciente"))
