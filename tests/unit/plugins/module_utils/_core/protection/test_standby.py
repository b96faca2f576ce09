"""A standby that is as it should be, with one thing wrong, and the row that says it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.protection.report import judge, metrics
from ansible_collections.prs.recovery.plugins.module_utils._core.protection.row import FAIL, OK, WARN, Objectives

NOW = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.timezone.utc)
OBJECTIVES = Objectives(recovery_point_seconds=3600)
LOG = {"kind": "log"}
GAP = {"code": "gap", "reason": "the logs that go on from LSN 7 are missing or unusable"}


def followed(host: dict[str, Any] | None = None, web: dict[str, Any] | None = None, **side: Any) -> dict[str, Any]:
    standby = {
        "answers": True,
        "problem": "",
        "database": {"state": "RESTORING", "standby": False},
        "planned": True,
        "stood_at": {"lsn": 7, "fork": "a", "time": "2026-03-02T11:55:00Z"},
        "steps": [],
        "recovery_point": "2026-03-02T11:55:00Z",
        "beyond_gap": [],
        "minutes": 0,
        "logins": {"prs_app": "0x01"},
    }
    hashed = [
        {"path": r"C:\PRS\database.config", "error": 0, "sha256": "d"},
        {"path": r"C:\PRS\encryption.config", "error": 0, "sha256": "k"},
    ]
    there = {"site": "site_b", "active": False, "reached": True}
    return {
        "site": "site_a",
        "key": {"path": "encryption.config", "sha256": "k"},
        "places": [],
        "hosts": [
            {"name": "sql-a", "site": "site_a", "active": True, "roles": ["sql"], "reached": True, "standby": standby},
            {"name": "sql-b", "roles": ["sql"], **there, "standby": {**standby, **side}, **(host or {})},
            {"name": "web-b", "roles": ["web"], **there, "saw": {"hashed": hashed, **(web or {})}},
        ],
    }


def rows(facts: dict[str, Any]) -> list[tuple[str, str, str]]:
    names = ("standby", "standby opening", "standby delay", "standby logins", "passive application")
    return [(row.what, row.state, row.value) for row in judge(facts, OBJECTIVES, NOW) if row.what in names]


def test_one_that_follows_says_so():
    assert rows(followed()) == [
        ("standby", OK, "RESTORING, 5 min behind, last log of 2026-03-02T11:55:00Z"),
        ("standby opening", OK, "possible, up to 2026-03-02T11:55:00Z"),
        ("standby logins", OK, "1 login as at the active site"),
        ("passive application", OK, "it waits with the keys in use"),
    ]
    text = metrics(judge(followed(), OBJECTIVES, NOW), NOW)
    assert 'prs_standby_lag_seconds{what="standby",where="sql-b"} 300' in text
    assert 'prs_standby_gap_backups{what="standby opening",where="sql-b"} 0\n' in text


@pytest.mark.parametrize(
    ("changed", "row"),
    [
        (
            {"answers": False, "problem": "refused"},
            ("standby", FAIL, "SQL Server does not answer: refused"),
        ),
        ({"database": {}}, ("standby", FAIL, "there is no PasswordResetServer, so nothing follows")),
        (
            {"database": {"state": "ONLINE"}},
            ("standby", FAIL, "PasswordResetServer is open here, so it follows no longer"),
        ),
        (
            {"stood_at": {"lsn": 7, "fork": "a", "time": "2026-03-02T10:00:00Z"}, "steps": [LOG, LOG, {"kind": ""}]},
            ("standby", FAIL, "2 h behind, 2 backups not applied"),
        ),
        (
            {"stood_at": {"lsn": 7, "fork": "a", "time": "2026-03-02T10:50:00Z"}, "minutes": 60},
            ("standby", OK, "RESTORING, 1 h 10 min behind, last log of 2026-03-02T10:50:00Z, 60 min kept back"),
        ),
        ({"stood_at": None}, ("standby", WARN, "RESTORING, and no backup at hand tells how old its data are")),
        (
            {"planned": False, "problem": "Express holds at most 10 GiB"},
            ("standby opening", FAIL, "it could not be opened: Express holds at most 10 GiB"),
        ),
        (
            {"beyond_gap": [GAP, GAP]},
            ("standby opening", FAIL, f"2 newer backups cannot be applied: {GAP['reason']}"),
        ),
        ({"minutes": 60}, ("standby delay", WARN, "it is 5 min behind, less than the 60 min that are to be kept back")),
        ({"logins": {}}, ("standby logins", FAIL, "there is no login prs_app")),
        (
            {"logins": {"prs_app": "0x02"}},
            ("standby logins", FAIL, "the login prs_app is another one (its SID differs)"),
        ),
    ],
)
def test_what_is_wrong_with_it_is_a_row(changed, row):
    assert row in rows(followed(**changed))


@pytest.mark.parametrize(
    ("sha256", "error", "found"),
    [("other", 0, "its keys are other ones than those in use"), ("", 2, "its folder has not the files")],
)
def test_an_application_that_could_not_serve_beside_it_is_a_row(sha256, error, found):
    hashed = [{"path": r"C:\PRS\encryption.config", "error": error, "sha256": sha256}]
    [row] = [row for row in rows(followed(web={"hashed": hashed})) if row[0] == "passive application"]
    assert row[1] == FAIL and row[2].startswith(found)


def test_a_server_that_is_not_reached_has_its_own_row_alone():
    facts = followed(host={"reached": False, "problem": "timed out"}, answers=False)
    assert not [row for row in rows(facts) if row[0].startswith("standby")]
