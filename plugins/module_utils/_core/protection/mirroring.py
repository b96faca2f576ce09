# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of a mirrored estate: does the mirror protect what serves, and will the servers still let each other in
tomorrow.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from ..mirroring.session import PRINCIPAL
from ..text import bytes_text
from ..times import parse_stored_time
from .row import FAIL, WARN, Objectives, Row, row
from .servers import application_runs, certificate_row, session_of

__all__ = ["CHECKS"]

AGAIN = "Run mirror_prs, which sets right what differs"
GOES_ON = ("SYNCHRONIZED", "SYNCHRONIZING")
"""States in which the mirror gets what is committed; what is wrong beside them is a warning."""


def _servers(facts: Mapping[str, Any], *roles: str) -> list[Mapping[str, Any]]:
    return [
        host
        for host in facts["hosts"]
        if facts.get("mirrored") and set(roles) & set(host["roles"]) and host.get("mirroring")
    ]


def mirror(facts: Mapping[str, Any], objectives: Objectives, now: dt.datetime) -> Iterator[Row]:
    """One row for the session, as its principal sees it, and one for each server that cannot be asked."""
    sides = {}
    for host in _servers(facts, "sql", "witness"):
        report = host["mirroring"]
        if not report["reached"]:
            if not host["reached"]:
                continue  # that has a row of its own
            advice = "Start SQL Server; check its port, its certificate and prs_sql_admin_password"
            yield row("mirror", host["name"], f"SQL Server does not answer: {report['problem']}", next=advice)
        elif "sql" in host["roles"]:
            sides[host["name"]] = session_of(host, objectives)
    mirrored = {name: side for name, side in sides.items() if side}
    if not mirrored:
        if sides:
            yield row("mirror", facts["site"], f"{objectives.database} is not mirrored", next="Run mirror_prs")
        return
    principals = [name for name, side in mirrored.items() if side["role"] == PRINCIPAL]
    if len(principals) > 1:
        yield row(
            "mirror",
            " and ".join(principals),
            "both are principal: service was forced while they did not reach each other",
            next="Let them reach each other again, then run failover_prs for the site where service was forced",
        )
    elif principals:
        yield from _session(facts, objectives, principals[0], mirrored[principals[0]])
    else:
        where = min(mirrored)
        yield row(
            "mirror",
            where,
            f"nobody serves {objectives.database}: this is its mirror, {mirrored[where]['state']}",
            next="Bring the principal back, or let this site serve with failover_prs",
        )


def _session(facts: Mapping[str, Any], objectives: Objectives, where: str, side: Mapping[str, Any]) -> Iterator[Row]:
    unsent = side.get("lag", {}).get("unsent_kb")
    behind = "" if unsent is None else f", {bytes_text(unsent * 1024)} unsent"
    good = f"principal, {side['state']}, {'synchronous' if side['safety'] == 'FULL' else 'asynchronous'}{behind}"
    problems, state = list(side["problems"]), {} if side["state"] not in GOES_ON else {"state": WARN}
    if facts.get("witness") and not side["witness"]:
        problems.append(f"it has no witness, though the inventory names {facts['witness']}")
    measured = {} if unsent is None else {"metric": "mirror_unsent_bytes", "measure": unsent * 1024}
    yield row(
        "mirror", where, "; ".join(problems), good=good, next=f"Bring back what is lost. {AGAIN}", **state, **measured
    )
    for host in facts["hosts"]:
        if host["name"] != where or host["active"]:
            continue
        moved = any(
            application_runs(entry)
            for entry in facts["hosts"]
            if entry["site"] == host["site"] and "web" in entry["roles"]
        )
        yield row(
            "mirror",
            where,
            f"it is the principal, though {facts['site']} is the active site",
            state=FAIL if moved else WARN,
            next=f"Set prs_active_site: {host['site']} where that site is to serve, or move back with failover_prs",
        )


def endpoints(facts: Mapping[str, Any], objectives: Objectives, now: dt.datetime) -> Iterator[Row]:
    """The certificates are looked at when servers connect, and not before: one that has expired shows with the next
    restart, when nobody needs that.
    """
    asked = {
        host["name"]: host["mirroring"] for host in _servers(facts, "sql", "witness") if host["mirroring"]["reached"]
    }
    for name, report in asked.items():
        endpoint = next(iter(report["endpoints"]), None)
        if endpoint is None or endpoint["state"] != "STARTED":
            yield row(
                "mirroring endpoint",
                name,
                "there is none" if endpoint is None else f"it is {endpoint['state']}",
                next=AGAIN,
            )
            continue
        if not endpoint["certificate"]:
            continue  # Windows accounts
        own = next(
            (certificate for certificate in report["certificates"] if certificate["name"] == endpoint["certificate"]),
            None,
        )
        if own is None:
            yield row("mirroring certificate", name, f"{endpoint['certificate']} is not there", next=AGAIN)
            continue
        yield certificate_row(
            "mirroring certificate",
            name,
            parse_stored_time(own["expires"]),
            objectives,
            now,
            next="Run mirror_prs, which replaces it without an interruption",
        )
        for other, theirs in asked.items():
            if other != name and own["thumbprint"].upper() not in {
                certificate["thumbprint"].upper() for certificate in theirs["certificates"]
            }:
                unknown = f"the certificate {own['name']} of {name} is not known here, so they cannot connect again"
                yield row("mirroring certificate", other, unknown, next=AGAIN)


CHECKS = (mirror, endpoints)
