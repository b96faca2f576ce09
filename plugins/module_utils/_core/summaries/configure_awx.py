# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of the role configure_awx says: facts that the role gathered in, sentences out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["inventory_problems"]

Facts = Mapping[str, Any]


def inventory_problems(facts: Facts) -> list[str]:
    """Why AWX cannot be told of the estate. facts: sites: groups with a web and a database server; active_site: what
    the inventory calls the active one, or empty.
    """
    if facts["active_site"] in facts["sites"]:
        return []
    existing = (
        ", ".join(facts["sites"]) or "no group that has both a web server (prs_web) and a database server (prs_sql)"
    )
    return [
        f"The estate's inventory is needed here as well (-i): it names the sites. Found {existing}; prs_active_site is "
        f"{facts['active_site'] or 'not set'}."
    ]
