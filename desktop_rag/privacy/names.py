"""Evidence that words are somebody's name: a common given name in front, or an e-mail address made of them."""

from __future__ import annotations

import json
import re
from functools import cache

from desktop_rag.paths import assets_dir
from desktop_rag.privacy.fold import fold_word, words

# Words that stand between the parts of a name, in lower case: Vincent van Gogh.
PARTICLES = "de la las los del della di da dos das do du des le van der den ten ter von zu zum zur vom al el bin ibn y"
_LOCAL = r"[\w.+%-]"
ADDRESS = re.compile(
    # Begun where such characters begin, or right after a domain: from each of a long word on would take quadratic time.
    rf"(?:(?<!{_LOCAL})|(?<=[^\W_])(?=[_.+%-]{_LOCAL}{{0,63}}@)){_LOCAL}+@"
    r"[^\W_](?:[\w-]*[^\W_])?(?:\.[^\W_](?:[\w-]*[^\W_])?)+"
)
_CAPITALISED = re.compile(r"[^\W\d_][\w'’-]*\.?")
_ORGANISATION = frozenset(
    "ltd limited inc incorporated corp corporation co company companies llc llp lp plc gmbh ag kg ohg ev se sa sas sarl"
    " srl spa bv nv ab oy oyj as aps pty group holding holdings partners associates sons brothers university college"
    " school academy institute institut bank trust foundation fund society association union federation council"
    " committee commission board court ministry department agency authority office service services hospital clinic"
    " centre center church museum library hotel airlines airways motors industries international systems solutions"
    " technologies consulting capital insurance press news times party club team network house street road hall park"
    " station airport bridge cathedral memorial prize award act agreement".split()
)


Mailboxes = dict[str, set[frozenset[str]]]


@cache
def _given_names() -> frozenset[str]:
    own = (assets_dir() / "given_names.txt").read_text(encoding="utf-8").split()
    listed = json.loads((assets_dir() / "substitute_names.json").read_text(encoding="utf-8"))
    everyday = set(map(fold_word, listed["unfit"].split()))
    more = {fold_word(n) for by in listed["names"].values() for kind in ("male", "female") for n in by[kind].split()}
    return frozenset([*map(fold_word, own), *(more - everyday)])


def is_given_name(word: str) -> bool:
    """Whether this one word is a common given name."""
    return fold_word(word) in _given_names()


def starts_with_given_name(value: str) -> bool:
    """Whether a common given name opens a value of two words or more."""
    parts = [word for word, _, _ in words(value)]
    return len(parts) > 1 and parts[0] in _given_names()


def mailboxes(text: str) -> Mailboxes:
    """The e-mail addresses of a text by the folded words before their @."""
    found: Mailboxes = {}
    for match in ADDRESS.finditer(text):
        box = frozenset(word for word, _, _ in words(match.group().partition("@")[0].replace("_", ".")))
        for word in box:
            found.setdefault(word, set()).add(box)
    return found


def in_mailbox(value: str, known: Mailboxes) -> bool:
    """Whether an e-mail address holds all of these words, written apart or together."""
    parts = [word for word, _, _ in words(value)]
    return bool(parts) and ("".join(parts) in known or any(box.issuperset(parts) for box in known.get(parts[0], ())))


def is_misread_person(value: str, known: Mailboxes) -> bool:
    """Whether what a detector took for an organisation is somebody's name."""
    parts = value.split()
    if any(word in _ORGANISATION for word, _, _ in words(value)) or not all(map(_CAPITALISED.fullmatch, parts)):
        return False
    named = 2 <= len(parts) <= 3 and all(p[0].isupper() and (len(p) < 3 or not p.isupper()) for p in parts)
    return (named and starts_with_given_name(value)) or (len(parts) > 1 and in_mailbox(value, known))
