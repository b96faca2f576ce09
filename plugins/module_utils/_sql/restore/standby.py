# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A database that ends in standby: read-only between two restores, with an undo file."""

from __future__ import annotations

from typing import Any

from ..._core.errors import RecoveryError
from ..._core.restore.plan import Plan
from ..._core.windows_paths import device_path, is_full_path, parent, safe_name
from ..connection.session import Session
from ..instance.databases import set_multi_user
from ..instance.folders import is_file, require_folder
from .destination import Destination
from .hand_over import check_restored
from .options import RestoreOptions

__all__ = ["is_up_to_date", "open_standby", "require_standby_file", "standby_file_path"]


def standby_file_path(options: RestoreOptions, *, default_data_path: str) -> str:
    """Where the undo file lies; empty unless the database shall end in standby. Raises RecoveryError."""
    if options.recovery != "standby":
        return ""
    if options.standby_file and not is_full_path(options.standby_file):
        raise RecoveryError(
            f"'{options.standby_file}' is no full path of an undo file",
            code="option_invalid",
            advice="Begin it with a drive or a share",
        )
    folder = options.data_dir or default_data_path
    return options.standby_file or device_path(folder, f"{safe_name(options.database)}.standby")


def require_standby_file(session: Session, path: str, destination: Destination) -> None:
    """Nothing is overwritten but the undo file of the very database that goes on. Raises RecoveryError."""
    if not path:
        return
    if not is_file(session.connection, path):
        require_folder(session.connection, parent(path))
    elif not (destination.is_in_standby or destination.state == "RESTORING"):
        raise RecoveryError(
            f"The undo file {path} of {destination.database} is there already on {destination.host}",
            code="already_exists",
            advice="Give another path in 'standby_file', or remove the file if it belongs to nothing",
        )


def is_up_to_date(plan: Plan, destination: Destination) -> bool:
    """Whether there is nothing newer for a standby database."""
    return bool(destination.standby_position and plan.resumes) and [step.action for step in plan.steps] == ["recover"]


def open_standby(session: Session, options: RestoreOptions, destination: Destination) -> dict[str, Any]:
    """People may read in it now, if what was asked for holds. It cannot keep a note, so it is checked each time."""
    destination.refresh()
    if destination.info and destination.info["user_access"] != "MULTI_USER":
        set_multi_user(session, options.database)
    return {"checked": check_restored(session, options)}
