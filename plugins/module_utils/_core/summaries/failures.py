# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a task failed of which Ansible hides everything, because it was told not to log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["reasons"]


def reasons(facts: Mapping[str, Any]) -> list[str]:
    """Each once. facts: the result of the task; of a loop, with the results of its items. No other value of it is
    said.
    """
    results = facts.get("results") or [facts]
    said = [result.get("msg") or "no reason was given" for result in results if result.get("failed")]
    return list(dict.fromkeys(said)) or [facts.get("msg") or "no reason was given"]
