"""The engine behind an address when the server refuses, redirects, breaks off, hangs or is not there."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from desktop_rag.engines.cancel import Cancellation
from desktop_rag.engines.openai_http import OpenAiEngine
from desktop_rag.engines.protocol import Sampling
from desktop_rag.errors import Cancelled, DesktopRagError, EngineError, ModelError, NetworkError
from tests.engines.contract import QUESTION, answer, raised_after, text_of
from tests.engines.misbehaving import Handler, cut_after, hello, misbehaving
from tests.engines.remote import failure, opened

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.loopback

CANCEL_SECONDS = 0.5


def refuse(status: int, body: bytes = b'{"error": {"message": "sk-sentinel-4711 broke"}}') -> Callable[[Handler], None]:
    return lambda handler: handler.whole(status, body)


@pytest.mark.parametrize(
    ("status", "kind", "code", "words"),
    [
        (401, NetworkError, "refused", "does not accept the key"),
        (403, NetworkError, "refused", "does not accept the key"),
        (404, NetworkError, "refused", "has nothing at this address, or no model “tiny”"),
        (418, EngineError, "protocol_mismatch", "did not accept the request (status 418)"),
        (429, NetworkError, "refused", "its limit is reached"),
        (500, EngineError, "crashed", "failed with an error of its own (status 500)"),
        (503, EngineError, "crashed", "failed with an error of its own (status 503)"),
    ],
)
def test_every_refusal_has_its_own_sentence(status: int, kind: type[DesktopRagError], code: str, words: str) -> None:
    with misbehaving(chat=refuse(status)) as server:
        pieces, error = failure(server.url)
    assert (pieces, type(error), error.code) == ([], kind, code)
    assert words in error.message


def test_a_full_context_is_told_as_such_and_not_asked_again() -> None:
    body = b'{"error": {"message": "This model\'s maximum context length is 10 tokens."}}'
    with misbehaving(chat=refuse(400, body)) as server:
        _, error = failure(server.url)
    assert (type(error), error.code) == (ModelError, "context_too_long")
    assert len([path for path, _, _ in server.asked if path.endswith("completions")]) == 1


def test_a_redirect_is_never_followed() -> None:
    with misbehaving(chat=hello) as other:
        elsewhere = other.url.replace("127.0.0.1", "localhost") + "/chat/completions"
        with misbehaving(chat=lambda handler: handler.whole(307, b"", location=elsewhere)) as server:
            _, error = failure(server.url)
        assert (type(error), error.code) == (NetworkError, "refused")
        assert "localhost:" in error.message
        assert "nothing was sent there" in error.message
        assert other.asked == []
    with misbehaving(models=lambda handler: handler.whole(301, b"", location="//name:pw@x.example/")) as server:
        with pytest.raises(NetworkError) as caught:
            opened(server.url)
        assert "x.example" in caught.value.message
        assert "pw" not in caught.value.message


def garbage(handler: Handler) -> None:
    handler.whole(200, b"<html>It works!</html>", content_type="text/html")


def not_json(handler: Handler) -> None:
    handler.whole(200, b"{broken", content_type="application/json")


def error_inside(handler: Handler) -> None:
    handler.begin()
    handler.say("Hello")
    handler.chunk('data: {"error": {"message": "sk-sentinel-4711", "code": 500}}\n\n')
    handler.end()


def ended_early(handler: Handler) -> None:
    handler.begin()
    handler.say("Hello")
    handler.end()


def nothing_said(handler: Handler) -> None:
    handler.begin()
    handler.end()


def garbage_inside(handler: Handler) -> None:
    handler.begin()
    handler.say("Hello")
    handler.chunk("\x00\x01 nonsense\n")
    handler.end()


def hang_before_headers(handler: Handler) -> None:
    handler.hang()


def hang_after_headers(handler: Handler) -> None:
    handler.begin()
    handler.hang()


def hang_mid_stream(handler: Handler) -> None:
    handler.begin()
    handler.say("Hello")
    handler.hang()


def ping_for_ever(handler: Handler) -> None:
    handler.begin()
    handler.say("Hello")
    while not handler.server.over.wait(0.05):
        handler.chunk(": ping\n\n")


def not_http(handler: Handler) -> None:
    handler.wfile.write(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")
    handler.cut()


@pytest.mark.parametrize(
    ("behaviour", "text", "kind", "code"),
    [
        (garbage, "", EngineError, "protocol_mismatch"),
        (not_json, "", EngineError, "protocol_mismatch"),
        (not_http, "", EngineError, "protocol_mismatch"),
        (garbage_inside, "Hello", EngineError, "protocol_mismatch"),
        (error_inside, "Hello", EngineError, "crashed"),
        (nothing_said, "", EngineError, "crashed"),
        (cut_after("Hello", " the"), "Hello the", NetworkError, "interrupted"),
        (ended_early, "Hello", NetworkError, "interrupted"),
        (hang_before_headers, "", EngineError, "hung"),
        (hang_after_headers, "", EngineError, "hung"),
        (hang_mid_stream, "Hello", EngineError, "hung"),
        (ping_for_ever, "Hello", EngineError, "hung"),
    ],
)
def test_what_came_before_it_broke_is_kept_and_the_reason_told(
    behaviour: Callable[[Handler], None], text: str, kind: type[DesktopRagError], code: str
) -> None:
    with misbehaving(chat=behaviour) as server:
        pieces, error = failure(server.url)
    assert (text_of(pieces), type(error), error.code) == (text, kind, code)


def test_what_was_held_back_for_a_stop_string_is_said_when_it_breaks() -> None:
    with misbehaving(chat=cut_after("Hello", " the")) as server:
        pieces, _ = failure(server.url, Sampling(stop=("there",)))
    assert text_of(pieces) == "Hello the"


@pytest.mark.parametrize("behaviour", [hang_before_headers, hang_after_headers, hang_mid_stream, ping_for_ever])
def test_cancel_waits_for_no_server(behaviour: Callable[[Handler], None]) -> None:
    with misbehaving(chat=behaviour) as server:
        engine = OpenAiEngine(server.url)
        with raised_after(0.2) as cancelled:
            pieces, finish = answer(engine, engine.render(QUESTION), cancelled=cancelled)
            assert time.perf_counter() - cancelled.raised_at < CANCEL_SECONDS
    assert finish.reason == "cancelled"
    assert text_of(pieces) in ("", "Hello")


def test_cancel_ends_the_look_for_a_server_too() -> None:
    with misbehaving(models=hang_before_headers) as server, raised_after(0.2) as cancelled:
        with pytest.raises(Cancelled):
            OpenAiEngine(server.url, cancelled=cancelled)
        assert time.perf_counter() - cancelled.raised_at < CANCEL_SECONDS


def test_an_answer_that_is_left_closes_its_connection() -> None:
    noticed: list[bool] = []

    def endless(handler: Handler) -> None:
        handler.begin()
        try:
            for number in range(1_000_000):
                handler.say(f"{number} ")
        except (BrokenPipeError, ConnectionResetError):
            noticed.append(True)
            handler.server.over.set()
            raise

    with misbehaving(chat=endless) as server:
        engine = opened(server.url)
        begun = engine.generate(engine.render(QUESTION), max_tokens=9, sampling=Sampling(), cancelled=Cancellation())
        next(iter(begun))
        del begun
        assert server.over.wait(10)
    assert noticed


def test_a_server_that_is_not_there_is_told() -> None:
    with misbehaving() as server:
        url = server.url
    with pytest.raises(NetworkError) as caught:
        OpenAiEngine(url)
    assert caught.value.code == "offline"
    assert "Nothing answers at 127.0.0.1:" in caught.value.message


def test_a_server_without_tls_is_not_trusted_over_https() -> None:
    with misbehaving() as server, pytest.raises(NetworkError) as caught:
        OpenAiEngine(server.url.replace("http:", "https:"))
    assert caught.value.code in ("refused", "offline")
