"""`eval scrubbing`: what replacing personal data costs, in what is found and in what can be answered from it.

The same documents go into one library per policy, read, scrubbed, encoded and searched as in daily use. Whether the
gold passage is among the five best, and whether they hold the answer once stand-ins are turned back, needs no model
that writes, so that no model's noise hides a difference. Questions are compared in pairs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desktop_rag.errors import UsageError
from desktop_rag.evaluation.answer_metrics import exact_match, f1, holds, interval, normalised
from desktop_rag.evaluation.ingest_place import Crew, Place, Sizes, place
from desktop_rag.evaluation.team import Event
from desktop_rag.privacy.scrub import put_back
from desktop_rag.scratch import scratch

POLICIES = ("keep", "pseudonymise", "substitute", "mask")
METRICS = ("gold_passage", "gold_answer")
TOP = 5
_COLLECTION = "measured"
_MOST_DOCUMENTS = 800
_FILES_A_STEP = 100
_COVERED = 0.5
_HINT = "Each line is an object with id, question, answers, contexts or documents, and answerable."
Hire = Callable[[Path], Crew]
# Answers a question from a library: what was said, and the model's name.
Ask = Callable[[Any, str], tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Question:
    """A question, what answers it, and where: gold file names, or pieces of text that a passage has to hold."""

    id: str
    text: str
    answers: tuple[str, ...]
    files: frozenset[str]
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Material:
    """What is asked, and the files it is asked of: name -> text to write, or path of a file that is there."""

    questions: tuple[Question, ...]
    files: Mapping[str, str | Path]


def read(path: Path, limit: int) -> Material:
    """The first questions, taken evenly from all that can be answered, and the documents with distractors.

    Raises UsageError("bad_request") where the file is no set of questions.
    """
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        rows = [row for row in rows if row["answerable"] and (row.get("contexts") or row.get("documents"))]
        every = max(1, len(rows) // limit)
        chosen = rows[::every][:limit]
        files: dict[str, str | Path] = {}
        names: dict[str, str] = {}
        questions = tuple(_question(row, path, names, files) for row in chosen)
        for row in rows:
            if len(files) < _MOST_DOCUMENTS:
                _question(row, path, names, files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError("bad_request", "This file holds no questions.", _HINT) from error
    if not questions:
        raise UsageError("bad_request", "There is no question in this file that can be answered.", _HINT)
    return Material(questions, files)


def _question(row: Mapping[str, Any], path: Path, names: dict[str, str], files: dict[str, str | Path]) -> Question:
    answers = tuple(map(str, row.get("answers") or ()))
    evidence = tuple(str(item["text"]) for item in row.get("evidence") or () if item.get("text"))
    gold: list[str] = []
    for context in row.get("contexts") or ():
        name = names.setdefault(context, f"passage {len(names) + 1:05d}.txt")
        files[name] = context
        if holds(context, answers) or not any(holds(c, answers) for c in row["contexts"]):
            gold.append(name)
    for document in row.get("documents") or ():
        files[Path(document).name] = _beside(path, document)
    return Question(str(row["id"]), str(row["question"]), answers or evidence, frozenset(gold), evidence)


def _beside(path: Path, document: str) -> Path:
    return next((p / document for p in path.parents if (p / document).is_file()), path.parent / document)


def evaluate(
    hire: Hire,
    path: Path,
    *,
    limit: int,
    policies: Sequence[str] = POLICIES,
    ask: Ask | None = None,
    answers: int = 0,
) -> Iterator[Event]:
    """Yield "progress", at last "done" with the figures of every policy and their differences to `keep`.

    The first `answers` questions are answered too, by `ask`.
    """
    material = read(path, limit)
    found: dict[str, list[dict[str, Any]]] = {}
    with scratch("scrubbing") as folder:
        files = list(_written(material, folder))
        for number, policy in enumerate(policies):
            with place(hire, Sizes()) as own:
                for event in _taken_in(own, files, policy):
                    yield {**event, "fraction": (number + event["fraction"] / 2) / len(policies)}
                rows = []
                for asked, question in enumerate(material.questions):
                    reply = ask if asked < answers else None
                    rows.append(_looked_up(own.crew, question, reply))
                    if asked % 20 == 0:
                        share = (number + 0.5 + asked / len(material.questions) / 2) / len(policies)
                        yield {
                            "event": "progress",
                            "text": f"{policy}: asking {round(100 * share)} %",
                            "fraction": share,
                        }
                found[policy] = rows
    yield {"event": "done", **result(material, found)}


def _written(material: Material, folder: Path) -> Iterator[Path]:
    for name, content in material.files.items():
        if isinstance(content, Path):
            yield content
        else:
            (folder / name).write_text(content, encoding="utf-8")
            yield folder / name


def _taken_in(own: Place, files: Sequence[Path], policy: str) -> Iterator[Event]:
    library = own.crew.library
    library.call("collection_create", name=_COLLECTION, policy=policy, review=False)
    for at in range(0, len(files), _FILES_A_STEP):
        share = at / len(files)
        yield {"event": "progress", "text": f"{policy}: indexing {round(100 * share)} %", "fraction": share}
        paths = [str(file) for file in files[at : at + _FILES_A_STEP]]
        done = library.call("add", paths=paths, collection=_COLLECTION, policy=policy, review=False)
        failed = [row for row in done["documents"] if row["state"] == "failed"]
        if failed:
            raise UsageError(
                "bad_request", f"“{failed[0]['name']}” could not be indexed.", failed[0]["error"]["message"]
            )


def _looked_up(crew: Crew, question: Question, ask: Ask | None) -> dict[str, Any]:
    found = crew.library.call("search", query=question.text, collection=_COLLECTION, mode="hybrid", k=TOP)
    texts = [hit["text"] for hit in found["hits"]]
    values = crew.library.call("reveal", texts=texts, collection=_COLLECTION)["values"]
    shown = [put_back(text, values) for text in texts]
    names = [hit["name"] for hit in found["hits"]]
    row = {
        "query": found["query"],
        "gold_passage": float(_has_gold(question, names, shown)),
        "gold_answer": float(holds("\n".join(shown), question.answers)),
    }
    if ask is not None:
        said, row["model"] = ask(crew, question.text)
        row["said"] = put_back(said, crew.library.call("reveal", texts=[said], collection=_COLLECTION)["values"])
    return row


def _has_gold(question: Question, names: Sequence[str], texts: Sequence[str]) -> bool:
    if question.files:
        return not question.files.isdisjoint(names)
    return any(_covered(piece, text) >= _COVERED for piece in question.evidence for text in texts)


def _covered(piece: str, text: str) -> float:
    """How much of a piece of evidence a passage holds, by its distinct words."""
    words = set(normalised(piece).split())
    return len(words & set(normalised(text).split())) / max(1, len(words))


def result(material: Material, found: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """Per policy: shares and counts over all questions and over those whose words were replaced."""
    base = found.get("keep")
    touched = [
        any(rows[i]["query"] != question.text for rows in found.values())
        for i, question in enumerate(material.questions)
    ]
    rows = []
    for policy, looked in found.items():
        row: dict[str, Any] = {"policy": policy}
        for name, chosen in (("all", [True] * len(touched)), ("private", touched)):
            row[name] = {metric: _figures(metric, looked, base, chosen) for metric in METRICS}
        row["answers"] = _answered(looked, material.questions)
        rows.append(row)
    return {
        "policies": rows,
        "questions": len(material.questions),
        "questions_private": sum(touched),
        "documents": len(material.files),
        "top": TOP,
        "rows": [
            {"id": question.id, "private": touched[i]}
            | {policy: {m: looked[i][m] for m in METRICS} for policy, looked in found.items()}
            for i, question in enumerate(material.questions)
        ],
    }


def _figures(
    metric: str, looked: Sequence[Mapping[str, Any]], base: Sequence[Mapping[str, Any]] | None, chosen: Sequence[bool]
) -> dict[str, Any]:
    values = [row[metric] for row, wanted in zip(looked, chosen, strict=True) if wanted]
    figures: dict[str, Any] = {"found": round(sum(values)), "of": len(values)}
    figures["share"] = sum(values) / len(values) if values else None
    figures["points"] = figures["interval"] = None
    if base is not None and values:
        before = [row[metric] for row, wanted in zip(base, chosen, strict=True) if wanted]
        differences = [100 * (value - other) for value, other in zip(values, before, strict=True)]
        figures["points"] = sum(differences) / len(differences)
        figures["interval"] = list(interval(differences))
    return figures


def _answered(looked: Sequence[Mapping[str, Any]], questions: Sequence[Question]) -> dict[str, Any] | None:
    said = [(row["said"], q.answers) for row, q in zip(looked, questions, strict=True) if "said" in row]
    if not said:
        return None
    return {
        "model": looked[0]["model"],
        "questions": len(said),
        "em": sum(exact_match(text, gold) for text, gold in said) / len(said),
        "f1": sum(f1(text, gold) for text, gold in said) / len(said),
    }


def table(done: Mapping[str, Any]) -> list[str]:
    """The figures as lines; differences are in points, with the middle 95 % of resampled pairs."""
    lines = [f"{done['questions']} questions, {done['documents']} documents, the best {done['top']} passages"]
    names = {"gold_passage": "gold passage found", "gold_answer": "answer in what was found"}
    for part, title in (("all", "all questions"), ("private", f"the {done['questions_private']} with a private value")):
        lines.append(f"{title}:")
        for metric in METRICS:
            lines.append(f"  {names[metric]}")
            lines += [f"    {row['policy']:<14}{_cells(row[part][metric])}" for row in done["policies"]]
    for row in done["policies"]:
        if (said := row["answers"]) is not None:
            lines.append(
                f"  {row['policy']:<14} EM {said['em']:.3f}  F1 {said['f1']:.3f}"
                f"  ({said['questions']} answers of {said['model']})"
            )
    return lines


def _cells(figures: Mapping[str, Any]) -> str:
    if figures["share"] is None:
        return "–"
    text = f"{100 * figures['share']:6.1f} %  {figures['found']:>4}/{figures['of']:<4}"
    if figures["points"] is None:
        return text
    low, high = figures["interval"]
    return f"{text} {figures['points']:+6.1f} [{low:+.1f}, {high:+.1f}]"
