"""Ways to reach somebody: phones, e-mail, web addresses, and the addresses of their devices."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address

from desktop_rag.privacy.patterns.checks import Check, digits
from desktop_rag.privacy.patterns.pattern import At, Pattern, checked, cues, words

_SEP = r"(?:[ \u00a0\u202f]?[.\-–/()][ \u00a0\u202f]?\(?|[ \u00a0\u202f]\(?)"
_EXT = (
    r"(?:[ ,;]{0,2}(?i:x|ext\.?|extension|durchwahl|dw\.?|toestel|poste|int\.?|wewn?\.?)[ .:]{0,2}\d{1,6})?"
    r"(?!\w|[-./:]\d)"
)
_NOT_DATE = r"(?!\d{1,4}[./-]\d{1,2}[./-]\d{1,4}(?!\d|[./-]\d))"
# A sum in groups of three looks like a phone number; a unit or a word for what is counted follows it.
_NOT_COUNTED = r"(?![ \u00a0]?(?:[€$£%°]|[^\W\d_]*[a-zà-ÿąćęłńóśźż]))"
_PHONE_WORDS = words(
    "phone phones telephone tel tél teléf telf telefon telefonu telefono teléfono téléphone telefoon mobile mobil"
    " mobiel móvil cell cellphone cellular celular cellulare handy portable gsm fax faks telefax kom komórka komórkowy"
    " komórkowego call dial whatsapp sms rufnummer llamar llame appelez chiamare bellen anrufen zadzwoń dzwonić hotline"
)
_DOMAINS = (
    "com|org|net|edu|gov|mil|int|info|biz|io|ai|app|dev|eu|uk|de|fr|es|nl|pl|ch|ie|pt|se|dk|fi|cz|sk|hu|ro|bg|gr|lt|lv"
    "|ee|lu|hr|ca|au|nz|jp|cn|br|mx|ar|za|ru|ua|tr|cat|online|shop|site|cloud|tech|blog|xyz|museum|name|pro|coop"
)
# Words of a language too ("she saw him.it was"), so only below another domain or with a path.
_WORDY_DOMAINS = "it|in|us|at|be|no|is|me|to|so|tv|co|cc|am|as|my|si"
_PORT_PATH = r"(?::\d{2,5}(?!\d))?(?:[/?#][^\s<>\"'“”„«»{}|\\^`]{0,2000})?"
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?\."
_BYTE = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"


def _figures(least: int, most: int) -> Check:
    return lambda value: least <= len(digits(re.split("[a-zA-Z]", value)[0])) <= most


def _phone(regex: str, score: float, least: int, most: int) -> Pattern:
    shape = re.compile(rf"(?<![\w+]){regex}{_EXT}")
    return Pattern("PHONE_NUMBER", shape, score, At.PHONE, _figures(least, most), _PHONE_WORDS)


def _is_host(value: str) -> bool:
    """Versions and sections ("4.2.1.3") have four parts too, but small ones."""
    return max(int(part) for part in value.partition("/")[0].split(".")) >= 20


def _is_ipv6(value: str) -> bool:
    try:
        IPv6Address(value)
    except AddressValueError:
        return False
    return len(value) >= 6 and any(c.isdigit() for c in value)


def _is_mac(value: str) -> bool:
    return ":" in value or not value.replace("-", "").isdecimal()


_PHONES = (
    _phone(rf"\+\(?\d{{1,15}}\)?(?:{_SEP}\d{{1,12}}){{0,6}}", 0.85, 8, 15),
    _phone(rf"00[1-9]\d{{0,2}}(?:{_SEP}\d{{1,10}}){{2,6}}", 0.75, 10, 16),
    # North America
    _phone(r"(?:1[-. ])?(?:\([1-9]\d\d\)[ -]?\d{3}[-. ]?|[1-9]\d\d[-. ]\d{3}[-. ])\d{4}", 0.65, 10, 11),
    # the leading zero of Britain, Germany, France, Italy, the Netherlands
    _phone(rf"{_NOT_DATE}\(?0[1-9]\d{{0,4}}\)?(?:{_SEP}\d{{2,8}}){{1,4}}", 0.6, 9, 12),
    # Poland and Spain
    _phone(rf"[4-9]\d\d(?:-\d{{3}}-|[ \u00a0]\d{{3}}[ \u00a0])\d{{3}}{_NOT_COUNTED}", 0.55, 9, 9),
    _phone(
        r"(?:\(?\d\d\)?[ \u00a0]\d{3}[ \u00a0-]\d\d[ \u00a0-]\d\d|[6-9]\d\d(?:[ \u00a0-]\d\d){3})" + _NOT_COUNTED,
        0.55,
        9,
        9,
    ),
    # anything long enough, beside a word for a phone
    _phone(rf"{_NOT_DATE}\(?\d{{1,15}}\)?(?:{_SEP}\d{{1,12}}){{0,6}}", 0.0, 7, 15),
)

_WEB = (
    Pattern(
        "EMAIL_ADDRESS",
        re.compile(rf"[\w.+%'-]{{1,64}}@(?:{_LABEL}){{1,6}}[^\W\d_](?:[\w-]{{0,22}}[^\W_])(?![\w@])"),
        0.95,
        At.SIGN,
    ),
    Pattern(
        "URL",
        re.compile(r"(?i:(?:https?|s?ftps?|ssh)://|www\.)[^\s<>\"'“”„«»{}|\\^`]{3,2000}"),
        0.9,
        cues("http https ftp ftps sftp ssh www"),
    ),
    Pattern(
        "URL", re.compile(rf"(?<![\w@.-])(?:{_LABEL}){{1,6}}(?:{_DOMAINS})(?![\w-]|\.\w){_PORT_PATH}"), 0.6, At.DOT
    ),
    Pattern(
        "URL",
        re.compile(
            rf"(?<![\w@.-])(?:(?:{_LABEL}){{2,6}}(?:{_WORDY_DOMAINS})(?![\w-]|\.\w)|{_LABEL}(?:{_WORDY_DOMAINS})(?=/\w)){_PORT_PATH}"
        ),
        0.55,
        At.DOT,
    ),
)

_DEVICES = (
    checked(
        "IP_ADDRESS",
        rf"(?<![\w.-])(?:{_BYTE}\.){{3}}{_BYTE}(?:/[1-3]?\d)?(?![\w/-]|\.\w)",
        _is_host,
        0.7,
        "ip ipv4 address adresse dirección indirizzo adres host server router gateway dns ping netmask",
    ),
    Pattern("IP_ADDRESS", re.compile(r"(?<![\w:.])[0-9A-Fa-f:]{3,39}(?![\w:])"), 0.85, At.COLON, _is_ipv6),
    *(
        Pattern(
            "MAC_ADDRESS",
            re.compile(r"(?<![\w:-])[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?![\w:-])"),
            0.85,
            anchor,
            _is_mac,
            words("mac wlan wifi ethernet hardware"),
        )
        for anchor in (At.COLON, At.CODE)
    ),
)

PATTERNS = (*_PHONES, *_WEB, *_DEVICES)
