"""Does a question ask for all there is? To list, count, compare or sum up, the few best passages are not enough.

Recognised by the words people use for it in the languages the recogniser knows. Nothing is decided here: reading
everything takes time, so it is offered, and done at once only where that is quick.
"""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal["list", "count", "compare", "summarise"]
KINDS: tuple[Kind, ...] = ("list", "count", "compare", "summarise")

# An order stands at the beginning, perhaps after a courtesy: "the price list" and "compared to" are none.
_POLITE = (
    r"(?:please|(?:can|could|would) you|bitte|kannst du|können sie|s['’]il (?:te|vous) plaît|peux-tu|pouvez-vous"
    r"|por favor|puedes?|per favore|puoi|può|kun je|kunt u|proszę|możesz)"
)
_ORDER = rf"\A\W*(?:{_POLITE}\W+)*(?:{_POLITE}\W+)?"
# What is counted must be something documents hold many of: "how many weeks does it take" asks for one fact.
_THINGS = {
    "en": "documents? files? pages? contracts? invoices? letters? e-?mails? messages? reports? cases? claims?"
    " complaints? people persons? employees? patients? clients? customers? suppliers? companies accidents? incidents?"
    " payments? orders? meetings? decisions? errors? measurements?",
    "de": "dokumente dateien seiten verträge rechnungen briefe mails berichte fälle personen mitarbeiter\\w*"
    " patient\\w* kund\\w* lieferanten firmen unfälle zahlungen bestellungen sitzungen beschlüsse fehler messungen",
    "fr": "documents fichiers pages contrats factures lettres rapports cas personnes employés patients clients"
    " fournisseurs accidents paiements commandes réunions décisions erreurs",
    "es": "documentos archivos páginas contratos facturas cartas informes casos personas empleados pacientes clientes"
    " proveedores accidentes pagos pedidos reuniones decisiones errores",
    "it": "documenti file pagine contratti fatture lettere rapporti casi persone dipendenti pazienti clienti fornitori"
    " incidenti pagamenti ordini riunioni decisioni errori",
    "nl": "documenten bestanden pagina['’]s contracten facturen brieven rapporten gevallen personen medewerkers"
    " patiënten klanten leveranciers ongevallen betalingen bestellingen vergaderingen besluiten fouten",
    "pl": "dokument(?:y|ów) plik(?:i|ów) stron(?:y)? um(?:owy|ów) faktur(?:y)? list(?:y|ów) raport(?:y|ów) osoby osób"
    " pracownic(?:y|ów) pacjen(?:ci|tów) klien(?:ci|tów) wypadk(?:i|ów) płatności zamówie(?:nia|ń) decyzj[ei]",
}
_T = {language: f"(?:{'|'.join(words.split())})" for language, words in _THINGS.items()}
_PATTERNS: tuple[tuple[Kind, str], ...] = (
    ("summarise", rf"{_ORDER}(?:summari[sz]e|sum up|outline)\b"),
    ("summarise", rf"{_ORDER}give (?:me )?(?:an?|the) (?:short |brief )?(?:overview|summary|outline)\b"),
    ("summarise", r"\bwhat (?:are|is) the (?:main|key) (?:points?|messages?|findings?)\b"),
    ("summarise", r"\bwhat is .{0,40}\babout\W*\Z"),
    ("summarise", rf"{_ORDER}(?:fass\w*\b.*\bzusammen|gib\b.*\b(?:überblick|zusammenfassung))\b"),
    ("summarise", r"\bkern(?:punkte|aussagen)\b"),
    ("summarise", rf"{_ORDER}(?:résume[rz]?|donne[rz]?\b.*\b(?:résumé|aperçu))\b|\bpoints (?:clés|principaux)\b"),
    ("summarise", rf"{_ORDER}(?:resum(?:e|a|ir|en)|haz un resumen|dame un resumen)\b|\bpuntos (?:clave|principales)\b"),
    ("summarise", rf"{_ORDER}(?:riassum(?:i|a|ere)|fai un riassunto|dammi un riassunto)\b"),
    ("summarise", r"\bpunti (?:chiave|principali)\b"),
    ("summarise", rf"{_ORDER}(?:vat\b.*\bsamen|geef\b.*\b(?:overzicht|samenvatting))\b|\bhoofdpunten\b"),
    ("summarise", rf"{_ORDER}(?:podsumuj|streść|streszcz\w*|zrób podsumowanie)\b|\bgłówne punkty\b"),
    ("compare", rf"{_ORDER}compare\b|\bdifferences? between\b|\bhow do (?:the|these|those|both|all)\b.*\bdiffer\b"),
    ("compare", rf"{_ORDER}vergleich(?:e|en)?\b|\bunterschied\w* zwischen\b"),
    ("compare", rf"{_ORDER}(?:compare[rz]?|comparar?|confronta\w*|vergelijk|porównaj)\b"),
    ("compare", r"\b(?:différences? entre|diferencias? entre|differenz[ae] (?:tra|fra))\b"),
    ("compare", r"\b(?:verschil(?:len)? tussen|różnic[ae] między)\b"),
    ("count", rf"{_ORDER}count (?:the|all|how)\b|\bhow many (?:of the |other |different )?{_T['en']}\b"),
    ("count", rf"{_ORDER}zähle? (?:alle|die)\b(?!.*\bauf\W*\Z)|\bwie ?viele (?:\w+e )?{_T['de']}\b"),
    ("count", rf"\bcombien (?:de |d['’]){_T['fr']}\b|\bcuánt[oa]s {_T['es']}\b|\bquant[ie] {_T['it']}\b"),
    ("count", rf"\bhoeveel {_T['nl']}\b|\bile (?:jest )?{_T['pl']}\b"),
    ("list", rf"{_ORDER}(?:list|enumerate|(?:name|give me|find|show me|show) (?:all|every))\b|\bwhat are all\b"),
    ("list", rf"\bwhich (?:of the )?{_T['en']}\b|\b(?:all|every|each) (?:the |of the )?{_T['en']}\b"),
    ("list", rf"{_ORDER}(?:liste|nenne? (?:mir )?alle|zeige? (?:mir )?alle|finde alle|zähle?\b.*\bauf)\b"),
    ("list", rf"\b(?:welche|alle) {_T['de']}\b"),
    ("list", rf"{_ORDER}(?:liste[rz]?|énumère[rz]?)\b|\b(?:quel(?:le)?s|tou(?:s|tes) les) {_T['fr']}\b"),
    ("list", rf"{_ORDER}(?:lista|enumera|haz una lista)\b|\b(?:qué|cuáles|tod[oa]s l[oa]s) {_T['es']}\b"),
    ("list", rf"{_ORDER}(?:elenca\w*|fai un elenco)\b|\b(?:quali|tutt[ie] (?:i|le|gli)) {_T['it']}\b"),
    ("list", rf"{_ORDER}(?:som\b.*\bop|maak een lijst|noem alle)\b|\b(?:welke|alle) {_T['nl']}\b"),
    ("list", rf"{_ORDER}(?:wymień|wylicz|sporządź listę)\b|\b(?:które|wszystkie) {_T['pl']}\b"),
)  # fmt: skip
_COMPILED = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _PATTERNS)
_ANY_THING = re.compile(rf"\b(?:{'|'.join(_T.values())})\Z", re.IGNORECASE)


def whole_kind(question: str) -> Kind | None:
    """Which of `KINDS` a question is; None for one that a passage can answer."""
    found = {kind for kind, pattern in _COMPILED if pattern.search(question)}
    return next((kind for kind in ("compare", "summarise", "count", "list") if kind in found), None)


def subject(question: str) -> str:
    """What is asked for, without the words that ask for all of it; the question itself if nothing else is left."""
    left = question
    for _kind, pattern in _COMPILED:
        left = pattern.sub(_thing_alone, left)
    left = re.sub(r"\s+", " ", left).strip(" ,;:.?!")
    return left if re.search(r"\w{3}", left) else question


def _thing_alone(match: re.Match[str]) -> str:
    """Of "how many invoices" the invoices stay."""
    thing = _ANY_THING.search(match.group())
    return thing.group() if thing else " "
