# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of the role failover says: facts that the role gathered in, sentences out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..advice import unreachable
from ..advice.unreachable import is_silence, state_of
from ..site_answer import CONNECT, NAME
from . import standby_failover

__all__ = ["left_alone", "new_site_unreached", "plan", "problems", "runs_on", "summary", "unstopped"]

Facts = Mapping[str, Any]

STANDBY = "standby"
"""prs_ha of an estate whose other site follows by log backups."""


def problems(facts: Facts) -> list[str]:
    """Why there is nowhere to fail over to.

    facts: ha: prs_ha; site: the active one, which is to take over; old_sql, old_web: the servers of the other site, or
    empty; others: database servers of all other sites; old_site: the one that somebody named, or that was found;
    left_out: servers that --limit leaves out; until: the moment to go back to, or empty.
    """
    if facts["ha"] not in ("mirror", STANDBY):
        return [
            f"The inventory says prs_ha: {facts['ha']}. There is another site to fail over to only where it says "
            "mirror or standby; else rebuild_prs brings the newest backup back there."
        ]
    if facts["until"] and facts["ha"] != STANDBY:
        return [
            "prs_restore_until goes back to a moment from a standby alone (prs_ha: standby), for a mirror has what the "
            "principal has. restore_prs brings a moment back from the backups."
        ]
    if len(facts["others"]) > 1 and not facts["old_site"]:
        return [
            f"There are several other sites ({', '.join(facts['others'])}), and neither an open database nor a single "
            "silent server tells which one serves until now. Say it: -e prs_failover_from=GROUP"
        ]
    if not facts["old_sql"] or not facts["old_web"]:
        return [f"The inventory has no other site than {facts['site']} in the groups prs_web and prs_sql."]
    if facts["left_out"]:
        return [
            f"This run leaves out {', '.join(facts['left_out'])}. Run it without --limit: a site that is lost does not "
            "stop it."
        ]
    return []


def new_site_unreached(facts: Facts) -> list[str]:
    """Why the site cannot take over.

    facts: site: the new one; unreached: {host, problem} of its servers that were not reached.
    """
    return unreachable.not_reached(
        facts["unreached"],
        so=f"{facts['site']} cannot take over",
        when_lost="; if it is lost, rebuild it (rebuild_prs)",
    )


_BY_HAND = "-e prs_old_application_stopped=true"


def unstopped(facts: Facts) -> list[str]:
    """Why the application of the old site would run on beside the new one. Only a server that does not answer at all
    looks like a lost one.

    facts: old_web, new_web: servers; web_problem: what Ansible says of the old one, empty where it was reached; page:
    where the way to its page ended (site_info's step), empty where nobody asked; stopped_by_hand: whether somebody
    vouches for it.
    """
    problem = facts["web_problem"]
    if facts["stopped_by_hand"] or not problem or _is_lost(problem, facts["page"]):
        return []
    return [
        f"{facts['old_web']} {_state_of(problem)}. So its application cannot be stopped, and would run beside that of "
        f"{facts['new_web']}. Nothing was touched. Run this again then; or stop the application pool there by hand and "
        f"say so: {_BY_HAND}."
    ]


def runs_on(facts: Facts) -> list[str]:
    """Why the new web server is not started once the database has moved, or why that does not move: the old application
    runs on, or may.

    facts: old_web, new_web, new_sql: servers; moved: whether the database has; pool: its name, and pool_state, empty
    where there is none; problem: what Ansible says of a server that could not be asked, and unreachable: whether it
    calls it that; page: where the way to its page ended; stopped_by_hand.
    """
    lost = facts["unreachable"] and _is_lost(facts["problem"], facts["page"])
    stopped = not facts["problem"] and facts["pool_state"] in ("Stopped", "")
    if lost or stopped or facts["stopped_by_hand"]:
        return []
    moved = (
        f"{facts['new_sql']} has the database by now, and {facts['new_web']} was not started."
        if facts["moved"]
        else "The database was not moved."
    )
    by_hand = f"Stop the application pool {facts['pool']} on {facts['old_web']} (IIS Manager)"
    if facts["unreachable"]:
        return [
            f"{facts['old_web']} {_state_of(facts['problem'])}. So nobody knows whether its application runs on. "
            f"{moved} Put that right and run this again; or: {by_hand}, and say so: {_BY_HAND}."
        ]
    return [
        f"The application on {facts['old_web']} could not be stopped, see above. {moved} {by_hand} and run this again."
    ]


def _is_lost(problem: str, page: str) -> bool:
    """Whether nothing of a web server answers, neither WinRM nor its page."""
    return is_silence(problem) and page in ("", NAME, CONNECT)


def _state_of(problem: str) -> str:
    """Of a web server that is not lost."""
    return "does not answer by WinRM, but its page answers" if is_silence(problem) else state_of(problem)


