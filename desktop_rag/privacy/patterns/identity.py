"""Documents of identity, licences and plates known by their name in one of the seven languages."""

from __future__ import annotations

from desktop_rag.privacy.patterns.pattern import glued, named

# A document's number, in one piece or in groups; the groups after the first hold figures.
_DOCUMENT = (
    r"(?=[A-Z]{0,4}[ /.-]?\d|[A-Za-z]{0,9}\d)[A-Za-z0-9]{2,20}(?:[ /.-](?=[A-Za-z]{0,2}\d)[A-Za-z0-9]{1,12}){0,4}"
)
_PLATE = r"(?=(?:[A-ZÄÖÜ]{1,3}[ -]?){0,2}\d)(?:[A-ZÄÖÜ0-9]{1,4}[ -]){0,3}[A-ZÄÖÜ0-9]{1,8}"
_PASSPORT = (
    "passport, passport card, reisepass, passeport, pasaporte, passaporto, paspoort, paszport, paszportu, pass-nr,"
    " passnummer, passnr, reisepassnummer, reisepass-nr, paspoortnummer, numer paszportu, nr paszportu,"
    " número de pasaporte, numéro de passeport, numero di passaporto, numero passaporto"
)
_LICENCE = (
    "driving licence, dl, driving license, driver licence, driver license, driver's licence, driver's license,"
    " driver’s licence, driver’s license, drivers licence, drivers license, licence to drive, führerschein,"
    " führerscheinnummer, führerschein-nr, fahrerlaubnis, permis de conduire, permis, permiso de conducir,"
    " carnet de conducir, licencia de conducir, patente di guida, patente, rijbewijs, rijbewijsnummer, prawo jazdy,"
    " prawa jazdy, numer prawa jazdy, nr prawa jazdy"
)
_NATIONAL = (
    "id card, identity card, identity document, identity number, identification number, national id, ni number, ni no,"
    " national identity card, national insurance, national identification number, personal id, social security, ssn,"
    " ssn/itin, nino, personalausweis, personalausweisnummer, personalausweis-nr, ausweis, ausweisnummer, ausweisnr,"
    " ausweis-nr, sozialversicherungsnummer, sozialversicherungsnr, sv-nummer, rentenversicherungsnummer,"
    " krankenversichertennummer, versichertennummer, versicherten-nr, carte d'identité, carte d’identité, carte"
    " nationale d'identité, cni, cin, numéro de sécurité sociale, n° de sécurité sociale, sécurité sociale, dni, nie,"
    " nif, dni/nie, dni/nif, nif/nie, documento nacional de identidad, documento de identidad, seguridad social, carta"
    " d'identità, carta d’identità, codice fiscale, cod. fisc, cod. fiscale, c.f, tessera sanitaria, identiteitskaart,"
    " identiteitsbewijs, identiteitskaartnummer, bsn, burgerservicenummer, sofinummer, pesel, nr pesel, numer pesel,"
    " dowód, dowód osobisty, dowodu osobistego, dowodem osobistym, seria i numer, seria i nr, numer dowodu, nr dowodu"
)
_TAX = (
    "tax id, tax number, tax identification number, tin, itin, ein, utr, unique taxpayer reference, vat, vat reg,"
    " vat registration, vat id, steuernummer, steuer-nr, steuer-id, steueridentifikationsnummer, steuerliche"
    " identifikationsnummer, idnr, identifikationsnummer, ust-idnr, ust-id-nr, ust-id, umsatzsteuer-id, tva,"
    " tva intracommunautaire, numéro fiscal, spi, cif, p.iva, p. iva, partita iva, btw, btw-nummer, nip, nr nip,"
    " numer nip, identyfikacji podatkowej, fiscaal nummer"
)
_COMPANY = (
    "company number, company no, company registration, company reg, companies house, registered number, registered in"
    " england, registration no, crn, handelsregister, handelsregisternummer, hrb, hra, siren, siret, rcs, registro"
    " mercantil, rea, kvk, kvk-nummer, kamer van koophandel, krs, nr krs, numer krs, regon, nr regon, numer regon"
)
_PLATES = (
    "license plate, licence plate, number plate, plate number, plate no, plate, plates, registration plate, vehicle"
    " registration, registration mark, vrm, vehicle reg, kennzeichen, kfz-kennzeichen, amtliches kennzeichen,"
    " nummernschild, immatriculation, plaque, plaque d'immatriculation, plaque d’immatriculation, immatriculé,"
    " immatriculée, matrícula, placa, targa, targato, targata, kenteken, nummerbord, nr rejestracyjny, numer"
    " rejestracyjny, numerze rejestracyjnym, nr rej, numer rej, tablica rejestracyjna, tablice rejestracyjne,"
    " o nr rej"
)
_MEDICAL = (
    "dea, npi, medical license, medical licence, gmc, gmc reference, nmc, license number, licence number, lanr, bsnr,"
    " rpps, adeli, finess, nº col, nºcol, n° col, núm. col, num. col, no. col, nº colegiado, colegiado, colegiada,"
    " número de colegiado, nº de colegiado, numerus curricular, pwz, nr pwz, numer pwz, big-nummer, big-registratie"
)


def _names(listed: str) -> list[str]:
    return [" ".join(name.split()) for name in listed.split(",")]


PATTERNS = (
    named("PASSPORT", _names(_PASSPORT), r"(?=(?:[ A-Z]*\d){4})[A-Z0-9]{1,3}[ ]?[A-Z0-9]{5,9}"),
    named("DRIVER_LICENSE", _names(_LICENCE), rf"(?=(?:[ A-Z/.-]{{0,12}}\d){{4}}){_DOCUMENT}"),
    named("NATIONAL_ID", _names(_NATIONAL), rf"(?=(?:[ A-Z/.-]{{0,12}}\d){{4}}){_DOCUMENT}"),
    named("TAX_NUMBER", _names(_TAX), rf"(?=(?:[ A-Z/.-]{{0,6}}\d){{7}}){_DOCUMENT}", 0.8),
    named("COMPANY_NUMBER", _names(_COMPANY), rf"(?=(?:[ A-Z/.-]{{0,12}}\d){{4}}){_DOCUMENT}", 0.8),
    named("VEHICLE_NUMBER", _names(_PLATES), _PLATE, 0.8),
    named(
        "MEDICAL_LICENSE",
        [*_names(_MEDICAL), *glued("arzt approbations")],
        rf"(?=(?:[ A-Z/.-]{{0,4}}\d){{4}}){_DOCUMENT}",
    ),
)
