# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes down that the database was restored: one run of recovery_branch."""

from __future__ import annotations

import datetime as dt
from typing import Any

from ..._core.errors import RecoveryError
from ..._core.recovery_set.branches import Branch
from ..._core.times import parse_user_time
from ..host.files import WindowsFiles
from .repository import RecoverySetRepository

__all__ = ["write_branch"]


def write_branch(files: WindowsFiles, params: dict[str, Any], *, now: dt.datetime) -> dict[str, Any]:
    """now: aware, the control node's clock."""
    fork = params["fork"].strip().lower()
    if not fork:
        raise RecoveryError(
            "'fork' is empty", code="option_invalid", advice="Give recovery_fork_guid of the restored database"
        )
    folders = RecoverySetRepository.from_params(files, params)
    with folders.archive_access():
        lineage = folders.branches.lineage()
        known = lineage.living.get(fork)
        if known:
            return {"changed": False, "branch": known.to_dict(), "file": ""}
        branch = Branch(
            fork=fork,
            began_at=now.replace(microsecond=0),
            site=params["site"],
            server=params["server"],
            parent=params["parent"].strip().lower(),
            left_lsn=params["left_lsn"],
            left_at=parse_user_time(params["left_at"], option="left_at") if params["left_at"] else None,
            label=params["label"],
            decided=params["decided"],
            ended=tuple(lineage.living),
        )
        [path] = folders.branches.write([branch])
    return {"changed": True, "branch": branch.to_dict(), "file": path}
