# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way back of a restore that went wrong: the old folder in its place, its pool running, over a new connection where
the host is lost before that or in the middle of it.
"""

from __future__ import annotations

from ..._core.errors import RecoveryError
from ..host.application_pool import ApplicationPool
from ..host.files import WindowsFiles
from .folder_swap import FolderSwap

__all__ = ["bring_back", "start_again"]


def bring_back(files: WindowsFiles, swap: FolderSwap) -> str:
    """Returns what is in place then, as a sentence. How far a host came that was lost is judged by what lies there."""
    before = f"{swap.where.live} is as it was before"
    if files.is_lost:
        files.reconnect()
        swap.repair()
    elif _undo(files, swap):
        return before
    if not swap.holds_new():
        return before
    kept = f", and its predecessor is {swap.where.old}" if swap.found_old else ""
    return f"The new {swap.where.live} is in place{kept}"


def _undo(files: WindowsFiles, swap: FolderSwap) -> bool:
    """Whether the old folder is back. What was wrong with the new one is so after a loss of the host as well."""
    try:
        swap.undo()
        return True
    except RecoveryError:
        if not files.is_lost:
            raise
        files.reconnect()
        return swap.undo_again()


def start_again(files: WindowsFiles, pool: ApplicationPool) -> None:
    """Over a new connection where the host is lost meanwhile."""
    try:
        pool.start()
    except RecoveryError:
        if not files.is_lost:
            raise
        files.reconnect()
        pool.start()
