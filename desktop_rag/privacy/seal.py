"""Sealed mode: the operating system refuses this process, its children and its libraries every way to the network.

On Linux a seccomp filter does it without privileges (see `seccomp`), for native code as for Python.
Everywhere an audit hook refuses connections and look-ups made by Python code; on other systems that
is all there is, and `seal` says so.

What stays open, to be honest about it. A sealed process may write files as its user may; what another
program later does with them is not the seal's affair. A process that may speak to services of this
computer (the library, whose key can lie in the system's keyring) could be made to ask one of them to
connect, if its own code were taken over; the process that reads untrusted files and those that run
models may not. Where the kernel lets one process of a user read another's memory through /proc
(no Yama), the window is not protected from it; the network role is.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from desktop_rag.errors import NetworkError
from desktop_rag.privacy import seccomp

ENFORCED, WATCHED = "seccomp", "audit"
SOCKET, CONNECTION, LOOK_UP = "socket", "connection", "look-up"
Noted = Callable[[str, str], None]
"""Told of every attempt of Python code that is refused: "socket", "connection" or "look-up", and which module tried."""

_AF_UNIX = 1
_CONNECTING = frozenset({"socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg"})
_LOOKING_UP = frozenset({f"socket.{name}" for name in ("getaddrinfo", "gethostbyname", "gethostbyaddr", "getnameinfo")})


def seal(*, local: bool = True, refused: Noted | None = None) -> str:
    """Seal this process for good; returns "seccomp" where the system enforces it, else "audit".

    `local`: services of this computer may be spoken to.
    """
    enforced = seccomp.install(local=local) if sys.platform == "linux" else False
    if enforced:
        _look_up_in_files_only()
    watch(local=local, refused=refused)
    return ENFORCED if enforced else WATCHED


def watch(*, local: bool = True, refused: Noted | None = None) -> None:
    """The audit hook alone: Python code of this process is refused connections and look-ups."""

    def hook(event: str, args: tuple[Any, ...]) -> None:
        what = _attempt(event, args, local=local)
        if what is None:
            return
        if refused is not None:
            refused(what, _asking_module())
        done = "look up an address" if what == LOOK_UP else "open a connection"
        raise NetworkError("sealed", f"This part of the application may not {done}.")

    sys.addaudithook(hook)


def _attempt(event: str, args: tuple[Any, ...], *, local: bool) -> str | None:
    """What an audit event would do that a sealed process may not, None for anything else."""
    if event == "socket.__new__":
        # A pair of sockets is made by this event too, so the local family has to pass here.
        return SOCKET if len(args) > 1 and int(args[1]) != _AF_UNIX else None
    if event in _LOOKING_UP:
        return LOOK_UP
    if event not in _CONNECTING:
        return None
    # A socket may be older than the seal; one of a pair has no address to send a message to.
    stays = args[0].family == _AF_UNIX and (local or (event == "socket.sendmsg" and args[1] is None))
    return None if stays else CONNECTION


def _asking_module() -> str:
    """The module that called Python's own socket module."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__") in (__name__, "socket"):
        frame = frame.f_back
    return str(frame.f_globals.get("__name__")) if frame is not None else "unknown"


def _look_up_in_files_only() -> None:
    """Tell the C library to find hosts in files: else it would ask a local service, which asks the network."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "__nss_configure_lookup"):  # glibc
        libc.__nss_configure_lookup(b"hosts", b"files")