# ---- the plan
def plan(facts: Facts) -> list[str]:
    """What will be done.

    facts: ha: prs_ha; site: the new one; database; old_sql, old_web, new_sql, new_web: servers; sql_problem,
    web_problem: what Ansible says of those of the old site, empty where they were reached; runs_already: the
    application of the new site; allow_data_loss; of a standby also planned: the result of sql_standby_failover in check
    mode {way, reason, may_be_lost}; until: the moment to go back to, or empty.
    """
    moves = standby_failover.moves(facts) if facts["ha"] == STANDBY else [*_move(facts), *_lost_principal(facts)]
    return [*moves, *_lost_web_server(facts), *_files_stay(facts)]


def _move(facts: Facts) -> Iterator[str]:
    yield (
        f"Password Reset Server moves to {facts['site']}: {facts['new_sql']} will be the principal of "
        f"{facts['database']}, and {facts['new_web']} serve the page."
    )


def _lost_principal(facts: Facts) -> Iterator[str]:
    if facts["sql_problem"]:
        forced = (
            "FORCED, which may lose the last commits (prs_allow_data_loss)."
            if facts["allow_data_loss"]
            else "not forced: that would need prs_allow_data_loss=true."
        )
        yield (
            f"{facts['old_sql']} {state_of(facts['sql_problem'])}. If {facts['new_sql']} cannot take over without it, "
            f"service is {forced}"
        )


def _lost_web_server(facts: Facts) -> Iterator[str]:
    problem = facts["web_problem"]
    if not problem:
        return
    files = f"{facts['new_web']} has those of the newest backup"
    if is_silence(problem):
        yield (
            f"WARNING: {facts['old_web']} does not answer, so its site cannot be stopped, nor its files be brought "
            f"over: {files}. Make sure that it is down. When it is back, run this playbook again: it stops that site."
        )
    else:
        yield (
            f"WARNING: {facts['old_web']} {state_of(problem)}. Its application counts as stopped, since "
            f"prs_old_application_stopped says so, and its files are not brought over: {files}."
        )


def _files_stay(facts: Facts) -> Iterator[str]:
    if facts["runs_already"]:
        yield f"{facts['new_web']} runs already, so its files stay as they are."


def left_alone(facts: Facts) -> list[str]:
    """Why the web server that stands by was not brought up to date.

    facts: host; problem: what Ansible says of a server that was not reached, or empty; pool_state: empty where there is
    no pool; site: the active one.
    """
    if facts["problem"]:
        why = f"the server {state_of(facts['problem'])}"
    elif not facts["pool_state"]:
        why = "it is not set up there; run mirror_prs"
    else:
        why = (
            f"it runs, though {facts['site']} is the active site. Set prs_active_site to the site that serves, or stop "
            "it with failover_prs"
        )
    return [f"WARNING: the application on {facts['host']} was not brought up to date: {why}."]


# ---- the summary
def summary(facts: Facts) -> list[str]:
    """What became of it, and what is left to a person.

    facts: ha; database; site: the new one; old_sql, old_web, new_sql: servers; web_problem: what Ansible says of the
    old web server, empty where it was reached; done: the result of sql_mirror_failover {reason, may_be_lost,
    interrupted_seconds where it was closed} or sql_standby_failover (also way and tail_log); branch_problem: why the
    move could not be written down beside the sets, or empty; public_name: of the page; address: the name of the new web
    server; has_hook: prs_failover_hook led the name over.
    """
    database = standby_failover.moved(facts) if facts["ha"] == STANDBY else [*_principal(facts), *_lost_commits(facts)]
    return [
        *database,
        *_still_running(facts),
        *_public_name(facts),
        *_active_site(facts),
    ]


def _principal(facts: Facts) -> Iterator[str]:
    seconds = facts["done"].get("interrupted_seconds")
    closed = "" if seconds is None else f", the database was closed for {seconds} seconds"
    yield f"{facts['database']}: {facts['new_sql']} is the principal ({facts['done']['reason']}){closed}"


def _lost_commits(facts: Facts) -> Iterator[str]:
    lost = facts["done"]["may_be_lost"]
    if lost:
        yield (
            f"WARNING, MAY BE LOST: {lost['reason']}. When {facts['old_sql']} is back it becomes the mirror: run this "
            "playbook or mirror_prs; what it never sent is dropped then, with the same yes."
        )


def _still_running(facts: Facts) -> Iterator[str]:
    if facts["web_problem"]:
        yield (
            f"WARNING: the application on {facts['old_web']} could not be stopped. Run this playbook again when the "
            "server is back, before users reach it."
        )


def _public_name(facts: Facts) -> Iterator[str]:
    if not facts["has_hook"]:
        yield (
            f"Lead {facts['public_name']} to {facts['address']} (DNS, load balancer): users still type the old name. "
            "prs_failover_hook can do it."
        )


def _active_site(facts: Facts) -> Iterator[str]:
    yield (
        f"Set prs_active_site: {facts['site']} in the inventory, so that backups, verification and rebuilds work there "
        "from now on."
    )
