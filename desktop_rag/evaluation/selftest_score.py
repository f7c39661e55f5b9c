"""The self-test's figures: by category and by language, with the weak ones named. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from desktop_rag.evaluation.pii_score import Row, score
from desktop_rag.evaluation.selftest_corpus import Document, Planted

WEAK = 0.9
_Found = Sequence[Mapping[str, Any]]


def scores(corpus: Sequence[Document], found: Sequence[_Found]) -> dict[str, Any]:
    """`overall`, `direct`, `quasi`, `replaced`, `categories`, `languages` and `weak`.

    Of a category: `planted` values, the share `found` with every letter and digit (`recall`) and in part, the share
    replaced without anybody being asked, and the precision in characters of what was said to be of its class.
    """
    pairs = list(zip(corpus, found, strict=True))
    rows = [Row([_gold(span) for span in document.spans], spans) for document, spans in pairs]
    figures = score(rows)
    replaced = score(Row(row.gold, [span for span in row.found if span["replace"]]) for row in rows)
    categories = _by_category(pairs)
    for row in categories.values():
        row["precision"] = figures["labels"][row["label"]]["precision"]
    languages = {
        language: _language([pair for pair in pairs if pair[0].language == language])
        for language in sorted({document.language for document in corpus})
    }
    return {
        **{name: figures[name] for name in ("overall", "direct", "quasi")},
        "replaced": {name: replaced[name] for name in ("overall", "direct", "quasi")},
        "categories": categories,
        "languages": languages,
        "weak": _weak(categories, languages),
    }


def _gold(span: Planted) -> dict[str, Any]:
    return {"start": span.start, "end": span.end, "label": span.label}


def _by_category(pairs: Sequence[tuple[Document, _Found]]) -> dict[str, dict[str, Any]]:
    counts: dict[str, dict[str, Any]] = {}
    for document, spans in pairs:
        seen = _covered(spans)
        replaced = _covered([span for span in spans if span["replace"]])
        for span in document.spans:
            wanted = {at for at in range(span.start, span.end) if document.text[at].isalnum()}
            row = counts.setdefault(
                span.category, {"label": span.label, "planted": 0, "whole": 0, "part": 0, "gone": 0}
            )
            row["planted"] += 1
            row["whole"] += wanted <= seen
            row["part"] += bool(wanted & seen) and not wanted <= seen
            row["gone"] += wanted <= replaced
    return {
        category: {
            "label": row["label"],
            "planted": row["planted"],
            "recall": round(row["whole"] / row["planted"], 4),
            "in_part": round(row["part"] / row["planted"], 4),
            "replaced": round(row["gone"] / row["planted"], 4),
        }
        for category, row in sorted(counts.items())
    }


def _covered(spans: _Found) -> set[int]:
    return {at for span in spans for at in range(span["start"], span["end"])}


def _language(pairs: Sequence[tuple[Document, _Found]]) -> dict[str, Any]:
    figures = score(Row([_gold(span) for span in document.spans], spans) for document, spans in pairs)
    categories = _by_category(pairs)
    return {
        **{name: figures[name] for name in ("overall", "direct", "quasi")},
        "planted": sum(row["planted"] for row in categories.values()),
        "categories": {name: {key: row[key] for key in ("planted", "recall")} for name, row in categories.items()},
    }


def _weak(categories: Mapping[str, Any], languages: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is found too seldom: of a category, over all languages or in one; the worst first."""
    found = [
        {"category": name, "language": language, "recall": row["recall"], "planted": row["planted"]}
        for language, rows in ((None, categories), *((code, told["categories"]) for code, told in languages.items()))
        for name, row in rows.items()
        if row["recall"] < WEAK
    ]
    return sorted(found, key=lambda row: (row["language"] is not None, row["recall"]))
