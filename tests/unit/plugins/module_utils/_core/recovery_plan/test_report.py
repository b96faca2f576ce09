"""What recovery_plan returns where servers do not answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_plan.report import plan_report
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_plan.wreck import (
    Application,
    ApplicationState,
    Attach,
    Consents,
    Database,
    DatabaseState,
    Instance,
    OtherCopy,
    Reach,
    Server,
    SurvivingFiles,
)
from wrecks import ago, total_loss, wreck

SILENT = Server(host="sql-a", reach=Reach.SILENT, problem="connection timed out")
UNSEEN: dict[str, Any] = {"instance": Instance.REFUSES, "database": Database(state=DatabaseState.UNKNOWN)}


def test_a_silent_server_is_weighed_as_a_new_one_and_the_problem_says_what_to_do():
    plan = plan_report(total_loss(sql=SILENT, **UNSEEN), [])
    assert (plan["road"], plan["awaited"]) == ("restore_set", ["sql-a"])
    assert plan["problem"] == (
        "sql-a does not answer (connection timed out). Switch it on, or prepare a new server under its name"
    )
    sentences = plan["sentences"]
    assert sentences[0] == "ROADS once new servers stand in the place of sql-a, the one that loses least first"
    assert sentences[1].startswith("-> restore_set (20260301T020000Z): loses at most 10 h, takes about")
    assert "1 of 5, sql-a: install SQL Server" in sentences
    assert sentences[-2:] == [
        "WHAT WILL BE LOST: what was written since 2026-03-01T02:00:00Z, which is 10 h at most",
        "Unless what sql-a held is whole: the roads are weighed again once it answers",
    ]


def test_both_silent():
    silent_web = Server(host="web-a", reach=Reach.SILENT)
    unseen = Application(state=ApplicationState.UNKNOWN)
    plan = plan_report(total_loss(sql=SILENT, web=silent_web, application=unseen, **UNSEEN), [])
    assert plan["awaited"] == ["sql-a", "web-a"]
    assert "web-a does not answer. Switch it on" in plan["problem"]
    assert [step["host"] for step in plan["steps"]][:2] == ["sql-a", "web-a"]


def test_what_is_attached_is_handed_on():
    later = SurvivingFiles(
        folder="E:\\b", attach=Attach.LIKELY, point=ago(minutes=1), data=["E:\\b\\p.mdf"], logs=["E:\\b\\p.ldf"]
    )
    earlier = replace(later, folder="E:\\a", point=ago(minutes=9), data=["E:\\a\\p.mdf"])
    plan = plan_report(total_loss(files=[earlier, later]), [])
    assert (plan["road"], plan["source"]) == ("attach", "E:\\b")
    assert plan["attach"] == {"data_files": ["E:\\b\\p.mdf"], "log_files": ["E:\\b\\p.ldf"]}
    assert plan_report(total_loss(), [])["attach"] == {}


def test_what_the_rows_in_the_files_say_is_told_with_the_road():
    files = SurvivingFiles(folder="E:\\b", attach=Attach.LIKELY, point=ago(minutes=1), use="212 rows in dbo.tbUser")
    assert (
        "THE ROWS IN ITS FILES SAY: 212 rows in dbo.tbUser" in plan_report(total_loss(files=[files]), [])["sentences"]
    )
    without = plan_report(total_loss(files=[replace(files, use="")]), [])
    assert not any("ROWS IN ITS FILES" in sentence for sentence in without["sentences"])


def test_what_there_is_where_the_road_leads_nowhere():
    """Of the other roads that this playbook goes, the one that loses least; with the yes that it needs."""
    files = SurvivingFiles(folder="E:\\b", attach=Attach.LIKELY, point=ago(minutes=1), data=["E:\\b\\p.mdf"])
    plan = plan_report(total_loss(files=[files]), [])
    assert plan["road"] == "attach"
    assert plan["otherwise"] == (
        "The next best road is restore_set (20260301T020000Z): run again with -e prs_road=restore_set "
        "-e prs_allow_database_loss=true"
    )
    assert plan_report(total_loss(files=[files], backups=[]), [])["otherwise"] == ""
    assert plan_report(total_loss(), [])["otherwise"] == ""


def test_a_log_that_has_to_be_made_anew_takes_a_yes():
    files = SurvivingFiles(folder="E:\\", attach=Attach.LIKELY, point=ago(minutes=1), needs="their log is gone")
    plan = plan_report(total_loss(files=[files], backups=[]), [])
    assert (plan["road"], plan["attach"]) == ("", {})
    assert "-e prs_allow_database_loss=true: their log is gone." in plan["problem"]
    said = Consents(database=True)
    plan = plan_report(total_loss(files=[files], backups=[], consents=said, replace_database=True), [])
    assert plan["road"] == "attach"
    assert plan_report(total_loss(files=[files], consents=said, replace_database=True), [])["road"] == "attach"


@pytest.mark.parametrize("problem", ["the credentials were rejected by the server", ""])
def test_a_server_that_refuses_is_never_taken_for_lost(problem: str):
    refusing = Server(host="sql-a", reach=Reach.REFUSES, problem=problem)
    plan = plan_report(total_loss(sql=refusing, **UNSEEN), [])
    assert (plan["road"], plan["awaited"], plan["steps"]) == ("", [], [])
    assert all(road["obstacle"].startswith("sql-a answers, but refuses") for road in plan["roads"])


def test_beside_a_silent_one_a_server_that_refuses_stays_an_obstacle():
    refusing = Server(host="web-a", reach=Reach.REFUSES)
    plan = plan_report(total_loss(sql=SILENT, web=refusing, **UNSEEN), [])
    assert (plan["road"], plan["awaited"]) == ("", ["sql-a"])
    assert plan["problem"].startswith("sql-a does not answer (connection timed out)")
    assert "web-a answers, but refuses" in plan["problem"]


def test_where_another_site_has_the_database_nothing_is_awaited():
    copy = OtherCopy(site="site_b", server=Server(host="sql-b"), kind="principal", complete=True)
    plan = plan_report(wreck(sql=SILENT, copies=(copy,), **UNSEEN), [])
    assert (plan["road"], plan["awaited"], plan["problem"]) == ("move", [], "")
    with_doubt = OtherCopy(site="site_b", server=Server(host="sql-b"), kind="mirror", point=ago(minutes=1))
    plan = plan_report(wreck(sql=SILENT, copies=(with_doubt,), **UNSEEN), [])
    assert (plan["road"], plan["awaited"]) == ("", [])
    assert plan["problem"].startswith("Each road needs a yes. The one that loses least is move")
