"""The judge of an estate's protection: a whole estate with one thing broken, and the row that says it."""

from __future__ import annotations

import copy
import dataclasses
import datetime as dt
import json

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.protection.report import judge, metrics, summary, table
from ansible_collections.prs.recovery.plugins.module_utils._core.protection.row import (
    FAIL,
    OK,
    WARN,
    Objectives,
)

NOW = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.timezone.utc)
SHARE = r"\\files\backup"
BACKUP, ARCHIVE = rf"{SHARE}\database\one.bak", rf"{SHARE}\application\one.zip"
KEPT = r"\\vault\keys"
THUMBPRINT = "AB" * 20
OBJECTIVES = Objectives(recovery_point_seconds=86400, drill_days=92)


def ago(**span):
    return (NOW - dt.timedelta(**span)).isoformat()


def server(name, site, roles, *, active):
    iis = {
        "installed": True,
        "service": "Running",
        "site": "Started",
        "pool": "PRS",
        "pool_state": "Started",
        "bindings": [],
    }
    use = "site" if "web" in roles else "sql"
    found = {
        "use": use,
        "thumbprint": "F0",
        "subject": "CN=x",
        "not_after": "2027-03-01T00:00:00Z",
        "has_key": True,
        "found": True,
    }
    certificate = {
        "name": "backups",
        "thumbprint": f"0x{THUMBPRINT}",
        "expires": "2030-01-01T00:00:00",
        "private_key": True,
    }
    instance = {
        "reached": True,
        "problem": "",
        "databases": [{"name": "PasswordResetServer", "state": "ONLINE"}],
        "certificates": [certificate],
    }
    return {
        "name": name,
        "site": site,
        "roles": roles,
        "active": active,
        "reached": True,
        "problem": "",
        "saw": {
            "drives": {"C:": {"free": 50 << 30, "size": 60 << 30}},
            "iis": iis,
            "certificates": [found] if active else [],
            "paths": [{"path": r"\\files\media\setup.exe", "error": 0, "message": ""}],
        },
        "certificate_files": {"wanted": [f"/files/{name}.pfx"], "missing": []},
        "instance": instance if "sql" in roles else {},
        "login": {"problem": ""} if "sql" in roles and active else {},
    }


def place(site, path):
    manifest = {
        "database": {"encryptor_thumbprint": THUMBPRINT, "chain": [{"sha256": {BACKUP: "aa"}, "size": 1000}]},
        "application": {"archive": ARCHIVE, "sha256": "bb", "bytes": 500},
    }
    chosen = {"label": "one", "recovery_point": ago(hours=2), "healthy": True, "notes": [], "manifest": manifest}
    readers = [{"sid": "S-1-5-18", "name": "SYSTEM"}, {"sid": "S-1-5-21-1-2-3-1104", "name": r"D\SQL$"}]
    folders = [
        {
            "path": rf"{path}\{name}",
            "readers": readers,
            "free_bytes": 90 << 30,
            "error": 0,
            "message": "",
            "readers_error": 0,
            "readers_message": "",
        }
        for name in ("database", "application")
    ]
    return {
        "site": site,
        "path": path,
        "folders": {name: rf"{path}\{name}" for name in ("sets", "database", "application")},
        "sets": {
            "chosen": chosen,
            "sets": [{"label": "one", "recovery_point": ago(hours=2), "problems": []}],
            "unusable": [],
        },
        "saw": {
            "folders": folders,
            "archived": {
                "path": ARCHIVE,
                "entries": [{"name": "encryption.config", "sha256": "cc"}],
                "error": 0,
                "message": "",
            },
            "hashed": [
                {"path": BACKUP, "sha256": "aa", "error": 0, "message": ""},
                {"path": ARCHIVE, "sha256": "bb", "error": 0, "message": ""},
            ],
        },
    }


def whole():
    chain = {
        "database": "PasswordResetServer",
        "recovery_point": ago(minutes=20),
        "gaps": [],
        "unusable": [],
        "certificates": [THUMBPRINT],
    }
    backups = {
        "problem": "",
        "by_files": False,
        "databases": [chain],
        "sets": [{"guid": "g", "finished_at": ago(hours=1)}],
        "unreadable": [],
    }
    return {
        "site": "site_a",
        "page": {
            "url": "https://reset/",
            "state": "ready",
            "step": "answered",
            "problem": "",
            "advice": "",
            "seconds": 0.2,
            "certificate": {},
        },
        "hosts": [
            server("web-a", "site_a", ["web"], active=True),
            server("sql-a", "site_a", ["sql"], active=True),
            server("web-b", "site_b", ["web"], active=False),
            server("sql-b", "site_b", ["sql"], active=False),
        ],
        "places": [{**place("site_a", SHARE), "backups": backups}, place("site_b", r"\\files-b\backup")],
        "kept": {
            "path": KEPT,
            "problem": "",
            "saw": {
                "folders": [
                    {"path": KEPT, "readers": [{"sid": "S-1-5-18", "name": "SYSTEM"}], "error": 0, "message": ""}
                ],
                "paths": [
                    {"path": rf"{KEPT}\site.pfx", "error": 0, "message": ""},
                    {"path": rf"{KEPT}\backup.pvk", "error": 5, "message": "denied"},
                ],
            },
        },
        "key": {"path": "k", "sha256": "cc", "error": 0, "message": ""},
        "drills": [json.dumps({"state": "passed", "begun_at": ago(days=30)})],
    }


