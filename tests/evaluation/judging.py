"""Small judged sets, written as they are shared."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path


def judged_set(
    place: Path, documents: Mapping[str, str], questions: Mapping[str, tuple[str, Mapping[str, int]]], name: str = "set"
) -> Path:
    """A folder with documents by id, and by id questions with the documents that answer them."""
    folder = place / name
    (folder / "qrels").mkdir(parents=True)
    rows = [{"_id": id_, "title": "", "text": text} for id_, text in documents.items()]
    asked = [{"_id": id_, "text": text} for id_, (text, _) in questions.items()]
    for file, content in (("corpus", rows), ("queries", asked)):
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in content)
        (folder / f"{file}.jsonl").write_text(lines, encoding="utf-8", newline="\n")
    judged = [f"{id_}\t{doc}\t{level}\n" for id_, (_, docs) in questions.items() for doc, level in docs.items()]
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(judged), encoding="utf-8")
    return folder
