# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The backups that a restore may use: what folders, files and msdb say, and what turns out about them on the way."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from datetime import datetime, tzinfo
from typing import Any

from ..._core.backup.backup_set import BackupSet
from ..._core.backup.catalog import BackupCatalog, FileReading, assemble, merge, tell_zones
from ..._core.restore.plan import Mark, Plan
from ..._core.restore.target import parse_time
from ..._core.standby.delay import kept_back
from ..._core.windows_paths import lies_in
from ..catalog.headers import read_files
from ..catalog.history import read_history
from ..catalog.reader import read_catalog, read_newer
from ..connection.errors import SqlError
from ..connection.session import Session
from .facts import add_file_lists, confirm, read_marks, still_there
from .options import RestoreOptions, RestoreSource
from .statements import reading_problems

__all__ = ["BackupSources"]


class BackupSources:
    """catalog: all sets that are known. unusable: those that proved to be, GUID -> reason. doubtful: sets of which msdb
    alone tells. remembered: sets whose headers were read by an earlier run. marks: where marked transactions lie, as
    far as this server remembers; empty unless the target is one. is_partial: the catalog holds what came since alone.

    source: where the backups are read; `move_to` changes it once they are staged. server: what read_server returned.
    kind: of the target (latest, time, lsn, mark). zone: of times in headers that do not tell theirs.
    """

    def __init__(
        self, session: Session, options: RestoreOptions, *, server: dict[str, Any], kind: str, zone: tzinfo | None
    ) -> None:
        self.session, self.options, self.server, self.kind, self.zone = session, options, server, kind, zone
        later = options.source.finished_before
        self.finished_before = parse_time(later, option="source.finished_before") if later else None
        self.source: RestoreSource = options.source
        self.is_staged = False
        self.is_partial = False
        self.catalog = BackupCatalog()
        self.tails = BackupCatalog()
        self.unusable: dict[str, str] = {}
        self.doubtful: frozenset[str] = frozenset()
        self.remembered: frozenset[str] = frozenset()
        self.marks: tuple[Mark, ...] = ()
        self._readings: dict[str, FileReading] = {}
        self._unconfirmed: set[str] = set()

    def move_to(self, folder: str) -> None:
        """From now on the backups are read from a folder that holds copies of them."""
        self.source = dataclasses.replace(self.options.source, folders=(folder,), files=())
        self.is_staged = True

    def use(self, catalog: BackupCatalog) -> None:
        """Plan with these sets."""
        self.catalog = catalog
        if self.finished_before is not None:
            sets = kept_back(catalog.sets, self.finished_before, zone_known=self.zone is not None)
            self.catalog = BackupCatalog(sets=sets, unreadable=catalog.unreadable)
        self.marks = self._read_marks()

    def read_since(self, last: str, *, now: datetime) -> None:
        """Read one backup, by the path of its file, and what was written beside it since, where the sources are such
        that this can be told. now: aware.
        """
        source, options = self.source, self.options
        folders = sorted(source.folders, key=lambda folder: not lies_in(last, folder))
        said_otherwise = source.files or source.history or self.is_staged or options.read_headers == "files"
        self.is_partial = True
        self.catalog = BackupCatalog()
        if not folders or not lies_in(last, folders[0]) or not options.cache_headers or said_otherwise:
            return
        server, later = self._server_of_headers, self.finished_before
        since = read_newer(self.session, last, folders=folders, now=now, zone=self.zone, server=server)
        sets = [entry for entry in since.sets if later is None or (self._is_told(entry) and entry.finished <= later)]
        self.catalog = BackupCatalog(sets=sets, unreadable=since.unreadable)

    def _is_told(self, entry: BackupSet) -> bool:
        """Whether one knows when a backup was finished."""
        return entry.utc_offset is not None or self.zone is not None

    @property
    def _server_of_headers(self) -> str:
        return f"{self.server['name']} {self.server['version']}"

    def read(self, *, trust: bool) -> None:
        """Read the backups. trust: headers that an earlier run read count as long as the files look the same."""
        self.is_partial = False
        if self.options.read_headers == "files" and not self.is_staged:
            self._read_from_files()
            return
        cache = self.options.cache_headers and not self.is_staged  # staged copies go away again
        catalog, self.remembered = read_catalog(
            self.session,
            folders=self.source.folders,
            files=self.source.files,
            zone=self.zone,
            server=self._server_of_headers if cache else "",
            trust=trust,
            skip_unreadable=self.source.skip_unreadable_folders,
        )
        self._complete(catalog)

    def _read_from_files(self) -> None:
        from ..catalog.file_headers import read_file_headers  # a run that speaks SQL alone does not pay for it

        readings = read_file_headers(self.session, folders=self.source.folders, files=self.source.files)
        self._readings = {reading.path: reading for reading in readings}
        self._unconfirmed = {reading.path for reading in readings if reading.unknown}
        self._complete(assemble(readings, zone=self.zone))

    def _complete(self, catalog: BackupCatalog) -> None:
        """Add what msdb knows and the tails, and plan with that."""
        if self.source.history:
            self._add_history(catalog)
        if self.kind == "time" and any(backup_set.utc_offset is None for backup_set in catalog.sets):
            self._add_zones(catalog)
        self.use(merge(catalog, self.tails) if self.tails.sets else catalog)

    def has_read(self, folder: str) -> bool:
        """Whether what lies in a folder is in the catalog, as far as the sources count at all."""
        return not self.is_staged and folder.lower() in (source.lower() for source in self.source.folders)

    def add_tails(self, tails: BackupCatalog) -> None:
        """Tails of the log that lie where no source looks."""
        self.tails = merge(self.tails, tails)
        self.catalog = merge(self.catalog, tails)

    def confirm(self, plan: Plan) -> bool:
        """Look whether the sets of a plan are what they were said to be, and read their file lists. False where one is
        not: then the catalog knows better, and the plan has to be made anew.
        """
        if not self._still_there(plan) or not self._as_the_server_reads(plan):
            return False
        failed = confirm(self.session, self.catalog, plan, self.doubtful, zone=self.zone)
        failed = failed or add_file_lists(self.session.connection, self.catalog, plan)
        self.unusable.update(failed)
        return not failed

    def read_to_the_end(self, plan: Plan, *, whole: set[str]) -> bool:
        """Let the server read every set of a plan from its first to its last byte. False where one cannot be: that is
        not used any more, and the plan has to be made anew.

        whole: GUIDs of the sets that need no reading, since they were read before; those that are whole join them.
        """
        for step in plan.steps:
            if not step.copies or step.guid in whole:
                continue
            problems = reading_problems(self.session, step)
            if all(problems):
                self.unusable[step.guid] = problems[0]
                self.session.warnings.append(
                    f"The {step.kind} backup in {step.copies[0].stripes[0]} cannot be read to its end, and was left "
                    f"out: {problems[0]}"
                )
                return False
            whole.add(step.guid)
        return True

    def _still_there(self, plan: Plan) -> bool:
        """What a plan would use of what is only remembered has to be there; if it is not, nothing that is remembered
        counts any more.
        """
        wanted = {step.guid for step in plan.steps} & self.remembered
        held: Collection[str] = still_there(self.session, plan, wanted) if wanted else frozenset()
        self.remembered -= held
        if held == wanted:
            return True
        self.session.progress.line("files are not what they were when they were read: reading all of them again")
        self.read(trust=False)
        return False

    def _as_the_server_reads(self, plan: Plan) -> bool:
        """What a plan would use of what was read from the files alone, the server reads once more, since it is the one
        that restores; then the plan has to be made anew.
        """
        paths = [path for step in plan.steps for copy in step.copies[:1] for path in copy.stripes]
        asked = [path for path in dict.fromkeys(paths) if path in self._unconfirmed]
        if not asked:
            return True
        answers = read_files(self.session.connection, asked, progress=self.session.progress)
        self._readings |= {reading.path: reading for reading in answers}
        self._unconfirmed -= set(asked)
        self._complete(assemble(self._readings.values(), zone=self.zone))
        return False

    def _add_history(self, catalog: BackupCatalog) -> None:
        """The sets of which msdb alone tells. It says where they were written; whether they still are there, the files
        must say.
        """
        source = self.source
        name = source.database or (None if source.family_guid else self.options.database)
        known = {backup_set.guid for backup_set in catalog.sets}
        history = read_history(self.session.connection, database=name).sets
        doubtful = [backup_set for backup_set in history if backup_set.guid not in known]
        catalog.sets += doubtful
        self.doubtful = frozenset(backup_set.guid for backup_set in doubtful)

    def _add_zones(self, catalog: BackupCatalog) -> None:
        """The zone of the server that made the backups, if it is this one."""
        try:
            tell_zones(catalog, read_history(self.session.connection, database=self.options.source_database))
        except SqlError as problem:  # a login may restore without rights on msdb
            if problem.lost:
                raise

    def _read_marks(self) -> tuple[Mark, ...]:
        """Where the marks lie. Backups do not tell; the server that made them remembers, if this is the one."""
        name, server = self.options.source_database.lower(), self.server["name"].lower()
        is_ours = any(
            backup_set.database.lower() == name and backup_set.server.lower() == server
            for backup_set in self.catalog.sets
        )
        if self.kind != "mark" or not is_ours:
            return ()
        return read_marks(self.session.connection, database=name, zone=self.zone)
