"""Data files without a server: files a second, checks in MB/s, rows a second, and how memory grows. CPU seconds.

The files are built from the facts of the format; all of their pages are written in full, as in a database in use.
"""

from __future__ import annotations

import sys
import time
import tracemalloc
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "build" / "collections"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))

from ansible_collections.prs.recovery.plugins.module_utils._core.binary.range_reader import RangeReader
from ansible_collections.prs.recovery.plugins.module_utils._core.data_file.database_file import inspect_file
from ansible_collections.prs.recovery.plugins.module_utils._core.data_file.log_file import check_log
from ansible_collections.prs.recovery.plugins.module_utils._core.data_file.page_check import check_pages
from ansible_collections.prs.recovery.plugins.module_utils._core.data_file.system_rows import Pages
from ansible_collections.prs.recovery.plugins.module_utils._core.table_rows.tables import Tables
from database_files import PAGE, Database, data_file, log_block, log_file, moment, page
from database_rows import BIT, DATETIME, INT, NVARCHAR, Built, Stored, database_with, integer, text

MB = 1_000_000
ROWS = 100_000
COLUMNS = (
    Stored(name="UserId", kind=INT, size=4),
    Stored(name="Name", kind=NVARCHAR, length=100),
    Stored(name="Enabled", kind=BIT, size=0),
    Stored(name="LastLogin", kind=DATETIME, size=8),
    Stored(name="Resets", kind=INT, size=4),
)


def cpu(work: Callable[[], Any]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def best(work: Callable[[], Any]) -> float:
    """Of three: others share the machine."""
    return min(cpu(work) for _ in range(3))


def reader(data: bytes) -> RangeReader:
    return RangeReader(lambda offset, length: data[offset : offset + length], len(data))


def full_pages(count: int) -> bytes:
    """Pages of which every byte is written."""
    body = bytes(range(1, 252)) * 32
    return b"".join(page(number, 1, body=body[: PAGE - 96]) for number in range(count))


def rows_file(count: int) -> bytes:
    noon = moment(datetime(2024, 5, 6, 12))
    rows = [[integer(n), text(f"user {n}"), n % 2 == 0, noon, integer(n)] for n in range(count)]
    return database_with([Built(name="Users", columns=COLUMNS, rows=rows)])


def read_rows(data: bytes) -> int:
    tables = Tables(Pages({1: reader(data)}), (1, 16))
    return sum(1 for _row in tables.rows(tables.named("Users")))


def peak(work: Callable[[], Any]) -> int:
    tracemalloc.start()
    work()
    result = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return result


def run() -> dict[str, Any]:
    header = data_file(Database())
    files = best(lambda: [inspect_file(lambda o, n: header[o : o + n], len(header)) for _ in range(500)])
    pages = full_pages(8000)
    checked = best(lambda: check_pages(reader(pages), 1))
    log = big_log()
    blocks = best(lambda: check_log(reader(log)))
    rows = rows_file(ROWS)
    taken = best(lambda: read_rows(rows))
    small, large = rows_file(5_000), rows
    return {
        "data_files": {
            "headers_a_second": round(500 / files),
            "pages_mb_a_second": round(len(pages) / MB / checked),
            "log_mb_a_second": round(len(log) / MB / blocks),
            "rows_a_second": round(ROWS / taken),
            "memory_ratio_20_times_the_rows": round(peak(lambda: read_rows(large)) / peak(lambda: read_rows(small)), 2),
        }
    }


def big_log() -> bytes:
    """A log whose first part is full of blocks of 60 KB."""
    database = Database(log_pages=2 * 4000 + 1)
    data = bytearray(log_file(database))
    sequence = database.checkpoint[0]
    size = 120 * 512
    number = PAGE // 512
    while (number + 120) * 512 < 4000 * PAGE:
        start = PAGE + number * 512
        data[start : start + size] = log_block(sequence, number, (0x81,) * 60, size=size)
        number += 120
    return bytes(data)


if __name__ == "__main__":
    print(run())
