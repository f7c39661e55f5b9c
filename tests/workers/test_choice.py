"""What answers: a remote model only where a person opened the network for it, and never by a misspelt name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop_rag.errors import NetworkError, UsageError
from desktop_rag.settings import Settings
from desktop_rag.workers.choice import choose
from desktop_rag.workers.crew import Workers


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    team = Workers(tmp_path)
    yield team
    team.close()


def test_without_a_word_the_chat_process_answers(workers: Workers) -> None:
    assert choose(workers).worker is workers.chat
    assert choose(workers, "some-model", "gpt4all").engine == "GPT4All", "whatever the case of the letters"


def test_an_engine_that_does_not_exist_is_told(workers: Workers) -> None:
    with pytest.raises(UsageError, match="no engine"):
        choose(workers, engine="llama")


def test_sealed_refuses_a_remote_model_before_any_process_starts(workers: Workers) -> None:
    Settings(workers.data_dir).set("remote_url", "http://127.0.0.1:9/v1")
    with pytest.raises(NetworkError) as refused:
        choose(workers, engine="OpenAI-compatible")
    assert refused.value.code == "sealed"
    assert refused.value.hint
    assert workers.network("remote_model").pid is None


def test_a_remote_model_needs_an_address(workers: Workers) -> None:
    with pytest.raises(UsageError, match="No remote model"):
        choose(workers, engine="OpenAI-compatible", online=True)
