"""Facts as plain values: what is missing or misspelt is an error, never another plan."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_plan.reading import read_measured, read_wreck
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_plan.report import plan_report
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_plan.wreck import DatabaseState, Reach
from wrecks import NOW, ago

FACTS: dict[str, Any] = {
    "site": "site_a",
    "web": {"host": "web-a"},
    "sql": {"host": "sql-a", "reach": "reached"},
    "instance": "running",
    "database": {"state": "suspect"},
    "application": {"state": "running"},
    "backups": [{"name": "SET", "kind": "set", "point": "2026-03-01T11:00:00Z", "size": 7}],
    "copies": [{"site": "site_b", "server": {"host": "sql-b", "reach": "silent"}, "kind": "mirror", "point": None}],
}


def changed(path: str, value: Any) -> dict[str, Any]:
    facts = copy.deepcopy(FACTS)
    place: Any = facts
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    for step in steps:
        place = place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return facts


def test_a_wreck_is_read():
    wreck = read_wreck(FACTS, NOW)
    assert (wreck.database.state, wreck.copies[0].server.reach) == (DatabaseState.SUSPECT, Reach.SILENT)
    assert (wreck.backups[0].point, wreck.copies[0].point) == (ago(hours=1), None)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("instance", ..., r"facts\.instance is missing"),
        ("backups.0.name", ..., r"facts\.backups\[0\]\.name is missing"),
        ("database.state", "broken", r"facts\.database\.state is 'broken'; it is one of healthy, closed, "),
        ("database.colour", "red", r"facts\.database\.colour is not known"),
        ("database", "suspect", r"facts\.database has to be a dictionary"),
        ("backups", {}, r"facts\.backups has to be a list"),
        ("backups.0.point", "yesterday", r"facts\.backups\[0\]\.point is 'yesterday', which is no time"),
        ("backups.0.point", 7, r"facts\.backups\[0\]\.point is 7, which is no time"),
        ("backups.0.size", "7", r"facts\.backups\[0\]\.size has to be of the type int"),
        ("backups.0.size", True, r"facts\.backups\[0\]\.size has to be of the type int"),
        ("site", None, r"facts\.site has to be of the type str"),
    ],
)
def test_what_is_wrong_is_named(path: str, value: Any, message: str):
    with pytest.raises(RecoveryError, match=message) as raised:
        read_wreck(changed(path, value), NOW)
    assert raised.value.code == "option_invalid"


def test_phases_that_nobody_knows_are_left_out():
    journal = [
        {"phase": "verify the service", "seconds": 1.0, "size": 0},
        {"phase": "dance", "seconds": 1.0, "size": 0},
    ]
    assert [measured.phase.value for measured in read_measured(journal)] == ["verify the service"]


def test_the_plan_as_plain_values():
    whole = plan_report(read_wreck(FACTS, NOW), [])
    assert (whole["road"], whole["source"], whole["problem"], whole["tied"]) == ("restore_set", "SET", "", [])
    assert [road["name"] for road in whole["roads"]] == ["restore_set", "provision", "move"]
    assert whole["roads"][0] == {
        "name": "restore_set",
        "source": "SET",
        "obstacle": "",
        "needs": {},
        "loss_kind": "time",
        "loss_seconds": 3600.0,
        "seconds": whole["roads"][0]["seconds"],
        "measured_runs": 0,
    }
    assert [step["host"] for step in whole["steps"]] == ["sql-a", "web-a"]
    none = plan_report(read_wreck({**FACTS, "busy": "another run has the lease"}, NOW), [])
    assert (none["road"], none["source"], none["steps"]) == ("", "", [])
    assert none["problem"] == "No road can be gone. another run has the lease"
