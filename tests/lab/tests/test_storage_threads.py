"""Sessions are threads: they commit, checkpoint and back up at the same time, and nothing is lost or mixed up."""

from __future__ import annotations

import datetime as dt
import pathlib
import sqlite3
import threading

import pytest
from prs_lab.sqlserver.errors import SqlError
from prs_lab.sqlserver.storage import database as storage
from prs_lab.sqlserver.storage.database import commit
from prs_lab.sqlserver.storage.stop import Stop

from .storage_steps import Steps, rows_in

WRITERS = 3
EACH = 60


def test_commits_backups_and_checkpoints_at_once(tmp_path: pathlib.Path) -> None:
    steps = Steps(tmp_path)
    steps.backup("full")
    committed: list[list[int]] = [[] for _ in range(WRITERS)]
    failures: list[BaseException] = []

    def write(writer: int) -> None:
        try:
            connection = steps.database.connect()
            connection.execute("PRAGMA busy_timeout = 20000")
            for number in range(writer * 1000, writer * 1000 + EACH):
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("INSERT INTO t VALUES(?, ?)", (number, "x" * 2000))
                if number % 7 == 3:
                    connection.execute("ROLLBACK")
                    continue
                commit(connection, [steps.database], time=dt.datetime.now(dt.UTC), mark=f"M{number}")
                committed[writer].append(number)
                if number % 20 == 0:
                    steps.database.checkpoint()
            connection.close()
        except (sqlite3.Error, AssertionError, ValueError) as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(WRITERS)]
    for thread in threads:
        thread.start()
    logs = []
    fulls = []
    while any(thread.is_alive() for thread in threads):
        logs.append(steps.backup("log"))
        fulls.append(steps.backup("full", copy_only=True))
    for thread in threads:
        thread.join()
    assert failures == []
    last = steps.backup("log")
    everything = {number for numbers in committed for number in numbers}
    assert rows_in(steps.database) == everything
    for full in (steps.taken[0], fulls[0]):
        # A log that was taken before the full ended holds nothing for it: 4326.
        later = [log for log in (*logs, last) if log.header.last_lsn > full.header.last_lsn]
        assert rows_in(steps.restore(full, *later)) == everything
    assert steps.database.damaged_pages() == []


def test_a_mark_belongs_to_its_own_transaction(tmp_path: pathlib.Path) -> None:
    steps = Steps(tmp_path)
    full = steps.backup("full")

    def write(writer: int) -> None:
        connection = steps.database.connect()
        connection.execute("PRAGMA busy_timeout = 20000")
        for number in range(30):
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO t VALUES(?, '')", (writer * 100 + number,))
            commit(
                connection,
                [steps.database],
                time=dt.datetime.now(dt.UTC),
                mark=f"M{writer * 100 + number}" if number % 2 else None,
            )
        connection.close()

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    marks = [head.mark for head in steps.database.log.records if head.mark]
    assert sorted(marks) == sorted(
        f"M{writer * 100 + number}" for writer in range(WRITERS) for number in range(1, 30, 2)
    )
    log = steps.backup("log")
    for number in (1, 115, 229):
        with_it = rows_in(steps.restore(full, log, stop=Stop(mark=f"M{number}")))
        without = rows_in(steps.restore(full, log, stop=Stop(mark=f"M{number}", before=True)))
        assert with_it - without == {number}


def test_whoever_comes_while_a_database_is_closed_is_told_so(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files may go between the look at its state and the first read; the same trouble with one that is open is a
    defect.
    """
    steps = Steps(tmp_path)

    def trouble(connection: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(storage, "prepare", trouble)
    with pytest.raises(sqlite3.OperationalError):
        steps.database.connect()

    def closing(connection: sqlite3.Connection) -> None:
        steps.database.close()
        trouble(connection)

    monkeypatch.setattr(storage, "prepare", closing)
    with pytest.raises(SqlError):
        steps.database.connect()
