"""Every failure a person can meet, as a small tree with stable codes.

DesktopRagError(code, message, hint, retryable, details)
  DocumentError  unsupported encrypted empty too_large unreadable partly_read parse_timeout scrub_failed not_found
  ModelError     not_installed checksum truncated incompatible backend_missing context_too_long out_of_memory
  SearchError    fingerprint_changed corrupt
  StoreError     locked disk_full read_only newer_schema migration_failed wrong_key damaged not_found
  EngineError    start_failed crashed hung protocol_mismatch
  NetworkError   sealed offline interrupted refused no_space
  UsageError     bad_request not_available
  Cancelled      not an error for the user

An error is raised where its cause is known, crosses a worker's pipe as a plain mapping, is
rebuilt by `from_payload` and shown once. Anything else is a bug.
"""

from __future__ import annotations

from typing import Any, ClassVar


class DesktopRagError(Exception):
    """A known failure: `code` for machines, `message` (one sentence) and `hint` (what to do) for people."""

    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        code: str,
        message: str,
        hint: str = "",
        *,
        retryable: bool = False,
        details: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.retryable = retryable
        self.details = details or {}

    def cause(self) -> dict[str, str]:
        """{code, message, hint}: what a row, a receipt and `--json` show of it."""
        return {"code": self.code, "message": self.message, "hint": self.hint}

    def to_payload(self) -> dict[str, Any]:
        """A JSON-ready mapping {family, code, message, hint, retryable, details}."""
        return {
            "family": type(self).__name__,
            **self.cause(),
            "retryable": self.retryable,
            "details": self.details,
        }


class UsageError(DesktopRagError):
    """The request itself cannot be carried out (bad argument, feature not built yet)."""

    exit_code = 2


class DocumentError(DesktopRagError):
    """One file cannot be read, cleaned or indexed; the others go on."""

    exit_code = 3


class ModelError(DesktopRagError):
    """A model file is missing, damaged or does not fit."""

    exit_code = 4


class StoreError(DesktopRagError):
    """The database cannot be opened or written."""

    exit_code = 5


class SearchError(DesktopRagError):
    """The index does not match its collection."""

    exit_code = 6


class EngineError(DesktopRagError):
    """A worker process failed."""

    exit_code = 7


class NetworkError(DesktopRagError):
    """A connection was refused or broke."""

    exit_code = 8


class Cancelled(DesktopRagError):
    """The user stopped the work."""

    exit_code = 130

    def __init__(self) -> None:
        super().__init__("cancelled", "Stopped.")


_FAMILIES: dict[str, type[DesktopRagError]] = {
    cls.__name__: cls
    for cls in (
        DesktopRagError,
        UsageError,
        DocumentError,
        ModelError,
        StoreError,
        SearchError,
        EngineError,
        NetworkError,
    )
}


def from_payload(payload: dict[str, Any]) -> DesktopRagError:
    """Rebuild an error that crossed a pipe; an unknown family becomes the base class."""
    if payload.get("code") == "cancelled":
        return Cancelled()
    family = _FAMILIES.get(str(payload.get("family")), DesktopRagError)
    return family(
        str(payload.get("code", "unknown")),
        str(payload.get("message", "Something went wrong.")),
        str(payload.get("hint", "")),
        retryable=bool(payload.get("retryable")),
        details=dict(payload.get("details") or {}),
    )
