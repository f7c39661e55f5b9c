"""What servers are asked and how their answers read, without a network."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.engines.openai_answer import Answer
from desktop_rag.engines.openai_dialect import (
    Delta,
    Lines,
    Usage,
    base_of,
    bodies,
    delta_of,
    estimate,
    host_of,
    models_in,
    read_chunk,
)
from desktop_rag.engines.protocol import Sampling
from desktop_rag.engines.stop_strings import StopStrings
from desktop_rag.errors import EngineError, UsageError

MESSAGES = ({"role": "user", "content": "Why?"},)


@pytest.mark.parametrize(
    ("typed", "base"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/v1"),
        (" https://llm.example/ ", "https://llm.example/v1"),
        ("http://[::1]:11434/v1/", "http://[::1]:11434/v1"),
        ("http://host/v1/chat/completions", "http://host/v1"),
        ("https://api.example/openai/v1", "https://api.example/openai/v1"),
    ],
)
def test_an_address_is_completed(typed: str, base: str) -> None:
    assert base_of(typed) == base


@pytest.mark.parametrize(
    "typed",
    ["", "llm.example", "ftp://llm.example", "file:///etc/passwd", "http://", "http://host:port",
     "http://name:secret@host", "https://host/v1?key=secret", "http://[::1"],
)  # fmt: skip
def test_what_is_no_address_is_refused_without_quoting_it(typed: str) -> None:
    with pytest.raises(UsageError) as caught:
        base_of(typed)
    assert caught.value.code == "bad_request"
    assert "secret" not in caught.value.message + caught.value.hint


def test_the_host_alone_is_shown() -> None:
    assert host_of("https://llm.example:8443/v1") == "llm.example:8443"


def test_greedy_switches_off_what_servers_switch_on_by_default() -> None:
    best, *others = bodies("m", MESSAGES, 7, Sampling())
    assert (best["temperature"], best["max_tokens"], best["stream"]) == (0.0, 7, True)
    assert best["repeat_penalty"] == best["repetition_penalty"] == 1.0
    assert best["stream_options"] == {"include_usage": True}
    assert others
    assert set(others[-1]) == {"model", "messages", "max_tokens", "stream", "temperature"}


def test_a_filter_that_is_on_is_never_dropped() -> None:
    for sampling in (Sampling(1.0, top_k=5), Sampling(1.0, min_p=0.1), Sampling(1.0, repeat_penalty=1.2)):
        for body in bodies("m", MESSAGES, 7, sampling):
            assert (body["top_k"], body["min_p"]) == (sampling.top_k, sampling.min_p)
            assert body["repeat_penalty"] == sampling.repeat_penalty
            assert (body["seed"], body["top_p"]) == (0, 1.0)


def test_a_schema_is_in_every_form_and_a_grammar_is_refused() -> None:
    schema = {"type": "object"}
    forms = bodies("m", MESSAGES, 7, Sampling(json_schema=schema))
    assert all("response_format" in body for body in forms)
    assert forms[0]["response_format"]["json_schema"]["schema"] == schema
    with pytest.raises(UsageError) as caught:
        bodies("m", MESSAGES, 7, Sampling(grammar='root ::= "a"'))
    assert caught.value.code == "not_available"


def chunk(**choice: object) -> str:
    return json.dumps({"choices": [{"index": 0, **choice}]})


@pytest.mark.parametrize(
    ("data", "delta"),
    [
        (chunk(delta={"role": "assistant"}), Delta()),
        (chunk(delta={"role": "assistant", "content": ""}), Delta()),
        (chunk(delta={"content": "Hi"}), Delta("Hi")),
        (chunk(delta={"content": None}, finish_reason="stop"), Delta(finish="stop")),
        (chunk(delta={"reasoning_content": "Hm"}), Delta("Hm", thought=True)),
        (chunk(delta={"content": "", "reasoning": "Hm"}), Delta("Hm", thought=True)),
        (chunk(message={"content": "All"}, finish_reason="stop"), Delta("All", finish="stop")),
        (chunk(text="All"), Delta("All")),
        (json.dumps({"choices": []}), Delta()),
        (
            json.dumps({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 4}}),
            Delta(usage=Usage(9, 4, 0)),
        ),
        (
            json.dumps({"usage": {"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 8}}}),
            Delta(usage=Usage(9, None, 8)),
        ),
    ],
)
def test_chunks_of_many_servers_are_read(data: str, delta: Delta) -> None:
    assert read_chunk(data) == delta


@pytest.mark.parametrize("line", [": ping", "", "event: message", "id: 7", "retry: 10", "data:", "data: "])
def test_what_carries_nothing_is_passed_over(line: str) -> None:
    assert delta_of(line) is None


@pytest.mark.parametrize("line", ["data: [DONE]", "data:[DONE]", "data:  [DONE] "])
def test_the_end_is_seen_with_and_without_a_space(line: str) -> None:
    assert delta_of(line) == Delta(done=True)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('data: {"error": {"message": "sk-secret is broke"}}', "crashed"),
        ('data: {"error": "out of sk-secret memory", "error_type": "x"}', "crashed"),
        ('{"error": {"message": "sk-secret"}}', "crashed"),
        ('error: {"message": "sk-secret"}', "crashed"),
        ("<html><body>sk-secret", "protocol_mismatch"),
        ("data: <sk-secret>", "protocol_mismatch"),
        ("data: [1]", "protocol_mismatch"),
        ('data: {"answer": "sk-secret"}', "protocol_mismatch"),
        ("data: " + "[" * 100_000, "protocol_mismatch"),
    ],
)
def test_errors_and_garbage_are_told_apart_and_not_quoted(line: str, code: str) -> None:
    with pytest.raises(EngineError) as caught:
        delta_of(line)
    assert caught.value.code == code
    assert "secret" not in str(caught.value.to_payload())


@given(st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]))), st.data())
def test_lines_are_the_same_however_the_bytes_arrive(lines: list[str], data: st.DataObject) -> None:
    raw = "".join(f"{line}\n" for line in lines).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=6)))
    reader = Lines()
    read: list[str] = []
    for start, end in zip([0, *cuts], [*cuts, len(raw)], strict=True):
        read.extend(reader.add(raw[start:end]))
    assert [*read, *reader.end()] == lines


def test_a_line_without_an_end_is_given_up() -> None:
    reader = Lines()
    endless = (line for _ in range(100) for line in reader.add(b"x" * 65536))
    with pytest.raises(EngineError):
        list(endless)


def test_lists_of_models_tell_their_context() -> None:
    rows = [{"id": "a", "max_model_len": 8192}, {"id": "b", "meta": {"n_ctx": 4096}}, {"id": "c"}]
    assert models_in(json.dumps({"data": rows})) == {"a": 8192, "b": 4096, "c": None}
    for garbage in ("<html>", "{}", '{"data": 7}', '{"data": [{"name": "a"}]}', "null"):
        with pytest.raises(EngineError):
            models_in(garbage)


@given(st.text(), st.text())
def test_an_estimate_never_falls_and_adds_up(one: str, two: str) -> None:
    assert max(estimate(one), estimate(two)) <= estimate(one + two) <= estimate(one) + estimate(two)


@given(st.lists(st.text("abc", min_size=1, max_size=3)), st.lists(st.text("abc", min_size=1, max_size=4), max_size=3))
def test_a_stop_string_ends_the_text_and_nothing_of_it_is_shown(parts: list[str], stops: list[str]) -> None:
    stream = StopStrings(stops)
    shown = "".join(stream.add(part) for part in parts)
    shown += "" if stream.hit else stream.end()
    # The first stop string to be complete wins; of several complete at once, the one that began first.
    text, expected = "", None
    for part in parts:
        text += part
        found = [at for stop in stops if (at := text.find(stop)) >= 0]
        if found:
            expected = text[: min(found)]
            break
    assert shown == (text if expected is None else expected)


def test_an_answer_counts_what_the_server_says_else_deltas() -> None:
    told = Answer((), 50)
    pieces = [*told.add(Delta("a b"), 0.1), *told.add(Delta("c", finish="stop"), 0.2)]
    assert [(piece.text, piece.generated, piece.at) for piece in pieces] == [("a b", 1, 0.1), ("c", 2, 0.2)]
    assert (told.generated, told.deltas, told.reason, told.first) == (None, 2, "end", 0.1)
    list(told.add(Delta(usage=Usage(5, 7, 0)), 0.3))
    assert told.generated == 7


def test_thoughts_take_time_and_are_not_said() -> None:
    answer = Answer((), 50)
    assert list(answer.add(Delta("Hm", thought=True), 0.1)) == []
    (piece,) = answer.add(Delta("Yes"), 0.2)
    assert (piece.text, piece.generated, answer.first) == ("Yes", 2, 0.1)


def test_an_answer_in_circles_is_ended() -> None:
    answer = Answer((), 500)
    words = ["and ", "so ", "on ", "it ", "goes "] * 20
    for word in words:
        if answer.complete:
            break
        list(answer.add(Delta(word), 0.1))
    assert answer.reason == "loop"
    assert answer.deltas < len(words)


def test_an_answer_cut_by_the_servers_own_limit_is_not_counted_as_full() -> None:
    for deltas, generated in ((10, 10), (9, 10), (3, None)):
        answer = Answer((), 10)
        for number in range(deltas):
            list(answer.add(Delta(f"{number} "), 0.1))
        list(answer.add(Delta(finish="length"), 0.2))
        assert (answer.reason, answer.generated) == ("length", generated)
