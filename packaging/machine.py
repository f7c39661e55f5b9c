"""What the machine itself must bring: a C++ compiler, OpenMP, Qt's system libraries, a font.

Asks the dynamic loader for each library, because that is what decides at run time, and maps what
is missing to Debian's package names. As root it installs them; otherwise it names the one command.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

COMPILER = "g++"

# Library the loader is asked for -> Debian package. What Qt's core, PDF, xcb and Wayland parts link to.
LIBRARIES = {
    "libgomp.so.1": "libgomp1",
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libgssapi_krb5.so.2": "libgssapi-krb5-2",
    "libbrotlidec.so.1": "libbrotli1",
    "libzstd.so.1": "libzstd1",
    "libz.so.1": "zlib1g",
    "libX11.so.6": "libx11-6",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb.so.1": "libxcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-glx.so.0": "libxcb-glx0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libwayland-egl.so.1": "libwayland-egl1",
}
FONT = "fonts-dejavu-core"

Say = Callable[[str], None]
Run = Callable[[list[str]], bool]


def loads(library: str) -> bool:
    """Whether the dynamic loader finds `library`."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def has_compiler() -> bool:
    """Whether a C++ compiler is on the path (or named in $CXX)."""
    names = [os.environ.get("CXX", ""), "c++", "g++", "clang++", "cl"]
    return any(name and shutil.which(name.split()[0]) for name in names)


def has_font() -> bool:
    """Whether fontconfig, or the folders it looks in, offer any font."""
    if shutil.which("fc-list"):
        return bool(subprocess.run(["fc-list"], capture_output=True, check=False).stdout.strip())
    folders = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts")
    return any(next(Path(folder).expanduser().rglob("*.[to]tf"), None) for folder in folders)


def missing_packages(libraries: Iterable[str] = LIBRARIES) -> list[str]:
    """Debian packages this Linux machine lacks, each once."""
    wanted = [LIBRARIES[library] for library in libraries if not loads(library)]
    if not has_compiler():
        wanted.insert(0, COMPILER)
    if importlib.util.find_spec("ensurepip") is None:
        wanted.insert(0, f"python3.{sys.version_info.minor}-venv")
    if not has_font():
        wanted.append(FONT)
    return list(dict.fromkeys(wanted))


def prepare(say: Say, run: Run) -> list[str]:
    """Install what is missing where that is allowed, else say how; returns the packages still missing.

    `run(command)` carries out one command and tells whether it succeeded.
    """
    if not sys.platform.startswith("linux"):
        return _other_system(sys.platform, say)
    wanted = missing_packages()
    if not wanted:
        return []
    if not shutil.which("apt-get"):
        say(f"Missing here (Debian's names): {', '.join(wanted)}. Install them with your system's package manager.")
        return wanted
    command = ["apt-get", "install", "-y", "--no-install-recommends", *wanted]
    if os.geteuid() != 0:
        say(f"Some system packages are missing. This installs them:\n    sudo {' '.join(command)}")
        return wanted
    say(f"Installing system packages: {' '.join(wanted)}")
    if not (run(["apt-get", "update"]) and run(command)):
        say(f"That did not work. By hand:\n    apt-get update && {' '.join(command)}")
    return missing_packages()


def _other_system(system: str, say: Say) -> list[str]:
    if has_compiler():
        return []
    if system == "darwin":
        say("A C++ compiler is missing. This installs it:\n    xcode-select --install")
    else:
        say("A C++ compiler is missing. Install “Visual Studio Build Tools” with “Desktop development with C++”.")
        # Its cl.exe is on the path only in a developer prompt, and CMake finds it without.
        return []
    return [COMPILER]
