"""The clock of a host: what it tells follows it, whether it is set forwards or backwards."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from prs_lab.windows.host import WindowsHost
from prs_lab.windows.shares import Share

from .windows_lab import Network, Runner

DAY = dt.timedelta(days=1)


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    network = Network(tmp_path)
    yield network
    network.close()


def changed(host: WindowsHost, path: str) -> dt.datetime:
    stat = host.files("SYSTEM").stat(path)
    assert stat.created <= stat.modified
    return stat.modified


@pytest.mark.parametrize("ahead", [400 * DAY, -400 * DAY])
def test_files_have_the_time_of_the_host_on_which_they_lie(network: Network, ahead: dt.timedelta) -> None:
    server, client = network.add("FILES"), network.add("WEB")
    files = server.files("SYSTEM")
    files.make_dir("C:\\data")
    files.write("C:\\data\\old", b"1")
    server.shares.add(Share(name="data", path="C:\\data", access=[("S-1-1-0", "full")]))
    server.clock_offset = ahead
    begin = server.clock()
    files.write("C:\\data\\new", b"1")
    with files.open("C:\\data\\old", "r+b") as file:
        file.write(b"2")
    files.make_dir("C:\\data\\folder")
    remote = client.files("SYSTEM")
    remote.connect("\\\\files\\data", "Administrator", server.administrator_password)
    remote.write("\\\\files\\data\\remote", b"1")
    for name in ("new", "old", "folder", "remote"):
        assert begin - dt.timedelta(seconds=1) <= changed(server, f"C:\\data\\{name}") <= server.clock(), name


def test_a_file_that_was_only_opened_or_copied_keeps_its_time(network: Network) -> None:
    host = network.add("WEB")
    files = host.files("SYSTEM")
    files.write("C:\\one", b"1")
    before = changed(host, "C:\\one")
    host.clock_offset = DAY
    files.open("C:\\one", "r+b").close()
    files.copy("C:\\one", "C:\\two")
    assert changed(host, "C:\\one") == changed(host, "C:\\two") == before


def test_who_sets_the_clock_moves_the_start_of_windows_but_not_how_long_it_runs(network: Network) -> None:
    host = network.add("WEB")
    before, booted = Runner(host).ok("setup")["ansible_facts"], host.power.booted_at
    host.clock_offset = -DAY
    after = Runner(host).ok("setup")["ansible_facts"]
    assert host.power.booted_at == booted - DAY
    assert (
        after["ansible_lastboot"] < before["ansible_lastboot"]
        and 0 <= after["ansible_uptime_seconds"] < DAY.total_seconds()
    )
