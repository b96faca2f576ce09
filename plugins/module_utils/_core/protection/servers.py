# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of an estate's servers: does it serve, do certificates last, is there room, has the other site what a
rebuild needs.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from ..advice.unreachable import (
    ACCOUNT_REFUSED,
    BROKEN_OFF,
    CONNECTION_REFUSED,
    NO_TICKET,
    PROXY,
    UNKNOWN_NAME,
    UNVERIFIED,
    cause_of,
    reason_of,
)
from ..advice.windows import advice_for, of_share_user
from ..mirroring.session import PRINCIPAL
from ..text import age, bytes_text
from ..times import parse_stored_time
from ..windows_files import NOTHING_THERE
from .row import FAIL, WARN, Objectives, Row, absent, row

__all__ = [
    "CHECKS",
    "DATABASE_CONFIG",
    "SERVICE_CHECKS",
    "application_runs",
    "certificate_row",
    "control_node",
    "iis_problem",
    "principal_elsewhere",
    "session_of",
]


DATABASE_CONFIG = "database.config"


def iis_problem(iis: Mapping[str, Any]) -> tuple[str, str]:
    """(what is wrong in IIS, what to do), empty when nothing of it can be why no page comes."""
    if not iis.get("installed"):
        return "IIS is not installed on this server", "Run rebuild_prs, which sets it up"
    if iis["service"] != "Running":
        return (
            f"IIS does not run: its service W3SVC is {iis['service'].lower()}",
            "Start the service W3SVC (iisreset /start)",
        )
    if iis.get("error"):
        return (
            f"IIS cannot be asked: {' '.join(iis['message'].split()).rstrip('.')}",
            "Connect with an account that is a local administrator, or mend IIS' configuration as it says",
        )
    if not iis["site"]:
        return "IIS has no site of that name", "Run rebuild_prs, which makes it, or correct prs_app_site"
    if iis["site"] != "Started":
        return f"the site is {iis['site'].lower()} in IIS", "Start the site in IIS"
    if iis["pool_state"] != "Started":
        state = iis["pool_state"].lower() or "missing"
        return (
            f"the application pool {iis['pool']} is {state}",
            "Start the pool, and look at its identity and the Windows event log",
        )
    return "", ""


def control_node(facts: Mapping[str, Any]) -> Iterator[Row]:
    """The authorities by which every server is known: a file that is not there makes each of them look dead."""
    for path in (facts.get("control_node") or {}).get("missing_authorities", []):
        yield row(
            "control node",
            "this one",
            f"there is no file {path} with the authorities to trust, so no server was looked at",
            next="Put it there, or correct prs_ca_file (and ansible_winrm_ca_trust_path) in the inventory",
        )


def session_of(host: Mapping[str, Any], objectives: Objectives) -> Mapping[str, Any] | None:
    """The mirroring session of the database, as a server tells it."""
    sessions = (host.get("mirroring") or {}).get("sessions", [])
    return next((session for session in sessions if session["database"].lower() == objectives.database.lower()), None)


def principal_elsewhere(facts: Mapping[str, Any], objectives: Objectives) -> Mapping[str, Any] | None:
    """The other site's database server, where it alone is principal of the mirrored database: prs_active_site is out of
    date, or the mirror took over.
    """
    sides = [
        (host, session_of(host, objectives))
        for host in facts["hosts"]
        if facts.get("mirrored") and "sql" in host["roles"]
    ]
    result = [host for host, side in sides if side and side["role"] == PRINCIPAL]
    return result[0] if len(result) == 1 and not result[0]["active"] else None


def iis_answers(host: Mapping[str, Any]) -> bool:
    """Whether IIS would answer for the application on this server."""
    return not iis_problem((host.get("saw") or {}).get("iis") or {})[0]


def application_runs(host: Mapping[str, Any]) -> bool:
    """Whether the application of a server that is to stand by would serve; without its database.config it waits for its
    setup wizard.
    """
    return iis_answers(host) and any(
        file["error"] not in NOTHING_THERE
        for file in (host.get("saw") or {}).get("hashed", [])
        if file["path"].lower().endswith(DATABASE_CONFIG)
    )


