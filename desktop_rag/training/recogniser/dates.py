"""Dates, times and ages as they are written in seven languages."""

from __future__ import annotations

from random import Random

_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "pl": "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
}
_DAYS = {
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "de": "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "es": "lunes martes miércoles jueves viernes sábado domingo",
    "pl": "poniedziałek wtorek środa czwartek piątek sobota niedziela",
    "it": "lunedì martedì mercoledì giovedì venerdì sabato domenica",
    "nl": "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
}
_LOOSE = {
    "en": "yesterday|today|tomorrow|last week|next month|last year|two weeks ago|three days later|this morning|"
    "the 1990s|the summer of 2011|early March|mid-June|the end of April|spring 2019|the following day|last Friday",
    "de": "gestern|heute|morgen|letzte Woche|im Frühjahr 2018|vor zwei Wochen|nächsten Monat|Anfang Mai|Ende Juni",
    "fr": "hier|aujourd'hui|demain|la semaine dernière|le mois prochain|début mars|fin juin|au printemps 2018",
    "es": "ayer|hoy|mañana|la semana pasada|el mes próximo|a principios de mayo|a finales de junio|en otoño de 2016",
    "pl": "wczoraj|dzisiaj|jutro|w zeszłym tygodniu|w przyszłym miesiącu|na początku maja|wiosną 2018 r.",
    "it": "ieri|oggi|domani|la settimana scorsa|il mese prossimo|inizio maggio|fine giugno|nella primavera del 2018",
    "nl": "gisteren|vandaag|morgen|vorige week|volgende maand|begin mei|eind juni|in het voorjaar van 2018",
}


def date(language: str, rng: Random) -> str:
    """A date in one of the ways of the language."""
    day, month, year = rng.randrange(1, 29), rng.randrange(12), rng.randrange(1920, 2031)
    name = _MONTHS[language].split()[month]
    kind = rng.random()
    if kind < 0.35:
        return _numeric(day, month + 1, year, language, rng)
    if kind < 0.75:
        return _written(day, name, year, language, rng)
    if kind < 0.85:
        return f"{name} {year}" if language != "es" else f"{name} de {year}"
    if kind < 0.93:
        return str(year)
    return (
        f"{day} {name}"
        if language not in ("de", "es")
        else f"{day}. {name}"
        if language == "de"
        else f"{day} de {name}"
    )


def _numeric(day: int, month: int, year: int, language: str, rng: Random) -> str:
    dotted = language in ("de", "pl") or rng.random() < 0.15
    mark = "." if dotted else rng.choice("/-/")
    if rng.random() < 0.2:
        return f"{year}-{month:02d}-{day:02d}"
    short = year % 100 if rng.random() < 0.2 else year
    first, second = (month, day) if language == "en" and rng.random() < 0.5 else (day, month)
    if rng.random() < 0.7:
        return f"{first:02d}{mark}{second:02d}{mark}{short:02d}"
    return f"{first}{mark}{second}{mark}{short:02d}"


def _written(day: int, name: str, year: int, language: str, rng: Random) -> str:
    if language == "en":
        ordinal = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd"}.get(day, "th")
        short = name[:3]
        return rng.choice(
            (
                f"{day} {name} {year}",
                f"{name} {day}, {year}",
                f"{day}{ordinal} {name} {year}",
                f"{short} {day}, {year}",
                f"{day} {short} {year}",
                f"{name} {day}{ordinal}",
                f"{short}. {day}, {year}",
                f"{day}-{short}-{year}",
                f"the {day}{ordinal} of {name} {year}",
            )
        )
    if language == "es":
        return rng.choice((f"{day} de {name} de {year}", f"{day} de {name} del {year}", f"{day} {name} {year}"))
    if language == "de":
        return f"{day}. {name} {year}"
    if language == "pl":
        return f"{day} {name} {year}" + rng.choice((" r.", " roku", "", ""))
    if language == "fr" and day == 1:
        return f"1er {name} {year}"
    return f"{day} {name} {year}"


def loose(language: str, rng: Random) -> str:
    """A day said in words, or a weekday."""
    return rng.choice([*_LOOSE[language].split("|"), *_DAYS[language].split()])


def time(language: str, rng: Random) -> str:
    """A time of day."""
    hour, minute = rng.randrange(24), rng.choice((0, 5, 15, 20, 30, 45, rng.randrange(60)))
    if language == "en" and rng.random() < 0.6:
        return f"{hour % 12 or 12}:{minute:02d}" + rng.choice((" AM", " PM", "am", "pm", " a.m.", " p.m."))
    ends = {"de": " Uhr", "fr": " heures", "es": " horas", "pl": "", "it": "", "nl": " uur", "en": ""}
    return f"{hour:02d}{rng.choice(':.:h' if language == 'fr' else ':.:')}{minute:02d}" + rng.choice(
        (ends[language], "")
    )


def age(language: str, rng: Random) -> str:
    """An age in years, with its unit now and then."""
    years = rng.randrange(1, 100)
    units = {
        "en": ("-year-old", " years old", " years", "", "", ""),
        "de": (" Jahre alt", " Jahre", "-jährige", ""),
        "fr": (" ans", " ans", ""),
        "es": (" años", " años", ""),
        "pl": (" lat", " lat", ""),
        "it": (" anni", " anni", ""),
        "nl": (" jaar", " jaar oud", ""),
    }
    return f"{years}{rng.choice(units[language])}"
