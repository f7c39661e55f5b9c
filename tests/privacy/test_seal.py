"""Sealed mode, seen from inside a sealed process: no way to the network, neither from Python nor below it."""

from __future__ import annotations

import json
import platform
import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from desktop_rag.privacy import seccomp

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

STRICT = """
import ctypes, errno, fcntl, json, os, socket, struct, sys, tempfile
from desktop_rag.errors import NetworkError
folder = tempfile.mkdtemp()
service = socket.socket(socket.AF_UNIX)
service.bind(folder + "/service")
service.listen()
terminal, _ = os.openpty()
early = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
unsealed = os.fork()
if unsealed == 0:
    import time
    time.sleep(60)
    os._exit(0)
noted = []
from desktop_rag.privacy.seal import seal
report = {"state": seal(local=False, refused=lambda *told: noted.append(told))}
libc = ctypes.CDLL(None, use_errno=True)

def native(function, *arguments):
    ctypes.set_errno(0)
    return "done" if getattr(libc, function)(*arguments) >= 0 else errno.errorcode[ctypes.get_errno()]

def attempt(call):
    try:
        call()
    except OSError as error:
        return errno.errorcode[error.errno]
    except NetworkError as error:
        return error.code
    return "done"

address = struct.pack("=H", 1) + (folder + "/service").encode()
number = libc.socket(1, 1, 0)
report["connect"] = native("connect", number, address, len(address))
report["bind"] = native("bind", number, address + b"2", len(address) + 1)
report["sendto"] = native("sendto", early.fileno(), b"x", 1, 0, address, len(address))
report["sendmsg"] = native("sendmsg", early.fileno(), ctypes.create_string_buffer(56), 0)
report["ptrace"] = native("ptrace", 16, unsealed, None, None)
report["memory"] = native("process_vm_writev", unsealed, None, 0, None, 0, 0)
report["pidfd"] = native("syscall", 438, os.pidfd_open(unsealed), 0, 0)
report["keys"] = attempt(lambda: fcntl.ioctl(terminal, 0x5412, b"x"))
report["size"] = attempt(lambda: fcntl.ioctl(terminal, 0x5413, b"x" * 8))
one, other = socket.socketpair()
one.send(b"x")
report["pair"] = other.recv(1).decode()
report["python"] = [
    attempt(lambda: socket.socket(socket.AF_UNIX).connect(folder + "/service")),
    attempt(lambda: early.sendto(b"x", folder + "/service")),
    attempt(lambda: socket.create_connection(("127.0.0.1", 9))),
    attempt(lambda: socket.socket(socket.AF_INET)),
]
report["noted"] = noted
os.kill(unsealed, 9)
os.waitpid(unsealed, 0)
print(json.dumps(report))
"""