def service(facts: Mapping[str, Any], objectives: Objectives, now: dt.datetime) -> Iterator[Row]:
    """The page as users get it."""
    page = facts.get("page")
    if not page:
        return
    where = page.get("url") or facts["site"]
    if not page.get("state"):
        yield row(
            "page",
            where,
            page.get("problem") or "it was not read",
            next=page.get("advice") or "Correct prs_app_url or prs_ca_file",
        )
        return
    if page["state"] == "wizard" and page.get("wizard_accepted"):
        yield row("page", where, "", good="waits for the setup wizard")
        return
    problem, advice = page["problem"], page["advice"]
    web = next((host for host in facts["hosts"] if host["active"] and host.get("saw") and "web" in host["roles"]), None)
    if problem and page["state"] != "wizard" and web is not None and page["step"] != "name":
        in_iis, do = iis_problem(web["saw"]["iis"])
        problem, advice = (f"{problem}; on {web['name']} {in_iis}", do) if in_iis else (problem, advice)
        leads = principal_elsewhere(facts, objectives)
        if in_iis and leads:
            advice = f"Start nothing here: {leads['site']} has the database, as the row of the mirror says"
    yield row("page", where, problem, good=f"works, {float(page['seconds']):.1f} s", next=advice)


def reachable(facts: Mapping[str, Any], objectives: Objectives, now: dt.datetime) -> Iterator[Row]:
    for host in facts["hosts"]:
        if not host["reached"]:
            why, advice = _why_unreached(host["problem"], answers=host.get("answers", False))
            yield row("server", host["name"], f"was not looked at: {why}", next=advice)
            continue
        yield row("server", host["name"], "", good="reached")
    for name in facts.get("unseen", []):
        yield row(
            "server",
            name,
            "was not looked at: an earlier step failed on it, see above, or it cannot be reached",
            next="Repair what the message says, and run verify_prs",
        )


def _why_unreached(said: str, *, answers: bool) -> tuple[str, str]:
    """(why, what to do) of what ansible says of a host that it did not reach: a chain of Python's exceptions, the last
    of which counts; or of one that answers, but could not be looked at.
    """
    if answers:
        return said.rstrip(". "), (
            "The account must be a local administrator, and neither a policy nor a virus scanner may stop scripts there"
        )
    if said.startswith("--limit"):
        return said, "Run it without --limit for the whole picture"
    return _UNREACHED.get(cause_of(said)) or (
        reason_of(said),
        "Switch it on, and check its name, its WinRM listener, the account and the firewall",
    )


_UNREACHED = {
    ACCOUNT_REFUSED: (
        "Windows does not accept the account",
        "Correct ansible_user and ansible_password in the inventory",
    ),
    NO_TICKET: (
        "there is no Kerberos ticket for the account",
        "Correct ansible_user and ansible_password in the inventory, and /etc/krb5.conf of the control node",
    ),
    UNVERIFIED: (
        "the certificate of its WinRM listener cannot be verified",
        "Name the file with its authority in ansible_winrm_ca_trust_path, or give the listener a certificate of it",
    ),
    CONNECTION_REFUSED: (
        "it answers, and refuses connections for WinRM",
        "Start its service WinRM, and check ansible_port, its listener and the firewalls between",
    ),
    BROKEN_OFF: (
        "it takes the connection for WinRM and breaks it off",
        "Check ansible_port and its service WinRM, or restart it",
    ),
    UNKNOWN_NAME: (
        "its name has no address",
        "Correct ansible_host, or the DNS of the control node",
    ),
    PROXY: (
        "the proxy of the environment does not lead there",
        "Name the server in NO_PROXY, or set ansible_winrm_proxy: null in the inventory",
    ),
}


def database(facts: Mapping[str, Any], objectives: Objectives, now: dt.datetime) -> Iterator[Row]:
    name = objectives.database
    for host in facts["hosts"]:
        if not (host["active"] and "sql" in host["roles"]):
            continue
        instance = host.get("instance") or {"reached": False, "problem": "it was not asked"}
        if not instance["reached"]:
            advice = "Start SQL Server; check its port, its certificate and prs_sql_admin_password"
            yield row("database", host["name"], f"SQL Server does not answer: {instance['problem']}", next=advice)
            continue
        result = next((entry for entry in instance["databases"] if entry["name"].lower() == name.lower()), None)
        if result is None:
            yield row(
                "database",
                host["name"],
                f"{name} does not exist",
                next="Bring it back with restore_prs, or finish the setup wizard",
            )
            continue
        problem = "" if result["state"] == "ONLINE" else f"{name} is {result['state']}"
        yield row(
            "database",
            host["name"],
            problem,
            good=f"{name} is ONLINE",
            next="Run rebuild_prs, which restores a damaged one",
        )
        login = host.get("login") or {}
        if not problem and login:
            yield row(
                "login",
                host["name"],
                login["problem"],
                good="leads to its user",
                next="Run rebuild_prs, which repairs it",
            )


