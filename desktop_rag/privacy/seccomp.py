"""The filter that Linux runs before every system call of a sealed process, and how it is put in place.

A call that would reach the network gets an error number instead of being carried out. Refused are:
sockets of every family but AF_UNIX (EACCES); system-call tables of other machines (32-bit, x32) and
io_uring, which would go around the filter; reaching into other processes that may hold sockets
(ptrace, their memory, their file descriptors); typing into the terminal (TIOCSTI).

Sockets of this computer (AF_UNIX) lead to services that could connect on a process's behalf, such as
a look-up service, a message bus or Docker. Unless `local` allows them, nothing may be addressed by a
socket at all: `connect` says ENOENT, as it does on a machine without such a service, because drivers
of graphics cards ask for one and go on only where there is none.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
from collections.abc import Iterable
from dataclasses import dataclass

_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_SECCOMP = 22
_MODE_FILTER = 2
_ALLOW = 0x7FFF0000
_ERRNO = 0x00050000
_AF_UNIX = 1
_X32_BIT = 0x40000000
_IO_URING = (425, 426, 427)
_PIDFD_GETFD = 438
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C

# BPF operations: load word at offset, jump if equal, jump if greater or equal, return
_LD, _JEQ, _JGE, _RET = 0x20, 0x15, 0x35, 0x06
# Where things lie in struct seccomp_data; arguments are 64 bits wide, the low word first on these machines.
_NR, _ARCH, _ARGUMENTS = 0, 4, 16

_Rule = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Table:
    """The numbers of a machine's 64-bit system calls, and its AUDIT_ARCH word."""

    arch: int
    socket: int
    connect: int
    sendto: int
    ioctl: int
    listening: tuple[int, ...]
    """bind, listen, accept, accept4"""
    messages: tuple[int, ...]
    """sendmsg, sendmmsg: the address lies in memory, where a filter cannot look"""
    others: tuple[int, ...]
    """ptrace, process_vm_readv, process_vm_writev: into other processes"""


TABLES = {
    "x86_64": Table(0xC000003E, 41, 42, 44, 16, (49, 50, 43, 288), (46, 307), (101, 310, 311)),
    "aarch64": Table(0xC00000B7, 198, 203, 206, 29, (200, 201, 202, 242), (211, 269), (117, 270, 271)),
}


def program(machine: str, *, local: bool) -> bytes | None:
    """The filter as an array of struct sock_filter, None for a machine whose calls are not known.

    `local`: sockets of this computer may be addressed.
    """
    table = TABLES.get(machine)
    if table is None:
        return None
    rules = [
        (_LD, 0, 0, _ARCH),
        (_JEQ, 1, 0, table.arch),
        _refuse(errno.EACCES),
        (_LD, 0, 0, _NR),
        (_JGE, 0, 1, _X32_BIT),
        _refuse(errno.EACCES),
        *_each(_IO_URING, errno.ENOSYS),
        *_each((*table.others, _PIDFD_GETFD), errno.EPERM),
        *_when(table.ioctl, _typing()),
        *([] if local else _nothing_addressed(table)),
        *_when(
            table.socket,
            [(_LD, 0, 0, _ARGUMENTS), (_JEQ, 1, 0, _AF_UNIX), _refuse(errno.EACCES), (_RET, 0, 0, _ALLOW)],
        ),
        (_RET, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("HBBI", *rule) for rule in rules)


def _refuse(number: int) -> _Rule:
    return _RET, 0, 0, _ERRNO | number


def _when(call: int, rules: list[_Rule]) -> list[_Rule]:
    """Rules for one call; they end by returning, for they may overwrite the call's number."""
    return [(_JEQ, 0, len(rules), call), *rules]


def _each(calls: Iterable[int], number: int) -> list[_Rule]:
    return [rule for call in calls for rule in _when(call, [_refuse(number)])]


def _typing() -> list[_Rule]:
    """ioctl: no key strokes for the terminal a command was started from, whose shell would carry them out."""
    return [
        (_LD, 0, 0, _ARGUMENTS + 8),
        (_JEQ, 1, 0, _TIOCSTI),
        (_JEQ, 0, 1, _TIOCLINUX),
        _refuse(errno.EPERM),
        (_RET, 0, 0, _ALLOW),
    ]


def _nothing_addressed(table: Table) -> list[_Rule]:
    """No connecting, listening or sending to an address; a pair of sockets works, as a pipe does."""
    address = _ARGUMENTS + 4 * 8
    with_address = [
        (_LD, 0, 0, address),
        (_JEQ, 0, 2, 0),
        (_LD, 0, 0, address + 4),
        (_JEQ, 1, 0, 0),
        _refuse(errno.EACCES),
        (_RET, 0, 0, _ALLOW),
    ]
    return [
        *_each((table.connect,), errno.ENOENT),
        *_each((*table.listening, *table.messages), errno.EACCES),
        *_when(table.sendto, with_address),
    ]


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def install(*, local: bool) -> bool:
    """Put the filter on this thread and all it starts, for good; False where the system does not take it."""
    code = program(platform.machine(), local=local)
    if code is None:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    zero = ctypes.c_ulong(0)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), zero, zero, zero) != 0:
        return False
    filled = _Program(len(code) // 8, code)
    return bool(libc.prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_MODE_FILTER), ctypes.byref(filled), zero, zero) == 0)
