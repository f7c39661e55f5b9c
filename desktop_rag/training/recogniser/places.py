"""Towns, countries, postcodes and streets."""

from __future__ import annotations

from desktop_rag.training.recogniser.source import Source

_STREETS = {
    "en": "{} Street|{} Road|{} Ave|{} Lane|{} Avenue|{} Drive|{} Blvd|{} St|{} Way|{} Crescent|{} Square|{} Hill",
    "de": "{}straße|{}str.|{}weg|{}platz|{}allee|Am {}|{}gasse|An der {}",
    "fr": "rue {}|rue de {}|avenue {}|boulevard {}|place {}|chemin de {}|allée {}|impasse {}",
    "es": "Calle {}|C/ {}|Avda. {}|Avenida de {}|Plaza {}|Paseo {}|C/. {}|Ctra. {}|Camino de {}|Ronda {}",
    "pl": "ul. {}|al. {}|pl. {}|os. {}|ulica {}|ul. {}iego",
    "it": "Via {}|Viale {}|Piazza {}|Corso {}|via {}|Vicolo {}|Largo {}",
    "nl": "{}straat|{}weg|{}laan|{}plein|{}kade|{}singel|{}hof",
}
_FLATS = {
    "en": " Apt. {n}|, Flat {n}| Suite {n}|, Unit {n}| #{n}|, {n}th floor",
    "de": ", {d}. OG|, App. {n}| Hinterhaus",
    "fr": ", appt {n}| bis| ter|, bât. B",
    "es": ", {d}º B|, {d}ºA|, {d}-{n}|, bajo|, piso {d}|, esc. 2",
    "pl": "/{n}| m. {n}| lok. {n}",
    "it": " int. {n}|, scala B| Piano {d}",
    "nl": "-{n}| bis| II|a",
}
_STATES = ("NY", "CA", "TX", "Ohio", "Kent", "NSW", "IL", "FL", "Ontario")


def city(source: Source, language: str) -> str:
    """A town, a region, a river; a known one, the locale's or one from anywhere."""
    kind = source.rng.random()
    pool = source.pools[source.abroad(language)]
    if kind < 0.35:
        return source.rng.choice(pool.lists["city"])
    return source.rng.choice(pool.cities if kind < 0.85 else source.pools["world"].cities)


def country(source: Source, language: str) -> str:
    """A country."""
    return source.rng.choice(source.pools[language].countries)


def place(source: Source, language: str) -> str:
    """A town or a country."""
    return (city if source.rng.random() < 0.7 else country)(source, language)


def postcode(source: Source, language: str) -> str:
    """A postcode."""
    return source.rng.choice(source.pools[language].postcodes)


def street(source: Source, language: str) -> str:
    """A street with its number, a flat now and then."""
    rng, pool = source.rng, source.pools[language]
    name = rng.choice(pool.streets)
    if rng.random() < 0.12:
        # Streets are called after people, places and things.
        name = rng.choice(_STREETS[language].split("|")).format(rng.choice((*pool.last_m[:200], *pool.cities[:200])))
    number = str(rng.randrange(1, 300)) + rng.choice(("", "", "", "a", "B", "/4", "-12"))
    if language == "en":
        text = f"{rng.randrange(1, 99999 if rng.random() < 0.3 else 300)} {name}"
    elif language == "fr":
        text = f"{number} {name}"
    else:
        text = f"{name}{rng.choice((', ', ' ')) if language == 'it' else ' '}{number}"
    if rng.random() > 0.22:
        return text
    return text + rng.choice(_FLATS[language].split("|")).format(n=rng.randrange(1, 60), d=rng.randrange(1, 9))


def whole_address(source: Source, language: str) -> str:
    """An address as a locale writes it, in several lines; now and then one from anywhere."""
    own = source.pools[source.abroad(language)].addresses
    return source.rng.choice(source.pools["world"].addresses if source.rng.random() < 0.12 else own)


def town(source: Source, language: str) -> str:
    """What follows a street in an address."""
    rng, code, name = source.rng, postcode(source, language), city(source, language)
    if rng.random() < 0.25:
        return name
    if language != "en":
        return rng.choice((f"{code} {name}", f"{code} {name}", f"{name}, {code}"))
    return rng.choice((f"{name}, {rng.choice(_STATES)} {code}", f"{name} {code}", f"{name}, {code}", f"{name}\n{code}"))
