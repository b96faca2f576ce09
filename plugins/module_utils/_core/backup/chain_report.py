# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the backups of one database are worth: how far back and forth they reach, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import BackupSet
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.recovery_paths import Fork, Tree
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.recovery_points import Found, newest, windows
from ansible_collections.prs.recovery.plugins.module_utils._core.prometheus import Metric

from ..times import parse_stored_time

__all__ = ["by_age", "examine", "families", "metrics", "needed_for_newest", "unknown_zones_warning"]


def by_age(backup_set: BackupSet) -> tuple[datetime, int]:
    """Times of backups are whole seconds; within one the LSN decides."""
    return backup_set.finished, backup_set.last_lsn


def families(
    sets: Iterable[BackupSet], *, database: str | None = None, family_guid: str | None = None
) -> list[list[BackupSet]]:
    """The sets of each database, oldest first; the database with the newest backup last.

    A database is known by its family, and may have been renamed: where ``database`` is wanted, that is every family
    with that name in it.
    """
    result: dict[str, list[BackupSet]] = {}
    for backup_set in sorted(sets, key=by_age):
        result.setdefault(backup_set.family, []).append(backup_set)
    chosen = [
        mine
        for family, mine in result.items()
        if family_guid in (None, family)
        and (database is None or any(entry.database.casefold() == database.casefold() for entry in mine))
    ]
    return sorted(chosen, key=lambda mine: by_age(mine[-1]))


def needed_for_newest(sets: Iterable[BackupSet]) -> list[BackupSet]:
    """The sets of one family that its newest recovery point needs, in the order of their restore; empty when there is
    none.
    """
    tree = Tree(backup_set for backup_set in sets if not _problem(backup_set))
    return _chain(newest(tree.unlimited, tree.forks))


def examine(
    sets: Iterable[BackupSet],
    *,
    now: datetime,
    recovery_point_objective: timedelta | None = None,
    certificates: frozenset[str] | None = None,
    lost: Collection[str] = (),
) -> dict[str, Any]:
    """Plain JSON about the sets of one database family.

    newest: end of the newest usable backup by kind. chain: GUIDs of the sets that the newest recovery point needs, in
    order. reachable: stretches of time to every moment of which the database can be brought ({from, until, fork}, UTC),
    the newest last. recovery_point, age_seconds: the newest moment, and how long ago it is; within_objective: whether
    that is short enough (null without an objective). gaps: stretches of the log between backups that no usable log
    backup holds ({fork, from_lsn, until_lsn, from, until}). forks: {guid, parent, fork_point_lsn, sets, newest}.
    unusable: {guid, kind, reason, files}. lost: the same of the sets whose GUIDs are in ``lost``: nothing is left of
    them but the history. counts: {usable, unusable, lost}. unencrypted: files that anybody who
    reads them can restore. certificates: the thumbprints that a restore needs;
    certificates_missing: those of them that are not among the server's (null: not known).
    """
    ordered = sorted(sets, key=by_age)
    usable = [entry for entry in ordered if not _problem(entry)]
    tree = Tree(usable)
    result = newest(tree.unlimited, tree.forks)
    reached = result.time if result is not None else None
    age = None if reached is None else max(now - reached, timedelta())
    needed = sorted(set().union(*map(_thumbprints, usable)))
    unusable = [
        (entry, problem) for entry in ordered if (problem := _problem(entry)) and entry.guid not in lost
    ] + tree.unusable
    gone = [(entry, entry.problem) for entry in ordered if entry.guid in lost]
    left_out = {entry.guid for entry, _reason in unusable}
    return {
        "newest": {entry.kind.value: entry.finished.isoformat() for entry in usable if entry.guid not in left_out},
        "recovery_point": None if reached is None else reached.isoformat(),
        "age_seconds": None if age is None else int(age.total_seconds()),
        "within_objective": None
        if recovery_point_objective is None
        else age is not None and age <= recovery_point_objective,
        "chain": [entry.guid for entry in _chain(result)],
        "reachable": _reachable(tree),
        "gaps": [gap for guid in tree.forks for gap in _gaps(tree.forks[guid])],
        "forks": [_fork(fork, ordered) for fork in tree.forks.values()],
        "unusable": [_left_out(entry, reason) for entry, reason in unusable],
        "lost": [_left_out(entry, reason) for entry, reason in gone],
        "counts": {"usable": len(ordered) - len(unusable) - len(gone), "unusable": len(unusable), "lost": len(gone)},
        "unencrypted": _unencrypted(entry for entry in ordered if entry.guid not in lost),
        "certificates": needed,
        "certificates_missing": None
        if certificates is None
        else [thumbprint for thumbprint in needed if thumbprint not in certificates],
    }


