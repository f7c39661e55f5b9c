"""Office files with a password: decrypted in memory, so that nothing readable ever lies on a disk.

Of Microsoft's only the newer kind (a zip in an OLE stream) comes here; the old binary formats are decrypted by their
parsers. OpenDocument files are handed on.
"""

from __future__ import annotations

import io
import re
import struct
from xml.parsers.expat import ExpatError

import olefile  # type: ignore[import-untyped]
from cryptography.exceptions import UnsupportedAlgorithm
from msoffcrypto.exceptions import (  # type: ignore[import-untyped]
    DecryptionError,
    FileFormatError,
    InvalidKeyError,
    ParseError,
)
from msoffcrypto.format.ooxml import OOXMLFile  # type: ignore[import-untyped]

from desktop_rag.documents.limits import Limits
from desktop_rag.documents.parsers import locked_odf
from desktop_rag.documents.passwords import unknown_scheme, wrong_password
from desktop_rag.documents.source import MemorySource, Source, read_bytes
from desktop_rag.errors import DocumentError

# Excel encrypts files that are only "protected against changes" with this word and never asks for it.
_UNASKED = "VelvetSweatshop"
_LONGEST_DESCRIPTION = 65_536
# Office takes 100,000 rounds; the format allows ten million, which is half a minute of waiting.
_MOST_ROUNDS = 1_000_000
_ROUNDS = re.compile(rb"spinCount\s*=\s*[\"'](\d+)")
_DAMAGED = (
    OSError, ValueError, KeyError, IndexError, TypeError, AttributeError, AssertionError, OverflowError,
    struct.error, ExpatError, UnicodeError, ParseError, FileFormatError,
)  # fmt: skip
"""What msoffcrypto-tool and olefile raise for files whose structures contradict themselves."""


def unlocked(source: Source, limits: Limits, password: str | None) -> Source:
    """The file inside `source`, under the same name, in memory.

    Raises DocumentError "encrypted" without a password, with a wrong one and for schemes that cannot be opened,
    "too_large", or "unreadable" if the file is damaged.
    """
    data = read_bytes(source, limits)
    if not olefile.isOleFile(data=data):
        return locked_odf.unlocked(source, limits, password)
    try:
        _check_scheme(data)
        return MemorySource(source.name, _decrypted(data, password or _UNASKED))
    except InvalidKeyError as failure:
        raise wrong_password(password) from failure
    except (DecryptionError, UnsupportedAlgorithm) as failure:
        raise unknown_scheme() from failure
    except _DAMAGED as failure:
        raise DocumentError(
            "unreadable",
            "The file is protected by a password and damaged: it cannot be decrypted.",
            "It may be an unfinished download: get it again.",
        ) from failure


def _check_scheme(data: bytes) -> None:
    """Refuse what would keep the computer busy: entities in the description, millions of rounds."""
    with olefile.OleFileIO(io.BytesIO(data)) as file, file.openstream("EncryptionInfo") as stream:
        description = stream.read(_LONGEST_DESCRIPTION + 1)
    rounds = _ROUNDS.findall(description)
    absurd = any(len(count) > 9 or int(count) > _MOST_ROUNDS for count in rounds)
    if len(description) > _LONGEST_DESCRIPTION or b"<!" in description or absurd:
        raise unknown_scheme()


def _decrypted(data: bytes, password: str) -> bytes:
    file = OOXMLFile(io.BytesIO(data))
    file.load_key(password=password, verify_password=True)
    found = io.BytesIO()
    file.decrypt(found)
    return found.getvalue()
