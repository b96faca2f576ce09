# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of the role mirror says: facts that the role gathered in, sentences out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..advice import unreachable

__all__ = [
    "account_problems",
    "consequences",
    "inventory_problems",
    "kind_problems",
    "not_reached",
    "planned_instance",
    "planned_session",
    "stops_what_serves",
    "summary",
    "surviving",
    "two_databases",
    "unreached",
]

Facts = Mapping[str, Any]


# ---- what the inventory says
def kind_problems(facts: Facts) -> list[str]:
    """Why a kind of high availability is refused. facts: kind, the value of prs_ha; standby_sites: the value of
    prs_standby_sites.
    """
    kind = facts["kind"]
    if kind == "mirror" and facts["standby_sites"]:
        named = ", ".join(facts["standby_sites"])
        return [
            f"prs_ha is 'mirror', and prs_standby_sites names {named}: a mirror at one site and a standby at another "
            "is not built yet. Choose one of the two: leave prs_standby_sites out, or set prs_ha: standby, which "
            "follows at several sites."
        ]
    if kind in ("mirror", "standby", "none"):
        return []
    why = (
        "Availability groups are not built yet: use mirror, which every edition of SQL Server from Standard on still "
        "has, or standby, which every edition can do."
        if kind == "availability_group"
        else "It is one of mirror, standby, availability_group and none."
    )
    return [f"prs_ha is '{kind}'. {why}"]


def inventory_problems(facts: Facts) -> list[str]:
    """Why the servers that mirroring needs are not in this run.

    facts: left_out: servers that --limit leaves out; site: the active one; web, sql: the servers of the other site;
    witness: its name or empty; witness_known: whether the inventory has it.
    """
    if facts["left_out"]:
        left_out = ", ".join(facts["left_out"])
        return [f"This run leaves out {left_out}: mirroring needs all of them, so run it without --limit."]
    lacks_witness = facts["witness"] and not facts["witness_known"]
    if len(facts["web"]) == 1 and len(facts["sql"]) == 1 and not lacks_witness:
        return []
    web, sql = (", ".join(facts[kind]) or "none" for kind in ("web", "sql"))
    witness = f", and no witness {facts['witness']}" if lacks_witness else ""
    return [
        f"Mirroring needs one server of the group prs_web and one of prs_sql outside {facts['site']}; the inventory "
        f"has {web} and {sql}{witness}. Correct the inventory."
    ]


def account_problems(facts: Facts) -> list[str]:
    """Why an instance cannot be mirrored with Windows authentication.

    facts: host; wanted: prs_mirror_account or empty; service_account: what the instance runs as.
    """
    wanted, actual = facts["wanted"], facts["service_account"]
    if wanted and actual.lower() == wanted.lower():
        return []
    why = (
        f"SQL Server runs as {actual}, not as {wanted}."
        if wanted
        else "the inventory does not say prs_mirror_account, the domain account that all instances run under."
    )
    return [
        f"{facts['host']}: {why} With prs_mirror_authentication: windows all instances run under one domain account, "
        "as the vendor supports it (sql_server_service_account for new instances, SQL Server Configuration Manager for "
        "those that are there). Servers without a common domain need certificates."
    ]


# ---- before anything is touched
def not_reached(facts: Facts) -> list[str]:
    """Why the database cannot be mirrored. facts: unreached: {host, problem} of the servers that were not reached."""
    return unreachable.not_reached(facts["unreached"], so="the database cannot be mirrored there")


def unreached(facts: Facts) -> list[str]:
    """What is not protected, because a server of the other site was not reached.

    facts: unreached: {host, problem} of those servers; witness; database.
    """
    if not facts["unreached"]:
        return []
    result = (
        "The witness stays as it is"
        if [entry["host"] for entry in facts["unreached"]] == [facts["witness"]]
        else f"{facts['database']} is NOT protected by a mirror now"
    )
    silent, living = unreachable.states_of(facts["unreached"])
    states = [*([f"{', '.join(silent)} cannot be reached by WinRM"] if silent else []), *living]
    return [f"WARNING: {'; '.join(states)}. {result}: when that is put right, run mirror_prs."]


def planned_instance(facts: Facts) -> list[str]:
    """What a check run cannot try on an instance that is not there.

    facts: host, authentication, port, database; is_witness; partner: the other one, empty for a witness.
    """
    part = "as witness" if facts["is_witness"] else f"of {facts['database']} with {facts['partner']}"
    method = f"{facts['authentication']}, port {facts['port']}"
    return [f"{facts['host']}: would set up mirroring ({method}) {part}."]


def planned_session(facts: Facts) -> list[str]:
    """What a check run cannot try without endpoints. facts: host, database, mirror, safety, witness or empty,
    seed_path.
    """
    witness = f", witness {facts['witness']}" if facts["witness"] else ""
    return [
        f"{facts['host']}: would mirror {facts['database']} to {facts['mirror']} ({facts['safety']}{witness}), seeded "
        f"through {facts['seed_path']}."
    ]


