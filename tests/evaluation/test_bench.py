"""The benchmark's arithmetic: Hamel Husain's definition, on eight rows of our own."""

from __future__ import annotations

import csv
import io
from statistics import fmean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_rag.evaluation.bench import Run, summary, table
from desktop_rag.gui import words

# Short answers are slower here than long ones, as on every real machine: the time to the first token weighs more.
EIGHT_ROWS = """seconds,output_tokens
0.5,20
1.0,60
1.9,140
2.6,200
2.7,200
2.4,180
0.9,50
1.6,110
"""
RUNS = st.lists(
    st.builds(
        Run,
        text=st.just("words"),
        seconds=st.floats(0.01, 500),
        output_tokens=st.integers(1, 4000),
        ttft_s=st.none() | st.floats(0.001, 5),
    ),
    min_size=1,
    max_size=12,
)


def eight() -> list[Run]:
    rows = csv.DictReader(io.StringIO(EIGHT_ROWS))
    return [Run("words", float(row["seconds"]), int(row["output_tokens"])) for row in rows]


def test_the_speed_is_the_mean_of_the_prompts_own_speeds() -> None:
    runs = eight()
    found = summary(runs)
    by_hand = (40 + 60 + 140 / 1.9 + 200 / 2.6 + 200 / 2.7 + 75 + 50 / 0.9 + 68.75) / 8
    assert found["n"] == 8
    assert found["avg_tok_s"] == pytest.approx(by_hand, rel=1e-12)
    assert found["avg_time_s"] == pytest.approx(1.7)
    assert found["avg_output_tokens"] == 120.0
    assert found["std_tok_s"] == pytest.approx(stdev(run.tok_s for run in runs))


def test_all_tokens_over_all_seconds_is_another_number() -> None:
    runs = eight()
    ratio_of_means = sum(run.output_tokens for run in runs) / sum(run.seconds for run in runs)
    assert ratio_of_means == pytest.approx(70.588, abs=1e-3)
    assert summary(runs)["avg_tok_s"] == pytest.approx(65.498, abs=1e-3)


@given(RUNS)
def test_the_table_can_be_computed_from_its_rows_again(runs: list[Run]) -> None:
    found = summary(runs)
    rows = [run.to_payload() for run in runs]
    assert found["avg_tok_s"] == pytest.approx(fmean(row["output_tokens"] / row["seconds"] for row in rows), rel=1e-9)
    assert found["avg_tok_s"] == pytest.approx(fmean(row["tok_s"] for row in rows), rel=1e-9)
    assert [Run.from_payload(row) for row in rows] == runs


def test_a_stored_speed_is_not_believed() -> None:
    row = {**Run("words", 2.0, 10).to_payload(), "tok_s": 999.0}
    assert Run.from_payload(row).tok_s == 5.0


def test_without_runs_there_is_no_row() -> None:
    with pytest.raises(ValueError, match="nothing"):
        summary([])


def test_the_table_shows_what_is_known_and_says_what_is_not() -> None:
    row = {"platform": "llama.cpp", "options": "Q4_1", "device": "cpu", "peak_rss_mb": None, **summary(eight())}
    error = {"code": "too_large", "message": "Too large.", "hint": ""}
    lines = table([row], [{"platform": "CTranslate2", "options": "int8", "error": error}])
    assert [cell.strip() for cell in lines[0].split("|")][:6] == [
        *("platform", "options", "device", "avg tok/s", "avg time (s)", "avg output tokens"),
    ]
    cells = [cell.strip() for cell in lines[2].split("|")]
    assert cells[:6] == ["llama.cpp", "Q4_1", "cpu", "65.5", "1.70", "120.0"]
    assert cells[-2:] == ["–", "–"]
    assert lines[3] == "CTranslate2 | int8 | Too large."


def test_memory_is_printed_in_the_unit_of_its_heading() -> None:
    row = {"platform": "llama.cpp", "options": "Q4_1", "device": "cpu", "peak_rss_mb": 219.8, **summary(eight())}
    heads, cells = ([cell.strip() for cell in line.split("|")] for line in (table([row])[0], table([row])[2]))
    # 219.8 MiB, as the JSON says, are 230 MB, as the window says.
    assert dict(zip(heads, cells, strict=True))["peak RSS (MB)"] == "230"
    assert words.memory(219.8) == "230 MB"


def test_columns_stand_under_each_other() -> None:
    rows = [
        {"platform": name, "options": "x", "device": "cpu", "peak_rss_mb": 1.0, **summary(eight())}
        for name in ("llama.cpp", "OpenAI-compatible")
    ]
    lines = table(rows)
    assert len({tuple(at for at, sign in enumerate(line) if sign == "|") for line in lines}) == 1
