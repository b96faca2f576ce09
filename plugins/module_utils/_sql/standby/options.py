# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of sql_standby_failover, as its run wants them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._core.backup.backup_set import guid
from ..._core.errors import RecoveryError
from ..._winrm.connection.options import has_windows
from ..restore.options import RestoreOptions, RestoreSource

__all__ = ["StandbyFailoverOptions"]


@dataclass(frozen=True, kw_only=True)
class StandbyFailoverOptions:
    """What a failover is asked to do; see the module's documentation. unsent_path, until, owner: empty where nothing is
    said. encryption: of the tails, by certificate and algorithm. has_windows: WinRM to the standby's host is
    configured.
    """

    database: str
    source: RestoreSource
    tail_path: str
    unsent_path: str = ""
    until: str = ""
    allow_data_loss: bool = False
    encryption: Mapping[str, str] | None = None
    data_dir: str = ""
    log_dir: str = ""
    owner: str = ""
    repair_users: bool = True
    expected_users: tuple[str, ...] = ()
    cache_headers: bool = True
    lock_timeout: int = 3600
    has_windows: bool = False

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> StandbyFailoverOptions:
        source = params["source"]
        same = ("database", "tail_path", "allow_data_loss", "encryption", "repair_users", "cache_headers")
        return cls(
            source=RestoreSource(
                folders=tuple(source["folders"]),
                files=tuple(source["files"]),
                database=source["database"] or "",
                family_guid=guid(source["family_guid"]),
                time_zone=source["time_zone"],
            ),
            unsent_path=params["unsent_path"] or "",
            until=params["until"] or "",
            data_dir=params["relocate"]["data_dir"] or "",
            log_dir=params["relocate"]["log_dir"] or "",
            owner=params["owner"] or "",
            expected_users=tuple(params["expected_users"]),
            lock_timeout=params["lock_timeout"],
            has_windows=has_windows(params),
            **{name: params[name] for name in same},
        )

    def required_unsent_path(self) -> str:
        """The folder for what an old principal holds. Raises RecoveryError where none is named."""
        if not self.unsent_path:
            raise RecoveryError(
                f"What the old principal of {self.database} holds has to be kept, and no folder is named for that",
                code="option_invalid",
                advice="Give a folder outside of 'source' in 'unsent_path', so that no restore takes it for the newest",
            )
        return self.unsent_path

    def restore_options(
        self, *, folders: Sequence[str], files: Sequence[str], family: str, recovery: str, target: str
    ) -> RestoreOptions:
        """Of a restore on the standby's server. family: the one of the database, empty where nothing tells."""
        source = RestoreSource(
            folders=tuple(folders),
            files=tuple(files),
            database=self.source.database or self.database,
            family_guid=self.source.family_guid or family,
            time_zone=self.source.time_zone,
        )
        return RestoreOptions(
            database=self.database,
            source=source,
            target=target,
            data_dir=self.data_dir,
            log_dir=self.log_dir,
            tail_log_path=self.tail_path,
            recovery=recovery,
            lock_timeout=self.lock_timeout,
            owner=self.owner,
            repair_users=self.repair_users,
            expected_users=self.expected_users,
            cache_headers=self.cache_headers,
            has_windows=self.has_windows,
        )
