"""What it costs to apply one new log to a standby, with 30 and with 3,000 old logs beside it, against the SQL Server twin.

``standby_seconds`` is the whole module, as ansible starts it, by how many old logs lie there; ``standby_ratio`` is what
the most take over what the fewest take, and ``standby_connections`` how often SQL Server was connected to. The standby
is another database of the same instance. The first catch-up, which reads the header of every log, is not counted, and
of the turns the calmer half is: what else the machine does only ever adds time.
"""

from __future__ import annotations

import datetime as dt
import json
import statistics
import sys
import tempfile
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pymssql

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bench_module
import bench_rebuild

ROOT = Path(__file__).resolve().parents[2]
OLD_LOGS = (30, 3000)
TURNS = 7
DATABASE, STANDBY = "Bench", "BenchStandby"
BACKUP = {"database": DATABASE, "path": "D:\\Logs"}
CHANGE = "INSERT INTO dbo.marker (number) VALUES (1)"


def run() -> dict[str, Any]:
    with ExitStack() as twins:
        standbys = [standby(count, twins) for count in OLD_LOGS]
        for turn in range(TURNS + 1):
            for each in sorted(standbys, key=lambda each: each.old_logs, reverse=bool(turn % 2)):
                each.follow(counted=bool(turn))  # the very first turn warms the caches
        connections = [each.connections() for each in standbys]
    seconds = [statistics.median(sorted(each.taken)[: TURNS // 2]) for each in standbys]
    return {
        "standby_seconds": {str(count): round(value, 4) for count, value in zip(OLD_LOGS, seconds, strict=True)},
        "standby_ratio": round(seconds[-1] / seconds[0], 3),
        "standby_connections": max(connections),
        "standby_role": by_the_role(),
    }


def by_the_role() -> dict[str, Any]:
    """What the role's catch-up by one log costs a standby in the lab: both servers together, no other task beside it."""
    with tempfile.TemporaryDirectory() as folder:
        bench = bench_rebuild.Bench(ROOT, Path(folder) / "lab", network="127.95.0.0", delay="0")
        inventory = ("-e", json.dumps({"prs_ha": "standby"}))
        catch_up = {"name": "prs.recovery.standby", "tasks_from": "catch_up"}
        play = {"hosts": "sql-b", "gather_facts": False, "tasks": [{"ansible.builtin.include_role": catch_up}]}
        file = Path(folder) / "follow.json"
        file.write_text(json.dumps([play]), encoding="utf-8")
        bench.lab("up", "--network", bench.network)
        try:
            bench.play("provision_prs", "-e", "prs_database_recovery_model=FULL")
            bench.lab("wizard")
            bench.play("backup_prs")
            bench.play("standby_prs", *inventory)
            for _first_and_counted in range(2):
                bench.lab("mark", "--rows", "1")
                bench.play("backup_prs", "-e", "prs_backup_kind=log")  # without prs_ha: nothing follows yet
                measured = bench.play(str(file), *inventory)
        finally:
            bench.lab("down")
    return measured


@dataclass(kw_only=True)
class Standby:
    """A database, its standby, and so many old logs. taken: seconds of each catch-up by one log."""

    old_logs: int
    login: dict[str, Any]
    catch_up: dict[str, Any]
    program: Path
    taken: list[float] = field(default_factory=list)

    def follow(self, *, counted: bool) -> None:
        new_log(self.login)
        seconds = bench_module.seconds_of("a catch-up", [self.program])
        if counted:
            self.taken.append(seconds)

    def connections(self) -> int:
        """How many one catch-up opens."""
        new_log(self.login)
        statements, targets = bench_module.noted("sql_restore", self.catch_up)
        if sum(statement.startswith("RESTORE LOG") for statement, *_more in statements) != 1:
            raise SystemExit(f"not one log was applied: {statements}")
        return len(targets)


def standby(old_logs: int, twins: ExitStack) -> Standby:
    folder = Path(twins.enter_context(tempfile.TemporaryDirectory()))
    login = twins.enter_context(bench_module.twin(folder))
    bench_module.sent_by("sql_backup", {**login, **BACKUP, "kind": "full"})
    ask(login, "CREATE TABLE dbo.marker (number int)")
    write_logs(login, old_logs)
    source = {"folders": [BACKUP["path"]], "database": DATABASE}
    catch_up = {**login, "database": STANDBY, "source": source, "recovery": "norecovery"}
    bench_module.sent_by("sql_restore", catch_up)
    program = bench_module.program(folder, "prs.recovery.sql_restore", catch_up)
    return Standby(old_logs=old_logs, login=login, catch_up=catch_up, program=program)


def write_logs(login: dict[str, Any], count: int) -> None:
    """Logs with a change in each, under the names that sql_backup gives them; the module itself would take minutes."""
    made = dt.datetime.now(dt.timezone.utc) - dt.timedelta(minutes=15 * count)
    statements = []
    for number in range(count):
        time = made + dt.timedelta(minutes=15 * number)
        path = f"D:\\Logs\\{DATABASE}_log_{time:%Y%m%dT%H%M%S}000Z.trn"
        statements += [CHANGE, f"BACKUP LOG {DATABASE} TO DISK = N'{path}' WITH CHECKSUM"]
    ask(login, *statements)


def new_log(login: dict[str, Any]) -> None:
    ask(login, CHANGE)
    bench_module.sent_by("sql_backup", {**login, **BACKUP, "kind": "log"})


def ask(login: dict[str, Any], *statements: str) -> None:
    """What others do in the database: each statement is read to its end."""
    with closing(
        pymssql.connect(
            server=login["login_host"], port=login["login_port"], user=login["login_user"],
            password=login["login_password"], database=DATABASE, autocommit=True,
        )
    ) as connection:  # fmt: skip
        for statement in statements:
            cursor = connection.cursor()
            cursor.execute(statement)
            while cursor.nextset():
                pass
