# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who makes the second copy of a backup: SQL Server while it writes the first one, or Windows afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._core.advice.sql_server import NO_RIGHTS
from ..._core.errors import RecoveryError
from ..connection.session import Session
from ..instance.folders import folder_error, is_file

if TYPE_CHECKING:
    from ..instance.windows_host import Windows

__all__ = ["SERVER", "WINDOWS", "keep_what_is_there", "who_copies"]

SERVER, WINDOWS = "server", "windows"

ENTERPRISE = 3
"""SERVERPROPERTY('EngineEdition') of Enterprise, Developer and Evaluation."""


def who_copies(session: Session, server: dict[str, Any], folder: str, *, windows: Windows | None) -> str:
    """SERVER or WINDOWS. Raises RecoveryError where `copy_to` is no second place, or nobody can write there."""
    copy_to = session.params["copy_to"]
    if copy_to.rstrip("\\").lower() == folder.rstrip("\\").lower():
        raise RecoveryError(
            f"'copy_to' is the folder of the backup itself, {folder}",
            advice="Name another folder, best on another machine",
        )
    if (
        server["engine_edition"] == ENTERPRISE
        and not session.params["stage_path"]
        and not (windows and _is_shut_out(session, copy_to))
    ):
        return SERVER
    if windows is None:
        raise RecoveryError(
            f"SQL Server on {session.connection.target.server} is {server['edition']}: only Enterprise and "
            "Developer write a second copy (MIRROR TO)",
            advice="Let the task target the server's host, reached over WinRM: then its Windows copies the files. "
            "Or leave out 'copy_to'",
        )
    return WINDOWS


def _is_shut_out(session: Session, folder: str) -> bool:
    problem = folder_error(session.connection, folder)
    return problem is not None and problem.os_error in NO_RIGHTS


def keep_what_is_there(session: Session, files: list[str]) -> None:
    """Mirrored copies are written into new media, which would overwrite a file silently. Raises RecoveryError unless
    that is wanted.
    """
    there = [] if session.params["overwrite"] else [file for file in files if is_file(session.connection, file)]
    if there:
        raise RecoveryError(
            f"There is a file {there[0]} already, and with 'copy_to' nothing can be appended to it",
            advice="Use a 'file_name' that is new each time, or 'overwrite: true'",
        )
