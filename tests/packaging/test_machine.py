"""What the machine must bring: found by the loader, installed as root, named otherwise."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

READELF = shutil.which("readelf") or ""


@pytest.fixture
def bare(machine: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A Debian machine with apt-get and nothing else."""
    monkeypatch.setattr(machine, "loads", lambda library: False)
    monkeypatch.setattr(machine, "has_compiler", lambda: False)
    monkeypatch.setattr(machine, "has_font", lambda: False)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(sys, "platform", "linux")
    return machine


def test_the_loader_is_asked(machine: ModuleType) -> None:
    assert machine.loads("libc.so.6")
    assert not machine.loads("libnosuchthing.so.9")


def test_everything_missing(bare: ModuleType) -> None:
    wanted = bare.missing_packages()
    assert wanted[0] == "g++"
    assert {"libgomp1", "libegl1", "libgl1", "libxkbcommon0", "libdbus-1-3", "libfontconfig1"} <= set(wanted)
    assert {"libxcb-cursor0", "libxcb-icccm4", "libxcb-keysyms1", "libxcb-shape0", "libxkbcommon-x11-0"} <= set(wanted)
    assert wanted[-1] == "fonts-dejavu-core"
    assert len(wanted) == len(set(wanted))


def test_nothing_missing(bare: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("has_compiler", "has_font"):
        monkeypatch.setattr(bare, name, lambda: True)
    monkeypatch.setattr(bare, "loads", lambda library: True)
    assert bare.prepare(pytest.fail, pytest.fail) == []


def test_root_installs(bare: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    ran: list[list[str]] = []

    def run(command: list[str]) -> bool:
        ran.append(command)
        for name in ("loads", "has_compiler", "has_font"):
            monkeypatch.setattr(bare, name, lambda *_: True)
        return True

    assert bare.prepare(lambda text: None, run) == []
    assert ran[0] == ["apt-get", "update"]
    assert ran[1][:3] == ["apt-get", "install", "-y"]


def test_a_failed_installation_is_said(bare: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    said: list[str] = []
    assert "g++" in bare.prepare(said.append, lambda command: False)
    assert "apt-get update && apt-get install -y" in said[-1]


def test_others_get_the_one_command(bare: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    said: list[str] = []
    assert "g++" in bare.prepare(said.append, pytest.fail)
    assert "sudo apt-get install -y" in said[0]


def test_another_linux_is_told_what(bare: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    said: list[str] = []
    assert "libegl1" in bare.prepare(said.append, pytest.fail)
    assert "package manager" in said[0]


def test_a_mac_without_compiler(bare: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    said: list[str] = []
    assert bare.prepare(said.append, pytest.fail) == ["g++"]
    assert "xcode-select --install" in said[0]


@pytest.mark.skipif(not READELF or sys.platform != "linux", reason="reads Linux libraries with binutils")
def test_the_table_covers_what_qt_links_to(machine: ModuleType) -> None:
    """Every system library that Qt's parts name is in the table, or belongs to every Debian."""
    import PySide6

    folder = Path(str(PySide6.__file__)).parent / "Qt"
    everywhere = ("libc.so", "libm.so", "libdl.so", "libpthread.so", "librt.so", "libresolv.so", "ld-linux")
    own = {path.name for path in (folder / "lib").iterdir()}
    for part in ("lib/libQt6Widgets.so.6", "lib/libQt6Pdf.so.6", "plugins/platforms/libqxcb.so"):
        needed = re.findall(r"NEEDED.*\[(.+)\]", subprocess.check_output([READELF, "-d", folder / part], text=True))
        assert "libQt6Core.so.6" in needed
        for library in needed:
            known = library in own or library in machine.LIBRARIES or library.startswith(everywhere)
            assert known or library in ("libstdc++.so.6", "libgcc_s.so.1"), f"{part} needs {library}"
