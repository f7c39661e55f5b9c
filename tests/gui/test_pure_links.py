"""Addresses in answers: only plain ones of the web, named by the host they really lead to; nothing turns a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.gui import words
from desktop_rag.gui.chat import markup
from desktop_rag.gui.links import LINK, host_of
from desktop_rag.gui.visible import tip, visible


def links(text: str) -> list[str]:
    parts = [part for block in markup.blocks(text) for part in block.parts]
    return [part.text for part in parts if isinstance(part, markup.Run) and part.link]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("See https://example.org/a?b=c. And more", "https://example.org/a?b=c"),
        ("(http://example.org:8080/x)", "http://example.org:8080/x"),
        ("[Your bank](https://evil.example/login)", "https://evil.example/login"),
        ("![chart](https://evil.example/p.png?q=secret)", "https://evil.example/p.png?q=secret"),
        ("**https://example.org/b**", "https://example.org/b"),
        ("https://example.org/[PERSON_2]", "https://example.org/"),
    ],
)
def test_an_address_is_a_link_with_its_real_target_in_sight(text: str, address: str) -> None:
    assert links(text) == [address]
    shown = "".join(p.text for b in markup.blocks(text) for p in b.parts if isinstance(p, markup.Run))
    assert shown == text.replace("**", ""), "nothing of it hides behind other words"


@pytest.mark.parametrize(
    "text",
    [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "[x](file:///etc/passwd) data:text/html,<b>x</b> \\\\host\\share mailto:a@b.org ftp://x.org smb://host/x",
        "https://bank.example@evil.example/",  # what stands before the @ only looks like the host
        "https://exаmple.org/",  # a Cyrillic letter
        "https://",
        "http://:80",
        "http://example.org:99999999/",
    ],
)
def test_everything_else_is_dead(text: str) -> None:
    assert links(text) == []


def test_the_host_is_the_one_it_leads_to() -> None:
    assert host_of("https://a.example:8443/b@c.example") == "a.example:8443"
    assert host_of("https://b.example@a.example/") is None
    assert host_of("https://a.example\\@b.example/") is None


@given(st.text(alphabet="https:/.@x-_a*`[]() \\\n", max_size=60))
def test_what_is_a_link_has_a_host_and_stands_in_the_text(text: str) -> None:
    for address in links(text):
        assert LINK.fullmatch(address)
        assert host_of(address)
        assert address in text


@pytest.mark.parametrize("hidden", ["\u202e", "\u202d", "\U000e0041", "\U000e007f"])
def test_what_turns_or_hides_text_is_seen(hidden: str) -> None:
    assert visible(f"invoice{hidden}fdp.exe") == "invoice�fdp.exe"
    assert words.file_name(f"invoice{hidden}fdp.exe") == "invoice�fdp.exe"


@pytest.mark.parametrize("hidden", ["\u200b", "\ufeff", "\u2060"])
def test_a_file_name_hides_nothing(hidden: str) -> None:
    assert words.file_name(f"a{hidden}b.txt") == "a�b.txt"


@given(st.text())
def test_offsets_hold(text: str) -> None:
    assert len(visible(text)) == len(text)
    assert visible(visible(text)) == visible(text)


def test_a_tooltip_is_never_markup() -> None:
    assert tip("a & b\nc") == "a & b\nc"
    assert tip('<img src="x.png"> & <b>\nb') == "<qt>&lt;img src=&quot;x.png&quot;&gt; &amp; &lt;b&gt;<br>b</qt>"
