"""What is said of a file that is protected by a password, whatever its format."""

from __future__ import annotations

from desktop_rag.errors import DocumentError


def wrong_password(password: str | None, what: str = "file") -> DocumentError:
    """The error for a password that does not fit, or for none at all; `what` is the kind of file."""
    if password:
        message = f"The password does not open this {what}."
        return DocumentError("encrypted", message, "Check the password and try again.")
    return DocumentError("encrypted", f"The {what} is protected by a password.", "Enter its password to add it.")


def unknown_scheme() -> DocumentError:
    """The error for a protection that no password helps to open here."""
    return DocumentError(
        "encrypted",
        "The file is protected in a way that cannot be opened here.",
        "Open it in the program that made it, save a copy without a password and add that.",
    )
