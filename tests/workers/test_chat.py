"""The real chat worker: it streams, counts, obeys Cancel, and forgets a model only for another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop_rag import paths
from desktop_rag.errors import Cancelled, ModelError, UsageError
from desktop_rag.workers.crew import Workers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from desktop_rag.workers.client import WorkerClient

pytestmark = pytest.mark.slow

STARTER = "smollm2-135m-instruct-q4_1"
ASK = {"question": "Name three fruits and their colours.", "passages": [], "max_tokens": 24}


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerClient]:
    workers = Workers(tmp_path_factory.mktemp("data"))
    yield workers.chat
    workers.close()


def test_an_answer_streams_with_its_numbers(chat: WorkerClient) -> None:
    loaded, prefill, *tokens, done = chat.stream("generate", **ASK)
    assert loaded["event"] == "loaded"
    assert prefill["event"] == "prefill"
    assert prefill["tokens"] >= prefill["reused"] >= 0
    assert {event["event"] for event in tokens} == {"token"}
    assert "".join(event["text"] for event in tokens).strip()
    generated = [event["generated"] for event in tokens]
    assert generated == sorted(set(generated))
    usage = done["usage"]
    assert usage["generated_tokens"] >= generated[-1]
    assert usage["context_used"] == usage["prompt_tokens"] + usage["generated_tokens"] <= usage["context"]
    assert usage["roofline_fraction"] is None, "not measured yet, so not claimed"
    assert (done["model"], done["engine"], done["reason"]) == (STARTER, "llama.cpp", "end")
    assert 0 < done["weights_mb"] < 200


def test_the_same_question_again_computes_next_to_nothing(chat: WorkerClient) -> None:
    first = [e["text"] for e in chat.stream("generate", **ASK) if e["event"] == "token"]
    *events, done = chat.stream("generate", **ASK)
    assert done["usage"]["reused_tokens"] == done["usage"]["prompt_tokens"] - 1
    assert "".join(e["text"] for e in events if e["event"] == "token") == "".join(first)


def test_the_model_stays_loaded(chat: WorkerClient) -> None:
    chat.call("load")
    pid = chat.pid
    assert chat.call("status")["model"] == chat.call("load", model=STARTER)["model"] == STARTER
    assert chat.pid == pid


def test_stopping_an_answer_leaves_a_worker_that_answers(chat: WorkerClient) -> None:
    events = chat.stream("generate", question="Tell a very long story.", passages=[], max_tokens=2000)
    assert [next(events)["event"] for _ in range(3)] == ["loaded", "prefill", "token"]
    events.close()
    *_, done = chat.stream("generate", **ASK)
    assert done["usage"]["generated_tokens"] > 0


def test_what_cannot_be_a_chat_model_is_refused(chat: WorkerClient) -> None:
    with pytest.raises(UsageError):
        chat.call("load", model="all-minilm-l6-v2")
    with pytest.raises((ModelError, UsageError)):
        chat.call("load", model="no-such-model")
    assert chat.call("generate", **ASK)["event"] == "done"


def test_a_model_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESKTOP_RAG_MODELS_DIR", str(paths.data_dir() / "nothing"))
    workers = Workers(paths.data_dir())
    try:
        with pytest.raises(ModelError) as caught:
            workers.chat.call("load")
    finally:
        workers.close()
    assert caught.value.code == "not_installed"
    assert caught.value.hint


def test_cancel_from_another_thread_ends_a_prefill_and_keeps_the_process(chat: WorkerClient) -> None:
    chat.call("load")
    before = chat.pid
    long = {"text": "The tide comes in and the tide goes out. " * 320, "context": ""}
    stream = chat.stream("generate", question="What comes in?", passages=[long], max_tokens=64)
    assert next(stream)["event"] == "loaded"
    chat.cancel()
    try:
        events = list(stream)
    except Cancelled:
        events = []
    assert not any(event["event"] == "token" for event in events)
    assert all(event.get("reason", "cancelled") == "cancelled" for event in events)
    assert chat.pid == before
    assert not chat.busy
    assert chat.call("generate", **ASK)["usage"]["generated_tokens"] > 0, "and the next question is answered"