def certificates(facts: Mapping[str, Any], objectives: Objectives, now: dt.datetime) -> Iterator[Row]:
    """Of the site and of SQL Server's connections, as they are in the servers' stores; and the one that the page
    showed.
    """
    names = {"site": "site certificate", "sql": "SQL Server certificate"}
    seen = set()
    for host in facts["hosts"]:
        for result in (host.get("saw") or {}).get("certificates", []):
            what = names[result["use"]]
            seen.add((result["use"], host["name"]))
            if not result["found"] or not result["has_key"]:
                lack = "is not in the machine's store" if not result["found"] else "has lost its private key"
                yield row(
                    what,
                    host["name"],
                    f"{result['thumbprint']} {lack}",
                    next="Run rebuild_prs, which imports it from the PFX again",
                )
                continue
            advice = "Have a new one issued, put its PFX in place and run rebuild_prs"
            yield certificate_row(
                what, host["name"], parse_stored_time(result["not_after"]), objectives, now, next=advice
            )
    page = facts.get("page") or {}
    if page.get("certificate") and not any(use == "site" for use, _host in seen):
        yield certificate_row(
            "site certificate",
            page["url"],
            parse_stored_time(page["certificate"]["not_after"]),
            objectives,
            now,
            next="Have a new one issued",
        )


def certificate_row(
    what: str, where: str, end: dt.datetime, objectives: Objectives, now: dt.datetime, *, next: str
) -> Row:
    """The row of a certificate that ends then: an expired one fails, one that ends soon is a warning."""
    left = (end - now).total_seconds()
    days = objectives.certificate_days
    problem = f"expired {age(-left)} ago" if left <= 0 else f"expires in {age(left)}" if left < days * 86400 else ""
    state = FAIL if left <= 0 else WARN
    return row(
        what,
        where,
        problem,
        good=f"{age(left)} left",
        limit=f"{days} d",
        state=state,
        next=next,
        metric="certificate_seconds",
        measure=left,
    )


def backup_certificates(facts: Mapping[str, Any], objectives: Objectives, now: dt.datetime) -> Iterator[Row]:
    """Who restores an encrypted backup needs its certificate with the private key, on the server where it restores."""
    needed = sorted(
        {
            thumb.upper()
            for place in facts["places"]
            for entry in _databases(place, objectives)
            for thumb in entry.get("certificates") or []
        }
    )
    for host in facts["hosts"]:
        instance = host.get("instance") or {}
        if "sql" not in host["roles"] or not instance.get("reached"):
            continue
        known = {_plain(entry["thumbprint"]): entry for entry in instance.get("certificates", [])}
        for thumbprint in needed:
            result = known.get(_plain(thumbprint))
            if result is None or not result["private_key"]:
                lack = (
                    f"the certificate {thumbprint} of the backups is not here"
                    if result is None
                    else f"{result['name']} is here without its private key"
                )
                yield row(
                    "backup certificate",
                    host["name"],
                    lack,
                    state=FAIL if host["active"] or not _is_kept(facts) else WARN,
                    next="A restore here brings it from prs_backup_keys_path, if it is kept there (sql_certificate "
                    "with key_backup does the same)",
                )
                continue
            if result.get("expires"):
                # An expired certificate still restores, and takes no new backups.
                yield certificate_row(
                    "backup certificate",
                    host["name"],
                    parse_stored_time(result["expires"]),
                    objectives,
                    now,
                    next="Make a new one, and keep this one",
                )


def _is_kept(facts: Mapping[str, Any]) -> bool:
    """Whether all that the sets cannot be used without was seen at the other place, from where a restore brings it."""
    saw = (facts.get("kept") or {}).get("saw")
    return bool(saw) and not absent(saw["paths"])


def _plain(thumbprint: str) -> str:
    return thumbprint.upper().removeprefix("0X")


def _databases(place: Mapping[str, Any], objectives: Objectives) -> list[dict[str, Any]]:
    return (place.get("backups") or {}).get("databases", [])