def two_databases(facts: Facts) -> list[str]:
    """What to do where the database is ONLINE at both sites.

    facts: database; here, there: the database servers of the active and of the other site; two_principals; site: the
    active one; other_site_only: this site was worked on already; replaced_path.
    """
    there = facts["there"]
    untouched = "Nothing was touched at the other site." if facts["other_site_only"] else "Nothing was touched."
    advice = (
        "Both are principal of one session: service was forced while they could not reach each other. Let them reach "
        "each other again (network, firewall, endpoints); the server where service was forced stays principal. Then "
        "run failover_prs for its site."
        if facts["two_principals"]
        else f"prs_active_site says that {facts['site']} serves, so the one on {there} would be overwritten. If the "
        f"other site serves, set prs_active_site to it. If what {there} holds may be replaced: mirror_prs -e "
        f"prs_allow_data_loss=true, which keeps a full backup of it in {facts['replaced_path']}."
    )
    return [f"{facts['database']} is ONLINE on both {facts['here']} and {there}. {untouched} {advice}"]


def stops_what_serves(facts: Facts) -> list[str]:
    """Why the other site's application is not stopped: it serves.

    facts: web_here, web_there: web servers; there: the database server of the other site; runs_here; site: the active
    one.
    """
    sign = f"only {facts['there']} has the database ONLINE" if facts["runs_here"] else f"not on {facts['web_here']}"
    site = facts["site"]
    return [
        f"The application runs on {facts['web_there']}, and {sign}: that site serves, though prs_active_site says "
        f"{site}, and the application there would be stopped. Nothing was touched. Set prs_active_site to the site "
        f"that serves, or move the service here: failover_prs -e prs_active_site={site}."
    ]


def consequences(facts: Facts) -> list[str]:
    """What of the other site will be stopped and replaced.

    facts: site: the active one; web_there: the other site's web server, and runs_there; database; here, there: the
    database servers; replaces: whether the one there has a database of its own; replaced_path.
    """
    return [*_stopped(facts), *_replaced(facts)]


def _stopped(facts: Facts) -> Iterator[str]:
    if facts["runs_there"]:
        yield (
            f"WARNING: the application on {facts['web_there']} runs and will be STOPPED: {facts['site']} is the active "
            "site."
        )


def _replaced(facts: Facts) -> Iterator[str]:
    if facts["replaces"]:
        yield (
            f"WARNING: {facts['database']} on {facts['there']} will be REPLACED by the mirror of the one on "
            f"{facts['here']} (prs_allow_data_loss). A full backup of it is kept in {facts['replaced_path']}."
        )


def surviving(facts: Facts) -> list[str]:
    """Why no backup is put in the place of a database that the other site has still.

    facts: host; there: the other database server; site_there, site: its site and the active one; database; holds: its
    role or state there; is_mirror: whether this host has the mirror of it.
    """
    there, other = facts["there"], f"-e prs_active_site={facts['site_there']}"
    advice = (
        f"{facts['host']} is its mirror. Rebuild the web server of the site that serves ({other}), or let the database "
        f"serve here first (failover_prs -e prs_active_site={facts['site']})."
        if facts["is_mirror"]
        else f"Let it serve: failover_prs {other} (with -e prs_allow_data_loss=true where it has to be forced). Then "
        f"rebuild_prs with the same prs_active_site makes {facts['host']} its mirror. To restore the backup here all "
        "the same, and to give up what is there: -e prs_allow_database_loss=true."
    )
    return [f"{there} holds {facts['database']} still ({facts['holds']}), which is newer than any backup. {advice}"]


# ---- the summary
_LOG_BACKUPS = "backup_prs -e prs_backup_kind=log, every quarter of an hour"


def summary(facts: Facts) -> list[str]:
    """What an administrator has to know afterwards.

    facts: database; principal, mirror: hosts; state, safety: of the session; witness: its name, empty where none is
    wanted; witness_state; needs_full_backup: nothing continues the old log backups; addresses: "name,port" of the
    database server of the active site and of the other one; alias, partner_alias: of SQL Server's clients, or empty.
    """
    return [*session(facts), *log_backups(facts), *connection_values(facts)]


def session(facts: Facts) -> Iterator[str]:
    takes_over = (
        f", witness {facts['witness']} ({facts['witness_state']}): the mirror takes over by itself"
        if facts["witness"]
        else ", without a witness: a person decides, with failover_prs"
    )
    yield (
        f"{facts['database']} is mirrored from {facts['principal']} to {facts['mirror']}: {facts['state']}, "
        f"{facts['safety']}{takes_over}"
    )


def log_backups(facts: Facts) -> Iterator[str]:
    if facts["needs_full_backup"]:
        yield (
            "Its recovery model is FULL. NOW take a full backup (backup_prs), which log backups continue; from then on "
            f"log backups ({_LOG_BACKUPS}), or the log fills its disk."
        )
    else:
        yield f"Its recovery model is FULL: take log backups ({_LOG_BACKUPS}), or the log fills its disk."


def connection_values(facts: Facts) -> Iterator[str]:
    """What the application has to be told once."""
    alias, partner = facts["alias"], facts["partner_alias"]
    here, there = facts["addresses"]
    yield (
        "Say so once to Password Reset Server: in step 2 of its setup wizard (advanced), or on its page "
        "Administration > Database."
    )
    if alias and partner:
        yield f"By alias, the same at both sites:  {_values(facts, alias, partner)}"
    yield f"By name, at the active site:  {_values(facts, here, there)}"
    yield f"By name, at the other site:   {_values(facts, there, here)}"
    if not partner:
        yield (
            "With an alias for the partner (prs_sql_partner_alias), which must be among the names of both servers' "
            "certificates, both sites use the same values, and the same database.config."
        )


def _values(facts: Facts, server: str, partner: str) -> str:
    return f"server: {server}   database (initial catalog): {facts['database']}   failover partner: {partner}"