def instance_side(name, *, role="", **more):
    """What sql_info tells of an instance of a mirrored estate; everyone knows everyone's certificate."""
    session = {
        "database": "PasswordResetServer",
        "role": role,
        "state": "SYNCHRONIZED",
        "safety": "FULL",
        "witness": "TCP://witness:5022",
        "problems": [],
        "lag": {"unsent_kb": 0},
        **more,
    }
    known = [
        {
            "name": f"{one}_mirroring",
            "thumbprint": f"0x{number:040x}",
            "expires": "2030-01-01T00:00:00",
            "private_key": one == name,
        }
        for number, one in enumerate(("sql-a", "sql-b", "witness"), start=10)
    ]
    return {
        "reached": True,
        "problem": "",
        "sessions": [session] if role else [],
        "certificates": known,
        "endpoints": [{"name": "Mirroring", "state": "STARTED", "certificate": f"{name}_mirroring"}],
    }


def mirrored():
    facts = {**whole(), "mirrored": True, "witness": "witness"}
    facts["hosts"].append(server("witness", "site_w", ["witness"], active=False))
    for number, name, role in ((1, "sql-a", "PRINCIPAL"), (3, "sql-b", "MIRROR"), (4, "witness", "")):
        facts["hosts"][number]["mirroring"] = instance_side(name, role=role)
    return facts


def put(facts, path, value):
    """Set what lies at a path such as "hosts/0/saw/iis/service"; None removes it."""
    *way, last = [int(step) if step.isdigit() else step for step in path.split("/")]
    for step in way:
        facts = facts[step]
    facts[last] = value
    if value is None:
        del facts[last]


def test_a_whole_estate_is_protected_and_says_so_of_everything():
    rows = judge(whole(), OBJECTIVES, NOW)
    assert {one.state for one in rows} == {OK}, [one for one in rows if one.state != OK]
    assert {one.what for one in rows} >= {
        "page",
        "server",
        "database",
        "login",
        "site certificate",
        "certificate file",
        "SQL Server certificate",
        "backup certificate",
        "free space",
        "media",
        "recovery point",
        "backup chain",
        "recovery set",
        "keys",
        "kept keys",
        "copies",
        "rights",
        "drill",
        "second application",
    }
    assert summary(rows) == "PROTECTED"


PAGE = {
    "url": "https://reset/",
    "state": "unreachable",
    "step": "connect",
    "problem": "refuses",
    "advice": "look",
    "seconds": 0,
    "certificate": {},
}
GAP = {"fork": "f", "from": ago(hours=9), "until": ago(minutes=5)}
OLD_GAP = {"fork": "f", "from": ago(days=9), "until": ago(days=8)}
NEWER = [{"label": "two", "recovery_point": ago(hours=1), "problems": ["the archive was not read back"]}]
EVERYONE = [{"sid": "S-1-1-0", "name": "Everyone"}]


