# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mirror's copy of a database: a full backup and a log backup of the principal, restored without recovery; later
logs where some came in between.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from ..._core.backup.backup_set import BackupKind
from ..._core.backup.file_names import backup_files
from ..._core.errors import RecoveryError
from ..backup import statements as backups
from ..connection.quoting import compose
from ..connection.session import Session
from ..instance.backup_encryption import check_encryption, require_certificate
from ..instance.databases import read_database
from ..instance.folders import from_disk, provide_folder, remove_backup_file, require_folder
from ..instance.server import read_server, utc_now
from ..restore.options import RestoreOptions, RestoreSource
from ..restore.run import RestoreRun

__all__ = ["Seeding"]

_CHAIN = """
SELECT r.last_log_backup_lsn,
       (SELECT COUNT(*) FROM msdb.dbo.backupset AS b
        WHERE b.database_name = d.name AND b.type = 'L' AND b.last_lsn = r.last_log_backup_lsn
        AND b.last_recovery_fork_guid = r.recovery_fork_guid) AS logs
FROM sys.databases AS d
JOIN sys.database_recovery_status AS r ON r.database_id = d.database_id
WHERE d.name = ?
"""

_LOGS_SINCE = """
SELECT f.physical_device_name AS path
FROM msdb.dbo.backupset AS s
JOIN msdb.dbo.backupmediafamily AS f ON f.media_set_id = s.media_set_id
WHERE s.database_name = ? AND s.type = 'L' AND s.last_lsn > ? AND f.device_type IN (2, 102) AND f.mirror = 0
ORDER BY s.first_lsn, s.backup_set_id, f.family_sequence_number
"""


