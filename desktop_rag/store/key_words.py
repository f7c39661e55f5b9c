"""What people are told about who keeps the library's key; the same words in window and terminal."""

from __future__ import annotations

LEAST_CHARACTERS = 8
"""Of a new passphrase."""
KEPT = {
    "keyring": "The library's key lies in the operating system's keyring.",
    "passphrase": "The library opens with your passphrase only.",
    "file": "The library is protected by file permissions only: its key lies in a private file of the configuration.",
}
"""By keeper ("keyring", "passphrase", "file")."""

NOT_YET = "There is no library here yet, and no key."
FILE_MADE = (
    "The new library's key lies in a file, protected by file permissions only;"
    " to put it behind a passphrase: desktop-rag key passphrase"
)
NO_WAY_BACK = "Nobody can recover a lost passphrase: without it, or a backup whose passphrase you know, all is lost."
LEFT_BEHIND = "A copy of the old key file, in a backup of this computer for instance, would still open the library."
"""Said when the key leaves its file: it is still the same key."""
