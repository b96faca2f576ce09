# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of the role standby says: facts that the role gathered in, sentences out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..advice import unreachable
from ..standby.fitness import Server, is_astray, unfit

__all__ = ["caught_up", "inventory_problems", "not_reached", "problems", "summary", "unreached"]

Facts = Mapping[str, Any]


# ---- what the inventory says
def inventory_problems(facts: Facts) -> list[str]:
    """Why the servers that a standby needs are not in this run.

    facts: active: the active site; groups: names of all groups; sites: {site, sql, web}, as the decision standby.sites
    returns them; left_out: servers that --limit leaves out.
    """
    if not facts["sites"]:
        return [
            f"A standby needs a database server outside {facts['active']}, and the inventory has none. Add a site with "
            "one, or say prs_ha: none."
        ]
    problems = list(_misnamed(facts))
    if not problems and facts["left_out"]:
        problems = [
            f"This run leaves out {', '.join(facts['left_out'])}: a standby needs all servers of its site, so run it "
            "without --limit."
        ]
    return problems


def _misnamed(facts: Facts) -> Iterator[str]:
    names = [entry["site"] for entry in facts["sites"]]
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        yield f"prs_standby_sites names {name} twice. Name every site once."
    for entry in {entry["site"]: entry for entry in facts["sites"]}.values():
        name = entry["site"]
        if name == facts["active"]:
            yield f"prs_standby_sites names {name}, which is the active site. Name the sites that follow it."
        elif name not in facts["groups"]:
            yield f"prs_standby_sites names {name}, and the inventory has no group of that name. Correct it."
        elif len(entry["sql"]) != 1 or len(entry["web"]) > 1:
            yield (
                f"The standby's site {name} has {len(entry['sql'])} hosts of the group prs_sql and {len(entry['web'])} "
                "of the group prs_web; it needs one of prs_sql and at most one of prs_web. Correct the inventory."
            )


# ---- before anything is touched
def problems(facts: Facts) -> list[str]:
    """Why no standby is made, or none of one that is there.

    facts: database; site: the active one; principal, standbys: what each database server is, as {host, site, answers,
    problem, server: {version, edition} or empty, database: as sql_info returns it or empty}, of a standby also
    would_lose: why it cannot go on without a yes, or empty, and has_all: whether no backup would be applied; runs:
    whether the application runs, by web server; web_here: the active site's; webs: {site: web server}; readable;
    allow_recovery_model; allow_data_loss.
    """
    serves = list(_serves_elsewhere(facts))
    if serves:
        return serves
    principal = Server.of(facts["principal"])
    wrong = list(_principal(facts, principal))
    for entry in facts["standbys"]:
        if entry["answers"]:
            wrong += unfit(
                Server.of(entry),
                principal,
                name=facts["database"],
                readable=facts["readable"],
                may_replace=facts["allow_data_loss"],
            )
        stays = entry["would_lose"] or entry["has_all"]
        if stays and is_astray(entry["database"], facts["principal"]["database"]):
            wrong.append(f"{_astray(entry['host'], facts['database'])}.")
        elif entry["would_lose"]:
            wrong.append(f"{entry['would_lose']} (standby_prs -e prs_allow_data_loss=true).")
    return [*wrong, "Nothing was touched."] if wrong else []


def _serves_elsewhere(facts: Facts) -> Iterator[str]:
    runs_here = facts["runs"].get(facts["web_here"], False)
    for entry in facts["standbys"]:
        web = facts["webs"].get(entry["site"], "")
        if facts["runs"].get(web, False) and not runs_here:
            sign = f"the application runs on {web}, and not on {facts['web_here']}"
        elif Server.of(entry).is_open and not Server.of(facts["principal"]).is_open:
            sign = f"{facts['database']} is open on {entry['host']}, and not on {facts['principal']['host']}"
        else:
            continue
        yield (
            f"{entry['site']} is the site that serves, though prs_active_site says {facts['site']}: {sign}. Nothing "
            f"was touched. Set prs_active_site to {entry['site']}, or move the service here: failover_prs -e "
            f"prs_active_site={facts['site']}."
        )


def _principal(facts: Facts, principal: Server) -> Iterator[str]:
    host, name = principal.host, facts["database"]
    if not principal.answers:
        yield f"SQL Server on {host} cannot be asked for {name}: {facts['principal']['problem']}"
    elif principal.state != "ONLINE":
        yield (
            f"{name} on {host} is {principal.state or 'not there'}, so there is nothing that a standby could follow. "
            "Run rebuild_prs first (provision_prs and the setup wizard for a new installation)."
        )
    elif principal.is_mirrored:
        yield f"{name} on {host} is mirrored, which prs_ha: standby takes the place of. End that first (sql_mirror)."
    elif principal.recovery_model == "SIMPLE" and not facts["allow_recovery_model"]:
        yield (
            f"{name} on {host} is in the recovery model SIMPLE, of which there are no log backups that a standby could "
            "follow. -e prs_allow_recovery_model=true changes it to FULL; from then on its log has to be backed up "
            "(backup_prs -e prs_backup_kind=log), or it fills its disk."
        )


