# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role failover works out while it moves the database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["old_site_serves"]

Facts = Mapping[str, Any]


def old_site_serves(facts: Facts) -> bool:
    """Whether a move that failed surely left the database open at the old site: its principal was never told to leave
    service, or said afterwards that it is ONLINE.

    facts: done: the result of sql_standby_failover; without a way it failed.
    """
    done = facts["done"]
    if "way" in done:
        return False
    left = any(statement.startswith("BACKUP LOG") for statement in done.get("statements", []))
    return done.get("database_state") == "ONLINE" or (not left and done.get("error_code") != "sql_connection_lost")