@pytest.mark.parametrize(
    ("broken", "what", "where", "state", "said"),
    [
        ({"page": {**PAGE, "step": "name", "problem": "no such name"}}, "page", "https://reset/", FAIL, "no such name"),
        ({"page": PAGE, "hosts/0/saw/iis/service": "Stopped"}, "page", "https://reset/", FAIL, "W3SVC is stopped"),
        ({"page": PAGE, "hosts/0/saw/iis/installed": False}, "page", "https://reset/", FAIL, "IIS is not installed"),
        ({"page": PAGE, "hosts/0/saw/iis/site": "Stopped"}, "page", "https://reset/", FAIL, "the site is stopped"),
        (
            {"page": PAGE, "hosts/0/saw/iis/error": 5, "hosts/0/saw/iis/message": "Filename: x\r\nError: Denied.\r\n"},
            "page",
            "https://reset/",
            FAIL,
            "IIS cannot be asked: Filename: x Error: Denied",
        ),
        (
            {"page": PAGE, "hosts/0/saw/iis/pool_state": "Stopped"},
            "page",
            "https://reset/",
            FAIL,
            "pool PRS is stopped",
        ),
        (
            {"hosts/2/saw/hashed": [{"path": "database.config", "sha256": "aa", "error": 0, "message": ""}]},
            "second application",
            "web-b",
            FAIL,
            "while site_a serves",
        ),
        ({"page": {"url": "u", "state": "", "problem": "no CA file"}}, "page", "u", FAIL, "no CA file"),
        (
            {"hosts/3/reached": False, "hosts/3/problem": "timed out", "hosts/3/saw": {}},
            "server",
            "sql-b",
            FAIL,
            "timed out",
        ),
        (
            {
                "hosts/3/reached": False,
                "hosts/3/problem": 'ntlm: E("x: [Errno 111] Connection refused")',
                "hosts/3/saw": {},
            },
            "server",
            "sql-b",
            FAIL,
            "it answers, and refuses connections for WinRM",
        ),
        (
            {
                "hosts/3/reached": False,
                "hosts/3/problem": "the specified credentials were rejected by the server",
                "hosts/3/saw": {},
            },
            "server",
            "sql-b",
            FAIL,
            "does not accept",
        ),
        (
            {
                "hosts/3/reached": False,
                "hosts/3/problem": "certificate verify failed: unable to get local issuer certificate (_ssl.c:1006)",
                "hosts/3/saw": {},
            },
            "server",
            "sql-b",
            FAIL,
            "cannot be verified",
        ),
        (
            {
                "hosts/3/reached": False,
                "hosts/3/problem": "Kerberos auth failure for principal prs: Cannot contact any KDC",
                "hosts/3/saw": {},
            },
            "server",
            "sql-b",
            FAIL,
            "no Kerberos ticket",
        ),
        (
            {"hosts/3/reached": False, "hosts/3/problem": "ProxyError('x [Errno 111] refused')", "hosts/3/saw": {}},
            "server",
            "sql-b",
            FAIL,
            "the proxy of the environment",
        ),
        (
            {"hosts/3/reached": False, "hosts/3/problem": "--limit leaves it out", "hosts/3/saw": {}},
            "server",
            "sql-b",
            FAIL,
            "--limit",
        ),
        (
            {"hosts/1/instance/reached": False, "hosts/1/instance/problem": "refused"},
            "database",
            "sql-a",
            FAIL,
            "refused",
        ),
        ({"hosts/1/instance/databases": []}, "database", "sql-a", FAIL, "does not exist"),
        ({"hosts/1/instance/databases/0/state": "SUSPECT"}, "database", "sql-a", FAIL, "SUSPECT"),
        ({"hosts/1/login/problem": "it has no user"}, "login", "sql-a", FAIL, "no user"),
        ({"hosts/0/saw/certificates/0/not_after": ago(days=1)}, "site certificate", "web-a", FAIL, "expired 1 d ago"),
        ({"hosts/0/saw/certificates/0/not_after": ago(days=-12)}, "site certificate", "web-a", WARN, "expires in 12 d"),
        ({"hosts/0/saw/certificates/0/found": False}, "site certificate", "web-a", FAIL, "not in the machine's store"),
        ({"hosts/1/saw/certificates/0/has_key": False}, "SQL Server certificate", "sql-a", FAIL, "private key"),
        ({"hosts/3/instance/certificates": []}, "backup certificate", "sql-b", WARN, "is not here"),
        (
            {"hosts/3/instance/certificates/0/private_key": False},
            "backup certificate",
            "sql-b",
            WARN,
            "without its private key",
        ),
        (
            {"hosts/1/instance/certificates/0/private_key": False},
            "backup certificate",
            "sql-a",
            FAIL,
            "without its private key",
        ),
        ({"kept": None}, "kept keys", "site_a", FAIL, "the key is kept nowhere else"),
        ({"hosts/1/instance/certificates/0/expires": ago(days=3)}, "backup certificate", "sql-a", FAIL, "expired"),
        ({"hosts/0/saw/drives/C:/free": 1 << 30}, "free space", "web-a C:", FAIL, "1.0 GB free"),
        (
            {"hosts/2/saw/paths/0": {"path": "p", "error": 5, "message": "Access is denied"}},
            "media",
            "web-b",
            FAIL,
            "Access is denied (5)",
        ),
        ({"places/0/backups/databases": []}, "recovery point", rf"site_a {SHARE}", FAIL, "no backup"),
        ({"places/0/backups/databases/0/recovery_point": ""}, "recovery point", rf"site_a {SHARE}", FAIL, "no chain"),
        (
            {"places/0/backups/databases/0/recovery_point": ago(days=3)},
            "recovery point",
            rf"site_a {SHARE}",
            FAIL,
            "3 d old",
        ),
        ({"places/0/backups/problem": "error 5"}, "recovery point", rf"site_a {SHARE}", FAIL, "error 5"),
        ({"places/0/backups/databases/0/gaps": [GAP]}, "backup chain", rf"site_a {SHARE}", FAIL, "a gap in the log"),
        (
            {"places/0/backups/databases/0/gaps": [OLD_GAP]},
            "backup chain",
            rf"site_a {SHARE}",
            WARN,
            "a gap in the log",
        ),
        (
            {
                "places/0/backups/databases/0/unusable": [
                    {"guid": "n", "kind": "full", "reason": "1 of 2 stripes is missing", "files": [BACKUP]}
                ]
            },
            "backup chain",
            rf"site_a {SHARE}",
            FAIL,
            "stripes is missing (one.bak)",
        ),
        (
            {
                "places/0/backups/databases/0/unusable": [
                    {"guid": "g", "kind": "log", "reason": "damaged", "files": [BACKUP]}
                ]
            },
            "backup chain",
            rf"site_a {SHARE}",
            WARN,
            "damaged",
        ),
        (
            {"places/0/backups/unreadable": [{"path": BACKUP, "position": 1, "reason": "no backup"}]},
            "backup chain",
            rf"site_a {SHARE}",
            WARN,
            "one.bak: no backup",
        ),
        ({"places/1/sets": {"problem": "share gone"}}, "recovery set", r"site_b \\files-b\backup", FAIL, "share gone"),
        ({"places/1/sets/chosen": {}}, "recovery set", r"site_b \\files-b\backup", FAIL, "there is none"),
        (
            {"places/1/sets/chosen/recovery_point": ago(days=2)},
            "recovery set",
            r"site_b \\files-b\backup",
            FAIL,
            "2 d old",
        ),
        ({"places/0/saw/hashed/0/sha256": "00"}, "recovery set", rf"site_a {SHARE}", FAIL, "one.bak is damaged"),
        ({"places/0/saw/hashed/1/error": 5}, "recovery set", rf"site_a {SHARE}", FAIL, "one.zip cannot be read"),
        (
            {"places/0/sets/sets": NEWER},
            "newest set",
            rf"site_a {SHARE}",
            FAIL,
            "two cannot be used: the archive was not read back",
        ),
        (
            {"places/0/sets/chosen/healthy": False, "places/0/sets/chosen/notes": ["did not work"]},
            "newest set",
            rf"site_a {SHARE}",
            FAIL,
            "not healthy: did not",
        ),
        (
            {"places/0/sets/unusable": [{"label": "x", "problem": "is no manifest"}]},
            "newest set",
            rf"site_a {SHARE}",
            WARN,
            "x: is no manifest",
        ),
        ({"places/0/saw/archived/entries": []}, "keys", rf"site_a {SHARE}", FAIL, "holds no encryption.config"),
        ({"places/0/saw/archived/entries/0/sha256": "dd"}, "keys", rf"site_a {SHARE}", FAIL, "another one"),
        ({"places/0/saw/archived/path": ""}, "keys", rf"site_a {SHARE}", FAIL, "there is none"),
        ({"key": {"sha256": "", "message": "gone"}}, "keys", rf"site_a {SHARE}", FAIL, "gone"),
        ({"places/1": None}, "copies", "site_a", WARN, "one place"),
        ({"places/0/saw/folders/0/free_bytes": 1 << 20}, "free space", rf"site_a {SHARE}", FAIL, "1.0 MB free"),
        ({"places/0/saw/folders/0/readers": EVERYONE}, "rights", rf"site_a {SHARE}", FAIL, "Everyone may read"),
        (
            {"places/0/saw": {}, "places/0/look_problem": "Access denied"},
            "rights",
            rf"site_a {SHARE}",
            FAIL,
            "not looked at: Access denied",
        ),
        (
            {"places/0/sets/chosen/manifest/database/encryptor_thumbprint": None},
            "rights",
            rf"site_a {SHARE}",
            FAIL,
            r"D\SQL$ read keys and database",
        ),
        ({"kept/saw/paths/1/error": 2}, "kept keys", rf"site_a {KEPT}", FAIL, "missing: backup.pvk"),
        (
            {"kept/saw/folders/0/error": 53, "kept/saw/folders/0/message": "no such server"},
            "kept keys",
            rf"site_a {KEPT}",
            FAIL,
            "no such server",
        ),
        ({"kept/saw/folders/0/readers": EVERYONE}, "kept keys", rf"site_a {KEPT}", FAIL, "Everyone may read"),
        ({"kept/saw": {}, "kept/problem": "it is off"}, "kept keys", rf"site_a {KEPT}", FAIL, "it is off"),
        (
            {"hosts/3/certificate_files/missing": ["/files/sql-b.pfx"]},
            "certificate file",
            "sql-b",
            FAIL,
            "control node: /files/sql-b.pfx",
        ),
        (
            {"places/0/sets/chosen/manifest/database/chain/0/encryptor_thumbprint": ""},
            "rights",
            rf"site_a {SHARE}",
            FAIL,
            "not encrypted",
        ),
        (
            {"places/0/backups/databases/0/unencrypted": [BACKUP]},
            "rights",
            rf"site_a {SHARE}",
            FAIL,
            "not encrypted in 1 file beside the sets, the first is",
        ),
        (
            {"places/0/saw/folders/0/error": 5, "places/0/saw/folders/0/message": "denied"},
            "rights",
            rf"site_a {SHARE}",
            WARN,
            "denied",
        ),
        (
            {"places/0/saw/folders/0/readers_error": 5, "places/0/saw/folders/0/readers_message": "denied"},
            "rights",
            rf"site_a {SHARE}",
            WARN,
            "denied",
        ),
        ({"drills": []}, "drill", "site_a", FAIL, "there was none"),
        (
            {"drills": [json.dumps({"state": "passed", "begun_at": ago(days=100)})]},
            "drill",
            "site_a",
            FAIL,
            "100 d ago",
        ),
        (
            {"drills": ["{", json.dumps({"state": "failed", "begun_at": ago(days=1), "problem": "CHECKDB"})]},
            "drill",
            "site_a",
            FAIL,
            "failed: CHECKDB",
        ),
        (
            {"drills": ["{", json.dumps({"state": "passed", "begun_at": ago(days=1)})]},
            "drill",
            "site_a",
            WARN,
            "1 of 2 records of drills cannot be read",
        ),
        (
            {"drills": [json.dumps({"state": "running", "begun_at": ago(days=2)})]},
            "drill",
            "site_a",
            FAIL,
            "did not end",
        ),
    ],
)
def test_one_thing_broken_is_one_row(broken, what, where, state, said):
    facts = copy.deepcopy(whole())
    for path, value in broken.items():
        put(facts, path, value)
    rows = judge(facts, OBJECTIVES, NOW)
    found, *others = [one for one in rows if one.state != OK]
    assert {other.what for other in others} <= {found.what}
    assert (found.what, found.where, found.state) == (what, where, state)
    assert said in found.value
    assert found.next and not found.next.endswith(".")
    assert rows[0] is found
    assert summary(rows).startswith("NOT PROTECTED" if state == FAIL else "PROTECTED, 1 warning")


