# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who runs ansible, and where."""

from __future__ import annotations

import getpass
import os
import platform

__all__ = ["user_and_node"]


def user_and_node() -> str:
    """C(user@node) of this process."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container may run as a number without a name
        user = str(os.getuid())
    return f"{user}@{platform.node()}"
