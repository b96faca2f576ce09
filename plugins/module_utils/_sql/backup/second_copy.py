# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who writes the second copy: SQL Server (MIRROR TO), or Windows afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..._core.advice.sql_server import NO_RIGHTS
from ..._core.errors import RecoveryError
from ..._core.windows_paths import same_folder
from ..connection.session import Session
from ..instance.folders import folder_error, is_file
from .options import BackupOptions

if TYPE_CHECKING:
    from .windows_side import WindowsSide

__all__ = ["SERVER", "WINDOWS", "keep_existing", "who_copies"]

SERVER, WINDOWS = "server", "windows"

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
        and not (windows and _is_shut_out(session, copy_to))
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


def _is_shut_out(session: Session, folder: str) -> bool:
    problem = folder_error(session.connection, folder)
    return problem is not None and problem.os_error in NO_RIGHTS


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
