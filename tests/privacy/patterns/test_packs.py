"""What each pack finds, and what stays: every row is a sentence, then what must be found in it."""

from __future__ import annotations

import json

import pytest

from desktop_rag.paths import assets_dir
from desktop_rag.privacy.classes import replaced_by_default
from desktop_rag.privacy.patterns import packs
from desktop_rag.privacy.patterns.find import find

FOUND: list[tuple[str, str, str]] = [
    # phones
    ("Call +48 600 123 456 now.", "PHONE_NUMBER", "+48 600 123 456"),
    ("Call (+44) 20 7946 0958 now.", "PHONE_NUMBER", "+44) 20 7946 0958"),
    ("Ring +44 (0)20 7946 0958, please", "PHONE_NUMBER", "+44 (0)20 7946 0958"),
    ("Kontakt: 600-123-456.", "PHONE_NUMBER", "600-123-456"),
    ("kom. 600123456", "PHONE_NUMBER", "600123456"),
    ("tel. (22) 123 45 67", "PHONE_NUMBER", "(22) 123 45 67"),
    ("Office 212-555-0187 x123.", "PHONE_NUMBER", "212-555-0187 x123"),
    ("(245)555-1234", "PHONE_NUMBER", "(245)555-1234"),
    ("001-245-555-1234x12345", "PHONE_NUMBER", "001-245-555-1234x12345"),
    ("Tél. : 01 42 68 53 00", "PHONE_NUMBER", "01 42 68 53 00"),
    ("06.12.34.56.78", "PHONE_NUMBER", "06.12.34.56.78"),
    ("Telefon 030/1234567", "PHONE_NUMBER", "030/1234567"),
    ("móvil 600 12 34 56", "PHONE_NUMBER", "600 12 34 56"),
    ("bel 06-12345678", "PHONE_NUMBER", "06-12345678"),
    ("cell. 333 1234567", "PHONE_NUMBER", "333 1234567"),
    ("Fax (phone below):\n5551234567", "PHONE_NUMBER", "5551234567"),
    # web and devices
    ("Write to jean.rivera+x@mail.intern-zz.", "EMAIL_ADDRESS", "jean.rivera+x@mail.intern-zz"),
    ("<jean@example.co.uk>", "EMAIL_ADDRESS", "jean@example.co.uk"),
    ("see https://example.org/a_b?q=1.", "URL", "https://example.org/a_b?q=1"),
    ("see www.x.y, then", "URL", "www.x.y"),
    ("at example.co.uk/path.", "URL", "example.co.uk/path"),
    ("on sub.agency.it today", "URL", "sub.agency.it"),
    ("from 192.168.0.17.", "IP_ADDRESS", "192.168.0.17"),
    ("address fe80::1ff:fe23:4567:890a", "IP_ADDRESS", "fe80::1ff:fe23:4567:890a"),
    ("MAC ab:cd:ef:01:23:45", "MAC_ADDRESS", "ab:cd:ef:01:23:45"),
    # accounts
    ("IBAN DE89 3704 0044 0532 0130 00 BIC", "IBAN_CODE", "DE89 3704 0044 0532 0130 00"),
    ("konto 61 1090 1014 0000 0712 1981 2874", "IBAN_CODE", "61 1090 1014 0000 0712 1981 2874"),
    ("account number: 12345678", "IBAN_CODE", "12345678"),
    ("sort code 20-00-00", "US_BANK_NUMBER", "20-00-00"),
    ("BIC: DEUTDEFF500", "US_BANK_NUMBER", "DEUTDEFF500"),
    ("card 4111-1111-1111-1111 exp", "CREDIT_CARD", "4111-1111-1111-1111"),
    ("amex 3782 822463 10005", "CREDIT_CARD", "3782 822463 10005"),
    ("wallet 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa.", "CRYPTO", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
    ("VIN 1M8GDM9AXKP042788", "VEHICLE_NUMBER", "1M8GDM9AXKP042788"),
    ("IMEI: 490154203237518", "RECORD_NUMBER", "490154203237518"),
    ("at 52.2297, 21.0122 exactly", "LOCATION", "52.2297, 21.0122"),
    ("user 123e4567-e89b-12d3-a456-426614174000", "RECORD_NUMBER", "123e4567-e89b-12d3-a456-426614174000"),
    # records
    ("application no. 12345/67.", "RECORD_NUMBER", "12345/67"),
    ("Application no. 17854/04", "RECORD_NUMBER", "17854/04"),
    ("applications nos. 1234/05 and 2345/06 were", "RECORD_NUMBER", "1234/05 and 2345/06"),
    ("Case C-123/18 Commission", "RECORD_NUMBER", "C-123/18"),
    ("Docket No. 20-1234-CV", "RECORD_NUMBER", "20-1234-CV"),
    ("Az. 12 O 345/19", "RECORD_NUMBER", "12 O 345/19"),
    ("Aktenzeichen: 1 BvR 2656/18", "RECORD_NUMBER", "1 BvR 2656/18"),
    ("sygn. akt II K 123/20", "RECORD_NUMBER", "II K 123/20"),
    ("nº de expediente 123/2020", "RECORD_NUMBER", "123/2020"),
    ("Kundennummer: K-4711-22", "RECORD_NUMBER", "K-4711-22"),
    ("Kunden-Nr. 471122", "RECORD_NUMBER", "471122"),
    ("policy number AB 123456", "RECORD_NUMBER", "AB 123456"),
    ("Invoice #2020-0017", "RECORD_NUMBER", "2020-0017"),
    ("Facture n° F2020-118", "RECORD_NUMBER", "F2020-118"),
    ("dossier nr. 2020/118", "RECORD_NUMBER", "2020/118"),
    ("fattura n. 118/2020", "RECORD_NUMBER", "118/2020"),
    ("nr polisy: 90012345", "RECORD_NUMBER", "90012345"),
    ("MRN: 123456", "RECORD_NUMBER", "123456"),
    ("Employee ID: E00123", "RECORD_NUMBER", "E00123"),
    # documents
    ("Passport No. AB1234567", "PASSPORT", "AB1234567"),
    ("Reisepass C01X00T47", "PASSPORT", "C01X00T47"),
    ("driver's license number D1234567", "DRIVER_LICENSE", "D1234567"),
    ("Führerscheinnummer: B072RRE2I55", "DRIVER_LICENSE", "B072RRE2I55"),
    ("prawo jazdy nr 12345/12/1234", "DRIVER_LICENSE", "12345/12/1234"),
    ("MORGA657054SM9IJ", "DRIVER_LICENSE", "MORGA657054SM9IJ"),
    ("license plate: ABC 1234", "VEHICLE_NUMBER", "ABC 1234"),
    ("nr rej. WA 12345", "VEHICLE_NUMBER", "WA 12345"),
    ("Kennzeichen B-AB 1234", "VEHICLE_NUMBER", "B-AB 1234"),
    ("véhicule AB-123-CD", "VEHICLE_NUMBER", "AB-123-CD"),
    ("kenteken 12-ABC-3", "VEHICLE_NUMBER", "12-ABC-3"),
    ("SSN 078-05-1120", "US_SSN", "078-05-1120"),
    ("ITIN 912-75-1234", "US_ITIN", "912-75-1234"),
    ("NI number QQ123456C", "NATIONAL_ID", "QQ123456C"),
    ("AB 12 34 56 C", "NATIONAL_ID", "AB 12 34 56 C"),
    ("NHS number 943 476 5919", "UK_NHS", "943 476 5919"),
    ("UTR 12345 67890", "TAX_NUMBER", "12345 67890"),
    ("Steuer-ID 86 095 742 719", "TAX_NUMBER", "86 095 742 719"),
    ("65 170839 J 003", "NATIONAL_ID", "65 170839 J 003"),
    ("HRB 12345", "COMPANY_NUMBER", "HRB 12345"),
    ("2 55 08 14 168 025 38", "NATIONAL_ID", "2 55 08 14 168 025 38"),
    ("SIREN 732 829 320", "COMPANY_NUMBER", "732 829 320"),
    ("DNI: 12345678-Z", "NATIONAL_ID", "12345678-Z"),
    ("CF MRTMTT25D09F205Z", "NATIONAL_ID", "MRTMTT25D09F205Z"),
    ("partita IVA 12345678903", "TAX_NUMBER", "12345678903"),
    ("BSN: 111222333", "NATIONAL_ID", "111222333"),
    ("NIP 123-456-32-18", "TAX_NUMBER", "123-456-32-18"),
    ("REGON: 123456785", "COMPANY_NUMBER", "123456785"),
    ("KRS 0000123456", "COMPANY_NUMBER", "0000123456"),
    ("dowód osobisty ABA 300000", "NATIONAL_ID", "ABA 300000"),
    ("DEA number AB1234563", "MEDICAL_LICENSE", "AB1234563"),
    # Spanish clinical records
    ("NHC: 1234567", "RECORD_NUMBER", "1234567"),
    ("NASS: 28 12345678 90", "RECORD_NUMBER", "28 12345678 90"),
    ("NºCol: 28 28 12345", "MEDICAL_LICENSE", "28 28 12345"),
    ("Nº Col. 28 28 12345", "MEDICAL_LICENSE", "28 28 12345"),
    ("CP: 28013", "LOCATION", "28013"),
    ("Sexo: varón.", "DEMOGRAPHIC", "varón"),
    ("vive con su hermana mayor", "DEMOGRAPHIC", "hermana"),
    ("varón de 45 años", "AGE", "45 años"),
    # addresses
    ("at 104 West 29th Street, New York", "STREET_ADDRESS", "104 West 29th Street"),
    ("C/ Mayor, 12, 3ºB", "STREET_ADDRESS", "C/ Mayor, 12, 3ºB"),
    ("Avda. de la Constitución 5", "STREET_ADDRESS", "Avda. de la Constitución 5"),
    ("ul. Długa 5/7", "STREET_ADDRESS", "ul. Długa 5/7"),
    ("in der Hauptstraße 12a", "STREET_ADDRESS", "Hauptstraße 12a"),
    ("12 rue de la Paix", "STREET_ADDRESS", "12 rue de la Paix"),
    ("Via Giuseppe Verdi 12", "STREET_ADDRESS", "Via Giuseppe Verdi 12"),
    ("Lange Kerkstraat 7", "STREET_ADDRESS", "Kerkstraat 7"),
    ("Denver, CO 80202", "LOCATION", "CO 80202"),
    ("London SW1A 1AA", "LOCATION", "SW1A 1AA"),
    ("Hauptstr. 3, 10115 Berlin", "LOCATION", "10115 Berlin"),
    ("00-950 Warszawa", "LOCATION", "00-950"),
    ("Dam 1, 1012 JS Amsterdam", "LOCATION", "1012 JS"),
    # dates, ages, money
    ("on 12/03/2020.", "DATE_TIME", "12/03/2020"),
    ("am 12.03.2020", "DATE_TIME", "12.03.2020"),
    ("2020-03-12T10:30:00Z", "DATE_TIME", "2020-03-12T10:30:00Z"),
    ("on March 3rd, 2020,", "DATE_TIME", "March 3rd, 2020"),
    ("3 de marzo de 2020", "DATE_TIME", "3 de marzo de 2020"),
    ("1er mars 2020", "DATE_TIME", "1er mars 2020"),
    ("am 3. März 2020", "DATE_TIME", "3. März 2020"),
    ("dnia 3 marca 2020 r.", "DATE_TIME", "3 marca 2020 r"),
    ("il 3 marzo 2020", "DATE_TIME", "3 marzo 2020"),
    ("op 3 maart 2020", "DATE_TIME", "3 maart 2020"),
    ("3–5 March 2020", "DATE_TIME", "3–5 March 2020"),
    ("born in 1980.", "DATE_TIME", "1980"),
    ("ur. 1980", "DATE_TIME", "1980"),
    ("at 3:30 p.m. today", "DATE_TIME", "3:30 p.m"),
    ("for three years", "DATE_TIME", "three years"),
    ("14 months later", "DATE_TIME", "14 months"),
    ("aged 34", "AGE", "34"),
    ("34 years old", "AGE", "34 years old"),
    ("a 34-year-old man", "AGE", "34-year-old"),
    ("34 Jahre alt", "AGE", "34 Jahre alt"),
    ("homme de 45 ans", "AGE", "45 ans"),
    ("wiek 34 lat", "AGE", "34 lat"),
    ("lat 45", "AGE", "45"),
    ("paid $5,000.50 then", "QUANTITY", "$5,000.50"),
    ("1.200,00 EUR", "QUANTITY", "1.200,00 EUR"),
    ("za 300 tys. złotych", "QUANTITY", "300 tys. złotych"),
    ("I'm 42.", "AGE", "42"),
    ("50,000 Danish kroner", "QUANTITY", "50,000 Danish kroner"),
    ("in the 1980s", "DATE_TIME", "1980s"),
    ("exp 01/25", "DATE_TIME", "01/25"),
    ("à 14 h 30", "DATE_TIME", "14 h 30"),
    ("P.O. Box 123", "STREET_ADDRESS", "P.O. Box 123"),
    ("Calle Mayor s/n", "STREET_ADDRESS", "Calle Mayor s/n"),
    ("cvv: 123", "CREDIT_CARD", "123"),
    ("UPS 1Z999AA10123456784", "RECORD_NUMBER", "1Z999AA10123456784"),
    # titles and peoples
    ("Mr Smith", "TITLE", "Mr"),
    ("Herrn Prof. Dr. Müller", "TITLE", "Herrn Prof. Dr"),
    ("pani Anna", "TITLE", "pani"),
    ("et M. Dupont", "TITLE", "M"),
    ("Dña. Ana", "TITLE", "Dña"),
    ("Sig.ra Rossi", "TITLE", "Sig.ra"),
    ("a Polish citizen", "NRP", "Polish"),
    ("Staatsangehörigkeit: deutsch", "NRP", "deutsch"),
    # users
    (r"C:\Users\jean\Documents\x.docx", "USER_NAME", "jean"),
    ("/home/jean/x", "USER_NAME", "jean"),
    ("follow @jean_r!", "USER_NAME", "@jean_r"),
    ("username: jean.r", "USER_NAME", "jean.r"),
]

# Numbers and words that name nobody: no class that is replaced may be found here.
STAYS = [
    "Version 4.2.1.3 and release 10.15.7 of the software",
    "see section 4.2.1, § 12 and Art. 6(1)(f), paragraph 17.3",
    "ISBN 978-3-16-148410-0 and ISBN 0-306-40615-2",
    "part K-101, bolts M8x40, model XJ-900, screw 12-34-56",
    "The price is 1 299,00 zł or 1.299,00 EUR or $1,299.00.",
    "There were 123 456 789 inhabitants and 600 123 456 dollars.",
    "The figures are 12.5 | 13.6 | 14.7 | 123456 | 99",
    "a total of 1234567890 grains of sand",
    "12345678901 steps were counted, then 987654321 more",
    "in 2019 and 2020 the ratio was 3:1, later 16:9",
    "GDP grew by 3.5 % in 2020, 4.1 % in 2021",
    "Table 12, Figure 3-4, page 128, footnote 17",
    "The case was closed. The order of the day is number one.",
    "He called the police. The policy is fine; the file is open.",
    "The account of 1945 is long, and the reference is clear.",
    "RFC 2616, ISO 27001:2013, DIN A4, EN 55032, USB 3.0",
    "COVID-19, B-52, F-16, A4, H1N1, 5G, MP3, CO2",
    "std::vector<int> a::b, @Override public, @media screen, x@y",
    "for i in range(1000): print(0x1F)",
    "Patente wurden 1903 erteilt, auf Platz 139, 12345 Einwohner",
    "during 2004-2009, Spring 2004, from 1998–2003",
    "the password is required and the secret is out; password: ****",
    "The phone is new. The passport is valid. The plate is broken.",
    "Nr. 5 lebt; No. 10 Downing; nº 1; the number 42",
    "Temperature 12.03.2, dimension 12 x 34 x 56 mm",
    "12:30:45 and 1-2-3-4-5-6 and 1/2/3/4/5",
    "Bach BWV 1004, Psalm 23:4, Matthew 5:3-12",
    "chapter 1234567 of the endless book, row 4711",
    "10.1000/xyz123 and arXiv:2005.11401",
    "order 01/25 of the day, ratio 12/25",
    "an MD5 of d41d8cd98f00b204e9800998ecf8427e",
]
NOTHING = [
    "The German language and the English version",
    "may 5 people come? They may.",
    "Franklin D. Roosevelt met",
    "",
]


@pytest.mark.parametrize(("text", "label", "value"), FOUND, ids=[f"{label} {value}" for _, label, value in FOUND])
def test_found(text: str, label: str, value: str) -> None:
    found = [(f.label, text[f.start : f.end]) for f in find(text)]
    assert (label, value) in found


@pytest.mark.parametrize("text", STAYS)
def test_what_names_nobody_stays(text: str) -> None:
    assert [(f.label, text[f.start : f.end]) for f in find(text) if replaced_by_default(f.label)] == []


@pytest.mark.parametrize("text", NOTHING)
def test_nothing_at_all(text: str) -> None:
    assert find(text) == []


def test_every_class_has_a_name_for_people() -> None:
    classes = json.loads((assets_dir() / "pii_classes.json").read_text(encoding="utf-8"))
    assert {pattern.label for pack in packs.ALL for pattern in pack} <= classes["direct"].keys() | classes[
        "quasi"
    ].keys()
