# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of the role drill says: facts that the role gathered in, sentences out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..preflight import backup_files
from ..preflight.reading import backup_files as read_backup_files
from ..text import bytes_text, counted

__all__ = ["existing", "left", "not_cleared", "page_answer", "plan", "problems", "result"]

Facts = Mapping[str, Any]

_SHOWN = 200
"""Characters of a page that are shown."""


# ---- what is there under the drill's names
def existing(facts: Facts) -> list[str]:
    """What is there already under the names of the drill.

    facts: names {sql_host, database, login, site, folder}; databases, logins: of the database server; sites, pools: of
    IIS; folder_present.
    """
    names = facts["names"]
    there = (
        (f"the database {names['database']} on {names['sql_host']}", _knows(facts["databases"], names["database"])),
        (f"the login {names['login']} on {names['sql_host']}", _knows(facts["logins"], names["login"])),
        (f"the site {names['site']}", _knows(facts["sites"], names["site"])),
        (f"the application pool {names['site']}", _knows(facts["pools"], names["site"])),
        (f"the folder {names['folder']}", facts["folder_present"]),
    )
    return [thing for thing, present in there if present]


def _knows(names: Iterable[str], name: str) -> bool:
    return name.lower() in (known.lower() for known in names)


def left(facts: Facts) -> list[str]:
    """What a drill left, afterwards.

    facts: as for `existing`, and web_host; web_seen, sql_seen: whether the servers could be looked at; certificate: its
    name; statements: what sql_certificate would still do to take away what the drill brought.
    """
    unseen = [
        f"what there is on {host} (it cannot be looked at)"
        for host, seen in ((facts["web_host"], facts["web_seen"]), (facts["names"]["sql_host"], facts["sql_seen"]))
        if not seen
    ]
    if unseen:
        return unseen
    statements = " ".join(facts["statements"])
    sql_host = facts["names"]["sql_host"]
    brought = [
        f"{thing} on {sql_host}"
        for thing, statement in (
            (f"the certificate {facts['certificate']}", "DROP CERTIFICATE"),
            ("the master key of master", "DROP MASTER KEY"),
        )
        if statement in statements
    ]
    return existing(facts) + brought


def not_cleared(facts: Facts) -> list[str]:
    """Why a drill failed that left something. facts: problem: why it failed before, or empty; left."""
    before = f"{facts['problem']}. " if facts["problem"] else ""
    return [f"{before}Not cleared away: {', '.join(facts['left'])}. The next drill tries again"]


# ---- before anything is touched
def problems(facts: Facts) -> list[str]:
    """Why there is no drill; empty when it may begin.

    facts: web_host; iis: {installed, ports, ...}, empty where the server could not be looked at, and web_problem why;
    sql_seen, sql_problem; backup_files: what backup_file_info says where no SQL Server does; certificate_problem: why
    the certificate of encrypted backups cannot be brought, or empty; names {sql_host, database, login, site, folder};
    port; production: the same names of the service; running: labels of drills that have not ended; stale_minutes;
    database_config: its path or empty, config_present; existing: what is there under the drill's names; unfinished:
    whether a record says that a drill made it; records_path.
    """
    wrong = [*_servers(facts), *_names(facts), *_room(facts), *_other_drill(facts), *_config(facts)]
    if wrong or facts["unfinished"] or not facts["existing"]:
        return wrong
    return [
        f"{', '.join(facts['existing'])} is there already, and no record in {facts['records_path']} says that a drill "
        "made it. Remove it if nobody needs it, or choose other names (prs_drill_database, prs_drill_login, "
        "prs_drill_site, prs_drill_folder)."
    ]


def _servers(facts: Facts) -> Iterator[str]:
    sql_host = facts["names"]["sql_host"]
    if not facts["iis"]:
        yield f"{facts['web_host']} cannot be looked at: {facts['web_problem']}"
    if not facts["sql_seen"]:
        yield f"SQL Server on {sql_host} does not answer: {facts['sql_problem']}"
        yield from _unrestored_backups(facts["backup_files"])
    if facts["certificate_problem"]:
        yield f"The backups are encrypted, and {sql_host} cannot get their certificate: {facts['certificate_problem']}"


def _unrestored_backups(result: Mapping[str, Any]) -> Iterator[str]:
    """What the backups say where nothing can be restored. result: of backup_file_info."""
    answer = read_backup_files(result)
    if answer.problem:
        yield f"NOTE: the backups could not be read without it: {answer.problem}"
    if not answer.ok:
        return
    if answer.value.backups:
        yield f"Without it {backup_files.contents(answer.value)}."
    if answer.value.refusal:
        yield f"NOTE: what could be read cannot bring back the database: {answer.value.refusal}"
    yield from backup_files.faults(answer.value)
    if result["checked"]:
        yield _judged(result["checked"])