def _reachable(tree: Tree) -> list[dict[str, str]]:
    return [
        {"from": window.start.isoformat(), "until": window.end.isoformat(), "fork": window.fork}
        for window in windows(tree, tree.forks)
        if window.exact
    ]


def _unencrypted(sets: Iterable[BackupSet]) -> list[str]:
    """The files of those of the sets that are known to be not encrypted."""
    known = (backup_set for backup_set in sets if "EncryptorThumbprint" not in backup_set.unknown)
    plain = (backup_set for backup_set in known if not backup_set.encryptor_thumbprint)
    return [path for backup_set in plain for copy in backup_set.copies for path in copy.stripes]


def _problem(backup_set: BackupSet) -> str:
    """Why a restore does not use a set, whatever else there is."""
    return backup_set.problem or ("the database was damaged when this backup was made" if backup_set.damaged else "")


def _chain(candidate: Found | None) -> list[BackupSet]:
    if candidate is None:
        return []
    base = candidate.route.base
    return [
        entry
        for entry in (base.full, base.differential, *(move.log for move in candidate.route.moves))
        if entry is not None
    ]


def _thumbprints(backup_set: BackupSet) -> set[str]:
    """Of the certificates for the backup itself and for the database's own encryption (TDE), as far as its files are
    known.
    """
    return {backup_set.encryptor_thumbprint, *(file.tde_thumbprint for file in backup_set.files)} - {""}


def _left_out(backup_set: BackupSet, reason: str) -> dict[str, Any]:
    return {
        "guid": backup_set.guid,
        "kind": backup_set.kind.value,
        "reason": reason,
        "files": [path for copy in backup_set.copies for path in copy.stripes],
    }


def _fork(fork: Fork, ordered: Sequence[BackupSet]) -> dict[str, Any]:
    mine = [backup_set for backup_set in ordered if backup_set.last_fork == fork.guid]
    return {
        "guid": fork.guid,
        "parent": fork.parent or None,
        "fork_point_lsn": fork.point,
        "sets": len(mine),
        "newest": mine[-1].finished.isoformat() if mine else None,
    }


def _gaps(fork: Fork) -> list[dict[str, Any]]:
    """Between the end of one log, or the full before the first one, and the beginning of the next that is there. A full
    of the model SIMPLE begins no log: it is no more than what it holds.
    """
    fulls = (base for base in fork.bases if base.full is not None and base.differential is None)
    ends = [(base.position, base.full) for base in fulls if base.full.recovery_model != "SIMPLE"]
    first_base = min(ends, key=lambda end: end[0], default=None)
    reach, before = (first_base[0], first_base[1]) if first_base is not None else (None, None)
    gaps = []
    for log in sorted(fork.logs, key=lambda log: (fork.start(log), log.last_lsn)):
        start = fork.start(log)
        if reach is not None and before is not None and start > reach:
            gaps.append(
                {
                    "fork": fork.guid,
                    "from_lsn": reach,
                    "until_lsn": start,
                    "from": before.finished.isoformat(),
                    "until": log.started.isoformat(),
                }
            )
        if reach is None or log.last_lsn > reach:
            reach, before = log.last_lsn, log
    return gaps


