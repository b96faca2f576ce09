# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A database that ends in standby: read-only between two restores, with an undo file."""

from __future__ import annotations

from itertools import islice
from typing import Any

from ..._core.errors import RecoveryError
from ..._core.restore.plan import Plan
from ..._core.standby.position import Position, holds_more
from ..._core.windows_paths import device_path, is_full_path, parent, safe_name
from ..connection.session import Session
from ..instance.databases import set_multi_user
from ..instance.folders import is_file, require_folder
from ..instance.server import utc_now
from .destination import Destination
from .hand_over import check_restored
from .options import RestoreOptions
from .sources import BackupSources

__all__ = [
    "beyond_a_gap",
    "is_given_up",
    "is_up_to_date",
    "open_standby",
    "read_since",
    "require_leave",
    "require_standby_file",
    "standby_file_path",
]


MOST_TOLD = 100
"""Backups beyond a gap that are named."""


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


def is_up_to_date(plan: Plan, destination: Destination, *, readable: bool) -> bool:
    """Whether there is nothing newer for a database that waits for logs, and it is readable already where it shall be.
    One that shall not be readable any more stays so until the next log.
    """
    if not plan.resumes or any(step.action != "recover" for step in plan.steps):
        return False
    return bool(destination.standby_position) or not readable


def beyond_a_gap(plan: Plan) -> dict[str, Any]:
    """The newer backups that do not follow where the database stands afterwards, for the module's result."""
    rejected = islice(plan.rejected.by_code("gap"), MOST_TOLD)
    return {"beyond_gap": [item.to_dict() for item in rejected]}


def is_given_up(options: RestoreOptions, plan: Plan, destination: Destination) -> bool:
    """Whether a database that waits for logs, and shall do so afterwards, is begun anew."""
    return not options.opens and not plan.resumes and destination.position(()) is not None


def require_leave(options: RestoreOptions, plan: Plan, destination: Destination, sources: BackupSources) -> None:
    """Such a database is not given up while it holds what no backup brings back, unless somebody said so. Raises
    RecoveryError.
    """
    sets = sources.catalog.sets
    position = destination.position(sets)
    if position is None or not is_given_up(options, plan, destination) or options.replace == "always":
        return
    if not holds_more(position, sets, unusable=sources.unusable):
        return
    raise RecoveryError(
        f"Database {destination.database} on {destination.host} is not overwritten: it stands at LSN {position.lsn} of "
        f"the recovery fork {position.fork}, and no backup at hand brings back what it holds",
        code="would_lose_data",
        advice="It may be newer than the database that the backups are of: find out which of the two counts. Set "
        "'replace: always' if what it holds may be lost",
    )


def read_since(
    session: Session, options: RestoreOptions, destination: Destination, sources: BackupSources
) -> Position | None:
    """Let the sources hold what was written beside the last backup that a standby has, so that one more log costs the
    same however many lie there. Returns where the standby stands; None where all backups have to be looked at.
    """
    stands = destination.position(())
    if options.opens or options.replace == "always" or options.target != "latest" or stands is None:
        return None
    last = destination.last_restore()
    if not last or not last.path:
        return None
    sources.read_since(last.path, now=utc_now(session.connection))
    return stands if sources.catalog.sets else None


def open_standby(session: Session, options: RestoreOptions, destination: Destination) -> dict[str, Any]:
    """People may read in it now, if what was asked for holds. It cannot keep a note, so it is checked each time."""
    destination.refresh()
    if destination.info and destination.info["user_access"] != "MULTI_USER":
        set_multi_user(session, options.database)
    return {"checked": check_restored(session, options)}
