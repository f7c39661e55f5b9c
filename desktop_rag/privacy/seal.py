"""Sealed mode: the operating system refuses this process, its children and its libraries every socket but local ones.

On Linux a seccomp filter makes `socket()` fail with EACCES for every family but AF_UNIX, without
privileges (no_new_privs). Foreign system-call tables (32-bit, x32) and io_uring, which could reach
the network around the filter, are refused too. Everywhere an audit hook refuses connections and
look-ups made by Python code.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
import sys
from typing import Any

from desktop_rag.errors import NetworkError

_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2
_RET_ALLOW = 0x7FFF0000
_RET_ERRNO = 0x00050000
_AF_UNIX = 1
_X32_BIT = 0x40000000
_IO_URING = (425, 426, 427)
# machine -> (AUDIT_ARCH word, number of socket()); 64-bit tables only
_TABLES = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}

_CONNECTING = frozenset({"socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg"})
_LOOKING_UP = frozenset({f"socket.{name}" for name in ("getaddrinfo", "gethostbyname", "gethostbyaddr", "getnameinfo")})

# BPF operations: load word at offset, jump if equal, jump if greater or equal, return
_LD, _JEQ, _JGE, _RET = 0x20, 0x15, 0x35, 0x06
_NR, _ARCH, _ARG0 = 0, 4, 16


def seal() -> str:
    """Seal this process for good; returns "seccomp" where the system enforces it, else "audit"."""
    enforced = _seccomp() if sys.platform == "linux" else False
    sys.addaudithook(_refuse)
    return "seccomp" if enforced else "audit"


def _refuse(event: str, args: tuple[Any, ...]) -> None:
    opens = event == "socket.__new__" and len(args) > 1 and int(args[1]) != _AF_UNIX
    # A socket may be older than the seal.
    if opens or (event in _CONNECTING and args[0].family != _AF_UNIX):
        raise NetworkError("sealed", "This part of the application may not open a connection.")
    if event in _LOOKING_UP:
        raise NetworkError("sealed", "This part of the application may not look up an address.")


def _program() -> bytes | None:
    """The filter for this machine, as an array of struct sock_filter."""
    table = _TABLES.get(platform.machine())
    if table is None:
        return None
    arch, socket_call = table
    rules: list[tuple[int, int, int, int]] = [
        (_LD, 0, 0, _ARCH),
        (_JEQ, 1, 0, arch),
        (_RET, 0, 0, _RET_ERRNO | errno.EACCES),
        (_LD, 0, 0, _NR),
        (_JGE, 0, 1, _X32_BIT),
        (_RET, 0, 0, _RET_ERRNO | errno.EACCES),
    ]
    for call in _IO_URING:
        rules += [(_JEQ, 0, 1, call), (_RET, 0, 0, _RET_ERRNO | errno.ENOSYS)]
    rules += [
        (_JEQ, 0, 3, socket_call),
        (_LD, 0, 0, _ARG0),
        (_JEQ, 1, 0, _AF_UNIX),
        (_RET, 0, 0, _RET_ERRNO | errno.EACCES),
        (_RET, 0, 0, _RET_ALLOW),
    ]
    return b"".join(struct.pack("HBBI", code, true, false, value) for code, true, false, value in rules)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def _seccomp() -> bool:
    code = _program()
    if code is None:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    zero = ctypes.c_ulong(0)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), zero, zero, zero) != 0:
        return False
    program = _Program(len(code) // 8, code)
    return bool(
        libc.prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_SECCOMP_MODE_FILTER), ctypes.byref(program), zero, zero) == 0
    )
