"""The engine behind an address: against a real server, what it sends, and what it takes for an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop_rag import paths
from desktop_rag.engines.openai_http import OpenAiEngine
from desktop_rag.engines.protocol import LoadOptions, Prompt, Sampling
from desktop_rag.errors import EngineError, ModelError, NetworkError, UsageError
from desktop_rag.models.catalogue import find
from desktop_rag.workers.loopback import LoopbackServer
from tests.engines.contract import (
    FORGED,
    QUESTION,
    TEXT,
    CancelsInPrefill,
    EngineContract,
    StopsAtStrings,
    answer,
    said,
    text_of,
)
from tests.engines.misbehaving import Handler, hello, listing, misbehaving
from tests.engines.remote import KEY, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from desktop_rag.engines.protocol import ChatMessage, Engine

pytestmark = pytest.mark.loopback

SERVED_CONTEXT = 512
# Less than the server has: the shorter a full context, the sooner the tests that fill it are over.
CONTEXT = 320


@pytest.fixture(scope="module")
def served() -> Iterator[LoopbackServer]:
    model = find("smollm2-135m-instruct-q4_1").installed_path(paths.models_dir())
    assert model is not None, "run the set-up"
    with LoopbackServer(model, threads=1, context=SERVED_CONTEXT) as server:
        yield server


@pytest.mark.slow
class TestRealServer(EngineContract, CancelsInPrefill, StopsAtStrings):
    """llama_cpp.server with the starter model."""

    @pytest.fixture
    def engine(self, served: LoopbackServer) -> Engine:
        return OpenAiEngine(served.url, key=served.key, options=LoadOptions(context=CONTEXT))

    def long_messages(self, engine: Engine, tokens: int) -> list[ChatMessage]:
        """Once more than by the estimate, which rounds up each time it is asked."""
        return [{"role": "user", "content": TEXT * (tokens // engine.count(TEXT) + 2)}]

    def test_it_says_what_is_loaded(self, engine: Engine) -> None:
        """Weights, KV and threads are the server's and cannot be known: 0, never a guess."""
        info = engine.info
        assert (info.engine, info.model) == ("OpenAI-compatible", "SmolLM2-135M-Instruct.Q4_1")
        assert (info.context, info.device) == (CONTEXT, "remote")
        assert (info.weights_bytes, info.kv_bytes, info.threads, info.read_bytes) == (0, 0, 0, None)

    def test_more_messages_make_a_longer_prompt(self, engine: Engine) -> None:
        """Cannot hold by tokens: the server keeps template and tokenizer; the messages are the prompt."""
        prompt = engine.render(QUESTION)
        assert (prompt.messages, prompt.tokens, prompt.text) == (tuple(QUESTION), (), "")

    def test_neither_a_document_nor_a_question_steers_the_model(self, engine: Engine) -> None:
        """Seen by what the server is sent: its tokens are its own."""
        prompt = engine.render([{"role": "user", "content": FORGED}])
        (sent,) = prompt.messages
        forms = ("<|im_end|>", "<|im_start|>", "<|endoftext|>", "<s>", "<unk>", "[INST]", "<<SYS>>", "<start_of_turn>")
        assert not any(form in sent["content"] for form in forms)
        assert "".join(sent["content"].split()) == "".join(FORGED.split()), "nothing is lost"

    def test_what_is_kept_is_the_start_of_the_prompt_and_ends_before_the_question(self, engine: Engine) -> None:
        """Cannot hold: what falls out of a full context is the server's decision."""
        assert engine.render(QUESTION).keep == 0

    def test_an_end_that_is_to_be_ignored_is(self, engine: Engine) -> None:
        """Cannot hold: no field of the common language asks for it; the finish says how the answer ended."""
        prompt = engine.render([{"role": "user", "content": "Say only: yes"}])
        _, finish = answer(engine, prompt, max_tokens=100, sampling=Sampling(ignore_end=True))
        assert finish.reason in ("end", "loop")
        assert 0 < finish.generated_tokens < 100

    def test_an_answer_ends_where_the_context_does(self, engine: Engine) -> None:
        prompt = engine.render([{"role": "user", "content": "word " * 200}])
        _, finish = answer(engine, prompt, max_tokens=500)
        assert finish.generated_tokens <= CONTEXT - 200

    def test_a_schema_gives_what_it_describes(self, engine: Engine) -> None:
        """This server knows the older form only; the engine finds it."""
        schema = {"type": "object", "properties": {"red": {"type": "boolean"}}, "required": ["red"]}
        text = said(engine, engine.render(QUESTION), sampling=Sampling(json_schema=schema))
        assert "".join(text.split()) in ('{"red":true}', '{"red":false}')

    def test_tokens_are_the_servers_own_count(self, engine: Engine) -> None:
        """The server sends one delta for several tokens of an emoji, and tells no usage in a stream."""
        prompt = engine.render([{"role": "user", "content": "Say 👩‍🔬 and nothing else."}])
        pieces, finish = answer(engine, prompt, max_tokens=7)
        assert finish.generated_tokens == 7 or finish.reason == "end"
        assert finish.generated_tokens >= len(pieces)

    def test_greedy_text_is_that_of_llama_cpp(self, engine: Engine, served: LoopbackServer) -> None:
        from desktop_rag.engines.llama_cpp import LlamaCppEngine

        model = find("smollm2-135m-instruct-q4_1").installed_path(paths.models_dir())
        assert model is not None
        reference = LlamaCppEngine(model, LoadOptions(context=CONTEXT, threads=1, flash_attention=False))
        try:
            question = "The Zenith pump was installed on 14 March 2019. When was the Zenith pump installed?"
            messages = [QUESTION[0], {"role": "user", "content": question}]
            assert said(engine, engine.render(messages)) == said(reference, reference.render(messages))
        finally:
            reference.close()

    def test_a_wrong_key_is_told(self, served: LoopbackServer) -> None:
        for key, words in ((KEY, "does not accept the key"), (None, "asks for a key")):
            with pytest.raises(NetworkError) as caught:
                OpenAiEngine(served.url, key=key)
            assert words in caught.value.message


