"""What all OpenDocument files have in common: a zip whose list of parts says what is encrypted."""

from __future__ import annotations

import zipfile

from desktop_rag.documents.archives import check
from desktop_rag.documents.limits import Limits
from desktop_rag.errors import DocumentError

_LIST_OF_PARTS = "META-INF/manifest.xml"


def check_open_document(archive: zipfile.ZipFile, limits: Limits) -> None:
    """Raise DocumentError "encrypted" for a file with a password, "too_large" as archives.check does."""
    check(archive, limits)
    names = archive.namelist()
    parts = archive.read(_LIST_OF_PARTS) if _LIST_OF_PARTS in names else b""
    if "encrypted-package" in names or b"encryption-data" in parts:
        raise DocumentError(
            "encrypted",
            "The file is protected by a password, which cannot be opened here for OpenDocument files.",
            "Open it in LibreOffice, save a copy without a password and add that.",
        )
