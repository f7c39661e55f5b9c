"""The folder of saved KV memory: one at a time, with a key of its own, gone with the documents."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path

from desktop_rag.workers.kv_folder import KvFolder


def test_the_same_folder_and_key_until_it_is_emptied(tmp_path: Path) -> None:
    kv = KvFolder(tmp_path, b"k" * 32)
    assert kv.is_empty()
    first = kv.current()
    assert kv.current() == first == KvFolder(tmp_path, b"k" * 32).current()
    assert Path(first["folder"]).stat().st_mode & 0o077 == 0
    Path(first["folder"], "saved.kv").write_bytes(b"x")
    kv.empty()
    assert kv.is_empty()
    assert not Path(first["folder"]).exists()
    second = kv.current()
    assert second["folder"] != first["folder"]
    assert second["key"] != first["key"], "what a late write sealed for the old folder opens nowhere"


def test_emptying_begins_another_generation_and_leaves_nothing_half_removed(tmp_path: Path) -> None:
    kv = KvFolder(tmp_path, b"k" * 32)
    before = kv.generation
    left = tmp_path / "kv" / "0123456789abcdef.11223344.gone"
    left.mkdir(parents=True)
    assert Path(kv.current()["folder"]) != left, "what a removal left half done is no place to write to"
    kv.empty()
    assert kv.generation != before
    assert kv.is_empty()


def test_where_nothing_shall_be_kept_what_was_kept_goes(tmp_path: Path) -> None:
    kv = KvFolder(tmp_path, b"k" * 32)
    kept = kv.place(keep=True)
    assert kept is not None
    Path(kept["folder"], "saved.kv").write_bytes(b"x")
    assert kv.place(keep=False) is None
    assert kv.is_empty()
    generation = kv.generation
    assert kv.place(keep=False) is None
    assert kv.generation == generation, "nothing went, so a follow-up may go on"


def test_the_key_is_for_this_alone(tmp_path: Path) -> None:
    raw = b"k" * 32
    derived = b64decode(KvFolder(tmp_path, raw).current()["key"])
    assert len(derived) == 32
    assert derived != raw
    assert KvFolder(tmp_path, b"x" * 32).current()["key"] != KvFolder(tmp_path, raw).current()["key"]
