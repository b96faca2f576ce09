# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prunes a backup folder by the retention, but never before the chain that stays was read back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from ..._core.backup.backup_set import BackupSet, guid
from ..._core.backup.catalog import BackupCatalog
from ..connection.session import Session
from ..instance.server import clock

if TYPE_CHECKING:
    from ..._core.backup.retention import Retention
    from ..._core.retention_rules import Rules

__all__ = ["BackupFolder", "prune"]

NEWEST = "newest_chain"


def retention() -> Any:
    """The module that decides, imported by runs that prune alone: Python compiles all that a module imports anew in
    every run.
    """
    from ..._core.backup import retention

    return retention


class BackupFolder(Protocol):
    """A folder of backups, whoever reads it and removes from it."""

    path: str

    def inventory(self, *, zone: dt.tzinfo) -> BackupCatalog:
        """The backups in the folder and below it."""

    def reading_problem(self, backup_set: BackupSet) -> str:
        """Read a backup from its first to its last byte; empty when it is whole."""

    def beside(self, file: str) -> list[str]:
        """The manifests that go with a file."""

    def remove(self, file: str) -> None:
        """Raises RecoveryError when it is still there. In check mode nothing happens."""

    def end(self) -> None:
        """All that was to be removed is."""


def prune(
    session: Session, place: BackupFolder, *, family_guid: str, rules: Rules, verified: Collection[str] = ()
) -> dict[str, Any]:
    """Remove from a folder, and below it, the backups of one database that no rule keeps; in check mode only list them.

    verified: GUIDs of sets that were read back just now. Returns folder, decisions (oldest first) and remove (the
    files, each after its manifest). Raises RecoveryError where a file could not be removed.
    """
    now, zone = clock(session.connection)
    inventory = place.inventory(zone=zone)
    sets = [backup_set for backup_set in inventory.sets if backup_set.family_guid == guid(family_guid)]
    for backup_set in sets:
        backup_set.verified = backup_set.verified or backup_set.guid in {guid(value) for value in verified}
    decided = _proven(session, place, sets, rules, now=now)
    remove = _ours_alone(decided, inventory, family_guid=family_guid)
    if remove and not any(decision.rule == NEWEST for decision in decided.decisions):
        session.warnings.append(
            f"Nothing was removed from {place.path}: it holds no chain of this database that could be restored"
        )
        remove = []
    # The manifest goes first: what is interrupted here does not count as complete any more.
    remove = [path for file in remove for path in (*place.beside(file), file)]
    for path in remove:
        place.remove(path)
    place.end()
    return {"folder": place.path, "remove": remove, "decisions": [decision.to_dict() for decision in decided.decisions]}


def _proven(
    session: Session, place: BackupFolder, sets: list[BackupSet], rules: Rules, *, now: dt.datetime
) -> Retention:
    """The decisions, once every set of the newest chain was read back. A set that fails counts for nothing, and the
    next chain is tried.
    """
    while True:
        decided = retention().decide_retention(sets, rules, now=now)
        doubtful = [
            decision.set for decision in decided.decisions if decision.rule == NEWEST and not decision.set.verified
        ]
        if session.check_mode or not decided.remove or not doubtful:
            return decided
        for entry in doubtful:
            problem = place.reading_problem(entry)
            if problem:
                session.warnings.append(
                    f"The {entry} cannot be read back, so older backups are kept in its place: {problem}"
                )
                failed = tuple(copy._replace(problem=copy.problem or problem) for copy in entry.copies)
                sets[:] = [replace(entry, copies=failed) if other is entry else other for other in sets]
                break
            entry.verified = True


def _ours_alone(decided: Retention, inventory: BackupCatalog, *, family_guid: str) -> list[str]:
    """The files to remove, without those that also hold another database's backup, or something that cannot be read."""
    foreign = {
        path.lower()
        for backup_set in inventory.sets
        if backup_set.family_guid != guid(family_guid)
        for copy in backup_set.copies
        for path in copy.stripes
    }
    foreign |= {item.path.lower() for item in inventory.unreadable}
    return [path for path in decided.remove if path.lower() not in foreign]
