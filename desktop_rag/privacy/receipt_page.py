"""A receipt as a file to keep: JSON, or one HTML page that needs nothing else. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from desktop_rag.privacy import page
from desktop_rag.privacy.receipt import KINDS, facts, proof_words


def content(issued: Mapping[str, Any], ending: str) -> bytes:
    """The file: JSON for the ending ".json", else the page."""
    as_json = ending.lower() == ".json"
    text = json.dumps({"receipt": issued}, ensure_ascii=False, indent=1) + "\n" if as_json else receipt_page(issued)
    # A file's name may hold what no encoding takes.
    return text.encode("utf-8", "replace")


def receipt_page(issued: Mapping[str, Any]) -> str:
    """The whole page."""
    heads: list[page.Cell] = ["Document", ("Passages", "number"), "SHA-256 of the file", "Erased"]
    erased: list[list[page.Cell]] = [
        [KINDS[kind][1].capitalize(), (f"{number:,}", "number")] for kind, number in issued["erased"].items()
    ]
    parts = [
        page.text(proof_words(issued), "good" if issued["verified"] else "bad"),
        page.section("Documents", page.table(heads, map(_document, issued["documents"]))),
        page.section("Erased", page.table(["What", ("Number", "number")], erased)),
        page.section("Looked for afterwards", page.table(["Where", "What"], facts(issued))),
        page.section("To know", page.points(issued["notes"])),
    ]
    date = issued["at"].replace("T", " ").replace("Z", " UTC")
    return page.page("Receipt of an erasure", f"{issued['application']} · {date}", parts)


def _document(row: Mapping[str, Any]) -> list[page.Cell]:
    if "error" in row:
        return [row["document"], "", "", f"no: {row['error']['message']}"]
    name = row["name"]
    if inside := row["documents_inside"]:
        name += f" and {inside} inside it"
    said = "yes" if row["verified"] else "not verified"
    return [name, (f"{row['chunks']:,}", "number"), (_in_parts(row["sha256"] or ""), "muted"), said]


def _in_parts(digest: str) -> str:
    """A hash in groups, so that a line may break in it."""
    return " ".join(digest[at : at + 16] for at in range(0, len(digest), 16))
