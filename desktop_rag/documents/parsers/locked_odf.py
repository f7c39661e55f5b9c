"""OpenDocument files with a password, decrypted in memory as ODF 1.2 part 3, section 3.4 says.

LibreOffice up to 24.2 encrypts each part by AES-CBC, OpenOffice by Blowfish; since 24.8 the whole package is one part
under AES-GCM, its key made by Argon2id.
"""

from __future__ import annotations

import binascii
import hashlib
import io
import re
import zipfile
import zlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.decrepit.ciphers.algorithms import Blowfish
from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from desktop_rag.documents.archives import BROKEN, check, opened
from desktop_rag.documents.limits import Limits
from desktop_rag.documents.parsers.markup import Element, parse_xml
from desktop_rag.documents.passwords import unknown_scheme, wrong_password
from desktop_rag.documents.source import MemorySource, Source
from desktop_rag.errors import DocumentError

_LIST_OF_PARTS = "META-INF/manifest.xml"
_WHOLE = "encrypted-package"
# What the text is in. Every part has a key of its own, which takes a while to make.
_WANTED = ("content.xml", "styles.xml", "meta.xml")
_ENCRYPTION = re.compile(rb"<manifest:encryption-data\b.*?</manifest:encryption-data>", re.DOTALL)
# LibreOffice takes 100,000 rounds of PBKDF2, or 3 of Argon2 in 64 MiB; a file may ask for hours and all memory.
_MOST_ROUNDS, _MOST_ARGON_ROUNDS, _MOST_KIB, _MOST_LANES = 1_000_000, 20, 262_144, 16
_TOLD_BY = 1024
"""Bytes from the start of a part that its checksum is made of."""
_DAMAGED = (*BROKEN, KeyError, IndexError, AttributeError, TypeError, RuntimeError, zlib.error)


@dataclass(frozen=True, slots=True)
class _Scheme:
    """How a part is encrypted; names of methods are reduced to their last word in lower case."""

    method: str
    vector: bytes
    derivation: str
    salt: bytes
    rounds: int
    memory: int
    lanes: int
    key_size: int
    hashed_by: str
    checksum: bytes
    checked_by: str


def is_locked(archive: zipfile.ZipFile) -> bool:
    """Whether an OpenDocument file is encrypted. Raises one of archives.BROKEN or zlib.error for a damaged one."""
    names = archive.namelist()
    return _WHOLE in names or (_LIST_OF_PARTS in names and b"encryption-data" in archive.read(_LIST_OF_PARTS))


def unlocked(source: Source, limits: Limits, password: str | None) -> Source:
    """The file without its encryption, in memory, with what its text needs.

    Raises DocumentError "encrypted" without a password, with a wrong one and for schemes that cannot be opened,
    "too_large", or "unreadable" if the file is damaged.
    """
    if not password:
        raise wrong_password(password)
    try:
        with opened(source) as archive:
            check(archive, limits)
            data = _decrypted(archive, limits, password)
    except (InvalidTag, UnsupportedAlgorithm) as failure:
        raise (wrong_password(password) if isinstance(failure, InvalidTag) else unknown_scheme()) from failure
    except _DAMAGED as failure:
        raise DocumentError(
            "unreadable",
            "The file is protected by a password and damaged: it cannot be decrypted.",
            "It may be an unfinished download: get it again.",
        ) from failure
    return MemorySource(source.name, data)


def _decrypted(archive: zipfile.ZipFile, limits: Limits, password: str) -> bytes:
    manifest = archive.read(_LIST_OF_PARTS)
    schemes = _schemes(manifest)
    if _WHOLE in schemes:
        return _opened(archive.read(_WHOLE), schemes[_WHOLE], limits, password)
    plain = io.BytesIO()
    with zipfile.ZipFile(plain, "w") as target:
        for name in archive.namelist():
            if name in schemes and name in _WANTED:
                target.writestr(name, _opened(archive.read(name), schemes[name], limits, password))
            elif name in ("mimetype", *_WANTED):
                target.writestr(name, archive.read(name))
        target.writestr(_LIST_OF_PARTS, _ENCRYPTION.sub(b"", manifest))
    return plain.getvalue()