def test_files_that_do_not_tell_whether_they_are_encrypted_are_not_said_to_be_plain():
    """As backup_file_info gives them, which reads them without a SQL Server."""
    facts = copy.deepcopy(whole())
    facts["places"][0]["backups"]["databases"][0]["unencrypted"] = None
    assert judge(facts, OBJECTIVES, NOW) == judge(whole(), OBJECTIVES, NOW)


@pytest.mark.parametrize("seconds", [0.25, "0.25"])
def test_the_time_that_the_page_took_may_come_as_text(seconds):
    """ansible-core 2.16 makes text of each number that a variable of a role is given."""
    facts = whole()
    put(facts, "page/seconds", seconds)
    [page] = [row for row in judge(facts, OBJECTIVES, NOW) if row.what == "page"]
    assert page.value == "works, 0.2 s"


def test_that_one_account_reads_all_may_be_accepted():
    facts = whole()
    put(facts, "places/0/sets/chosen/manifest/database/encryptor_thumbprint", None)
    [found] = [
        one for one in judge(facts, dataclasses.replace(OBJECTIVES, shared_readers=True), NOW) if one.state != OK
    ]
    assert (found.what, found.state) == ("rights", WARN) and "read keys and database" in found.value


@pytest.mark.parametrize(
    ("iis", "error"),
    [({"site": "Stopped"}, 0), ({"pool_state": "Stopped"}, 0), ({"service": "Stopped"}, 0), ({}, 2), ({}, 3)],
)
def test_an_application_that_stands_by_or_has_no_database_is_no_second_one(iis, error):
    facts = whole()
    facts["hosts"][2]["saw"]["iis"].update(iis)
    facts["hosts"][2]["saw"]["hashed"] = [{"path": "database.config", "sha256": "", "error": error, "message": ""}]
    assert [one.state for one in judge(facts, OBJECTIVES, NOW) if one.what == "second application"] == [OK]