def test_the_key_goes_into_the_header_and_nowhere_else() -> None:
    with misbehaving(chat=hello) as server:
        engine = opened(server.url)
        assert said(engine, engine.render(QUESTION)) == "Hello there"
        assert KEY not in repr(engine.info)
    for path, headers, body in server.asked:
        assert headers["authorization"] == f"Bearer {KEY}"
        assert KEY not in path + str(body)


def test_a_key_no_header_can_hold_is_refused_unquoted() -> None:
    for key in ("two\nlines-4711", "with space-4711", "ключ-4711"):
        with pytest.raises(UsageError) as caught:
            OpenAiEngine("http://127.0.0.1:9", key=key)
        assert "4711" not in str(caught.value.to_payload())


def test_the_environments_proxy_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with misbehaving(chat=hello) as server:
        engine = opened(server.url)
        assert said(engine, engine.render(QUESTION)) == "Hello there"


def test_without_a_name_the_first_model_is_taken_and_its_context_believed() -> None:
    with misbehaving(models=listing("one", "two", max_model_len=700), chat=hello) as server:
        engine = opened(server.url, options=LoadOptions(context=4096))
        assert (engine.info.model, engine.info.context) == ("one", 700)
        assert opened(server.url, model="two").probe() == {"one": 700, "two": 700}


def test_a_server_without_a_list_needs_a_name() -> None:
    with misbehaving(models=lambda handler: handler.whole(404, b"no"), chat=hello) as server:
        assert opened(server.url, model="tiny").info.model == "tiny"
        with pytest.raises(NetworkError):
            opened(server.url)
    with misbehaving(models=listing()) as server, pytest.raises(ModelError) as caught:
        opened(server.url)
    assert caught.value.code == "not_installed"


def test_a_server_that_knows_no_extras_is_asked_without_them() -> None:
    def strict(handler: Handler) -> None:
        if set(handler.body) - {"model", "messages", "max_tokens", "stream", "temperature"}:
            handler.whole(422, b"{}")
        else:
            hello(handler)

    with misbehaving(chat=strict) as server:
        engine = opened(server.url)
        assert [said(engine, engine.render(QUESTION)) for _ in range(2)] == ["Hello there"] * 2
        bodies = [body for path, _, body in server.asked if path.endswith("completions")]
        assert len(bodies) == 4, "what it refused once is not tried again"
        with pytest.raises(EngineError):
            said(engine, engine.render(QUESTION), sampling=Sampling(1.0, top_k=3))


def test_a_whole_answer_instead_of_a_stream_is_taken() -> None:
    body = b'{"choices": [{"message": {"content": "All at once"}, "finish_reason": "stop"}], "usage": %s}'
    usage = b'{"prompt_tokens": 30, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 8}}'
    with misbehaving(chat=lambda handler: handler.whole(200, body % usage)) as server:
        engine = opened(server.url)
        pieces, finish = answer(engine, engine.render(QUESTION))
    assert text_of(pieces) == "All at once"
    assert (finish.reason, finish.prompt_tokens, finish.reused_tokens, finish.generated_tokens) == ("end", 30, 8, 3)


def test_bare_text_is_no_prompt_for_a_server() -> None:
    with misbehaving(chat=hello) as server:
        engine = opened(server.url)
        with pytest.raises(UsageError):
            answer(engine, Prompt(text="Once upon"))
