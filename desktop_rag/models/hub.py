"""Look for models on the Hugging Face hub: names, sizes and hashes of GGUF files, before anything is downloaded.

Runs in the `network` role, when the user has opened it for downloads. Sends the words typed into
the search field and nothing else. The API is https://huggingface.co/docs/hub/api; a mirror that
speaks it can be named by DESKTOP_RAG_HUB.
"""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx

from desktop_rag.errors import NetworkError, UsageError
from desktop_rag.models.facts import ENCODERS, NAMED_QUANTISATION
from desktop_rag.models.inspect import PART
from desktop_rag.models.web import (
    AgainError,
    check_address,
    check_repository,
    check_status,
    file_url,
    hub_address,
    interrupted,
    is_repository,
    offline,
    refused,
)
from desktop_rag.workers.loop import Operation, Request

HEADERS = {"User-Agent": "desktop-rag", "Accept": "*/*", "Accept-Encoding": "identity"}
ANSWER_BYTES = 8 * 2**20
MOST_RESULTS = 30
TIMEOUT = httpx.Timeout(20.0, connect=15.0)


@dataclass(frozen=True, slots=True)
class HubFile:
    """One file of a repository; `size` in bytes, `sha256` as the hub states it."""

    url: str
    name: str
    size: int | None
    sha256: str | None


@contextmanager
def open_client(timeout: httpx.Timeout = TIMEOUT) -> Iterator[httpx.Client]:
    """Without the system's credentials (netrc), cookies or redirects; a proxy of the environment is taken over."""
    proxy = os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy")
    try:
        mounts = {"https://": httpx.HTTPTransport(proxy=proxy)} if proxy else None
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        # The address itself is not repeated: it may hold a password.
        raise refused("HTTPS_PROXY names no proxy that can be used.", "Write it like http://proxy:3128") from error
    with httpx.Client(timeout=timeout, trust_env=False, follow_redirects=False, mounts=mounts) as client:
        yield client


@contextmanager
def told() -> Iterator[None]:
    """The library's errors as AgainError, or as NetworkError where trying again is of no use."""
    try:
        yield
    except httpx.ConnectError as error:
        if _by_ssl(error):
            raise refused("The server could not prove who it is (its certificate is not valid).") from error
        raise AgainError(offline()) from error
    except httpx.ConnectTimeout as error:
        raise AgainError(offline()) from error
    except httpx.TimeoutException as error:
        raise AgainError(interrupted("The server stopped sending.")) from error
    except httpx.TransportError as error:
        raise AgainError(interrupted("The connection broke in the middle of the file.")) from error
    except (httpx.InvalidURL, UnicodeError) as error:
        raise refused("The address cannot be read.") from error


