"""Names of users: in paths, and behind an @."""

from __future__ import annotations

import re

from desktop_rag.privacy.patterns.pattern import COLON, At, Pattern, cues, either, first_word

# Folders that every machine has.
_EVERYBODY = frozenset(
    "public default shared all guest admin administrator root user users home runner ubuntu vagrant ec2-user linuxbrew"
    " username name you me appdata documents desktop downloads".split()
)
# What stands behind an @ in programs and style sheets.
_CODE = frozenset(
    "media import override param params return returns property staticmethod classmethod dataclass charset see since"
    " author version deprecated throws test before after autowired component service repository entity table column id"
    " keyframes supports page fixture pytest interface end implementation class selector cache todo here all channel"
    " everyone example home".split()
)


def _is_user(value: str) -> bool:
    return value.lower() not in _EVERYBODY and any(c.isalpha() for c in value)


def _is_handle(value: str) -> bool:
    return value[1:].lower() not in _CODE


_HOMES = r"(?i:users|home|dokumente und einstellungen|documents and settings)"
_NAMES = (
    "user name, username, user, login, user id, userid, benutzername, benutzer, nom d'utilisateur, nom d’utilisateur,"
    " identifiant, nombre de usuario, usuario, nome utente, gebruikersnaam, nazwa użytkownika, twitter, instagram,"
    " telegram, skype, discord, github"
).split(", ")

PATTERNS = (
    Pattern(
        "USER_NAME",
        re.compile(rf"(?<=[\\/]){_HOMES}[\\/]{{1,2}}(?P<value>[^\\/\s:*?\"<>|,;()']{{2,40}})"),
        0.8,
        cues("users home documents dokumente"),
        _is_user,
    ),
    Pattern(
        "USER_NAME",
        re.compile(rf"{either(_NAMES)}[ ]?:{COLON}(?P<value>@?[A-Za-z0-9][\w.-]{{2,30}})(?![\w@])"),
        0.7,
        cues(" ".join(first_word(name) for name in _NAMES)),
        _is_user,
    ),
    Pattern("USER_NAME", re.compile(r"(?<![\w@/.])@[A-Za-z]\w{2,29}(?![\w@(]|\.\w)"), 0.5, At.SIGN, _is_handle),
)
