"""People's names as they are written: in full, by initials, surname first, in Polish cases, in addresses of mail."""

from __future__ import annotations

from desktop_rag.training.recogniser.polish import CASES, declined
from desktop_rag.training.recogniser.source import Source
from desktop_rag.training.recogniser.values import LANGUAGES

_AFTER = (" Jr.", " MD", ", PhD", " DDS", " III", " Esq.", ", Jr.", " Sr.")
_POLISH_TITLES = ("Panem", "Panią", "Pana", "Pani", "Panu", "dr", "prof.")


def parts(source: Source, language: str) -> tuple[str, str, bool]:
    """Given name, surname, whether it is a woman; now and then from elsewhere in the world."""
    pools, rng = source.pools, source.rng
    kind = rng.random()
    pool = pools[language] if kind < 0.72 else pools["world"] if kind < 0.88 else pools[rng.choice(LANGUAGES)]
    first, female = rng.choice(pool.first)
    last = rng.choice(pool.last_f if female else pool.last_m)
    if rng.random() < 0.05:
        last = f"{last}-{rng.choice(pool.last_f if female else pool.last_m)}"
    if language == "es" and rng.random() < 0.55 and " " not in last:
        last = f"{last} {rng.choice(pools['es'].last_m)}"
    return first, last, female


def full(source: Source, language: str) -> str:
    """A whole name in one of the ways to write it."""
    first, last, _ = parts(source, language)
    kind = source.rng.random()
    if kind < 0.76:
        name = f"{first} {last}"
    elif kind < 0.83:
        name = f"{first} {source.rng.choice(source.pools[language].first)[0]} {last}"
    elif kind < 0.88:
        name = f"{first} {source.capital()}. {last}"
    elif kind < 0.93:
        name = f"{first[0]}. {last}"
    elif kind < 0.95:
        name = f"{first[0]}.{source.capital()}. {last}"
    elif kind < 0.98:
        name = f"{first} {last}".upper()
    else:
        name = f"{last} {first}"
    return name + source.rng.choice(_AFTER) if language == "en" and source.rng.random() < 0.04 else name


def upper(source: Source, language: str) -> str:
    """A whole name in capitals."""
    first, last, _ = parts(source, language)
    return f"{first} {last}".upper()


def reverse(source: Source, language: str) -> str:
    """Surname first, with a comma."""
    first, last, _ = parts(source, language)
    return f"{last.upper() if source.rng.random() < 0.2 else last}, {first}"


def first(source: Source, language: str) -> str:
    """A given name."""
    return parts(source, language)[0]


def last(source: Source, language: str) -> str:
    """A surname."""
    return parts(source, language)[1]


def surnames(source: Source, language: str) -> str:
    """Two surnames, as in Spain."""
    pool = source.pools[language].last_m
    return f"{source.rng.choice(pool)} {source.rng.choice(pool)}"


def initials(source: Source, language: str) -> str:
    """Two capitals with points."""
    return f"{source.capital()}.{source.rng.choice(('', ' '))}{source.capital()}."


def in_case(source: Source, case: str | None = None) -> tuple[str, str]:
    """A Polish given name and surname in a case; None: any but the first."""
    given, family, female = parts(source, "pl")
    chosen = case or source.rng.choice(CASES)
    return declined(given, chosen, female), declined(family, chosen, female)


def some_in_case(source: Source, case: str) -> str:
    """A Polish name in a case, whole or one part of it."""
    given, family = in_case(source, case)
    return source.rng.choice((f"{given} {family}", f"{given} {family}", family, given))


def polish_title(source: Source, language: str) -> str:
    """A Polish form of address in any case."""
    return source.rng.choice(_POLISH_TITLES)


def email(source: Source, language: str) -> str:
    """An address of mail."""
    given, family, _ = parts(source, language)
    boxes = (f"{given}.{family}", f"{given}{source.rng.randrange(99)}", f"{given[0]}{family}", f"info.{family}")
    box = source.rng.choice(boxes).lower().replace(" ", "")
    return f"{box}@{source.word(language, 100)}.{source.rng.choice(('com', 'org', 'net', 'pl', 'de', 'es', 'co.uk'))}"


def user(source: Source, language: str) -> str:
    """A user's name in a chat."""
    given, family, _ = parts(source, language)
    return f"{given}{source.rng.choice(('_', '', '.'))}{family[:3]}".lower()
