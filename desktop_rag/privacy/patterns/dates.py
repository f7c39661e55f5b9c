"""Dates, times and spans of time, in figures and in the words of the seven languages."""

from __future__ import annotations

import re

from desktop_rag.privacy.fold import fold_word
from desktop_rag.privacy.patterns.checks import is_day
from desktop_rag.privacy.patterns.pattern import At, Pattern, cues, words

_MONTHS = (
    "january february march april may june july august september october november december jan feb mar apr jun jul aug"
    " sep sept oct nov dec januar jänner februar märz mai juni juli oktober dezember mrz okt dez janvier février mars"
    " avril juin juillet août septembre octobre novembre décembre janv févr avr juil déc enero febrero marzo abril"
    " mayo junio julio agosto septiembre setiembre octubre noviembre diciembre ene abr ago dic gennaio febbraio aprile"
    " maggio giugno luglio settembre ottobre dicembre gen mag giu lug set ott januari februari maart mei augustus"
    " oktober mrt styczeń stycznia styczniu luty lutego lutym marzec marca marcu kwiecień kwietnia kwietniu maj maja"
    " maju czerwiec czerwca czerwcu lipiec lipca lipcu sierpień sierpnia sierpniu wrzesień września wrześniu"
    " październik października październiku listopad listopada listopadzie grudzień grudnia grudniu"
)
_UNITS = words(
    "year years yr yrs month months week weeks day days hour hours hr hrs minute minutes decade decades"
    " jahr jahre jahren jahres monat monate monaten monats woche wochen tag tage tagen stunde stunden minuten"
    " an ans année années mois semaine semaines jour jours heure heures"
    " año años mes meses semana semanas día días hora horas minuto minutos"
    " anno anni mese mesi settimana settimane giorno giorni ora ore minuti"
    " jaar jaren maand maanden week weken dag dagen uur uren minuten"
    " rok roku lat lata latach miesiąc miesiące miesięcy miesiąca tydzień tygodnie tygodni dzień dni dniach godzin"
    " godziny godzinę minut"
)
_COUNTED = (
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen eighteen twenty"
    " thirty forty fifty sixty several zwei drei vier fünf sechs sieben acht neun zehn elf zwölf mehrere deux trois"
    " quatre cinq sept huit neuf dix onze douze quinze vingt trente quelques dos tres cuatro cinco seis siete ocho"
    " nueve diez once doce quince veinte treinta varios due tre quattro cinque sei sette otto nove dieci dodici venti"
    " trenta twee drie vijf zes zeven acht negen tien twaalf twintig dwa dwie trzy cztery pięć sześć siedem osiem"
    " dziewięć dziesięć dwanaście kilka kilku"
)
# A year on its own is only a number; these make it one.
_BEFORE_YEARS = (
    "in since born until till by during from before after circa around year between"
    " jahr jahre seit geboren geb bis ab anno en depuis né née année avant après desde nacido nacida hasta año"
    " nel dal nato nata sinds jaar w od do ur urodzony urodzona rok roku"
)
_ALSO_WORDS = frozenset("may mar set march mars maj mag mai gen dic".split())
_KNOWN_MONTHS, _KNOWN_COUNTS = words(_MONTHS), words(_COUNTED)
_S = r"[ \u00a0\n]"
_WORD = r"[^\W\d_]{2,14}"
_YEAR = r"(?:1[5-9]|20)\d\d"
_DAY = r"[0-3]?\d(?:st|nd|rd|th|er|ème|[.ºª°])?"
_AND = rf"(?:{_S}?[-–/]{_S}?|{_S}(?:and|to|und|bis|et|au|y|al|a|e|en|tot|i|do|or){_S})"
_OF = rf"(?:{_S}(?:of|de|del|des)(?={_S}))?{_S}?"
_OF_YEAR = rf"(?:,?{_S}(?:de{_S}|del{_S}|of{_S})?{_YEAR}(?:{_S}?(?:r\.|roku|rok))?|{_S}['’]\d\d)"
_CLOCK = r"(?:[01]?\d|2[0-4])[:.][0-5]\d(?:[:.][0-5]\d)?"
_END = r"(?!\w|[.,]\d)"


def is_date(value: str) -> bool:
    """Whether figures are a day of the calendar, in whichever order they are written."""
    parts = [int(part) for part in re.findall(r"\d+", value)[:3]]
    if parts[0] > 31:
        year, *rest = parts
    else:
        *rest, year = parts
    return any(is_day(year if year > 99 else 2000 + year, month, day) for month, day in (rest, rest[::-1]))


def _has_month(value: str) -> bool:
    """Some are words too: these want a capital, or a day and a year."""
    whole = re.search(r"\d\D+\d", value) is not None
    months = [word for word in re.findall(_WORD, value) if fold_word(word) in _KNOWN_MONTHS]
    return any(whole or word[0].isupper() or fold_word(word) not in _ALSO_WORDS for word in months)


def _has_two_months(value: str) -> bool:
    return sum(fold_word(word) in _KNOWN_MONTHS for word in re.findall(_WORD, value)) > 1


def _is_span(value: str) -> bool:
    parts = [fold_word(word) for word in re.findall(r"[^\W\d_]+", value)]
    return bool(parts) and parts[-1] in _UNITS and (value[0].isdecimal() or parts[0] in _KNOWN_COUNTS)


def _date(regex: str, score: float) -> Pattern:
    return Pattern("DATE_TIME", re.compile(rf"(?<![\w.,/-]){regex}"), score, At.NUMBER, is_date)