def not_reached(facts: Facts) -> list[str]:
    """Why the database gets no standby. facts: unreached: {host, problem} of the servers that were not reached."""
    return unreachable.not_reached(facts["unreached"], so="the database can have no standby there")


def unreached(facts: Facts) -> list[str]:
    """What does not follow, because a server was not reached. facts: unreached: {host, problem}; database."""
    if not facts["unreached"]:
        return []
    silent, living = unreachable.states_of(facts["unreached"])
    states = [*([f"{', '.join(silent)} cannot be reached by WinRM"] if silent else []), *living]
    return [
        f"WARNING: {'; '.join(states)}. The standby of {facts['database']} there does not follow now: when that is put "
        "right, run standby_prs."
    ]


# ---- what was applied
def caught_up(facts: Facts) -> list[str]:
    """What a catch-up came to.

    facts: host; database; applied: what sql_restore returned; minutes: that are kept back; check: nothing was done;
    standby, principal: the databases as sql_info returned them before, or empty.
    """
    applied, host, name = facts["applied"], facts["host"], facts["database"]
    if "plan" not in applied:
        reason = applied.get("msg") or "no answer"
        return [
            f"WARNING: the standby of {name} on {host} was not brought up to date: {reason} Put that right and run "
            "standby_prs; the next backup_prs tries it as well."
        ]
    steps = [step for step in applied["plan"].get("steps", []) if step["kind"]]
    behind = f", {facts['minutes']} min are kept back" if facts["minutes"] else ""
    if steps:
        point = (applied["plan"].get("recovery_point") or {}).get("time") or "an unknown moment"
        would = "would be applied" if facts["check"] else "applied"
        sentence = f"{host}: {_counted(steps)} {would}, the standby of {name} stands at {point}{behind}"
    elif is_astray(facts["standby"], facts["principal"]):
        sentence = f"WARNING: {_astray(host, name)}"
    else:
        point = (applied.get("stood_at") or {}).get("time") or "where the newest log ended"
        sentence = f"{host}: nothing new for the standby of {name}, which stands at {point}{behind}"
    return [sentence, *_gap(applied)]


def _astray(host: str, name: str) -> str:
    return (
        f"{host}: {name} there does not follow: it holds what was committed after the point at which the database was "
        "opened at the active site, as an old principal does that came back. Run backup_prs, and standby_prs -e "
        "prs_allow_data_loss=true, which lets it begin anew"
    )


def _counted(steps: list[Facts]) -> str:
    kinds = [step["kind"] for step in steps]
    counts = [
        f"{number} {kind}{'s' if kind == 'log' and number > 1 else ''}"
        for kind in ("full", "differential", "log")
        if (number := kinds.count(kind))
    ]
    return ", ".join(counts)


def _gap(applied: Facts) -> Iterator[str]:
    beyond = applied.get("beyond_gap") or []
    if beyond:
        yield (
            f"WARNING: {len(beyond)} newer backup{'s' if len(beyond) > 1 else ''} cannot be applied: "
            f"{beyond[0]['reason']}. A differential or full backup bridges that: backup_prs -e "
            "prs_backup_kind=differential (where no full was taken since), else backup_prs"
        )


# ---- the summary
def summary(facts: Facts) -> list[str]:
    """What an administrator has to know afterwards.

    facts: database; principal: host; standbys: {host, site}; model_changed: whether the recovery model was; readable;
    minutes: that are kept back.
    """
    where = " and ".join(f"{entry['host']} ({entry['site']})" for entry in facts["standbys"])
    result = [f"{facts['database']} on {facts['principal']} has a standby on {where}"]
    if facts["readable"]:
        result.append("It can be read between two runs; who reads is disconnected when a log is applied.")
    if facts["minutes"]:
        result.append(f"Logs of the last {facts['minutes']} minutes are kept back.")
    if facts["model_changed"]:
        result.append(
            "Its recovery model is FULL now. NOW take a full backup (backup_prs), which log backups continue."
        )
    result.append(
        "It follows with every backup_prs: take log backups (backup_prs -e prs_backup_kind=log, every quarter of an "
        "hour). What was committed since the last one is lost with the active site. failover_prs -e "
        "prs_active_site=SITE moves the service there."
    )
    return result
