"""JSON, JSON lines and notebooks: what a person would read in them, in order, and never a crash."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop_rag.documents.model import Block, DocumentInfo, Page
from desktop_rag.documents.read import read
from desktop_rag.documents.source import MemorySource
from desktop_rag.errors import DocumentError

Pages = Callable[..., list[Page]]


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, Any], Path]:
    def written(name: str, content: Any) -> Path:
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    return written


Write = Callable[[str, Any], Path]


def blocks(page: Page) -> list[tuple[str, str, str]]:
    return [(b.kind, b.header, page.text[b.start : b.end]) for b in page.blocks]


def test_a_list_of_objects_is_a_table(write: Write, pages_of: Pages) -> None:
    people = [{"name": "Anna", "age": 3, "tags": ["a", "b"]}, {"name": "Bob\nBuilder", "age": None, "city": "Bonn"}]
    (page,) = pages_of(write("a.json", people))
    header = "name; age; tags; city"
    assert page.locator == "rows 1–2"
    assert blocks(page) == [
        ("row", header, "name: Anna; age: 3; tags: a, b"),
        ("row", header, "name: Bob Builder; city: Bonn"),
    ]


def test_nested_values_say_the_way_to_them(write: Write, pages_of: Pages) -> None:
    order = {"id": 1, "address": {"street": "Main", "note": "one\n\ntwo"}, "paid": True}
    path = write("a.json", {"title": "Orders", "orders": [order, {"id": 2}], "meta": {"x": {"y": [1, [2]]}}})
    assert next(read(path)) == DocumentInfo("json", "Orders", None, {"encoding": "utf-8"})
    (page,) = pages_of(path)
    assert page.locator is None
    assert blocks(page) == [
        ("row", "", "title: Orders"),
        ("heading", "", "orders"),
        ("row", "", "orders › 1: id: 1; paid: true"),
        ("row", "", "orders › 1 › address: street: Main"),
        ("paragraph", "", "orders › 1 › address › note:\none\n\ntwo"),
        ("row", "", "orders › 2: id: 2"),
        ("heading", "", "meta"),
        ("row", "", "meta › x › y › 1: 1"),
        ("row", "", "meta › x › y › 2: 2"),
    ]


def test_long_strings_and_numbers_are_kept_whole(write: Write, pages_of: Pages) -> None:
    long = "word " * 400 + "end"
    (page,) = pages_of(
        write("a.json", f'{{"n": 12345678901234567890.1000, "m": -1e999, "k": {"9" * 5000}, "t": "{long}"}}')
    )
    assert "n: 12345678901234567890.1000; m: -1e999\n" in page.text
    assert f"k:\n{'9' * 5000}\n" in page.text
    assert f"t:\n{long}" in page.text


def test_a_name_that_comes_twice_loses_nothing(write: Write, pages_of: Pages) -> None:
    assert pages_of(write("a.json", '{"a": "one", "a": "two"}'))[0].text == "a: one; a: two"


def test_lines_are_rows_with_their_numbers(write: Write, pages_of: Pages) -> None:
    lines = [json.dumps({"n": n, "who": {"name": f"p{n}"}}) for n in range(1, 202)]
    lines[1] = "no json at all"
    lines.insert(3, "")
    first, second = pages_of(write("a.jsonl", "\n".join(lines)))
    assert (first.locator, second.locator) == ("lines 1–201", "lines 202–202")
    assert blocks(first)[:3] == [
        ("row", "n; who › name", "n: 1; who › name: p1"),
        ("row", "n; who › name", "no json at all"),
        ("row", "n; who › name", "n: 3; who › name: p3"),
    ]
    assert second.text == "n: 201; who › name: p201"


def test_the_content_decides_between_a_value_and_lines(write: Write, pages_of: Pages) -> None:
    assert pages_of(write("lines.json", '{"a": 1}\n{"a": 2}\n'))[0].text == "a: 1\na: 2"
    assert pages_of(write("value.jsonl", '[\n{"a": 1},\n{"a": 2}\n]'))[0].text == "a: 1\na: 2"


def test_broken_json_is_shown_as_it_is(write: Write, pages_of: Pages) -> None:
    text = '{"name": "Anna", "age": '
    assert pages_of(write("a.json", text))[0].text == text


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":'])
def test_absurd_nesting_is_no_danger(write: Write, opening: str) -> None:
    closing = opening[::-1].translate(str.maketrans("[{", "]}")).replace('"a":'[::-1], "")
    for levels in (300, 900, 3000, 200_000):
        text = opening * levels + '"deep"' + closing * levels
        found = "".join(part.text for part in read(write("a.json", text)) if isinstance(part, Page))
        assert "deep" in found
    with pytest.raises(DocumentError) as raised:
        list(read(write("b.json", "[" * 100_000)))
    assert raised.value.code == "empty"


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=400),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=8), inner, max_size=6),
    max_leaves=30,
)


def parsed(name: str, data: bytes) -> list[Page]:
    from desktop_rag.documents.limits import Limits
    from desktop_rag.documents.parsers import parser_of

    kind = {"json": "json", "jsonl": "jsonl", "ipynb": "ipynb"}[name.split(".")[1]]
    info, *pages = parser_of(kind)(MemorySource(name, data), limits=Limits(), password=None)
    assert isinstance(info, DocumentInfo)
    assert all(isinstance(page, Page) for page in pages)
    return pages  # type: ignore[return-value]


def check_law(pages: list[Page]) -> None:
    for page in pages:
        at = 0
        page.text.encode("utf-8")
        for block in page.blocks:
            assert at <= block.start < block.end <= len(page.text)
            assert page.text[block.start : block.end].strip()
            at = block.end


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(JSON, st.sampled_from(["a.json", "a.jsonl", "a.ipynb"]), st.booleans())
def test_law_every_value_is_read_the_same_twice(value: Any, name: str, plain: bool) -> None:
    data = json.dumps(value, ensure_ascii=plain).encode("utf-8", "surrogatepass")
    pages = parsed(name, data)
    check_law(pages)
    assert pages == parsed(name, data)
    text = "".join("".join(page.text.split()) for page in pages)
    for word in words_in(value):
        assert "".join(word.split()) in text


def words_in(value: Any) -> list[str]:
    """Every string in a value that a database can store."""
    if isinstance(value, dict):
        return [word for inner in value.values() for word in words_in(inner)]
    if isinstance(value, list):
        return [word for inner in value for word in words_in(inner)]
    return [value] if isinstance(value, str) and value.isprintable() else []


@settings(deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["a.json", "a.jsonl", "a.ipynb"]))
def test_law_no_bytes_are_a_crash(data: bytes, name: str) -> None:
    check_law(parsed(name, data))


def cell(kind: str, source: Any, **more: Any) -> dict[str, Any]:
    return {"cell_type": kind, "source": source, "metadata": {}, **more}


def test_a_notebook_is_text_code_and_what_was_printed(write: Write, pages_of: Pages) -> None:
    outputs = [
        {"output_type": "stream", "text": ["one\n", "two\n"]},
        {"output_type": "display_data", "data": {"image/png": "iVBORw0KGgo=", "text/plain": ["<Figure>"]}},
        {"output_type": "error", "ename": "KeyError", "evalue": "'x'", "traceback": ["\x1b[0;31mnoise"]},
    ]
    cells = [cell("markdown", ["# Costs\n", "\n", "- in *May*\n"]), cell("code", "x = 1", outputs=outputs)]
    path = write("a.ipynb", {"cells": cells, "nbformat": 4})
    assert next(read(path)) == DocumentInfo("ipynb", "Costs", None, {"encoding": "utf-8"})
    (page,) = pages_of(path)
    assert page.locator == "cells 1–2"
    assert page.blocks[0] == Block("heading", 0, 7, 1)
    assert blocks(page)[1:] == [
        ("list", "", "- in *May*"),
        ("code", "", "x = 1"),
        ("code", "", "one\ntwo"),
        ("code", "", "<Figure>"),
        ("code", "", "KeyError: 'x'"),
    ]


def test_long_notebooks_come_in_pages_of_whole_cells(write: Write, pages_of: Pages) -> None:
    pages = pages_of(write("a.ipynb", {"cells": [cell("code", f"# {n}\n" + "x = 1\n" * 300) for n in range(1, 8)]}))
    assert [page.locator for page in pages] == ["cells 1–4", "cells 5–7"]


def test_notebooks_of_before_2015_and_others_by_that_name(write: Write, pages_of: Pages) -> None:
    old = [{"cell_type": "heading", "level": 2, "source": ["Old"]}, {"cell_type": "code", "input": "print(1)"}]
    (page,) = pages_of(write("a.ipynb", {"worksheets": [{"cells": old}]}))
    assert [(b.kind, b.level) for b in page.blocks] == [("heading", 2), ("code", 0)]
    assert pages_of(write("b.ipynb", {"cells": "none"}))[0].text == "cells: none"
