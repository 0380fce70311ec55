"""What waits ahead is worth its memory while somebody asks; afterwards one that waits is enough."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import NoReturn

import pytest

from tests.conftest import is_running, wait_until
from workbench.executors import fork_server
from workbench.executors.fork_server import ForkServer


class Waits(ForkServer):
    """Forks what waits for an order, and does nothing."""

    def become(self, orders: socket.socket, arguments: list[str], *, ahead: bool) -> NoReturn:
        orders.recv(1)
        os._exit(0)


@pytest.fixture
def server(tmp_path: Path):
    owner, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    started = Waits(owner, tmp_path)
    yield started
    for child in started._waiting:
        child.orders.close()
        os.waitpid(child.pid, 0)
    owner.close()
    other.close()


def test_when_nobody_asked_for_a_while_all_but_one_of_those_that_wait_go(server, monkeypatch):
    server._prepare(3)
    first, *others = [child.pid for child in server._waiting]
    assert 0 < server._spare_s() <= fork_server._BUSY_S
    monkeypatch.setattr(fork_server, "_BUSY_S", 0)
    assert server._pause_s() == 0
    server._spare()
    assert [child.pid for child in server._waiting] == [first]
    while server._leaving:
        for key, _ in server._selector.select(10):
            key.data()
    assert not any(map(is_running, others))
    assert is_running(first)
    assert server._pause_s() is None


def test_one_that_ends_by_itself_while_it_waits_is_forgotten(server):
    server._prepare(1)
    (child,) = server._waiting
    os.kill(child.pid, 9)
    wait_until(lambda: server._selector.select(0))
    for key, _ in server._selector.select(1):
        key.data()
    assert server._waiting == []
