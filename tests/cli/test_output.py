"""Lines that move: in place on a terminal, once a step in a file, whole objects with --json."""

from __future__ import annotations

import io
import json
import sys

import pytest

from desktop_rag.cli.output import Output, counted


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def tell(output: Output) -> None:
    """Two steps with shares, a warning, the result."""
    for line in ("Reading 0 %", "Reading 50 %", "Writing 90 %"):
        output.progress({"event": "progress", "text": line, "id": "1"}, line)
    output.progress({"event": "warning"}, "Careful.")
    output.result({"done": True}, ["Done."])


def test_in_a_file_each_step_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    tell(Output(False))
    assert capsys.readouterr() == ("Done.\n", "Reading …\nWriting …\nCareful.\n")


def test_on_a_terminal_the_line_moves_and_leaves_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    tell(Output(False))
    *moving, last = stream.getvalue().split("\r")
    assert [part.strip() for part in moving if part.strip()] == ["Reading 0 %", "Reading 50 %", "Writing 90 %"]
    assert last == "Careful.\n"
    assert moving[-1].isspace()
    assert len(moving[-1]) >= len("Reading 50 %"), "the line before a shorter one is wiped whole"


def test_json_keeps_every_event(capsys: pytest.CaptureFixture[str]) -> None:
    tell(Output(True))
    out, err = capsys.readouterr()
    assert json.loads(out) == {"done": True}
    events = [json.loads(line) for line in err.splitlines()]
    assert len(events) == 4
    assert all("id" not in event for event in events)


@pytest.mark.parametrize(("number", "said"), [(0, "0 passages"), (1, "1 passage"), (1203, "1,203 passages")])
def test_counted(number: int, said: str) -> None:
    assert counted(number, "passage") == said


def test_no_text_steers_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "a\x1b]8;;http://x.org\x07b\x1b[2J\x9bm\rc\u202ed\U000e0041"
    output = Output(False)
    output.write(hostile)
    output.progress({}, hostile)
    output.result({}, [hostile, "ü\tö"])
    out, err = capsys.readouterr()
    seen = "a�]8;;http://x.org�b�[2J�m�c�d�"
    assert (out, err) == (f"{seen}{seen}\nü\tö\n", f"{seen}\n")
    Output(True).result({"text": hostile}, [])
    assert json.loads(capsys.readouterr().out) == {"text": hostile}, "programs get it as it is"
