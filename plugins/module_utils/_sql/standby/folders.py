# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folders from which a standby is brought up to date in a failover: those that are left."""

from __future__ import annotations

from collections.abc import Sequence

from ..._core.errors import RecoveryError
from ..connection.session import Session
from ..instance.folders import require_folder
from .options import StandbyFailoverOptions

__all__ = ["lies_in", "readable_folders", "visible"]


def readable_folders(session: Session, options: StandbyFailoverOptions) -> list[str]:
    """Those of the source that the standby's server sees, for a lost site takes its share with it; and the folder of
    the tails, where an interrupted run left one.
    """
    folders: list[str] = []
    for folder in options.source.folders:
        try:
            require_folder(session.connection, folder)
        except RecoveryError as problem:
            if problem.lost:
                raise
            session.warnings.append(f"{folder} was left out: {problem.message}")
        else:
            folders.append(folder)
    if not lies_in(f"{options.tail_path}\\x", folders):
        folders += visible(session, options.tail_path)
    return folders


def visible(session: Session, folder: str) -> list[str]:
    """The folder, if the server sees it."""
    try:
        require_folder(session.connection, folder)
    except RecoveryError as problem:
        if problem.lost:
            raise
        return []
    return [folder]


def lies_in(path: str, folders: Sequence[str]) -> bool:
    """Whether a file lies in one of the folders, or below it."""
    return any(path.lower().startswith(folder.rstrip("\\").lower() + "\\") for folder in folders)
