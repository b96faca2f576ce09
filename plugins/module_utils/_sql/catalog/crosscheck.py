# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups as the history tells them against those that are there, and whether these can be read to their end."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import tzinfo
from typing import Any, NamedTuple

from ..._core.backup.backup_set import BackupSet, DatabaseFile, database_file
from ..._core.backup.catalog import BackupCatalog, assemble, merge, reconcile, tell_zones
from ..._core.errors import RecoveryError
from ..._core.restore.target import parse_zone
from ..._core.windows_paths import parent
from ..connection.connection import Connection
from ..connection.errors import SqlError
from ..connection.session import Session
from ..instance.folders import PATH_NOT_FOUND, find_files
from .headers import read_file_list, read_files
from .history import read_history
from .reader import read_catalog
from .verification import reading_problem

__all__ = ["Found", "add_file_lists_of_fulls", "gather", "read_to_the_end"]

NO_CERTIFICATE = 33111
_THUMBPRINT = re.compile(r"0x([0-9A-Fa-f]{40})")


class Found(NamedTuple):
    """All backup sets, and what is known of each set's whereabouts, by GUID.

    in_history, in_files: the sets that msdb and the files tell of; None where nobody asked. out_of_sight: sets of the
    history whose folders cannot be looked into.
    """

    inventory: BackupCatalog
    in_history: frozenset[str] | None = None
    in_files: frozenset[str] | None = None
    out_of_sight: frozenset[str] = frozenset()

    def lost(self) -> frozenset[str]:
        """Sets of which nothing is left but the history."""
        if self.in_history is None or self.in_files is None:
            return frozenset()
        return self.in_history - self.in_files - self.out_of_sight

    def whereabouts(self, guid: str) -> dict[str, bool | None]:
        return {
            "in_history": None if self.in_history is None else guid in self.in_history,
            "in_files": None if self.in_files is None or guid in self.out_of_sight else guid in self.in_files,
        }


def gather(session: Session, source: dict[str, Any]) -> Found:
    """What C(folders), C(files) and C(history) tell, the last one against the files that it names where C(crosscheck)
    asks for it.
    """
    from_files = bool(source["folders"] or source["files"])
    from_history = not from_files if source["history"] is None else source["history"]
    compare = from_files if source["crosscheck"] is None else source["crosscheck"]
    zone = parse_zone(source["time_zone"])
    in_files = BackupCatalog()
    if from_files:
        in_files = _read(session, source, zone=zone)
    if not from_history:
        return Found(in_files, in_files=_guids(in_files))
    history = read_history(session.connection, database=source["database"], family_guid=source["family_guid"])
    tell_zones(in_files, history)
    if not compare:
        return Found(merge(in_files, history), in_history=_guids(history))
    elsewhere, hidden = _look(session, _unseen(history, in_files), zone=zone)
    tell_zones(elsewhere, history)
    in_files = merge(in_files, elsewhere)
    sets = [hidden.get(backup_set.guid, backup_set) for backup_set in history.sets]
    reconciled = reconcile(BackupCatalog(sets=sets, unreadable=history.unreadable), in_files)
    return Found(
        reconciled.inventory,
        in_history=_guids(history),
        in_files=_guids(in_files),
        out_of_sight=frozenset(hidden) - _guids(in_files),
    )


def _read(session: Session, source: dict[str, Any], *, zone: tzinfo | None) -> BackupCatalog:
    """What C(folders) and C(files) hold, as C(read_headers) says."""
    if source["read_headers"] == "files":
        from .file_headers import read_file_headers  # a run that speaks SQL alone does not pay for it

        return assemble(read_file_headers(session, folders=source["folders"], files=source["files"]), zone=zone)
    return read_catalog(session, folders=source["folders"], files=source["files"], zone=zone)[0]


def _guids(inventory: BackupCatalog) -> frozenset[str]:
    return frozenset(backup_set.guid for backup_set in inventory.sets)