def _opened(data: bytes, scheme: _Scheme, limits: Limits, password: str) -> bytes:
    """One part, decrypted and unpacked. Raises InvalidTag for a wrong password."""
    key = _key(scheme, password)
    if scheme.method == "aes256-gcm":
        # The vector comes once more before the part itself.
        return _inflated(AESGCM(key).decrypt(scheme.vector, data.removeprefix(scheme.vector), None), limits)
    if scheme.method not in ("aes256-cbc", "cfb"):
        raise unknown_scheme()
    by_aes = scheme.method == "aes256-cbc"
    cipher = Cipher(AES(key), modes.CBC(scheme.vector)) if by_aes else Cipher(Blowfish(key), CFB(scheme.vector))
    decryptor = cipher.decryptor()
    plain = decryptor.update(data) + decryptor.finalize()
    if hashlib.new(scheme.checked_by, plain[:_TOLD_BY]).digest() != scheme.checksum:
        raise InvalidTag
    return _inflated(plain, limits)


def _inflated(data: bytes, limits: Limits) -> bytes:
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    plain = engine.decompress(data, limits.max_text_bytes + 1)
    if len(plain) > limits.max_text_bytes:
        raise DocumentError(
            "too_large",
            f"A part of the file has more than {limits.max_text_bytes // 1_000_000} MB.",
            "Split it into smaller files and add those.",
        )
    return plain


def _key(scheme: _Scheme, password: str) -> bytes:
    start = hashlib.new(scheme.hashed_by, password.encode()).digest()
    if scheme.derivation == "pbkdf2" and scheme.rounds <= _MOST_ROUNDS:
        return hashlib.pbkdf2_hmac("sha1", start, scheme.salt, scheme.rounds, scheme.key_size)
    within = scheme.rounds <= _MOST_ARGON_ROUNDS and scheme.memory <= _MOST_KIB and scheme.lanes <= _MOST_LANES
    if scheme.derivation != "argon2id" or not within:
        raise unknown_scheme()
    return Argon2id(
        salt=scheme.salt,
        length=scheme.key_size,
        iterations=scheme.rounds,
        lanes=scheme.lanes,
        memory_cost=scheme.memory,
    ).derive(start)


def _schemes(manifest: bytes) -> dict[str, _Scheme]:
    """How each encrypted part is encrypted, by its name."""
    schemes = {}
    for entry in parse_xml(manifest, "its list of parts").iter("{*}file-entry"):
        encryption = entry.find("{*}encryption-data")
        if encryption is not None:
            schemes[_attribute(entry, "full-path")] = _scheme(encryption)
    return schemes


def _scheme(encryption: Element) -> _Scheme:
    found = {name: encryption.find(f"{{*}}{name}") for name in ("algorithm", "key-derivation", "start-key-generation")}
    method, derivation, start = found.values()
    return _Scheme(
        method=_last_word(_attribute(method, "algorithm-name")),
        vector=_bytes(_attribute(method, "initialisation-vector")),
        derivation=_last_word(_attribute(derivation, "key-derivation-name")),
        salt=_bytes(_attribute(derivation, "salt")),
        rounds=int(_attribute(derivation, "iteration-count") or _attribute(derivation, "argon2-iterations")),
        memory=int(_attribute(derivation, "argon2-memory") or 0),
        lanes=int(_attribute(derivation, "argon2-lanes") or 0),
        key_size=int(_attribute(derivation, "key-size") or 16),
        hashed_by=_hash(_attribute(start, "start-key-generation-name")),
        checksum=_bytes(_attribute(encryption, "checksum")),
        checked_by=_hash(_attribute(encryption, "checksum-type")),
    )


def _attribute(element: Element | None, name: str) -> str:
    """An attribute whatever its namespace, "" if there is none."""
    if element is None:
        return ""
    return next((str(value) for key, value in element.attrib.items() if key.rpartition("}")[2] == name), "")


def _bytes(text: str) -> bytes:
    return binascii.a2b_base64(text)


def _last_word(name: str) -> str:
    return re.split("[#: ]", name.lower())[-1]


def _hash(name: str) -> str:
    """Of "…#sha256-1k", "SHA1/1K" and their like; the oldest files name none."""
    return "sha256" if "sha256" in name.lower() else "sha1"
