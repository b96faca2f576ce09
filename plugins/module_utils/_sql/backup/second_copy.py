# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who writes the second copy: SQL Server (MIRROR TO), or Windows afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..._core.advice.sql_server import NO_RIGHTS
from ..._core.errors import RecoveryError
from ..._core.windows_paths import device_path, same_folder
from ..connection.errors import SqlError
from ..connection.quoting import quote_text
from ..connection.session import Session
from ..instance.folders import is_file, listing_error
from .options import BackupOptions

if TYPE_CHECKING:
    from .windows_side import WindowsSide

__all__ = ["SERVER", "WINDOWS", "keep_existing", "who_copies"]

SERVER, WINDOWS = "server", "windows"

PROBE = "prs-recovery.probe"
"""Name of a folder that is made to see whether SQL Server may, and removed at once."""

ENTERPRISE = 3
"""SERVERPROPERTY('EngineEdition') of Enterprise, Developer and Evaluation."""


def who_copies(
    session: Session, options: BackupOptions, server: Mapping[str, Any], folder: str, *, windows: WindowsSide | None
) -> str:
    """SERVER or WINDOWS. Raises RecoveryError where `copy_to` is no second place, or nobody can write there."""
    copy_to = options.copy_to or ""
    if same_folder(copy_to, folder):
        raise RecoveryError(
            f"'copy_to' is the folder of the backup itself, {folder}",
            code="option_invalid",
            advice="Name another folder, best on another machine",
        )
    if (
        server["engine_edition"] == ENTERPRISE
        and not options.stage_path
        and not (windows and _is_shut_out(session, windows, copy_to))
    ):
        return SERVER
    if windows is None:
        raise RecoveryError(
            f"SQL Server on {session.connection.target.server} is {server['edition']}: only Enterprise and "
            "Developer write a second copy (MIRROR TO)",
            code="unsupported",
            advice="Let the task target the server's host, reached over WinRM: then its Windows copies the files. "
            "Or leave out 'copy_to'",
        )
    return WINDOWS


def _is_shut_out(session: Session, windows: WindowsSide, folder: str) -> bool:
    """Whether SQL Server may not write there, which only writing tells: it makes the folder or, where that is there,
    one in it that Windows removes. In check mode, whether it may not look.
    """
    problem = listing_error(session.connection, folder)
    if problem and problem.os_error in NO_RIGHTS:
        return True
    if session.check_mode:
        return False
    probe = folder if problem else device_path(folder, PROBE)
    try:
        session.connection.execute(f"EXEC master.sys.xp_create_subdir {quote_text(probe, what='path')}")
    except SqlError as refused:
        if refused.lost:
            raise
        return refused.os_error in NO_RIGHTS
    if probe != folder:
        windows.remove_probe(probe)
    return False


def keep_existing(session: Session, options: BackupOptions, files: list[str]) -> None:
    """Mirrored copies are written into new media, which would overwrite a file silently. Raises RecoveryError unless
    that is wanted.
    """
    existing = [] if options.overwrite else [file for file in files if is_file(session.connection, file)]
    if existing:
        raise RecoveryError(
            f"There is a file {existing[0]} already, and with 'copy_to' nothing can be appended to it",
            code="already_exists",
            advice="Use a 'file_name' that is new each time, or 'overwrite: true'",
        )
