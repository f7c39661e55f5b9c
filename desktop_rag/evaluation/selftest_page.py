"""The self-test for people: lines for the terminal, and a page that a data-protection officer can keep. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from desktop_rag.evaluation.selftest_corpus import category_name
from desktop_rag.evaluation.selftest_score import WEAK
from desktop_rag.privacy import page

LANGUAGES = {
    "de": "German",
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "it": "Italian",
    "nl": "Dutch",
    "pl": "Polish",
}
_LIMITS = (
    "All documents and values are invented. Real documents are longer, and have rare names, slips of the pen, poor"
    " scans and other layouts: expect less there, and review what matters before it is indexed.",
    "A value counts as found only if every letter and digit of it was found. Classes kept by default (dates, places,"
    " organisations) are found and shown in the review, and replaced only if you say so.",
    "A value that is not found is not replaced: it stands in the text of the encrypted library, and is shown with"
    " answers. It is not readable on the disk without the key.",
    "The search of the disk covers what the application writes while it indexes, searches and stores a question. It"
    " does not cover the memory of the running computer, its swap file, or what you export.",
    "Languages other than those listed were not tested.",
)


def lines(result: Mapping[str, Any]) -> list[str]:
    """The result for the terminal."""
    told = [
        disk_verdict(result),
        found_words(result),
        "",
        f"{'':<42} {'planted':>7} {'found':>6} {'precision':>9} {'replaced':>8}",
    ]
    for name, row in _ordered(result["categories"]):
        cells = (
            f"{row['planted']:>7} {share(row['recall']):>6} {share(row['precision']):>9} {share(row['replaced']):>8}"
        )
        told.append(f"{category_name(name)[:40]:<42} {cells}{'  weak' if row['recall'] < WEAK else ''}")
    told.append("")
    for code, row in result["languages"].items():
        told.append(
            f"{LANGUAGES.get(code, code):<42} {row['planted']:>7} {share(row['overall']['recall']):>6}"
            f" {share(row['overall']['precision']):>9}"
        )
    return [*told, "", *policy_lines(result)]


def policy_lines(result: Mapping[str, Any]) -> list[str]:
    """What was indexed and found again under each policy."""
    return [f"{part['policy'].capitalize()}: {_policy_words(part)}" for part in result["leaks"]["policies"]]


def disk_verdict(result: Mapping[str, Any]) -> str:
    """What the search of the disk came to."""
    values, policies = result["leaks"]["values"], result["leaks"]["policies"]
    if not policies:
        return "Nothing is replaced under the policy “keep”: the disk was not searched."
    if result["passed"]:
        return f"None of {values:,} planted values was found in anything written to the disk, unlocked or locked."
    return f"NOT passed: {values:,} values were planted; below stands which were found on the disk, or what failed."


def found_words(result: Mapping[str, Any]) -> str:
    """How much was found, in one sentence."""
    direct, all_ = result["direct"], result["overall"]
    return (
        f"Of what names a person or an account, {share(direct['recall'])} was found (precision"
        f" {share(direct['precision'])}); of all that is personal, {share(all_['recall'])} (precision"
        f" {share(all_['precision'])}), counted in characters."
    )


def selftest_page(result: Mapping[str, Any]) -> str:
    """The page."""
    versions = result["versions"]
    parts = [
        page.text(disk_verdict(result), "good" if result["passed"] else "bad"),
        page.text(found_words(result)),
        _tested(result),
        _weak(result["weak"]),
        page.section("By category", page.text(_COLUMNS, "muted"), _categories(result["categories"])),
        page.section("By language", _languages(result["languages"])),
        _disk(result),
        page.section("Limits", page.points([*_LIMITS, f"The recogniser: {result['recogniser']['limits']}"])),
        page.section("What was running", _running(result)),
    ]
    subtitle = f"Desktop RAG {versions['desktop-rag']} · {result['date']}"
    return page.page("Self-test of privacy", subtitle, parts)


_COLUMNS = (
    "Found: the share of planted values found with every letter. In part: found, but not to the last letter."
    " Precision: of the characters said to be of this class, the share that was planted as such. Replaced: the share"
    " that is replaced without anybody being asked."
)


def _tested(result: Mapping[str, Any]) -> str:
    corpus = result["corpus"]
    languages = ", ".join(LANGUAGES.get(code, code) for code in corpus["languages"])
    words = (
        f"{corpus['documents']} invented documents ({', '.join(corpus['genres'])}) in {languages}, with"
        f" {corpus['values']:,} places of personal data that are known to the letter, drawn from the fixed seed"
        f" {corpus['seed']}. The application's own finder read them. Then they were really indexed, in libraries made"
        " for this test and thrown away, and every byte written was searched for every planted value."
    )
    return page.section("What was tested", page.text(words))


def _weak(rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return page.section("Weak points", page.text(f"In no category and language was less than {WEAK:.0%} found."))
    over_all = [row for row in rows if row["language"] is None]
    single = [row for row in rows if row["language"] is not None]
    told = [f"{category_name(row['category'])}: {share(row['recall'])} of {row['planted']}" for row in over_all]
    words = f"Less than {WEAK:.0%} of the planted values was found here; look at these in the review."
    parts = [page.text(words), page.points(told)] if told else [page.text(words)]
    if single:
        cells = [
            [category_name(row["category"]), LANGUAGES.get(row["language"], row["language"]), *_figures(row)]
            for row in single
        ]
        heads: list[page.Cell] = ["Category", "Language", ("Planted", "number"), ("Found", "number")]
        parts.append(page.table(heads, cells))
    return page.section("Weak points", *parts)


def _figures(row: Mapping[str, Any]) -> list[page.Cell]:
    return [(f"{row['planted']}", "number"), (share(row["recall"]), "weak" if row["recall"] < WEAK else "number")]


def _categories(categories: Mapping[str, Any]) -> str:
    heads = ["Planted", "Found", "In part", "Precision", "Replaced"]
    rows = [
        [
            category_name(name),
            *_figures(row),
            *((share(row[key]), "number") for key in ("in_part", "precision", "replaced")),
        ]
        for name, row in _ordered(categories)
    ]
    return page.table(["Category", *((head, "number") for head in heads)], rows)


def _languages(languages: Mapping[str, Any]) -> str:
    heads = ["Planted", "Recall", "Precision", "F2", "Recall, direct", "Precision, direct"]
    rows: list[list[page.Cell]] = []
    for code, row in languages.items():
        figures = [*(row["overall"][key] for key in ("recall", "precision", "f2"))]
        figures += [row["direct"]["recall"], row["direct"]["precision"]]
        cells = [str(row["planted"]), *map(share, figures)]
        rows.append([LANGUAGES.get(code, code), *((cell, "number") for cell in cells)])
    return page.table(["Language", *((head, "number") for head in heads)], rows)


def _disk(result: Mapping[str, Any]) -> str:
    leaks = result["leaks"]
    heads: list[page.Cell] = ["Policy", "Library", *((h, "number") for h in ("Files", "Megabytes", "Traces"))]
    rows: list[list[page.Cell]] = [
        [
            part["policy"],
            state["state"],
            (f"{state['files']:,}", "number"),
            (f"{state['bytes'] / 1e6:,.1f}", "number"),
            (f"{len(state['traces']):,}", "weak" if state["traces"] else "number"),
        ]
        for part in leaks["policies"]
        for state in part["states"]
    ]
    told = page.points(policy_lines(result))
    return page.section(f"{leaks['values']:,} values on the disk", page.table(heads, rows), told)


def _policy_words(part: Mapping[str, Any]) -> str:
    traces = sum(len(state["traces"]) for state in part["states"])
    states = " and ".join(str(state["state"]) for state in part["states"])
    told = [f"{part['documents']:,} documents indexed, {traces:,} traces on the disk ({states})"]
    if part["not_indexed"]:
        told.append(f"{len(part['not_indexed'])} documents could not be indexed")
    if part["overlooked"]:
        told.append(
            f"values that were found and replaced elsewhere stand in the cleaned texts, which are encrypted,"
            f" {part['overlooked']:,} ×"
        )
    return "; ".join(told) + "."


def _running(result: Mapping[str, Any]) -> str:
    rows: list[list[page.Cell]] = [[name, version] for name, version in result["versions"].items()]
    recogniser = result["recogniser"]
    rows += [["Recogniser", str(recogniser["name"])], ["… its SHA-256", str(recogniser["sha256"])]]
    rows += [["… trained on", str(recogniser["data"])]]
    return page.table(["Part", "Version"], rows)


def _ordered(categories: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return sorted(categories.items(), key=lambda item: category_name(item[0]))


def share(value: float | None) -> str:
    """A share in per cent."""
    return "–" if value is None else f"{100 * value:.0f} %" if value in (0, 1) else f"{100 * value:.1f} %"
