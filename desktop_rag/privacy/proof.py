"""The proof of the seal: this very process tries to reach the network and tells what the system answered.

Everything here calls the C library directly, below Python's own sockets and audit hooks, so it shows
what native code could do. Only this computer is addressed (127.0.0.1 and ::1, a port nobody listens
on), so the attempt harms nothing where it succeeds: in a process that is not sealed, sockets open,
and the proof says so.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import platform
import stat
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from desktop_rag.privacy.seal import ENFORCED, WATCHED

DISCARD = 9
REFUSED, OPEN, CONNECTED, LOCAL, NO_ANSWER = "refused", "open", "connected", "local only", "no answer"
NONE, FOUND, NOT_TRIED = "none", "found", "not tried"
ATTEMPT = "attempt"
"""`desktop-rag worker attempt PORT` tries to connect, in the seal of whoever starts it, and prints what came of it."""
_OPENED = (OPEN, CONNECTED, FOUND)

_LINUX = sys.platform == "linux"
_AF_UNIX, _AF_INET, _AF_NETLINK, _AF_PACKET = 1, 2, 16, 17
_AF_INET6 = 30 if sys.platform == "darwin" else 10
_STREAM, _RAW = 1, 3
_SOL_SOCKET, _SO_DOMAIN = 1, 39
_IO_URING_SETUP, _X32_SOCKET = 425, 0x40000000 + 41
# A name that can never exist (RFC 6761), so that asking for it tells nobody anything.
_NO_NAME = b"proof.invalid"
_CHILD_SECONDS = 20.0

# What the C library says of a look-up that fails.
_UNKNOWN = {-2: "EAI_NONAME", -3: "EAI_AGAIN", -4: "EAI_FAIL", -11: "EAI_SYSTEM"}

_PROVED = "The operating system refused every attempt to reach the network."
_LOCAL_TOO = " Services of this computer stay open to it, for the key can lie in the system's keyring."
_NOT_PROVED = "This process can open connections."
NO_STRONGER_LOCK = (
    "This system offers no stronger lock: connections of Python code are refused, those of native code are not."
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way to the network that was tried: what came of it, and the system's own error name if there was one."""

    call: str
    result: str
    errno: str | None = None


def prove(seal: str, port: int = DISCARD) -> dict[str, Any]:
    """Try every way out: {"seal", "sealed", "words", "attempts": [{"call", "result", "errno"}]}.

    `seal` is what `seal()` returned; "sealed" only when the system enforces it and refused every attempt.
    """
    attempts = list(_attempts(port)) if sys.platform != "win32" else [Attempt("connect", NOT_TRIED)]
    sealed = seal == ENFORCED and not any(attempt.result in _OPENED for attempt in attempts)
    told = [asdict(attempt) for attempt in attempts]
    return {"seal": seal, "sealed": sealed, "words": _words(seal, sealed, attempts), "attempts": told}


def _words(seal: str, sealed: bool, attempts: list[Attempt]) -> str:
    if seal == WATCHED:
        return NO_STRONGER_LOCK
    if not sealed:
        return _NOT_PROVED
    return _PROVED + (_LOCAL_TOO if any(attempt.result == LOCAL for attempt in attempts) else "")


def unanswered(words: str) -> dict[str, Any]:
    """What stands for the proof of a process that could not be asked, with the reason."""
    return {"seal": None, "sealed": None, "words": words, "attempts": []}


def connect_v4(port: int) -> Attempt:
    """A native connect to 127.0.0.1."""
    address = _family(_AF_INET) + struct.pack(">H4s8x", port, bytes((127, 0, 0, 1)))
    return _connect(f"connect to 127.0.0.1:{port} (IPv4)", _AF_INET, address)


def _attempts(port: int) -> Iterator[Attempt]:
    first = connect_v4(port)
    yield first
    address = _family(_AF_INET6) + struct.pack(">HI16sI", port, 0, bytes(15) + b"\x01", 0)
    yield _connect(f"connect to [::1]:{port} (IPv6)", _AF_INET6, address)
    if _LINUX:
        yield _socket("socket of the kernel's network table (netlink)", _AF_NETLINK)
        yield _socket("socket for raw packets", _AF_PACKET)
        yield _io_uring()
        if platform.machine() == "x86_64":
            yield _foreign_table()
    yield _local_service()
    yield _look_up(first.result)
    yield _child(port)
    if _LINUX:
        yield _older_sockets()
        yield _threads()


