# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role standby works out before it touches anything: which sites follow the active one, and from where."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from ..times import parse_stored_time, to_text

__all__ = ["folders", "inspected", "kept_back_until", "sites"]

Facts = Mapping[str, Any]

_NO_SITES = ("all", "ungrouped")


def sites(facts: Facts) -> list[dict[str, Any]]:
    """The sites that hold a standby, as {site, sql, web}: those that the inventory names, in its order, but for the
    active one among others, so that the inventory may name all and the service move between them; else every group with
    a database server but none of the active site.

    facts: groups: of the inventory, with their hosts; active: the active site; wanted: prs_standby_sites.
    """
    groups = facts["groups"]
    others = [site for site in facts["wanted"] if site != facts["active"]]
    named = others or facts["wanted"] or _other_sites(groups, facts["active"])
    return [
        {
            "site": site,
            **{
                role: [host for host in groups.get(f"prs_{role}", []) if host in groups.get(site, [])]
                for role in ("sql", "web")
            },
        }
        for site in named
    ]


def _other_sites(groups: Mapping[str, list[str]], active: str) -> list[str]:
    here = set(groups.get(active, []))
    result: dict[str, str] = {}
    for host in groups.get("prs_sql", []):
        for name in sorted(groups):
            is_site = not name.startswith("prs_") and name not in _NO_SITES and not here & set(groups[name])
            if host in groups[name] and is_site:
                result.setdefault(host, name)
    return list(dict.fromkeys(result.values()))


def folders(facts: Facts) -> list[str]:
    """Where the server of a site reads backups: in the copy at its own site first, then on the share.

    facts: site; share: the folder of the database's backups; copies: prs_backup_copies; first_only: only one folder can
    be read.
    """
    copies = [
        copy.get("database_path") or f"{copy['path']}\\database"
        for copy in facts["copies"]
        if copy.get("site") == facts["site"]
    ]
    every = list(dict.fromkeys([*copies, facts["share"]]))
    return every[:1] if facts["first_only"] else every


def kept_back_until(facts: Facts) -> str:
    """The moment after which backups are kept back, empty where none are. facts: now: ISO 8601, in UTC; minutes."""
    if not facts["minutes"]:
        return ""
    return to_text(parse_stored_time(facts["now"]) - dt.timedelta(minutes=facts["minutes"]))


def inspected(facts: Facts) -> dict[str, Any]:
    """What verify_prs judges of a database server; of the active site's only the logins count.

    facts: instance: of sql_info; database: this one in it, or empty; opening: what a check run of sql_restore said, or
    empty; logins: names that count; minutes: that are kept back.
    """
    instance, opening = facts["instance"], facts["opening"]
    plan = opening.get("plan")
    point = (plan or {}).get("recovery_point") or {}
    return {
        "answers": "databases" in instance,
        "problem": opening.get("msg") or instance.get("msg") or "",
        "database": facts["database"],
        "planned": plan is not None,
        "stood_at": opening.get("stood_at"),
        "steps": (plan or {}).get("steps", []),
        "recovery_point": point.get("time") or "",
        "beyond_gap": opening.get("beyond_gap", []),
        "minutes": facts["minutes"],
        "logins": {
            login["name"]: login["sid"] for login in instance.get("logins", []) if login["name"] in facts["logins"]
        },
    }