def test_where_iis_may_not_be_asked_nobody_can_tell_whether_a_second_application_runs():
    facts = whole()
    facts["hosts"][2]["saw"]["iis"].update(installed=True, service="Running", error=5, message="Not\r\npermitted.")
    [row] = [row for row in judge(facts, OBJECTIVES, NOW) if row.what == "second application"]
    assert row.value == "nobody can tell whether it runs here too: IIS cannot be asked: Not permitted"
    assert row.state == FAIL and row.next.startswith("Connect with an account that is a local administrator")


@pytest.mark.parametrize(
    ("living", "advice"),
    [
        (["site_b"], "The database was rebuilt at site_b, which serves since. Set prs_active_site: site_b"),
        (["site_a"], "Stop its site and its pool in IIS now"),
        (["site_a", "site_b"], "Find out which one the users work with. If it is site_b: set prs_active_site: site_b"),
        ([], "Find out which one the users work with"),
    ],
)
def test_which_of_two_applications_is_to_stop_the_restores_tell(living: list[str], advice: str):
    """An inventory that was not changed after a rebuild takes the living site for the wrong one."""
    facts = whole()
    facts["hosts"][2]["saw"]["hashed"] = [{"path": "database.config", "sha256": "aa", "error": 0, "message": ""}]
    for place in facts["places"]:
        place["sets"]["living"] = [{"site": site} for site in living]
    [row] = [row for row in judge(facts, OBJECTIVES, NOW) if row.what == "second application"]
    assert row.state == FAIL and row.next.startswith(advice)


