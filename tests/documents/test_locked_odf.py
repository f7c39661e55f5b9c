"""OpenDocument files with a password: opened by it alone, whichever program has encrypted them."""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from base64 import b64encode
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import Blowfish
from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from hypothesis import given, settings
from hypothesis import strategies as st
from odfdo import Cell, Document, Paragraph, Row, Table

from desktop_rag.documents.limits import Limits
from desktop_rag.documents.model import DocumentInfo, Page
from desktop_rag.documents.read import read
from desktop_rag.errors import DocumentError

SAMPLE = Path(__file__).parents[3] / "shared" / "data" / "parser_docs" / "files" / "odt" / "tika__testODTEncrypted.odt"
PASSWORD = "grün"
ROUNDS = 3
WORDS = "The alarm code was changed in spring."
SCHEMES = ("aes", "blowfish", "package")


def plain(kind: str = "text") -> bytes:
    document = Document(kind)
    if kind == "text":
        document.body.append(Paragraph(WORDS))
        document.meta.title = "Alarm"
    else:
        table, row = Table("Codes"), Row()
        row.append_cell(Cell(WORDS))
        table.append_row(row)
        document.body.append(table)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def padded(data: bytes) -> bytes:
    missing = 16 - len(data) % 16
    return data + bytes(missing - 1) + bytes([missing])


def encrypted(data: bytes, scheme: str, rounds: int = ROUNDS, memory: int = 64) -> tuple[bytes, str]:
    """A part as programs encrypt it, and what the list of parts says of it."""
    vector, salt, size = b"v" * {"aes": 16, "blowfish": 8, "package": 12}[scheme], b"salt" * 4, 32
    hashed = "sha1" if scheme == "blowfish" else "sha256"
    start = hashlib.new(hashed, PASSWORD.encode()).digest()
    told, derivation = "", f'manifest:key-derivation-name="PBKDF2" manifest:iteration-count="{rounds}"'
    packed = deflated(data)
    if scheme == "package":
        key = Argon2id(salt=salt, length=32, iterations=min(rounds, ROUNDS), lanes=1, memory_cost=64).derive(start)
        secret = vector + AESGCM(key).encrypt(vector, packed, None)
        method = "http://www.w3.org/2009/xmlenc11#aes256-gcm"
        derivation = (
            'manifest:key-derivation-name="urn:org:documentfoundation:names:experimental:office:manifest:argon2id" '
            f'loext:argon2-iterations="{rounds}" loext:argon2-memory="{memory}" loext:argon2-lanes="1"'
        )
    else:
        aes = scheme == "aes"
        size = 32 if aes else 16
        key = hashlib.pbkdf2_hmac("sha1", start, salt, min(rounds, ROUNDS), size)
        cipher = Cipher(AES(key), modes.CBC(vector)) if aes else Cipher(Blowfish(key), CFB(vector))
        packed = padded(packed) if aes else packed
        encryptor = cipher.encryptor()
        secret = encryptor.update(packed) + encryptor.finalize()
        method = "http://www.w3.org/2001/04/xmlenc#aes256-cbc" if aes else "Blowfish CFB"
        kind = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0#sha256-1k" if aes else "SHA1/1K"
        checksum = b64encode(hashlib.new(hashed, packed[:1024]).digest()).decode()
        told = f' manifest:checksum-type="{kind}" manifest:checksum="{checksum}"'
    return secret, (
        f"<manifest:encryption-data{told}>"
        f'<manifest:algorithm manifest:algorithm-name="{method}"'
        f' manifest:initialisation-vector="{b64encode(vector).decode()}"/>'
        f'<manifest:key-derivation {derivation} manifest:key-size="{size}"'
        f' manifest:salt="{b64encode(salt).decode()}"/>'
        f'<manifest:start-key-generation manifest:start-key-generation-name="{hashed.upper()}"/>'
        "</manifest:encryption-data>"
    )


