# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of a Windows host as data: an entry of a folder, and a file that was read."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["NOTHING_THERE", "FolderEntry", "PresentFile"]

NOTHING_THERE = (2, 3)
"""Errors of Windows: no such file, no such path."""


@dataclass(frozen=True, kw_only=True)
class FolderEntry:
    """What lies in a folder: name relative with /, size in bytes, modified in UTC (ISO 8601), encrypted by EFS.

    fault: why nobody knows what is in a folder, empty where it was read.
    """

    name: str
    size: int = 0
    modified: str = ""
    folder: bool = False
    link: bool = False
    encrypted: bool = False
    fault: str = ""


@dataclass(frozen=True, kw_only=True)
class PresentFile:
    """A file as it is now; sha256 is None when it could not be read."""

    size: int
    sha256: str | None
    modified: str = ""
