"""Numbers of every kind, made at random: identifiers in many shapes, and figures that identify nothing.

In a shape, # is a figure and ? a capital letter.
"""

from __future__ import annotations

import string
from random import Random

_SHAPES = (
    "########|######|#########|##########|###########|#######|#####|##-######|###-##-####|### ### ###|"
    "## ## ## ##|###/##|####/##|#####/##|###/####|?? ######|??######|??#######|???######|??? ######|?######|"
    "?-#######|??-####-####|???-####|#######?|########?|########-?|##.##.##-###.##|####-####-####|?##-######|"
    "??/####/###|???/##/#####|#-######-##|??? #### ####|?#?#?#?#|##?####|??##??####|####?##|### ## ####|"
    "###-###-##-##|###-##-##-###|# #### #### ####|##/###/####|?####-###-##-###-#|#### #### #### ####|"
    "####-##-#####|###.###.###-##|??######?|?? ## ## ## ?"
).split("|")
_CASES = (
    "#####/##|###/##|####/####|no. #####/##|? ### ?/##|C ###/##|# C ###/##|## O ###/##|I ? ###/##|II K ###/##|"
    "III CZP ##/##|VI GC ####/##|## Cv ####|####-CV-#####|##-cv-#####|# Ob ##/##y|T-###/##|C-###/##|A/####/##|"
    "CR ####/####|AZ ## ? ###/##|X ZR ###/##|R-####/####|####/##/???|K.####/####|E. ####/###|DS-##-####-#####|"
    "####.####.##.#######-##|BT-#####|HC-####-######"
).split("|")
_PHONES = {
    "en": "(###) ###-####|###-###-####|###.###.####|+1 ### ### ####|+1-###-###-####|001-###-###-####x###|"
    "(###)###-####x####|0#### ######|+44 #### ######|(0###) ### ####|07### ######|020 #### ####|"
    "+91 ##### #####|0# #### ####|+61 4## ### ###|### #### ###|##########|+44(0)####-######|0## ### ## ##|"
    "+## ## ### ## ##|### ## ### ##|ext. ####",
    "de": "0### #######|0#### ######|+49 ### #######|+49 (0)## ########|0##/#######|0#### / ## ## ##|"
    "01## #######|+43 # ### ## ##|0## ### ## ##|(0###) #### ##|0### ####-###|+41 ## ### ## ##",
    "fr": "0# ## ## ## ##|+33 # ## ## ## ##|+33 (0)# ## ## ## ##|0#.##.##.##.##|0#########|+32 # ### ## ##",
    "es": "### ### ###|### ## ## ##|+34 ### ### ###|+34 ### ## ## ##|9########|6########|(+34) ### ### ###|"
    "+52 ## #### ####",
    "pl": "### ### ###|+48 ### ### ###|## ### ## ##|(##) ### ## ##|+48 ## ### ## ##|+48#########|###-###-###|"
    "0048 ### ### ###|0-## ### ## ##|#########",
    "it": "3## #######|+39 3## ### ####|0## #######|+39 0## ########|0#/########|3##-#######|+39##########",
    "nl": "06-########|06 ########|0##-#######|+31 6 ########|+31 (0)## ### ## ##|0## ### ## ##|+32 4## ## ## ##",
}
_PLATES = {
    "en": "?## ???|???-####|??## ???|### ???|?? ####",
    "de": "?-?? ###|??-? ####|???-?? ##|? ?? ####",
    "fr": "??-###-??|#### ?? ##",
    "es": "#### ???|?-####-??",
    "pl": "?? #####|??? ####|?? ####?|??#####|??? ?###",
    "it": "??###??|?? ### ??",
    "nl": "??-##-??|##-???-#|?-###-??",
}
_VIN = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"


def filled(shape: str, rng: Random) -> str:
    """A shape with figures for # and capital letters for ?."""
    return "".join(
        rng.choice(string.digits) if c == "#" else rng.choice(string.ascii_uppercase) if c == "?" else c for c in shape
    )


def number(rng: Random) -> str:
    """An identifier of any kind."""
    if rng.random() < 0.04:
        return "".join(rng.choice(_VIN) for _ in range(17))
    value = filled(rng.choice(_SHAPES), rng)
    return value.lower() if rng.random() < 0.02 else value


def case(rng: Random) -> str:
    """The number of a case, a file or an application."""
    return filled(rng.choice(_CASES), rng)


def phone(language: str, rng: Random) -> str:
    """A phone number as it is written in a language's countries, now and then another's."""
    chosen = language if rng.random() < 0.85 else rng.choice(sorted(_PHONES))
    return filled(rng.choice(_PHONES[chosen].split("|")), rng)


def plate(language: str, rng: Random) -> str:
    """A vehicle's plate."""
    return filled(rng.choice(_PLATES[language].split("|")), rng)


def account(rng: Random) -> str:
    """A bank account or a card, grouped or not, its check figures at random."""
    country = rng.choice(("GB", "DE", "FR", "ES", "PL", "IT", "NL", "CH", "BE", "AT"))
    shape = rng.choice(
        (
            f"{country}## #### #### #### #### ##",
            f"{country}####################",
            f"{country}## #### #### #### #### #### ####",
            "## #### #### #### #### #### ####",
            "#### #### #### ####",
            "################",
            "####-####-####-####",
            "#### ###### #####",
            "##-##-## ########",
            "##########################",
        )
    )
    return filled(shape, rng)


def figure(rng: Random) -> str:
    """A number that identifies nobody."""
    kind = rng.randrange(9)
    if kind < 3:
        return str(rng.randrange(1, 100))
    if kind < 5:
        return f"{rng.randrange(1, 5000):,}" if rng.random() < 0.5 else str(rng.randrange(100, 9000))
    if kind == 5:
        return f"{rng.randrange(1000)}.{rng.randrange(100):02d}"
    if kind == 6:
        return f"{rng.randrange(100)},{rng.randrange(10)}"
    if kind == 7:
        return f"{rng.randrange(1, 30)}.{rng.randrange(1, 9)}.{rng.randrange(1, 9)}"
    return f"{rng.randrange(1, 900)}.{rng.randrange(1000):03d}"


def money(language: str, rng: Random) -> str:
    """A sum of money."""
    whole, part, cents = rng.randrange(1, 90), rng.randrange(1000), rng.randrange(100)
    ways = (
        str(whole),
        f"{whole},{part:03d}",
        f"{whole}.{part:03d},{cents:02d}",
        f"{whole} {part:03d}",
        f"{part}.{cents:02d}",
    )
    signs = {"en": ("$", "£", "EUR ", "USD ", "€"), "pl": (" zł", " PLN", " EUR")}.get(
        language, (" €", " EUR", " euros")
    )
    amount, sign = rng.choice(ways), rng.choice(signs)
    return amount + sign if sign.startswith(" ") else sign + amount
