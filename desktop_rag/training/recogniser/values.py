"""Names, places, firms and words for templates: pools drawn once from Faker's locales and from lists of frequent words.

A pool is cut in two by the hash of its values: those for training, and those that only the held-out texts show.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LANGUAGES = ("en", "de", "fr", "es", "pl", "it", "nl")
_LOCALES = {
    "en": ("en_US", "en_GB", "en_CA", "en_AU", "en_IE", "en_IN"),
    "de": ("de_DE", "de_AT", "de_CH"),
    "fr": ("fr_FR", "fr_CH", "fr_CA"),
    "es": ("es_ES", "es_MX", "es_CO", "es_CL", "es_AR"),
    "pl": ("pl_PL",),
    "it": ("it_IT",),
    "nl": ("nl_NL", "nl_BE"),
}
_ELSEWHERE = (
    "cs_CZ da_DK hu_HU ro_RO hr_HR sl_SI sk_SK sv_SE no_NO fi_FI et_EE lt_LT lv_LV tr_TR pt_BR pt_PT id_ID vi_VN en_NG "
    "yo_NG zu_ZA tw_GH fil_PH az_AZ sq_AL is_IS ga_IE mt_MT ru_RU uk_UA bg_BG el_GR en_KE en_PK en_TH"
).split()
_CYRILLIC = dict(
    zip(
        "абвгдежзийклмнопрстуфхцчшщъыьэюяіїєґ",
        "a b v g d e zh z i y k l m n o p r s t u f kh ts ch sh shch - y - e yu ya i yi ye g".split(),
        strict=True,
    )
)
_GREEK = dict(
    zip("αβγδεζηθικλμνξοπρστυφχψως", "a v g d e z i th i k l m n x o p r s t y f ch ps o s".split(), strict=True)
)
_LABELLED = ("title", "city", "country", "nrp", "demo", "known", "month")
"""The lists whose words carry labels: they are not among the words without."""
_HELD_OUT = 12
_NAMES_EACH = 1500


@dataclass(slots=True)
class Pools:
    """What templates are filled with in one language."""

    first: list[tuple[str, bool]] = field(default_factory=list)
    """Given names, each with whether it is a woman's."""
    last_m: list[str] = field(default_factory=list)
    last_f: list[str] = field(default_factory=list)
    cities: list[str] = field(default_factory=list)
    countries: list[str] = field(default_factory=list)
    streets: list[str] = field(default_factory=list)
    postcodes: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    """Whole addresses of several lines, as the locale writes them."""
    companies: list[str] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    lists: dict[str, list[str]] = field(default_factory=dict)


def load_pools(seed: int, *, held_out: bool) -> dict[str, Pools]:
    """The pools of every language, and those of the rest of the world under "world"."""
    pools = {language: _pools(language, seed, held_out) for language in LANGUAGES}
    pools["world"] = world = Pools()
    for number, locale in enumerate(_ELSEWHERE):
        fake = _faker(locale, seed + number)
        _people(world, fake, 250, held_out)
        world.addresses += _addresses(fake, 60, held_out)
    for locale in ("ja_JP", "zh_CN"):
        fake = _faker(locale, seed)
        world.first += [(fake.first_romanized_name(), number % 2 == 0) for number in range(150)]
        world.last_m += (more := [fake.last_romanized_name() for _ in range(150)])
        world.last_f += more
    from faker.providers.geo import Provider as Geo

    world.cities = [v for v in sorted({place[2] for place in Geo.land_coords}) if _mine(v, held_out)]
    for language in LANGUAGES:
        pools[language].words = _words(language, known_words(pools, language))
    return pools


def known_words(pools: dict[str, Pools], language: str) -> set[str]:
    """Words, in lower case, that are names somewhere, or carry a label in this language."""
    known = {name.lower() for pool in pools.values() for name, _ in pool.first}
    known |= {n.lower() for pool in pools.values() for n in (*pool.last_m, *pool.last_f, *pool.cities, *pool.countries)}
    return known | {v.lower() for name in _LABELLED for v in pools[language].lists.get(name, [])}


