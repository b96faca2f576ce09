# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of the role verify fails with: the rows of the table that failed, as sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..protection.row import FAIL

__all__ = ["problems"]


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
