"""Ten minutes of damage by chance, at night, to data and log files: reading them ends soon, and in an answer.

Most damaged pages get the checksum that belongs to them, so that what they say is believed. PRS_FUZZ_SECONDS and
PRS_FUZZ_SEED in the environment choose; a failure names the seed of its case.
"""

from __future__ import annotations

import os
import random
import resource
import struct
import time
from datetime import datetime

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.binary.range_reader import RangeReader
from ansible_collections.prs.recovery.plugins.module_utils._core.binary.values import FileFormatError
from ansible_collections.prs.recovery.plugins.module_utils._core.data_file.database_file import inspect_file
from ansible_collections.prs.recovery.plugins.module_utils._core.data_file.judgement import judge_files
from ansible_collections.prs.recovery.plugins.module_utils._core.data_file.report import database_report, file_report
from ansible_collections.prs.recovery.plugins.module_utils._core.data_file.system_rows import Pages
from ansible_collections.prs.recovery.plugins.module_utils._core.table_rows.last_use import last_use
from ansible_collections.prs.recovery.plugins.module_utils._core.table_rows.tables import Tables
from bounded_reads import BoundedReads
from database_files import PAGE, Database, data_file, log_file, moment, protect
from database_rows import (
    DATETIME,
    INT,
    NVARCHAR,
    VARBINARY,
    Built,
    Stored,
    database_with,
    integer,
    large_data,
    large_pointer,
    text,
)

SECONDS = float(os.environ.get("PRS_FUZZ_SECONDS", "600"))
LONGEST_CASE = 5.0
"""Seconds of processor time: a loop without end takes more."""
MOST_MEMORY = 200 << 10
"""KB by which the process may grow."""
EXTREME = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 1 << 62)
NOON = datetime(2024, 5, 6, 12)
COLUMNS = (
    Stored(name="UserId", kind=INT, size=4),
    Stored(name="Name", kind=NVARCHAR, length=100),
    Stored(name="LastLogin", kind=DATETIME, size=8),
    Stored(name="Picture", kind=VARBINARY, length=-1),
)
ROWS = [[integer(n), text(f"user {n}"), moment(NOON), large_pointer(30, 0, 1000)] for n in range(300)]
WITH_ROWS = database_with(
    [Built(name="Users", columns=COLUMNS, rows=ROWS), Built(name="Log", columns=COLUMNS, rows=ROWS, heap=True)],
    large=[large_data(bytes(range(250)) * 4)],
)
FILES = [data_file(Database()), data_file(Database(torn_bits=True)), WITH_ROWS]
LOGS = [log_file(Database())]


def change(data: bytearray, choice: random.Random) -> None:
    """One change at the beginning of a page or anywhere."""
    page = choice.randrange(len(data) // PAGE or 1)
    at = page * PAGE + choice.choice((choice.randrange(96), 96 + choice.randrange(200), choice.randrange(PAGE)))
    size = choice.choice((1, 2, 4, 8))
    value = choice.choice(EXTREME) if choice.random() < 0.6 else choice.getrandbits(8 * size)
    data[at : at + size] = (value & (1 << 8 * size) - 1).to_bytes(size, "little")
    what = choice.random()
    if what < 0.03:
        del data[at : at + choice.randrange(2 * PAGE)]
    elif what < 0.06:
        data[at:at] = choice.randbytes(choice.randrange(PAGE))
    elif what < 0.1:
        other = choice.randrange(len(data) // PAGE or 1)
        data[page * PAGE : page * PAGE + PAGE] = data[other * PAGE : other * PAGE + PAGE]
    elif what < 0.7 and len(data) >= (page + 1) * PAGE:
        data[page * PAGE : (page + 1) * PAGE] = protect(data[page * PAGE : (page + 1) * PAGE])
    elif what < 0.75:  # a page that says that it is followed by another one
        struct.pack_into("<IH", data, min(page * PAGE + 16, len(data) - 6), choice.randrange(40), 1)


def read_all(data: bytes, log: bytes) -> None:
    """What database_file_info does with them. Raises nothing, whatever is in them."""
    reads = BoundedReads(50_000)

    def reader(content: bytes) -> RangeReader:
        return RangeReader(reads.of(content), len(content))

    files = {
        name: inspect_file(reader(content).pass_by, len(content), pages=True)
        for name, content in (("mdf", data), ("ldf", log))
    }
    for database in judge_files(files):
        assert database_report(database, files)["attach"]
    assert all(file_report(name, file) for name, file in files.items())
    boot = files["mdf"].boot
    if boot is None:
        return
    try:
        tables = Tables(Pages({1: reader(data)}), boot.system_tables)
        last_use(tables, until=NOON)
        for table in tables.tables:
            for _row in tables.rows(table):
                pass
    except FileFormatError:
        pass


def run(seconds: float, seed: int) -> int:
    """How many cases there were. seconds: of processor time."""
    start, cases = time.process_time(), 0
    while time.process_time() - start < seconds:
        choice = random.Random(seed + cases)
        data, log = bytearray(choice.choice(FILES)), bytearray(choice.choice(LOGS))
        for _ in range(choice.randrange(1, 8)):
            change(choice.choice((data, data, log)), choice)
        began = time.process_time()
        try:
            read_all(bytes(data), bytes(log))
        except Exception as problem:
            raise AssertionError(f"case {seed + cases}: {problem!r}") from problem
        assert time.process_time() - began < LONGEST_CASE, f"case {seed + cases} takes too long"
        cases += 1
    return cases


def test_some_damage() -> None:
    assert run(2, seed=1) > 20


def test_damage_that_was_found_by_a_night() -> None:
    """A column of moments whose place in the records became a number's."""
    assert run(0.001, seed=1796051506775068191) >= 1


@pytest.mark.nightly
def test_ten_minutes_of_damage() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seed = int(os.environ.get("PRS_FUZZ_SEED", str(time.time_ns())))
    cases = run(SECONDS, seed)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(f"{cases} cases from seed {seed} on, {grown} KB more memory")
    assert grown < MOST_MEMORY
