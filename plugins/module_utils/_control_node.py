# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the control node has of what the playbooks need: the driver of SQL Server, files of authorities."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable

__all__ = ["driver_problem", "missing_files"]


def driver_problem() -> str:
    """Why pyodbc cannot be loaded, in the words of Python; '' when it can."""
    try:
        importlib.import_module("pyodbc")
    except ImportError as problem:
        return str(problem)
    return ""


def missing_files(paths: Iterable[str]) -> list[str]:
    """Those that are not there, each once. A name that is no path (legacy_requests, '') is not one of a file."""
    return [path for path in dict.fromkeys(paths) if "/" in path and not os.path.exists(path)]
