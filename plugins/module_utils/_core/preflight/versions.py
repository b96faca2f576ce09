# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions of Windows and builds of SQL Server, compared by their numbers."""

from __future__ import annotations

import re

__all__ = ["major_version", "version_numbers"]


def version_numbers(version: str) -> tuple[int, ...]:
    """The numbers of a version such as 10.0.17763, to compare it with another."""
    return tuple(int(number) for number in re.findall(r"\d+", version))


def major_version(build: str) -> tuple[int, ...]:
    """Major and minor number of a build of SQL Server, which decide whether a backup restores there."""
    return version_numbers(build)[:2]
