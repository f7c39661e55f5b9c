"""The hub's search, against a local server that speaks its JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop_rag.errors import DesktopRagError, NetworkError
from desktop_rag.models.download import download_op
from desktop_rag.models.hub import locate, open_client, search_op, told
from desktop_rag.workers.loop import Request
from tests.models.misbehaving import Answer, Server, serving
from tests.workers.driving import run

pytestmark = pytest.mark.loopback
WEIGHTS = b"GGUF" + bytes(5000)
SHA = hashlib.sha256(WEIGHTS).hexdigest()
PARTS = [b"first part", b"second part"]


def lfs(name: str, content: bytes) -> dict[str, Any]:
    """A file as `?blobs=true` lists it."""
    facts = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 135}
    return {"rfilename": name, "size": len(content), "blobId": "0" * 40, "lfs": facts}


DETAILS = {
    "id": "some/model-GGUF",
    "tags": ["gguf", "license:apache-2.0", 3],
    "gated": False,
    "downloads": 12,
    "likes": 3,
    "gguf": {"total": 494032768, "architecture": "qwen2", "context_length": 32768},
    "siblings": [
        {"rfilename": "README.md", "size": 10},
        lfs("model-Q4_K_M.gguf", WEIGHTS),
        lfs("mmproj-model-f16.gguf", b"x"),
        lfs("big-Q8_0-00001-of-00002.gguf", PARTS[0]),
        lfs("big-Q8_0-00002-of-00002.gguf", PARTS[1]),
        {"rfilename": "unhashed.gguf", "size": 4},
        {"rfilename": "../../outside.gguf", "size": 4},
        "nonsense",
    ],
}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The API with one repository that has files and one without."""
    for server in serving():
        monkeypatch.setenv("DESKTOP_RAG_HUB", f"{server.address}/")
        server.put("/api/models", say([{"id": "some/model-GGUF"}, {"id": "some/empty"}, {"no": "id"}]))
        server.put("/api/models/some/model-GGUF", say(DETAILS))
        server.put("/api/models/some/empty", say({"id": "some/empty", "siblings": []}))
        server.put("/some/model-GGUF/resolve/main/model-Q4_K_M.gguf", Answer(WEIGHTS))
        for number, content in enumerate(PARTS, 1):
            server.put(f"/some/model-GGUF/resolve/main/big-Q8_0-0000{number}-of-00002.gguf", Answer(content))
        yield server


def say(data: object) -> Answer:
    return Answer(json.dumps(data).encode())


