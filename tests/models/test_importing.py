"""Models come in whole, verified and once; what is no chat model has its own sentence."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from desktop_rag.errors import DesktopRagError, ModelError, StoreError
from desktop_rag.models import making
from desktop_rag.models.cards import incoming, user_models
from desktop_rag.models.catalogue import Entry, ModelFile, Source
from desktop_rag.models.importing import import_model, place
from desktop_rag.models.installed import Installed, installed, resolve
from desktop_rag.store.lock import acquire
from tests.models.conftest import write_gguf
from tests.models.kit import META, gguf_bytes, hf_folder, put
from tests.workers.driving import run


def bring(path: Path, data: Path) -> tuple[Installed, bool]:
    steps = import_model(path, data)
    while True:
        try:
            assert next(steps)["event"] == "progress"
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]


def placed(path: Path, data: Path, **more: Any) -> tuple[Installed, bool]:
    steps = place(path, data, **more)
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "My Model Q8_0.gguf"
    path.write_bytes(gguf_bytes())
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def entry(content: bytes, **changes: Any) -> Entry:
    """A catalogue entry that promises this content."""
    file = ModelFile("m.gguf", changes.pop("sha256", hashlib.sha256(content).hexdigest()), len(content))
    shape = {"architecture": changes.pop("architecture", "qwen2")}
    source = Source(repo="a/b", file="m.gguf")
    about = ("MIT", 512, None, "Q8_0", ("en",), False)
    return Entry("tiny", "chat", "Tiny", source, (file,), len(content), *about, shape)


def test_a_file_is_copied_and_listed(source: Path, data: Path) -> None:
    model, known = bring(source, data)
    assert (model.id, model.name, model.source, known) == ("my-model-q8_0", "My Model", "import", False)
    assert model.path.read_bytes() == source.read_bytes()
    assert model.sha256 == hashlib.sha256(source.read_bytes()).hexdigest()
    assert resolve("my-model", data)[0] == model
    assert source.exists(), "the user's file stays"


def test_the_same_model_is_not_copied_twice(source: Path, data: Path, tmp_path: Path) -> None:
    first, _ = bring(source, data)
    other = source.rename(tmp_path / "Another Name.gguf")
    again, known = bring(other, data)
    assert (again.id, known) == (first.id, True)
    assert len(installed(data)) == len(installed(tmp_path / "nothing")) + 1


def test_another_model_of_the_same_name_gets_a_number(source: Path, data: Path) -> None:
    bring(source, data)
    source.write_bytes(gguf_bytes(general__name="a different one"))
    assert bring(source, data)[0].id == "my-model-q8_0-2"


def test_a_name_of_the_catalogue_is_kept_for_the_catalogue(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "qwen2.5-0.5b-instruct-q4_k_m.gguf"
    path.write_bytes(gguf_bytes(general__file_type=15))
    assert bring(path, data)[0].id == "qwen2.5-0.5b-instruct-q4_k_m-2"


def test_a_folder_is_copied_without_what_no_engine_reads(data: Path, tmp_path: Path) -> None:
    folder = hf_folder(tmp_path / "checkpoint")
    (folder / "training.pt").write_bytes(b"pickle")
    (folder / "run.py").write_text("print()")
    (folder / ".git").mkdir()
    model, _ = bring(folder, data)
    names = {path.name for path in model.path.iterdir()}
    assert names == {"config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja"}
    assert (model.format, model.engines) == ("hf", ("Transformers",))
    assert bring(folder, data)[1], "known by the hash of its files"


def test_all_parts_of_a_split_model_come_along(data: Path, tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"big-0000{number}-of-00002.gguf").write_bytes(gguf_bytes(general__name=f"part {number}"))
    model, _ = bring(tmp_path / "big-00001-of-00002.gguf", data)
    assert len(list(model.path.parent.glob("*.gguf"))) == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"general__type": "adapter"}, "LoRA adapter"),
        ({"general__architecture": "clip"}, "eye of an image model"),
        ({"general__architecture": "bert"}, "encoder"),
        ({"tokenizer__ggml__model": None}, "no tokenizer"),
    ],
)
def test_what_is_no_chat_model_says_what_it_is(data: Path, tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    path = tmp_path / "odd.gguf"
    path.write_bytes(gguf_bytes(**changes))
    with pytest.raises(ModelError) as caught:
        bring(path, data)
    assert words in caught.value.message
    assert not user_models(data).exists()


def test_damaged_and_renamed_files_are_three_different_sentences(data: Path, tmp_path: Path) -> None:
    whole = gguf_bytes()
    contents = {
        "cut.gguf": whole[:-40],
        "zip.gguf": b"PK\x03\x04" + bytes(99),
        "future.gguf": write_gguf(META, version=9),
    }
    messages = set()
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ModelError) as caught:
            bring(tmp_path / name, data)
        messages.add(caught.value.message.split(" ", 1)[1])
    assert len(messages) == 3


def test_a_cancelled_copy_leaves_nothing(source: Path, data: Path) -> None:
    steps = import_model(source, data)
    next(event for event in steps if event["text"] == "Copying")
    steps.close()
    assert list(user_models(data).iterdir()) == []


def test_a_full_disk_is_told_before_copying(source: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "RESERVE_BYTES", 1 << 60)
    with pytest.raises(StoreError) as caught:
        bring(source, data)
    assert (caught.value.code, "not enough space" in caught.value.message) == ("disk_full", True)


@pytest.fixture
def arrived(data: Path) -> Path:
    """A finished download."""
    folder = incoming(data, "m.gguf")
    folder.mkdir(parents=True)
    (folder / "m.gguf").write_bytes(gguf_bytes())
    return folder / "m.gguf"


def test_a_download_takes_its_place(arrived: Path, data: Path) -> None:
    model, known = placed(arrived, data, entry=entry(gguf_bytes()), repo="a/b", file="m.gguf")
    assert (model.id, model.name, model.licence, model.source, known) == ("tiny", "Tiny", "MIT", "download", False)
    assert not arrived.parent.exists()
    assert resolve("tiny", data)[0].path.is_file()


@pytest.mark.parametrize(
    ("promise", "more"),
    [
        (entry(gguf_bytes(), sha256="0" * 64), {}),
        (entry(gguf_bytes() + b"longer", sha256=hashlib.sha256(gguf_bytes()).hexdigest()), {}),
        (entry(gguf_bytes(), architecture="llama"), {}),
        (None, {"sha256": "f" * 64}),
    ],
)
def test_a_file_that_is_not_what_was_promised_never_appears(
    arrived: Path, data: Path, promise: Entry | None, more: dict[str, str]
) -> None:
    before = installed(data)
    with pytest.raises(ModelError) as caught:
        placed(arrived, data, entry=promise, **more)
    assert caught.value.code in ("checksum", "incompatible")
    assert installed(data) == before
    assert not arrived.exists()


def test_only_a_download_can_be_placed(source: Path, data: Path) -> None:
    for path in (source, incoming(data, "x") / ".." / ".." / ".." / ".." / source.name):
        with pytest.raises(ModelError):
            placed(path, data)
    assert source.exists()


def test_a_model_that_is_being_made_is_not_made_twice(data: Path) -> None:
    with making.workplace(data, "one"), pytest.raises(StoreError) as caught, making.workplace(data, "one"):
        pass
    assert "being made already" in caught.value.message


def test_what_killed_work_left_behind_is_used_again(source: Path, data: Path) -> None:
    left = user_models(data) / "my-model-q8_0"
    left.mkdir(parents=True)
    (left / "half.gguf").write_bytes(b"half")
    (left / "lock").touch()
    model, _ = bring(source, data)
    assert model.id == "my-model-q8_0"
    assert not (left / "half.gguf").exists()


def test_a_name_somebody_works_under_is_not_taken(source: Path, data: Path) -> None:
    with making.workplace(data, "my-model-q8_0"):
        assert bring(source, data)[0].id == "my-model-q8_0-2"


def test_sweeping_leaves_what_lives(data: Path) -> None:
    put(data, "kept")
    for name in ("old", "young", "held", ".going-x-1"):
        (user_models(data) / name).mkdir()
    incoming(data, "half").mkdir(parents=True)
    lock = acquire(user_models(data) / "held")
    for name in ("old", "held"):
        os.utime(user_models(data) / name, (0, 0))
    making.sweep(data)
    lock.close()
    assert {path.name for path in user_models(data).iterdir()} == {"kept", "young", "held", ".incoming"}


def test_files_that_a_person_put_there_stay(source: Path, data: Path) -> None:
    own = user_models(data) / "My-Model-q8_0"
    own.mkdir(parents=True)
    (own / "precious.gguf").write_bytes(b"weights")
    os.utime(own, (0, 0))
    making.sweep(data)
    model, _ = bring(source, data)
    with pytest.raises(ModelError) as caught, making.workplace(data, own.name):
        pass
    assert "other files" in caught.value.message
    making.sweep(data)
    assert [path.name for path in own.iterdir()] == ["precious.gguf"]
    assert model.id == "my-model-q8_0-2"


def test_a_model_whose_deletion_was_killed_is_gone(data: Path) -> None:
    put(data, "mine")
    half = user_models(data) / f"{making.GOING}mine-1"
    (user_models(data) / "mine").rename(half)
    assert "mine" not in {model.parent or model.name for model in installed(data)}
    assert not any(model.id.startswith(".") for model in installed(data))
    making.sweep(data)
    assert not half.exists()


def test_a_download_is_placed_alone_and_never_takes_its_neighbours(arrived: Path, data: Path) -> None:
    with making.held(arrived.parent), pytest.raises(StoreError) as caught:
        placed(arrived, data)
    assert caught.value.code == "locked"
    astray = arrived.parent.parent / "astray.gguf"
    astray.write_bytes(b"no model")
    with pytest.raises(ModelError):
        placed(astray, data)
    assert arrived.exists()


def test_errors_of_the_folder_are_told(source: Path, data: Path) -> None:
    user_models(data).write_text("in the way")
    with pytest.raises(DesktopRagError) as caught:
        run(import_model(source, data))  # type: ignore[arg-type]
    assert caught.value.code == "read_only"
