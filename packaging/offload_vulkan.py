"""What llama.cpp's Vulkan backend needs on Debian 12: a shader compiler, newer headers, a device in software.

Debian 12's headers (1.3.239) are too old to compile the backend, and its glslc and loader are new
enough. So only the headers come from Debian 13, unpacked into a folder of their own: nothing of the
newer system is installed. Mesa's llvmpipe then is a Vulkan device on any processor.
"""

from __future__ import annotations

import ctypes.util
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

PACKAGES = ("glslc", "mesa-vulkan-drivers", "libvulkan1")
HEADERS = ("libvulkan-dev", "spirv-headers")
NEWER = "trixie"
MIRROR = "http://deb.debian.org/debian"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
# Without a choice the library hides devices that are only software.
ENVIRONMENT = {"GGML_VK_VISIBLE_DEVICES": "0"}

Run = Callable[[list[str]], None]


def build_arguments(folder: Path, run: Run) -> list[str]:
    """Install and unpack what is missing, as root; returns the arguments for CMake.

    `run(command)` carries out one command and raises when it fails.
    """
    if not (shutil.which("glslc") and ctypes.util.find_library("vulkan") and _drivers()):
        run(["apt-get", "update"])
        run(["apt-get", "install", "-y", "--no-install-recommends", *PACKAGES])
    headers = _headers(folder, run)
    include = headers / "usr/include"
    loader = next(Path("/usr/lib").glob("*/libvulkan.so.1"))
    # The SPIR-V headers are found by their CMake files, which lie beside them.
    spirv = next(headers.glob("usr/**/SPIRV-HeadersConfig.cmake")).parent
    return [
        "-DGGML_VULKAN=on",
        f"-DVulkan_INCLUDE_DIR={include}",
        f"-DVulkan_LIBRARY={loader}",
        f"-DSPIRV-Headers_DIR={spirv}",
        f"-DCMAKE_CXX_FLAGS=-isystem{include}",
    ]


def software_driver() -> dict[str, str]:
    """The environment in which the software device is the only one."""
    driver = next((path for path in _drivers() if path.name.startswith("lvp_icd")), None)
    return {**ENVIRONMENT, **({"VK_DRIVER_FILES": str(driver), "VK_ICD_FILENAMES": str(driver)} if driver else {})}


def _drivers() -> list[Path]:
    return sorted(Path("/usr/share/vulkan/icd.d").glob("*.json"))


def _headers(folder: Path, run: Run) -> Path:
    """Debian 13's headers, unpacked below `folder`."""
    unpacked = folder / "headers"
    if not (unpacked / "usr/include/vulkan/vulkan.h").exists() or not any(unpacked.glob("usr/**/SPIRV-Headers*.cmake")):
        apt = _private_apt(folder / "apt")
        run([*apt, "update"])
        # It writes into the folder it is started in.
        run(["env", "-C", str(folder), *apt, "download", *HEADERS])
        for package in sorted(folder.glob("*.deb")):
            run(["dpkg-deb", "-x", str(package), str(unpacked)])
    return unpacked


def _private_apt(root: Path) -> list[str]:
    """apt with lists and sources of its own, so that the machine's stay as they are."""
    for part in ("lists/partial", "cache/archives/partial", "sources"):
        (root / part).mkdir(parents=True, exist_ok=True)
    (root / "status").touch()
    source = root / "sources.list"
    source.write_text(f"deb [signed-by={KEYRING}] {MIRROR} {NEWER} main\n", encoding="utf-8")
    options = {
        "Dir::Etc::SourceList": source,
        "Dir::Etc::SourceParts": root / "sources",
        "Dir::State::Lists": root / "lists",
        "Dir::State::Status": root / "status",
        "Dir::Cache": root / "cache",
        # The download runs as root in a folder that apt's own user cannot write.
        "APT::Sandbox::User": "root",
    }
    return ["apt-get", *(word for name, value in options.items() for word in ("-o", f"{name}={value}"))]


def driver_version() -> str:
    """The installed version of the software device's driver, "" where dpkg does not know it."""
    command = ["dpkg-query", "-W", "-f", "${Version}", "mesa-vulkan-drivers"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"})
    return result.stdout.strip() if result.returncode == 0 else ""
