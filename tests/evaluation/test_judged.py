"""Judged sets: what is read, what is refused, and runs that others can read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from desktop_rag.errors import UsageError
from desktop_rag.evaluation.judged import corpus, questions, trec_lines
from tests.evaluation.judging import judged_set


def test_a_set_is_read_with_odd_separators_inside_its_texts(tmp_path: Path) -> None:
    folder = judged_set(tmp_path, {"d 1": "first\u2028second\x85third"}, {"q1": ("what?", {"d 1": 2})})
    (entry,) = corpus(folder)
    assert (entry.id, entry.title, entry.text) == ("d 1", "", "first\u2028second\x85third")
    asked = questions(folder)
    assert asked.texts == {"q1": "what?"}
    assert asked.judgements == {"q1": {"d 1": 2}}


def test_questions_nobody_judged_are_left_out(tmp_path: Path) -> None:
    folder = judged_set(tmp_path, {"d": "text"}, {"q1": ("a?", {"d": 1}), "q2": ("b?", {})})
    assert set(questions(folder).texts) == {"q1"}


def test_a_windows_file_with_line_ends_of_its_own(tmp_path: Path) -> None:
    folder = judged_set(tmp_path, {"d": "text"}, {"q1": ("a?", {"d": 1})})
    path = folder / "qrels" / "test.tsv"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert questions(folder).judgements == {"q1": {"d": 1}}


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("corpus.jsonl", '{"_id": "d"}\n', "Line 1 of corpus.jsonl"),
        ("corpus.jsonl", "[]\n", "Line 1 of corpus.jsonl"),
        ("queries.jsonl", "nothing\n", "Line 1 of queries.jsonl"),
        ("qrels/test.tsv", "query\tdoc\tscore\nq1\td\tmuch\n", "Line 2 of test.tsv"),
        ("qrels/test.tsv", "query\tdoc\tscore\nq9\td\t1\n", "No question of “set” is judged"),
    ],
)
def test_what_is_no_judged_set_is_named_by_its_line(tmp_path: Path, file: str, content: str, said: str) -> None:
    folder = judged_set(tmp_path, {"d": "text"}, {"q1": ("a?", {"d": 1})})
    (folder / file).write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=said):
        list(corpus(folder)), questions(folder)


def test_a_folder_without_one_of_the_files(tmp_path: Path) -> None:
    folder = judged_set(tmp_path, {"d": "text"}, {"q1": ("a?", {"d": 1})})
    (folder / "qrels" / "test.tsv").unlink()
    with pytest.raises(UsageError, match=r"test\.tsv of “set” cannot be read") as refused:
        questions(folder)
    assert "qrels/test.tsv" in refused.value.hint


def test_a_run_names_its_mode_and_loses_nothing_of_the_scores() -> None:
    (first, second) = trec_lines("hybrid", {"q1": {"a b": 0.1, "c": 1 / 3}})
    assert first == f"q1 Q0 c 1 {1 / 3!r} hybrid\n"
    question, _, rest = second.rstrip("\n").split(" ", 2)
    document, rank, score, tag = rest.rsplit(" ", 3)
    assert (question, document, rank, json.loads(score), tag) == ("q1", "a b", "2", 0.1, "hybrid")
