# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role failover works out: who serves until now, and what became of the database while it moved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["old_site", "old_site_serves"]

Facts = Mapping[str, Any]


def old_site(facts: Facts) -> str:
    """The site that serves until now; empty where there is one other site only, or nothing tells which of several it
    is.

    facts: named: the site that somebody named, or empty; sites: {site, sql} of all others, as standby.sites returns
    them; seen: {host, answers, database} of their database servers, database as sql_info returns it, or empty. A lost
    site does not answer; where all others do, and follow, it is the one.
    """
    if facts["named"] or len(facts["sites"]) < 2:
        return str(facts["named"])
    seen = {entry["host"]: entry for entry in facts["seen"]}
    serving = [_site_of(facts, host) for host, entry in seen.items() if _is_open(entry["database"])]
    silent = [_site_of(facts, host) for host, entry in seen.items() if not entry["answers"]]
    likely = serving or silent
    return likely[0] if len(likely) == 1 else ""


def _site_of(facts: Facts, host: str) -> str:
    return next((entry["site"] for entry in facts["sites"] if host in entry["sql"]), "")


def _is_open(database: Mapping[str, Any]) -> bool:
    return database.get("state") == "ONLINE" and not database.get("standby")


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