linux_only = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in seccomp.TABLES, reason="seccomp filters are for Linux"
)


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    """What a sealed child process could and could not do."""
    result = subprocess.run([sys.executable, "-c", ATTEMPTS], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return dict(json.loads(result.stdout))


@pytest.fixture(scope="module")
def strict() -> dict[str, Any]:
    """The same of one that may not speak to services of this computer either."""
    result = subprocess.run([sys.executable, "-c", STRICT], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return dict(json.loads(result.stdout))


@linux_only
def test_without_local_services_nothing_is_addressed(strict: dict[str, Any]) -> None:
    assert strict["connect"] == "ENOENT", "a driver that asks for a service goes on where there seems to be none"
    assert [strict[call] for call in ("bind", "sendto", "sendmsg")] == ["EACCES"] * 3
    assert strict["pair"] == "x", "a pair of sockets is no more than a pipe"


@linux_only
def test_a_sealed_process_reaches_into_no_other_one(strict: dict[str, Any]) -> None:
    assert [strict[call] for call in ("ptrace", "memory", "pidfd")] == ["EPERM"] * 3
    assert strict["keys"] == "EPERM"
    assert strict["size"] == "done", "the other calls of a terminal work"


@linux_only
def test_what_was_refused_is_told_with_the_module_that_tried(strict: dict[str, Any]) -> None:
    assert strict["python"] == ["sealed"] * 4
    assert strict["noted"] == [[what, "__main__"] for what in ("connection", "connection", "look-up", "socket")]


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


INTERRUPT = """
import ctypes, mmap, sys
from desktop_rag.privacy.seal import seal
seal()
code = bytes.fromhex("53" "b867010000" "bb02000000" "b901000000" "31d2" "cd80" "5b" "c3")
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(code)
entry = ctypes.addressof(ctypes.c_char.from_buffer(page))
print(ctypes.CFUNCTYPE(ctypes.c_int)(entry)())
"""


@linux_only
@pytest.mark.skipif(platform.machine() != "x86_64", reason="machine code of x86")
def test_the_system_calls_of_32_bits_open_no_socket() -> None:
    result = subprocess.run([sys.executable, "-c", INTERRUPT], capture_output=True, text=True, check=False)
    if result.returncode == -11:
        pytest.skip("this kernel has no calls of 32 bits")
    assert result.stdout.strip() == "-13", result.stderr


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


ALLOW, EACCES, EPERM, ENOENT, ENOSYS = 0x7FFF0000, *(0x00050000 | number for number in (13, 1, 2, 38))


def verdict(program: bytes, arch: int, call: int, arguments: tuple[int, ...] = ()) -> int:
    """Run a filter as the kernel does: on (arch, call number, arguments)."""
    data = dict.fromkeys(range(16, 64, 4), 0) | {4: arch, 0: call}
    for place, value in enumerate(arguments):
        data |= {16 + 8 * place: value & 0xFFFFFFFF, 20 + 8 * place: value >> 32}
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


@pytest.fixture(params=[(machine, local) for machine in sorted(seccomp.TABLES) for local in (True, False)])
def decide(request: pytest.FixtureRequest) -> Decide:
    """The filter of a machine, with or without local services."""
    machine, local = request.param
    table = seccomp.TABLES[machine]
    program = seccomp.program(machine, local=local)
    assert program is not None
    return Decide(table, local, lambda call, *arguments: verdict(program, table.arch, call, arguments))


@dataclass
class Decide:
    """A filter under test."""

    table: seccomp.Table
    local: bool
    about: Callable[..., int]


def test_only_local_sockets_open(decide: Decide) -> None:
    for family in range(64):
        assert decide.about(decide.table.socket, family) == (ALLOW if family == 1 else EACCES)


def test_every_other_call_goes_through(decide: Decide) -> None:
    table = decide.table
    special = {table.socket, table.connect, table.sendto, table.ioctl, 425, 426, 427, 438}
    special |= {*table.listening, *table.messages, *table.others}
    for call in range(600):
        if call not in special:
            assert decide.about(call, 2, 0x5412, 1, 1, 1, 1) == ALLOW, call


def test_other_processes_and_the_terminal_are_out_of_reach(decide: Decide) -> None:
    for call in (*decide.table.others, 438):
        assert decide.about(call) == EPERM
    for key in (0x5412, 0x541C, 0xFFFFFFFF00005412):
        assert decide.about(decide.table.ioctl, 0, key) == EPERM
    for harmless in (0x5401, 0x5413, 0):
        assert decide.about(decide.table.ioctl, 0, harmless) == ALLOW


def test_an_address_is_for_those_who_may_speak_to_local_services(decide: Decide) -> None:
    table, local = decide.table, decide.local
    assert decide.about(table.connect) == (ALLOW if local else ENOENT)
    for call in (*table.listening, *table.messages):
        assert decide.about(call) == (ALLOW if local else EACCES)
    assert decide.about(table.sendto, 3, 1, 1, 0, 0) == ALLOW, "one of a pair sends without an address"
    for address in (1, 1 << 32, 0x7FFF00000000):
        assert decide.about(table.sendto, 3, 1, 1, 0, address) == (ALLOW if local else EACCES)


def test_ways_around_the_table_are_refused(decide: Decide) -> None:
    for call in (425, 426, 427):
        assert decide.about(call) == ENOSYS
    assert decide.about(0x40000000 + decide.table.socket, 1) == EACCES
    program = seccomp.program("x86_64", local=decide.local)
    assert program is not None
    for foreign in (0x40000003, 0x40000028, 0):  # i386, arm, nothing
        assert verdict(program, foreign, 1, (1,)) == EACCES


def test_a_machine_without_a_filter_is_not_called_enforced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert seccomp.program("riscv64", local=True) is None
    assert seccomp.install(local=True) is False
