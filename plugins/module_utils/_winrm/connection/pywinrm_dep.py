# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pywinrm, imported in one place."""

from __future__ import annotations

from ansible.module_utils.basic import missing_required_lib

from ..._core.errors import RecoveryError

try:
    import requests
    import winrm
    import winrm.exceptions
    from winrm.protocol import Protocol

    PROBLEM = None
except ImportError as problem:
    requests = winrm = Protocol = None  # type: ignore[assignment]
    PROBLEM = problem

__all__ = ["Protocol", "requests", "require_pywinrm", "winrm"]


def require_pywinrm() -> None:
    """Raise RecoveryError that names the package to install, when it is missing."""
    if PROBLEM is not None:
        raise RecoveryError(
            missing_required_lib("pywinrm", reason="to speak to Windows"),
            code="dependency_missing",
            advice="The module runs on the control node: install the package for the Python that runs ansible",
        )
