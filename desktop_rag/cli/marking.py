"""`desktop-rag eval retrieval --mark`: an answer is called good, so that its question measures the search from then on.

What the thumb under an answer does in the window.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Any

from desktop_rag.cli.output import Output, counted
from desktop_rag.errors import UsageError
from desktop_rag.workers.crew import Workers

LATEST = ""
"""In place of a conversation: the one in which something was asked last."""


def add_options(parser: ArgumentParser) -> None:
    """What `eval retrieval` takes beside its own options."""
    what = parser.add_mutually_exclusive_group()
    for name, about in (
        ("--mark", "call the last answer of a conversation good (else of the latest), for --mine to measure by it"),
        ("--unmark", "take that back"),
    ):
        what.add_argument(name, metavar="CONVERSATION", nargs="?", const=LATEST, help=about)


def wanted(options: Namespace) -> bool:
    """Whether an answer shall be marked, rather than anything measured."""
    return options.mark is not None or options.unmark is not None


def run(workers: Workers, options: Namespace, output: Output) -> int:
    """Mark the answer, or take its mark back, and tell which it was and how many questions there are now."""
    if options.folders or options.mine:
        raise UsageError(
            "bad_request", "--mark and --unmark take no folder and no --mine.", "Measure in a second step."
        )
    good = options.mark is not None
    conversation = _conversation(workers, options.mark if good else options.unmark)
    message = _last_answer(conversation)
    before = _questions(workers.library.call("judged"))
    after = _questions(workers.library.call("judge" if good else "judge_not", message=message["id"]))
    changed = next((row for row in (after if good else before) if row["message"] == message["id"]), None)
    result = {"conversation": conversation["id"], "marked": good, "changed": changed, "questions": after}
    output.result(result, [_line(changed, good=good), *_count(len(after))])
    return 0


def _conversation(workers: Workers, conversation: str) -> dict[str, Any]:
    if conversation == LATEST:
        held = workers.library.call("conversations")["conversations"]
        if not held:
            raise UsageError("bad_request", "There are no answers yet.", "Ask first: desktop-rag ask QUESTION")
        conversation = str(held[0]["id"])
    return workers.library.call("conversation", id=conversation)


def _last_answer(conversation: dict[str, Any]) -> dict[str, Any]:
    answers = [message for message in conversation["messages"] if message["role"] == "assistant"]
    if not answers:
        raise UsageError("bad_request", "There is no answer in this conversation.", "Ask again, then mark it.")
    return dict(answers[-1])


def _questions(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return list(answer["questions"])


def _line(changed: dict[str, Any] | None, *, good: bool) -> str:
    if changed is None:
        return "That answer was not marked."
    if not good:
        return f"“{changed['question']}” is not measured by any more."
    names = ", ".join(dict.fromkeys(str(passage["name"]) for passage in changed["passages"]))
    return f"“{changed['question']}” is kept, with {counted(len(changed['passages']), 'right passage')} of {names}."


def _count(questions: int) -> list[str]:
    if not questions:
        return ["There are no questions of your own to measure by."]
    return [f"{counted(questions, 'question')} of your own. To measure by them: desktop-rag eval retrieval --mine"]
