"""`eval files`: the rules of what is expected, attacks that are told from harmless files, and the real reader."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from desktop_rag.cli.evaluation import add_commands
from desktop_rag.cli.output import Output
from desktop_rag.documents.model import Page, UnreadPage
from desktop_rag.errors import DocumentError, UsageError
from desktop_rag.evaluation import attacks_archives, parsing
from desktop_rag.evaluation.attacks import ATTACKS, UNTOUCHED, make_all
from desktop_rag.evaluation.parsing import Outcome, complaint, evaluate, harm, read_whole, table, token_f1, totals
from desktop_rag.workers.crew import Workers
from desktop_rag.workers.parsing import FoundChild, ParsedFile, Parser


@dataclass
class ScriptedReader:
    """Gives what it is told for (file name, member), or raises it; with `dies` its process is gone afterwards."""

    script: dict[tuple[str, ...], ParsedFile | Exception]
    dies: bool = False
    pid: int | None = None
    asked: list[tuple[str, ...]] = field(default_factory=list)
    closed: bool = False

    def __post_init__(self) -> None:
        self.pid = 2**22 + 1

    def read(
        self, path: Path, password: str | None = None, member: Sequence[str] = ()
    ) -> Generator[ParsedFile, None, None]:
        self.asked.append((path.name, *member))
        told = self.script[(path.name, *member)]
        yield ParsedFile()
        if isinstance(told, Exception):
            self.pid = None if self.dies else self.pid
            raise told
        yield told

    def ensure(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True


def text_of(*texts: str, inside: Sequence[FoundChild] = (), confidence: float | None = None) -> ParsedFile:
    pages: list[Page | UnreadPage] = [Page(None, None, text, (), confidence) for text in texts]
    return ParsedFile(None, pages, list(inside))


def entry(expect: str, **more: Any) -> dict[str, Any]:
    return {"file": "a.txt", "expect": expect, **more}


@pytest.mark.parametrize(
    ("row", "outcome", "fine"),
    [
        (entry("text"), Outcome(text="words", pages=1), True),
        (entry("text"), Outcome(pages=1), False),
        (entry("text"), Outcome(inside=2), True),
        (entry("text"), Outcome(text="words", pages=2, unread=1), False),
        (entry("text"), Outcome(code="unreadable"), False),
        (entry("text", must_include=["Two  Words"]), Outcome(text="two\nwords"), True),
        (entry("text", must_include=["others"]), Outcome(text="two words"), False),
        (entry("text", must_not_include=["secret"]), Outcome(text="a se cret"), False),
        (entry("needs_ocr"), Outcome(text="words", pages=1, recognised=1), True),
        (entry("needs_ocr"), Outcome(text="words", pages=1), False),
        (entry("needs_ocr"), Outcome(text="words", pages=2, recognised=1, unread=1), False),
        (entry("needs_password"), Outcome(code="encrypted"), True),
        (entry("needs_password"), Outcome(text="words"), False),
        (entry("error_or_empty"), Outcome(code="unsupported"), True),
        (entry("error_or_empty"), Outcome(text=" \n"), True),
        (entry("error_or_empty"), Outcome(text="words"), False),
        (entry("any"), Outcome(code="unreadable"), True),
        (entry("any"), Outcome(code="unreadable", stopped=True), False),
    ],
)
def test_what_is_as_expected(row: dict[str, Any], outcome: Outcome, fine: bool) -> None:
    assert (complaint(row, outcome) is None) is fine


@pytest.mark.parametrize(
    ("outcome", "written", "fine"),
    [
        (Outcome(code="too_large"), set(), True),
        (Outcome(text="words", characters=5), set(), True),
        (Outcome(code="unreadable", stopped=True), set(), False),
        (Outcome(text="words"), {Path("escaped.txt")}, False),
        (Outcome(text=f"words {UNTOUCHED}"), set(), False),
        (Outcome(text="words", seconds=parsing.ATTACK_SECONDS + 1), set(), False),
        (Outcome(text="words", peak_mb=parsing.ATTACK_MB + 1), set(), False),
        (Outcome(characters=parsing.ATTACK_CHARS + 1), set(), False),
    ],
)
def test_what_an_attack_may_not_do(outcome: Outcome, written: set[Path], fine: bool) -> None:
    assert (harm(outcome, written) is None) is fine


def test_words_are_compared_as_bags() -> None:
    assert token_f1("A b, c!", "c B a") == 1.0
    assert token_f1("a a b", "a b b") == pytest.approx(2 / 3)
    assert token_f1("", "a") == 0.0


def test_what_lies_inside_is_read_once_each() -> None:
    same = [FoundChild(name, "one", 1, None) for name in ("a", "b")]
    lost = FoundChild("c", None, 0, DocumentError("unreadable", "", ""))
    reader = ScriptedReader(
        {
            ("x.zip",): text_of(inside=[*same, lost, FoundChild("d.zip", "two", 1, None)]),
            ("x.zip", "a"): text_of("inner words"),
            ("x.zip", "d.zip"): DocumentError("unsupported", "", ""),
        }
    )
    outcome = read_whole(lambda: reader, Path("x.zip"))
    assert reader.asked == [("x.zip",), ("x.zip", "a"), ("x.zip", "d.zip")]
    assert (outcome.text, outcome.characters, outcome.inside, outcome.code) == ("", 11, 4, None)
    assert reader.closed


def test_archives_without_end_are_followed_so_far_only() -> None:
    script: dict[tuple[str, ...], ParsedFile | Exception] = {}
    path: tuple[str, ...] = ("x.zip",)
    for level in range(10):
        script[path] = text_of(inside=[FoundChild("in.zip", str(level), 1, None)])
        path = (*path, "in.zip")
    reader = ScriptedReader(script)
    read_whole(lambda: reader, Path("x.zip"))
    assert len(reader.asked) == 4


def test_a_reader_that_is_gone_did_not_refuse() -> None:
    refusal = DocumentError("unreadable", "", "")
    assert not read_whole(lambda: ScriptedReader({("a",): refusal}), Path("a")).stopped
    assert read_whole(lambda: ScriptedReader({("a",): refusal}, dies=True), Path("a")).stopped
    late = DocumentError("parse_timeout", "", "")
    assert read_whole(lambda: ScriptedReader({("a",): late}), Path("a")).stopped


def test_the_table_and_its_totals() -> None:
    good = {"file": "x/a.txt", "expect": "text", "outcome": "1 page", "seconds": 1.0, "peak_mb": 40.0, "f1": 0.9}
    rows = [{**good, "why": None}] * 97 + [{**good, "f1": None, "peak_mb": None, "why": "accepted"}] * 3
    total = totals(rows)
    assert (total["as_expected"], total["rows"], total["median_f1"], total["met"]) == (97, 100, 0.9, True)
    assert not totals(rows[1:])["met"]
    assert totals([])["met"] is False
    lines = table({"files": rows, "attacks": [], "totals": total})
    assert lines[1].startswith("✓ a.txt")
    assert lines[100].endswith("accepted")
    assert lines[-1].startswith("97 of 100 as expected (97.0 %; at least 97 %), median F1 0.90;")


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no manifest"):
        list(evaluate(lambda: ScriptedReader({}), tmp_path))
    (tmp_path / "MANIFEST.jsonl").write_text("broken")
    with pytest.raises(UsageError, match="one JSON object"):
        list(evaluate(lambda: ScriptedReader({}), tmp_path))


def test_every_attack_is_a_file_that_is_small_or_takes_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attacks_archives, "BOMB", 2_000_000)
    made = make_all(tmp_path)
    assert len(made) == len(ATTACKS) == len({attack.file for attack in ATTACKS})
    for attack, path in made:
        status = path.stat()
        assert status.st_size > 0
        assert getattr(status, "st_blocks", 0) * 512 < 3_000_000, attack.name


def add(subparsers: Any, name: str, handler: Callable[..., int], text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subparsers.add_parser(name, help=text)
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(handler=handler)
    return parser


@pytest.mark.slow
def test_the_command_with_the_real_reader(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "good.md").write_text("# Boiler\n\nserviced in May")
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "good.txt").write_text("boiler serviced in may")
    rows = [
        {"file": "good.md", "expect": "text", "must_include": ["serviced in May"], "expected_file": "good.txt"},
        {"file": "empty.txt", "expect": "error_or_empty"},
        {"file": "good.txt", "expect": "needs_ocr"},
    ]
    (tmp_path / "MANIFEST.jsonl").write_text("\n".join(map(json.dumps, rows)))
    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers(), add)
    options = parser.parse_args(["eval", "files", str(tmp_path), "--no-attacks", "--json"])
    workers = Workers(tmp_path / "data")
    try:
        assert options.handler(workers, options, Output(True)) == 1
    finally:
        workers.close()
    result = json.loads(capsys.readouterr().out)
    assert [row["why"] for row in result["files"]] == [None, None, "1 page instead of text by OCR"]
    assert result["files"][0]["f1"] == 1.0
    assert result["files"][0]["peak_mb"] > 5
    assert result["totals"]["as_expected"] == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["zip with overlapping members", "XML entity expansion", "XML external entity", "HTML external files",
     "archive path traversal", "absurdly nested HTML", "absurdly nested JSON", "absurdly nested MIME",
     "sparse file of 1 GB", "docx with entity expansion", "nested archives"],
)  # fmt: skip
def test_attacks_on_the_real_reader_come_to_nothing(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    data = tmp_path_factory.mktemp("data")
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    (folder / "beside.txt").write_text(UNTOUCHED)
    attack = next(attack for attack in ATTACKS if attack.name == name)
    attack.make(folder / attack.file)
    before = set(tmp_path.rglob("*"))
    outcome = read_whole(lambda: Parser(data), folder / attack.file)
    assert harm(outcome, set(tmp_path.rglob("*")) - before) is None