_COUNT = r"(?:\d{1,3}(?:[.,]\d{1,2}|½)?|[^\W\d_]{2,12})"

PATTERNS = (
    _date(rf"[0-3]?\d([/-])[0-3]?\d\1(?:{_YEAR}|\d\d)(?:,?{_S}{_CLOCK})?(?![\w/]|[.-]\d)", 0.7),
    _date(rf"[0-3]?\d\.{_S}?[01]?\d\.{_S}?{_YEAR}(?:{_S}?r\.)?(?:,?{_S}{_CLOCK})?(?!\w|[./-]\d)", 0.75),
    _date(r"[0-3]\d\.[01]\d\.\d\d(?!\w|[./-]\d)", 0.5),
    _date(
        rf"{_YEAR}([-/.])[01]?\d\1[0-3]?\d"
        r"(?:[T ][0-2]\d:[0-5]\d(?::[0-5]\d(?:[.,]\d{1,6})?)?(?:Z|[+-]\d\d:?\d\d)?)?(?!\w|[/-]\d)",
        0.8,
    ),
    # "3 March 2020", "3–5 de marzo", "3. März"
    Pattern(
        "DATE_TIME",
        re.compile(rf"(?<![\w.,/]){_DAY}(?:{_AND}{_DAY}(?=\D))?{_OF}{_WORD}\.?(?:{_OF_YEAR}{_END}|(?!\w))"),
        0.75,
        At.NUMBER,
        _has_month,
    ),
    # "3 March to 5 April 2020"
    Pattern(
        "DATE_TIME",
        re.compile(
            rf"(?<![\w.,/]){_DAY}{_OF}{_WORD}(?:{_OF_YEAR})?{_AND}{_DAY}{_OF}{_WORD}(?:{_OF_YEAR}{_END}|(?!\w))"
        ),
        0.75,
        At.NUMBER,
        _has_two_months,
    ),
    # "March 3, 2020", "March 2020", "marzo de 2020"
    Pattern(
        "DATE_TIME",
        re.compile(rf"{_WORD}\.?(?:{_S}{_DAY}(?:{_AND}{_DAY}(?=\D|$))?(?:,?{_S}{_YEAR})?{_END}|{_OF_YEAR}{_END})"),
        0.7,
        cues(_MONTHS),
        _has_month,
    ),
    Pattern(
        "DATE_TIME",
        re.compile(rf"(?<![\w:.,/-]){_CLOCK}{_S}?(?i:a\.?m\.?|p\.?m\.?|uhr|hrs|h|o['’]clock)(?!\w)"),
        0.7,
        At.NUMBER,
    ),
    Pattern(
        "DATE_TIME",
        re.compile(r"(?<![\w:.,/-])(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?(?![\w:/]|[.,]\d)"),
        0.45,
        At.NUMBER,
    ),
    Pattern(
        "DATE_TIME",
        re.compile(rf"(?<![\w:.,/-])(?:1?\d|2[0-4]){_S}?(?i:a\.m\.?|p\.m\.?|am|pm|uhr|o['’]clock)(?!\w)"),
        0.6,
        At.NUMBER,
    ),
    Pattern("DATE_TIME", re.compile(rf"(?<![\w.,/-]){_YEAR}{_S}?[-–/]{_S}?{_YEAR}(?![\w/]|[.,-]\d)"), 0.5, At.NUMBER),
    Pattern("DATE_TIME", re.compile(rf"(?<![\w.,/-]){_YEAR}(?:{_S}?(?:r\.|roku)|['’]?s)(?!\w)"), 0.6, At.NUMBER),
    Pattern(
        "DATE_TIME", re.compile(r"(?<![\w:.,/-])(?:1?\d|2[0-3])[ \u00a0]?h[ \u00a0]?[0-5]\d(?!\w)"), 0.6, At.NUMBER
    ),
    # on cards
    Pattern(
        "DATE_TIME",
        re.compile(r"(?<![\w.,/-])(?:0[1-9]|1[0-2])/(?:20)?[2-4]\d(?![\w/-]|[.,]\d)"),
        0.0,
        At.NUMBER,
        None,
        words("exp expiry expires expiration valid thru gültig expire caduca scadenza verval ważna"),
    ),
    Pattern(
        "DATE_TIME",
        re.compile(
            rf"\w+[.:]?{_S}(?:(?i:the|year|im|jahre?|l['’]année|el|del|año|anno|jaar|of|in|w|roku)\.?{_S})?"
            rf"(?P<value>{_YEAR}(?:{_S}(?:and|to|und|bis|et|à|y|a|e|en|tot|i|do){_S}{_YEAR})?)"
            rf"(?![\w/%€$£]|[.,:-]\d|{_S}?[%€$£])"
        ),
        0.55,
        cues(_BEFORE_YEARS),
    ),
    # "14 months", "three years", "two-week": spans of time
    Pattern(
        "DATE_TIME",
        re.compile(rf"(?<![\w.,/-]){_COUNT}(?:{_AND}{_COUNT})?(?:{_S}and{_S}a{_S}half)?[ \u00a0\n-]{_WORD}(?!\w)"),
        0.5,
        At.NUMBER,
        _is_span,
    ),
    Pattern(
        "DATE_TIME",
        re.compile(rf"(?<![\w-])[^\W\d_]+(?:{_AND}{_COUNT})?(?:{_S}and{_S}a{_S}half)?[ \u00a0\n-]{_WORD}(?!\w)"),
        0.5,
        cues(_COUNTED),
        _is_span,
    ),
)
