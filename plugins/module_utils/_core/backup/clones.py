# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two databases on one recovery fork: a cloned server, or data files that were copied and attached.

Both have the family, the fork and often the name of the database that they were copied from. What gives them away are
their log backups: those of one database follow one another, so two that are not copy-only and hold the same stretch of
the log are of two databases, each with a history of its own from somewhere in that stretch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from operator import attrgetter

from .backup_set import BackupSet

__all__ = ["Origin", "Rivals", "find_rivals", "origin_of", "overlapping_logs", "same_name"]

Origin = tuple[str, str]
"""Server and database, as they are compared."""

_FIRST = attrgetter("first_lsn", "last_lsn")

_OUT_OF_ORDER = timedelta(hours=1)
"""By how much times have to contradict the LSNs to tell two databases apart: more than clocks differ."""


@dataclass(slots=True, kw_only=True)
class Rivals:
    """Of one recovery fork: sets that are of a copy of the wanted database, and pairs of which nothing tells which is
    the wanted one's.
    """

    strangers: list[BackupSet] = field(default_factory=list)
    undecided: list[tuple[BackupSet, BackupSet]] = field(default_factory=list)


def same_name(name: str) -> str:
    """The name of a database as SQL Server compares it: blanks at its end do not count."""
    return name.rstrip(" ").casefold()


def origin_of(backup_set: BackupSet) -> Origin:
    return backup_set.server.casefold(), same_name(backup_set.database)


def overlapping_logs(logs: Iterable[BackupSet], *, fork_point: int | None = None) -> list[tuple[BackupSet, BackupSet]]:
    """Log backups of one recovery fork that cannot be of one database, as pairs.

    fork_point: where the fork begins; a log that comes from another fork has something of this one from there on.
    """

    begin = fork_point or 0
    regular = [log for log in logs if not log.copy_only and log.first_lsn < log.last_lsn]
    regular.sort(key=attrgetter("last_lsn"))
    return [
        (log, following)
        for log, following in pairwise(regular)
        if (following.first_lsn if following.first_fork == following.last_fork else begin) < log.last_lsn
    ]


def find_rivals(sets: Sequence[BackupSet], wanted: str, *, fork_point: int | None = None) -> Rivals:
    """Tell the wanted database's sets on one fork from those of its copies. wanted: its name, or nothing."""
    by_origin: dict[Origin, list[BackupSet]] = {}
    for backup_set in sets:
        by_origin.setdefault(origin_of(backup_set), []).append(backup_set)
    pairs = overlapping_logs((entry for entry in sets if entry.kind.is_log), fork_point=fork_point)
    preferred = [origin for origin in by_origin if wanted and origin[1] == same_name(wanted)]
    if len(preferred) != 1:
        return Rivals(undecided=pairs)
    mine = by_origin.pop(preferred[0])
    strangers: list[BackupSet] = []
    for theirs in by_origin.values():
        ids = {id(entry) for entry in theirs}
        if any((id(log) in ids) != (id(other) in ids) for log, other in pairs) or _out_of_order(mine, theirs):
            shared = _shared_until(mine, theirs)
            strangers += [entry for entry in theirs if entry.last_lsn > shared]
    gone = {id(entry) for entry in strangers}
    left = [(log, other) for log, other in pairs if id(log) not in gone and id(other) not in gone]
    return Rivals(strangers=strangers, undecided=left)


def _shared_until(mine: Sequence[BackupSet], theirs: Sequence[BackupSet]) -> int:
    """The LSN up to which the others' sets are of the same database: where its own first log takes over from theirs, as
    after it was renamed or moved. Then it has no older backups of its own, and theirs were made before.
    """
    first = min((log for log in mine if log.kind.is_log and not log.copy_only), key=_FIRST, default=None)
    if first is None or any(entry.last_lsn <= first.first_lsn for entry in mine if entry is not first):
        return -1
    return max(
        (
            log.last_lsn
            for log in theirs
            if log.kind.is_log
            and not log.copy_only
            and log.last_lsn == first.first_lsn
            and log.started <= first.started
        ),
        default=-1,
    )


def _out_of_order(mine: Sequence[BackupSet], theirs: Sequence[BackupSet]) -> bool:
    """Whether both went on at a time: the later set, by a clear margin, has the lower LSN."""
    ordered = sorted((*mine, *theirs), key=attrgetter("last_lsn"))
    own = {id(entry) for entry in mine}
    latest = {True: None, False: None}  # the latest start so far, of each side
    for entry in ordered:
        side = id(entry) in own
        before = latest[not side]
        if before is not None and entry.finished + _OUT_OF_ORDER < before.started and entry.last_lsn > before.last_lsn:
            return True
        if latest[side] is None or entry.started > latest[side].started:
            latest[side] = entry
    return False
