# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of sql_backup."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..._core.advice.sql_server import NO_RIGHTS
from ..._core.errors import RecoveryError
from ..._winrm.connection.options import has_windows
from ..backup import statements as backups
from ..catalog.verification import verify
from ..connection.connection import Question
from ..connection.session import Session
from ..instance import locks
from ..instance.backup_encryption import check_encryption
from ..instance.databases import database_questions
from ..instance.folders import folder_question, provide_folder
from ..instance.server import read_server, server_questions, service_account, utc_now
from .missing_base import backup_name, base_question, kind_to_take
from .options import BackupOptions
from .plan import BackupPlan, prepare
from .preconditions import check_options, require_backupable
from .second_copy import SERVER, keep_existing, who_copies

if TYPE_CHECKING:
    from .pruning import BackupFolder
    from .windows_side import WindowsSide

__all__ = ["BackupRun"]


class BackupRun:
    """Check, lock, write, confirm, verify, deliver, prune; so that each step stands on the one before."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.connection = session.connection
        self.options = options = BackupOptions.from_params(session.params)
        self.windows = _windows_side(session, options)
        check_options(options, windows=self.windows is not None)
        if options.manifest:
            from .control_node_manifest import check_place

            check_place(options.manifest)

    def run(self) -> dict[str, Any]:
        """What the task returns."""
        with closing(self.windows) if self.windows else nullcontext():
            plan, report, beside = self._prepare()
            self._provide_places(plan, report, beside=beside)
            before = backups.newest_backup_id(self.connection)
            with self._advising_to_stage(plan.folder):
                backups.take_backup(
                    self.session, self._statement(plan, report.get("encryption")), database=plan.database
                )
            if not self.session.check_mode:
                report |= self._confirmed_report(plan, after=before)
            result = {"changed": True, "backup": report, "statements": self.session.statements}
            finished = self._deliver(plan, report, beside=beside)
            if self.options.manifest:
                result["manifest"] = self._write_manifest(self.options.manifest, report)
            pruned = self._prune(plan, report)
        return {**result, **({"delivered": finished} if finished else {}), **({"retention": pruned} if pruned else {})}

    # Before the backup

    def _prepare(self) -> tuple[BackupPlan, dict[str, Any], bool]:
        """The plan, the report so far, and whether a manifest will lie beside the backup."""
        session, options = self.session, self.options
        self.connection.ask_ahead(*server_questions(), *database_questions(options.database))
        server = read_server(self.connection)
        service_account(self.connection)  # so that every message about a path can say for whom
        database = require_backupable(session, options)
        moment = utc_now(self.connection)
        facts = {"database": database, "server": server, "moment": moment}
        plan = prepare(options, kind=options.kind, **facts)
        encryption = check_encryption(session, server, options.encryption) if options.encryption else None
        if options.copy_to:
            plan = replace(plan, copied_by=who_copies(session, options, server, plan.folder, windows=self.windows))
        self.connection.ask_ahead(*self._questions_under_lock(plan))
        locks.hold(session, plan.database)
        beside = self._is_lease_free(plan, moment)
        kind = kind_to_take(session, options, database)  # only now: whoever held the lock may have taken the base
        if kind != options.kind:
            plan = prepare(options, kind=kind, copied_by=plan.copied_by, **facts)
        return plan, plan.to_report() | ({"encryption": encryption} if encryption else {}), beside

    def _questions_under_lock(self, plan: BackupPlan) -> list[Question]:
        """The lock first: what is asked behind it nobody else of us changes any more."""
        return [
            *([] if self.session.check_mode else [locks.lock_question(plan.database)]),
            *([base_question(plan.database)] if plan.kind.needs_base else []),
            backups.newest_question(),
            folder_question(self.options.stage_path or plan.folder),
        ]

    def _is_lease_free(self, plan: BackupPlan, moment: dt.datetime) -> bool:
        """Whether a manifest is written beside the backup. Raises RecoveryError while somebody else holds the lease of
        the database.
        """
        if self.windows is None:
            return False
        wanted = self.options.manifest_beside
        needed = plan.is_delivered or wanted == "true"
        if not (needed or (wanted == "auto" and self.windows.reaches(plan.folder))):
            return False
        return self.windows.is_lease_seen(plan.folder, plan.database, now=moment) or needed

    def _provide_places(self, plan: BackupPlan, report: dict[str, Any], *, beside: bool) -> None:
        session, options = self.session, self.options
        with self._advising_to_stage(plan.folder):
            provide_folder(session, options.stage_path or plan.folder)
        if plan.copied_by == SERVER:
            provide_folder(session, str(options.copy_to))
            keep_existing(session, options, [*plan.written, *plan.copy_files])
        if self.windows is None:
            return
        if plan.is_delivered:
            self.windows.begin(plan, report)
        elif beside and "{time}" not in options.file_name:
            self.windows.forget_manifest(plan)

    def _statement(self, plan: BackupPlan, encryption: Mapping[str, str] | None) -> str:
        options = self.options
        return backups.backup_statement(
            database=plan.database,
            kind=plan.kind,
            files=plan.written,
            copy_only=plan.copy_only,
            compression=plan.compression,
            checksum=options.checksum,
            overwrite=options.overwrite,
            name=backup_name(plan.database, plan.kind, plan.substitute_for),
            description=options.description,
            encryption=encryption,
            mirror=plan.mirror,
        )

    @contextmanager
    def _advising_to_stage(self, folder: str) -> Iterator[None]:
        """Where SQL Server has no rights on a share, somebody else may have some."""
        try:
            yield
        except RecoveryError as problem:
            cause = (problem.details.get("sql_error") or {}).get("os_error")
            if cause not in NO_RIGHTS or not folder.startswith("\\\\") or self.options.stage_path:
                raise
            stage = (
                "or let it write to a disk of the server, from where Windows copies the files: set "
                "'stage_path', 'share_user' and 'share_password'"
            )
            raise problem.reworded(advice=f"{problem.advice}; {stage}") from None

    # After it

    def _confirmed_report(self, plan: BackupPlan, *, after: int) -> dict[str, Any]:
        """What msdb has of the backup, once the server has read back every copy that it wrote."""
        connection, options = self.connection, self.options
        backup_set, position = backups.confirmed(
            connection, database=plan.database, files=plan.written, mirror=plan.mirror, after=after
        )
        if options.verify:
            for copy in filter(None, (plan.written, plan.mirror)):
                verify(
                    connection,
                    files=copy,
                    position=position,
                    checksum=options.checksum,
                    progress=self.session.progress,
                )
        return backups.confirmed_report(backup_set, files=plan.files, verified=options.verify)

    def _deliver(self, plan: BackupPlan, report: dict[str, Any], *, beside: bool) -> list[dict[str, Any]]:
        """Copies and manifests, by Windows; the reports of what interrupted runs had left."""
        if self.windows is None:
            return []
        if plan.is_delivered:
            return self.windows.deliver(plan, report)
        if beside and not self.session.check_mode:
            self.windows.write_manifest(plan, report)
        return []

    def _write_manifest(self, path: str, report: dict[str, Any]) -> str:
        if not self.session.check_mode:
            from .control_node_manifest import write_json

            write_json(path, report)
        return path

    def _prune(self, plan: BackupPlan, report: dict[str, Any]) -> list[dict[str, Any]]:
        """What became of the old backups, per folder that has rules. A failure still returns the new backup."""
        options = self.options
        places = [
            (options.retention, plan.folder, plan.is_staged),
            (options.copy_retention, options.copy_to or "", plan.copied_by != SERVER),
        ]
        if not any(rules for rules, _folder, _delivered in places):
            return []
        from .pruning import prune

        verified = [backup_set["guid"] for backup_set in report.get("sets", []) if report["verified"]]
        try:
            return [
                prune(
                    self.session,
                    self._backup_folder(folder, delivered=delivered),
                    family_guid=plan.family_guid,
                    rules=rules,
                    verified=verified,
                )
                for rules, folder, delivered in places
                if rules
            ]
        except RecoveryError as problem:
            problem.details.setdefault("backup", report)
            raise

    def _backup_folder(self, folder: str, *, delivered: bool) -> BackupFolder:
        """A folder as pruning sees it. delivered: Windows brought the backups there, and SQL Server may have no
        rights.
        """
        if delivered and self.windows:
            return self.windows.delivered_folder(folder)
        from .server_folder import ServerBackupFolder

        return ServerBackupFolder(self.session, folder, windows=self.windows and self.windows.host)


def _windows_side(session: Session, options: BackupOptions) -> WindowsSide | None:
    """The Windows of the server, where it is known how to reach it and something may be asked of it."""
    params = session.params
    if not (options.asks_windows and has_windows(params)):
        return None
    from .windows_side import WindowsSide

    return WindowsSide(session, options)
