"""Each sentence of a restore, with the facts that bring it and facts that do not."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.summaries import restore

POINT = {"time": "2026-01-01T01:00:05+00:00", "certain": True}
DATABASE = {
    "host": "sql-a",
    "restored": True,
    "plan": {"recovery_point": POINT, "loss_seconds": 150},
    "tail_log": {},
    "branch_problem": "",
}
APPLICATION = {
    "host": "web-a",
    "restored": True,
    "archive": {"path": "a.zip", "created": "2026-01-01T01:00:00Z"},
    "reason": "differs",
    "kept_old": "",
}
DONE = {
    "check_mode": False,
    "database": "PRS",
    "chosen": {"label": "", "site": "site_a", "version": "", "notes": []},
    "site": "site_a",
    "public_name": "reset.example.com",
    "databases": [DATABASE],
    "applications": [APPLICATION],
    "left_to_do": [],
}
AS_IT_IS = {"restored": False, "plan": {}}
LEFT = {
    "host": "web-a",
    "fips": 0,
    "site": "PRS",
    "bindings": [{"certificate_hash": ""}, {"certificate_hash": "AB"}],
    "database": "PRS",
    "archived_on": "WEB-A",
}


def facts(**changed: Any) -> dict[str, Any]:
    return {**DONE, **changed}


def chosen(**changed: Any) -> dict[str, Any]:
    return facts(chosen={**DONE["chosen"], **changed})


def database(check_mode: bool = False, **changed: Any) -> dict[str, Any]:
    return facts(check_mode=check_mode, databases=[{**DATABASE, **changed}])


def application(check_mode: bool = False, **changed: Any) -> dict[str, Any]:
    return facts(check_mode=check_mode, applications=[{**APPLICATION, **changed}])


@pytest.mark.parametrize(("seconds", "loss"), [(59, "(0 minutes)"), (60, "(1 minute)"), (150, "(2 minutes)")])
def test_how_much_is_lost(seconds: int, loss: str):
    assert restore.recovery_point({"recovery_point": POINT, "loss_seconds": seconds}).endswith(f"is lost {loss}")


def test_a_rebuild_at_the_other_site_says_what_to_set_to_lead_and_to_run():
    moved = facts(site="site_b")
    assert [sentence for sentence in restore.summary(moved) if sentence not in restore.summary(DONE)] == [
        "TO DO: The service is at site_b now, not at site_a. Set prs_active_site: site_b in the inventory (in AWX, too): "
        "until then every backup, verification and rebuild without -e prs_active_site=site_b works at site_a.",
        "TO DO: Lead reset.example.com to the web server of site_b (DNS, load balancer), and keep the site and "
        "application pool at site_a stopped when its servers come back: their database was replaced.",
        "TO DO: Then run backup_prs, which makes the first set of the restored database, and verify_prs.",
    ]


@pytest.mark.parametrize(
    "changed",
    [
        {"databases": [{**DATABASE, **AS_IT_IS}]},
        {"site": ""},
        {"chosen": {**DONE["chosen"], "site": ""}},
    ],
)
def test_what_moved_no_service_says_nothing_of_it(changed: dict[str, Any]):
    assert list(restore.moved_service({**DONE, "site": "site_b", **changed})) == []


def test_a_restore_that_could_not_be_written_down_asks_for_a_backup():
    assert "Run backup_prs now" in restore.summary(database(branch_problem="access denied"))[-1]


def test_a_restore_says_what_was_brought_back_and_to_which_moment():
    assert restore.summary(DONE) == [
        "Database PRS on sql-a: brought back",
        "RECOVERY POINT: 2026-01-01T01:00:05 UTC; what was written after it is lost (2 minutes)",
        "Application on web-a: brought back from a.zip, archived 2026-01-01T01:00:00Z",
    ]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        pytest.param(chosen(label="L"), "Database PRS on sql-a: brought back from recovery set L", id="of a set"),
        pytest.param(facts(check_mode=True), "Database PRS on sql-a: would be brought back", id="would be"),
        pytest.param(
            database(**AS_IT_IS), "Database PRS on sql-a: it is healthy and was left as it is", id="database left"
        ),
        pytest.param(
            database(check_mode=True, **AS_IT_IS),
            "Database PRS on sql-a: it is healthy and would be left as it is (prs_allow_data_loss=true replaces it)",
            id="database would be left",
        ),
        pytest.param(
            database(plan={"recovery_point": None, "loss_seconds": None}),
            "RECOVERY POINT: not known; what was written after it is lost",
            id="unknown point",
        ),
        pytest.param(
            database(plan={"recovery_point": {**POINT, "certain": False}, "loss_seconds": 0}),
            "RECOVERY POINT: 2026-01-01T01:00:05 UTC or somewhat later; what was written after it is lost (0 minutes)",
            id="uncertain point",
        ),
        pytest.param(
            database(plan={"recovery_point": POINT, "loss_seconds": 0, "notes": ["no backup tells of the clock"]}),
            "NOTE: no backup tells of the clock",
            id="note of the plan",
        ),
        pytest.param(
            database(tail_log={"file": r"D:\tail.trn"}),
            r"What was left of the old database's log: D:\tail.trn",
            id="tail of the log",
        ),
        pytest.param(
            chosen(version="5.3.1"),
            "Application on web-a: brought back from a.zip, archived 2026-01-01T01:00:00Z, version 5.3.1",
            id="version",
        ),
        pytest.param(
            facts(check_mode=True),
            "Application on web-a: would be brought back from a.zip, archived 2026-01-01T01:00:00Z",
            id="application would be",
        ),
        pytest.param(
            application(restored=False, reason="is as its archive has it"),
            "Application on web-a: left as it is, since it is as its archive has it",
            id="application left",
        ),
        pytest.param(
            application(check_mode=True, restored=False, reason="is as its archive has it"),
            "Application on web-a: would be left as it is, since it is as its archive has it",
            id="application would be left",
        ),
        pytest.param(
            application(kept_old="C:\\old"),
            "What was there before is kept in C:\\old: remove it when nobody needs it",
            id="kept",
        ),
        pytest.param(
            application(check_mode=True, kept_old="C:\\old"),
            "What is there now would be kept in C:\\old: remove it when nobody needs it",
            id="would be kept",
        ),
        pytest.param(chosen(notes=["an older set"]), "NOTE: an older set", id="note"),
        pytest.param(facts(left_to_do=["bind it"]), "TO DO: bind it", id="to do"),
    ],
)
def test_each_sentence_has_its_facts(changed: dict[str, Any], sentence: str):
    assert sentence in restore.summary(changed)
    assert sentence not in restore.summary(DONE)


@pytest.mark.parametrize(("time", "text"), [("2026-01-01T01:00:05Z", "2026-01-01T01:00:05 UTC"), ("", "not known")])
def test_the_moment_of_a_restore(time: str, text: str):
    assert f"RECOVERY POINT: {text};" in restore.recovery_point({"recovery_point": {"time": time}})


def test_nothing_is_left_to_do_where_nothing_was_brought_back():
    left = {"databases": [{**DATABASE, **AS_IT_IS}], "applications": [], "left_to_do": ["bind it"]}
    assert list(restore.afterwards(facts(chosen={**DONE["chosen"], "notes": ["older"]}, **left))) == []


def test_nothing_is_left_to_a_person():
    assert restore.left_to_do(LEFT) == []


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        pytest.param(
            {"fips": 1},
            "Windows on web-a is in FIPS mode, which Password Reset Server does not work with: switch it off "
            "(FipsAlgorithmPolicy), then iisreset.",
            id="fips",
        ),
        pytest.param(
            {"bindings": [{"protocol": "http"}]},
            "The site PRS has no certificate. If the application was set to force HTTPS, nobody gets in: bind one, or "
            "let it go for now: UPDATE dbo.tbConfiguration SET ForceHttps = 0 in PRS, then iisreset.",
            id="no certificate",
        ),
        pytest.param(
            {"archived_on": "WEB-B"},
            "The application comes from WEB-B: its licences may need to be activated again (Administration > "
            "Licenses).",
            id="another host",
        ),
    ],
)
def test_what_is_left_to_a_person(changed: dict[str, Any], sentence: str):
    assert restore.left_to_do({**LEFT, **changed}) == [sentence]


@pytest.mark.parametrize(
    ("host", "archived_on"),
    [("web-a.corp.example", "WEB-A"), ("Web-A", "web-a"), ("webserver-of-site-a.corp.example", "WEBSERVER-OF-SI")],
)
def test_a_long_name_in_the_inventory_is_no_other_server(host: str, archived_on: str):
    assert not [
        line for line in restore.left_to_do({**LEFT, "host": host, "archived_on": archived_on}) if "licences" in line
    ]


@pytest.mark.parametrize(
    ("newer", "until", "expected"),
    [
        ([], "", ["older"]),
        (["a.bak"], "2026-01-01", ["older"]),
        (
            ["a.bak", "b.trn"],
            "",
            [
                "older",
                "2 newer backup files of the database belong to no set, such as b.trn; -e prs_restore_set=none takes "
                "the newest files instead of a set",
            ],
        ),
    ],
)
def test_newer_files_are_noted_unless_a_moment_was_asked_for(newer: list[str], until: str, expected: list[str]):
    assert restore.choice_notes({"notes": ["older"], "newer_files": newer, "until": until}) == expected


@pytest.mark.parametrize(
    ("label", "files", "source"),
    [
        ("L", ["a.bak"], "recovery set L"),
        ("", ["a.bak", "b.trn"], "the newest backup in a.bak, b.trn"),
        ("", [], r"the newest backup in \\files\database"),
    ],
)
def test_a_check_run_without_an_instance_says_where_the_database_would_come_from(label, files, source):
    asked = {"label": label, "files": files, "folders": [r"\\files\database"]}
    facts = {"host": "sql-a", "database": "PRS", "login": "prs", "chosen": asked, "attach": {}}
    assert restore.planned(facts) == [
        f"sql-a: would restore the database PRS from {source} and join the login prs to its user."
    ]


@pytest.mark.parametrize(
    ("label", "labels", "said"),
    [
        ("20260303T", ["20260304T", "20260303T", "20260302T", "20260301T"], "-e prs_restore_set=20260302T "),
        ("20260301T", ["20260303T", "20260301T"], ""),
        ("", ["20260301T"], ""),
    ],
)
def test_where_a_set_is_of_no_use_the_one_before_it_is_named(label: str, labels: list[str], said: str) -> None:
    sentences = restore.other_set({"label": label, "labels": labels})
    assert bool(sentences) == bool(said)
    assert said in "".join(sentences)


def test_a_check_run_without_an_instance_names_the_data_files():
    facts = {"host": "sql-a", "database": "PRS", "login": "prs", "chosen": {"label": "L", "files": [], "folders": []}}
    facts["attach"] = {"data_files": ["E:\\p.mdf"], "log_files": ["E:\\p.ldf"]}
    assert restore.planned(facts) == [
        "sql-a: would restore the database PRS from copies of its data files (E:\\p.mdf, E:\\p.ldf) and join the login "
        "prs to its user."
    ]


def test_attached_files_have_no_recovery_point_of_a_backup():
    step = {"action": "attach", "devices": ["D:\\Data\\p.mdf"]}
    plan = {"steps": [step], "recovery_point": {"time": None, "certain": False}, "notes": ["a new log"]}
    database = {"host": "sql-a", "restored": True, "plan": plan, "tail_log": {}}
    facts = {"check_mode": False, "database": "PRS", "chosen": {"label": "L"}, "databases": [database]}
    assert list(restore.databases(facts)) == [
        "Database PRS on sql-a: brought back by attaching copies of its data files: D:\\Data\\p.mdf",
        "TO DO: Take a full backup now (backup_prs). The files that were found are as they were",
        "NOTE: a new log",
    ]
