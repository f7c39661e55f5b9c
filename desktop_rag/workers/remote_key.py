"""The key of a remote model: in a file the user names, or in the operating system's keyring, one for each server.

It never stands in settings, arguments, logs or messages.
"""

from __future__ import annotations

from pathlib import Path

from desktop_rag.engines.openai_dialect import base_of, host_of
from desktop_rag.errors import UsageError

_SERVICE = "desktop-rag remote model"
_MOST_BYTES = 8192


def read_key(url: str, key_file: str | None) -> str | None:
    """The key for the server at `url`, or None where there is none.

    Raises UsageError("bad_request") when the named file cannot be read or holds no key.
    """
    if not key_file:
        return _from_keyring(host_of(base_of(url)))
    try:
        with Path(key_file).expanduser().open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
        key = raw.decode("ascii").strip() if len(raw) <= _MOST_BYTES else ""
    except OSError as error:
        raise UsageError("bad_request", f"The key file cannot be read: {error.strerror}.", "Check its path.") from error
    except UnicodeDecodeError:
        key = ""
    # A key goes into a header: one with a line's end inside would be quoted in the refusal of it.
    if not key or not all("!" <= character <= "~" for character in key):
        raise UsageError("bad_request", "The key file holds no key.", "Put the key alone into the file.")
    return key


def keep_key(url: str, key: str) -> bool:
    """Put the key for the server at `url` into the keyring ("" forgets it); False where there is no keyring."""
    import keyring
    from keyring.errors import KeyringError, PasswordDeleteError

    name = host_of(base_of(url))
    try:
        if key:
            keyring.set_password(_SERVICE, name, key)
        else:
            keyring.delete_password(_SERVICE, name)
    except PasswordDeleteError:
        # There was none.
        return True
    except (KeyringError, OSError):
        return False
    return _from_keyring(name) == (key or None)


def _from_keyring(name: str) -> str | None:
    import keyring
    from keyring.errors import KeyringError

    try:
        return keyring.get_password(_SERVICE, name) or None
    except (KeyringError, OSError):
        return None
