"""The slots of templates: the label of each, and what fills it."""

from __future__ import annotations

from collections.abc import Callable

from desktop_rag.training.recogniser import dates, firms, identifiers, people, places
from desktop_rag.training.recogniser.source import Source

Filler = Callable[[Source, str], str]
"""From a source and a language, a value."""


def _title_words(source: Source, language: str) -> str:
    words = source.phrase(language, 2, 7).split()
    return " ".join(word if len(word) < 3 else word[0].upper() + word[1:] for word in words)


def _sentence(source: Source, language: str) -> str:
    phrase = source.phrase(language, 5, 16)
    return phrase[0].upper() + phrase[1:] + source.rng.choice("...?!:")


def _url(source: Source, language: str) -> str:
    host = source.word(language, 100) + source.word(language, 100)
    return (
        source.rng.choice(("www.", "https://www.", "http://", ""))
        + host
        + source.rng.choice((".com", ".org/", ".net/a"))
    )


def _date_range(source: Source, language: str) -> str:
    year = source.rng.randrange(1980, 2025)
    return f"{year}{source.rng.choice(('–', '-', ' - ', ' to '))}{year + source.rng.randrange(1, 9)}"


def _from_list(name: str) -> Filler:
    return lambda source, language: source.numbered(language, name)


SLOTS: dict[str, tuple[str | None, Filler]] = {
    "person": ("PERSON", people.full),
    "person_upper": ("PERSON", people.upper),
    "rev": ("PERSON", people.reverse),
    "first": ("PERSON", people.first),
    "last": ("PERSON", people.last),
    "last2": ("PERSON", people.surnames),
    "initials": ("PERSON", people.initials),
    "person_c": ("PERSON", lambda source, _: " ".join(people.in_case(source))),
    "first_c": ("PERSON", lambda source, _: people.in_case(source)[0]),
    "last_c": ("PERSON", lambda source, _: people.in_case(source)[1]),
    "person_g": ("PERSON", lambda source, _: people.some_in_case(source, "gen")),
    "person_d": ("PERSON", lambda source, _: people.some_in_case(source, "dat")),
    "person_a": ("PERSON", lambda source, _: people.some_in_case(source, "acc")),
    "person_i": ("PERSON", lambda source, _: people.some_in_case(source, "ins")),
    "person_l": ("PERSON", lambda source, _: people.some_in_case(source, "loc")),
    "title": ("TITLE", _from_list("title")),
    "title_c": ("TITLE", people.polish_title),
    "city": ("LOCATION", places.city),
    "country": ("LOCATION", places.country),
    "place": ("LOCATION", places.place),
    "postcode": ("LOCATION", places.postcode),
    "street": ("STREET_ADDRESS", lambda source, language: places.street(source, source.abroad(language))),
    "org": ("ORGANIZATION", firms.organisation),
    "org_upper": ("ORGANIZATION", firms.upper),
    "known": ("ORGANIZATION", _from_list("known")),
    "court_upper": ("ORGANIZATION", firms.court_in_capitals),
    "court_pl": ("ORGANIZATION", firms.polish_court),
    "job": ("PROFESSION", firms.job),
    "nrp": ("NRP", _from_list("nrp")),
    "demo": ("DEMOGRAPHIC", _from_list("demo")),
    "demo_es": ("DEMOGRAPHIC", firms.patient),
    "date": ("DATE_TIME", lambda source, language: dates.date(language, source.rng)),
    "time": ("DATE_TIME", lambda source, language: dates.time(language, source.rng)),
    "weekday": ("DATE_TIME", lambda source, language: dates.loose(language, source.rng)),
    "year": ("DATE_TIME", lambda source, _: str(source.rng.randrange(1900, 2030))),
    "month": ("DATE_TIME", _from_list("month")),
    "month_year": ("DATE_TIME", lambda s, language: f"{s.listed(language, 'month')} {s.rng.randrange(1990, 2030)}"),
    "date_range": ("DATE_TIME", _date_range),
    "age": ("AGE", lambda source, language: dates.age(language, source.rng)),
    "phone": ("PHONE_NUMBER", lambda source, language: identifiers.phone(language, source.rng)),
    "id": ("ID_NUMBER", lambda source, _: identifiers.number(source.rng)),
    "case": ("ID_NUMBER", lambda source, _: identifiers.case(source.rng)),
    "plate": ("ID_NUMBER", lambda source, language: identifiers.plate(language, source.rng)),
    "account": ("ID_NUMBER", lambda source, _: identifiers.account(source.rng)),
    "money": (None, lambda source, language: identifiers.money(language, source.rng)),
    "percent": (None, lambda s, _: f"{s.rng.randrange(100)}{s.rng.choice(('%', ' %', '.5%'))}"),
    "num": (None, lambda source, _: identifiers.figure(source.rng)),
    "word": (None, lambda source, language: source.word(language, 100)),
    "word2": (None, lambda source, language: source.word(language, 100)),
    "words": (None, lambda source, language: source.phrase(language, 2, 9)),
    "title_words": (None, _title_words),
    "upper_words": (None, lambda source, language: source.phrase(language, 2, 6).upper()),
    "salad0": (None, _sentence),
    "email": (None, people.email),
    "url": (None, _url),
    "user": (None, people.user),
    **{
        name: (None, _from_list(name))
        for name in ("saint", "saint2", "service", "product", "law", "term", "heading", "disease", "noun")
    },
}
