"""Passwords, keys and tokens.

The shapes of tokens are facts that their makers publish. The library detect-secrets collects them too, but it reads
lines of code, tells no offsets and brings code that sends what it found to the makers for verification; the tests hold
these patterns against it instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from desktop_rag.privacy.patterns.pattern import At, Pattern, cues, either, first_word

_PASSWORDS = (
    "password, passwort, passphrase, passcode, kennwort, mot de passe, mdp, contraseña, hasło, hasła, wachtwoord,"
    " parola d'ordine, pwd, passwd"
).split(", ")
# Words of other things too, so that what follows must hold more than letters.
_KEYS = (
    "api key, api-key, apikey, api_key, secret, secret key, client secret, access token, auth token, private key,"
    " access key, clave, pin, puk, one-time code, otp"
).split(", ")
_TOKENS = (
    ("ghp gho ghu ghs ghr", r"gh[pousr]_[A-Za-z0-9]{36,255}"),
    ("github", r"github_pat_[A-Za-z0-9_]{22,255}"),
    ("glpat", r"glpat-[A-Za-z0-9_-]{20,64}"),
    ("xoxb xoxp xoxa xoxr xoxs xoxe xapp", r"(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,250}"),
    ("sk pk rk", r"(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{10,250}"),
    ("sk", r"sk-(?:proj-|ant-|svcacct-)?[A-Za-z0-9_-]{20,250}"),
    ("sq0csp sq0atp sq0idp", r"sq0[a-z]{3}-[A-Za-z0-9_-]{20,60}"),
    ("hf", r"hf_[A-Za-z0-9]{30,64}"),
    ("npm", r"npm_[A-Za-z0-9]{36}"),
    ("pypi", r"pypi-[A-Za-z0-9_-]{50,250}"),
    ("sg", r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"),
    ("shpat shpss shpca shppa", r"shp(?:at|ss|ca|pa)_[a-fA-F0-9]{32}"),
    ("dop doo dor", r"do[por]_v1_[a-f0-9]{64}"),
    (
        "begin",
        r"BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----[^-]{0,8000}"
        r"(?:-{5}END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?)?",
    ),
    ("hooks", r"hooks\.slack\.com/services/[A-Za-z0-9/_-]{20,90}"),
)
_SHAPES = (
    r"(?:A3T[A-Z0-9]|ABIA|ACCA|AKIA|ASIA)[0-9A-Z]{16}",
    r"AIza[A-Za-z0-9_-]{35}",
    r"eyJ[A-Za-z0-9_-]{8,4000}\.eyJ[A-Za-z0-9_-]{8,4000}\.?[A-Za-z0-9_-]{0,1000}",
    r"(?:SK|AC)[a-f0-9]{32}",
    r"[0-9a-f]{32}-us\d{1,2}",
    r"[MNO][A-Za-z0-9_-]{23,25}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,39}",
    r"\d{8,10}:[A-Za-z0-9_-]{35}",
)
# "the password is required": a word of the language is no password.
_VALUE = r"(?:\"[^\"\n]{3,80}\"|'[^'\n]{3,80}'|[^\s,;\"'<>()]{3,80}[^\s,;.:\"'<>()])"
_END = r"(?![A-Za-z0-9_])"


def _told(value: str) -> bool:
    """Whether it can be a secret: not a mask, a placeholder or a variable."""
    inner = value.strip("\"'")
    return len(set(inner)) > 2 and not inner.startswith(("$", "{", "<", "%", "[", "*"))


def _mixed(value: str) -> bool:
    return _told(value) and any(not c.isalpha() for c in value.strip("\"'"))


def _given(names: list[str], valid: Callable[[str], bool]) -> Pattern:
    regex = rf"{either(names)}(?!\w)[ \u00a0]?[\"']?[ ]?[:=]{{1,2}}>?[ \u00a0\t]*(?P<value>{_VALUE})"
    return Pattern("SECRET", re.compile(regex), 0.85, cues(" ".join(map(first_word, names))), valid)


_IS = r"[ ](?i:is|was|ist|lautet|est|es|è|to|jest)[ :]{1,2}"

PATTERNS = (
    *(Pattern("SECRET", re.compile(rf"{shape}{_END}"), 0.97, cues(words)) for words, shape in _TOKENS),
    *(Pattern("SECRET", re.compile(rf"(?<![\w-]){shape}{_END}"), 0.95, At.CODE) for shape in _SHAPES),
    _given(_PASSWORDS, _told),
    _given(_KEYS, _mixed),
    Pattern(
        "SECRET",
        re.compile(rf"{either(_PASSWORDS)}{_IS}(?P<value>{_VALUE})"),
        0.7,
        cues(" ".join(map(first_word, _PASSWORDS))),
        _mixed,
    ),
    # https://user:password@host
    Pattern(
        "SECRET",
        re.compile(r"[a-z]{2,12}://(?P<value>[^\s/:@]{1,64}:[^\s/:@]{1,128})(?=@)"),
        0.95,
        cues("http https ftp ftps sftp ssh postgres postgresql mysql mongodb redis amqp smtp imap ldap"),
    ),
)
