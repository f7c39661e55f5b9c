"""What is said of a file that is protected by a password, whatever its format."""

from __future__ import annotations

from desktop_rag.errors import DocumentError


def wrong_password(password: str | None, what: str = "file") -> DocumentError:
    """The error for a password that does not fit, or for none at all; `what` is the kind of file."""
    if password:
        message = f"The password does not open this {what}."
        return DocumentError("encrypted", message, "Check the password and try again.")
    return DocumentError("encrypted", f"The {what} is protected by a password.", "Enter its password to add it.")
