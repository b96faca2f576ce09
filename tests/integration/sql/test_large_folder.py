"""Headers of a folder with very many backups, by the files and by SQL Server, whose twin answers in a few milliseconds."""

from __future__ import annotations

import time
from typing import Any

import pytest
from backup_file_builder import build, chain, numbered_guid
from winrm.transport import Transport

from .conftest import SHARE, Server

KEYS = ("guid", "kind", "database", "first_lsn", "last_lsn")
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


@pytest.mark.parametrize("count", [150, pytest.param(5000, marks=pytest.mark.nightly)])
def test_files_take_less_time_and_few_requests(
    sql_a: Server, share: Any, requests: list[int], count: int, record_property: Any
):
    """What it takes, twins included, is recorded for `make bench`: seconds of processor time, as the machine may be
    busy. Four of the requests connect the share.
    """
    share.make_dir(f"D:\\Shares\\backup\\large{count}")
    for number, made in enumerate(chain(count - 1, log=LOG)):
        share.write(
            f"D:\\Shares\\backup\\large{count}\\{number:05}.trn", build([made], media=numbered_guid(number + 1))
        )
    options = {"folders": [f"{SHARE}\\large{count}"], "family_guid": numbered_guid(0xFA)}
    begin = time.process_time()
    by_server = sql_a.run("sql_backup_info", **options)
    server = time.process_time() - begin
    requests.clear()
    begin = time.process_time()
    by_files = sql_a.run("sql_backup_info", read_headers="files", **options, **sql_a.windows, **sql_a.share_account)
    files = time.process_time() - begin
    figures = {"files": count, "requests": len(requests), "files_seconds": files, "server_seconds": server}
    print("", figures)
    for name, figure in figures.items():
        record_property(name, round(figure, 2))
    told, shown = ([[entry[key] for key in KEYS] for entry in result["sets"]] for result in (by_files, by_server))
    assert len(told) == count and told == shown
    assert 0 < len(requests) <= 24
    assert files < server or count < 1000  # of few files most of the time goes into the connection
