"""What it costs to apply one new log to a standby, with 30 and with 3,000 old logs beside it, against the SQL Server twin.

``standby_seconds`` is the whole module, as ansible starts it, by how many old logs lie there; ``standby_ratio`` is what
the most take over what the fewest take, and ``standby_connections`` how often SQL Server was connected to. The standby
is another database of the same instance. The first catch-up, which reads the header of every log, is not counted.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bench_module

OLD_LOGS = (30, 3000)
TURNS = 7
DATABASE, STANDBY = "Bench", "BenchStandby"


def run() -> dict[str, Any]:
    seconds, connections = {}, {}
    for count in OLD_LOGS:
        with tempfile.TemporaryDirectory() as folder, bench_module.twin(Path(folder)) as login:
            seconds[str(count)], connections[str(count)] = measure(Path(folder), login, count)
    fewest, *_others, most = seconds.values()
    return {
        "standby_seconds": {count: round(value, 4) for count, value in seconds.items()},
        "standby_ratio": round(most / fewest, 3),
        "standby_connections": max(connections.values()),
    }


def measure(folder: Path, login: dict[str, Any], old_logs: int) -> tuple[float, int]:
    """Median of the seconds of a catch-up by one log, and how many connections it opened."""
    backup = {**login, "database": DATABASE, "path": "D:\\Logs"}
    bench_module.sent_by("sql_backup", {**backup, "kind": "full"})
    logs = {**backup, "kind": "log"}
    for _number in range(old_logs):
        bench_module.sent_by("sql_backup", logs)
    catch_up = {
        **login,
        "database": STANDBY,
        "source": {"folders": ["D:\\Logs"], "database": DATABASE},
        "recovery": "norecovery",
    }
    bench_module.sent_by("sql_restore", catch_up)
    program = bench_module.program(folder, "prs.recovery.sql_restore", catch_up)
    taken = []
    for turn in range(TURNS + 1):
        bench_module.sent_by("sql_backup", logs)
        seconds = bench_module.seconds_of("a catch-up", [program])
        if turn:  # the very first turn warms the caches
            taken.append(seconds)
    bench_module.sent_by("sql_backup", logs)
    return statistics.median(taken), bench_module.connections_of("sql_restore", catch_up)