def space(facts: Mapping[str, Any], objectives: Objectives, now: dt.datetime) -> Iterator[Row]:
    limit = objectives.free_bytes
    for host in facts["hosts"]:
        for drive, room in sorted((host.get("saw") or {}).get("drives", {}).items()):
            problem = f"{bytes_text(room['free'])} free" if room["free"] < limit else ""
            yield row(
                "free space",
                f"{host['name']} {drive}",
                problem,
                good=f"{bytes_text(room['free'])} free",
                limit=bytes_text(limit),
                next="Make room",
                metric="free_bytes",
                measure=room["free"],
            )


def standby(facts: Mapping[str, Any], objectives: Objectives, now: dt.datetime) -> Iterator[Row]:
    """What a rebuild takes, seen from each server with the rights of the account that fetches it."""
    for host in facts["hosts"]:
        looked = (host.get("saw") or {}).get("paths", [])
        missing = [path for path in looked if path["error"]]
        for path in missing:
            advice = (
                advice_for(number=path["error"], access=of_share_user(host["name"]))
                or "A rebuild of this server needs it there"
            )
            yield row(
                "media",
                host["name"],
                f"{path['path']} cannot be read: {path['message']} ({path['error']})",
                next=advice,
            )
        if looked and not missing:
            yield row("media", host["name"], "", good=f"{len(looked)} present and readable")


def certificate_files(facts: Mapping[str, Any], objectives: Objectives, now: dt.datetime) -> Iterator[Row]:
    """A rebuild imports certificates from files of the control node; where they are gone, browsers and clients refuse
    what it rebuilt.
    """
    for host in facts["hosts"]:
        files = host.get("certificate_files") or {"wanted": [], "missing": []}
        if files["wanted"]:
            problem = f"not on the control node: {', '.join(files['missing'])}" if files["missing"] else ""
            yield row(
                "certificate file",
                host["name"],
                problem,
                good="present",
                next="Put it there again, from the place where it is kept as well (prs_backup_keys_path)",
            )


def second_application(facts: Mapping[str, Any], objectives: Objectives, now: dt.datetime) -> Iterator[Row]:
    """Password Reset Server runs once. A lost site that comes back starts its own again, with the
    database that it had.
    """
    leads = principal_elsewhere(facts, objectives)
    here = any(iis_answers(host) for host in facts["hosts"] if host["active"] and "web" in host["roles"])
    for host in facts["hosts"]:
        saw = host.get("saw") or {}
        if host["active"] or "web" not in host["roles"] or "iis" not in saw:
            continue
        answers, runs = iis_answers(host), application_runs(host)
        if runs and leads and leads["site"] == host["site"]:
            both = f"it runs at both sites, and the database is at {host['site']}" if here else ""
            yield row(
                "second application",
                host["name"],
                both,
                good="serves, beside its database",
                next="Run failover_prs for the site that is to serve, which stops the application at the other one",
            )
            continue
        if saw["iis"].get("error"):
            problem, do = iis_problem(saw["iis"])
            yield row(
                "second application", host["name"], f"nobody can tell whether it runs here too: {problem}", next=do
            )
            continue
        problem = (
            (
                f"it runs here too, while {facts['site']} serves: whoever comes here changes another database, or the "
                "same one"
            )
            if runs
            else ""
        )
        good = "does not run" if not answers else "waits for its setup wizard"
        yield row("second application", host["name"], problem, good=good, next=_which_to_stop(facts, host["site"]))


def _which_to_stop(facts: Mapping[str, Any], site: str) -> str:
    """Which of two applications is the wrong one the restores tell that were written down beside the sets; the
    inventory alone may be out of date.
    """
    living = {
        branch["site"]
        for place in facts["places"]
        for branch in (place.get("sets") or {}).get("living", [])
        if branch["site"]
    }
    if living == {site}:
        return (
            f"The database was rebuilt at {site}, which serves since. Set prs_active_site: {site} in the inventory, "
            f"and stop the site and the pool in IIS at {facts['site']}"
        )
    if living == {facts["site"]}:
        return _STOP_IT
    return (
        f"Find out which one the users work with. If it is {site}: set prs_active_site: {site}, and stop the other. "
        f"Else: {_STOP_IT}"
    )


_STOP_IT = (
    "Stop its site and its pool in IIS now, and keep what its database got since as a backup. To serve from that site "
    "again: README, When a whole site is gone"
)

SERVICE_CHECKS = (service, reachable, database, certificates)
"""Whether the page and its database serve now."""
CHECKS = (
    service,
    second_application,
    reachable,
    database,
    certificates,
    certificate_files,
    backup_certificates,
    space,
    standby,
)
