"""Add, look, search, ask, remove: the command line end to end, with the names that scripts rely on."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from desktop_rag.settings import Settings

pytestmark = pytest.mark.slow

DOCUMENT_KEYS = {
    *("id", "name", "path", "collection", "state", "known", "pages", "pages_read", "pages_ocr", "language", "chunks"),
    *("pii", "children", "error"),
}
HIT_KEYS = {"document", "name", "page", "start", "end", "text", "score", "scores"}
ASK_KEYS = {
    *(
        "answer",
        "citations",
        "coverage",
        "timings_ms",
        "usage",
        "memory_mb",
        "strategy",
        "engine",
        "model",
        "conversation",
    ),
}
USAGE_KEYS = {"prompt_tokens", "generated_tokens", "reused_tokens", "prefill_tps", "decode_tps", "roofline_fraction"}
SENTINELS = ("Rosalind", "Quillfeather", "zq.sentinel@plantedvalue", "7946 0991")


def _stand_in(text: str) -> str:
    """The surname that stands for the inspector's wherever it is written; what it is follows from the vault's key."""
    found = re.search(
        r"was led by [A-Z]\w+ ([A-Z]\w+) on 3 March 2025.*Ms (\w+) keeps the certificate", text, re.DOTALL
    )
    assert found, text
    assert found[1] == found[2]
    return found[1]


def test_add_gives_a_row_for_every_path(added: Any, by_name: dict[str, Any], files: Path) -> None:
    assert added.code == 0
    assert by_name.keys() == {"letter.md", "parts.csv", "empty.txt"}
    assert all(row.keys() >= DOCUMENT_KEYS for row in by_name.values())
    letter, empty = by_name["letter.md"], by_name["empty.txt"]
    assert (letter["state"], letter["known"], letter["path"]) == ("ready", False, str(files / "letter.md"))
    assert letter["chunks"] >= 1
    assert letter["pii"].keys() >= {"PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER"}
    assert (empty["state"], empty["error"].keys()) == ("failed", {"code", "message", "hint"})
    assert empty["error"]["code"] == "empty"


def test_progress_is_one_object_a_line_on_stderr(added: Any, by_name: dict[str, Any]) -> None:
    documents = [event for event in added.progress if event["event"] != "key"]
    states = [event["state"] for event in documents if event["document"] == by_name["letter.md"]["id"]]
    assert all(event["event"] == "document" and event.keys() >= {"path", "state", "known"} for event in documents)
    assert (states[0], states[-1]) == ("waiting", "ready")
    assert "reading" in states
    assert "indexing" in states


def test_adding_the_same_again_is_known(cli: Any, by_name: dict[str, Any], files: Path) -> None:
    ran = cli("add", files / "letter.md", "--yes", "--json")
    (row,) = ran.json["documents"]
    assert (row["id"], row["known"], row["state"]) == (by_name["letter.md"]["id"], True, "ready")


def test_documents_and_collections(cli: Any, by_name: dict[str, Any]) -> None:
    rows = cli("documents", "--json").json["documents"]
    assert {row["id"] for row in rows} == {row["id"] for row in by_name.values()}
    assert all(row.keys() >= DOCUMENT_KEYS for row in rows)
    (collection,) = cli("collections", "--json").json["collections"]
    assert collection["documents"] == 3
    assert collection["chunks"] == sum(row["chunks"] for row in rows)


def test_the_cleaned_text_of_a_document(cli: Any, by_name: dict[str, Any]) -> None:
    shown = cli("documents", "--text", by_name["letter.md"]["id"], "--json").json
    assert (shown["document"], shown["name"]) == (by_name["letter.md"]["id"], "letter.md")
    text = "\n".join(page["text"] for page in shown["pages"])
    assert _stand_in(text)
    assert "[" not in text
    assert not [value for value in SENTINELS if value in text]


def test_search_offsets_point_into_the_original(cli: Any, by_name: dict[str, Any], files: Path) -> None:
    found = cli("search", "Who keeps the certificate of the warranty?", "--json", "-k", "3").json
    assert (found["mode"], len(found["hits"]) <= 3, found["timings_ms"] != {}) == ("hybrid", True, True)
    assert all(hit.keys() >= HIT_KEYS for hit in found["hits"])
    best = found["hits"][0]
    assert (best["document"], best["page"]) == (by_name["letter.md"]["id"], None)
    original = (files / "letter.md").read_text(encoding="utf-8")[best["start"] : best["end"]]
    assert "certificate" in original
    shown = cli("documents", "--text", by_name["letter.md"]["id"], "--json").json
    stand_in = _stand_in("\n".join(page["text"] for page in shown["pages"]))
    assert original.replace("Quillfeather", stand_in).split() == best["text"].split()


def test_a_search_explains_itself(cli: Any, added: Any) -> None:
    (hit, *_) = cli("search", "bearing of the pump", "--mode", "bm25", "--explain", "--json").json["hits"]
    assert {word["term"] for word in hit["words"]} == {"bear", "pump"}
    assert sum(word["score"] for word in hit["words"]) == pytest.approx(hit["score"], abs=1e-5)
    said = cli("search", "bearing of the pump", "--mode", "bm25", "--explain", "--trace").stdout
    assert "× here, in " in said
    assert "How they were found" in said


@pytest.mark.parametrize("mode", ["bm25", "tfidf", "dense"])
def test_the_other_modes_rank_too(cli: Any, added: Any, mode: str) -> None:
    found = cli("search", "K-103", "--mode", mode, "--json").json
    assert (found["mode"], found["hits"][0]["scores"].keys()) == (mode, {mode})


def test_ask_answers_with_evidence(cli: Any, by_name: dict[str, Any], files: Path) -> None:
    ran = cli("ask", "How much was paid for the bearing of the pump?", "--json")
    said = ran.json
    assert (ran.code, said.keys() >= ASK_KEYS, said["usage"].keys() >= USAGE_KEYS) == (0, True, True)
    assert said["memory_mb"].keys() == {"weights", "kv", "window", "library", "chat"}
    assert all(isinstance(value, float | int) for value in said["memory_mb"].values())
    assert said["coverage"].keys() >= {"passages_read", "passages_total"}
    assert (said["engine"], said["strategy"]) == ("llama.cpp", "concat")
    assert said["usage"]["roofline_fraction"] is None or 0 < said["usage"]["roofline_fraction"] < 2
    assert [c["marker"] for c in said["citations"]] == list(range(1, len(said["citations"]) + 1))
    texts = {by_name[name]["id"]: (files / name).read_text(encoding="utf-8") for name in ("letter.md", "parts.csv")}
    assert any(
        "286 pounds" in " ".join(texts[c["document"]][c["start"] : c["end"]].split()) for c in said["citations"][:2]
    )
    assert all(c["support"] in ("supported", "weak") and c["text"] for c in said["citations"])


def test_a_near_miss_is_not_answered(cli: Any, added: Any) -> None:
    said = cli("ask", "How much was paid for the bearing of the Apex compressor A-77?", "--json").json
    assert (said["found"], said["citations"], said["usage"]["generated_tokens"]) == (False, [], None)


def test_only_the_owner_sees_real_values(cli: Any, by_name: dict[str, Any]) -> None:
    document = by_name["letter.md"]["id"]
    revealed = cli("documents", "--text", document, "--reveal", shown=False)
    assert "Rosalind Quillfeather" in revealed.stdout
    found = cli("search", "who is quillfeather", "--mode", "bm25", "--reveal", "--json", shown=False).json
    assert "Quillfeather" in found["hits"][0]["text"]


def test_people_are_told_which_names_are_invented(cli: Any, by_name: dict[str, Any]) -> None:
    document = by_name["letter.md"]["id"]
    shown = cli("documents", "--text", document).stdout
    surname = _stand_in(shown)
    last = shown.rstrip().splitlines()[-1]
    assert last.startswith("Stand-ins for real values: ")
    assert surname in last
    assert last.endswith("--reveal shows the real ones.")
    assert "Stand-ins" not in cli("documents", "--text", document, "--reveal", shown=False).stdout
    assert "Stand-ins for real values: " in cli("search", "Who keeps the certificate of the warranty?").stdout


def test_doctor_finds_the_index_whole(cli: Any, added: Any) -> None:
    report = cli("doctor", "--json").json
    assert report.keys() >= {"versions", "devices", "paths", "models", "index", "seal", "key", "problems"}
    assert report["index"]["parity"] is True
    assert report["index"]["chunks"] == report["index"]["lexical"] == report["index"]["vectors"] > 0
    assert report["seal"].keys() == {"library", "parse", "chat"}
    assert all(report["seal"].values())
    assert report["key"] in ("keyring", "passphrase", "file")


def test_real_values_are_in_no_file_and_in_no_output(cli: Any, by_name: dict[str, Any]) -> None:
    said = "\n".join(cli.said)
    shown = cli("documents", "--text", by_name["letter.md"]["id"], "--json").json
    assert _stand_in("\n".join(page["text"] for page in shown["pages"])) in said
    for value in SENTINELS:
        assert value.casefold() not in said.casefold(), value
    # As it is in a large collection.
    Settings(cli.root / "data").set("exact_up_to", 0)
    cli("search", "Who keeps the certificate of the warranty?")
    kept = [path for folder in ("data", "config") for path in (cli.root / folder).rglob("*") if path.is_file()]
    assert any(path.name == "library.db" for path in kept)
    assert any(path.name == "chroma.sqlite3" for path in kept)
    for path in kept:
        content = path.read_bytes().lower()
        for value in SENTINELS:
            assert value.lower().encode() not in content, path
            assert value.lower().encode("utf-16-le") not in content, path


def test_the_database_is_encrypted(cli: Any, added: Any) -> None:
    with pytest.raises(sqlite3.DatabaseError):
        sqlite3.connect(cli.root / "data" / "library.db").execute("SELECT * FROM documents")


def test_removing_leaves_a_receipt_and_nothing_else(cli: Any, by_name: dict[str, Any]) -> None:
    document = by_name["letter.md"]["id"]
    file = cli.root / "receipt.html"
    ran = cli("remove", document, "--json", "--receipt", file, "--without-names")
    (receipt,) = ran.json["receipt"]["documents"]
    assert ran.json["receipt"]["verified"] is True
    assert ran.json["receipt"]["scanned"]["files"] > 5
    assert [event["event"] for event in ran.progress][-1] == "proving"
    assert "letter.md" not in file.read_text()
    assert f"sha256:{receipt['sha256'][:16]}" in file.read_text()
    assert (ran.code, receipt["document"], receipt["verified"], receipt["chunks"] > 0) == (0, document, True, True)
    assert receipt["vault_entries"] >= 3
    hits = cli("search", "certificate of the warranty", "--json").json["hits"]
    assert document not in {hit["document"] for hit in hits}


def test_what_cannot_be_removed_does_not_hide_the_receipt_of_the_rest(cli: Any, by_name: dict[str, Any]) -> None:
    table = by_name["parts.csv"]["id"]
    ran = cli("remove", table, "missing", "--json")
    removed, missing = ran.json["receipt"]["documents"]
    assert (ran.code, removed["document"], removed["verified"]) == (5, table, True)
    assert (missing["document"], missing["error"]["code"]) == ("missing", "not_found")
    assert "There is no document “missing”." in cli("remove", "missing").stdout
