# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a database stands that follows another one, and whether backups bring back what it holds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..backup.backup_set import BackupKind, BackupSet
from ..restore.plan import ExistingDatabase, Plan
from ..times import to_text

__all__ = ["Position", "goes_straight_on", "holds_more", "position_of"]


@dataclass(frozen=True, kw_only=True)
class Position:
    """lsn, fork: from where the next log is needed. time: when the last backup that it has was finished (aware); None
    where no backup at hand ends there, such as after a log that was restored in part.
    """

    lsn: int
    fork: str
    time: datetime | None

    def to_dict(self) -> dict[str, Any]:
        """As a module returns it."""
        return {"lsn": self.lsn, "fork": self.fork, "time": self.time and to_text(self.time)}


def position_of(existing: ExistingDatabase | None, sets: Iterable[BackupSet]) -> Position | None:
    """Of a database that is RESTORING or in standby; None for any other one."""
    if existing is None or not existing.is_restoring or existing.redo_start_lsn is None:
        return None
    lsn, fork = existing.redo_start_lsn, existing.redo_start_fork
    times = [entry.finished for entry in sets if (entry.last_lsn, entry.last_fork) == (lsn, fork)]
    return Position(lsn=lsn, fork=fork, time=min(times, default=None))


def goes_straight_on(position: Position, plan: Plan, sets: Iterable[BackupSet]) -> bool:
    """Whether a plan made of what came since alone is what all backups would come to: it goes on from where the
    database stands, by logs, and nothing that came since is left over, such as a full backup or another recovery fork.
    """
    logs = {step.guid for step in plan.steps if step.guid and step.kind == BackupKind.LOG}
    new = {entry.guid for entry in sets if entry.last_fork != position.fork or entry.last_lsn > position.lsn}
    return plan.resumes and bool(logs) and logs == new


def holds_more(position: Position, sets: Iterable[BackupSet], *, unusable: Iterable[str] = ()) -> bool:
    """Whether the database holds what none of these backups brings back. unusable: GUIDs of those that proved to be."""
    bad = set(unusable)
    return not any(
        entry.last_fork == position.fork
        and entry.last_lsn >= position.lsn
        and not entry.problem
        and entry.guid not in bad
        for entry in sets
    )
