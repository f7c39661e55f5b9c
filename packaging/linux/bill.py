"""What the package consists of: a bill of materials (CycloneDX 1.6), the copyright file, every licence in full."""

from __future__ import annotations

import importlib.metadata
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from contents import HERE, MODELS_FOLDER
from cyclonedx.factory.license import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from desktop_rag.models.catalogue import find

_LICENCE_FILE = re.compile(r"(licen[cs]e|copying|notice|authors)", re.IGNORECASE)
_LICENCE_FOLDERS = {"licenses", "LICENSES", "BUILD_LICENSES"}
# Texts that a wheel should bring and does not, one file a part.
_TEXTS = HERE / "files/licences"
_COMMON = re.compile("Apache|LGPL")  # those lie in /usr/share/common-licenses
# What distributions carry inside without saying so in their metadata: name, version's distribution, licence, why.
_INSIDE = (
    ("llama.cpp", "llama-cpp-python", "MIT"),
    ("Qt", "pyside6-essentials", "LGPL-3.0-only"),
    ("ICU", "pyside6-essentials", "Unicode-3.0"),
    ("PDFium", "pypdfium2", "BSD-3-Clause AND Apache-2.0"),
    ("SQLCipher", "sqlcipher3-wheels", "BSD-3-Clause"),
    ("OpenSSL", "sqlcipher3-wheels", "Apache-2.0"),
    ("OpenSSL", "cryptography", "Apache-2.0"),
    ("Intel oneMKL", "ctranslate2", "LicenseRef-Intel-Simplified-Software-License"),
    ("oneDNN", "ctranslate2", "Apache-2.0"),
    ("Kompute", "gpt4all", "Apache-2.0"),
    ("fmt", "gpt4all", "MIT"),
    ("OpenBLAS", "numpy", "BSD-3-Clause"),
    ("PP-OCRv6 small", "rapidocr", "Apache-2.0"),
)
# Metadata that names no licence, or not by its identifier; read in the distribution itself.
_KNOWN = {
    "pyside6-essentials": "LGPL-3.0-only",
    "pyside6-pdf": "LGPL-3.0-only",
    "shiboken6": "LGPL-3.0-only",
}


@dataclass(frozen=True)
class Part:
    """One component; `files` are its licence texts."""

    name: str
    version: str
    licence: str
    kind: str
    purl: str | None = None
    files: tuple[Path, ...] = field(default=())


def parts(distributions: Iterable[str], models: Sequence[str]) -> list[Part]:
    """Everything that is shipped, by name."""
    names = sorted(distributions)
    found = [_distribution(name) for name in names]
    for name, carrier, licence in _INSIDE:
        if carrier in names or (carrier == "rapidocr" and "onnxruntime" in names):
            version = f"as in {carrier} {importlib.metadata.version(carrier)}"
            found.append(Part(name, version, licence, "library", files=_own_text(name)))
    for model in models:
        entry = find(model)
        texts = tuple(path for path in (MODELS_FOLDER / model).glob("LICENSE*") if path.is_file()) or _own_text(model)
        found.append(Part(model, entry.source.version or "converted", entry.licence, "model", files=texts))
    if "numpy" in names:
        found.append(Part("CPython", _python_version(), "PSF-2.0", "library", files=_python_licence()))
    return sorted(found, key=lambda part: part.name.casefold())


def cyclonedx(name: str, version: str, found: Sequence[Part]) -> str:
    """The bill as CycloneDX 1.6 JSON."""
    licences = LicenseFactory()
    bill = Bom()
    bill.metadata.component = Component(
        name=name, version=version, type=ComponentType.APPLICATION, licenses=[licences.make_from_string("Apache-2.0")]
    )
    for part in found:
        bill.components.add(
            Component(
                name=part.name,
                version=part.version,
                type=ComponentType.MACHINE_LEARNING_MODEL if part.kind == "model" else ComponentType.LIBRARY,
                licenses=[licences.make_from_string(part.licence)],
                purl=PackageURL.from_string(part.purl) if part.purl else None,
            )
        )
    bill.register_dependency(bill.metadata.component, bill.components)
    return str(JsonV1Dot6(bill).output_as_string(indent=1))


def copyright_of(found: Sequence[Part]) -> str:
    """The Debian copyright file: the application's own licence, then each part with its."""
    width = max(len(part.name) + len(part.version) for part in found) + 2
    lines = [
        "Desktop RAG is licensed under the Apache License, Version 2.0: /usr/share/common-licenses/Apache-2.0",
        "It contains the following parts. Their licences and notices are in the folder licences beside this file;",
        "the Apache License 2.0 and the LGPL, which many share, are in /usr/share/common-licenses.",
        "",
        "Qt and PySide6 (LGPL) are shared libraries in /opt/desktop-rag/_internal: libraries of your own with the same",
        "names take their places. Their sources: https://download.qt.io/official_releases/",
        "",
        *(f"{part.name + ' ' + part.version:<{width}} {part.licence}" for part in found),
    ]
    return "\n".join(lines) + "\n"


def licences(found: Sequence[Part], folder: Path) -> None:
    """Every licence text that the parts bring, one folder a part. SystemExit for one whose terms nobody could read."""
    for part in found:
        carried = part.version.startswith("as in ")  # its text is among its carrier's
        if not part.files and not carried and not _COMMON.search(part.licence):
            raise SystemExit(f"{part.name} brings no licence text: put it into {_TEXTS}.")
        for number, file in enumerate(part.files):
            target = folder / part.name / (file.name if number == 0 else f"{number}-{file.name}")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)


def _distribution(name: str) -> Part:
    distribution = importlib.metadata.distribution(name)
    metadata = distribution.metadata
    files = tuple(
        Path(str(file.locate()))
        for file in distribution.files or []
        if (_LICENCE_FILE.search(file.name) or file.parent.name in _LICENCE_FOLDERS)
        and file.suffix not in (".py", ".pyc", ".so", ".h", ".json")
    )
    version = distribution.version
    texts = files or _own_text(name)
    return Part(name, version, _licence(name, metadata), "library", f"pkg:pypi/{name}@{version}", texts)


def _own_text(name: str) -> tuple[Path, ...]:
    return tuple(path for path in _TEXTS.glob("*.txt") if name == path.stem or name.startswith(f"{path.stem}-"))


def _licence(name: str, metadata: importlib.metadata.PackageMetadata) -> str:
    if name in _KNOWN:
        return _KNOWN[name]
    told = metadata.get("License-Expression") or ""
    classified = [
        row.rpartition(" :: ")[2] for row in metadata.get_all("Classifier") or [] if row.startswith("License")
    ]
    short = (metadata.get("License") or "").strip().splitlines()
    return str(told or " AND ".join(classified) or (short[0] if short else "not stated"))


def _python_version() -> str:
    """Its own, or that of Debian's package, whose last part counts the repairs."""
    version = platform.python_version()
    if sys.base_prefix != "/usr":
        return version
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    asked = ["dpkg-query", "--show", "--showformat", "${Version}", name]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip() or version


def _python_licence() -> tuple[Path, ...]:
    place = Path(sys.base_prefix) / f"lib/python{sys.version_info.major}.{sys.version_info.minor}/LICENSE.txt"
    return (place,) if place.is_file() else ()
