"""Ages and amounts of money."""

from __future__ import annotations

import re

from desktop_rag.privacy.fold import fold_word
from desktop_rag.privacy.patterns.pattern import COLON, At, Pattern, cues, either, first_word, words

_S = r"[ \u00a0\u202f\n]"
_AGE = r"(?:1[01]\d|[1-9]?\d)"
_YEARS = (
    r"(?i:years?|yrs?|jahren?|jahre?|ans|años|anni|jaar|lat|lata|rok|roku|months?|meses|mois|mesi|maanden|miesięcy)"
)
_BEFORE_AGES = (
    "aged, age, ages, age of, alter, alter von, âgé de, âgée de, agé de, âge, âge de, edad, edad de, età, età di, di"
    " anni, leeftijd, leeftijd van, wiek, wieku, lat, liczy, liczący, licząca, ukończone, turned"
).split(", ")
_CURRENCY = words(
    "eur euro euros usd dollar dollars gbp pound pounds sterling pln zł zl złoty złote złotych złotego chf franken"
    " franc francs pesetas peseta lire lira cent cents centimes grosz groszy groszy jpy yen inr rupees sek nok dkk czk"
    " kč huf forint forints rub rubles roubles uah hryvnias try liras aud cad ron lei bgn leva hrk kuna rsd dinars ats"
    " schilling schillings kroner kronor kronas koruna koruny zlotys tolars drachmas escudos dem frf itl esp nlg"
    " guilders mark marks"
)
_NUMBER = r"(?:\d{1,3}(?:[ .,'’\u00a0\u202f]\d{3}){1,5}(?:[.,]\d{1,2})?|\d{1,15}(?:[.,]\d{1,2})?)"
_TIMES = (
    r"(?:[ \u00a0-]?(?i:million(?:s|en|i)?|millones|mill[óo]n|billions?|thousand|hundred|milliards?|milliarden?|mio\.?"
    r"|mrd\.?|mln|mld|tys\.?|tsd\.?|bn|mil|mila|miljoen|miljard|k|m)(?=[ \u00a0€$£.,;)]|$))?"
)
_WHOSE = (
    "(?:US|Danish|Swedish|Norwegian|Swiss|Canadian|Australian|Czech|Polish|Turkish|Russian|French|German|Italian"
    "|Spanish|Cypriot|Slovak|Slovenian|Maltese|Ukrainian|Croatian|Hungarian|Bulgarian|Romanian|Belgian|Austrian|new)"
)
_CODES = (
    "usd eur gbp pln chf jpy cny inr sek nok dkk czk huf rub uah try trl aud cad nzd ron rol bgn bgl hrk rsd ats dem"
    " frf itl esp nlg bef pte iep fim grd skk sit eek lvl ltl mtl cyp isk gel azn amd mdl mkd bam all ils zar brl mxn"
)
# "fifteen thousand euros", "two million liras"
_SPELT = (
    "one two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty sixty seventy"
    " eighty ninety hundred thousand half several"
)
_SIGN = "[$€£¥]"


def _is_money(value: str) -> bool:
    parts = re.findall(r"[^\W\d_]+", value)
    return value[-1] in "$€£¥" or (bool(parts) and fold_word(parts[-1]) in _CURRENCY)


PATTERNS = (
    # "34 years old", "34-year-old", "34 Jahre alt", "34 ans"
    Pattern(
        "AGE",
        re.compile(
            rf"(?<![\w.,/-]){_AGE}[ \u00a0-]{_YEARS}[ \u00a0-](?i:old|alt|d['’]âge|de edad|di età|oud|of age)(?!\w)"
        ),
        0.9,
        At.NUMBER,
    ),
    Pattern(
        "AGE",
        re.compile(
            rf"(?<![\w.,/-]){_AGE}[ \u00a0]?(?i:y/?o|yo|-jährige[rnsm]?|-jarige|-letni\w{{0,3}}|latek|anni)(?!\w)"
        ),
        0.7,
        At.NUMBER,
    ),
    Pattern(
        "AGE",
        re.compile(rf"(?<![\w.,/-]){_AGE}[ \u00a0](?i:ans|años|jahre|anni|lat)(?!\w)"),
        0.5,
        At.NUMBER,
        None,
        words(
            "âgé âgée homme femme patient patiente enfant paciente hombre mujer varón niño niña edad señor señora wiek"
            " wieku kobieta mężczyzna pacjent pacjentka età uomo donna paziente alter mann frau patientin"
        ),
        0.9,
    ),
    Pattern(
        "AGE",
        re.compile(
            rf"{either(_BEFORE_AGES)}(?!\w)(?:{COLON}|{_S}(?:between|von|de|of|from)?{_S}?)"
            rf"(?P<value>{_AGE}(?:{_S}(?:and|to|und|bis|et|y|i|do|or){_S}{_AGE})?(?:{_S}{_YEARS})?)"
            rf"(?![\w%]|[.,:/-]\d|{_S}?[%€$£])"
        ),
        0.8,
        cues(" ".join(first_word(name) for name in _BEFORE_AGES)),
    ),
    Pattern("AGE", re.compile(rf"I(?:['’]m| am)[ ](?P<value>{_AGE})(?=[.,;!?]|[ ]and\s|\Z)"), 0.6, cues("i")),
    Pattern("QUANTITY", re.compile(rf"(?<![^\W_])[A-Z]{{0,3}}{_SIGN}[ \u00a0]?{_NUMBER}{_TIMES}(?!\w)"), 0.6, At.MONEY),
    Pattern(
        "QUANTITY",
        re.compile(rf"[A-Z]{{3}}[ \u00a0]?{_NUMBER}{_TIMES}(?!\w)"),
        0.6,
        cues(_CODES),
    ),
    Pattern(
        "QUANTITY",
        re.compile(
            rf"(?<![\w.,/-])(?<!\d[ \u00a0\u202f]){_NUMBER}{_TIMES}"
            rf"(?:{_S}?{_SIGN}|(?:{_S}{_WHOSE})?{_S}[^\W\d_]{{2,10}}(?!\w))"
        ),
        0.55,
        At.NUMBER,
        _is_money,
    ),
    Pattern(
        "QUANTITY",
        re.compile(
            rf"(?:[^\W\d_]{{3,9}}[ \u00a0-]){{0,3}}(?i:hundred|thousand|million|billion)(?:{_S}{_WHOSE})?"
            rf"{_S}[^\W\d_]{{3,10}}(?!\w)"
        ),
        0.5,
        cues(_SPELT),
        _is_money,
    ),
)
