"""Headers of a folder with very many backups, by the files and by SQL Server, whose twin answers in a few milliseconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from backup_file_builder import build, chain, numbered_guid
from prs_lab.estate import faults as estate_faults
from prs_lab.sqlserver.faults import Fault
from winrm.transport import Transport

from .conftest import SHARE, Server

KEYS = ("guid", "kind", "database", "first_lsn", "last_lsn")
AWAY = 0.04
"""Seconds for a way to a server and back, as between two sites."""
LOG = bytes(at * at % 251 for at in range(12_000))


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A number for each message that goes out over WinRM."""
    sent: list[int] = []
    send = Transport.send_message

    def counted(transport: Transport, message: bytes) -> bytes:
        sent.append(len(message))
        return send(transport, message)

    monkeypatch.setattr(Transport, "send_message", counted)
    return sent


@pytest.fixture
def distance(sql_a: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[float], None]]:
    """Makes each batch and each WinRM request take so many seconds longer, as the way to a real server does."""

    def set_to(seconds: float) -> None:
        sql_a.instance.faults.add(Fault(action="delay", times=10**9, seconds=seconds))
        estate_faults.apply(sql_a.host.estate, "slow-winrm", {"host": "SQL-A", "seconds": seconds})

    yield set_to
    estate_faults.undo(sql_a.host.estate, "slow-winrm", {"host": "SQL-A"})
    sql_a.instance.faults.clear()


@pytest.fixture
def folder(share: Any, count: int) -> str:
    """A full backup and logs, each in a file of its own."""
    share.make_dir(f"D:\\Shares\\backup\\large{count}")
    for number, made in enumerate(chain(count - 1, log=LOG)):
        share.write(
            f"D:\\Shares\\backup\\large{count}\\{number:05}.trn", build([made], media=numbered_guid(number + 1))
        )
    return f"{SHARE}\\large{count}"


def cost(work: Callable[[], dict[str, Any]]) -> tuple[dict[str, Any], float, float]:
    """What it returns, and the seconds that it takes: of the processor and by the clock."""
    used, begin = time.process_time(), time.monotonic()
    result = work()
    return result, time.process_time() - used, time.monotonic() - begin


@pytest.mark.parametrize("count", [150, pytest.param(5000, marks=pytest.mark.nightly)])
def test_files_take_less_time_and_few_requests(
    sql_a: Server,
    folder: str,
    requests: list[int],
    distance: Callable[[float], None],
    count: int,
    record_property: Any,
):
    """What it takes, twins included, is recorded for `make bench`: seconds of processor time, as the machine may be
    busy, and seconds by the clock when the server is 40 ms away. Four of the requests connect the share.
    """
    options = {"folders": [folder], "family_guid": numbered_guid(0xFA)}
    of_files = {"read_headers": "files", **sql_a.windows, **sql_a.share_account}
    by_server, server, _clock = cost(lambda: sql_a.run("sql_backup_info", **options))
    requests.clear()
    by_files, files, _clock = cost(lambda: sql_a.run("sql_backup_info", **options, **of_files))
    figures = {"files": count, "requests": len(requests), "files_seconds": files, "server_seconds": server}
    distance(AWAY)
    *_others, figures["away_server_seconds"] = cost(lambda: sql_a.run("sql_backup_info", **options))
    *_others, figures["away_files_seconds"] = cost(lambda: sql_a.run("sql_backup_info", **options, **of_files))
    print("", figures)
    for name, figure in figures.items():
        record_property(name, round(figure, 2))
    told, shown = ([[entry[key] for key in KEYS] for entry in result["sets"]] for result in (by_files, by_server))
    assert len(told) == count and told == shown
    assert 0 < figures["requests"] <= (20 if count == 5000 else 24)
    if count == 5000:
        assert figures["away_files_seconds"] <= figures["away_server_seconds"] / 10
