"""How long a plan takes over 10,000, 100,000 and a million backup sets, handed over in no order.

The history is that of a busy database: a full a day, a differential every six hours, a log backup a minute, every tenth
log overlapping the one before, a recovery fork now and then. Of several targets the slowest counts: the newest point,
moments at the end, in the middle and at the beginning, an LSN, and a moment that cannot be reached. Prints JSON, or
returns it to run.py: ``{"planner_seconds": {"10000": s, "100000": s, "1000000": s}}``.
"""

from __future__ import annotations

import gc
import json
import random
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import BackupKind

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "build" / "collections"))

from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import BackupSet, Copy
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.catalog import BackupCatalog
from ansible_collections.prs.recovery.plugins.module_utils._core.restore.planner import (
    Plan,
    Refusal,
    Request,
    Target,
    plan_restore,
)

SIZES = (10_000, 100_000, 1_000_000)
_MINUTE = timedelta(minutes=1)
_UTC = timedelta()


def history(count: int) -> list[BackupSet]:
    """``count`` sets of one database."""
    start, lsn = datetime(2020, 1, 1, tzinfo=timezone.utc), 10**20
    fork, before, point = "fork0", "fork0", None
    base, sets = "", []
    for number in range(count):
        moment, first = start + number * _MINUTE, lsn
        kind = "full" if number % 1440 == 0 else "differential" if number % 360 == 0 else "log"
        if number % 100_003 == 5000:
            before, fork, point = fork, f"fork{number}", lsn
        lsn += 1 + number % 7 * 100
        if kind == "full":
            base = f"{number:032x}"
        first_fork = before if kind == "log" else fork
        sets.append(
            BackupSet(
                guid=f"{number:032x}",
                kind=BackupKind(kind),
                family_guid="family",
                database="PasswordResetServer",
                server="SQL1",
                first_lsn=first - (50 if number % 10 == 3 and number > 10 and point is None else 0),
                last_lsn=lsn,
                first_fork=first_fork,
                last_fork=fork,
                fork_point_lsn=point if kind == "log" else None,
                differential_base_guid=base if kind == "differential" else "",
                started=moment,
                finished=moment + timedelta(seconds=5),
                utc_offset=_UTC,
                copies=(Copy(stripes=(f"B:\\{number}.bak",)),),
            )
        )
        if kind != "log":
            lsn = first  # data backups do not truncate the log: the next log backup begins where the last one ended
        else:
            before, point = fork, None
    return sets


def measure(count: int) -> float:
    """The slowest plan over ``count`` sets, in seconds of the processor: what else the machine does does not count."""
    sets = history(count)
    random.Random(count).shuffle(sets)
    begin, now = datetime(2020, 1, 1, tzinfo=timezone.utc), datetime(2020, 1, 1, tzinfo=timezone.utc) + count * _MINUTE
    times = [now - 5 * _MINUTE, begin + count // 2 * _MINUTE + _MINUTE / 2, begin + 100 * _MINUTE]
    targets = [Target.latest(), Target.at_lsn(sets[0].first_lsn), *(Target.at_time(moment) for moment in times)]
    slowest = 0.0
    for target in [*targets, Target.at_time(now + timedelta(days=1))]:
        gc.collect()
        began = time.process_time()
        answer = plan_restore(BackupCatalog(sets=sets), Request(database="PasswordResetServer", target=target), now=now)
        slowest = max(slowest, time.process_time() - began)
        if isinstance(answer, Plan) != (target in targets):
            raise SystemExit(
                f"{target}: "
                f"{answer.message if isinstance(answer, Refusal) else 'planned, though it lies in the future'}"
            )
    return slowest


def run() -> dict[str, dict[str, float]]:
    return {"planner_seconds": {str(size): round(measure(size), 4) for size in SIZES}}


if __name__ == "__main__":
    print(json.dumps(run()))
