# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role mirror finds out before it touches anything: facts of hosts in, data out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..advice.unreachable import is_silence, state_of

__all__ = ["both_serve", "other_instance", "other_site_holds", "other_site_serves"]

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
    database = _named(facts["name"], facts["databases"])
    return _role(database) or ("ONLINE" if database.get("state") == "ONLINE" else "")


def both_serve(facts: Facts) -> str:
    """Whether the database is ONLINE at both sites: C(principals) of one session, C(databases) without one, or empty.

    facts: name: of the database, in any case; here, there: databases of the two instances, as sql_info returns them.
    """
    both = [_named(facts["name"], facts[side]) for side in ("here", "there")]
    if any(database.get("state") != "ONLINE" for database in both):
        return ""
    return "principals" if all(_role(database) == "PRINCIPAL" for database in both) else "databases"


def _named(name: str, databases: Iterable[Facts]) -> Facts:
    return next((entry for entry in databases if entry["name"].lower() == name.lower()), {})


def _role(database: Facts) -> str:
    return (database.get("mirroring") or {}).get("role") or ""


def other_instance(facts: Facts) -> Facts:
    """What the instance of the other site answers, as sql_info returns it. One whose port nobody answers may be stopped
    on a server that lives, for Windows Firewall drops what comes for a port on which nobody listens; so Windows there
    was asked for its service, which is missing where there is no instance and so no database.

    facts: answer: of sql_info; service: of win_service_info, without C(exists) where Windows was not asked; problem:
    what Ansible says of a Windows that was not reached.
    """
    answer, service, problem = facts["answer"], facts["service"], facts["problem"]
    if "databases" in answer or answer.get("error_code") != "sql_unreachable":
        return answer
    if problem:
        return answer if is_silence(problem) else _living(answer, f"Its Windows {state_of(problem)}.")
    if "exists" not in service:
        return answer
    if not service["exists"]:
        return {"databases": []}
    entry = service["services"][0]
    return _living(answer, f"Its Windows answers, and the service {entry['name']} there is {entry['state']}.")


def _living(answer: Facts, sentence: str) -> Facts:
    """An answer of sql_info that says that the server is not lost."""
    said = " ".join(text for text in (answer.get("msg", ""), sentence) if text)
    return {**answer, "msg": said, "sql_error": {**answer.get("sql_error", {}), "answered": True}}
