"""A receipt: verified only if everything held, and a page that stands alone and tells no secret."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from desktop_rag.privacy.receipt import KINDS, Proof, erased_words, facts, proof_words, receipt, without_names
from desktop_rag.privacy.receipt_page import content, receipt_page

MISSING = {"document": "x.txt", "error": {"code": "not_found", "message": "There is no “x.txt”.", "hint": ""}}


def row(**changes: Any) -> dict[str, Any]:
    one = {"document": "d1", "name": "a <b> & c.txt", "sha256": "ab" * 32, "chunks": 2, "vault_entries": 1}
    return {**one, "answers_blanked": 0, "documents_inside": 0, "erased": {}, "verified": True, **changes}


def proof(**values: Any) -> Proof:
    return Proof(values=3, searches=2, texts=10, pages=5, files=214, bytes=10**6, **values)


def test_everything_held() -> None:
    issued = receipt([row()], {"passages": 2, "vault_entries": 1}, proof())
    assert (issued["verified"], issued["problem"]) == (True, None)
    assert erased_words(issued) == "Erased: 2 passages, 1 vault entry."
    assert proof_words(issued) == "Nothing of it was found in 214 files."


def found() -> Proof:
    one = proof()
    one.find("the settings", ["d1"])
    return one


@pytest.mark.parametrize(
    ("rows", "seen", "problem"),
    [
        ([row()], found(), "still stands in: the settings"),
        ([row()], proof(unread=["a.zip"]), "Could not be looked into: a.zip"),
        ([row(verified=False)], proof(), "still knew a part"),
    ],
)
def test_what_did_not_hold_is_said(rows: list[dict[str, Any]], seen: Proof, problem: str) -> None:
    issued = receipt(rows, {}, seen)
    assert issued["verified"] is False
    assert [one["verified"] for one in issued["documents"]] == [False]
    assert problem in issued["problem"]
    assert proof_words(issued) == f"Not verified. {issued['problem']}"
    assert 'class="bad"' in receipt_page(issued)
    assert 'class="good"' not in receipt_page(issued)


def test_a_trace_of_one_document_does_not_doubt_another() -> None:
    issued = receipt([row(), row(document="d2")], {}, found())
    assert [one["verified"] for one in issued["documents"]] == [False, True]
    assert issued["verified"] is False


def test_nothing_erased_is_nothing_verified() -> None:
    assert receipt([MISSING], {}, Proof())["verified"] is False


def test_names_give_way_to_hashes_but_for_what_was_not_there() -> None:
    issued = receipt([row(), row(sha256=None), MISSING], {}, proof())
    nameless = without_names(issued)
    assert [one.get("name") for one in nameless["documents"]] == ["sha256:abababababababab", "d1", None]
    assert nameless["documents"][2] == MISSING
    assert issued["documents"][0]["name"] == "a <b> & c.txt", "the receipt itself stays as it is"


class Reader(HTMLParser):
    """What a page refers to, and its tags."""

    def __init__(self) -> None:
        super().__init__()
        self.outside: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.outside += [tag for name, _ in attrs if name in ("src", "href")]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_stands_alone_and_takes_names_as_text() -> None:
    erased = dict.fromkeys(KINDS, 3)
    whole = receipt_page(receipt([row(documents_inside=2), MISSING], erased, proof(shared=1, left_out=2), watched=1))
    reader = Reader()
    reader.feed(whole)
    assert (reader.outside, reader.open) == ([], [])
    assert not re.search(r"url\(|@import|<script|https?:", whole)
    assert "a &lt;b&gt; &amp; c.txt" in whole
    assert "<b>" not in whole
    assert "watched folder" in whole


def test_the_ending_says_what_is_saved() -> None:
    issued = receipt([row(name="odd \udcff name")], {}, proof())
    assert json.loads(content(issued, ".JSON"))["receipt"]["verified"] is True
    assert content(issued, ".html").lower().startswith(b"<!doctype html>")


def test_what_other_documents_share_and_what_was_left_out_is_told() -> None:
    told = dict(facts(receipt([row()], {}, proof(shared=1, left_out=2))))
    assert {"Also elsewhere", "Left out"} <= told.keys()
    assert not {"Also elsewhere", "Left out"} & dict(facts(receipt([row()], {}, proof()))).keys()
