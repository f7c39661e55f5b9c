"""What scrubbing costs: counted by the definitions, compared in pairs, over libraries that differ by policy only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop_rag.errors import UsageError
from desktop_rag.evaluation import scrubbing
from desktop_rag.evaluation.answer_metrics import exact_match, f1, holds, interval, normalised

GIRL, BOY = "Ada Lund wrote the first report in 1843.", "Bo Marsh lost it."
ROWS = [
    {"id": "a", "question": "Who wrote it?", "answers": ["Ada Lund"], "contexts": [GIRL, BOY], "answerable": True},
    {"id": "b", "question": "Who lost it?", "answers": ["Bo Marsh"], "contexts": [BOY], "answerable": True},
    {"id": "c", "question": "Who found it?", "answers": [], "contexts": [BOY], "answerable": False},
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "set.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in ROWS))
    return path


class Library:
    """Holds what it is given; under `mask` names are gone, under `pseudonymise` `reveal` brings them back."""

    def __init__(self) -> None:
        self.policy = ""
        self.texts: dict[str, str] = {}

    def call(self, op: str, **args: Any) -> dict[str, Any]:
        return dict(getattr(self, op)(**args))

    def collection_create(self, policy: str, **_: Any) -> dict[str, Any]:
        self.policy = policy
        return {}

    def add(self, paths: list[str], policy: str, **_: Any) -> dict[str, Any]:
        assert policy == self.policy
        for path in map(Path, paths):
            text = path.read_text()
            if policy != "keep":
                text = text.replace("Ada Lund", "[PERSON_1]").replace("Bo Marsh", "[PERSON_2]")
            self.texts[path.name] = text
        return {"documents": [{"name": Path(path).name, "state": "ready"} for path in paths]}

    def search(self, query: str, k: int, **_: Any) -> dict[str, Any]:
        found = [(name, text) for name, text in self.texts.items() if query.split()[1] in text]
        return {"query": query, "hits": [{"name": name, "text": text} for name, text in found[:k]]}

    def reveal(self, texts: list[str], **_: Any) -> dict[str, Any]:
        known = {"[PERSON_1]": "Ada Lund", "[PERSON_2]": "Bo Marsh"} if self.policy == "pseudonymise" else {}
        return {"values": known}


class Crew:
    def __init__(self, _data: Path) -> None:
        self.library = Library()

    def fresh(self, role: str) -> Any:
        raise AssertionError(role)

    def close(self) -> None:
        """Nothing runs."""


def measured(file: Path, **options: Any) -> dict[str, Any]:
    events: Iterator[dict[str, Any]] = scrubbing.evaluate(Crew, file, limit=10, **options)  # type: ignore[arg-type]
    return list(events)[-1]


def test_the_gold_passage_is_the_one_with_the_answer(file: Path) -> None:
    material = scrubbing.read(file, 10)
    assert [(q.id, len(q.files)) for q in material.questions] == [("a", 1), ("b", 1)]
    (name,) = material.questions[0].files
    assert material.files[name] == GIRL
    assert len(material.files) == 2


def test_fewer_questions_keep_every_document_as_distractors(file: Path) -> None:
    material = scrubbing.read(file, 1)
    assert (len(material.questions), len(material.files)) == (1, 2)


def test_policies_are_compared_question_by_question(file: Path) -> None:
    done = measured(file, policies=("keep", "pseudonymise", "mask"))
    rows = {row["policy"]: row for row in done["policies"]}
    assert {p: row["all"]["gold_passage"]["share"] for p, row in rows.items()} == dict.fromkeys(rows, 1.0)
    assert {p: row["all"]["gold_answer"]["found"] for p, row in rows.items()} == {
        "keep": 2,
        "pseudonymise": 2,
        "mask": 0,
    }
    assert rows["mask"]["all"]["gold_answer"]["points"] == -100
    assert rows["mask"]["all"]["gold_answer"]["interval"] == [-100, -100]
    assert rows["keep"]["answers"] is None
    assert any("-100.0" in line for line in scrubbing.table(done))


def test_generated_answers_are_turned_back_and_named(file: Path) -> None:
    done = measured(file, policies=("pseudonymise",), ask=lambda *_: ("[PERSON_1] did", "tiny"), answers=1)
    said = done["policies"][0]["answers"]
    assert (said["model"], said["questions"], said["em"]) == ("tiny", 1, 0.0)
    assert said["f1"] == pytest.approx(0.8)
    assert done["policies"][0]["all"]["gold_answer"]["points"] is None
    assert any("tiny" in line for line in scrubbing.table(done))


@pytest.mark.parametrize("content", ["{", '{"id": 1}', "[]", '{"question": "q", "answerable": false}'])
def test_a_file_without_questions_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(content)
    with pytest.raises(UsageError):
        scrubbing.read(path, 5)


def test_evidence_in_files_counts_by_the_words_a_passage_holds(tmp_path: Path) -> None:
    (tmp_path / "book.md").write_text("x")
    row = {
        "id": "e",
        "question": "q",
        "answers": [],
        "documents": ["book.md"],
        "evidence": [{"document": "book.md", "start": 0, "end": 9, "text": "late fees fell from $32 to $8"}],
        "answerable": True,
    }
    (tmp_path / "set.jsonl").write_text(json.dumps(row))
    (question,) = scrubbing.read(tmp_path / "set.jsonl", 1).questions
    assert question.answers == ("late fees fell from $32 to $8",)
    assert scrubbing._has_gold(question, ["book.md"], ["Late fees fell, from 32 dollars."])
    assert not scrubbing._has_gold(question, ["book.md"], ["Fees rose."])


def test_answers_are_compared_as_squad_does() -> None:
    assert normalised("The  “Cat”, a Dog!") == "cat dog"
    assert holds("It was Ada Lund’s.", ["ada lund"])
    assert not holds("Adas", ["ada"])
    assert not holds("anything", ["the", ""])
    assert exact_match("the cat", ["Cat."]) == 1.0
    assert f1("black cat", ["the cat"]) == pytest.approx(2 / 3)
    assert f1("", []) == 0.0


def test_the_interval_covers_the_mean_and_shrinks_to_it_without_differences() -> None:
    low, high = interval([100.0, 0.0] * 50)
    assert low < 50 < high
    assert interval([3.0] * 9) == (3.0, 3.0)
    assert interval([]) == (0.0, 0.0)