def test_a_control_node_without_its_authorities_is_the_only_thing_said():
    """Without them no server can be known, and each would look dead."""
    facts = whole()
    facts["hosts"][0].update(reached=False, problem="invalid path: /nowhere/ca.pem", saw={})
    facts["control_node"] = {"missing_authorities": ["/nowhere/ca.pem"]}
    [found] = judge(facts, OBJECTIVES, NOW)
    assert (found.what, found.state) == ("control node", FAIL)
    assert "/nowhere/ca.pem" in found.value and "prs_ca_file" in found.next


def test_backups_that_a_silent_sql_server_did_not_read_are_no_matter_of_rights():
    facts = whole()
    facts["hosts"][1]["instance"].update(reached=False, problem="refused")
    facts["places"][0]["backups"]["problem"] = "Cannot reach SQL Server on sql-a"
    [found] = [one for one in judge(facts, OBJECTIVES, NOW) if one.what == "recovery point"]
    assert found.state == FAIL and "rights" not in found.next and "row of the database" in found.next


@pytest.mark.parametrize(("hours", "state"), [(1, OK), (90, FAIL)])
def test_backups_that_were_read_without_a_silent_sql_server(hours, state):
    facts = whole()
    facts["hosts"][1]["instance"].update(reached=False, problem="refused")
    facts["places"][0]["backups"].update(problem="Cannot reach SQL Server on sql-a", by_files=True)
    facts["places"][0]["backups"]["databases"][0]["recovery_point"] = ago(hours=hours)
    [found] = [one for one in judge(facts, OBJECTIVES, NOW) if one.what == "recovery point"]
    assert found.state == state and found.value.endswith(" old, as the files say: SQL Server does not answer")
    assert "backup chain" in [one.what for one in judge(facts, OBJECTIVES, NOW)]


def test_encrypted_backups_that_nobody_can_read_are_not_none():
    facts = whole()
    facts["hosts"][1]["instance"].update(reached=False, problem="refused")
    unreadable = [{"path": "a.bak", "reason": "it is encrypted"}]
    facts["places"][0]["backups"].update(
        problem="Cannot reach sql-a", by_files=True, databases=[], unreadable=unreadable
    )
    [recovery_point] = [entry for entry in judge(facts, OBJECTIVES, NOW) if entry.what == "recovery point"]
    assert "there is no backup" not in recovery_point.value and "row of the database" in recovery_point.next


def test_rights_that_sql_server_lacks_are_no_matter_of_the_files():
    facts = whole()
    facts["places"][0]["backups"].update(problem="access is denied", by_files=True)
    [found] = [one for one in judge(facts, OBJECTIVES, NOW) if one.what == "recovery point"]
    assert found.state == FAIL and found.value == "SQL Server did not read the backups: access is denied"


def test_a_mirrored_estate_is_protected_and_says_so():
    rows = judge(mirrored(), OBJECTIVES, NOW)
    assert {one.state for one in rows} == {OK}, [one for one in rows if one.state != OK]
    told = [(one.what, one.where, one.value) for one in rows if one.what.startswith("mirror")]
    assert told[0] == ("mirror", "sql-a", "principal, SYNCHRONIZED, synchronous, 0 bytes unsent")
    assert [where for what, where, _value in told if what == "mirroring certificate"] == ["sql-a", "sql-b", "witness"]
    assert 'prs_mirror_unsent_bytes{what="mirror",where="sql-a"} 0\n' in metrics(rows, NOW)
    assert not [
        one for one in judge({**mirrored(), "mirrored": False}, OBJECTIVES, NOW) if one.what.startswith("mirror")
    ]