def _unseen(history: BackupCatalog, catalog: BackupCatalog) -> list[BackupSet]:
    """Sets of the history that no file seen so far holds as a whole."""
    seen = {backup_set.guid for backup_set in catalog.sets if not backup_set.problem}
    return [backup_set for backup_set in history.sets if backup_set.guid not in seen and backup_set.best_copy]


def _look(
    session: Session, sets: Sequence[BackupSet], *, zone: tzinfo | None
) -> tuple[BackupCatalog, dict[str, BackupSet]]:
    """What lies where the history says that these sets are; and those in folders that cannot be looked into, with that
    as their problem.
    """
    paths = dict.fromkeys(
        path for backup_set in sets for copy in backup_set.copies if not copy.problem for path in copy.stripes
    )
    present: set[str] = set()
    closed: dict[str, str] = {}
    for folder in dict.fromkeys(map(parent, paths)):
        session.progress.line(f"looking into {folder}")
        try:
            present.update(map(str.lower, find_files(session.connection, folder)))
        except RecoveryError as problem:
            if isinstance(problem, SqlError) and problem.lost:
                raise
            if (
                problem.details.get("sql_error", {}).get("os_error") != PATH_NOT_FOUND
            ):  # a folder that is gone hides nothing
                closed[folder] = f"{problem.message}; only msdb tells of it"
    readings = read_files(
        session.connection, [path for path in paths if path.lower() in present], progress=session.progress
    )
    hidden = {}
    for backup_set in sets:
        copies = [
            copy._replace(
                problem=copy.problem
                or next((closed[folder] for folder in map(parent, copy.stripes) if folder in closed), ""),
            )
            for copy in backup_set.copies
        ]
        if all(copy.problem for copy in copies):
            hidden[backup_set.guid] = replace(backup_set, copies=tuple(copies))
    return assemble(readings, zone=zone), hidden


def read_to_the_end(
    session: Session, catalog: BackupCatalog, choose: Callable[[list[BackupSet]], Iterable[BackupSet]]
) -> None:
    """Let the server read the sets that are chosen from first to last byte, and note in the inventory how that went.

    A copy that is not whole gets its problem; then it is chosen again, for the next copy or the next best chain.
    """
    while doubtful := [
        backup_set for backup_set in choose(catalog.sets) if not backup_set.verified and not backup_set.problem
    ]:
        judged = {backup_set.guid: _judged(session, backup_set) for backup_set in doubtful}
        catalog.sets[:] = [judged.get(backup_set.guid, backup_set) for backup_set in catalog.sets]


def _judged(session: Session, backup_set: BackupSet) -> BackupSet:
    copy = backup_set.best_copy
    if copy is None:
        return backup_set
    session.progress.line(f"verifying {', '.join(copy.stripes)}")
    problem = reading_problem(session, backup_set, copy)
    if problem:
        bad = copy._replace(problem=f"it cannot be read to its end: {problem}")
        return replace(backup_set, copies=tuple(bad if other is copy else other for other in backup_set.copies))
    return replace(backup_set, verified=True)


def add_file_lists_of_fulls(connection: Connection, families: Iterable[Sequence[BackupSet]]) -> None:
    """Read the database files of each family's newest full backup: they tell whether the database is encrypted (TDE),
    and by which certificate.

    Without that certificate the server does not list them, but says its thumbprint.
    """
    for sets in families:
        newest = next(
            (backup_set for backup_set in reversed(sets) if backup_set.kind.begins_chain and not backup_set.problem),
            None,
        )
        if newest is None or newest.files or newest.best_copy is None:
            continue
        try:
            newest.files = tuple(database_file(row) for row in read_file_list(connection, newest.best_copy))
        except SqlError as problem:
            if problem.lost:
                raise
            named = _THUMBPRINT.search(problem.text) if problem.number == NO_CERTIFICATE else None
            if named:
                newest.files = (_encrypted_file(named[1].upper()),)


def _encrypted_file(thumbprint: str) -> DatabaseFile:
    """All that is known of a file whose list the server does not give out."""
    return DatabaseFile(logical_name="", physical_name="", type="D", size=0, file_id=0, tde_thumbprint=thumbprint)
