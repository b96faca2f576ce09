# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders in which backups lie, as far as they may be read."""

from __future__ import annotations

from ..._core.windows_files import FolderEntry
from ..._core.windows_paths import join
from .files import WindowsFiles

__all__ = ["list_readable"]


def list_readable(files: WindowsFiles, path: str) -> list[FolderEntry]:
    """Everything below a folder; there is a warning for each folder that may not be read, such as snapshots of a filer.
    Raises RecoveryError where that is the folder itself.
    """
    entries = files.list(path, partial=True)
    files.warnings += [
        f"{join(path, *entry.name.split('/'))} on {files.host} cannot be looked into, so what is in it does not count: "
        f"{entry.fault}"
        for entry in entries
        if entry.fault
    ]
    return entries
