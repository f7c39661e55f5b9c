"""What a model was shown: of few conversations, of one generation of documents, never written to a place that went."""

from __future__ import annotations

import os
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from desktop_rag.answering.prompt import Built, build
from desktop_rag.engines.protocol import EngineInfo, Prompt
from desktop_rag.models.installed import Installed
from desktop_rag.workers import keeping
from desktop_rag.workers.keeping import MOST_CONVERSATIONS, Keeper

TOKENS = tuple(range(400))
KEY = b64encode(bytes(32)).decode()


class Engine:
    """An engine whose KV memory is a tuple of tokens."""

    def __init__(self, options: str = "Q4_1") -> None:
        self.info = EngineInfo("llama.cpp", "m", 4096, 1, 1, 1, options=options, kv_token_bytes=10)
        self.cached_tokens: tuple[int, ...] = TOKENS

    def snapshot(self, tokens: int) -> tuple[tuple[int, ...], bytes]:
        return self.cached_tokens[:tokens], bytes(10 * tokens)

    def restore(self, tokens: tuple[int, ...], state: bytes) -> bool:
        self.cached_tokens = tuple(tokens)
        return len(state) == 10 * len(tokens)


def built() -> Built:
    passages = [{"text": "The rent is 900.", "context": ""}]
    return build("What is the rent?", passages, [], count=len, budget=10_000)


def model(tmp_path: Path) -> Installed:
    path = tmp_path / "m.gguf"
    if not path.exists():
        path.write_bytes(b"x")
    return Installed("m", "M", "chat", "gguf", ("llama.cpp",), path, 1)


def begin(keeper: Keeper, tmp_path: Path, engine: Any, **args: Any) -> Any:
    return keeper.begin(engine, model(tmp_path), {"conversation": "c", **args})


def asked(keeper: Keeper, tmp_path: Path, engine: Any, **args: Any) -> None:
    begin(keeper, tmp_path, engine, **args)
    keeper.answered({"conversation": "c", **args}, built())


def test_another_generation_of_documents_forgets_even_where_nothing_is_kept(tmp_path: Path) -> None:
    keeper, engine = Keeper(), Engine()
    asked(keeper, tmp_path, engine, generation="one")
    assert begin(keeper, tmp_path, engine, generation="one") is not None
    assert begin(keeper, tmp_path, engine, generation="two") is None, "it holds passages of a document that is gone"


def test_few_conversations_are_remembered_the_last_ones(tmp_path: Path) -> None:
    keeper, engine = Keeper(), Engine()
    for number in range(MOST_CONVERSATIONS + 1):
        keeper.answered({"conversation": str(number)}, built())
        keeper.answered({"conversation": "often"}, built())
    assert begin(keeper, tmp_path, engine, conversation="0") is None
    assert begin(keeper, tmp_path, engine, conversation="often") is not None
    assert begin(keeper, tmp_path, engine, conversation=str(MOST_CONVERSATIONS)) is not None


def test_a_folder_that_went_while_the_model_was_loaded_stays_away(tmp_path: Path) -> None:
    keeper, engine = Keeper(), Engine()
    kv = {"folder": str(tmp_path / "gone"), "key": KEY}
    asked(keeper, tmp_path, engine, kv=kv)
    assert not keeper.keep(engine)  # type: ignore[arg-type]
    assert not (tmp_path / "gone").exists()


def test_what_was_kept_comes_back_for_the_same_model_only(tmp_path: Path) -> None:
    kv = {"folder": str(tmp_path), "key": KEY}
    keeper, engine = Keeper(), Engine()
    asked(keeper, tmp_path, engine, kv=kv)
    assert keeper.keep(engine)  # type: ignore[arg-type]
    for options, expected in (("Q4_1", TOKENS), ("Q8_0", ())):
        later, again = Keeper(), Engine(options)
        again.cached_tokens = ()
        shown = begin(later, tmp_path, again, kv=kv)
        later.restore(again, Prompt(tokens=TOKENS))  # type: ignore[arg-type]
        assert again.cached_tokens == expected
        assert (shown is not None) == bool(expected)


def test_what_another_version_of_the_library_wrote_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kv = {"folder": str(tmp_path), "key": KEY}
    keeper, engine = Keeper(), Engine()
    asked(keeper, tmp_path, engine, kv=kv)
    assert keeper.keep(engine)  # type: ignore[arg-type]
    monkeypatch.setattr(keeping, "machine_key", lambda: "the next version")
    assert begin(Keeper(), tmp_path, engine, kv=kv) is None


def test_a_file_replaced_by_another_of_the_same_size_is_another_model(tmp_path: Path) -> None:
    kv = {"folder": str(tmp_path), "key": KEY}
    keeper, engine = Keeper(), Engine()
    begin(keeper, tmp_path, engine, kv=kv)
    before = keeper._model
    other = model(tmp_path)
    other.path.write_bytes(b"y")
    os.utime(other.path, (1, 1))
    keeper.begin(engine, other, {"kv": kv})  # type: ignore[arg-type]
    assert keeper._model != before


def test_what_is_larger_than_may_be_kept_is_not_even_put_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "LIMIT_BYTES", 10 * len(TOKENS) - 1)
    monkeypatch.setattr(Engine, "snapshot", None)
    keeper, engine = Keeper(), Engine()
    asked(keeper, tmp_path, engine, kv={"folder": str(tmp_path), "key": KEY})
    assert not keeper.keep(engine)  # type: ignore[arg-type]
