"""The guards of conftest.py themselves: a guard that cannot fail guards nothing."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from desktop_rag import paths

if TYPE_CHECKING:
    from tests.conftest import NetworkGuard


def test_folders_are_temporary(own_folders: Path) -> None:
    assert paths.data_dir().is_relative_to(own_folders)
    assert paths.config_dir().is_relative_to(own_folders)


def test_connecting_is_refused_and_noted(no_network: NetworkGuard) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as opened, pytest.raises(ConnectionRefusedError):
        opened.connect(("192.0.2.1", 80))
    assert no_network.attempts == ["192.0.2.1"]
    no_network.attempts.clear()


def test_swallowed_lookup_is_noted(no_network: NetworkGuard) -> None:
    with suppress(OSError):
        socket.getaddrinfo("example.invalid", 80)
    assert no_network.attempts == ["example.invalid"]
    no_network.attempts.clear()


def test_loopback_is_closed_without_its_marker(no_network: NetworkGuard) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, suppress(OSError), socket.socket() as opened:
        opened.connect(server.getsockname())
    assert no_network.attempts == ["127.0.0.1"]
    no_network.attempts.clear()


@pytest.mark.loopback
def test_loopback_is_open_with_its_marker(no_network: NetworkGuard) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as opened:
        opened.connect(server.getsockname())
    assert no_network.attempts == []


def test_libraries_are_told_to_stay_offline() -> None:
    assert os.environ["HF_HUB_OFFLINE"] == "1"
    assert os.environ["TRANSFORMERS_OFFLINE"] == "1"
