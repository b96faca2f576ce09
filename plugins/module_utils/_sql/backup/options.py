# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of sql_backup is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from ..._core.backup.backup_set import BackupKind
from ..._core.backup.file_names import DEFAULT_TEMPLATE
from ..._core.retention_rules import Rules

__all__ = ["BackupOptions"]


@dataclass(frozen=True, kw_only=True)
class BackupOptions:
    """The options of sql_backup by their names, with their defaults; what they mean is documented there.

    encryption: certificate and algorithm. Accounts and the ways to Windows are none of it: see WindowsHost.
    """

    database: str
    kind: BackupKind = BackupKind.FULL
    copy_only: bool = False
    missing_base: str = "fail"
    min_full_interval_hours: int = 24
    path: str | None = None
    stage_path: str | None = None
    copy_to: str | None = None
    file_name: str = DEFAULT_TEMPLATE
    stripes: int = 1
    overwrite: bool = False
    compression: str = "auto"
    checksum: bool = True
    verify: bool = True
    description: str | None = None
    encryption: Mapping[str, str] | None = None
    manifest: str | None = None
    manifest_beside: str = "auto"
    retention: Rules | None = None
    copy_retention: Rules | None = None
    share_user: str | None = None
    copy_share_user: str | None = None

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> BackupOptions:
        """params: as the module got them. Raises RecoveryError for a retention without a rule."""
        values = {field.name: params[field.name] for field in fields(cls)}
        values["kind"] = BackupKind(values["kind"])
        for option in ("path", "stage_path", "copy_to"):
            values[option] = _with_backslashes(values[option])
        for option in ("retention", "copy_retention"):
            values[option] = Rules.from_options(values[option], option=option)
        return cls(**values)

    @property
    def asks_windows(self) -> bool:
        """Whether something is asked for that only Windows can do, or does better."""
        return self.manifest_beside != "false" or any(
            (self.stage_path, self.copy_to, self.retention, self.copy_retention)
        )


def _with_backslashes(path: str | None) -> str | None:
    """A path of Windows as msdb may tell it, so that both can be compared. One of Linux begins with a slash."""
    return path.replace("/", "\\") if path and not path.startswith("/") else path
