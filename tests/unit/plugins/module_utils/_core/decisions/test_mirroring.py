"""What the other site of a mirror does and holds."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.decisions.mirroring import (
    both_serve,
    other_instance,
    other_site_holds,
    other_site_serves,
)


@pytest.mark.parametrize(
    ("runs_here", "runs_there", "state_here", "state_there", "serves"),
    [
        (False, True, "", "", True),
        (True, True, "MIRRORING", "ONLINE", True),
        (True, True, "ONLINE", "ONLINE", False),
        (True, True, "", "MIRRORING", False),
        (True, False, "", "ONLINE", False),
        (False, False, "", "ONLINE", False),
    ],
)
def test_which_site_serves(runs_here, runs_there, state_here, state_there, serves):
    facts = {"runs_here": runs_here, "runs_there": runs_there, "state_here": state_here, "state_there": state_there}
    assert other_site_serves(facts) is serves


@pytest.mark.parametrize(
    ("databases", "holds"),
    [
        ([], ""),
        ([{"name": "Other", "state": "ONLINE"}], ""),
        ([{"name": "other", "state": "ONLINE"}, {"name": "prs", "state": "ONLINE"}], "ONLINE"),
        ([{"name": "PRS", "state": "RESTORING", "mirroring": {"role": "MIRROR"}}], "MIRROR"),
        ([{"name": "PRS", "state": "ONLINE", "mirroring": {"role": "PRINCIPAL"}}], "PRINCIPAL"),
        ([{"name": "PRS", "state": "ONLINE", "mirroring": {}}], "ONLINE"),
        ([{"name": "PRS", "state": "RESTORING", "mirroring": None}], ""),
        ([{"name": "PRS2", "state": "ONLINE"}], ""),
    ],
)
def test_what_the_other_site_holds(databases, holds):
    assert other_site_holds({"name": "PRS", "databases": databases}) == holds


def database(state: str, role: str | None = None, name: str = "prs") -> dict:
    return {"name": name, "state": state, "mirroring": {"role": role} if role else None}


@pytest.mark.parametrize(
    ("here", "there", "which"),
    [
        ([database("ONLINE", "PRINCIPAL")], [database("ONLINE", "PRINCIPAL")], "principals"),
        ([database("ONLINE")], [database("ONLINE")], "databases"),
        ([database("ONLINE", "PRINCIPAL")], [database("ONLINE")], "databases"),
        ([database("ONLINE", "PRINCIPAL")], [database("RESTORING", "MIRROR")], ""),
        ([database("SUSPECT")], [database("ONLINE")], ""),
        ([database("ONLINE")], [database("ONLINE", name="other")], ""),
        ([database("ONLINE")], [], ""),
    ],
)
def test_whether_both_sites_serve(here, there, which):
    assert both_serve({"name": "PRS", "here": here, "there": there}) == which


SILENT = {"msg": "Cannot reach SQL Server on sql-b", "error_code": "sql_unreachable", "sql_error": {"answered": False}}
REFUSING = {**SILENT, "sql_error": {"answered": True}}
SERVICE = {"exists": True, "services": [{"name": "MSSQLSERVER", "state": "stopped"}]}
GONE = "ConnectTimeoutError(<x>, 'Connection to 10.0.0.1 timed out. (connect timeout=30)')"
REFUSED = "NewConnectionError('<x>: ... [Errno 111] Connection refused')"


@pytest.mark.parametrize(
    ("answer", "service", "problem", "answered", "says"),
    [
        ({"databases": []}, {"skipped": True}, "", None, ""),
        (
            {"msg": "Login failed", "error_code": "sql_login_refused", "sql_error": {"answered": True}},
            {"skipped": True},
            "",
            True,
            "Login failed",
        ),
        ({"msg": "an option is missing"}, {"skipped": True}, "", None, "an option is missing"),
        (SILENT, {"unreachable": True}, GONE, False, "Cannot reach SQL Server on sql-b"),
        (REFUSING, {"unreachable": True}, GONE, True, "Cannot reach SQL Server on sql-b"),
        (REFUSING, SERVICE, "", True, "the service MSSQLSERVER there is stopped"),
        (REFUSING, {"exists": False}, "", None, ""),
        (SILENT, {"unreachable": True}, REFUSED, True, "Its Windows answers, but takes no connection for WinRM"),
        (SILENT, SERVICE, "", True, "Its Windows answers, and the service MSSQLSERVER there is stopped."),
        (SILENT, {"exists": False}, "", None, ""),
        (SILENT, {"skipped": True}, "", False, "Cannot reach SQL Server on sql-b"),
    ],
)
def test_an_instance_that_nobody_answers_for_is_lost_only_with_its_windows(answer, service, problem, answered, says):
    result = other_instance({"answer": answer, "service": service, "problem": problem})
    assert result.get("sql_error", {}).get("answered") is answered
    assert says in result.get("msg", "")
    assert ("databases" in result) is (answered is None and not says)
