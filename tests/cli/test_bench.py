"""`desktop-rag bench` from outside: one JSON object, progress on stderr, refusals in words; one real row."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from desktop_rag.cli.bench import add_commands
from desktop_rag.cli.output import Output
from desktop_rag.errors import UsageError
from desktop_rag.evaluation.ingest_place import Sizes
from desktop_rag.evaluation.ingest_promises import PROMISES, verdict
from desktop_rag.evaluation.ingest_promises import unmeasured as ingest_unmeasured
from desktop_rag.evaluation.promises import TARGETS
from desktop_rag.evaluation.rounds import Round, unmeasured
from tests.cli.conftest import CommandLine
from tests.evaluation.test_running import complete, count, load

SCRIPTS: dict[str, Any] = {
    "chat": {"load": load, "complete": complete},
    "bench": {"count": count},
    "models": {
        "machine": lambda: {"cpu": "a cpu"},
        "convert": lambda **args: {"model": {"id": "smollm2-135m-instruct-q4_1"}},
    },
}


def add(subparsers: Any, name: str, handler: Any, text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subparsers.add_parser(name, help=text)
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(handler=handler)
    return parser


def run(tmp_path: Path, *words: str) -> int:
    from tests.evaluation.scripted import ScriptedTeam

    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers(), add)
    options = parser.parse_args(["bench", *words])
    return int(options.handler(ScriptedTeam(tmp_path, SCRIPTS), options, Output(options.json)))


def test_the_result_is_one_object_and_progress_goes_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, "--engine", "llama.cpp", "--engine", "CTranslate2", "--json") == 0
    out, err = capsys.readouterr()
    result = json.loads(out)
    assert [row["platform"] for row in result["rows"]] == ["llama.cpp"]
    assert len(result["skipped"]) == 2
    assert result["machine"] == {"cpu": "a cpu"}
    lines = [json.loads(line) for line in err.splitlines()]
    assert {"progress", "row", "skipped"} <= {line["event"] for line in lines}
    assert "a few words" not in err


def test_people_get_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "--engine", "llama.cpp", "--engine", "CTranslate2") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("platform")
    assert lines[2].startswith("llama.cpp")
    assert lines[3].startswith("CTranslate2 | int8 | It does not open.")


@pytest.mark.parametrize("name", ["window"])
def test_what_is_not_built_says_so(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        run(tmp_path, f"--{name}")
    assert caught.value.code == "not_available"
    assert "not available yet" in caught.value.message


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--size", "1000"], "--size goes with --retrieval"),
        (["--retrieval", "--size", "7"], "7 passages cannot be measured"),
        (["--retrieval", "--engine", "GPT4All"], "No model is measured"),
    ],
)
def test_what_the_measurement_of_the_search_refuses(tmp_path: Path, words: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        run(tmp_path, *words)


def test_targets_take_no_engine(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"llama\.cpp only"):
        run(tmp_path, "--targets", "--engine", "GPT4All")


def test_a_target_without_a_value_is_printed_with_its_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = unmeasured(TARGETS["ttft_restart"], {"code": "crashed", "message": "It broke.", "hint": ""})
    monkeypatch.setattr(
        "desktop_rag.cli.bench.targets", lambda *_args, **_more: iter([{"event": "done", "targets": [broken]}])
    )
    assert run(tmp_path, "--targets") == 0
    assert "ttft_restart" in (out := capsys.readouterr().out)
    assert "not measured: It broke." in out


def test_ingest_prints_its_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        verdict(PROMISES["pdf_vs_pdfium"], [Round(1.25)]),
        ingest_unmeasured(PROMISES["cancel_s"], {"code": "hung", "message": "It hung.", "hint": ""}),
    ]
    asked: list[Sizes] = []
    named: list[Sequence[str]] = []

    def measured(_: object, sizes: Sizes, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        asked.append(sizes)
        named.append(names)
        yield {"event": "progress", "text": "pdf", "fraction": 0.0}
        yield {"event": "target", "target": rows[0]}
        yield {"event": "done", "ingest": rows}

    monkeypatch.setattr("desktop_rag.cli.bench.ingest", measured)
    assert run(tmp_path, "--ingest", "--documents", "300") == 0
    out, err = capsys.readouterr()
    assert "1.25 times (≤ 1.3; rounds 1.25)" in out
    assert "not measured: It hung." in out
    assert "1.25 times" in err
    assert run(tmp_path, "--ingest", "--json", "--row", "cancel_s") == 0
    out, err = capsys.readouterr()
    assert [row["value"] for row in json.loads(out)["ingest"]] == [1.25, None]
    assert "details" not in json.loads(err.splitlines()[1])["target"]
    assert [sizes.documents for sizes in asked] == [300, 2000]
    assert [list(names) for names in named] == [[], ["cancel_s"]]


@pytest.mark.parametrize("words", [["--ingest", "--engine", "GPT4All"], ["--documents", "300"], ["--row", "cancel_s"]])
def test_ingest_takes_no_model_and_documents_belong_to_it(tmp_path: Path, words: list[str]) -> None:
    with pytest.raises(UsageError, match="--ingest"):
        run(tmp_path, *words)


@pytest.mark.slow
def test_a_real_row_can_be_counted_again(cli: CommandLine) -> None:
    from desktop_rag.evaluation.recount import count_tokens
    from desktop_rag.models.installed import resolve

    ran = cli("bench", "--engine", "llama.cpp", "--max-tokens", "8", "--json")
    assert ran.code == 0, ran.stdout + ran.stderr
    row = ran.json["rows"][0]
    assert (row["platform"], row["n"]) == ("llama.cpp", 6)
    speeds = [one["output_tokens"] / one["seconds"] for one in row["runs"]]
    assert row["avg_tok_s"] == pytest.approx(sum(speeds) / len(speeds), rel=1e-9)
    path = resolve(None, cli.root / "data")[0].path
    assert [one["output_tokens"] for one in row["runs"]] == count_tokens(path, [one["text"] for one in row["runs"]])
    assert all(0 < one["ttft_s"] <= one["seconds"] for one in row["runs"])
    assert 50 < row["peak_rss_mb"] < 2000
    assert len(list((cli.root / "data" / "bench").glob("*-bench.json"))) == 1
