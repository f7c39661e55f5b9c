"""The course of one question when workers fail: the question stays, and so does what was already said."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from desktop_rag.answering.answer import MAP_REDUCE, STRATEGY, WHOLE, Choice, answer, check_choice
from desktop_rag.answering.prompt import NOT_FOUND
from desktop_rag.errors import EngineError, ModelError, UsageError

Event = dict[str, Any]
PASSAGE = {"chunk": 1, "document": "d", "name": "a.txt", "text": "The rent is 900.", "context": "Rent", "score": 1.0}
ENDED = {"event": "done", "reason": "stop", "usage": {"prompt_tokens": 7}, "engine": "llama.cpp", "model": "m"}


class Library:
    """Prepares one passage and remembers what is stored."""

    def __init__(self, *, missing: bool = False) -> None:
        self.missing = missing
        self.stored: list[Event] = []
        self.kv: Event | None = None
        self.asked: list[str] = []
        self.near: list[Event] = []

    def stream(self, op: str, **args: Any) -> Iterator[Event]:
        yield self.call(op, **args)

    def call(self, op: str, **args: Any) -> Event:
        self.asked.append(op)
        if op == "prepare":
            self.near = args["near"]
            return {
                "event": "done", "conversation": "c", "message": "q", "question": "What is [PERSON]?",
                "prompt_question": args["question"], "history": [], "passages": [] if self.missing else [PASSAGE],
                "coverage": {"passages_read": 1, "passages_total": 9},
                "missing": self.missing, "absent": [], "unknown": ["Falk"], "timings_ms": {"bm25": 1.0},
                "kv": self.kv, "generation": "g",
            }  # fmt: skip
        self.stored.append(args)
        kept = {
            "answer": args["answer"],
            "found": args["found"],
            "draft": None,
            "left_out": 0,
            "citations": [],
            "sentences": [],
        }
        return {"event": "done", **kept, "message": "m", "align_ms": 1.0, "memory_mb": 100.0}


class Chat:
    """Says the pieces, then ends or fails."""

    def __init__(self, *pieces: str, failure: Exception | None = None) -> None:
        self.pieces = pieces
        self.failure = failure
        self.closed = False
        self.args: Event = {}
        self.called: list[str] = []

    def stream(self, op: str, **args: Any) -> Iterator[Event]:
        self.args = args
        try:
            yield {"event": "loaded", "load_ms": 1.0}
            for piece in self.pieces:
                yield {"event": "token", "text": piece}
            if self.failure is not None:
                raise self.failure
            yield ENDED
        finally:
            self.closed = True

    def call(self, op: str, **args: Any) -> Event:
        self.called.append(op)
        return {"event": "done"}


class Team:
    def __init__(self, library: Library, chat: Chat) -> None:
        self.library = library
        self.chat = chat


def crash() -> EngineError:
    return EngineError("crashed", "The chat process stopped unexpectedly.", retryable=True)


def test_what_servers_found_goes_to_the_search() -> None:
    team, asked = Team(Library(), Chat("The rent is 900.")), []

    def near(question: str, **where: Any) -> list[Event]:
        asked.append((question, where))
        return [{"collection": 3, "ids": ["a:0"]}]

    list(answer(team, "What is the rent?", collection="Letters", near=near))
    assert asked == [("What is the rent?", {"collection": "Letters", "conversation": None, "mode": None})]
    assert team.library.near == [{"collection": 3, "ids": ["a:0"]}]
    assert team.library.asked.count("prepare") == 1


def test_events_come_in_order_and_the_answer_is_stored() -> None:
    team = Team(Library(), Chat("The rent ", "is 900."))
    events = list(answer(team, "What is the rent?"))
    assert [e["event"] for e in events] == ["stored", "sources", "token", "token", "done"]
    done = events[-1]
    assert (done["answer"], done["found"], done["strategy"], done["engine"]) == (
        "The rent is 900.",
        True,
        STRATEGY,
        "llama.cpp",
    )
    assert done["memory_mb"] == {"weights": None, "kv": None, "window": None, "library": 100.0, "chat": None}
    assert done.keys() >= {
        "coverage",
        "timings_ms",
        "usage",
        "citations",
        "sentences",
        "conversation",
        "message",
        "model",
    }
    assert team.library.stored[0]["answer"] == "The rent is 900."
    assert team.library.stored[0]["unknown"] == ["Falk"]
    # What nobody has looked through counts as looking like instructions.
    assert team.chat.args["passages"] == [{"text": "The rent is 900.", "context": "Rent", "instruction_like": True}]


def test_a_crash_in_the_middle_keeps_what_was_said() -> None:
    team = Team(Library(), Chat("The rent ", "is", failure=crash()))
    events = list(answer(team, "What is the rent?"))
    assert [e["event"] for e in events[2:]] == ["token", "token", "partial", "done"]
    assert events[4]["reason"] == "crashed"
    assert events[4]["message"]
    assert (team.library.stored[0]["answer"], team.library.stored[0]["data"]["reason"]) == ("The rent is", "crashed")
    assert events[-1]["usage"].keys() >= {"prompt_tokens", "decode_tps", "ttft_s"}
    assert set(events[-1]["usage"].values()) == {None}


def test_memory_that_runs_out_in_the_middle_keeps_what_was_said_too() -> None:
    team = Team(Library(), Chat("The rent ", "is", failure=ModelError("out_of_memory", "No memory is left.")))
    *_, partial, done = answer(team, "What is the rent?")
    assert (partial["event"], partial["reason"], done["answer"]) == ("partial", "out_of_memory", "The rent is")


def test_the_place_of_saved_memory_is_told_to_the_sealed_process_alone() -> None:
    library, remote = Library(), Chat("The rent is 900.")
    library.kv = {"folder": "f", "key": "k"}
    team = Team(library, Chat())
    list(answer(team, "What is the rent?", choice=Choice(remote)))
    assert remote.args["kv"] is None
    team = Team(library, Chat("The rent is 900."))
    list(answer(team, "What is the rent?"))
    assert team.chat.args["kv"] == library.kv
    assert team.chat.called == ["remember"]


@pytest.mark.parametrize("failure", [crash(), ModelError("not_installed", "No model.")])
def test_a_failure_before_the_first_word_is_told_and_no_answer_is_stored(failure: Exception) -> None:
    team = Team(Library(), Chat(failure=failure))
    events = answer(team, "What is the rent?")
    assert [next(events)["event"], next(events)["event"]] == ["stored", "sources"]
    with pytest.raises(type(failure)):
        list(events)
    assert team.library.asked == ["prepare"]


def test_stopping_stores_the_part_and_ends_the_model() -> None:
    team = Team(Library(), Chat("The rent ", "is 900."))
    events = answer(team, "What is the rent?")
    while next(events)["event"] != "token":
        pass
    events.close()  # type: ignore[attr-defined]
    assert team.chat.closed
    assert [(s["answer"], s["data"]["reason"]) for s in team.library.stored] == [("The rent", "cancelled")]


def test_stopping_before_the_first_word_stores_nothing() -> None:
    team = Team(Library(), Chat("The"))
    events = answer(team, "What is the rent?")
    next(events)
    next(events)
    events.close()  # type: ignore[attr-defined]
    assert team.library.stored == []


@pytest.mark.parametrize(
    "said", [NOT_FOUND, "not in your documents", " “Not in your documents.”".replace("“", '"'), "", "  "]
)
def test_a_refusal_of_the_model_is_not_found(said: str) -> None:
    team = Team(Library(), Chat(said))
    done = list(answer(team, "What is the rent?"))[-1]
    assert (done["found"], done["answer"]) == (False, NOT_FOUND)
    assert team.library.stored[0]["found"] is False


def test_an_answer_that_only_mentions_the_words_is_an_answer() -> None:
    done = list(answer(Team(Library(), Chat("The clause is not in your documents.")), "Where?"))[-1]
    assert done["found"] is True


def test_without_evidence_no_model_is_asked() -> None:
    team = Team(Library(missing=True), Chat("The rent is 900."))
    events = list(answer(team, "What is the Apex?"))
    assert [e["event"] for e in events] == ["stored", "sources", "done"]
    assert (events[-1]["found"], events[-1]["answer"], team.chat.args) == (False, NOT_FOUND, {})
    assert events[-1]["engine"] is None


def test_an_empty_question_is_refused_before_anything_is_stored() -> None:
    team = Team(Library(), Chat())
    with pytest.raises(UsageError):
        next(answer(team, " \n"))
    assert team.library.asked == []


def test_a_strategy_that_is_not_there_is_told() -> None:
    check_choice(None)
    check_choice(STRATEGY)
    with pytest.raises(UsageError) as raised:
        check_choice("post-fusion")
    assert raised.value.code == "not_available"


@pytest.mark.parametrize(
    ("stages", "told"),
    [
        ({"prefill": 300.0, "decode": 700.0}, {"prefill": 300.0, "decode": 700.0}),
        ({"prefill": None, "decode": None}, {"generate": 1000.0}),
        (None, {"generate": 1000.0}),
    ],
)
def test_no_time_of_the_model_is_counted_twice(
    stages: Event | None, told: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENDED, "generate_ms", 1000.0)
    monkeypatch.setitem(ENDED, "stages_ms", stages)
    done = list(answer(Team(Library(), Chat("The rent is 900.")), "What is the rent?"))[-1]
    of_model = {name: ms for name, ms in done["timings_ms"].items() if name in ("prefill", "decode", "generate")}
    assert of_model == told


def test_an_answer_tells_which_hits_the_model_read_and_which_had_no_room() -> None:
    states = {1: "hit", 2: "hit", 3: "same", 4: "below"}

    class Traced(Library):
        def call(self, op: str, **args: Any) -> Event:
            told = super().call(op, **args)
            if op == "prepare":
                told["passages"] = [PASSAGE, {**PASSAGE, "chunk": 2}]
                told["trace"] = {"rows": [{"chunk": chunk, "state": state} for chunk, state in states.items()]}
            return told

    class Short(Chat):
        def stream(self, op: str, **args: Any) -> Iterator[Event]:
            for event in super().stream(op, **args):
                yield {**event, "passages_used": 1} if event["event"] == "done" else event

    team = Team(Traced(), Short("The rent is 900."))
    done = list(answer(team, "What is the rent?"))[-1]
    assert [row["state"] for row in done["trace"]["rows"]] == ["read", "cut", "same", "below"]
    assert team.library.stored[0]["data"]["trace"] == done["trace"], "it is kept with the answer"


class Whole(Library):
    """Everything is read: two passages speak of the question; `bears` tells whether an answer is supported."""

    def __init__(self, *, places: int = 2, bears: bool = True) -> None:
        super().__init__()
        self.places, self.bears = places, bears

    def call(self, op: str, **args: Any) -> Event:
        if op == "read_all":
            self.asked.append(op)
            read = {"passages_read": 9, "passages_total": 9, "pages_read": 1, "pages_total": 1, "sentences": 20}
            held = [{**PASSAGE, "chunk": number, "ordinal": number} for number in range(self.places)]
            return {"event": "done", "places": [{"chunk": p["chunk"]} for p in held], "passages": held, **read}
        if op == "quote_all":
            return super().call(op, **{**args, "answer": "- quoted", "found": True})
        told = {**super().call(op, **args), "collections": [1]}
        return {**told, "found": self.bears} if op == "finish" else told


def test_map_reduce_reads_everything_and_has_the_model_write() -> None:
    team = Team(Whole(), Chat("Rents ", "are 900."))
    events = list(answer(team, "List all rents.", strategy=MAP_REDUCE))
    assert [e["event"] for e in events] == ["stored", "sources", "reducing", "reducing", "done"]
    done = events[-1]
    assert (done["answer"], done["strategy"]) == ("Rents are 900.\nRents are 900.", MAP_REDUCE)
    assert done["coverage"]["passages_read"] == 9
    assert (team.chat.args["history"], team.chat.args["kv"]) == ([], None)
    assert "quote_all" not in team.library.asked


def test_what_no_passage_bears_and_what_fails_leaves_the_quotes() -> None:
    for library, chat in ((Whole(bears=False), Chat("Nonsense.")), (Whole(), Chat(failure=crash())), (Whole(), Chat())):
        team = Team(library, chat)
        done = list(answer(team, "List all rents.", strategy=MAP_REDUCE))[-1]
        assert (done["answer"], done["strategy"]) == ("- quoted", WHOLE)


def test_where_nothing_speaks_of_it_no_model_is_asked() -> None:
    team = Team(Whole(places=0), Chat("Nonsense."))
    list(answer(team, "List all rents.", strategy=MAP_REDUCE))
    assert team.chat.args == {}
