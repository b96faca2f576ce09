# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tail of the log: what a database that is replaced holds, and no backup does yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from ..._core.backup.backup_set import BackupKind
from ..._core.backup.catalog import BackupCatalog, assemble
from ..._core.backup.file_names import backup_files
from ..._core.errors import RecoveryError
from ..._core.restore.overwrite_policy import Decision
from ..._core.windows_paths import parent
from ..catalog.headers import read_file, read_files
from ..connection.errors import SqlError
from ..connection.session import Session
from ..instance.backup_encryption import check_encryption
from ..instance.databases import disconnect_sessions
from ..instance.folders import find_files, provide_folder
from ..instance.mirroring_session import set_partner
from ..instance.server import utc_now
from . import statements
from .destination import Destination

__all__ = ["SavedTail", "TailLog"]

TEMPLATE = "{database}_tail_{time}.{extension}"
MARK = "_tail_"


@dataclass(frozen=True, kw_only=True)
class SavedTail:
    """file: where it is, None where it could not be saved. problem: why not. catalog: what is in it, None where nothing
    was written (check mode).
    """

    file: str | None
    problem: str | None = None
    catalog: BackupCatalog | None = None

    def to_dict(self) -> dict[str, Any]:
        return {"file": self.file, "problem": self.problem}


class TailLog:
    """Saves the tail of a database's log, and looks for those that interrupted runs saved.

    folder: where it goes. server: as read_server returns it. zone: of the times in headers that do not tell theirs.
    encryption: certificate and algorithm, where the backups of this database are encrypted.
    """

    def __init__(
        self,
        session: Session,
        destination: Destination,
        *,
        folder: str,
        server: Mapping[str, Any],
        zone: tzinfo | None,
        encryption: Mapping[str, str] | None = None,
    ) -> None:
        self.session, self.destination, self.database = session, destination, destination.database
        self.folder, self.server, self.zone, self.encryption = folder, server, zone, encryption

    def path(self) -> str:
        """Of a tail that is saved now."""
        return backup_files(
            folder=self.folder, database=self.database, server=self.server["name"], kind=BackupKind.LOG,
            time=utc_now(self.session.connection), template=TEMPLATE,
        )[0]  # fmt: skip

    def saved_before(self, catalog: BackupCatalog) -> BackupCatalog:
        """The tails of interrupted runs that a catalog does not know: they may lie where no source looks."""
        known = {path.lower() for backup_set in catalog.sets for copy in backup_set.copies for path in copy.stripes}
        folder, _separator, name = self.path().rpartition("\\")
        beginning = name[: name.rindex(MARK) + len(MARK)].lower()
        try:
            paths = find_files(self.session.connection, folder)
        except SqlError:
            raise
        except RecoveryError:  # no such folder, so nothing was saved there
            return BackupCatalog()
        tails = [path for path in paths if path.rpartition("\\")[2].lower().startswith(beginning)]
        unknown = [path for path in tails if path.lower() not in known]
        readings = read_files(self.session.connection, unknown, progress=self.session.progress)
        return assemble(readings, zone=self.zone)

    def save(self, decision: Decision, *, wanted: bool, family: str) -> SavedTail | None:
        """Close a living database, end its mirroring session where the decision says so, and save the tail.

        family: of the backups. Returns None where no tail is wanted. Raises RecoveryError where it is needed and cannot
        be had, or shows that the database is another one.
        """
        session = self.session
        file = self.path() if wanted else ""
        if wanted:
            provide_folder(session, parent(file))
        encryption = None
        if wanted and self.encryption:
            encryption = check_encryption(session, self.server, self.encryption)
        if decision.end_mirroring:
            self._end_mirroring()
        if self.destination.state == "ONLINE":
            disconnect_sessions(session, self.database)
        if not wanted:
            return None
        problem = statements.save_tail(
            session, self.database, file, damaged=not decision.tail_required, encryption=encryption
        )
        if problem and decision.proof_needed:
            raise self._unknown_database(f"the tail of its log, which could tell, cannot be saved: {problem}")
        if problem:
            session.warnings.append(f"What the log of {self.database} holds since the last backup is lost: {problem}")
            return SavedTail(file=None, problem=problem)
        if session.check_mode:
            return SavedTail(file=file)
        return SavedTail(file=file, catalog=self._read(file, family, proof_needed=decision.proof_needed))

    def _end_mirroring(self) -> None:
        session = self.session
        set_partner(session, self.database, "end")
        session.warnings.append(
            f"{self.database} {'would leave' if session.check_mode else 'left'} its mirroring session and is NOT "
            "protected by a mirror: mirror it again afterwards (mirror_prs, or sql_mirror)"
        )

    def _read(self, file: str, family: str, *, proof_needed: bool) -> BackupCatalog:
        reading = read_file(self.session.connection, file)
        if reading.problem:
            raise RecoveryError(
                f"The tail of the log of {self.database} was saved in {file} but cannot be read: {reading.problem}",
                code="damaged",
                advice="Nothing was overwritten. Give another folder in 'tail_log_path'",
            )
        catalog = assemble([reading], zone=self.zone)
        strangers = {backup_set.family_guid for backup_set in catalog.sets} - {family}
        if proof_needed and (strangers or not catalog.sets):
            raise self._unknown_database(
                f"the tail of its log (saved in {file}) is of the family {', '.join(strangers)}, the backups have "
                f"{family}"
            )
        return catalog

    def _unknown_database(self, reason: str) -> RecoveryError:
        return RecoveryError(
            f"Database {self.database} on {self.destination.host} is not overwritten: whether it is the one in the "
            f"backups, nothing tells. Its backups and restores are not in msdb, and {reason}",
            code="would_lose_data",
            advice="Restore under another name, or set 'replace: always' if the database that is there may be lost",
        )
