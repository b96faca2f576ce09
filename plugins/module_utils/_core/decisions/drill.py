# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role drill works out of servers, records and pages."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

__all__ = ["brought", "certificate_problem", "closed_record", "lacks_certificate", "page_state", "seconds"]

Facts = Mapping[str, Any]


# ---- the certificate of encrypted backups
def lacks_certificate(facts: Facts) -> bool:
    """Whether the drill has to bring the certificate of encrypted backups.

    facts: certificate: its name, empty where backups are not encrypted; keys_path: where it is kept, or empty; asked:
    whether the instance answered; certificates: those that it has.
    """
    certificate = facts["certificate"].lower()
    known = [entry["name"].lower() for entry in facts["certificates"]]
    return bool(certificate and facts["keys_path"] and facts["asked"] and certificate not in known)


def certificate_problem(facts: Facts) -> str:
    """Why it cannot be brought, or empty. facts: lacks: whether it has to be; result: of a check run of
    sql_certificate.
    """
    if not facts["lacks"] or "statements" in facts["result"]:
        return ""
    return facts["result"].get("msg", "no answer")


def brought(facts: Facts) -> dict[str, Any]:
    """What this drill brings and takes away again: the certificate's name or empty, and whether a master key.

    facts: certificate; statements: what a check run of sql_certificate would do, empty where it was not asked; serves:
    whether the server has become the one that serves, which keeps what killed drills brought; unfinished: their
    records.
    """
    statements = " ".join(facts["statements"])
    before = [] if facts["serves"] else [record.get("brought") or {} for record in facts["unfinished"]]
    certificate = "CREATE CERTIFICATE" in statements or any(
        entry.get("certificate") == facts["certificate"] for entry in before
    )
    master_key = "CREATE MASTER KEY" in statements or any(entry.get("master_key") for entry in before)
    return {"certificate": facts["certificate"] if certificate else "", "master_key": master_key}


# ---- the page
def page_state(facts: Facts) -> str:
    """What the restored site's page is: C(none), C(wizard), C(ready) or C(other).

    facts: page: {status, path, text} of read_page.ps1, or {}; wizard_pattern, ready_pattern: regular expressions.
    """
    page = facts["page"]
    if int(page.get("status") or 0) != 200:
        return "none"
    words = f"{page.get('path') or ''}{page.get('text') or ''}"
    patterns = {"wizard": facts["wizard_pattern"], "ready": facts["ready_pattern"]}
    return next((state for state, pattern in patterns.items() if re.search(pattern, words)), "other")


# ---- the record
def seconds(facts: Facts) -> int:
    """Whole seconds between two moments. facts: begin, end: in ISO 8601, UTC; fractions do not count."""
    begin, end = (dt.datetime.strptime(facts[name][:19], "%Y-%m-%dT%H:%M:%S") for name in ("begin", "end"))
    return int((end - begin).total_seconds())


def closed_record(facts: Facts) -> dict[str, Any]:
    """The record of an earlier drill, once what it left is cleared away. facts: record; by: the label of the drill that
    cleared it.
    """
    record = facts["record"]
    died = record["state"] == "running"
    return {
        **record,
        "cleaned": True,
        "cleaned_by": facts["by"],
        "state": "failed" if died else record["state"],
        "problem": "it did not end" if died else record.get("problem", ""),
    }
