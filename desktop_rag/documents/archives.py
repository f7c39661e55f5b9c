"""What a zip archive claims about itself, checked before anything in it is unpacked."""

from __future__ import annotations

import zipfile
from pathlib import Path

from desktop_rag.documents.limits import Limits
from desktop_rag.errors import DocumentError

# A few kilobytes of repeated XML may pack very well without meaning any harm.
_HARMLESS = 20_000_000


def members(path: Path) -> frozenset[str]:
    """Names in the archive, the empty set if it is no readable archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            return frozenset(archive.namelist())
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, ValueError, EOFError):
        return frozenset()


def check(archive: zipfile.ZipFile, limits: Limits) -> None:
    """Raise DocumentError "too_large" for an archive that would unpack to far more than it is, "encrypted" for one
    with a password.

    The sizes come from the central directory; `zipfile` never unpacks a member beyond the size given there.
    """
    entries = archive.infolist()
    unpacked = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    if len(entries) > limits.max_zip_entries:
        raise DocumentError(
            "too_large",
            f"The file holds {len(entries):,} parts inside; at most {limits.max_zip_entries:,} are read.",
            "Open it in the program that made it and save a simpler copy.",
        )
    if unpacked > limits.max_unpacked_bytes or (
        unpacked > _HARMLESS and unpacked > limits.max_zip_ratio * max(packed, 1)
    ):
        raise DocumentError(
            "too_large",
            f"The file would unpack to {unpacked // 1_000_000:,} MB, which is more than is read.",
            "A normal document never packs this tightly: check where the file comes from.",
        )
    if any(entry.flag_bits & 1 for entry in entries):
        raise DocumentError(
            "encrypted", "The file is protected by a password.", "Save a copy without the password and add that."
        )
