"""A rebuild after a total loss, as its tasks told it, for the tests of the report."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from ansible_collections.prs.recovery.plugins.module_utils._core.run_report.reading import report_of
from ansible_collections.prs.recovery.plugins.module_utils._core.run_report.record import (
    Event,
    Run,
    RunReport,
    Server,
    TaskState,
)

BEGUN = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.timezone.utc)
HOSTILE = '<script>alert("&\'")</script>'

PLAN = {
    "road": "restore_set",
    "source": "20260301T100000Z",
    "command": "rebuild_prs",
    "problem": "",
    "tied": [],
    "roads": [
        {
            "name": "restore_set",
            "source": "20260301T100000Z",
            "obstacle": "",
            "needs": {},
            "loss_kind": "time",
            "loss_seconds": 7200.0,
            "seconds": 870.0,
            "measured_runs": 3,
        },
        {
            "name": "attach",
            "source": r"D:\SQLData",
            "obstacle": "",
            "needs": {"prs_allow_database_loss": "the files may be older than the backup"},
            "loss_kind": "unknown",
            "loss_seconds": None,
            "seconds": 900.0,
            "measured_runs": 0,
        },
        {
            "name": "provision",
            "source": "",
            "obstacle": f"rebuild_prs makes no empty product {HOSTILE}",
            "needs": {},
            "loss_kind": "everything",
            "loss_seconds": None,
            "seconds": 800.0,
            "measured_runs": 0,
        },
    ],
    "steps": [{"host": "sql-a", "sentence": "install SQL Server", "phase": "install SQL Server", "size": 0}],
    "sentences": ["ROADS, the one that loses least first", "WHAT WILL BE LOST: what was written since 10:00"],
}


def event(**given: Any) -> Event:
    """A task of the play Plan on web-a that took a second and went well, but for what is given. at: seconds."""
    at, seconds = given.pop("at", 0), given.pop("seconds", 1)
    defaults: dict[str, Any] = {
        "play_number": 1,
        "play": "Plan",
        "role": "",
        "task": "Do it",
        "action": "ansible.windows.win_file",
        "host": "web-a",
        "begun": BEGUN + dt.timedelta(seconds=at),
        "ended": BEGUN + dt.timedelta(seconds=at + seconds),
        "state": TaskState.OK,
        "result": {},
    }
    return Event(**{**defaults, **given})


def wreck(host: str, **facts: Any) -> Event:
    result = {"ansible_facts": {"preflight_wreck": facts, "preflight_plan": [f"{host}: set it up"]}}
    return event(host=host, role="prs.recovery.preflight", action="ansible.builtin.set_fact", result=result)


def said(*sentences: str) -> Event:
    return event(
        play="Say what was brought back", play_number=5, action="debug", result={"msg": list(sentences)}, at=75
    )


def total_loss() -> list[Event]:
    lost = {"host": "sql-a", "reach": "reached", "problem": ""}
    return [
        wreck("sql-a", sql=lost, instance="absent", database={"state": "missing"}),
        wreck("web-a", web={"host": "web-a", "reach": "silent", "problem": f"timed out {HOSTILE}"}),
        event(role="prs.recovery.preflight", action="prs.recovery.recovery_plan", result=PLAN, seconds=8),
        event(
            play="Provision web and database servers at the same time",
            play_number=2,
            role="prs.recovery.sql_server",
            host="sql-a",
            state=TaskState.CHANGED,
            at=10,
            seconds=45,
        ),
        event(
            play="Restore the database",
            play_number=3,
            host="sql-a",
            action="prs.recovery.sql_restore",
            state=TaskState.CHANGED,
            result={
                "changed": True,
                "plan": {"recovery_point": {"time": "2026-03-01T10:00:00Z"}, "loss_seconds": 7500},
                "warnings": [f"the database {HOSTILE} has a user without a login"],
            },
            at=56,
            seconds=14,
        ),
        said(
            "Database PasswordResetServer on sql-a: brought back from recovery set 20260301T100000Z",
            "NOTE: the newest set was passed over",
            f"TO DO: bind a certificate to the site {HOSTILE}",
        ),
        event(
            play="Summary",
            play_number=6,
            action="prs.recovery.protection_report",
            result={
                "rows": [
                    {"what": "page", "where": "https://x/", "state": "ok", "value": "works", "next": ""},
                    {"what": "login", "where": "sql-a", "state": "warn", "value": "old", "next": "Renew it"},
                    {"what": "server", "where": HOSTILE, "state": "fail", "value": HOSTILE, "next": HOSTILE},
                ]
            },
            at=77,
        ),
    ]


def failed(message: str = f"no room on D: {HOSTILE}") -> Event:
    return event(
        play="Restore the database",
        play_number=3,
        host="sql-a",
        task="Restore the database",
        state=TaskState.FAILED,
        result={"msg": message, "failed": True},
        at=56,
    )


def report(
    events: list[Event], *, failed_hosts: Collection[str] = (), check_mode: bool = False, **versions: str
) -> RunReport:
    servers = [
        Server(host=host, site=f"site_{host[-1]}", parts=[part], active=host.endswith("a"))
        for host, part in SERVERS.items()
    ]
    run = Run(
        playbook="rebuild_prs",
        check_mode=check_mode,
        begun=BEGUN,
        ended=BEGUN + dt.timedelta(seconds=81),
        by="root@control",
        servers=servers,
        failed_hosts=failed_hosts,
        versions={"ansible-core": "2.19.14", **versions},
    )
    return report_of(run, events)


SERVERS: Mapping[str, str] = {
    "web-a": "web server",
    "sql-a": "database server",
    "sql-b": "database server",
    f"web-{HOSTILE}-b": "web server",
}
