"""Text in the encodings of all times: a word, three, a sentence, a page; what is read is what was written."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.documents.encodings import decode, looks_binary

TEXTS = {
    "de": (
        "Größe Käse Übung Mädchen Straße für später Müller Äpfel Öl Schlüssel gehört würde. Die Miete für "
        "März ist fällig, bitte überweisen Sie den Betrag auf das übliche Konto. Schöne Grüße aus München, "
        "Jürgen Weiß."
    ),
    "fr": (
        "élève Noël garçon français été hôtel où forêt déjà cœur maïs. Le loyer du mois de février est payé à "
        "l'avance, vérifiez s'il vous plaît que la réunion a été reportée à l'après-midi, merci et à bientôt."
    ),
    "es": (
        "señor niño mañana año corazón España está público. El alquiler se pagará el próximo año según el "
        "contrato, ¿está usted de acuerdo? La señora Núñez llegó mañana con su compañía."
    ),
    "pt": (
        "coração não São manhã é informação português. O pagamento não foi feito até amanhã, a reunião "
        "começará às três, você está de acordo com as condições?"
    ),
    "sv": (
        "många får Åsa själv köpa räksmörgås före Malmö. Hyran för lägenheten är förfallen på måndag, "
        "vänligen överför beloppet före månadens slut, hälsningar från Göteborg."
    ),
    "da": (
        "Århus smørrebrød være år København også blåbær. Lejen for måneden er på høje tid at betale, både før "
        "og efter årets møde på Sjælland."
    ),
    "pl": (
        "żółw książka źródło świeca mężczyzna zażółć łódź Gdańsk. Czynsz za mieszkanie jest już płatny, "
        "proszę przelać kwotę na właściwe konto, pozdrowienia z Łodzi."
    ),
    "cs": (
        "Příliš žluťoučký kůň úpěl ďábelské ódy světlo město. Nájemné za byt je splatné v březnu, prosím "
        "převeďte částku na obvyklý účet, děkuji a přeji hezký den."
    ),
    "hu": (
        "őszinte szőlő tűz árvíztűrő tükörfúrógép könyv. A bérleti díj márciusban esedékes, kérjük utalja át "
        "az összeget a szokásos számlára, üdvözlettel Győrből."
    ),
    "tr": (
        "şeker İstanbul değil çocuk güneş öğretmen ağaç. Kira bedeli mart ayında ödenecektir, lütfen tutarı "
        "her zamanki hesaba gönderiniz, teşekkür ederiz, görüşmek üzere."
    ),
    "ru": (
        "Привет квартира договор Москва улица ключ. Арендная плата за март должна быть внесена до конца "
        "месяца, пожалуйста переведите сумму на обычный счёт, с уважением Иван Петров."
    ),
    "uk": (
        "Привіт їжак квартира договір Київ вулиця. Орендна плата за березень має бути сплачена до кінця "
        "місяця, будь ласка перекажіть суму на звичайний рахунок, з повагою."
    ),
    "bg": (
        "Здравей апартамент договор София улица ключ. Наемът за март трябва да бъде платен до края на месеца, "
        "моля преведете сумата по обичайната сметка."
    ),
    "el": (
        "Καλημέρα διαμέρισμα Αθήνα οδός συμβόλαιο. Το ενοίκιο για τον Μάρτιο πρέπει να πληρωθεί μέχρι το "
        "τέλος του μήνα, παρακαλώ μεταφέρετε το ποσό στον λογαριασμό."
    ),
    "he": (
        "שלום דירה חוזה ירושלים רחוב מפתח. שכר הדירה לחודש מרץ צריך להיות משולם עד סוף החודש, אנא העבירו את "
        "הסכום לחשבון הרגיל."
    ),
    "ar": (
        "مرحبا شقة عقد القاهرة شارع مفتاح. يجب دفع إيجار شهر مارس قبل نهاية الشهر، يرجى تحويل المبلغ إلى "
        "الحساب المعتاد."
    ),
    "ja": (
        "東京 契約書 日本語 アパート 家賃 鍵はどこ。三月分の家賃は"
        "月末までに支払ってください、いつもの口座に振り込んでいただければ幸いです。"
    ),
    "zh": ("北京 合同 中文 公寓 租金 钥匙在哪里。三月份的房租应在月底之前支付，请将款项转入平常的账户，谢谢您的合作。"),
    "zt": ("臺北 合約 中文 公寓 租金 鑰匙在哪裡。三月份的房租應在月底之前支付，請將款項轉入平常的帳戶，謝謝您的合作。"),
    "ko": (
        "서울 계약서 한국어 아파트 월세 열쇠. 삼월 월세는 월말까지 "
        "지불해야 합니다, 늘 쓰시던 계좌로 금액을 이체해 주시기 바랍니다."
    ),
    "th": ("สวัสดี สัญญา กรุงเทพ ถนน กุญแจ ค่าเช่าเดือนมีนาคมต้องชำระก่อนสิ้นเดือน กรุณาโอนเงินเข้าบัญชีปกติ ขอบคุณ"),
}
WESTERN = ("cp1252", "cp850", "mac_roman")
CENTRAL = ("cp1250", "iso8859_2", "cp852")
ENCODINGS = {
    **dict.fromkeys(("de", "fr", "es", "pt", "sv", "da"), WESTERN),
    **dict.fromkeys(("pl", "cs", "hu"), CENTRAL),
    "tr": ("cp1254",), "ru": ("cp1251", "koi8_r", "cp866"), "uk": ("cp1251", "koi8_u"), "bg": ("cp1251",),
    "el": ("cp1253",), "he": ("cp1255",), "ar": ("cp1256",), "ja": ("cp932", "euc_jp", "iso2022_jp"),
    "zh": ("gb18030",), "zt": ("big5",), "ko": ("cp949",), "th": ("cp874",),
}  # fmt: skip
ALWAYS = ("utf-8", "utf-16-le", "utf-16-be")
LEAST = {"word": 0.75, "three words": 0.95, "sentence": 1.0, "page": 1.0}
"""Share that has to be right: of one word several encodings make a word of some language."""


def pieces(text: str, length: str) -> Iterator[str]:
    words = text.split(" ")
    if length == "word":
        yield from words[:5]
    elif length == "three words":
        yield from (" ".join(words[at : at + 3]) for at in (0, 3, 6))
    elif length == "sentence":
        yield from (" ".join(words[at : at + 12]) for at in (0, 8))
    else:
        yield f"{text}\n" * 40


def cases(length: str) -> Iterator[tuple[str, str]]:
    """(text, encoding), of texts that the encoding can write and that are not plain ASCII."""
    for language, text in TEXTS.items():
        for encoding in (*ALWAYS, *ENCODINGS[language]):
            for piece in pieces(text, length):
                if not piece.isascii() and piece.encode(encoding, "replace").decode(encoding) == piece:
                    yield piece, encoding


@pytest.mark.parametrize("length", LEAST)
def test_what_is_read_is_what_was_written(length: str) -> None:
    found = [(decode(text.encode(encoding)), text, encoding) for text, encoding in cases(length)]
    wrong = [
        f"{text[:20]!r} in {encoding} as {got[:20]!r} in {name}" for (got, name), text, encoding in found if got != text
    ]
    assert len(found) > 40
    assert 1 - len(wrong) / len(found) >= LEAST[length], "\n".join(wrong)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Käse", "cp1252"), ("Größe", "cp1252"), ("Größe", "latin-1"), ("Größe", "cp850"), ("Größe", "utf-16-le"),
        ("Öl", "utf-16-be"), ("señor", "cp1252"), ("Привет", "cp1251"), ("Привет", "koi8_r"), ("Привет", "utf-16-le"),
        ("日本語です", "cp932"), ("Καλημέρα", "cp1253"), ("5 € für „beide“ – gern", "cp1252"), ("l’été", "cp1252"),
        ("naïve café", "cp1252"), ("Żółw", "utf-8"),
    ],
)  # fmt: skip
def test_short_texts(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding))[0] == text


@given(st.text(st.characters(exclude_characters="\x00\x1b", exclude_categories=["Cs"]), max_size=300))
def test_utf8_is_never_taken_for_anything_else(text: str) -> None:
    if not text.startswith("\ufeff"):
        found, encoding = decode(text.encode())
        # Control characters at every second place are what UTF-16 looks like.
        assert found == text or encoding.startswith("utf-16")
        assert encoding == "utf-8" or any(char < " " for char in text)


@given(st.binary(max_size=400))
def test_no_bytes_are_too_odd(data: bytes) -> None:
    text, _ = decode(data)
    text.encode("utf-8")
    assert decode(data)[0] == text, "not the same every time"
    looks_binary(data)