def _faker(locale: str, seed: int) -> Any:
    from faker import Faker

    fake = Faker(locale)
    fake.seed_instance(seed)
    return fake


def _mine(value: str, held_out: bool) -> bool:
    return (zlib.crc32(value.encode()) % _HELD_OUT == 0) == held_out


def _pools(language: str, seed: int, held_out: bool) -> Pools:
    pool = Pools()
    each = _NAMES_EACH // len(_LOCALES[language])
    for number, locale in enumerate(_LOCALES[language]):
        fake = _faker(locale, seed + 100 + number)
        _people(pool, fake, max(each, 400), held_out)
        _places(pool, fake, locale, each, held_out)
        pool.companies += [v for v in sorted({fake.company() for _ in range(each)}) if _mine(v, held_out)]
        if locale in ("en_US", "de_DE", "fr_FR", "es_ES", "pl_PL"):
            pool.jobs += sorted({fake.job().split(",")[0].split("/")[0] for _ in range(1500)})
    pool.lists = word_lists(language)
    for name, female in (("woman", True), ("man", False)):
        pool.first += [(n, female) for n in pool.lists.get(name, []) if _mine(n, held_out)]
    pool.cities += pool.lists.get("city", [])
    pool.jobs += pool.lists.get("job", [])
    pool.countries = sorted({*pool.countries, *pool.lists.get("country", [])})
    return pool


def word_lists(language: str) -> dict[str, list[str]]:
    """The project's own lists of a language, by the slot they fill."""
    path = Path(__file__).parent / "words" / f"{language}.json"
    return dict(json.loads(path.read_text(encoding="utf-8")))


def _people(pool: Pools, fake: Any, count: int, held_out: bool) -> None:
    women = {_latin(fake.first_name_female()) for _ in range(count)}
    men = {_latin(fake.first_name_male()) for _ in range(count)}
    pool.first += [(n, True) for n in sorted(women) if n and _mine(n, held_out)]
    pool.first += [(n, False) for n in sorted(men - women) if n and _mine(n, held_out)]
    female = getattr(fake, "last_name_female", fake.last_name)
    male = getattr(fake, "last_name_male", fake.last_name)
    pool.last_f += [n for n in sorted({_latin(female()) for _ in range(count)}) if n and _mine(n, held_out)]
    pool.last_m += [n for n in sorted({_latin(male()) for _ in range(count)}) if n and _mine(n, held_out)]


def _latin(name: str) -> str:
    """A name in Latin letters; "" where that is not known."""
    lowered = name.lower()
    for table in (_CYRILLIC, _GREEK):
        plain = "".join(c for c in lowered.replace("ά", "α").replace("έ", "ε").replace("ή", "η").replace("ί", "ι"))
        plain = plain.replace("ό", "ο").replace("ύ", "υ").replace("ώ", "ω")
        if any(c in table for c in plain):
            name = "".join(table.get(c, c) for c in plain).replace("--", "-").replace("-", "").title()
    return name if name and ord(max(name)) < 0x250 and not name.isupper() else ""


def _places(pool: Pools, fake: Any, locale: str, count: int, held_out: bool) -> None:
    pool.streets += [v for v in sorted({fake.street_name() for _ in range(count)}) if _mine(v, held_out)]
    pool.postcodes += [fake.postcode() for _ in range(200)]
    pool.addresses += _addresses(fake, count, held_out)
    if locale not in ("en_US", "en_CA", "en_AU", "en_IE") or count:
        pool.cities += [v for v in sorted({fake.city() for _ in range(count)}) if _mine(v, held_out)]
    if locale != "pl_PL":
        pool.countries += sorted({fake.country() for _ in range(400)})


def _addresses(fake: Any, count: int, held_out: bool) -> list[str]:
    """Addresses in Latin letters."""
    found = sorted({fake.address() for _ in range(count)})
    return [value for value in found if ord(max(value)) < 0x250 and _mine(value, held_out)]


def _words(language: str, known: set[str]) -> list[str]:
    """The language's frequent words, the most frequent first, without those that are names."""
    from wordfreq import top_n_list

    return [w for w in top_n_list(language, 30000) if w.isalpha() and (len(w) < 4 or w not in known)]
