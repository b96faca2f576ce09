"""What becomes a field of the wreck: servers, the instance, the database, backups, the application."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.preflight.reading import host_facts
from ansible_collections.prs.recovery.plugins.module_utils._core.preflight.wreck import (
    sites_at_hand,
    whole_wreck,
    wreck_of,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_plan.reading import read_wreck
from preflight_facts import ANSWERED, INSTALLED, SKIPPED, failed_script, file, gathered, in_iis

NOW = dt.datetime(2026, 3, 1, tzinfo=dt.timezone.utc)
WEB_CONFIG = file("C:\\PRS\\web.config")


def said(**changes: Any) -> dict[str, Any]:
    return wreck_of(host_facts(gathered(**changes)))


def instance(**changes: Any) -> dict[str, Any]:
    return {**ANSWERED, "result": {**INSTALLED, **changes}}


def answers(*databases: dict[str, Any]) -> dict[str, Any]:
    return {**ANSWERED, "databases": list(databases)}


def database(state: str, name: str = "passwordresetserver", role: str = "", standby: bool = False) -> dict[str, Any]:
    return {"name": name, "state": state, "standby": standby, "mirroring": {"role": role} if role else {}}


@pytest.mark.parametrize(
    ("windows", "server"),
    [
        ({**ANSWERED, "result": gathered()["windows"]["result"]}, {"host": "srv-a"}),
        (
            {"unreachable": True, "msg": "ntlm: [Errno 110] Connection timed out"},
            {"host": "srv-a", "reach": "silent", "problem": "Connection timed out"},
        ),
        (
            {"unreachable": True, "msg": "ntlm: [Errno 111] Connection refused"},
            {"host": "srv-a", "reach": "refuses", "problem": "Connection refused"},
        ),
        (
            {"unreachable": True, "msg": "ntlm: the specified credentials were rejected by the server"},
            {
                "host": "srv-a",
                "reach": "refuses",
                "problem": "ntlm: the specified credentials were rejected by the server",
            },
        ),
        (failed_script("Access denied"), {"host": "srv-a", "reach": "refuses", "problem": "Access denied"}),
    ],
)
def test_a_server(windows: dict[str, Any], server: dict[str, str]):
    asked = dict.fromkeys(("instance", "shares", "backups", "restore", "choice"), SKIPPED)
    facts = gathered() if windows.get("result") else gathered(**asked)
    wreck = wreck_of(host_facts({**facts, "windows": windows, "certificates": []}))
    assert (wreck["web"], wreck["sql"]) == (server, server)


@pytest.mark.parametrize(
    ("found", "asked", "state", "instance_state"),
    [
        (instance(installed=False, service_state=""), SKIPPED, "missing", "absent"),
        (instance(partly_installed=True, installed=False), SKIPPED, "unknown", "broken"),
        (instance(service_state="Stopped"), SKIPPED, "unknown", "stopped"),
        (failed_script("CIM"), SKIPPED, "unknown", "refuses"),
        (instance(), answers(), "missing", "running"),
        (instance(), answers(database("ONLINE")), "healthy", "running"),
        (instance(), answers(database("ONLINE", name="other")), "missing", "running"),
        (instance(), answers(database("OFFLINE")), "closed", "running"),
        (instance(), answers(database("RECOVERING")), "unknown", "running"),
        (instance(), answers(database("SUSPECT")), "suspect", "running"),
        (instance(), answers(database("EMERGENCY")), "suspect", "running"),
        (instance(), answers(database("RECOVERY_PENDING")), "suspect", "running"),
        (instance(), answers(database("RESTORING")), "restoring", "running"),
        (instance(), answers(database("RESTORING", role="MIRROR")), "waiting", "running"),
        (instance(), answers(database("ONLINE", role="PRINCIPAL")), "healthy", "running"),
        (instance(), answers(database("ONLINE", standby=True)), "restoring", "running"),
    ],
)
def test_instance_and_database(found: dict[str, Any], asked: dict[str, Any], state: str, instance_state: str):
    wreck = said(instance=found, answers=asked)
    assert (wreck["instance"], wreck["database"]) == (instance_state, {"state": state})


def test_of_an_instance_that_does_not_let_us_in_nobody_can_tell():
    wreck = said(instance=instance(), answers={"msg": "Login failed", "sql_error": {"answered": True}})
    assert not {"instance", "database"} & wreck.keys()


def test_the_backups_that_were_chosen():
    assert said()["backups"] == [
        {
            "name": "20260228T100000Z",
            "kind": "set",
            "point": "2026-02-28T10:00:00+00:00",
            "problem": "",
            "size": 0,
        }
    ]
    planned = {
        **ANSWERED,
        "plan": {"steps": [1], "recovery_point": {"time": "2026-02-28T11:00:00"}, "ends_mirroring": False},
    }
    assert said(restore=planned)["backups"][0]["point"] == "2026-02-28T11:00:00"
    unlabelled = said(choice__chosen__label="", choice__chosen__files=[], choice__chosen__folders=["D:\\b"])
    assert (unlabelled["backups"][0]["name"], unlabelled["backups"][0]["kind"]) == ("D:\\b", "files")
    named = said(choice__chosen__recovery_point="", choice__chosen__files=["D:\\x.bak"])
    assert (named["backups"][0]["name"], named["backups"][0]["kind"]) == ("D:\\x.bak", "files")
    assert named["backups"][0]["point"] is None
    assert said(choice__problem="no set is healthy")["backups"][0]["problem"] == "no set is healthy"
    assert said(restore={"msg": "the chain is broken"})["backups"][0]["problem"] == "the chain is broken"
    assert said(choice=SKIPPED)["backups"] == []


@pytest.mark.parametrize(
    ("answer", "reach", "kind", "complete", "application"),
    [
        (answers(database("ONLINE")), "reached", "principal", True, ""),
        (answers(database("RESTORING", role="MIRROR")), "reached", "mirror", False, ""),
        (answers(), "reached", "mirror", False, "sql-b has no copy of the database"),
        ({"msg": "Login failed", "sql_error": {"answered": True}}, "refuses", "mirror", False, ""),
        ({"msg": "no route", "sql_error": {"answered": False}}, "silent", "mirror", False, ""),
    ],
)
def test_the_other_site(answer: dict[str, Any], reach: str, kind: str, complete: bool, application: str):
    other = {"site": "site_b", "host": "sql-b", "database": "PasswordResetServer", "answer": answer}
    [copy] = said(other_sites=[other])["copies"]
    assert (copy["server"]["reach"], copy["kind"], copy["complete"]) == (reach, kind, complete)
    assert copy["application"] == application


LOST = {"since": "2026-03-01T13:45:00+00:00", "minutes": 15, "reason": "the last 15 minutes"}


@pytest.mark.parametrize(
    ("move", "kind", "complete", "point", "application"),
    [
        ({"way": "planned", "may_be_lost": {}}, "standby", True, None, ""),
        ({"way": "force", "may_be_lost": LOST}, "standby", False, LOST["since"], ""),
        ({"way": "force", "may_be_lost": {"since": None}}, "standby", False, None, ""),
        ({"msg": "the standby was never restored to an end"}, "standby", False, None, "the standby was never restored to an end"),
        ({"way": "stays", "may_be_lost": {}}, "principal", True, None, ""),
        (SKIPPED, "principal", True, None, ""),
    ],
)  # fmt: skip
def test_the_standby_of_the_other_site(
    move: dict[str, Any], kind: str, complete: bool, point: str | None, application: str
):
    state = "ONLINE" if kind == "principal" else "RESTORING"
    other = {"site": "site_b", "host": "sql-b", "database": "PasswordResetServer", "answer": answers(database(state))}
    [copy] = said(other_sites=[{**other, "move": move}])["copies"]
    assert (copy["kind"], copy["complete"], copy.get("point"), copy["application"]) == (
        kind,
        complete,
        point,
        application,
    )


@pytest.mark.parametrize(
    ("config", "seen", "state"),
    [
        ({"exists": False}, in_iis(), "missing"),
        ({"exists": False, "error": 3}, in_iis(error=5), "missing"),
        ({"exists": False, "error": 5}, in_iis(), "unknown"),
        ({}, in_iis(), "running"),
        ({}, in_iis(asked_state="Stopped"), "stopped"),
        ({}, in_iis(site="Stopped"), "stopped"),
        ({}, in_iis(site=""), "stopped"),
        ({}, in_iis(service="Stopped", site="Stopped", asked_state=""), "stopped"),
        ({}, in_iis(installed=False, service="", site="", asked_state=""), "stopped"),
        ({}, in_iis(asked_state=""), "stopped"),
        ({}, in_iis(asked_state="Unknown"), "unknown"),
        ({}, in_iis(error=5, message="denied", site="", asked_state=""), "unknown"),
        ({}, in_iis(error=4312, message="no valid object", site="Unknown", asked_state="Unknown"), "unknown"),
        ({}, failed_script("blocked") | {"failed": False, "failed_when_result": False}, "unknown"),
        ({}, SKIPPED, "unknown"),
    ],
)
def test_the_application(config: dict[str, Any], seen: dict[str, Any], state: str):
    """What cannot be looked at is neither stopped nor lost."""
    shares = {**ANSWERED, "result": {"paths": [{**WEB_CONFIG, **config}], "newest": []}}
    assert said(parts=["web"], shares=shares, iis=seen)["application"] == {"state": state}


def test_an_application_that_was_not_looked_at():
    wreck = said(parts=["web"], shares=failed_script("no share"))
    assert (wreck["application"], wreck["archives"]) == ({"state": "unknown"}, [])


def test_archives():
    assert said()["archives"] == [
        {"name": "\\\\files\\backup\\application\\set.zip", "point": "2026-02-28T10:00:00+00:00"}
    ]
    folder = "\\\\files\\backup\\application"
    assert said(choice__chosen__archive=folder)["archives"] == [
        {"name": f"{folder}\\new.zip", "point": "2026-02-28T10:00:00Z"}
    ]
    assert said(choice__chosen__archive=folder, shares__result__newest__0__count=0)["archives"] == []
    assert said(choice__problem="none")["archives"] == []


def test_beside_a_healthy_database_no_other_counts():
    other = {
        "site": "site_b",
        "host": "sql-b",
        "database": "PasswordResetServer",
        "answer": answers(database("ONLINE")),
    }
    assert said(instance=instance(), answers=answers(database("ONLINE")), other_sites=[other])["copies"] == []


def test_what_somebody_wants_replaced_and_what_is_in_the_way():
    wreck = said(overwrite_database=True, overwrite_application=True, shares__result__paths__0__error=5)
    assert wreck["consents"] == {"application": True}
    assert said(parts=["sql"], overwrite_database=True)["consents"] == {"database": True}
    assert (wreck["replace_database"], wreck["replace_application"]) == (True, True)
    assert "setup.exe cannot be read as" in wreck["sql_media"]
    assert said()["sql_media"] == ""


# ---- the whole
SILENT = {"unreachable": True, "msg": "ntlm: [Errno 110] Connection timed out"}


def test_what_all_hosts_say_makes_the_whole():
    web, sql = said(parts=["web"]), said(parts=["sql"])
    whole = whole_wreck("site_a", [web, sql])
    assert whole == whole_wreck("site_a", [sql, web])
    assert (whole["site"], whole["consents"]) == ("site_a", {**web["consents"], **sql["consents"]})
    assert whole["backups"] == sql["backups"]
    assert read_wreck(whole, NOW).sql.host == "srv-a"


def test_where_the_database_server_is_silent_the_set_is_known_from_the_web_server():
    asked = dict.fromkeys(("instance", "answers", "shares", "backups", "restore", "choice"), SKIPPED)
    sql = said(parts=["sql"], windows=SILENT, certificates=[], **asked)
    whole = read_wreck(whole_wreck("site_a", [said(parts=["web"]), sql]), NOW)
    assert [server.host for server in whole.silent] == ["srv-a"]
    assert [(source.name, source.kind) for source in whole.backups] == [("20260228T100000Z", "set")]


def test_what_another_site_sees_of_the_backups_counts_for_a_silent_one():
    """The web server's part has it; of the database server, which was not asked either, nothing is known."""
    choice = gathered()["choice"]
    asked = dict.fromkeys(("instance", "shares", "backups", "restore"), SKIPPED)
    silent = {**gathered(**asked), "windows": SILENT, "certificates": [], "choice": choice}
    web, sql = (wreck_of(host_facts({**silent, "parts": [part]})) for part in ("web", "sql"))
    assert sql["backups"] == []
    whole = whole_wreck("site_a", [web, sql], ["site_b"])
    assert [backup["name"] for backup in whole["backups"]] == ["20260228T100000Z"]
    assert [archive["name"] for archive in whole["archives"]] == ["\\\\files\\backup\\application\\set.zip"]
    assert read_wreck(whole, NOW).other_sites == ("site_b",)
    folder = {**choice, "chosen": {**choice["chosen"], "archive": "\\\\files\\backup\\application"}}
    assert wreck_of(host_facts({**silent, "parts": ["web"], "choice": folder}))["archives"] == []


