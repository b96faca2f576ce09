#!/usr/bin/env python3
"""Write the table of figures in README.md anew, from what `make bench` measured last (build/bench.json).

    bench_table.py [BENCH_JSON [README]]

A row is left out where its figure was not measured. Fails where README.md has no place for the table.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
BEGIN, END = "<!-- made by make bench-table -->", "<!-- end of what make bench-table made -->"


class Row(NamedTuple):
    """key: the way to the figure in bench.json."""

    what: str
    key: tuple[str, ...]
    unit: str = ""


ROWS = [
    Row("rebuild after the loss of both servers, in the lab", ("rebuild", "total_loss", "seconds"), "s"),
    Row("its WinRM requests", ("rebuild", "total_loss", "winrm_requests")),
    Row("its PowerShells on Windows", ("rebuild", "total_loss", "powershells")),
    Row("its bytes over WinRM", ("rebuild", "total_loss", "winrm_bytes")),
    Row("`rebuild_prs` where nothing is lost", ("rebuild", "unchanged", "seconds"), "s"),
    Row("its WinRM requests", ("rebuild", "unchanged", "winrm_requests")),
    Row("its PowerShells on Windows", ("rebuild", "unchanged", "powershells")),
    Row("a log backup, every 15 minutes", ("rebuild", "log_backup", "seconds"), "s"),
    Row("its SQL batches, five of them the page's", ("rebuild", "log_backup", "sql_batches")),
    Row("a nightly backup of one of 100 servers", ("fleet", "100", "cpu_seconds_per_server"), "s CPU"),
    Row("memory of that run, for all of them", ("fleet", "100", "memory_mb"), "MB"),
    Row("a rebuild by what it must wait for (setup 12 min, IIS 4, restore 6)", ("makespan_ratio",)),
    Row("a restore planned from 1,000,000 backup sets", ("planner", "1000000", "seconds"), "s CPU"),
    Row("50,000 headers read into the planner", ("planner_read", "50000", "seconds"), "s CPU"),
    Row("headers of backup files read without a server", ("backup_files", "plain_files_per_second"), "a second"),
    Row("rows read out of data files", ("data_files", "rows_a_second"), "a second"),
    Row("one more log on a standby, 3,000 old ones beside it rather than 30", ("standby_ratio",), "times the time"),
]


def figure(measured: Mapping[str, Any], key: Sequence[str]) -> float | int | None:
    """What was measured; of a figure that has another checkout's beside it, this one's."""
    value: Any = measured
    for name in key:
        if not isinstance(value, Mapping) or name not in value:
            return None
        value = value[name]
    return value["this"] if isinstance(value, Mapping) else value


def table(measured: Mapping[str, Any]) -> Iterator[str]:
    yield "| what | figure |"
    yield "|---|---|"
    for row in ROWS:
        value = figure(measured, row.key)
        if value is not None:
            rounded = round(value) if value >= 1000 else value
            yield f"| {row.what} | {rounded:,} {row.unit}".rstrip() + " |"


def with_table(text: str, measured: Mapping[str, Any]) -> str:
    """A text with the table between its two marks."""
    before, begin, rest = text.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"there is no place for the table: {BEGIN} and {END}")
    return "\n".join([before + begin, *table(measured), end + after])


def main(arguments: Sequence[str]) -> None:
    readme = Path(arguments[1]) if len(arguments) > 1 else ROOT / "README.md"
    bench = Path(arguments[0]) if arguments else ROOT / "build" / "bench.json"
    text = with_table(readme.read_text(encoding="utf-8"), json.loads(bench.read_text(encoding="utf-8")))
    readme.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
