"""Numbers of cases, files, contracts, customers and the like, known by their name in one of the seven languages."""

from __future__ import annotations

import re

from desktop_rag.privacy.patterns.pattern import (
    CODE,
    COLON,
    NUMBER_WORD,
    At,
    Pattern,
    cues,
    either,
    first_word,
    glued,
    named,
    words,
)

# What is numbered. Without a word for "number" or a colon after it, none of these says anything.
_THINGS = (
    "application, applications, case, cases, docket, file, files, claim, claims, policy, insurance policy, invoice,"
    " invoices, order, purchase order, reference, ref, customer, client, account, employee, staff, personnel, payroll,"
    " student, matriculation, enrolment, pupil, patient, patient record, medical record, hospital, member, membership,"
    " matter, record, ticket, booking, reservation, tracking, shipment, contract, agreement, complaint, petition,"
    " permit, certificate, visa, admission, badge, loan, mortgage, transaction, payment, receipt, warrant, indictment,"
    " decision, judgment, appeal, proceedings, registration, voter, library card, loyalty card, accession, specimen,"
    " sample, prescription, referral, incident, report, mrn, urn, id,"
    " akte, aktenzeichen, geschäftszeichen, geschäftsnummer, rechnung, vertrag, police, beschwerde, antrag, auftrag,"
    " bestellung, vorgang, referenz, patient, kunde, mitglied, personal, versicherungsschein, urteil, mandant,"
    " dossier, requête, affaire, facture, police, contrat, client, commande, référence, réf, matricule, adhérent,"
    " patient, étudiant, pourvoi, arrêt, jugement, rôle, rg, plainte, sinistre, allocataire, procédure, abonné,"
    " expediente, exp, expte, recurso, demanda, factura, póliza, contrato, cliente, pedido, referencia, historia"
    " clínica, historia, sentencia, autos, procedimiento, diligencias, paciente, socio, empleado, alumno, episodio,"
    " fascicolo, pratica, ricorso, causa, fattura, polizza, contratto, cliente, ordine, riferimento, rif, matricola,"
    " protocollo, prot, cartella clinica, sentenza, procedimento, paziente, tessera, socio, sinistro,"
    " zaak, dossier, klant, factuur, polis, contract, order, bestelling, referentie, kenmerk, rol, parket, patiënt,"
    " student, lid, medewerker, rekest,"
    " sprawa, sprawy, skarga, skargi, klient, klienta, faktura, faktury, polisa, polisy, umowa, umowy, zamówienie,"
    " zamówienia, album, albumu, ewidencyjny, referencyjny, pacjent, pacjenta, wniosek, wniosku, karta, karty, decyzja,"
    " decyzji, postanowienie, zgłoszenie, zgłoszenia, reklamacji, legitymacja, legitymacji, licencji, historii"
    " choroby, księgi, akt, kartoteki, pracownika, studenta, członkowski, szkody, przesyłki, rezerwacji"
)
_GERMAN = glued(
    "kunden rechnungs vertrags policen versicherungs versicherungsschein personal matrikel patienten fall auftrags"
    " bestell vorgangs mitglieds beleg buchungs sendungs antrags akten schaden schadens mandats referenz ticket"
    " aufnahme registrier beschwerde zaak dossier klant factuur polis contract personeels student studenten patiënt"
    " bestel order rol parket lidmaatschaps referentie boekings medewerkers ordner steuer kassen betriebs darlehens"
)
_CERTAIN = (
    "aktenzeichen, az, geschäftszeichen, gz, gesch.-z, kenmerk, sygn. akt, sygn, sygnatura akt, sygnatura, mrn, nhc,"
    " nuhsa, cipa, cip, sip, nº historia, nº de historia, nº hc, nº episodio, nass, r.g, rg, numéro de dossier, case"
    " ref, our ref, your ref, unser zeichen, ihr zeichen, nos réf, vos réf, n/réf, v/réf, ons kenmerk, uw kenmerk"
)
# "II K 123/20", "12 O 345/19", "1 BvR 2656/18", "C-123/18", "17854/04".
_DOCKET = (
    r"(?:[IVX]{1,5}[ \u00a0]|\d{1,4}[ \u00a0])?(?:[A-Z][A-Za-z]{0,4}[ \u00a0./-]){0,3}"
    r"\d{1,6}(?:[ \u00a0]?[/.-][ \u00a0]?\d{1,6}){1,4}(?:[/.-][A-Z]{1,4}(?!\w)|[ \u00a0][A-Z]{1,2}(?!\w))?"
)
_VALUE = rf"(?:{_DOCKET}|[A-Z]{{1,4}}[ ]\d{{3,12}}|{CODE}(?:[ \u00a0](?=[A-Z]{{0,2}}\d)[A-Z0-9]{{1,10}}){{0,3}})"
_AND_MORE = rf"(?:(?:,\s|,?\s(?:and|und|et|y|e|en|i|oraz)\s|\s?&\s?){CODE}){{0,20}}"


