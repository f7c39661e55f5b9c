"""Sealed mode, seen from inside a sealed process: no way to the network, neither from Python nor below it."""

from __future__ import annotations

import json
import platform
import struct
import subprocess
import sys
from typing import Any

import pytest

from desktop_rag.privacy import seal as sealing

ATTEMPTS = """
import ctypes, errno, json, os, socket, subprocess, sys, threading
from desktop_rag.errors import NetworkError
from desktop_rag.privacy.seal import seal

def attempt(call):
    try:
        call()
    except OSError as error:
        return errno.errorcode[error.errno]
    except NetworkError as error:
        return error.code
    return "open"

def native(family, kind=1):
    libc = ctypes.CDLL(None, use_errno=True)
    number = libc.socket(family, kind, 0)
    return "open" if number >= 0 else errno.errorcode[ctypes.get_errno()]

def thread(call):
    got = []
    one = threading.Thread(target=lambda: got.append(call()))
    one.start()
    one.join()
    return got[0]

CHILD = '''
import errno, socket
for family in (socket.AF_INET, socket.AF_INET6, 16, socket.AF_UNIX):
    try:
        socket.socket(family, socket.SOCK_DGRAM)
    except OSError as error:
        print(errno.errorcode[error.errno])
    else:
        print("open")
'''
IN, IN6, NETLINK, PACKET, UNIX = 2, 10, 16, 17, 1
before = native(IN)
early, local = socket.socket(IN, socket.SOCK_DGRAM), socket.socketpair()
report = {"state": seal(), "before": before}
report["early"] = [
    attempt(lambda: early.bind(("127.0.0.1", 0))),
    attempt(lambda: early.connect(("127.0.0.1", 9))),
    attempt(lambda: early.sendto(b"x", ("127.0.0.1", 9))),
    attempt(lambda: early.sendmsg([b"x"], [], 0, ("127.0.0.1", 9))),
]
report["python"] = [attempt(lambda f=f: socket.socket(f, socket.SOCK_DGRAM)) for f in (IN, IN6, NETLINK)]
report["lookup"] = [
    attempt(lambda: socket.getaddrinfo("localhost", 80)),
    attempt(lambda: socket.gethostbyname("localhost")),
    attempt(lambda: socket.gethostbyname_ex("localhost")),
    attempt(lambda: socket.gethostbyaddr("127.0.0.1")),
    attempt(lambda: socket.getnameinfo(("127.0.0.1", 80), 0)),
]
report["native"] = [native(family) for family in (IN, IN6, NETLINK, PACKET)]
report["thread"] = thread(lambda: native(IN))
report["unix"] = [attempt(lambda: socket.socket(socket.AF_UNIX)), attempt(socket.socketpair), native(UNIX)]
report["unix"].append(attempt(lambda: local[0].sendmsg([b"x"])))
report["child"] = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True).stdout.split()
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    ctypes.set_errno(0)
    value = libc.syscall(ctypes.c_long(number), *map(ctypes.c_long, arguments))
    return errno.errorcode.get(ctypes.get_errno(), "done") if value < 0 else "done"
report["io_uring"] = [call(number, 1, 0) for number in (425, 426, 427)]
report["x32"] = call(0x40000000 + 41, IN, 1, 0)
lines = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
report["status"] = [lines["Seccomp"].strip(), lines["NoNewPrivs"].strip()]
report["again"] = seal()
print(json.dumps(report))
"""

linux_only = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in sealing._TABLES, reason="seccomp filters are for Linux"
)


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    """What a sealed child process could and could not do."""
    result = subprocess.run([sys.executable, "-c", ATTEMPTS], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return dict(json.loads(result.stdout))


@linux_only
def test_the_system_enforces_it(report: dict[str, Any]) -> None:
    assert report["state"] == "seccomp"
    assert report["status"] == ["2", "1"]
    assert report["before"] == "open", "a machine without sockets proves nothing"


@linux_only
def test_native_code_gets_no_socket_but_local_ones(report: dict[str, Any]) -> None:
    assert report["native"] == ["EACCES"] * 4
    assert report["thread"] == "EACCES"


@linux_only
def test_children_inherit_the_seal(report: dict[str, Any]) -> None:
    assert report["child"] == ["EACCES", "EACCES", "EACCES", "open"]


@linux_only
def test_ways_around_the_filter_are_closed(report: dict[str, Any]) -> None:
    assert report["io_uring"] == ["ENOSYS"] * 3
    if platform.machine() == "x86_64":
        assert report["x32"] in ("EACCES", "ENOSYS")


@linux_only
def test_sealing_twice_is_no_error(report: dict[str, Any]) -> None:
    assert report["again"] == "seccomp"


def test_python_code_is_told_in_our_words(report: dict[str, Any]) -> None:
    assert report["python"] == ["sealed"] * 3
    assert report["lookup"] == ["sealed"] * 5


def test_a_socket_older_than_the_seal_leads_nowhere(report: dict[str, Any]) -> None:
    assert report["early"] == ["sealed"] * 4


def test_local_sockets_work(report: dict[str, Any]) -> None:
    assert report["unix"] == ["open"] * 4


def verdict(program: bytes, arch: int, call: int, family: int) -> int:
    """Run a filter as the kernel does: on (arch, call number, first argument)."""
    data = {4: arch, 0: call, 16: family}
    rules = [struct.unpack("HBBI", program[at : at + 8]) for at in range(0, len(program), 8)]
    at = accumulator = 0
    while True:
        code, true, false, value = rules[at]
        at += 1
        match code:
            case 0x20:
                accumulator = data[value]
            case 0x15:
                at += true if accumulator == value else false
            case 0x35:
                at += true if accumulator >= value else false
            case 0x06:
                return int(value)
            case _:
                pytest.fail(f"unknown instruction {code:#x}")


@pytest.mark.parametrize("machine", sorted(sealing._TABLES))
def test_the_filter_of_every_machine_decides_the_same(machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    arch, socket_call = sealing._TABLES[machine]
    program = sealing._program()
    assert program is not None
    allow, refuse, absent = 0x7FFF0000, 0x00050000 | 13, 0x00050000 | 38
    for family in range(64):
        assert verdict(program, arch, socket_call, family) == (allow if family == 1 else refuse)
    for call in (*range(424), *range(428, 500)):
        if call != socket_call:
            assert verdict(program, arch, call, 2) == allow
    for call in (425, 426, 427):
        assert verdict(program, arch, call, 2) == absent
    assert verdict(program, arch, 0x40000000 + socket_call, 2) == refuse
    for foreign in (0x40000003, 0x40000028, 0):  # i386, arm, nothing
        assert verdict(program, foreign, 1, 1) == refuse


def test_a_machine_without_a_filter_is_not_called_enforced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert sealing._program() is None
    assert sealing._seccomp() is False
