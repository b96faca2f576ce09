# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A backup from the first question to the files that lie where they belong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from ..._core.advice.sql_server import NO_RIGHTS
from ..._core.backup.backup_set import BackupKind
from ..._core.backup.file_names import MANIFEST_FORMAT, backup_files
from ..._core.errors import RecoveryError, sentences
from ..._core.retention_rules import Rules
from ..._core.windows_paths import parent
from ..backup import statements as backups
from ..catalog.verification import verify
from ..connection.session import Session
from ..instance import locks
from ..instance.folders import provide_folder
from ..instance.server import read_server, service_account, utc_now
from .encryption import check_encryption
from .missing_base import backup_name, kind_to_take
from .preconditions import check_options, require_backupable

if TYPE_CHECKING:
    from ..instance.windows_host import Windows
    from .delivery import Delivery
    from .pruning import Folder

__all__ = ["Backup"]


class Backup:
    """One run of sql_backup: check, lock, write, confirm, verify, bring to its place, prune; so that each step stands
    on the one before.

    written: the files of SQL Server; files of the report: where they are in the end. beside: whether a manifest lies
    with them.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.params = params = session.params
        self.connection = session.connection
        self.windows = _windows(session)
        check_options(params, windows=self.windows is not None)
        if params["manifest"]:
            from .control_node_manifest import check_place

            check_place(params["manifest"])

    def run(self) -> dict[str, Any]:
        """What the task returns."""
        with closing(self.windows) if self.windows else nullcontext():
            self._prepare()
            before = backups.newest_backup_id(self.connection)
            with self._advising_to_stage():
                backups.take_backup(self.session, self._statement(), database=self.name)
            if not self.session.check_mode:
                self.report |= self._proven(after=before)
            result = {"changed": True, "backup": self.report, "statements": self.session.statements}
            finished = self._bring_to_its_place()
            if self.params["manifest"]:
                result["manifest"] = self._write_manifest()
            pruned = self._pruned()
        return {**result, **({"finished": finished} if finished else {}), **({"retention": pruned} if pruned else {})}

    # Before the backup

    def _prepare(self) -> None:
        """All that is asked, and the folders that are made, before the backup; the report so far."""
        session, params, kind = self.session, self.params, BackupKind(self.params["kind"])
        self.server = read_server(self.connection)
        service_account(self.connection)  # so that every message about a path can say for whom
        self.database = require_backupable(session, kind)
        self.name = self.database["name"]
        self.moment = utc_now(self.connection)
        self.folder = params["path"] or self.server["default_backup_path"]
        self.report = {
            "format": MANIFEST_FORMAT,
            "database": self.name,
            "server": self.server["name"],
            "kind": kind.value,
            "copy_only": params["copy_only"],
            "files": self._files(self.folder, kind),
            "family_guid": self.database["family_guid"],
            "verified": False,
        }
        if params["encryption"]:
            self.report["encryption"] = check_encryption(session, self.server, params["encryption"])
        self.copied_by = self._who_copies()
        self.carried = params["stage_path"] is not None or self.copied_by == "windows"
        self.beside = self._is_manifest_wanted()
        locks.hold(session, self.name)
        self._refuse_foreign_lease()
        self.kind = kind_to_take(session, self.database)  # only now: whoever held the lock may have taken the base
        if self.kind != kind:
            self.report |= {
                "kind": self.kind.value,
                "substitute_for": kind.value,
                "files": self._files(self.folder, self.kind),
            }
        self.written = self._files(params["stage_path"], self.kind) if params["stage_path"] else self.report["files"]
        if params["copy_to"]:
            self.report |= {"copy_files": self._files(params["copy_to"], self.kind), "copied_by": self.copied_by}
        self._provide_places()

    def _provide_places(self) -> None:
        session, params = self.session, self.params
        with self._advising_to_stage():
            provide_folder(session, params["stage_path"] or self.folder)
        copies = self.report.get("copy_files", [])
        if self.copied_by == "server":
            from .second_copy import keep_what_is_there

            provide_folder(session, params["copy_to"])
            keep_what_is_there(session, [*self.written, *copies])
        if self.carried:
            from ..._core.backup.manifest import PendingDelivery

            self.note = PendingDelivery(report=self.report, written=tuple(self.written))
            carrier = self._carrier()
            carrier.refuse_what_is_there(
                [
                    *(self.report["files"] if params["stage_path"] else ()),
                    *(copies if self.copied_by == "windows" else ()),
                ]
            )
            carrier.announce(self.note)
        elif (
            self.beside and "{time}" not in params["file_name"]
        ):  # the file may be there already, and will not be what its manifest says
            self._carrier().remove_manifest(self.written[0])

    def _who_copies(self) -> str:
        """Who makes the second copy: the server while it writes the first one, or Windows afterwards. Empty where there
        is none.
        """
        if not self.params["copy_to"]:
            return ""
        from .second_copy import who_copies

        return who_copies(self.session, self.server, self.folder, windows=self.windows)

    def _refuse_foreign_lease(self) -> None:
        """A lease that cannot be looked at is no reason to go without a backup."""
        if not self.beside or self.windows is None:
            return
        try:
            self.windows.refuse_foreign_lease(self.folder, self.name, now=self.moment)
        except RecoveryError as problem:
            if "lease" in problem.details:
                raise
            self.session.warnings.append(
                f"Whether somebody else works on {self.name} could not be seen in {self.folder}: {problem}"
            )
            self.beside = self.carried or self.params["manifest_beside"] == "true"

    def _is_manifest_wanted(self) -> bool:
        if self.windows is None:
            return False
        wanted = self.params["manifest_beside"]
        return self.carried or wanted == "true" or (wanted == "auto" and self.windows.reaches(self.folder))

    # After it

    def _proven(self, *, after: int) -> dict[str, Any]:
        """What msdb has of the backup, once the server has read back every copy that it wrote."""
        connection, params = self.connection, self.params
        mirror = self.report["copy_files"] if self.copied_by == "server" else []
        taken, position = backups.confirmed(
            connection, database=self.name, files=self.written, mirror=mirror, after=after
        )
        if params["verify"]:
            for copy in filter(None, (self.written, mirror)):
                verify(
                    connection,
                    files=copy,
                    position=position,
                    checksum=params["checksum"],
                    progress=self.session.progress,
                )
        return backups.proven(taken, files=self.report["files"], verified=params["verify"])

    def _bring_to_its_place(self) -> list[dict[str, Any]]:
        """Copies and manifests, by Windows; the reports of what interrupted runs had left to be brought there."""
        if not self.carried:
            if self.beside and not self.session.check_mode:
                self._write_beside()
            return []
        from .pending_deliveries import finish

        carrier = self._carrier()
        try:
            finished = finish(self.session, carrier, parent(self.written[0]), report=self.report, written=self.written)
            if not self.session.check_mode:
                carrier.deliver(self.report, self.written, copied=self.copied_by == "windows")
                carrier.forget(self.note)
            return finished
        except RecoveryError as problem:
            if self.session.check_mode:
                raise
            raise RecoveryError(
                f"The backup is complete in {', '.join(self.written)}, but it is not yet where it belongs: "
                f"{problem.message}",
                advice=sentences(problem.advice, "The next run brings there what is left"),
                **{"backup": self.report, **problem.details},
            ) from None

    def _write_beside(self) -> None:
        """The manifest of a backup that lies where it belongs. Unless it was asked for, its lack is a warning."""
        try:
            self._carrier().deliver(self.report, self.written, copied=False)
        except RecoveryError as problem:
            message = (
                f"The backup is complete in {', '.join(self.written)}, but no manifest lies beside it: "
                f"{problem.message}"
            )
            if self.params["manifest_beside"] == "true":
                raise RecoveryError(
                    message, advice=problem.advice, **{"backup": self.report, **problem.details}
                ) from None
            self.session.warnings.append(sentences(message, problem.advice, "'manifest_beside: false' does without"))

    def _write_manifest(self) -> str:
        path = self.params["manifest"]
        if not self.session.check_mode:
            from .control_node_manifest import write_json

            write_json(path, self.report)
        return path

    def _pruned(self) -> list[dict[str, Any]]:
        """What became of the old backups, per folder that has rules. A failure still returns the new backup."""
        params, report = self.params, self.report
        if not (params["retention"] or params["copy_retention"]):
            return []
        from .pruning import prune

        verified = [one["guid"] for one in report.get("sets", []) if report["verified"]]
        places = {
            "retention": (self.folder, params["stage_path"] is not None),
            "copy_retention": (params["copy_to"], self.copied_by == "windows"),
        }
        try:
            return [
                prune(
                    self.session,
                    self._place(*place),
                    family_guid=report["family_guid"],
                    rules=rules,
                    verified=verified,
                )
                for option, place in places.items()
                if (rules := Rules.from_options(params[option], option=option))
            ]
        except RecoveryError as problem:
            problem.details.setdefault("backup", self.report)
            raise

    def _place(self, folder: str, carried: bool) -> Folder:
        """A folder as pruning sees it. carried: Windows brought the backups there, and SQL Server may
        have no rights.
        """
        if carried and self.windows:
            from .delivered_folder import DeliveredFolder

            return DeliveredFolder(self.session, folder, windows=self.windows)
        from .pruning import ServerBackupFolder

        return ServerBackupFolder(self.session, folder, windows=self.windows)

    # Help

    def _carrier(self) -> Delivery:
        if self.windows is None:
            raise RuntimeError("only asked for where Windows is there")
        from .delivery import Delivery

        return Delivery(self.session, self.windows, overwrite=self.params["overwrite"])

    @contextmanager
    def _advising_to_stage(self) -> Iterator[None]:
        """Where SQL Server has no rights on a share, somebody else may have some."""
        try:
            yield
        except RecoveryError as problem:
            cause = (problem.details.get("sql_error") or {}).get("os_error")
            if cause not in NO_RIGHTS or not self.folder.startswith("\\\\") or self.params["stage_path"]:
                raise
            stage = (
                "or let it write to a disk of the server, from where Windows copies the files: set "
                "'stage_path', 'share_user' and 'share_password'"
            )
            raise RecoveryError(problem.message, advice=f"{problem.advice}; {stage}", **problem.details) from None

    def _files(self, folder: str, kind: BackupKind) -> list[str]:
        """The paths of the backup's files in a folder. Raises RecoveryError where the template makes none."""
        return backup_files(
            folder=folder,
            template=self.params["file_name"],
            database=self.name,
            server=self.server["name"],
            kind=kind,
            copy_only=self.params["copy_only"],
            time=self.moment,
            stripes=self.params["stripes"],
        )

    def _statement(self) -> str:
        params, report = self.params, self.report
        substitute_for = report.get("substitute_for")
        able = self.server["backup_compression"]
        return backups.backup_statement(
            database=self.name,
            kind=self.kind,
            files=self.written,
            copy_only=params["copy_only"],
            compression={"auto": able, "always": True, "never": False}[params["compression"]],
            checksum=params["checksum"],
            overwrite=params["overwrite"],
            name=backup_name(self.name, self.kind, substitute_for and BackupKind(substitute_for)),
            description=params["description"],
            encryption=params["encryption"],
            mirror=report["copy_files"] if self.copied_by == "server" else (),
        )


def _windows(session: Session) -> Windows | None:
    """The Windows of the server, where it is known how to reach it and something may be asked of it."""
    params = session.params
    asked = params["manifest_beside"] != "false" or any(
        params[option] for option in ("stage_path", "copy_to", "retention", "copy_retention")
    )
    if not (asked and params["winrm_host"] and params["winrm_user"]):
        return None
    # A run that speaks SQL alone does not pay for the rest: Python compiles all that a module imports anew in every
    # run.
    from ..instance.windows_host import Windows

    return Windows(session)
