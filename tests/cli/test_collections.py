"""`collections` in the terminal: which encoder each has, and changing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.slow


def test_the_encoder_is_told_and_changed_by_hand(cli: Callable[..., Any], tmp_path: Path) -> None:
    document = tmp_path / "lease.txt"
    document.write_text("The landlord repairs the heating within two weeks after he was told. " * 30, encoding="utf-8")
    cli("add", "--yes", "--collection", "Leases", str(document), "--json")
    (row,) = cli("collections", "--collection", "Leases", "--json").json["collections"]
    assert (row["encoder"]["name"], row["next_encoder"], row["encoder_chosen"]) == ("all-MiniLM-L6-v2", None, False)
    changed = cli("collections", "--collection", "Leases", "--encoder", "multilingual-e5-small", "--json")
    (row,) = changed.json["collections"]
    assert (row["encoder"]["name"], row["encoder_chosen"]) == ("multilingual-e5-small", True)
    assert row["encoder"]["query_prefix"] == "query: "
    assert "encoder multilingual-e5-small" in cli("collections").stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--encoder", "multilingual-e5-small"), "Which collection?"),
        (("--collection", "nowhere"), "no collection “nowhere”"),
        (("--collection", "nowhere", "--encoder", "multilingual-e5-small"), "no collection “nowhere”"),
    ],
)
def test_what_cannot_be_done_is_told(cli: Callable[..., Any], arguments: tuple[str, ...], message: str) -> None:
    ran = cli("collections", *arguments, "--json")
    assert ran.code != 0
    assert message in ran.json["error"]["message"]
