"""What a person is told when a server at an address does not do its part.

Neither a server's own words nor an exception's are repeated: they quote questions, keys and addresses.
"""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from desktop_rag.errors import DesktopRagError, EngineError, ModelError, NetworkError

_LATER = "Wait a little, then try again."


def of_status(status: int, host: str, body: bytes, *, model: str, keyed: bool) -> DesktopRagError:
    """The error behind an HTTP status of 400 or more; `body` is only searched for the sign of a full context."""
    if status in (401, 403):
        told = f"{host} does not accept the key." if keyed else f"{host} asks for a key."
        return NetworkError("refused", told, "Choose the file that holds the right key.")
    if status == 404:
        return NetworkError(
            "refused",
            f"{host} has nothing at this address, or no model “{model}”.",
            "Check the address (it often ends in /v1) and the model's name.",
        )
    if status == 429:
        return NetworkError(
            "refused", f"{host} takes no more requests for now: its limit is reached.", _LATER, retryable=True
        )
    if status < 500 and b"context" in body.lower():
        return context_too_long()
    if status < 500:
        return EngineError(
            "protocol_mismatch",
            f"{host} did not accept the request (status {status}).",
            "Check that it is an OpenAI-compatible server that streams chat answers.",
        )
    return EngineError("crashed", f"{host} failed with an error of its own (status {status}).", _LATER, retryable=True)


def of_redirect(asked: str, location: str, host: str) -> NetworkError:
    """A redirect is never followed: it could carry the question, and the key, to anybody."""
    other = urlsplit(urljoin(asked, location)).netloc.rpartition("@")[2] if location else ""
    where = f"to {other}" if other and other != host else "to another place of its own"
    return NetworkError(
        "refused",
        f"{host} wants to send the request on {where}; nothing was sent there.",
        "Enter the new address yourself if you trust it.",
    )


def unreachable(host: str, causes: frozenset[str]) -> NetworkError:
    """No connection; `causes` are the names of the exceptions behind it."""
    if "gaierror" in causes:
        return NetworkError(
            "offline", f"There is no server named {host}, or no connection to ask for it.", "Check the address."
        )
    if any(name.startswith("SSL") for name in causes):
        return NetworkError(
            "refused",
            f"No trusted connection to {host} is possible: its certificate is not in order.",
            "Do not use it.",
        )
    return NetworkError(
        "offline", f"Nothing answers at {host}.", "Check that the server runs and the address is right.", retryable=True
    )


def hung(host: str, seconds: float) -> EngineError:
    """Connected, but nothing more came."""
    return EngineError(
        "hung",
        f"{host} has not said anything for {seconds:.0f} seconds.",
        "It may be busy with others; try again later.",
        retryable=True,
    )


def interrupted(host: str) -> NetworkError:
    """The connection ended before the answer did."""
    return NetworkError(
        "interrupted",
        f"The connection to {host} broke before the answer was whole.",
        "What came is kept; ask again for the rest.",
        retryable=True,
    )


def context_too_long() -> ModelError:
    """The prompt does not fit, by the server's word or by our estimate."""
    return ModelError(
        "context_too_long",
        "The question and its passages do not fit the model's memory.",
        "Use fewer passages.",
    )
