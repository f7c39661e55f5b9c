"""The one role that may hold sockets: what it refuses, what it sends, and that it works like the chat role."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from desktop_rag import paths
from desktop_rag.errors import DesktopRagError, EngineError, NetworkError, UsageError
from desktop_rag.models.catalogue import find
from desktop_rag.settings import Settings
from desktop_rag.workers import remote_key
from desktop_rag.workers.crew import Workers
from desktop_rag.workers.loop import Request, Service
from desktop_rag.workers.loopback import LoopbackServer
from desktop_rag.workers.network_service import open_service
from tests.engines.misbehaving import Misbehaving, cut_after, hello, misbehaving
from tests.workers.driving import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

QUESTION = "What does [PERSON_1] pay?"
PASSAGES = [{"text": "[PERSON_1] pays 7 coins.", "context": ""}]


def request(op: str, **args: Any) -> Request:
    return Request(1, op, args)


def service(purpose: str, *, opened: bool = False, data_dir: Path | None = None) -> Service:
    return open_service(data_dir or paths.data_dir(), {"purpose": purpose, "opened": opened})


def perform(opened: Service, op: str, **args: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    return run(opened.handlers[op](request(op, **args)))


def unsealed() -> Path:
    data_dir = paths.data_dir()
    assert Settings(data_dir).set("sealed", False)
    return data_dir


def test_a_sealed_application_opens_no_network() -> None:
    for purpose in ("remote_model", "download"):
        with pytest.raises(NetworkError) as caught:
            service(purpose)
        assert caught.value.code == "sealed"
        assert caught.value.hint


def test_only_named_purposes_exist_and_each_has_its_own_operations() -> None:
    with pytest.raises(UsageError):
        service("", opened=True)
    remote = {"load", "status", "generate", "complete"}
    assert set(service("remote_model", opened=True).handlers) == remote
    assert set(service("loopback").handlers) == remote
    assert set(service("download", opened=True).handlers) == {"search", "download"}


@pytest.mark.loopback
def test_sealing_again_stops_a_process_that_was_opened_by_the_setting() -> None:
    data_dir = unsealed()
    with misbehaving(chat=hello) as server:
        remote = service("remote_model")
        perform(remote, "load", url=server.url)
        Settings(data_dir).set("sealed", True)
        asked = len(server.asked)
        with pytest.raises(NetworkError) as caught:
            perform(remote, "generate", question=QUESTION, passages=PASSAGES, policies=["mask"])
        assert caught.value.code == "sealed"
        assert len(server.asked) == asked


def test_a_loopback_process_reaches_no_other_machine() -> None:
    loopback = service("loopback")
    for url in ("http://192.168.1.5:8000", "https://llm.example", "http://127.0.0.1.example", "http://2130706433"):
        with pytest.raises(NetworkError) as caught:
            perform(loopback, "load", url=url)
        assert caught.value.code == "sealed"


@pytest.fixture
def answered() -> Iterator[tuple[Misbehaving, Service]]:
    """A server that says hello, and a service that has it loaded."""
    with misbehaving(chat=hello) as server:
        remote = service("remote_model", opened=True)
        perform(remote, "load", url=server.url)
        yield server, remote


@pytest.mark.loopback
def test_an_answer_streams_with_its_numbers(answered: tuple[Misbehaving, Service]) -> None:
    server, remote = answered
    events, done = perform(
        remote, "generate", question=QUESTION, passages=PASSAGES, policies=["pseudonymise"], max_tokens=9
    )
    loaded, *tokens = events
    assert loaded["event"] == "loaded"
    assert _said(tokens) == "Hello there"
    assert (done["engine"], done["model"], done["device"]) == ("OpenAI-compatible", "tiny", "remote")
    assert (done["reason"], done["passages_used"], done["usage"]["generated_tokens"]) == ("end", 1, 2)
    assert (done["weights_mb"], done["kv_mb"], done["encrypted"]) == (None, None, False)
    (sent,) = [body for path, _, body in server.asked if path.endswith("completions")]
    assert PASSAGES[0]["text"] in str(sent["messages"])


@pytest.mark.loopback
@pytest.mark.parametrize("policies", [None, "mask", ["keep"], ["mask", "keep"], [None], {"mask": 1}])
def test_nothing_is_sent_unless_every_collection_is_known_to_be_cleaned(
    answered: tuple[Misbehaving, Service], policies: object
) -> None:
    server, remote = answered
    asked = len(server.asked)
    for op, more in (("generate", {"passages": PASSAGES}), ("complete", {"prompt": "Hello?"})):
        if op == "complete" and policies is None:
            continue
        with pytest.raises(NetworkError) as caught:
            perform(remote, op, question=QUESTION, policies=policies, **more)
        assert caught.value.code == "sealed"
    with pytest.raises(NetworkError):
        perform(remote, "generate", question=QUESTION, passages=PASSAGES)
    assert len(server.asked) == asked


@pytest.mark.loopback
def test_a_question_without_passages_still_names_its_collections(answered: tuple[Misbehaving, Service]) -> None:
    _, remote = answered
    assert perform(remote, "generate", question=QUESTION, passages=[], policies=[])[1]["passages_used"] == 0


@pytest.mark.loopback
def test_the_same_server_is_not_looked_up_twice(answered: tuple[Misbehaving, Service]) -> None:
    server, remote = answered
    perform(remote, "load", url=server.url)
    perform(remote, "load", url=f"{server.url}/")
    assert [path for path, _, _ in server.asked] == ["/v1/models"]
    assert perform(remote, "status")[1]["model"] == "tiny"


def test_nothing_is_generated_before_a_server_is_named() -> None:
    remote = service("remote_model", opened=True)
    assert perform(remote, "status")[1] == {"model": None}
    with pytest.raises(UsageError):
        perform(remote, "generate", question=QUESTION, passages=[], policies=[])


@pytest.mark.loopback
def test_text_that_came_before_a_cut_is_passed_on() -> None:
    with misbehaving(chat=cut_after("Half an ")) as server:
        remote = service("remote_model", opened=True)
        perform(remote, "load", url=server.url)
        operation = remote.handlers["complete"](request("complete", prompt="Hello?"))
        events: list[dict[str, Any]] = []
        with pytest.raises(NetworkError) as caught:
            events.extend(event for event in operation if event)
    assert caught.value.code == "interrupted"
    assert _said(events) == "Half an "


@pytest.mark.loopback
def test_the_key_comes_from_a_file_and_reaches_the_server_only(tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.write_text("sk-sentinel-4711\n")
    with misbehaving(chat=hello) as server:
        remote = service("remote_model", opened=True)
        status = perform(remote, "load", url=server.url, key_file=str(key_file))[1]
    assert server.asked[0][1]["authorization"] == "Bearer sk-sentinel-4711"
    assert "4711" not in str(status)


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff\xfe", b"two\nlines", b"x" * 10_000])
def test_a_file_that_holds_no_key_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "key"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        remote_key.read_key("http://127.0.0.1:9", str(path))
    assert caught.value.code == "bad_request"


def test_a_key_is_kept_per_server_in_the_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    import keyring
    from keyring.errors import PasswordDeleteError

    kept: dict[tuple[str, str], str] = {}

    def delete(service: str, name: str) -> None:
        if kept.pop((service, name), None) is None:
            raise PasswordDeleteError

    monkeypatch.setattr(keyring, "get_password", lambda service, name: kept.get((service, name)))
    monkeypatch.setattr(keyring, "set_password", lambda service, name, key: kept.update({(service, name): key}))
    monkeypatch.setattr(keyring, "delete_password", delete)
    assert remote_key.keep_key("https://one.example", "abc")
    assert remote_key.read_key("https://one.example/v1/", None) == "abc"
    assert remote_key.read_key("https://two.example", None) is None
    assert remote_key.keep_key("https://one.example", "")
    assert remote_key.keep_key("https://one.example", ""), "there was none any more"
    assert remote_key.read_key("https://one.example", None) is None


def test_without_a_keyring_no_key_is_kept_and_that_is_told() -> None:
    assert not remote_key.keep_key("https://one.example", "abc")


@pytest.mark.slow
@pytest.mark.loopback
def test_the_real_process_asks_the_real_server(tmp_path: Path) -> None:
    """Sealed or not: what talks to a server of the application's own is not the network of the world."""
    starter = find("smollm2-135m-instruct-q4_1").installed_path(paths.models_dir())
    assert starter is not None, "run the set-up"
    workers = Workers(tmp_path)
    try:
        with LoopbackServer(starter, threads=1, context=512) as server:
            worker = workers.network("loopback")
            status = worker.call("load", url=server.url, model=server.model, key_file=str(server.key_file))
            assert worker.hello is not None
            assert worker.hello["seal"] == "open for loopback"
            assert (status["engine"], status["model"]) == ("OpenAI-compatible", server.model)
            *tokens, done = worker.stream("complete", prompt="Name a fruit.", max_tokens=6)
            assert _said(tokens) == done["text"]
            assert done["usage"]["generated_tokens"] <= 6
        with pytest.raises((NetworkError, EngineError)):
            worker.call("complete", prompt="Name a fruit.", max_tokens=6)
        with pytest.raises(DesktopRagError) as caught:
            workers.network("remote_model").call("status")
        assert caught.value.code == "sealed"
    finally:
        workers.close()
    logs = "".join(path.read_text() for path in (tmp_path / "logs").iterdir())
    assert "network opened for loopback: 127.0.0.1:" in logs
    assert server.key not in logs
    assert "fruit" not in logs


def _said(events: list[dict[str, Any]]) -> str:
    """The words of an answer's events; the end of its prefill is told among them."""
    return "".join(event["text"] for event in events if event["event"] == "token")
