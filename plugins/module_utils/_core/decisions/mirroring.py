# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role mirror finds out before it touches anything: facts of hosts in, data out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["other_site_holds", "other_site_serves"]

Facts = Mapping[str, Any]


def other_site_serves(facts: Facts) -> bool:
    """Whether the site that the inventory does not call active is the one that serves: its application runs, and this
    site's does not, or has no database.

    facts: runs_here, runs_there: whether the application runs; state_here, state_there: of the database, empty where
    there is none.
    """
    if not facts["runs_there"]:
        return False
    return not facts["runs_here"] or (facts["state_there"] == "ONLINE" and facts["state_here"] != "ONLINE")


def other_site_holds(facts: Facts) -> str:
    """Its role in mirroring or that it is ONLINE, where the other site holds the database still; else empty.

    facts: name: of the database, in any case; databases: of the instance there, as sql_info returns them.
    """
    name = facts["name"].lower()
    database = next((entry for entry in facts["databases"] if entry["name"].lower() == name), {})
    role = (database.get("mirroring") or {}).get("role")
    return role or ("ONLINE" if database.get("state") == "ONLINE" else "")