def _by_ssl(error: BaseException | None) -> bool:
    """Whether the handshake failed, below the library's own layers of errors."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False


def search(query: str, limit: int) -> Iterator[dict[str, Any]]:
    """Repositories with GGUF files for `query`, the most downloaded first; each with its files.

    `query` may also be `owner/name` or the address of a repository. Raises NetworkError, UsageError.
    """
    words = query.strip()
    named = words.removeprefix(f"{hub_address()}/").split("?")[0].strip("/")
    with open_client() as client:
        if named.count("/") == 1 and " " not in named:
            names = [check_repository(named)]
        else:
            choice = {"search": words, "filter": "gguf", "sort": "downloads", "direction": "-1", "limit": str(limit)}
            rows = _get(client, f"/api/models?{urlencode(choice)}")
            if not isinstance(rows, list):
                raise _garbage()
            names = [name for row in rows if isinstance(row, dict) and is_repository(name := str(row.get("id")))]
        for name in names[:limit]:
            try:
                row = _repository(client, name)
            except NetworkError as error:
                # One that was closed meanwhile; a hub that answers nobody is told.
                if len(names) == 1 or error.code != "refused" or error.retryable:
                    raise
                continue
            if row["files"] or len(names) == 1:
                yield row


def locate(repo: str, file: str, sha256: str | None, size: int | None) -> HubFile:
    """Address, size and hash of one file; asks the hub for what is not given, and requires the hash."""
    url = file_url(hub_address(), repo, file)
    if sha256 is not None:
        return HubFile(url, file, size, sha256)
    with open_client() as client:
        files = _files(_details(client, repo), repo)
    found = next((candidate for candidate in files if candidate.name == file), None)
    if found is None:
        raise refused(f"The repository {repo} has no file {file}.", "Search for the model again.")
    if found.sha256 is None:
        raise refused(f"The hub does not state the SHA-256 of {file}, so it could not be verified.")
    if size is not None and found.size is not None and size != found.size:
        raise refused(f"The hub's {file} has {found.size:,} bytes; {size:,} are expected.")
    return found


def search_op(request: Request) -> Operation:
    """Serve {query, limit}: one "repository" event each as it is found, then {results}."""
    query = str(request.args.get("query") or "").strip()
    if not query:
        raise UsageError("bad_request", "There is nothing to search for.", "Type a model's name.")
    limit = max(1, min(int(request.args.get("limit") or 8), MOST_RESULTS))
    results = []
    yield {"event": "progress", "received": 0, "total": limit, "fraction": 0.0}
    for row in search(query, limit):
        results.append(row)
        yield {"event": "repository", **row}
    return {"query": query, "results": results}


def _repository(client: httpx.Client, name: str) -> dict[str, Any]:
    details = _details(client, name)
    tags = [tag for tag in _list(details, "tags") if isinstance(tag, str)]
    inside = _object(details, "gguf")
    files = [file for file in _files(details, name) if _is_first_part(file.name)]
    architecture = str(inside.get("architecture") or "")
    return {
        "repo": name,
        "kind": "encoder" if architecture in ENCODERS else "chat",
        "architecture": architecture,
        "context": inside.get("context_length"),
        "parameters": inside.get("total"),
        "licence": next((tag.removeprefix("license:") for tag in tags if tag.startswith("license:")), ""),
        "gated": bool(details.get("gated")),
        "downloads": details.get("downloads"),
        "likes": details.get("likes"),
        "files": [
            {"file": file.name, "size": _whole_size(details, name, file), "sha256": file.sha256,
             "quantisation": named[0].upper() if (named := NAMED_QUANTISATION.search(file.name)) else ""}
            for file in files
        ],
    }  # fmt: skip


def _is_first_part(name: str) -> bool:
    part = PART.match(name.rsplit("/", 1)[-1])
    return name.lower().endswith(".gguf") and "mmproj" not in name.lower() and (part is None or int(part["part"]) == 1)


def _whole_size(details: dict[str, Any], repo: str, first: HubFile) -> int | None:
    """Bytes of all parts of a split model."""
    part = PART.match(first.name)
    if part is None:
        return first.size
    sizes = [file.size for file in _files(details, repo) if file.name.startswith(f"{part['stem']}-")]
    return sum(size for size in sizes if size is not None) if None not in sizes else None


def _details(client: httpx.Client, repo: str) -> dict[str, Any]:
    details = _get(client, f"/api/models/{quote(check_repository(repo))}?blobs=true")
    if not isinstance(details, dict):
        raise _garbage()
    return details


def _files(details: dict[str, Any], repo: str) -> list[HubFile]:
    files = []
    for row in _list(details, "siblings"):
        name = row.get("rfilename") if isinstance(row, dict) else None
        if isinstance(name, str) and name and not {"", ".", ".."} & set(name.split("/")):
            lfs = _object(row, "lfs")
            size = row.get("size") if isinstance(row.get("size"), int) else lfs.get("size")
            sha256 = lfs.get("sha256")
            stated = sha256 if isinstance(sha256, str) and len(sha256) == 64 else None
            files.append(HubFile(file_url(hub_address(), repo, name), name, size, stated))
    return files


def _get(client: httpx.Client, path: str) -> Any:
    """One JSON answer, refused when it is endless or no JSON."""
    url = f"{hub_address()}{path}"
    check_address(url, url)
    try:
        try:
            body = _body(client, url)
        except AgainError as again:
            if not isinstance(again.__cause__, httpx.RemoteProtocolError):
                raise
            # A connection kept from the last question may have been closed by the server meanwhile.
            body = _body(client, url)
    except AgainError as again:
        raise again.told from again
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _garbage() from error


def _body(client: httpx.Client, url: str) -> bytes:
    """The answer's bytes. Raises AgainError where another attempt may help."""
    body = bytearray()
    with told(), client.stream("GET", url, headers=HEADERS) as response:
        check_status(response.status_code, response.headers, urlsplit(url).hostname or "")
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > ANSWER_BYTES:
                raise _garbage()
    return bytes(body)


def _list(mapping: dict[str, Any], key: str) -> list[Any]:
    value = mapping.get(key)
    return value if isinstance(value, list) else []


def _object(mapping: dict[str, Any], key: str) -> dict[str, Any]:
    value = mapping.get(key)
    return value if isinstance(value, dict) else {}


def _garbage() -> NetworkError:
    return NetworkError("refused", "The hub answered with something that cannot be read.", "Try again later.")
