"""A cross-encoder comes in from the catalogue, from the hub or from a folder, and scores as the original does."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from desktop_rag.errors import Cancelled, ModelError
from desktop_rag.models import convert_reranker as converting
from desktop_rag.models import download, unfinished
from desktop_rag.models.cards import incoming
from desktop_rag.models.catalogue import Entry, ModelFile, Source, offered
from desktop_rag.models.facts import facts_of
from desktop_rag.models.importing import import_model, place
from desktop_rag.models.installed import Installed, installed, rerankers
from desktop_rag.workers.loop import Request
from tests.models.cross_encoders import Kind, converted, make
from tests.models.misbehaving import Answer, Server, serving
from tests.workers.driving import run

pytestmark = pytest.mark.slow
FILES = ("config.json", "tokenizer.json", "model.safetensors")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("original") / "tiny")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def entry(original: Path, **pins: str) -> Entry:
    """What a catalogue says of this very model."""
    digests = {name: pins.get(name) or hashlib.sha256((original / name).read_bytes()).hexdigest() for name in FILES}
    files = tuple(ModelFile(name, digest, (original / name).stat().st_size) for name, digest in digests.items())
    size = sum(file.size or 0 for file in files)
    about = ("Apache-2.0", 512, None, "F32", ("en",), False)
    return Entry("tiny-reranker", "reranker", "Tiny", Source(repo="owner/tiny"), files, size, *about)


def made(steps: Iterator[Any]) -> tuple[Installed, bool]:
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta"])
def test_the_conversion_scores_as_the_original(tmp_path: Path, kind: Kind) -> None:
    source = make(tmp_path / "source", kind)
    folder = converted(source, tmp_path / "made")
    card = json.loads((folder / "card.json").read_text())
    assert (card["kind"], card["max_tokens"], card["compute_type"]) == ("reranker", 512, "int8")
    assert card["correlation_to_original"] > 0.99
    assert facts_of(folder).kind == "reranker"
    wanted, got = converting._original(source), converting._converted(folder)
    assert np.abs(wanted - got).max() < 0.15 * wanted.std() + 0.05
    converting._write(source, kind, folder, "float32")
    (folder / "card.json").write_text(json.dumps(card))
    assert converting._converted(folder) == pytest.approx(wanted, abs=1e-4), "without int8 nothing differs"


def test_one_that_int8_does_not_bear_stays_in_float32(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(converting, "_LEAST", {"int8": 2.0, "float32": 0.9999})
    folder = converted(make(tmp_path / "source"), tmp_path / "made")
    assert json.loads((folder / "card.json").read_text())["compute_type"] == "float32"
    monkeypatch.setattr(converting, "_LEAST", {"int8": 2.0})
    with pytest.raises(ModelError) as caught:
        converted(tmp_path / "source", tmp_path / "other")
    assert "disagrees with the original" in caught.value.message


def test_a_folder_that_is_imported_is_converted_once(original: Path, data: Path) -> None:
    model, known = made(import_model(original, data))
    assert (model.kind, model.format, model.engines, known) == ("reranker", "ct2", (), False)
    assert model.path.is_dir()
    assert rerankers(data) == [model]
    assert made(import_model(original, data)) == (model, True)
    assert [each.id for each in installed(data) if each.kind == "reranker"] == [model.id]


def test_what_gives_two_numbers_is_no_reranker(data: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        made(import_model(make(tmp_path / "two", labels=2), data))
    assert "cannot write answers" in caught.value.message


@pytest.mark.parametrize("damage", ["weights", "tokenizer"])
def test_a_damaged_folder_says_so(data: Path, tmp_path: Path, damage: str) -> None:
    source = make(tmp_path / "source")
    file = source / {"weights": "model.safetensors", "tokenizer": "tokenizer.json"}[damage]
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelError) as caught:
        made(import_model(source, data))
    assert caught.value.code in ("truncated", "incompatible")
    assert rerankers(data) == []


def arrived(original: Path, data: Path, wanted: Entry) -> Path:
    """What a finished download of it leaves."""
    folder = incoming(data, wanted.id)
    folder.mkdir(parents=True)
    for name in FILES:
        (folder / name).write_bytes((original / name).read_bytes())
    return folder / FILES[0]


def test_a_download_takes_its_place_and_its_files_go(original: Path, data: Path) -> None:
    wanted = entry(original)
    path = arrived(original, data, wanted)
    model, known = made(place(path, data, entry=wanted))
    assert (model.id, model.name, model.licence, model.source, known) == (
        "tiny-reranker",
        "Tiny",
        "Apache-2.0",
        "download",
        False,
    )
    assert not path.parent.exists()
    assert rerankers(data)[0].context == 512


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_not_what_was_promised_never_appears(original: Path, data: Path, name: str) -> None:
    wanted = entry(original, **{name: "0" * 64})
    path = arrived(original, data, wanted)
    with pytest.raises(ModelError) as caught:
        made(place(path, data, entry=wanted))
    assert (caught.value.code, name in caught.value.message) == ("checksum", True)
    assert rerankers(data) == []
    assert not path.parent.exists()


class TestFromTheHub:
    """All files of an entry that is a folder, one after the other, under the entry's name."""

    pytestmark = pytest.mark.loopback

    @pytest.fixture
    def server(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
        for server in serving():
            monkeypatch.setenv("DESKTOP_RAG_HUB", server.address)
            yield server

    @pytest.fixture
    def wanted(self, original: Path, monkeypatch: pytest.MonkeyPatch) -> Entry:
        wanted = entry(original)
        monkeypatch.setattr(download, "find", lambda _: wanted)
        monkeypatch.setattr(unfinished, "offered", lambda: [wanted])
        return wanted

    def test_every_file_comes_and_becomes_a_model(
        self, original: Path, data: Path, server: Server, wanted: Entry
    ) -> None:
        for name in FILES:
            server.put(f"/owner/tiny/resolve/main/{name}", Answer((original / name).read_bytes()))
        events, done = run(download.download_op(Request(1, "download", {"id": wanted.id}), data))
        assert {event["part"] for event in events if "part" in event} == {1, 2, 3}
        assert (done["size"], sorted(done["files"])) == (wanted.size, sorted(FILES))
        model, _known = made(place(Path(done["path"]), data, entry=wanted))
        assert model.id == wanted.id

    def test_what_was_broken_off_is_told_and_goes_on(
        self, original: Path, data: Path, server: Server, wanted: Entry
    ) -> None:
        for name in FILES:
            server.put(f"/owner/tiny/resolve/main/{name}", Answer((original / name).read_bytes()))
        asked = Request(1, "download", {"id": wanted.id})
        steps = download.download_op(asked, data)
        while (next(steps) or {}).get("part") != 2:
            pass
        asked.cancelled.set()
        with pytest.raises(Cancelled):
            run(steps)
        (left,) = unfinished.unfinished(data)
        assert (left.name, left.total, left.get) == ("Tiny", wanted.size, {"id": wanted.id})
        assert 0 < left.received < wanted.size
        done = run(download.download_op(Request(2, "download", {"id": wanted.id}), data))[1]
        assert done["resumed"] > 0


def test_the_catalogue_offers_cross_encoders_with_every_file_pinned() -> None:
    held = [each for each in offered() if each.kind == "reranker"]
    assert len(held) >= 3
    for each in held:
        assert sorted(file.name for file in each.files) == sorted(FILES)
        assert all(file.sha256 and len(file.sha256) == 64 and file.size for file in each.files)
        assert each.size == sum(file.size or 0 for file in each.files)
        assert dataclasses.asdict(each)["licence"] == "Apache-2.0"
    assert any(each.languages == ("mul",) for each in held), "other languages than English"
