# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of sql_restore, as its runs want them. Their defaults are those of the module, so that whoever else
restores (the mirror's seeding) gets a new option's default as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..._core.backup.backup_set import guid
from ..._winrm.connection.options import has_windows

__all__ = ["RestoreOptions", "RestoreSource"]


@dataclass(frozen=True, kw_only=True)
class RestoreSource:
    """Where the database comes from: backups in folders and files, or of which msdb tells; or files to attach.

    skip_unreadable_folders: those that cannot be read are warned of, as long as another one can. finished_before: what
    was finished later is kept back.
    database, family_guid, recovery_fork: which of the databases in there, empty where that is not said. GUIDs in lower
    case. attach_data, attach_logs: files to attach; None where backups are restored. attach_copy: copies of them.
    """

    folders: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    history: bool = False
    skip_unreadable_folders: bool = False
    finished_before: str = ""
    otherwise: str = ""
    attach_data: tuple[str, ...] | None = None
    attach_logs: tuple[str, ...] = ()
    attach_copy: bool = False
    database: str = ""
    family_guid: str = ""
    recovery_fork: str = ""
    time_zone: str | None = None

    @property
    def names_backups(self) -> bool:
        return bool(self.folders or self.files or self.history)

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> RestoreSource:
        attach = params["attach"]
        return cls(
            folders=tuple(params["folders"]),
            files=tuple(params["files"]),
            history=params["history"],
            skip_unreadable_folders=params["skip_unreadable_folders"],
            finished_before=params["finished_before"] or "",
            otherwise=params["otherwise"] or "",
            attach_data=tuple(attach["data_files"]) if attach else None,
            attach_logs=tuple(attach["log_files"]) if attach else (),
            attach_copy=bool(attach and attach["copy"]),
            database=params["database"] or "",
            family_guid=guid(params["family_guid"]),
            recovery_fork=guid(params["recovery_fork"]),
            time_zone=params["time_zone"],
        )


@dataclass(frozen=True, kw_only=True)
class RestoreOptions:
    """What a restore is asked to do; see the module's documentation.

    data_dir, log_dir: of `relocate`. lock_timeout: seconds. stage_path, tail_log_path, standby_file, owner,
    validation_query: empty where nothing is said. encryption: of the tail,
    by certificate and algorithm. has_windows: WinRM to the server's host is configured.
    """

    database: str
    source: RestoreSource
    target: str = "latest"
    mark_after: str | None = None
    data_dir: str = ""
    log_dir: str = ""
    replace: str = "damaged"
    open_offline: bool = False
    tail_log: str = "attempt"
    tail_log_path: str = ""
    encryption: Mapping[str, str] | None = None
    recovery: str = "recovered"
    standby_file: str = ""
    lock_timeout: int = 3600
    owner: str = ""
    compatibility_level: int | None = None
    repair_users: bool = True
    expected_users: tuple[str, ...] = ()
    checkdb: str = "none"
    validation_query: str = ""
    cache_headers: bool = True
    read_headers: str = "server"
    stage_path: str = ""
    has_windows: bool = False

    @property
    def opens(self) -> bool:
        """Whether the database ends open to its users."""
        return self.recovery == "recovered"

    @property
    def is_guarded(self) -> bool:
        """Whether the database is checked before its users get in."""
        return self.opens and (self.checkdb != "none" or bool(self.validation_query))

    @property
    def source_database(self) -> str:
        """What the backups call the database."""
        return self.source.database or self.database

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> RestoreOptions:
        same = (
            "target",
            "mark_after",
            "replace",
            "open_offline",
            "tail_log",
            "encryption",
            "recovery",
            "lock_timeout",
            "compatibility_level",
        )
        same += ("repair_users", "checkdb", "cache_headers", "read_headers")
        texts = ("tail_log_path", "standby_file", "owner", "validation_query", "stage_path")
        return cls(
            database=params["database"],
            source=RestoreSource.from_params(params["source"]),
            data_dir=params["relocate"]["data_dir"] or "",
            log_dir=params["relocate"]["log_dir"] or "",
            expected_users=tuple(params["expected_users"]),
            has_windows=has_windows(params),
            **{name: params[name] for name in same},
            **{name: params[name] or "" for name in texts},
        )
