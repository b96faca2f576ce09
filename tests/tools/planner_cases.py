"""Backup folders as tables, one line a set, for named cases of the restore planner.

LSNs are small numbers; minute 0 is 10:00 UTC on 6 May 2024.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import BackupKind, BackupSet, Copy
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.catalog import BackupCatalog, UnreadableFile
from ansible_collections.prs.recovery.plugins.module_utils._core.restore.planner import (
    ExistingDatabase,
    Plan,
    Refusal,
    Request,
    ServerFacts,
    Target,
    plan_restore,
)

__all__ = [
    "CHAIN",
    "SECOND",
    "WITH_DIFFERENTIAL",
    "at",
    "backup",
    "differential",
    "full",
    "log",
    "order",
    "plan",
    "rejected",
]

SECOND = timedelta(seconds=1)
BEGIN = datetime(2024, 5, 6, 10, tzinfo=timezone.utc)


def at(minute: float) -> datetime:
    return BEGIN + timedelta(minutes=minute)


def backup(
    name: str, kind: str, first: int, last: int, started: float, finished: float | None = None, **more: object
) -> BackupSet:
    values: dict[str, object] = {
        "guid": name,
        "kind": BackupKind(kind),
        "family_guid": "family",
        "database": "PRS",
        "server": "SQL1",
        "first_lsn": first,
        "last_lsn": last,
        "checkpoint_lsn": first,
        "first_fork": "a",
        "last_fork": "a",
        "started": at(started),
        "finished": at(started if finished is None else finished),
        "utc_offset": timedelta(),
        "copies": (Copy(stripes=(f"B:\\{name}.bak",)),),
        "size": 100,
        "compressed_size": 100,
        "version": (15, 0, 4430),
    }
    return BackupSet(**{**values, **more})


def full(name: str, first: int, last: int, started: float, finished: float | None = None, **more: object) -> BackupSet:
    return backup(name, "full", first, last, started, finished, **more)


def differential(
    name: str, base: str, first: int, last: int, started: float, finished: float | None = None, **more: object
) -> BackupSet:
    return backup(name, "differential", first, last, started, finished, **{"differential_base_guid": base, **more})


def log(name: str, first: int, last: int, started: float, finished: float | None = None, **more: object) -> BackupSet:
    return backup(name, "log", first, last, started, finished, **more)


def plan(
    sets: list[BackupSet],
    target: Target | None = None,
    *,
    existing: ExistingDatabase | None = None,
    server: ServerFacts | None = None,
    unreadable: tuple[UnreadableFile, ...] = (),
    **wishes: object,
) -> Plan | Refusal:
    request = Request(**{"database": "PRS", "target": target or Target.latest(), **wishes})
    return plan_restore(
        BackupCatalog(sets=sets, unreadable=list(unreadable)), request, now=at(600), existing=existing, server=server
    )


def order(answer: Plan | Refusal) -> str:
    """The sets of a plan in their order, * for one with a STOP clause; or ! and the code of a refusal."""
    if isinstance(answer, Refusal):
        return f"!{answer.code}"
    return " ".join(f"{step.guid}{'*' if step.stop else ''}" for step in answer.steps if step.guid)


def rejected(answer: Plan | Refusal) -> dict[str, str]:
    return {item.set.guid if item.set else item.path: item.code for item in answer.rejected}


CHAIN = [full("F1", 10, 20, 0, 1), log("L1", 10, 30, 10), log("L2", 30, 40, 20), log("L3", 40, 50, 30)]
WITH_DIFFERENTIAL = [*CHAIN, differential("D1", "F1", 33, 36, 16, 17)]