def metrics(
    databases: Iterable[Mapping[str, Any]],
    *,
    asked: str,
    now: datetime,
    recovery_point_objective: int | None = None,
    unreadable: int = 0,
) -> list[Metric]:
    """What monitoring wants to know of what :func:`examine` told of each database.

    ``asked``: the server whose view it is. Moments are seconds since 1970, so that their age grows when nobody looks
    any more.
    """
    read_at = [({"server": asked}, now.timestamp())]
    return [
        Metric("prs_backup_read_timestamp_seconds", "When the backups were looked at.", read_at),
        Metric(
            "prs_backup_unreadable_files", "Files among the backups that gave none.", [({"server": asked}, unreadable)]
        ),
        *_database_metrics(
            [
                ({"server": asked, "database": mapping["database"], "family": mapping["family_guid"]}, mapping)
                for mapping in databases
            ],
            recovery_point_objective,
        ),
    ]


def _database_metrics(
    reports: Sequence[tuple[dict[str, str], Mapping[str, Any]]], recovery_point_objective: int | None
) -> list[Metric]:
    """reports: what was told of each database, with its labels."""

    def of_each(name: str, about: str, value: Callable[[Mapping[str, Any]], float | bool | None]) -> Metric:
        return Metric(f"prs_backup_{name}", about, [(labels, value(report)) for labels, report in reports])

    def of_parts(name: str, about: str, part: str, field: str, value: Callable[[Any], float | None]) -> Metric:
        """A sample for each entry of a field that is a mapping, told apart by the label `part`."""
        samples = [
            ({**labels, part: key}, value(entry)) for labels, report in reports for key, entry in report[field].items()
        ]
        return Metric(f"prs_backup_{name}", about, samples)

    def missing(report: Mapping[str, Any]) -> int | None:
        certificates = report["certificates_missing"]
        return None if certificates is None else len(certificates)

    brought_back = "Whether the database can be brought back at all."
    newest_moment = "The newest moment that can be reached."
    ends = "End of the newest usable backup of a kind."
    states = "Backup sets: usable, unusable, or lost to all but the history."
    return [
        of_each("recoverable", brought_back, lambda report: report["recovery_point"] is not None),
        of_each("recovery_point_timestamp_seconds", newest_moment, lambda report: _seconds(report["recovery_point"])),
        of_each("recovery_point_objective_seconds", "How much may be lost.", lambda report: recovery_point_objective),
        of_each("reachable_since_timestamp_seconds", "The oldest moment that can be reached.", _reachable_since),
        of_parts("newest_timestamp_seconds", ends, "kind", "newest", _seconds),
        of_parts("sets", states, "state", "counts", lambda count: count),
        of_each("gaps", "Stretches of the log that no backup holds.", lambda report: len(report["gaps"])),
        of_each("forks", "Recovery paths.", lambda report: len(report["forks"])),
        of_each("certificates_missing", "Certificates that a restore needs and the server does not have.", missing),
    ]


def _reachable_since(report: Mapping[str, Any]) -> float | None:
    return min((_seconds(stretch["from"]) for stretch in report["reachable"]), default=None)


def _seconds(moment: str | None) -> float | None:
    return None if moment is None else parse_stored_time(moment).timestamp()


def unknown_zones_warning(sets: Iterable[BackupSet]) -> str:
    """A sentence where times were taken for UTC because nothing tells the zone of the server that made the backups;
    empty where all are known.
    """
    unknown = [backup_set for backup_set in sets if backup_set.utc_offset is None]
    if not unknown:
        return ""
    return (
        f"{len(unknown)} {'backup does' if len(unknown) == 1 else 'backups do'} not tell the time zone of their "
        "server, so times are taken for UTC; say it in 'time_zone', in the inventory prs_sql_time_zone: Europe/Berlin "
        f"(or UTC). The first is {unknown[0]}"
    )