def test_after_a_failover_that_the_inventory_does_not_know_nobody_is_told_to_stop_what_serves():
    facts = mirrored()
    put(facts, f"{SESSION_A}/role", "MIRROR")
    put(facts, f"{SESSION_B}/role", "PRINCIPAL")
    put(facts, "page", PAGE)
    put(facts, "hosts/0/saw/iis/site", "Stopped")
    put(
        facts,
        "hosts/2/saw/iis",
        {**facts["hosts"][2]["saw"]["iis"], "service": "Running", "site": "Started", "pool_state": "Started"},
    )
    put(facts, "hosts/2/saw/hashed", [{"path": "database.config", "sha256": "aa", "error": 0, "message": ""}])
    rows = [one for one in judge(facts, OBJECTIVES, NOW) if one.state != OK]
    assert {(one.what, one.state) for one in rows} == {("page", FAIL), ("mirror", FAIL)}
    said = {one.what: one.next for one in rows}
    assert (
        "Start nothing here: site_b has the database" in said["page"]
        and "Set prs_active_site: site_b" in said["mirror"]
    )
    put(facts, "hosts/0/saw/iis/site", "Started")
    both = next(one for one in judge(facts, OBJECTIVES, NOW) if one.what == "second application")
    assert (
        both.state == FAIL
        and "at both sites, and the database is at site_b" in both.value
        and "failover_prs" in both.next
    )


SESSION_A, SESSION_B = "hosts/1/mirroring/sessions/0", "hosts/3/mirroring/sessions/0"
OWN_A, KNOWN_A = "hosts/1/mirroring/certificates/0", "hosts/3/mirroring/certificates/0"


@pytest.mark.parametrize(
    ("broken", "what", "where", "state", "said"),
    [
        ({SESSION_A: None, SESSION_B: None}, "mirror", "site_a", FAIL, "is not mirrored"),
        (
            {f"{SESSION_A}/state": "SUSPENDED", f"{SESSION_A}/problems": ["is suspended"]},
            "mirror",
            "sql-a",
            FAIL,
            "is suspended",
        ),
        (
            {f"{SESSION_A}/state": "SYNCHRONIZING", f"{SESSION_A}/problems": ["is behind"]},
            "mirror",
            "sql-a",
            WARN,
            "is behind",
        ),
        (
            {f"{SESSION_A}/problems": ["the witness is not reached"]},
            "mirror",
            "sql-a",
            WARN,
            "the witness is not reached",
        ),
        ({f"{SESSION_A}/witness": ""}, "mirror", "sql-a", WARN, "no witness, though the inventory names witness"),
        (
            {f"{SESSION_A}/role": "MIRROR", f"{SESSION_B}/role": "PRINCIPAL"},
            "mirror",
            "sql-b",
            WARN,
            "though site_a is the active site",
        ),
        ({f"{SESSION_B}/role": "PRINCIPAL"}, "mirror", "sql-a and sql-b", FAIL, "both are principal"),
        ({SESSION_A: None, f"{SESSION_B}/state": "DISCONNECTED"}, "mirror", "sql-b", FAIL, "nobody serves"),
        (
            {"hosts/3/mirroring/reached": False, "hosts/3/mirroring/problem": "refused"},
            "mirror",
            "sql-b",
            FAIL,
            "refused",
        ),
        ({"hosts/4/mirroring/endpoints": []}, "mirroring endpoint", "witness", FAIL, "there is none"),
        ({"hosts/3/mirroring/endpoints/0/state": "STOPPED"}, "mirroring endpoint", "sql-b", FAIL, "STOPPED"),
        ({f"{OWN_A}/expires": ago(days=-12)}, "mirroring certificate", "sql-a", WARN, "expires in 12 d"),
        ({f"{OWN_A}/expires": ago(days=1)}, "mirroring certificate", "sql-a", FAIL, "expired 1 d ago"),
        (
            {"hosts/4/mirroring/certificates/2/expires": ago(days=1)},
            "mirroring certificate",
            "witness",
            FAIL,
            "expired 1 d ago",
        ),
        ({OWN_A: None}, "mirroring certificate", "sql-a", FAIL, "sql-a_mirroring is not there"),
        ({KNOWN_A: None}, "mirroring certificate", "sql-b", FAIL, "sql-a_mirroring of sql-a is not known here"),
    ],
)
def test_one_thing_broken_in_mirroring_is_one_row(broken, what, where, state, said):
    facts = mirrored()
    for path, value in broken.items():
        put(facts, path, value)
    [found] = [one for one in judge(facts, OBJECTIVES, NOW) if one.state != OK]
    assert (found.what, found.where, found.state) == (what, where, state)
    assert said in found.value and found.next and not found.next.endswith(".")