class Seeding:
    """principal, mirror: sessions. folder: which both servers reach. relocate: folders for the mirror's files.

    encryption: of the backups, by a certificate that both servers have.
    """

    def __init__(
        self,
        principal: Session,
        mirror: Session,
        *,
        database: str,
        folder: str | None,
        relocate: dict[str, Any],
        encryption: Mapping[str, str] | None = None,
    ) -> None:
        self.principal, self.mirror, self.database = principal, mirror, database
        self.folder, self.relocate, self.encryption = folder, relocate, encryption
        self.files: list[str] = []

    def seed(self, *, chain: bool = False, before_restore: Callable[[int], None] = lambda end_of_log: None) -> None:
        """From nothing, or over what is left of the same database. What else could be there was refused before.

        chain: the log backup shall belong to the chain of log backups, which the principal may ask for (error 1478).
        before_restore: is told the LSN at which the principal's log ends, and may raise.
        """
        if not self.folder:
            raise RecoveryError(
                f"{self.database} has to be copied to {self.mirror.connection.target.server}, and no folder is "
                "named for that",
                code="option_invalid",
                advice="Give a folder that both servers' service accounts reach in 'seed_path', a share above all",
            )
        self._provide_folder(self.folder)
        state = (
            self.principal.connection.row(_CHAIN, self.database, doing=f"Cannot read the log chain of {self.database}")
            or {}
        )
        begun = state.get("last_log_backup_lsn") is not None
        self._check_encryption()
        full, _first_end = self._back_up(BackupKind.FULL, copy_only=begun)
        copy_only = begun and bool(state["logs"]) and not chain
        log, end_of_log = self._back_up(BackupKind.LOG, copy_only=copy_only)
        if end_of_log is not None:
            before_restore(end_of_log)
        if not copy_only:
            self.principal.warnings.append(
                f"The log backup {log} begins the chain of log backups of {self.database} and belongs to it: keep "
                "it with the others"
            )
        self._restore([full, log], replace="always")
        if copy_only:
            self._remove([full, log])

    def _provide_folder(self, folder: str) -> None:
        """Both servers see it, before the principal writes the whole database there."""
        try:
            provide_folder(self.principal, folder)
            if not self.mirror.check_mode:
                require_folder(self.mirror.connection, folder)
        except RecoveryError as problem:
            if problem.lost:
                raise
            other = "or name another folder in 'seed_path' that both servers reach: a seed is never staged"
            raise problem.reworded(advice=f"{problem.advice}; {other}") from None

    def _check_encryption(self) -> None:
        """Before anything is written: whether one server can encrypt and the other restore it."""
        if self.encryption:
            connection = self.principal.connection
            self.encryption = check_encryption(self.principal, read_server(connection), self.encryption)
            require_certificate(self.mirror, self.encryption)

    def _remove(self, files: list[str]) -> None:
        """The seed has done its work. That it cannot be removed is no reason to fail: the mirror is made."""
        for file in files:
            try:
                remove_backup_file(self.principal, file, doing=f"Cannot remove {file}, by which the mirror was made")
            except RecoveryError as problem:
                self.principal.warnings.append(f"{problem} It holds the whole database: remove it by hand.")

    def catch_up(self) -> int | None:
        """Restore the log backups that came in between, wherever they were written. Returns how many; None where they
        do not lead there.
        """
        copy = read_database(self.mirror.connection, self.database) or {"files": [], "state": ""}
        positions = [int(file["redo_start_lsn"]) for file in copy["files"] if file["redo_start_lsn"]]
        if not positions or copy["state"] != "RESTORING" or self._is_on_another_fork(copy):
            return None
        logs = self.principal.connection.query(
            # A whole number is bound as 64 bits, and an LSN has 25 digits.
            _LOGS_SINCE,
            self.database,
            Decimal(min(positions)),
            doing="Cannot read the history of backups in msdb",
        )
        if not logs:
            return 0
        self.principal.progress.line(f"restoring {len(logs)} log backups that came in between")
        try:
            self._restore([row["path"] for row in logs], replace="never")
        except RecoveryError as problem:
            self.principal.warnings.append(
                f"The mirror could not be brought up to date by log backups and is made anew: {problem.message}"
            )
            return None
        return len(logs)

    def _is_on_another_fork(self, copy: dict[str, Any]) -> bool:
        """Whether the mirror's copy stands on another recovery fork: the principal was restored since, and may have
        less than the mirror.
        """
        principal = read_database(self.principal.connection, self.database) or {}
        forks = {str(file["redo_start_fork_guid"]).lower() for file in copy["files"] if file["redo_start_fork_guid"]}
        return (
            bool(forks and principal.get("recovery_fork_guid"))
            and str(principal["recovery_fork_guid"]).lower() not in forks
        )

    def _back_up(self, kind: BackupKind, *, copy_only: bool) -> tuple[str, int | None]:
        """The file, and where the log in it ends; None in check mode."""
        connection = self.principal.connection
        server = read_server(connection)
        moment = utc_now(connection)
        path = backup_files(
            folder=self.folder or "", database=self.database, server=server["name"], kind=kind, time=moment,
            template="{database}_mirror_{kind}_{time}.{extension}",
        )[0]  # fmt: skip
        name = f"{self.database} for its mirror"[:128]
        statement = backups.backup_statement(
            database=self.database,
            kind=kind,
            files=[path],
            copy_only=copy_only,
            compression=server["backup_compression"],
            name=name,
            encryption=self.encryption,
        )
        before = backups.newest_backup_id(connection)
        backups.take_backup(self.principal, statement, database=self.database)
        end_of_log = None
        if not self.principal.check_mode:
            taken, _position = backups.confirmed(connection, database=self.database, files=[path], after=before)
            end_of_log = taken.last_lsn
        self.files.append(path)
        return path, end_of_log

    def _restore(self, files: list[str], *, replace: str) -> None:
        if self.mirror.check_mode:  # there is nothing yet whose headers could be read
            for file in files:
                what = "LOG" if "_mirror_log_" in file or file.lower().endswith(".trn") else "DATABASE"
                self.mirror.change(
                    compose(f"RESTORE {what} {{database}}", database=self.database)
                    + f" FROM {from_disk([file])} WITH NORECOVERY",
                    doing="-",
                )
            return
        options = RestoreOptions(
            database=self.database,
            source=RestoreSource(files=tuple(files), database=self.database),
            data_dir=self.relocate.get("data_dir") or "",
            log_dir=self.relocate.get("log_dir") or "",
            replace=replace,
            tail_log="skip",
            recovery="norecovery",
            repair_users=False,
            cache_headers=False,
        )
        RestoreRun(self.mirror, options).run()
