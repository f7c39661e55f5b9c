"""Saved KV memory: what is saved comes back, nothing else does, and nothing of it stands on disk in the clear."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop_rag.engines import kv_file
from desktop_rag.engines.kv_store import KvStore, discard

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = bytes(range(32))
OTHER = bytes(32)
TOKENS = [5, 6, 7, 8]
SECRET = b"the patient's name is Zebulon Quartermain"

token_lists = st.lists(st.integers(0, 2**31 - 1), max_size=50)
names = st.text(max_size=20)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "kv"
    folder.mkdir()
    return folder


@pytest.fixture
def store(folder: Path) -> KvStore:
    return KvStore(folder, KEY)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shelf")


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kv_file, "CHUNK_BYTES", 64)


def fresh(shelf: Path, key: bytes = KEY) -> KvStore:
    shutil.rmtree(shelf / "kv", ignore_errors=True)
    (shelf / "kv").mkdir()
    return KvStore(shelf / "kv", key)


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@given(model=names, tokens=token_lists, state=st.binary(max_size=300), conversation=st.none() | names)
@settings(max_examples=60, deadline=None)
def test_what_is_saved_comes_back(
    shelf: Path, model: str, tokens: list[int], state: bytes, conversation: str | None
) -> None:
    store = fresh(shelf)
    note = {"keep": 3, "text": model}
    assert store.save(model, tokens, state, conversation=conversation, note=note)
    saved = store.best(model, [*tokens, 1]) if conversation is None else store.find(model, conversation)
    if saved is None:
        assert conversation is None
        assert not tokens
        return
    assert (saved.tokens, saved.note, saved.conversation) == (tuple(tokens), note, conversation)
    assert (saved.size, saved.load()) == (len(state), state)


@given(state=st.binary(min_size=1, max_size=200), data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_flipped_bit_never_loads(shelf: Path, state: bytes, data: st.DataObject) -> None:
    store = fresh(shelf)
    store.save("m", TOKENS, state)
    (file,) = files(shelf)
    content = bytearray(file.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    file.write_bytes(content)
    found = KvStore(shelf / "kv", KEY).best("m", TOKENS)
    assert found is None or found.load() == b""
    assert not files(shelf), "the damaged file is still there"


@given(state=st.binary(min_size=1, max_size=200), data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_shortened_or_lengthened_file_never_loads(shelf: Path, state: bytes, data: st.DataObject) -> None:
    store = fresh(shelf)
    store.save("m", TOKENS, state)
    (file,) = files(shelf)
    content = file.read_bytes()
    cut = data.draw(st.integers(0, len(content) - 1))
    file.write_bytes(data.draw(st.sampled_from([content[:cut], content + content[cut:]])))
    found = KvStore(shelf / "kv", KEY).best("m", TOKENS)
    assert found is None or found.load() == b""
    assert not files(shelf)


@given(keys=st.lists(st.binary(min_size=32, max_size=32), min_size=2, max_size=2, unique=True))
@settings(max_examples=20, deadline=None)
def test_two_keys_never_read_each_other(shelf: Path, keys: list[bytes]) -> None:
    assert fresh(shelf, keys[0]).save("m", TOKENS, b"state", conversation="c")
    stranger = KvStore(shelf / "kv", keys[1])
    assert stranger.best("m", TOKENS) is None
    assert stranger.find("m", "c") is None


def test_chunks_of_one_file_cannot_change_places(store: KvStore, folder: Path) -> None:
    store.save("m", TOKENS, bytes(64) + bytes([1]) * 64 + bytes(10))
    (file,) = files(folder)
    content = file.read_bytes()
    sealed = 64 + 16
    start = len(content) - 2 * sealed - (10 + 16)
    file.write_bytes(
        content[:start]
        + content[start + sealed : start + 2 * sealed]
        + content[start : start + sealed]
        + content[start + 2 * sealed :]
    )
    found = store.best("m", TOKENS)
    assert found is not None
    assert found.load() == b""


def test_nothing_stands_in_the_clear_not_even_in_a_name(store: KvStore, folder: Path) -> None:
    store.save("m", list(b"Zebulon"), SECRET * 5, conversation="Quartermain", note={"title": SECRET.decode()})
    (file,) = files(folder)
    raw = file.read_bytes()
    for word in (b"Zebulon", b"Quartermain", b"patient", b"title"):
        assert word not in raw
        assert word.decode() not in str(file.relative_to(folder))
    assert bytes(b for token in b"Zebulon" for b in token.to_bytes(4, "little")) not in raw
    assert file.stat().st_mode & 0o077 == 0


def test_the_same_state_never_looks_the_same(store: KvStore, folder: Path) -> None:
    store.save("m", TOKENS, SECRET)
    (before,) = [file.read_bytes() for file in files(folder)]
    store.save("m", TOKENS, SECRET)
    (after,) = [file.read_bytes() for file in files(folder)]
    assert before[8:] != after[8:]


def shared_beginning(a: list[int], b: list[int]) -> int:
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


@given(saved=st.lists(token_lists, min_size=1, max_size=6), wanted=token_lists)
@settings(max_examples=30, deadline=None)
def test_best_shares_the_longest_beginning(shelf: Path, saved: list[list[int]], wanted: list[int]) -> None:
    store = fresh(shelf)
    for tokens in saved:
        store.save("m", tokens, b"x")
    store.save("another model", wanted, b"x")
    longest = max(shared_beginning(tokens, wanted) for tokens in saved)
    found = store.best("m", wanted)
    assert (found.shared if found else 0) == longest
    if found:
        assert list(found.tokens[: found.shared]) == wanted[:longest]


def test_a_conversation_has_one_state_and_can_be_forgotten(store: KvStore, folder: Path) -> None:
    for turn in range(3):
        store.save("m", [*TOKENS, turn], b"turn %d" % turn, conversation="c")
    store.save("m", TOKENS, b"system prompt")
    assert len(files(folder)) == 2
    found = store.find("m", "c")
    assert found is not None
    assert found.load() == b"turn 2"
    store.forget("c")
    assert store.find("m", "c") is None
    assert store.best("m", TOKENS) is not None


def test_a_state_replaced_since_it_was_found_does_not_load_as_the_old_one(store: KvStore) -> None:
    store.save("m", TOKENS, b"first", conversation="c")
    found = store.find("m", "c")
    assert found is not None
    store.save("m", [*TOKENS, 9], b"later", conversation="c")
    assert found.load() == b""
    assert store.find("m", "c") is not None


def test_a_late_save_brings_nothing_back(store: KvStore, folder: Path) -> None:
    store.save("m", TOKENS, SECRET)
    assert discard(folder)
    assert not store.save("m", TOKENS, SECRET)
    late = KvStore(folder, KEY)
    assert not late.save("m", TOKENS, SECRET), "a store opened late makes no folder either"
    assert not folder.exists()
    folder.mkdir()
    again = KvStore(folder, KEY)
    assert not store.save("m", TOKENS, SECRET), "the old store writes into the folder made anew"
    assert again.best("m", TOKENS) is None
    assert again.save("m", TOKENS, b"new")
    assert list(folder.parent.iterdir()) == [folder]


def test_discarding_beside_a_save_in_progress_leaves_nothing(
    store: KvStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seal = kv_file.seal_chunks

    def interrupted(*arguments: object) -> Iterator[bytes]:
        for chunk in seal(*arguments):  # type: ignore[arg-type]
            assert discard(folder)
            yield chunk

    monkeypatch.setattr(kv_file, "seal_chunks", interrupted)
    assert not store.save("m", TOKENS, SECRET * 10)
    assert list(folder.parent.iterdir()) == []


def test_what_was_not_used_for_longest_goes_first(folder: Path) -> None:
    store = KvStore(folder, KEY, limit_bytes=4500)
    for number in range(3):
        store.save("m", [number], bytes(900))
    for age, number in enumerate((1, 2, 0)):
        found = store.best("m", [number])
        assert found is not None
        os.utime(found.path, (age, age))
    used = store.best("m", [1])
    assert used is not None
    used.load()
    store.save("m", [3], bytes(900))
    assert store.used_bytes <= 4500
    assert [number for number in range(4) if store.best("m", [number])] == [0, 1, 3]


def test_a_state_over_the_limit_is_not_kept_and_drives_nothing_out(folder: Path) -> None:
    store = KvStore(folder, KEY, limit_bytes=2000)
    assert store.save("m", [1], bytes(100))
    assert not store.save("m", [2], bytes(3000))
    assert store.best("m", [1]) is not None
    assert len(files(folder)) == 1


def test_foreign_and_half_written_files_are_cleared_away(store: KvStore, folder: Path) -> None:
    store.save("m", TOKENS, SECRET)
    home = files(folder)[0].parent
    (home / f"{secrets.token_hex(20)}.kv").write_bytes(b"something else")
    (home / f"{secrets.token_hex(20)}.kv").write_bytes(b"")
    (home / "left.part").write_bytes(b"half")
    again = KvStore(folder, KEY)
    found = again.best("m", TOKENS)
    assert found is not None
    assert found.load() == SECRET
    assert len(files(folder)) == 1


def test_a_place_that_cannot_be_written_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    store = KvStore(tmp_path / "file" / "kv", KEY)
    assert not store.save("m", TOKENS, b"x")
    assert store.best("m", TOKENS) is None


def test_a_short_key_is_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        KvStore(folder, bytes(16))