def _judged(checked: Mapping[str, Any]) -> str:
    damaged = counted(checked["damaged_files"], "file") if checked["damaged_files"] else "none"
    return (
        f"Of {bytes_text(checked['bytes'])} of backups {checked['share'] or 0:.0%} could be judged by the checksums in "
        f"them: {damaged} damaged. Only a restore proves the rest."
    )


def _names(facts: Facts) -> Iterator[str]:
    names, production = facts["names"], facts["production"]
    for kind, own in (
        ("database", "the name of the database itself"),
        ("login", "the application's own login"),
        ("site", "the application's own site"),
    ):
        if names[kind].lower() == production[kind].lower():
            yield f"prs_drill_{kind} is {own}. Choose another one: a drill never touches production."
    drill, application = (f"{folder.lower()}\\" for folder in (names["folder"], production["folder"]))
    if drill.startswith(application) or application.startswith(drill):
        yield (
            f"prs_drill_folder {names['folder']} and the application's own folder lie in one another. Choose "
            "another one."
        )


def _room(facts: Facts) -> Iterator[str]:
    iis, host = facts["iis"], facts["web_host"]
    if not iis:
        return
    if not iis["installed"]:
        yield f"IIS is not installed on {host}. Name a web server that has it in prs_drill_web_host."
    if int(facts["port"]) in iis["ports"] and not facts["unfinished"]:
        yield f"The port {facts['port']} is taken by another site on {host}. Choose another one in prs_drill_port."


def _other_drill(facts: Facts) -> Iterator[str]:
    for label in facts["running"][:1]:
        yield (
            f"The drill {label} began less than {facts['stale_minutes']} minutes ago and has not ended. If it was "
            "killed, run again with -e prs_drill_stale_minutes=0: what it left is cleared away."
        )


def _config(facts: Facts) -> Iterator[str]:
    if facts["database_config"] and not facts["config_present"]:
        yield (f"There is no file {facts['database_config']} on the control node. Correct prs_drill_database_config.")


def plan(facts: Facts) -> list[str]:
    """What will be done. facts: web_host, names {sql_host, database, folder}; clears: the label of the drill whose
    leftovers are cleared away first, or empty.
    """
    names = facts["names"]
    clears = f"clears away what the drill {facts['clears']} left, " if facts["clears"] else ""
    return [
        f"{facts['web_host']}: {clears}restores the newest recovery set as {names['database']} on {names['sql_host']} "
        f"and below {names['folder']}, checks both, and removes them again."
    ]


# ---- the page
def page_answer(facts: Facts) -> list[str]:
    """What the restored site's page said, in words. facts: page: {status, location, text, error} of read_page.ps1, or
    {}; problem: why that script could not be run.
    """
    page = facts["page"]
    status = int(page.get("status") or 0)
    if not status:
        answer = page.get("error") or facts["problem"] or "no answer"
    else:
        answer = f"it answers {status}" + (f" and leads to {page['location']}" if page["location"] else "")
    words = re.sub(r"(?s)<(head|script|style).*?</\1>|<[^>]+>", " ", page.get("text") or "")
    words = re.sub(r"\s+", " ", words).strip()
    shown = words if len(words) <= _SHOWN else f"{words[:_SHOWN]}..."
    return [f"{answer} {shown}".strip()]


# ---- the result
def result(facts: Facts) -> list[str]:
    """How a drill ended.

    facts: record: what is written down {state, problem, label, left; set, rpo_seconds, rto_seconds, page where it
    passed}; keep: everything stays as it stands; records_path.
    """
    return [*_outcome(facts), *_leftovers(facts)]


def _outcome(facts: Facts) -> Iterator[str]:
    record = facts["record"]
    if record["state"] == "failed":
        yield f"The drill FAILED: {record['problem']}"
        return
    ready = record["page"] == "ready"
    answered = "page answered" if ready else "application started"
    yield (
        f"The recovery set {record['set']} was restored: {record['rpo_seconds']} s of data would have been lost (RPO), "
        f"the {answered} after {record['rto_seconds']} s (RTO)."
    )
    if not ready:
        yield "The page was not proven to answer from the restored database: there is no prs_drill_database_config."


def _leftovers(facts: Facts) -> Iterator[str]:
    record = facts["record"]
    if facts["keep"]:
        yield "Everything stays as it stands (prs_drill_keep); the next drill clears it away."
    elif record["left"]:
        yield f"NOT CLEARED AWAY: {', '.join(record['left'])}"
    else:
        yield f"Nothing is left of it but {facts['records_path']}\\{record['label']}.json."