GROUPS = {
    "all": ["web-a", "sql-a", "web-b", "sql-b", "web-c"],
    "prs_web": ["web-a", "web-b", "web-c"],
    "prs_sql": ["sql-a", "sql-b"],
    "prs_servers": ["web-b", "sql-b"],
    "windows": ["web-a", "sql-a", "web-b", "sql-b"],
    "site_a": ["web-a", "sql-a"],
    "site_b": ["web-b", "sql-b", "other-b"],
    "site_c": ["web-c"],
}


@pytest.mark.parametrize(
    ("answering", "sites"),
    [(["web-b", "sql-b", "web-c"], ["site_b"]), (["web-b"], []), (["web-a", "sql-a"], []), ([], [])],
)
def test_a_site_is_at_hand_where_all_its_servers_answered(answering: list[str], sites: list[str]):
    assert sites_at_hand(GROUPS, "site_a", answering) == sites


def test_copies_at_other_places_can_be_restored_from():
    """With their archive, since the first place may be gone as a whole."""
    copy = {"place": "\\\\b\\far", "name": "S1", "point": "2026-02-27T10:00:00Z", "archive": "\\\\b\\far\\a.zip"}
    parts = [said(parts=["web"], choice__problem="no share"), said(parts=["sql"], choice__problem="no share")]
    whole = read_wreck(whole_wreck("site_a", parts, (), [copy]), NOW)
    here, far = whole.backups
    assert (here.problem, here.elsewhere) == ("no share", False)
    assert (far.name, far.elsewhere, far.place) == ("S1 in \\\\b\\far", True, "\\\\b\\far")
    assert [archive.name for archive in whole.archives] == ["\\\\b\\far\\a.zip"]
