"""Forms of address before a name, in the seven languages."""

from __future__ import annotations

import re

from desktop_rag.privacy.patterns.pattern import CAPITAL, Pattern, cues, first_word

# Written with a capital, else they are other words.
_CAPITALS = (
    "Messrs, Mr, Mrs, Ms, Miss, Mx, Doctor, Sir, Dame, Lord, Lady, Rev, Reverend, Hon, Capt, Captain, Col, Sgt,"
    " Lt, Gen, Professor, Herrn, Frau, Fräulein, Dipl.-Ing, Mag, Mme, Mmes, Mlle, Mlles, MM, Pr, Madame,"
    " Mademoiselle, Monsieur, Maître, Docteur, Professeur, Señor, Señora, Señorita, Dña, D.ª, Dª, Sres, Srta, Sra,"
    " Sr, Dra, Profesor, Profesora, Signora, Signorina, Signor, Sig.ra, Sig.na, Sigg, Sig, Dott.ssa, Dott, Avv,"
    " Geom, Dottoressa, Dottor, Meneer, Mevrouw, Mej"
).split(", ")
_ANY_CASE = (
    "dr, drs, prof, don, doña, herr, dhr, mevr, mw, ir, pan, pani, pana, panu, panem, panią, mec, inż, mgr, adw,"
    " ks, hab"
).split(", ")
_FORMS = sorted([*_CAPITALS, *_ANY_CASE, *map(str.capitalize, _ANY_CASE)], key=len, reverse=True)
_ALL = "|".join(map(re.escape, _FORMS))
_NAME = rf"[ \u00a0\n]{{1,2}}(?:(?:{CAPITAL}\.[ \u00a0]?){{1,3}})?{CAPITAL}[\w'’-]"
# No initial within a name stands after these: "et M. Dupont", but "Arley D. Smith".
_BEFORE = "".join(
    rf"|(?<=\b{word} )" for word in "et de à a y par por que pour avec con chez contre al ni ou o".split()
)

PATTERNS = (
    # "Mr", "Prof. Dr."
    Pattern(
        "TITLE",
        re.compile(rf"(?:{_ALL})(?!\w)\.?(?:[ ](?:{_ALL})(?!\w)\.?){{0,3}}(?={_NAME})"),
        0.7,
        cues(" ".join(first_word(form) for form in _FORMS)),
    ),
    Pattern("TITLE", re.compile(rf"(?:(?<=[(:;] ){_BEFORE})[MD]\.(?=[ \u00a0]{CAPITAL}[a-zà-ÿ'’-])"), 0.6, cues("m d")),
)
