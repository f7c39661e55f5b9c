"""What an answer from a server means, in words: addresses, status codes, ranges. Pure; opens nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from urllib.parse import quote, unquote, urlsplit

from desktop_rag.errors import NetworkError, UsageError

HUB = "https://huggingface.co"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
TRY_AGAIN = (408, 425, 429, 500, 502, 503, 504)
LONGEST_PAUSE = 30.0
_RESOLVE = "/resolve/main/"


class AgainError(Exception):
    """This attempt failed in a way that the next one may not, `after` some seconds; `told` is what to say otherwise."""

    def __init__(self, told: NetworkError, after: float = 0.0) -> None:
        super().__init__(told.message)
        self.told = told
        self.after = min(after, LONGEST_PAUSE)


def check_address(url: str, first: str) -> None:
    """HTTPS only; plain HTTP from this very machine to itself only (a server of the user's, a test).

    `first` is the address the user agreed to, `url` it or where it redirects. Raises NetworkError("refused").
    """
    try:
        parts, origin = urlsplit(url), urlsplit(first)
    except ValueError as error:
        raise refused("The address cannot be read.") from error
    local = parts.hostname in LOOPBACK
    where = "The address is" if url == first else "The server redirects to an address that is"
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        raise refused(f"{where} not protected (https).")
    if local != (origin.hostname in LOOPBACK):
        raise refused("The server redirects to another kind of address.")


def check_status(status: int, headers: Mapping[str, str], host: str) -> None:
    """Nothing for 200 and 206. Raises NetworkError("refused"), or AgainError where waiting may help."""
    if status in (200, 206):
        return
    if status in (401, 403):
        raise refused(
            f"{host} does not give this file to everybody ({status}).",
            "Its licence may have to be accepted in the browser: download it there, then import the file.",
        )
    if status in (404, 410):
        raise refused(f"{host} does not have this ({status}).", "Search for the model again.")
    if status in TRY_AGAIN:
        words = "is asked too often" if status == 429 else "cannot answer now"
        told = NetworkError("refused", f"{host} {words} ({status}).", "Try again later.", retryable=True)
        raise AgainError(told, float(number(headers.get("retry-after")) or 0))
    raise refused(f"{host} answered in an unexpected way ({status}).", "Try again later.")


def content_range(text: str) -> tuple[int, int | None]:
    """Start and total of `bytes 5-9/10`; start is -1, which fits nothing, where it is not told."""
    found = re.fullmatch(r"bytes (?:(\d{1,18})-\d{1,18}|\*)/(\d{1,18}|\*)", text.strip(), re.ASCII)
    if found is None:
        return -1, None
    return int(found[1] or -1), number(found[2])


def number(text: str | None) -> int | None:
    """A header that must be a whole number of a size that can be; None otherwise."""
    return int(text) if text and re.fullmatch(r"\d{1,18}", text, re.ASCII) else None


def is_repository(repo: str) -> bool:
    """Whether it is `owner/name` as the hub writes it."""
    return bool(re.fullmatch(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", repo, re.ASCII)) and ".." not in repo


def check_repository(repo: str) -> str:
    """`owner/name` as the hub writes it. Raises UsageError("bad_request")."""
    if not is_repository(repo):
        raise UsageError("bad_request", f"“{repo}” is no repository.", "Write it as owner/name.")
    return repo


def hub_address() -> str:
    """The hub, or the mirror the user named."""
    return os.environ.get("DESKTOP_RAG_HUB", HUB).rstrip("/")


def file_url(hub: str, repo: str, file: str) -> str:
    """Where the hub serves a file. Raises UsageError("bad_request") for names that leave the repository."""
    pieces = file.split("/")
    if not file or any(piece in ("", ".", "..") for piece in pieces):
        raise UsageError("bad_request", f"“{file}” is no file of a repository.", "Write it as the hub shows it.")
    return f"{hub}/{check_repository(repo)}{_RESOLVE}{quote(file)}"


def file_of(hub: str, url: str) -> tuple[str, str] | None:
    """The repository and the file behind an address of `file_url`; None for any other address."""
    repo, found, file = url.removeprefix(f"{hub}/").partition(_RESOLVE)
    return (repo, unquote(file)) if found and file and is_repository(repo) else None


def offline() -> NetworkError:
    """The server cannot be reached at all."""
    return NetworkError(
        "offline", "The server cannot be reached.", "Check the connection; what has arrived is kept.", retryable=True
    )


def interrupted(message: str) -> NetworkError:
    """The server was there and then was not."""
    return NetworkError("interrupted", message, "Try again: the download goes on where it stopped.", retryable=True)


def refused(message: str, hint: str = "Get the file from another place.") -> NetworkError:
    """The server says no, or we do."""
    return NetworkError("refused", message, hint)
