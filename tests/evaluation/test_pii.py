"""`eval pii`: rows that are refused, figures from a scripted worker, both finders for real."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from desktop_rag import paths
from desktop_rag.cli.evaluation import add_commands
from desktop_rag.cli.output import Output
from desktop_rag.errors import UsageError
from desktop_rag.evaluation.pii import evaluate, read_rows, result, table
from desktop_rag.evaluation.pii_finders import find_both, own_finder
from desktop_rag.privacy.finding import Finding
from desktop_rag.workers.crew import Workers

TEXT = "Ms Jean Rivera lives in Lyon.\n\nRivera called."


def written(path: Path, *rows: Any) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def row(text: str = TEXT, *spans: tuple[int, int, str], **more: Any) -> dict[str, Any]:
    return {"id": 1, "text": text, "spans": [{"start": s, "end": e, "label": n} for s, e, n in spans], **more}


def test_a_row_without_language_is_english(tmp_path: Path) -> None:
    (read,) = read_rows(written(tmp_path / "set.jsonl", row()))
    assert read["language"] == "en"


@pytest.mark.parametrize(
    "bad",
    [{"id": 1}, [], {"id": 1, "text": "ab", "spans": [{"start": 0, "end": 3, "label": "X"}]},
     {"id": 1, "text": "ab", "spans": [{"start": "x", "end": 1, "label": "X"}]}, {"id": 1, "text": 5, "spans": []}],
)  # fmt: skip
def test_a_line_that_is_no_row_is_named_by_its_number(tmp_path: Path, bad: Any) -> None:
    with pytest.raises(UsageError, match="Line 2"):
        read_rows(written(tmp_path / "set.jsonl", row(), bad))


def test_a_file_that_is_not_there_and_one_without_rows(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_rows(tmp_path / "nothing")
    with pytest.raises(UsageError, match="no rows"):
        read_rows(written(tmp_path / "empty.jsonl"))


class Scripted:
    """A detector that finds what it is told, wherever it stands."""

    def __init__(self, **labels: str) -> None:
        self._labels = labels

    def detect(self, texts: Sequence[str]) -> Iterator[list[Finding]]:
        for text in texts:
            yield [
                Finding(at, at + len(value), label, 0.9)
                for label, value in self._labels.items()
                if (at := text.find(value)) >= 0
            ]


def test_the_own_finder_looks_for_a_name_everywhere_as_in_a_document() -> None:
    spans = own_finder(Scripted(PERSON="Jean Rivera", LOCATION="Lyon"))(TEXT)
    assert [(TEXT[s["start"] : s["end"]], s["label"], s["replace"]) for s in spans] == [
        ("Jean Rivera", "PERSON", True),
        ("Lyon", "LOCATION", False),
        ("Rivera", "PERSON", True),
    ]


def test_both_finders_see_every_row_once_and_take_turns() -> None:
    order: list[str] = []

    def own(text: str) -> list[dict[str, Any]]:
        order.append("own")
        return [{"start": 0, "end": 1, "label": "PERSON", "score": 1.0, "replace": True}]

    def stock(text: str, language: str) -> list[dict[str, Any]]:
        order.append(f"stock {language}")
        return []

    rows = [{"id": n, "text": "abc", "language": "pl"} for n in range(3)]
    found = list(find_both(rows, own, stock))
    assert [seen["id"] for seen in found] == [0, 1, 2]
    assert order == ["own", "stock pl", "stock pl", "own", "own", "stock pl", "stock pl", "own"]
    assert all(seen["spans"] and not seen["stock_spans"] and seen["seconds"] >= 0 for seen in found)


def test_figures_for_everything_shown_and_for_what_is_replaced() -> None:
    rows = [row(TEXT, (3, 14, "PERSON"), (24, 28, "GPE"))]
    found = [
        {"start": 3, "end": 14, "label": "PERSON", "score": 0.9, "replace": True},
        {"start": 24, "end": 28, "label": "LOCATION", "score": 0.9, "replace": False},
    ]
    seen = [{"id": 1, "spans": found, "stock_spans": [], "seconds": 0.5, "stock_seconds": 1.0}]
    done = result(rows, seen)
    assert done["overall"]["recall"] == 1.0
    assert done["replaced"]["overall"]["recall"] == pytest.approx(11 / 15, abs=1e-4)
    assert done["replaced"]["direct"]["recall"] == 1.0
    assert done["stock"]["overall"]["recall"] == 0.0
    assert done["chars_per_s"] == 2 * done["stock_chars_per_s"]
    assert done["rows"] == [{"id": 1, "spans": found, "stock_spans": []}]
    lines = "\n".join(table(done))
    assert "GPE (1)" in lines
    assert "2.0 times as fast" in lines


class Team:
    """Stands for the workers; its worker answers one row and then fails, or not at all."""

    def __init__(self, events: Sequence[dict[str, Any]]) -> None:
        self.data_dir = Path()
        self.closed = False
        self._events = events
        self.roles: list[str] = []

    def fresh(self, role: str) -> Any:
        self.roles.append(role)
        return self

    def stream(self, op: str, **args: Any) -> Iterator[dict[str, Any]]:
        assert op == "find"
        assert all(set(given) == {"id", "text", "language"} for given in args["rows"]), (
            "gold must not reach the finders"
        )
        yield from self._events

    def close(self) -> None:
        self.closed = True


def test_the_rows_go_to_a_process_of_its_own_without_their_labels(tmp_path: Path) -> None:
    path = written(tmp_path / "set.jsonl", row(TEXT, (3, 14, "PERSON")))
    seen = {"id": 1, "spans": [], "stock_spans": [], "seconds": 1.0, "stock_seconds": 1.0}
    team = Team([{"event": "row", "row": seen}, {"event": "done"}])
    events = list(evaluate(team, path))  # type: ignore[arg-type]
    assert team.roles == ["pii"]
    assert team.closed
    assert events[0]["text"].endswith(" 100 %")
    assert events[-1]["event"] == "done"
    assert events[-1]["overall"]["recall"] == 0.0


@pytest.mark.slow
def test_both_finders_for_real_in_their_sealed_process(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    english = row(
        "Jean Rivera wrote to jean@rivera-example.com from Lyon.", (0, 11, "PERSON"), (21, 44, "EMAIL_ADDRESS")
    )
    polish = row("PESEL 44051401359, NIP 1234567890.", (6, 17, "PESEL"), language="pl") | {"id": 2}
    path = written(tmp_path / "set.jsonl", english, polish)
    parser = argparse.ArgumentParser()

    def add(subparsers: Any, name: str, handler: Any, text: str) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = subparsers.add_parser(name, help=text)
        made.set_defaults(handler=handler)
        return made

    add_commands(parser.add_subparsers(), add)
    options = parser.parse_args(["eval", "pii", str(path)])
    workers = Workers(paths.data_dir())
    try:
        assert options.handler(workers, options, Output(True)) == 0
    finally:
        workers.close()
    done = json.loads(capsys.readouterr().out)
    assert done["labels"]["PERSON"]["found"] == 1.0
    assert done["labels"]["EMAIL_ADDRESS"]["recall"] == 1.0
    assert done["stock"]["labels"]["EMAIL_ADDRESS"]["recall"] == 1.0
    # A language without a model: Presidio's recognisers by pattern for it.
    assert done["stock"]["labels"]["PESEL"]["recall"] == 1.0
    assert [seen["id"] for seen in done["rows"]] == [1, 2]
    assert done["chars_per_s"] > 0
    assert done["stock_chars_per_s"] > 0