@pytest.mark.parametrize(
    ("objectives", "drills", "state"),
    [
        (Objectives(), [], WARN),
        (Objectives(), [{"state": "passed", "begun_at": ago(days=900)}], OK),
        (Objectives(), [{"state": "passed", "begun_at": ago(days=3), "page": "ready"}], OK),
        (
            Objectives(drill_days=7),
            [{"state": "passed", "begun_at": ago(days=3)}, {"state": "running", "begun_at": ago(hours=1)}],
            OK,
        ),
        (
            Objectives(),
            [
                {"state": "passed", "begun_at": ago(days=3)},
                {"state": "failed", "begun_at": ago(days=2), "problem": "x"},
            ],
            FAIL,
        ),
    ],
)
def test_drills(objectives, drills, state):
    rows = judge({**whole(), "drills": [json.dumps(record) for record in drills]}, objectives, NOW)
    assert [one.state for one in rows if one.what == "drill"] == [state]


def test_a_drill_that_ended_at_the_wizard_is_a_warning():
    rows = judge(
        {**whole(), "drills": [json.dumps({"state": "passed", "begun_at": ago(days=3), "page": "wizard"})]},
        OBJECTIVES,
        NOW,
    )
    assert [(one.state, one.metric) for one in rows if one.what == "drill"] == [(WARN, "drill_age_seconds")]


def test_the_table_is_aligned_and_says_below_what_is_wrong_what_to_do():
    facts = whole()
    facts["places"][0]["backups"]["databases"][0]["recovery_point"] = ago(days=3)
    facts["hosts"][2].update(reached=False, problem="word " * 30 + "x" * 80, saw={})
    drawn = table(judge(facts, OBJECTIVES, NOW))
    lines = [line for _state, line in drawn]
    assert lines[0].startswith("STATE | WHAT")
    bars = [column for column, letter in enumerate(lines[0]) if letter == "|"]
    for line in lines[2:-1]:
        assert all(line[column] == "|" for column in bars if column < len(line)), line
    assert next(state for state, _line in drawn if state) == FAIL
    assert any("-> Run backup_prs now" in line for line in lines)
    assert max(map(len, lines)) < 160


def test_metrics_are_what_collectors_read():
    facts = whole()
    facts["hosts"][0]["saw"]["drives"]["C:"]["free"] = 7
    text = metrics(judge(facts, OBJECTIVES, NOW), NOW)
    assert "prs_protected 0\n" in text
    assert f"prs_protection_checked_timestamp_seconds {NOW.timestamp()!r}\n" in text
    assert 'prs_protection_state{what="free space",where="web-a C:"} 2\n' in text
    assert (
        'prs_recovery_point_age_seconds{what="recovery point",where="site_a \\\\\\\\files\\\\backup"} 1200.0\n' in text
    )
    assert text.count("# TYPE prs_free_bytes gauge") == 1


# ---- whether it serves, without whether it is protected
def test_of_a_service_only_what_serves_is_judged():
    rows = judge(whole(), OBJECTIVES, NOW, service_only=True)
    assert {row.what for row in rows} == {
        "page",
        "server",
        "database",
        "login",
        "site certificate",
        "SQL Server certificate",
    }
    assert summary(rows, service_only=True) == "SERVES"


def test_a_service_that_does_not_serve_says_so():
    facts = whole()
    facts["page"].update(state="broken", problem="it answers 500", advice="Look at the log")
    rows = judge(facts, OBJECTIVES, NOW, service_only=True)
    assert summary(rows, service_only=True) == "DOES NOT SERVE: 1 check failed"


@pytest.mark.parametrize(("accepted", "state"), [(True, OK), (False, FAIL)])
def test_a_setup_wizard_may_be_what_is_expected(accepted: bool, state: str):
    facts = whole()
    facts["page"].update(state="wizard", problem="the page shows the setup wizard", wizard_accepted=accepted)
    [page] = [row for row in judge(facts, OBJECTIVES, NOW) if row.what == "page"]
    assert (page.state, "wizard" in page.value) == (state, True)


def test_a_host_on_which_an_earlier_step_failed_was_not_looked_at():
    rows = judge({**whole(), "unseen": ["web-c"]}, OBJECTIVES, NOW, service_only=True)
    assert [(row.state, row.where) for row in rows if row.state == FAIL] == [(FAIL, "web-c")]
