"""A server on this machine is found by the port on which it listens."""

from __future__ import annotations

import os
import socket
import sys

import pytest

from bizra_gate.load.neighbours import _inodes, cpu_ns_of, listeners, servers_of
from bizra_gate.model import ClosedLoop, Plan, Warmup

TABLE = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0
   1: 0100007F:1F90 0100007F:C001 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100 0 0 10 0
   2: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0 100 0 0 10 0
"""
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


def plan(target: str) -> Plan:
    return Plan(target, ClosedLoop(), Warmup(0), 1)


def test_only_listening_sockets_on_the_port_count() -> None:
    assert list(_inodes(TABLE, 8080)) == ["4711"]
    assert list(_inodes(TABLE, 80)) == ["4713"]
    assert list(_inodes("", 80)) == []


@linux
def test_who_listens_is_found_and_its_cpu_time_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert listeners(port) == {os.getpid()}
        assert servers_of(plan(f"http://127.0.0.1:{port}/")) == (os.getpid(),)
    assert servers_of(plan(f"http://127.0.0.1:{port}/")) == ()
    assert (cpu_ns_of((os.getpid(),)) or 0) > 0


@pytest.mark.parametrize("target", ["http://192.0.2.7:80/", "py:json:loads", "cmd:ls", "http://127.0.0.1:99999/"])
def test_what_is_not_a_server_of_this_machine_is_not_looked_for(target: str) -> None:
    assert servers_of(plan(target)) == ()


def test_a_process_that_is_gone_is_not_measured_rather_than_idle() -> None:
    assert cpu_ns_of((2**22 + 1,)) is None
