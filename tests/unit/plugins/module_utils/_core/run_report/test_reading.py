"""From the tasks of a run to its report."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.run_report.plain import report_dict
from ansible_collections.prs.recovery.plugins.module_utils._core.run_report.record import (
    Outcome,
    ServerState,
    TaskState,
)
from sample_run import HOSTILE, event, failed, report, said, total_loss, wreck


def test_a_total_loss_is_told_from_its_tasks():
    told = report(total_loss())
    assert told.outcome is Outcome.SUCCEEDED
    assert told.site == "site_a"
    assert [(road.name, road.chosen, road.loss) for road in told.roads] == [
        ("restore_set", True, "at most 2 h"),
        ("attach", False, "nobody knows how much"),
        ("provision", False, "everything"),
    ]
    assert told.steps == ["sql-a: install SQL Server"]
    assert told.planned == ["sql-a: set it up", "web-a: set it up"]
    assert told.done == ["Database PasswordResetServer on sql-a: brought back from recovery set 20260301T100000Z"]
    assert told.left_to_do == [f"bind a certificate to the site {HOSTILE}"]
    assert told.warnings == [
        "NOTE: the newest set was passed over",
        f"sql-a: the database {HOSTILE} has a user without a login",
    ]
    assert [check.state for check in told.checks] == ["ok", "warn", "fail"]


def test_what_was_restored_tells_the_loss_better_than_the_plan():
    told = report(total_loss())
    assert (told.recovery_point, told.loss) == ("2026-03-01T10:00:00Z", "what was written in the last 2 h 5 min")
    planned = report([entry for entry in total_loss() if not entry.action.endswith("sql_restore")])
    assert (planned.recovery_point, planned.loss) == ("", "what was written since 10:00")


@pytest.mark.parametrize(
    ("stats", "point", "loss"),
    [
        (
            {"prs_drill": {"rpo_seconds": "3600", "recovery_point": "2026-03-01T10:00:00Z"}},
            "2026-03-01T10:00:00Z",
            "had it been a disaster: 1 h of work",
        ),
        ({"prs_failover": {"may_be_lost": {"reason": "the last commits"}}}, "", "the last commits"),
        ({"prs_failover": {"may_be_lost": None}}, "", "nothing of the database"),
        ({"prs_recovery_set": {"recovery_point": "2026-03-01T11:00:00Z"}}, "2026-03-01T11:00:00Z", ""),
    ],
)
def test_what_roles_hand_on_tells_recovery_point_and_loss(stats: dict, point: str, loss: str):
    told = report([event(action="ansible.builtin.set_stats", result={"ansible_stats": {"data": stats}})])
    assert (told.recovery_point, told.loss) == (point, loss)


# ---- servers
@pytest.mark.parametrize(
    ("facts", "state", "notes"),
    [
        ({"sql": {"host": "sql-a"}, "instance": "running", "database": {"state": "healthy"}}, "working", "healthy"),
        ({"sql": {"host": "sql-a"}, "instance": "stopped", "database": {"state": "unknown"}}, "unknown", "stopped"),
        ({"sql": {"host": "sql-a"}, "instance": "running", "database": {"state": "closed"}}, "damaged", "closed"),
        ({"sql": {"host": "sql-a", "reach": "silent", "problem": "no route"}}, "silent", "no route"),
        ({"sql": {"host": "sql-a", "reach": "refuses", "problem": "401"}}, "refuses", "401"),
    ],
)
def test_a_server_is_as_the_preflight_found_it(facts: dict, state: str, notes: str):
    told = report([wreck("sql-a", **facts), event(host="sql-a")])
    (server,) = [server for server in told.servers if server.host == "sql-a"]
    assert server.state.value == state
    assert notes in " ".join(server.notes)


def test_where_no_preflight_looked_the_first_answer_tells():
    unreached = {"unreachable": True, "msg": "ntlm: [Errno 113] No route to host"}
    told = report(
        [
            event(host="sql-b", action="ansible.builtin.set_fact"),
            event(host="sql-a", state=TaskState.UNREACHABLE, result=unreached),
            event(host="web-a"),
        ]
    )
    states = {server.host: server.state for server in told.servers}
    assert states["web-a"] is ServerState.WORKING
    assert states["sql-a"] is ServerState.SILENT
    assert states["sql-b"] is ServerState.UNKNOWN


# ---- failures
def test_a_failure_is_told_where_it_ended_the_run():
    told = report([*total_loss(), failed()], failed_hosts={"sql-a"})
    assert told.outcome is Outcome.FAILED
    assert [(failure.host, failure.phase, failure.message) for failure in told.failures] == [
        ("sql-a", "Restore the database", f"no room on D: {HOSTILE}")
    ]


def test_a_failure_that_was_rescued_is_a_warning():
    told = report([failed("no room")])
    assert told.outcome is Outcome.SUCCEEDED
    assert told.failures == []
    assert told.warnings == ["sql-a: Restore the database: no room"]


def test_a_failure_that_no_log_hides_says_so():
    hidden = event(state=TaskState.FAILED, result={"censored": "the output has been hidden"})
    (failure,) = report([hidden], failed_hosts={"web-a"}).failures
    assert failure.message == "what it said is hidden, since the task handles secrets"


# ---- sentences
def test_a_sentence_is_told_once_and_a_loop_tells_all_of_its():
    looped = event(action="debug", result={"results": [{"msg": "first"}, {"msg": "second"}], "msg": "All items"})
    assert report([said("first"), looped, said("first")]).done == ["first", "second"]


@pytest.mark.parametrize("wrapped", [lambda result: result, lambda result: {"result": {"windows": result}}])
def test_versions_come_from_what_was_asked(wrapped):
    asked = event(host="sql-a", action="prs.recovery.sql_info", result={"server": {"version": "15.0.4430.1"}})
    windows = {"result": {"caption": "Windows Server 2022", "version": "10.0.20348"}}
    told = report([asked, event(action="prs.recovery.windows_script", result=wrapped(windows))])
    assert told.versions == {
        "ansible-core": "2.19.14",
        "SQL Server on sql-a": "15.0.4430.1",
        "Windows on web-a": "Windows Server 2022 (10.0.20348)",
    }


def test_as_data_it_holds_plain_values_only():
    data = report_dict(report(total_loss()))
    assert (data["format"], data["outcome"], data["begun"]) == (
        "prs.recovery run 1",
        "succeeded",
        "2026-03-01T12:00:00Z",
    )
    assert data["servers"][1]["state"] == "damaged"
    assert data["spans"][0]["state"] == "ok"
    assert data["seconds"] == 81.0