def _libc() -> ctypes.CDLL:
    ctypes.set_errno(0)
    return ctypes.CDLL(None, use_errno=True)


def _name() -> str:
    return errno.errorcode.get(ctypes.get_errno(), str(ctypes.get_errno()))


def _family(family: int) -> bytes:
    """The head of a socket address; BSD systems put its length first."""
    if _LINUX:
        return struct.pack("=H", family)
    return struct.pack("BB", 16 if family == _AF_INET else 28, family)


def _connect(call: str, family: int, address: bytes) -> Attempt:
    libc = _libc()
    number = libc.socket(family, _STREAM, 0)
    if number < 0:
        return Attempt(call, REFUSED, _name())
    reached = libc.connect(number, address, len(address)) == 0
    attempt = Attempt(call, CONNECTED) if reached else Attempt(call, OPEN, _name())
    libc.close(number)
    return attempt


def _socket(call: str, family: int) -> Attempt:
    libc = _libc()
    return _closed(call, libc, libc.socket(family, _RAW, 0))


def _io_uring() -> Attempt:
    libc = _libc()
    number = libc.syscall(ctypes.c_long(_IO_URING_SETUP), ctypes.c_long(1), ctypes.create_string_buffer(120))
    return _closed("io_uring, which works around system calls", libc, number)


def _foreign_table() -> Attempt:
    libc = _libc()
    arguments = map(ctypes.c_long, (_X32_SOCKET, _AF_INET, _STREAM, 0))
    return _closed("socket by another table of system calls (x32)", libc, libc.syscall(*arguments))


def _closed(call: str, libc: ctypes.CDLL, number: int) -> Attempt:
    if number < 0:
        return Attempt(call, REFUSED, _name())
    libc.close(number)
    return Attempt(call, OPEN)


def _local_service() -> Attempt:
    """Services of this computer may be open to a process that needs the keyring; the network is not behind them."""
    call = "connect to a service of this computer"
    # An abstract address nobody holds: whoever gets as far as the kernel is told ECONNREFUSED.
    attempt = _connect(call, _AF_UNIX, _family(_AF_UNIX) + b"\0desktop-rag-proof")
    if attempt.errno in ("EACCES", "ENOENT") and _LINUX:
        return Attempt(call, REFUSED, attempt.errno)
    return Attempt(call, LOCAL, attempt.errno)


def _look_up(connecting: str) -> Attempt:
    """The C library's look-up, only where nothing can come of it: elsewhere the question would leave this computer."""
    call = "look-up of a name (getaddrinfo)"
    if connecting != REFUSED:
        return Attempt(call, NOT_TRIED)
    libc, found = _libc(), ctypes.c_void_p()
    code = libc.getaddrinfo(_NO_NAME, b"80", None, ctypes.byref(found))
    if code == 0:
        libc.freeaddrinfo(found)
        return Attempt(call, OPEN)
    return Attempt(call, NO_ANSWER, _UNKNOWN.get(code, str(code)))


def _child(port: int) -> Attempt:
    """The first attempt again, in a program that this process starts."""
    call = f"connect to 127.0.0.1:{port} in a program started from here"
    # The application itself: installed, there is no other interpreter.
    own = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "desktop_rag"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    try:
        ended = subprocess.run(
            [*own, "worker", ATTEMPT, str(port)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_CHILD_SECONDS,
            env=environment,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return Attempt(call, NOT_TRIED)
    result, name = ended.stdout.split()
    return Attempt(call, result, None if name == "None" else name)


def _older_sockets() -> Attempt:
    """Whether any descriptor is a socket of another family than the local one, from whoever it may be inherited."""
    libc = _libc()
    found = False
    for entry in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):  # it was closed meanwhile
            if stat.S_ISSOCK(os.fstat(int(entry)).st_mode):
                family, size = ctypes.c_int(), ctypes.c_uint(4)
                libc.getsockopt(int(entry), _SOL_SOCKET, _SO_DOMAIN, ctypes.byref(family), ctypes.byref(size))
                found = found or family.value != _AF_UNIX
    return Attempt("network sockets opened earlier", FOUND if found else NONE)


def _threads() -> Attempt:
    """Whether any thread runs without the filter, as the kernel itself tells it."""
    bare = False
    for status in Path("/proc/self/task").glob("*/status"):
        with contextlib.suppress(OSError):  # the thread has ended
            bare = bare or "\nSeccomp:\t2\n" not in status.read_text()
    return Attempt("threads without the filter", FOUND if bare else NONE)