def _numbered(things: list[str]) -> Pattern:
    """ "application nos. 12345/67 and 2345/68", "Case: C-12/34"."""
    regex = rf"{either(things)}(?!\w)\.?\s?(?:{NUMBER_WORD}{COLON}|[:#][ \u00a0]?)(?P<value>{_VALUE}{_AND_MORE})(?!\w)"
    return Pattern("RECORD_NUMBER", re.compile(regex), 0.8, cues(" ".join(first_word(t) for t in things)))


def _number_of(things: list[str]) -> Pattern:
    """ "nº de expediente 123/2020", "numer polisy: AB 12"."""
    link = r"\s?(?:(?i:de la|de l['’]|del|della|dell['’]|de|du|d['’]|di|van|van de|der|des|of)\s?)?"
    regex = rf"{NUMBER_WORD}{link}{either(things)}(?!\w)\.?{COLON}(?P<value>{_VALUE})(?!\w)"
    return Pattern(
        "RECORD_NUMBER",
        re.compile(regex),
        0.8,
        cues("n nº nos nrs no nr nrs num núm numer number numero número numéro numeru"),
    )


def _has_two_parts(value: str) -> bool:
    """A figure on both sides of a stroke; dates and fractions are not records."""
    return bool(re.search(r"[A-Za-z].*\d.*/\d{2}", value))


_LISTED = [" ".join(thing.split()) for thing in _THINGS.split(",")]

PATTERNS = (
    _numbered(_LISTED),
    _number_of(_LISTED),
    named("RECORD_NUMBER", _GERMAN, _VALUE),
    named("RECORD_NUMBER", [" ".join(n.split()) for n in _CERTAIN.split(",")], _VALUE, 0.85),
    # the Court of Justice, and German and Polish courts: shapes that need no name
    Pattern("RECORD_NUMBER", re.compile(r"(?<![\w-])[CTF][-‑–]\d{1,4}/\d\d(?:[ ]?P(?!\w))?(?![\w/-])"), 0.8, At.CODE),
    Pattern(
        "RECORD_NUMBER",
        re.compile(
            r"(?<![\w.])(?:\d{1,3}|[IVX]{1,4})[ \u00a0](?:[A-Z][A-Za-z]{0,3}[ \u00a0]){1,2}"
            r"\d{1,5}/\d\d(?:\d\d)?(?![\w/])"
        ),
        0.75,
        At.NUMBER,
        _has_two_parts,
    ),
    # parcels of UPS
    Pattern("RECORD_NUMBER", re.compile(r"(?<!\w)1Z[0-9A-Z]{6}[0-9]{10}(?!\w)"), 0.85, At.CODE),
    # the Court of Human Rights: "no. 12345/67"
    Pattern(
        "RECORD_NUMBER",
        re.compile(rf"{NUMBER_WORD}\s?(?P<value>\d{{3,6}}/\d\d(?!\d){_AND_MORE})(?![\w/])"),
        0.7,
        cues("n no nos nr nrs"),
    ),
    Pattern(
        "RECORD_NUMBER",
        re.compile(r"(?<![\w./-])\d{3,6}/\d\d(?![\w/-]|[.,]\d)"),
        0.0,
        At.NUMBER,
        None,
        words("application applications v case cases requête requêtes beschwerde skarga ricorso demanda sprawa"),
        0.7,
    ),
)
