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


def test_the_key_is_for_this_alone(tmp_path: Path) -> None:
    raw = b"k" * 32
    derived = b64decode(KvFolder(tmp_path, raw).current()["key"])
    assert len(derived) == 32
    assert derived != raw
    assert KvFolder(tmp_path, b"x" * 32).current()["key"] != KvFolder(tmp_path, raw).current()["key"]
