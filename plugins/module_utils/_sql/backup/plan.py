# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of sql_backup is going to do, decided before anything is written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..._core.backup.backup_set import BackupKind
from ..._core.backup.file_names import MANIFEST_FORMAT, backup_files
from .options import BackupOptions
from .second_copy import SERVER, WINDOWS

__all__ = ["BackupPlan", "prepare"]


@dataclass(frozen=True, kw_only=True)
class BackupPlan:
    """One backup. substitute_for: the kind that was asked for where a full one is taken in its place.

    parent_fork: the recovery fork that the database left at fork_point_lsn; "" and None where it left none.
    folder: where it belongs. files: its stripes there. written: those that SQL Server writes; others than files where
    they are staged. copy_files: of the second copy; copied_by: SERVER, WINDOWS, or empty without one.
    """

    database: str
    server: str
    family_guid: str
    parent_fork: str
    fork_point_lsn: int | None
    kind: BackupKind
    substitute_for: BackupKind | None
    copy_only: bool
    compression: bool
    folder: str
    files: tuple[str, ...]
    written: tuple[str, ...]
    copy_files: tuple[str, ...] = ()
    copied_by: str = ""

    @property
    def is_staged(self) -> bool:
        return self.written != self.files

    @property
    def is_delivered(self) -> bool:
        """Whether Windows brings files somewhere once SQL Server has written them."""
        return self.is_staged or self.copied_by == WINDOWS

    @property
    def mirror(self) -> tuple[str, ...]:
        """The second copy, where SQL Server writes it."""
        return self.copy_files if self.copied_by == SERVER else ()

    @property
    def delivered_files(self) -> tuple[str, ...]:
        """What Windows writes."""
        return (self.files if self.is_staged else ()) + (self.copy_files if self.copied_by == WINDOWS else ())

    def to_report(self) -> dict[str, Any]:
        """What sql_backup returns as C(backup) before there is one."""
        return {
            "format": MANIFEST_FORMAT,
            "database": self.database,
            "server": self.server,
            "kind": self.kind.value,
            "copy_only": self.copy_only,
            "files": list(self.files),
            "family_guid": self.family_guid,
            "parent_fork": self.parent_fork,
            "fork_point_lsn": self.fork_point_lsn,
            "verified": False,
            **({"substitute_for": self.substitute_for.value} if self.substitute_for else {}),
            **({"copy_files": list(self.copy_files), "copied_by": self.copied_by} if self.copied_by else {}),
        }


def prepare(
    options: BackupOptions,
    *,
    database: Mapping[str, Any],
    server: Mapping[str, Any],
    moment: dt.datetime,
    kind: BackupKind,
    copied_by: str = "",
) -> BackupPlan:
    """The plan for a backup of `kind`, which need not be the one that was asked for.

    database, server: as read_database and read_server return them. moment: the server's clock, for the names of files.
    Raises RecoveryError where folder and template make no name of a file.
    """
    folder = options.path or server["default_backup_path"]
    files_in = partial(
        backup_files,
        template=options.file_name,
        database=database["name"],
        server=server["name"],
        kind=kind,
        copy_only=options.copy_only,
        time=moment,
        stripes=options.stripes,
    )
    files = tuple(files_in(folder=folder))
    return BackupPlan(
        database=database["name"],
        server=server["name"],
        family_guid=database["family_guid"],
        parent_fork=(database["first_recovery_fork_guid"] or "").lower(),
        fork_point_lsn=int(database["fork_point_lsn"]) if database["fork_point_lsn"] else None,
        kind=kind,
        substitute_for=None if kind == options.kind else options.kind,
        copy_only=options.copy_only,
        compression={"auto": server["backup_compression"], "always": True, "never": False}[options.compression],
        folder=folder,
        files=files,
        written=tuple(files_in(folder=options.stage_path)) if options.stage_path else files,
        copy_files=tuple(files_in(folder=options.copy_to)) if options.copy_to else (),
        copied_by=copied_by,
    )
