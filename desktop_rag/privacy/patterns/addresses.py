"""Streets with their numbers, and postal codes with their towns."""

from __future__ import annotations

import re

from desktop_rag.privacy.patterns.pattern import CAPITAL, At, Pattern, cues

_S = r"[ \u00a0]"
_NAME = (
    rf"(?:(?:St\.|de|du|des|la|le|les|del|della|dei|di|von|van|der|den|las|los|l['’]|d['’]){_S}?)?{CAPITAL}[\w'’-]*\.?"
)
_NUMBER = r"\d{1,4}(?:[ ]?[a-zA-Z](?!\w))?"
_ENGLISH = (
    "Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Way|Court|Ct|Place|Pl|Square|Sq|Terrace|Close"
    "|Crescent|Gardens|Grove|Highway|Hwy|Parkway|Pkwy|Trail|Circle|Cir|Mews|Row|Walk|Hill|Park"
)
_ROOM = rf"(?:,?{_S}(?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|Room|#)\.?{_S}?[A-Z0-9][\w-]{{0,6}})?"
_FRENCH = "rue|avenue|av\\.|boulevard|bd\\.?|place|impasse|allée|chemin|quai|cours|route|square|passage|faubourg"
_SPANISH = (
    r"c/|c\.|calle|avda\.?|avenida|av\.|plaza|pza\.?|pl\.|paseo|pº|camino|carretera|ctra\.?|ronda|travesía|glorieta"
)
_ITALIAN = r"via|viale|piazza|p\.zza|corso|largo|vicolo|piazzale|strada"
_POLISH = r"ul\.|ulica|ulicy|ulicą|al\.|aleja|alei|aleje|pl\.|plac|placu|os\.|osiedle|osiedlu|rondo"
_BOX = (
    r"P\.?[ ]?O\.?[ ]Box|Post Office Box|Postfach|Postbus|BP|B\.P\.|Apartado(?: de Correos)?|Casella [Pp]ostale"
    r"|[Ss]kr(?:\.|ytka) poczt(?:\.|owa)|(?:Unit|PSC)[ ]\d{1,5},?[ ]Box"
)
_BOX_WORDS = "p po post postfach postbus bp b apartado casella skr skrytka unit psc"
_TOWN = rf"{CAPITAL}[a-zà-ÿ'’]+"
# What follows a five-figure number at the start of a line without being a town.
_NOT_TOWN = "Einwohner|Euro|Menschen|Personen|Mitarbeiter|Stück|Exemplare|Mark|Jahre|Tonnen|Kilometer|Meter|EUR|USD"

PATTERNS = (
    Pattern(
        "STREET_ADDRESS",
        re.compile(
            rf"(?<![\w.,-])\d{{1,5}}(?:-\d{{1,5}})?[A-Za-z]?,?{_S}(?:[NSEW]\.?{_S})?(?:{CAPITAL}[\w'’.-]*{_S}|\d{{1,3}}(?:st|nd|rd|th){_S}){{1,4}}"
            rf"(?:{_ENGLISH})(?!\w)\.?{_ROOM}"
        ),
        0.75,
        At.NUMBER,
    ),
    Pattern(
        "STREET_ADDRESS",
        re.compile(
            rf"(?<![\w.-])\d{{1,4}}(?:{_S}?(?:bis|ter|[A-D]))?,?{_S}(?i:{_FRENCH}){_S}(?:(?:de|du|des|la|le|les){_S}){{0,2}}(?:{_NAME}{_S}?){{1,4}}"
        ),
        0.75,
        At.NUMBER,
    ),
    Pattern(
        "STREET_ADDRESS",
        re.compile(
            rf"(?i:{_SPANISH}){_S}?(?:(?:de|del|la|las|los|el){_S}){{0,2}}(?:{_NAME},?{_S}){{1,5}}(?:(?i:n[º°o]\.?|núm\.?|número){_S}?)?"
            rf"(?:\d{{1,4}}|s/n)(?!\w)(?:,?{_S}\d{{1,2}}[ºª°](?:{_S}?[A-Z]{{1,3}}|{_S}\w{{2,4}}\.)?)?"
        ),
        0.8,
        cues("c calle avda avenida av plaza pza pl paseo pº camino carretera ctra ronda travesía glorieta"),
    ),
    Pattern(
        "STREET_ADDRESS",
        re.compile(rf"(?i:{_ITALIAN}){_S}(?:{_NAME},?{_S}){{1,5}}(?:n\.?{_S}?)?{_NUMBER}(?:/\w{{1,3}})?(?!\w)"),
        0.75,
        cues("via viale piazza p corso largo vicolo piazzale strada"),
    ),
    Pattern(
        "STREET_ADDRESS",
        re.compile(
            rf"(?i:{_POLISH}){_S}?(?:(?:\d{{1,2}}|św\.|gen\.|ks\.|dr\.){_S}?)?(?:{CAPITAL}[\w'’.-]*{_S}){{1,4}}"
            rf"\d{{1,4}}[a-zA-Z]?(?:/\d{{1,4}}[a-zA-Z]?)?(?:{_S}(?:m\.|lok\.){_S}?\d{{1,4}})?(?!\w)"
        ),
        0.85,
        cues("ul ulica ulicy ulicą al aleja alei aleje pl plac placu os osiedle osiedlu rondo"),
    ),
    Pattern(
        "STREET_ADDRESS",
        re.compile(
            rf"{CAPITAL}[\w-]*(?:{_S}{CAPITAL}?[\w-]+)?\.?{_S}\d{{1,3}}(?:{_S}?[a-zA-Z](?!\w))?(?:[-–/]\d{{1,3}})?(?![\w/]|[.,:]\d)"
        ),
        0.7,
        At.STREET,
    ),
    Pattern("STREET_ADDRESS", re.compile(rf"(?:{_BOX}){_S}?\d[\d ]{{0,8}}\d?(?!\w)"), 0.75, cues(_BOX_WORDS)),
    # "10115 Berlin", "28013 Madrid": at the start of a line, after a comma or the country's letters
    Pattern(
        "LOCATION",
        re.compile(
            rf"(?:(?<![^\n])|(?<=, )|(?<=[A-Z]-)|(?<=[.·] ))\d{{5}}{_S}(?!{_NOT_TOWN}){_TOWN}"
            rf"(?:[ -](?:am|an|der|la|de|del|sur|{_TOWN})){{0,3}}(?!\w)"
        ),
        0.6,
        At.NUMBER,
    ),
)
