# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the restored database's files go: into folders that exist, over nothing but its own files."""

from __future__ import annotations

from collections.abc import Collection

from ..._core.errors import RecoveryError
from ..._core.restore.plan import Plan
from ..._core.windows_paths import parent
from ..connection.connection import Connection
from ..instance.folders import is_file, require_folder
from .facts import other_files

__all__ = ["check_placement"]


def check_placement(connection: Connection, plan: Plan, *, database: str, own_files: Collection[str]) -> None:
    """RESTORE finds that out too, but only after the tail was saved and the living database closed; and with REPLACE
    it overwrites what belongs to nobody. own_files: paths of the database that is there. Raises RecoveryError.
    """
    host = connection.target.server
    used = other_files(connection, database=database)
    own = {path.lower() for path in own_files}
    for folder in sorted({parent(path) for _logical_name, path in plan.moves}):
        require_folder(connection, folder)
    for _logical_name, path in plan.moves:
        if path.lower() in used:
            raise RecoveryError(
                f"The restored {database} would need the file {path}, which belongs to database {used[path.lower()]} "
                f"on {host}",
                code="in_use",
                advice="Give other folders in 'relocate'",
            )
        if path.lower() not in own and is_file(connection, path):
            raise RecoveryError(
                f"There is a file {path} on {host} already, which belongs to no database, and the restored {database} "
                "would need that path",
                code="already_exists",
                advice="It may be what is left of a database ('source.attach' opens such files): move it away, or give "
                "other folders in 'relocate'",
            )
