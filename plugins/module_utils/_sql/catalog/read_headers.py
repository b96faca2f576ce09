# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option read_headers: who reads the headers of backup files."""

from __future__ import annotations

from ..._core.errors import RecoveryError

__all__ = ["require_windows"]


def require_windows(*, has_windows: bool) -> None:
    """For V(files). has_windows: WinRM to the server's host is configured. Raises RecoveryError."""
    if not has_windows:
        raise RecoveryError(
            "'read_headers: files' needs the Windows of the database server",
            code="option_invalid",
            advice="Give 'winrm_host', 'winrm_user' and 'winrm_password', or let the server read them",
        )
