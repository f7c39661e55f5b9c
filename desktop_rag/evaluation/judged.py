"""Judged sets: documents, questions, and which documents answer which question (the layout of BEIR). Pure.

`corpus.jsonl` {_id, title, text}, `queries.jsonl` {_id, text}, `qrels/test.tsv` with a header: question, document, how
relevant. Runs are written as TREC reads them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desktop_rag.errors import UsageError
from desktop_rag.evaluation.ranking import ordered

_HINT = "A judged set is a folder with corpus.jsonl, queries.jsonl and qrels/test.tsv (question, document, score)."


@dataclass(frozen=True, slots=True)
class Entry:
    """A document of a judged set."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Questions:
    """The judged questions of a set: their texts, and by question how relevant which documents are."""

    texts: Mapping[str, str]
    judgements: Mapping[str, Mapping[str, int]]


def corpus(folder: Path) -> Iterator[Entry]:
    """The documents of a set. Raises UsageError("bad_request") where it is none."""
    for row in _rows(folder / "corpus.jsonl", ("_id", "text")):
        yield Entry(str(row["_id"]), str(row.get("title") or ""), str(row["text"]))


def questions(folder: Path) -> Questions:
    """The judged questions, in the order of their file. Raises UsageError("bad_request") where there are none."""
    judgements = _judgements(folder / "qrels" / "test.tsv")
    rows = _rows(folder / "queries.jsonl", ("_id", "text"))
    texts = {str(row["_id"]): str(row["text"]) for row in rows if str(row["_id"]) in judgements}
    if not texts:
        raise UsageError("bad_request", f"No question of “{folder.name}” is judged.", _HINT)
    return Questions(texts, {question: judgements[question] for question in texts})


def _judgements(path: Path) -> dict[str, dict[str, int]]:
    judgements: dict[str, dict[str, int]] = {}
    for number, line in enumerate(_lines(path), start=1):
        try:
            question, document, score = line.split("\t")
            judgements.setdefault(question, {})[document] = int(score)
        except ValueError as error:
            if number > 1:  # the header
                raise UsageError("bad_request", f"Line {number} of {path.name} is no judgement.", _HINT) from error
    return judgements


def _rows(path: Path, needed: Sequence[str]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(_lines(path), start=1):
        try:
            row = json.loads(line)
            if not isinstance(row, dict) or any(row.get(name) is None for name in needed):
                raise ValueError("something is missing")
        except ValueError as error:
            raise UsageError(
                "bad_request", f"Line {number} of {path.name} is no row of a judged set.", _HINT
            ) from error
        yield row


def _lines(path: Path) -> Iterator[str]:
    """The lines of a file that are not empty. Only a line feed ends one: texts hold other separators."""
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            yield from (line.rstrip("\r\n") for line in file if line.strip())
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError("bad_request", f"{path.name} of “{_set_of(path)}” cannot be read.", _HINT) from error


def _set_of(path: Path) -> str:
    return path.parent.parent.name if path.parent.name == "qrels" else path.parent.name


def trec_lines(tag: str, run: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    """The lines of a run, best first: question, Q0, document, rank, score and the run's name."""
    for question, scores in run.items():
        for rank, document in enumerate(ordered(scores), start=1):
            yield f"{question} Q0 {document} {rank} {scores[document]!r} {tag}\n"
