"""What a download leaves when it does not end: shown as it is, taken up by what is told, and removed for good."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop_rag.errors import DesktopRagError, ModelError, StoreError
from desktop_rag.models.cards import INCOMING, incoming, user_models
from desktop_rag.models.catalogue import offered
from desktop_rag.models.deleting import delete
from desktop_rag.models.download import download_op
from desktop_rag.models.installed import installed
from desktop_rag.models.part import Part
from desktop_rag.models.unfinished import Unfinished, unfinished
from desktop_rag.models.web import HUB, file_of, file_url
from desktop_rag.workers.loop import Request
from tests.models.kit import put
from tests.models.misbehaving import Answer, Server, serving
from tests.workers.driving import run

REPO, FILE = "owner/tiny-GGUF", "tiny-Q8_0.gguf"
BODY = random.Random(9).randbytes(90_000)
SHA = hashlib.sha256(BODY).hexdigest()
KNOWN = {"sha256": SHA, "size": len(BODY)}


def leave(data: Path, name: str, arrived: int, **note: Any) -> Path:
    """A part of a file as a download leaves it."""
    part = Part(incoming(data, name) / name)
    try:
        part.write(b"x" * arrived)
        if note:
            part.remember(note)
    finally:
        part.close()
    return part.path


def only(data: Path) -> Unfinished:
    (one,) = unfinished(data)
    return one


def test_nothing_is_left_where_nothing_was_begun(tmp_path: Path) -> None:
    assert unfinished(tmp_path) == []
    Part(incoming(tmp_path, "tiny.gguf") / "tiny.gguf").close()
    assert unfinished(tmp_path) == [], "a folder in which nothing has arrived is nothing to show"


def test_a_model_of_the_catalogue_is_told_by_its_name(tmp_path: Path) -> None:
    entry = next(entry for entry in offered() if entry.source.repo and entry.source.file)
    assert entry.source.repo
    assert entry.source.file
    leave(tmp_path, entry.source.file, 700, url=file_url(HUB, entry.source.repo, entry.source.file), size=entry.size)
    one = only(tmp_path)
    assert (one.name, one.received, one.total, one.running) == (entry.name, 700, entry.size, False)
    assert one.get == {"id": entry.id}
    assert one.is_called(entry.id)


def test_a_note_that_is_damaged_leaves_something_to_remove(tmp_path: Path) -> None:
    path = leave(tmp_path, FILE, 700, url="x")
    path.with_name(f"{FILE}.part.json").write_text("{damaged")
    one = only(tmp_path)
    assert (one.name, one.received, one.total, one.get) == (FILE, 700, None, None)
    assert delete(one.id, tmp_path)["freed"] == 700


def test_parts_of_a_split_model_are_one_download(tmp_path: Path) -> None:
    names = [f"big-{number:05d}-of-00003.gguf" for number in (1, 2, 3)]
    url = file_url(HUB, REPO, f"Q8/{names[0]}")
    folder = leave(tmp_path, names[0], 1000, url=url, size=1000, sha256=SHA).parent
    (folder / f"{names[0]}.part").rename(folder / names[0])
    for number, name in enumerate(names[1:], 2):
        (folder / f"{name}.part").write_bytes(b"x" * 10)
        (folder / f"{name}.part.json").write_text(json.dumps({"url": url, "size": 1000}))
        total = 3000 if number == 3 else None
        assert (only(tmp_path).received, only(tmp_path).total) == (1000 + 10 * (number - 1), total)
    assert only(tmp_path).get == {"repo": REPO, "file": f"Q8/{names[0]}"}, "its hash is not that of the whole"


@pytest.mark.parametrize("called", [FILE.lower(), FILE, f"{REPO}:{FILE}"])
def test_it_is_removed_by_any_of_its_names(tmp_path: Path, called: str) -> None:
    leave(tmp_path, FILE, 700, url=file_url(HUB, REPO, FILE))
    leave(tmp_path, "other.gguf", 5, url=file_url(HUB, REPO, "other.gguf"))
    told = delete(called, tmp_path)
    assert (told["deleted"], told["freed"], told["unfinished"]) == (FILE.lower(), 700, True)
    assert [one.name for one in unfinished(tmp_path)] == ["other.gguf"]
    assert not (user_models(tmp_path) / INCOMING / FILE.lower()).exists()


def test_a_model_of_the_same_id_is_meant_before_a_download(tmp_path: Path) -> None:
    put(tmp_path, FILE.lower())
    leave(tmp_path, FILE, 700, url="https://x.example/tiny")
    assert not delete(FILE.lower(), tmp_path)["unfinished"]
    assert only(tmp_path).received == 700
    assert delete(FILE.lower(), tmp_path)["unfinished"]
    with pytest.raises(ModelError):
        delete(FILE.lower(), tmp_path)


@pytest.mark.parametrize("called", ["None:None", "", "..", ".", f"../{FILE.lower()}"])
def test_no_name_leads_elsewhere(tmp_path: Path, called: str) -> None:
    leave(tmp_path, FILE, 700)
    before = [model.id for model in installed(tmp_path)]
    with pytest.raises(DesktopRagError):
        delete(called, tmp_path)
    assert only(tmp_path).received == 700
    assert [model.id for model in installed(tmp_path)] == before


def test_what_is_arriving_now_is_told_and_not_removed(tmp_path: Path) -> None:
    leave(tmp_path, FILE, 700, url="https://x.example/tiny")
    part = Part(incoming(tmp_path, FILE) / FILE)
    try:
        assert only(tmp_path).running
        with pytest.raises(StoreError) as caught:
            delete(FILE, tmp_path)
        assert caught.value.code == "locked"
        assert part.path.stat().st_size == 700
    finally:
        part.close()
    assert not only(tmp_path).running
    assert delete(FILE, tmp_path)["freed"] == 700


def test_addresses_of_the_hub_are_read_back() -> None:
    for file in (FILE, "Q8/tiny 1+1.gguf", "ключ.gguf"):
        assert file_of(HUB, file_url(HUB, REPO, file)) == (REPO, file)
    for url in (f"https://x.example/{REPO}/resolve/main/{FILE}", f"{HUB}/{REPO}", f"{HUB}/resolve/main/{FILE}"):
        assert file_of(HUB, url) is None


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for server in serving():
        monkeypatch.setenv("DESKTOP_RAG_HUB", server.address)
        yield server


def _from_hub(server: Server) -> tuple[str, dict[str, Any]]:
    return f"/{REPO}/resolve/main/{FILE}", {"repo": REPO, "file": FILE, **KNOWN}


def _from_address(server: Server) -> tuple[str, dict[str, Any]]:
    return f"/files/{FILE}", {"url": f"{server.address}/files/{FILE}", "name": FILE, **KNOWN}


@pytest.mark.loopback
@pytest.mark.parametrize("source", [_from_hub, _from_address])
def test_what_is_told_takes_the_download_up(
    hub: Server, tmp_path: Path, source: Callable[[Server], tuple[str, dict[str, Any]]]
) -> None:
    path, args = source(hub)
    hub.put(path, Answer(BODY, drop_after=40_000), Answer(status=404))
    with pytest.raises(DesktopRagError):
        run(download_op(Request(1, "download", args), tmp_path))
    left = only(tmp_path)
    assert (left.name, left.received, left.total) == (FILE, 40_000, len(BODY))
    assert left.get == args
    hub.put(path, Answer(BODY))
    _, done = run(download_op(Request(2, "download", left.get), tmp_path))
    assert (done["resumed"], done["sha256"]) == (40_000, SHA)
    whole = only(tmp_path)
    assert (whole.received, whole.total) == (len(BODY), len(BODY)), "until it is registered it can be lost"
