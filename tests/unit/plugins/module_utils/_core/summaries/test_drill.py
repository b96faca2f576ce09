"""Each sentence of a drill, with the facts that bring it and facts that do not."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.summaries import drill

NAMES = {"sql_host": "sql-b", "database": "PRS_Drill", "login": "prs_drill", "site": "Drill", "folder": r"D:\Drill"}
NOTHING = {"names": NAMES, "databases": [], "logins": [], "sites": [], "pools": [], "folder_present": False}
ALL = [
    "the database PRS_Drill on sql-b",
    "the login prs_drill on sql-b",
    "the site Drill",
    "the application pool Drill",
    r"the folder D:\Drill",
]
READY = {
    "web_host": "web-b",
    "iis": {"installed": True, "ports": [443]},
    "web_problem": "",
    "sql_seen": True,
    "sql_problem": "",
    "backup_files": {"skipped": True},
    "certificate_problem": "",
    "names": NAMES,
    "port": "8443",
    "production": {"database": "PRS", "login": "prs_app", "site": "PRS", "folder": r"C:\inetpub\PRS"},
    "running": [],
    "stale_minutes": 240,
    "database_config": "drill.config",
    "config_present": True,
    "existing": [],
    "unfinished": False,
    "records_path": r"\\files\drills",
    "clears": "",
}


def named(**changed: str) -> dict[str, Any]:
    return {"names": {**NAMES, **changed}}


@pytest.mark.parametrize(
    ("changed", "existing"),
    [
        ({}, []),
        ({"databases": ["master", "prs_drill"]}, ALL[:1]),
        ({"logins": ["PRS_DRILL"]}, ALL[1:2]),
        ({"sites": ["drill"]}, ALL[2:3]),
        ({"pools": ["DRILL"]}, ALL[3:4]),
        ({"folder_present": True}, ALL[4:]),
    ],
)
def test_what_is_there_under_the_names_of_a_drill(changed: dict[str, Any], existing: list[str]):
    assert drill.existing({**NOTHING, **changed}) == existing


SEEN = {**NOTHING, "web_host": "web-b", "web_seen": True, "sql_seen": True, "certificate": "prs", "statements": []}


@pytest.mark.parametrize(
    ("changed", "left"),
    [
        ({}, []),
        ({"sites": ["Drill"]}, ["the site Drill"]),
        (
            {"web_seen": False, "sites": ["Drill"]},
            ["what there is on web-b (it cannot be looked at)"],
        ),
        ({"sql_seen": False}, ["what there is on sql-b (it cannot be looked at)"]),
        ({"statements": ["USE master", "DROP CERTIFICATE [prs]"]}, ["the certificate prs on sql-b"]),
        ({"statements": ["DROP MASTER KEY"]}, ["the master key of master on sql-b"]),
    ],
)
def test_what_a_drill_left(changed: dict[str, Any], left: list[str]):
    assert drill.left({**SEEN, **changed}) == left


NEVER = "Choose another one: a drill never touches production."
NESTED = " and the application's own folder lie in one another. Choose another one."


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        pytest.param(
            {"iis": {}, "web_problem": "access is denied"},
            "web-b cannot be looked at: access is denied",
            id="web server",
        ),
        pytest.param(
            {"sql_seen": False, "sql_problem": "no route"},
            "SQL Server on sql-b does not answer: no route",
            id="database server",
        ),
        pytest.param(
            {"certificate_problem": "wrong password"},
            "The backups are encrypted, and sql-b cannot get their certificate: wrong password",
            id="certificate",
        ),
        pytest.param(
            named(database="prs"), f"prs_drill_database is the name of the database itself. {NEVER}", id="database"
        ),
        pytest.param(named(login="PRS_APP"), f"prs_drill_login is the application's own login. {NEVER}", id="login"),
        pytest.param(named(site="prs"), f"prs_drill_site is the application's own site. {NEVER}", id="site"),
        pytest.param(named(folder=r"c:\inetpub"), rf"prs_drill_folder c:\inetpub{NESTED}", id="folder around"),
        pytest.param(
            named(folder=r"C:\INETPUB\prs\drill"), rf"prs_drill_folder C:\INETPUB\prs\drill{NESTED}", id="folder within"
        ),
        pytest.param(
            {"iis": {"installed": False, "ports": []}},
            "IIS is not installed on web-b. Name a web server that has it in prs_drill_web_host.",
            id="no IIS",
        ),
        pytest.param(
            {"port": "443"},
            "The port 443 is taken by another site on web-b. Choose another one in prs_drill_port.",
            id="port",
        ),
        pytest.param(
            {"running": ["A", "B"]},
            "The drill A began less than 240 minutes ago and has not ended. If it was killed, run again with "
            "-e prs_drill_stale_minutes=0: what it left is cleared away.",
            id="another drill",
        ),
        pytest.param(
            {"config_present": False},
            "There is no file drill.config on the control node. Correct prs_drill_database_config.",
            id="configuration",
        ),
        pytest.param(
            {"existing": ["the site Drill", r"the folder D:\Drill"]},
            r"the site Drill, the folder D:\Drill is there already, and no record in \\files\drills says that a drill "
            "made it. Remove it if nobody needs it, or choose other names (prs_drill_database, prs_drill_login, "
            "prs_drill_site, prs_drill_folder).",
            id="not a drill's",
        ),
    ],
)
def test_why_there_is_no_drill(changed: dict[str, Any], problem: str):
    assert drill.problems({**READY, **changed}) == [problem]


SILENT = {"sql_seen": False, "sql_problem": "no route"}
PLANNED = {
    "recovery_point": {"time": "2026-02-28T10:00:00+00:00"},
    "bytes": 3 << 20,
    "space_needed": {"D:": 1 << 29},
    "build_needed": "15.0.2000",
    "source": {"server": "SQL-A"},
    "steps": [{"devices": ["a"], "finished": "2026-02-28T10:00:00+00:00"}],
}
CHECKED = {"files": 2, "bytes": 3 << 20, "share": 0.976, "damaged_files": 0}
DAMAGED = {"path": r"\\files\backup\a.bak", "state": "damaged", "problems": ["page 1:7 fails its checksum"]}
READ = {"files": [], "plan": PLANNED, "refusal": None, "checked": None}


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (
            READ,
            [
                "Without it the backup files themselves say: recovery point 2026-02-28T10:00:00 UTC, 1 backup of SQL-A, "
                "made by SQL Server 15.0.2000; 3.0 MB to read, room for 512.0 MB on D:."
            ],
        ),
        (
            {**READ, "plan": None, "refusal": {"message": "There is no full backup"}, "files": [DAMAGED]},
            [
                "NOTE: what could be read cannot bring back the database: There is no full backup",
                "NOTE: a.bak is left to SQL Server: page 1:7 fails its checksum",
            ],
        ),
        (
            {**READ, "plan": None, "checked": CHECKED},
            [
                "Of 3.0 MB of backups 98% could be judged by the checksums in them: none damaged. Only a restore proves "
                "the rest."
            ],
        ),
        (
            {**READ, "plan": None, "checked": {**CHECKED, "share": None, "damaged_files": 1}},
            [
                "Of 3.0 MB of backups 0% could be judged by the checksums in them: 1 file damaged. Only a restore proves "
                "the rest."
            ],
        ),
        ({"failed": True, "msg": "no share"}, ["NOTE: the backups could not be read without it: no share"]),
    ],
    ids=["whole", "damaged", "judged", "nothing judged", "unread"],
)
def test_what_the_backups_say_where_nothing_can_be_restored(read: dict[str, Any], said: list[str]):
    problems = drill.problems({**READY, **SILENT, "backup_files": read})
    assert problems == ["SQL Server on sql-b does not answer: no route", *said]


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({}, id="all is well"),
        pytest.param({"unfinished": True, "existing": ["the site Drill"], "port": "443"}, id="a drill left it"),
        pytest.param(named(folder=r"C:\inetpub\PRS_Drill"), id="a folder of a similar name"),
        pytest.param({"database_config": "", "config_present": False}, id="no configuration"),
    ],
)
def test_a_drill_may_begin(changed: dict[str, Any]):
    assert drill.problems({**READY, **changed}) == []


@pytest.mark.parametrize(("clears", "first"), [("", ""), ("A", "clears away what the drill A left, ")])
def test_the_plan(clears: str, first: str):
    assert drill.plan({**READY, "clears": clears}) == [
        rf"web-b: {first}restores the newest recovery set as PRS_Drill on sql-b and below D:\Drill, checks both, and "
        "removes them again."
    ]


PAGE = {"status": 200, "location": "", "text": "", "error": ""}


@pytest.mark.parametrize(
    ("page", "problem", "answer"),
    [
        ({}, "", "no answer"),
        ({}, "the script failed", "the script failed"),
        ({"status": 0, "error": "timed out"}, "the script failed", "timed out"),
        (PAGE, "", "it answers 200"),
        ({**PAGE, "status": 302, "location": "/wizard"}, "", "it answers 302 and leads to /wizard"),
        (
            {**PAGE, "text": "<head>\n<title>x</title></head> <p>Cannot\n open</p><script>\n1</script>"},
            "",
            "it answers 200 Cannot open",
        ),
        ({**PAGE, "text": "y" * 201}, "", f"it answers 200 {'y' * 200}..."),
        ({**PAGE, "text": "y" * 200}, "", f"it answers 200 {'y' * 200}"),
    ],
)
def test_what_the_page_said(page: dict[str, Any], problem: str, answer: str):
    assert drill.page_answer({"page": page, "problem": problem}) == [answer]


RECORD = {
    "state": "passed",
    "problem": "",
    "label": "L",
    "left": [],
    "set": "S",
    "rpo_seconds": 60,
    "rto_seconds": 300,
    "page": "ready",
}
GONE = r"Nothing is left of it but \\files\drills\L.json."
MEASURED = (
    "The recovery set S was restored: 60 s of data would have been lost (RPO), the page answered after 300 s (RTO)."
)


@pytest.mark.parametrize(
    ("changed", "keep", "sentences"),
    [
        ({}, False, [MEASURED, GONE]),
        (
            {"page": "wizard"},
            False,
            [
                MEASURED.replace("page answered", "application started"),
                "The page was not proven to answer from the restored database: there is no prs_drill_database_config.",
                GONE,
            ],
        ),
        ({"state": "failed", "problem": "disk full"}, False, ["The drill FAILED: disk full", GONE]),
        (
            {},
            True,
            [MEASURED, "Everything stays as it stands (prs_drill_keep); the next drill clears it away."],
        ),
        ({"left": ["the site Drill", "x"]}, False, [MEASURED, "NOT CLEARED AWAY: the site Drill, x"]),
    ],
)
def test_how_a_drill_ended(changed: dict[str, Any], keep: bool, sentences: list[str]):
    facts = {"record": {**RECORD, **changed}, "keep": keep, "records_path": r"\\files\drills"}
    assert drill.result(facts) == sentences


@pytest.mark.parametrize(
    ("problem", "sentence"),
    [
        ("", "Not cleared away: the site Drill, the folder. The next drill tries again"),
        ("no room", "no room. Not cleared away: the site Drill, the folder. The next drill tries again"),
    ],
)
def test_why_a_drill_failed_that_left_something(problem, sentence):
    assert drill.not_cleared({"problem": problem, "left": ["the site Drill", "the folder"]}) == [sentence]
