# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a backup file, or a part of it, cannot be read. The texts are clauses for a person, without the file's name."""

from __future__ import annotations

from ..binary.values import Damaged, FileFormatError

__all__ = ["BrokenOff", "Damaged", "FileFormatError", "Foreign", "NotABackup"]


class NotABackup(FileFormatError):
    """The file does not begin as a backup of SQL Server does: it is something else, or encrypted."""


class BrokenOff(Damaged):
    """The file begins as a backup does, and ends before even the head of its media does."""


class Foreign(NotABackup):
    """The file surely is something else: SQL Server does not read it either."""
