# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of the role verify fails with: the rows of the table that failed, as sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..protection.row import FAIL

__all__ = ["login_problems", "problems"]


def problems(facts: Mapping[str, Any]) -> list[str]:
    """The summary, and a line for each row that failed. facts: the result of protection_report {summary, rows}."""
    return [
        facts["summary"],
        *(
            f"- {row['where']}: {row['what']}: {row['value'].removesuffix('.')}. {row['next']}."
            for row in facts["rows"]
            if row["state"] == FAIL
        ),
    ]


def login_problems(facts: Mapping[str, Any]) -> list[str]:
    """Why the application's login does not lead to its user.

    facts: login, database; asked: whether SQL Server answered, and problem why not; statements: what would make it
    right.
    """
    login = f"the login {facts['login']}"
    if not facts["asked"]:
        return [f"{login} cannot be looked at: {facts['problem']}"]
    if facts["statements"]:
        return [f"{login} does not lead to its user in {facts['database']}, or has lost its rights"]
    return []