def search(query: str, **more: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    return run(search_op(Request(1, "search", {"query": query, **more})))


def test_search_lists_files_with_sizes_and_hashes(hub: Server) -> None:
    events, done = search("qwen tiny", limit=5)
    (row,) = done["results"]
    assert (row["repo"], row["licence"], row["architecture"], row["gated"]) == (
        *("some/model-GGUF", "apache-2.0", "qwen2"),
        False,
    )
    files = {file["file"]: file for file in row["files"]}
    assert files["model-Q4_K_M.gguf"] == {
        "file": "model-Q4_K_M.gguf",
        "size": len(WEIGHTS),
        "sha256": SHA,
        "quantisation": "Q4_K_M",
    }
    assert files["big-Q8_0-00001-of-00002.gguf"]["size"] == sum(map(len, PARTS)), "all parts together"
    assert files.keys() == {"model-Q4_K_M.gguf", "big-Q8_0-00001-of-00002.gguf", "unhashed.gguf"}
    assert [event["event"] for event in events] == ["progress", "repository"]
    assert hub.asked[0].path.startswith("/api/models?search=qwen+tiny&filter=gguf")


def test_one_closed_or_oddly_named_repository_does_not_spoil_a_search(hub: Server) -> None:
    hub.put("/api/models", say([{"id": "nameless"}, {"id": "some/closed"}, {"id": "some/model-GGUF"}]))
    hub.put("/api/models/some/closed", Answer(status=401))
    assert [row["repo"] for row in search("model")[1]["results"]] == ["some/model-GGUF"]


def test_a_connection_closed_meanwhile_is_opened_once_more(hub: Server) -> None:
    hub.put("/api/models", Answer(hang_up=True), say([{"id": "some/model-GGUF"}]))
    assert [row["repo"] for row in search("model")[1]["results"]] == ["some/model-GGUF"]
    hub.put("/api/models", Answer(hang_up=True))
    hub.asked.clear()
    with pytest.raises(NetworkError):
        search("model")
    assert len(hub.asked) == 2


def test_a_proxy_that_is_none_is_told_without_its_password(hub: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "nonsense://me:secret@proxy")
    with pytest.raises(NetworkError) as caught:
        search("model")
    assert ("HTTPS_PROXY" in caught.value.message, "secret" in caught.value.message) == (True, False)


@pytest.mark.parametrize("query", ["some/model-GGUF", "{hub}/some/model-GGUF?show=1"])
def test_a_repository_can_be_named(hub: Server, query: str) -> None:
    assert search(query.replace("{hub}", hub.address))[1]["results"][0]["repo"] == "some/model-GGUF"
    assert len(hub.asked) == 1, "one request, no search"


def test_a_file_gets_its_hash_from_the_hub(hub: Server, tmp_path: Path) -> None:
    args = {"folder": str(tmp_path), "repo": "some/model-GGUF", "file": "model-Q4_K_M.gguf"}
    done = run(download_op(Request(1, "download", args)))[1]
    assert (done["sha256"], done["verified"]) == (SHA, True)
    assert (tmp_path / "model-Q4_K_M.gguf").read_bytes() == WEIGHTS


def test_all_parts_of_a_split_model_come(hub: Server, tmp_path: Path) -> None:
    args = {"folder": str(tmp_path), "repo": "some/model-GGUF", "file": "big-Q8_0-00001-of-00002.gguf"}
    events, done = run(download_op(Request(1, "download", args)))
    assert done["files"] == {f"big-Q8_0-0000{n}-of-00002.gguf": len(part) for n, part in enumerate(PARTS, 1)}
    assert done["path"].endswith("-00001-of-00002.gguf")
    assert {event.get("part") for event in events[1:]} == {1, 2}


def test_a_pinned_file_is_not_looked_up(hub: Server) -> None:
    found = locate("some/model-GGUF", "model-Q4_K_M.gguf", SHA, None)
    assert found.url == f"{hub.address}/some/model-GGUF/resolve/main/model-Q4_K_M.gguf"
    assert not hub.asked


@pytest.mark.parametrize(
    ("repo", "file", "size", "words"),
    [
        ("some/model-GGUF", "none.gguf", None, "has no file"),
        ("some/model-GGUF", "unhashed.gguf", None, "does not state the SHA-256"),
        ("some/model-GGUF", "model-Q4_K_M.gguf", 5, "5 are expected"),
        ("some/unheard", "x.gguf", None, "does not have this"),
        ("no repository", "x.gguf", None, "is no repository"),
        ("../../etc", "x.gguf", None, "is no repository"),
        ("some/model-GGUF", "../x.gguf", None, "is no file"),
        ("some/model-GGUF", "", None, "is no file"),
    ],
)
def test_what_cannot_be_located(hub: Server, repo: str, file: str, size: int | None, words: str) -> None:
    with pytest.raises(DesktopRagError) as caught:
        locate(repo, file, None, size)
    assert words in caught.value.message


@pytest.mark.parametrize(
    "answer",
    [
        *(Answer(b"<html>"), Answer(b'{"models": []}'), Answer(b"\xff\xfe"), Answer(b"[" * 100_000)),
        *(Answer(b" " * (9 * 2**20)), Answer(status=302, headers={"Location": "https://evil.example/"})),
        *(Answer(status=500), Answer(status=429), Answer(b"[]", drop_after=1), Answer(b"[]", length=-5)),
    ],
)
def test_garbage_is_a_sentence(hub: Server, answer: Answer) -> None:
    hub.put("/api/models", answer)
    with pytest.raises(NetworkError) as caught:
        search("anything")
    assert caught.value.message


@pytest.mark.parametrize("details", [{"siblings": 3}, {"siblings": [{"rfilename": 7}]}, {"tags": 3}, {"gguf": []}])
def test_odd_details_are_no_bug(hub: Server, details: dict[str, Any]) -> None:
    hub.put("/api/models/some/model-GGUF", say(details))
    (row,) = search("some/model-GGUF")[1]["results"]
    assert (row["files"], row["licence"], row["architecture"]) == ([], "", "")


def test_a_server_that_cannot_prove_who_it_is(hub: Server) -> None:
    """Plain HTTP spoken on the port of an https address: the handshake fails, and no second attempt would help."""
    with pytest.raises(NetworkError) as caught, open_client() as client, told():
        client.get(hub.address.replace("http:", "https:"))
    assert "prove who it is" in caught.value.message
    assert caught.value.code == "refused"