def locked(document: bytes, scheme: str, *, rounds: int = ROUNDS, memory: int = 64) -> bytes:
    """The document as it is saved with the password."""
    source = zipfile.ZipFile(io.BytesIO(document))
    parts = {name: source.read(name) for name in source.namelist()}
    kept = {"mimetype": parts.pop("mimetype")}
    parts.pop("META-INF/manifest.xml")
    secret = {"encrypted-package": document} if scheme == "package" else parts
    entries = ""
    for name, data in secret.items():
        kept[name], how = encrypted(data, scheme, rounds, memory)
        entries += (
            f'<manifest:file-entry manifest:full-path="{name}" manifest:media-type="">{how}</manifest:file-entry>'
        )
    kept["META-INF/manifest.xml"] = (
        '<?xml version="1.0"?><manifest:manifest '
        'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" '
        'xmlns:loext="urn:org:documentfoundation:names:experimental:office:xmlns:loext:1.0">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kept["mimetype"].decode()}"/>'
        f"{entries}</manifest:manifest>"
    ).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name, data in kept.items():
            target.writestr(name, data)
    return buffer.getvalue()


def refusal(path: Path, password: str | None = PASSWORD, limits: Limits | None = None) -> DocumentError:
    with pytest.raises(DocumentError) as refused:
        list(read(path, password=password, limits=limits or Limits()))
    return refused.value


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_password_opens_a_text(scheme: str, tmp_path: Path) -> None:
    path = tmp_path / "a.odt"
    path.write_bytes(locked(plain(), scheme))
    for wrong in (None, "", "wrong"):
        assert refusal(path, wrong).code == "encrypted"
    info, page = read(path, password=PASSWORD)
    assert info == DocumentInfo("odt", "Alarm", None)
    assert isinstance(page, Page)
    assert WORDS in page.text


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_password_opens_a_sheet(scheme: str, tmp_path: Path) -> None:
    path = tmp_path / "a.ods"
    path.write_bytes(locked(plain("spreadsheet"), scheme))
    assert refusal(path, None).code == "encrypted"
    info, *pages = read(path, password=PASSWORD)
    assert isinstance(info, DocumentInfo)
    assert WORDS in "".join(getattr(page, "text", "") for page in pages)


@pytest.mark.skipif(not SAMPLE.is_file(), reason="the shared collection of documents is not here")
def test_a_file_that_a_real_program_encrypted() -> None:
    _, page = read(SAMPLE, password="tika")
    assert "This should be encrypted" in getattr(page, "text", "")


@pytest.mark.parametrize(("scheme", "more"), [
    ("aes", {"rounds": 2_000_000}), ("package", {"rounds": 1000}), ("package", {"memory": 4_000_000}),
])  # fmt: skip
def test_a_key_that_takes_hours_or_all_memory_is_not_made(scheme: str, more: dict[str, int], tmp_path: Path) -> None:
    path = tmp_path / "a.odt"
    path.write_bytes(locked(plain(), scheme, **more))
    found = refusal(path)
    assert (found.code, "cannot be opened here" in found.message) == ("encrypted", True)


def test_a_part_that_unpacks_to_more_than_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.odt"
    path.write_bytes(locked(plain(), "aes"))
    assert refusal(path, limits=Limits(max_text_bytes=500)).code == "too_large"


@settings(max_examples=100, deadline=None)
@given(at=st.integers(0, 8000), junk=st.binary(min_size=1, max_size=12), scheme=st.sampled_from(SCHEMES))
def test_a_damaged_file_never_crashes(
    at: int, junk: bytes, scheme: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = locked(plain(), scheme)
    at %= len(data)
    path = tmp_path_factory.getbasetemp() / "damaged.odt"
    for hostile in (data[:at], data[:at] + junk + data[at + len(junk) :]):
        path.write_bytes(hostile)
        with suppress(DocumentError):
            list(read(path, password=PASSWORD))
