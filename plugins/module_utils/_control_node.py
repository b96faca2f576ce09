# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the control node has of what the playbooks need: the driver of SQL Server, files of authorities."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable

from ._core.preflight.control_node import ABSENT, USABLE, authority_state, root_state

__all__ = ["driver_problem", "unusable_authorities", "unusable_roots"]


def driver_problem() -> str:
    """Why pyodbc cannot be loaded, in the words of Python; '' when it can."""
    try:
        importlib.import_module("pyodbc")
    except ImportError as problem:
        return str(problem)
    return ""


def unusable_authorities(paths: Iterable[str]) -> dict[str, str]:
    """Files of authorities that cannot be used, with their authority_state.

    A name that is no path (legacy_requests, '') is not one of a file. Folders hold a file for each authority, and one
    that may not be read is reported by whoever uses it.
    """
    states = {path: _state(path) for path in paths if "/" in path}
    return {path: state for path, state in states.items() if state != USABLE}


def _state(path: str) -> str:
    if not os.path.exists(path):
        return ABSENT
    if not os.path.isfile(path) or not os.access(path, os.R_OK):
        return USABLE
    with open(path, "rb") as file:
        return authority_state(file.read())


def unusable_roots(paths: Iterable[str]) -> dict[str, str]:
    """Files of roots that servers are to trust and cannot, with their root_state."""
    states = {}
    for path in paths:
        try:
            with open(path, "rb") as file:
                states[path] = root_state(file.read())
        except OSError:
            states[path] = ABSENT
    return {path: state for path, state in states.items() if state != USABLE}
