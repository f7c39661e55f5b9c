"""A Debian package out of a staged tree: its control files, its dependencies as the linker sees them, the archive."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import textwrap
from dataclasses import dataclass
from pathlib import Path

import tree

MAINTAINER = "The Desktop RAG developers <desktop-rag@users.noreply.github.com>"
HOMEPAGE = "https://github.com/desktop-rag/desktop-rag"
_GIVEN = re.compile(r"^shlibs:Depends=(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Package:
    """What its control file says; `depends` besides what its libraries ask for."""

    name: str
    version: str
    summary: str
    text: str
    depends: tuple[str, ...] = ()
    recommends: tuple[str, ...] = ()
    suggests: tuple[str, ...] = ()
    scripts: tuple[Path, ...] = ()


def debian_version(version: str) -> str:
    """A version of Python's as Debian sorts it: what comes before a release is smaller than the release."""
    return re.sub(r"\.?(a|b|rc)(\d+)", r"~\1\2", re.sub(r"\.dev(\d+)", r"~~dev\1", version))


def library_packages(stage: Path, work: Path) -> list[str]:
    """The packages of Debian that hold the libraries which the programs below `stage` ask for (dpkg-shlibdeps)."""
    shutil.rmtree(work, ignore_errors=True)
    (work / "debian").mkdir(parents=True)
    (work / "debian/control").write_text("Source: desktop-rag\n\nPackage: desktop-rag\nArchitecture: amd64\n")
    (stage / "DEBIAN").mkdir(exist_ok=True)  # by this it knows a package's tree
    files = tree.elf_files(stage)
    own = sorted({str(path.parent) for path in files})
    command = ["dpkg-shlibdeps", "-O", "--ignore-missing-info", "--warnings=0"]
    command += [f"-l{folder}" for folder in own] + [f"-e{path}" for path in files]
    said = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
    found = _GIVEN.search(said.stdout)
    if said.returncode != 0 or found is None:
        raise SystemExit(f"dpkg-shlibdeps failed:\n{said.stderr[-2000:]}")
    return sorted(row.strip() for row in found.group(1).split(","))


def write(package: Package, stage: Path, target: Path, *, compression: list[str]) -> Path:
    """Put the control files beside the staged tree and pack it; returns the .deb."""
    control = stage / "DEBIAN"
    shutil.rmtree(control, ignore_errors=True)
    files = sorted(path for path in stage.rglob("*") if path.is_file() and not path.is_symlink())
    kilobytes = sum(-(-path.stat().st_size // 1024) for path in files)
    control.mkdir(parents=True)
    rows = [
        f"Package: {package.name}",
        f"Version: {package.version}",
        "Architecture: amd64",
        f"Maintainer: {MAINTAINER}",
        f"Installed-Size: {kilobytes}",
        *(f"{field}: {', '.join(names)}" for field, names in _relations(package) if names),
        "Section: text",
        "Priority: optional",
        f"Homepage: {HOMEPAGE}",
        f"Description: {package.summary}",
        *_described(package.text),
    ]
    (control / "control").write_text("\n".join(rows) + "\n", encoding="utf-8")
    sums = (f"{_md5(path)}  {path.relative_to(stage)}\n" for path in files)
    (control / "md5sums").write_text("".join(sums), encoding="utf-8")
    for script in package.scripts:
        shutil.copyfile(script, control / script.name)
    _set_modes(stage, {script.name for script in package.scripts})
    target.mkdir(parents=True, exist_ok=True)
    made = target / f"{package.name}_{package.version}_amd64.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", *compression, "--build", str(stage), str(made)], check=True)
    return made


def _described(text: str) -> list[str]:
    """Its paragraphs as the long description: lines that a terminal of 80 columns holds, a dot between them."""
    paragraphs = [textwrap.wrap(paragraph, 78) for paragraph in text.strip().split("\n\n")]
    return [f" {line}" for lines in paragraphs for line in (".", *lines)][1:]


def _relations(package: Package) -> list[tuple[str, tuple[str, ...]]]:
    return [("Depends", package.depends), ("Recommends", package.recommends), ("Suggests", package.suggests)]


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _set_modes(stage: Path, scripts: set[str]) -> None:
    for folder, _folders, names in os.walk(stage):
        Path(folder).chmod(0o755)
        for name in names:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755 if _runs(path) or (Path(folder).name == "DEBIAN" and name in scripts) else 0o644)


def _runs(path: Path) -> bool:
    """Whether it is a program: what wheels mark so are also libraries and licences."""
    if not os.access(path, os.X_OK) or ".so" in path.suffixes:
        return False
    with path.open("rb") as file:
        return file.read(4).startswith((b"\x7fELF", b"#!"))
