# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of an estate whose database is followed at other sites: how far behind is it there, could it be opened,
and does the application that waits there fit.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from ..text import age, counted
from ..times import parse_stored_time
from .row import FAIL, WARN, Objectives, Row, row
from .servers import DATABASE_CONFIG

__all__ = ["CHECKS"]

AGAIN = "Run standby_prs, which says what is in the way"
KEY = "encryption.config"


def _followers(facts: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Each server that follows, and what its standby was found to be."""
    for host in facts["hosts"]:
        if host.get("standby") and not host["active"]:
            yield host, host["standby"]


def lag(facts: Mapping[str, Any], objectives: Objectives, now: dt.datetime) -> Iterator[Row]:
    """How old the data of the standby are, and what is not applied yet."""
    for host, side in _followers(facts):
        where, name = host["name"], objectives.database
        state = side["database"].get("state", "")
        if not side["answers"]:
            if host["reached"]:  # else that has a row of its own
                advice = "Start SQL Server; check its port, its certificate and prs_sql_admin_password"
                yield row("standby", where, f"SQL Server does not answer: {side['problem']}", next=advice)
        elif not state:
            yield row("standby", where, f"there is no {name}, so nothing follows", next="Run standby_prs")
        elif state == "ONLINE" and not side["database"].get("standby"):
            yield row(
                "standby",
                where,
                f"{name} is open here, so it follows no longer",
                next=f"Set prs_active_site: {host['site']} where that site serves, else run standby_prs, which says "
                "what may be done",
            )
        else:
            yield from _behind(side, where, objectives, now)


def _behind(side: Mapping[str, Any], where: str, objectives: Objectives, now: dt.datetime) -> Iterator[Row]:
    stood = side["stood_at"] or {}
    state = "readable" if side["database"].get("standby") else side["database"]["state"]
    waiting = [step for step in side["steps"] if step["kind"]]
    delay = side["minutes"] * 60
    if not stood.get("time"):
        problem = f"{state}, and no backup at hand tells how old its data are"
        yield row("standby", where, problem, state=WARN, next=AGAIN)
        return
    seconds = (now - parse_stored_time(stood["time"])).total_seconds()
    limit = objectives.recovery_point_seconds + delay
    behind = f"{age(seconds)} behind"
    yield row(
        "standby",
        where,
        f"{behind}, {counted(len(waiting), 'backup')} not applied" if seconds > limit else "",
        good=f"{state}, {behind}, last log of {stood['time']}"
        + (f", {side['minutes']} min kept back" if delay else "")
        + (f", {counted(len(waiting), 'backup')} not applied" if waiting else ""),
        limit=age(limit),
        next=AGAIN,
        metric="standby_lag_seconds",
        measure=seconds,
    )


def opening(facts: Mapping[str, Any], objectives: Objectives, now: dt.datetime) -> Iterator[Row]:
    """Whether it could be opened now: what a restore to its end would be refused for (version, edition, room,
    certificates), and whether the logs up to the newest one are there.
    """
    for host, side in _followers(facts):
        if not side["answers"] or not side["database"]:
            continue
        where = host["name"]
        if not side["planned"]:
            yield row("standby opening", where, f"it could not be opened: {side['problem']}", next=AGAIN)
            continue
        beyond = side["beyond_gap"]
        yield row(
            "standby opening",
            where,
            f"{counted(len(beyond), 'newer backup')} cannot be applied: {beyond[0]['reason']}" if beyond else "",
            good=f"possible, up to {side['recovery_point']}" if side["recovery_point"] else "possible",
            next="Take a backup that bridges the gap: backup_prs -e prs_backup_kind=differential, else backup_prs",
            metric="standby_gap_backups",
            measure=len(beyond),
        )


def delay(facts: Mapping[str, Any], objectives: Objectives, now: dt.datetime) -> Iterator[Row]:
    """How long backups are kept back; a standby that is newer than that does not keep a mistake out."""
    for host, side in _followers(facts):
        stood = (side["stood_at"] or {}).get("time")
        if side["minutes"] and stood:
            seconds = (now - parse_stored_time(stood)).total_seconds()
            early = seconds < side["minutes"] * 60
            yield row(
                "standby delay",
                host["name"],
                f"it is {age(seconds)} behind, less than the {side['minutes']} min that are to be kept back"
                if early
                else "",
                good=f"{side['minutes']} min kept back",
                state=WARN,
                next="It was seeded or brought up to date without the delay: wait that long",
                metric="standby_delay_seconds",
                measure=side["minutes"] * 60,
            )


def logins(facts: Mapping[str, Any], objectives: Objectives, now: dt.datetime) -> Iterator[Row]:
    """A user of the database is joined to its login by the SID, which only standby_prs brings to the other server."""
    wanted = next((host["standby"]["logins"] for host in facts["hosts"] if host["active"] and host.get("standby")), {})
    for host, side in _followers(facts):
        if not side["answers"] or not wanted:
            continue
        missing = sorted(set(wanted) - set(side["logins"]))
        others = sorted(name for name in set(wanted) & set(side["logins"]) if wanted[name] != side["logins"][name])
        problems = [f"there is no login {', '.join(missing)}"] if missing else []
        problems += [f"the login {', '.join(others)} is another one (its SID differs)"] if others else []
        yield row(
            "standby logins",
            host["name"],
            "; ".join(problems),
            good=f"{counted(len(wanted), 'login')} as at the active site",
            next="Run standby_prs, which makes them equal",
        )


def passive_application(facts: Mapping[str, Any], objectives: Objectives, now: dt.datetime) -> Iterator[Row]:
    """The application that waits beside a standby needs a folder with the keys that are in use."""
    sites = {host["site"] for host, _side in _followers(facts)}
    key = (facts.get("key") or {}).get("sha256", "")
    for host in facts["hosts"]:
        hashed = (host.get("saw") or {}).get("hashed")
        if host["active"] or "web" not in host["roles"] or host["site"] not in sites or hashed is None:
            continue
        files = {file["path"].rpartition("\\")[2].lower(): file for file in hashed}
        config, own = files.get(DATABASE_CONFIG, {}), files.get(KEY, {})
        problem = ""
        if config.get("error", 0) or own.get("error", 0):
            problem = "its folder has not the files that it needs to serve"
        elif key and own.get("sha256") and own["sha256"] != key:
            problem = "its keys are other ones than those in use"
        yield row(
            "passive application",
            host["name"],
            problem,
            good="it waits with the keys in use",
            state=FAIL,
            next="Run backup_prs, which brings it the newest archive",
        )


CHECKS = (lag, opening, delay, logins, passive_application)
