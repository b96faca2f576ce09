"""What the role preflight looks at."""

from __future__ import annotations

import json

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.decisions.preflight import (
    application_parts,
    certificates,
    certificates_to_open,
    copies,
    data_file_folders,
    database_replace,
    foresees_application,
    journal,
    key_readers,
    leaves_database,
    likely_key_readers,
    needed_secrets,
    needs_lease,
    no_road,
    ordered_problems,
    parts,
    paths,
    sayings,
    seen,
)


@pytest.mark.parametrize(
    ("groups", "of_server"),
    [
        (["prs_web", "site_a"], ["web"]),
        (["prs_sql"], ["sql"]),
        (["prs_witness"], ["sql"]),
        (["prs_sql", "prs_web"], ["web", "sql"]),
        (["site_a"], []),
    ],
)
def test_what_a_server_is_to_become(groups, of_server):
    assert parts({"groups": groups}) == of_server


SECRETS = {
    "secrets": {"prs_sql_master_key_password": "k", "ansible_password": "w", "prs_share_password": ""},
    "texts": {"prs_app_login_sid": "0x01", "prs_database": ""},
    "ha": "mirror",
    "authentication": "certificates",
    "connection": "winrm",
    "transport": "ntlm",
    "auth": "",
    "user": "Administrator",
}


@pytest.mark.parametrize(
    ("changed", "secrets"),
    [
        ({}, {}),
        ({"ha": "none"}, {"prs_sql_master_key_password": "none"}),
        ({"authentication": "windows"}, {"prs_sql_master_key_password": "none"}),
        ({"transport": "kerberos"}, {"ansible_password": "none"}),
        ({"transport": "certificate"}, {"ansible_password": "none"}),
        ({"transport": ["ntlm", "kerberos"]}, {"ansible_password": "none"}),
        ({"transport": "ntlm, kerberos"}, {"ansible_password": "none"}),
        ({"transport": "", "user": "dba@EXAMPLE.TEST"}, {"ansible_password": "none"}),
        ({"transport": ""}, {}),
        ({"connection": "psrp", "auth": "kerberos"}, {"ansible_password": "none"}),
        ({"connection": "ansible.builtin.psrp", "auth": "certificate"}, {"ansible_password": "none"}),
        ({"connection": "psrp", "transport": "kerberos"}, {}),
        (
            {"texts": {"prs_app_login_sid": "", "prs_database": 2026}},
            {"prs_app_login_sid": "none", "prs_database": 2026},
        ),
    ],
)
def test_a_secret_that_nobody_needs_counts_as_set(changed, secrets):
    whole = {**SECRETS["secrets"], "prs_app_login_sid": "0x01", "prs_database": "none"}
    assert needed_secrets(SECRETS | changed) == whole | secrets


SOURCES = {
    "parts": ["web", "sql"],
    "setup": "s",
    "updates": "",
    "installed": False,
    "package": "p",
    "need_package": True,
    "web_config": "w",
}


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({}, ["s", "p", "w"]),
        ({"installed": True}, ["p", "w"]),
        ({"updates": "\\\\files\\updates"}, ["s", "\\\\files\\updates", "p", "w"]),
        ({"updates": "\\\\files\\updates", "installed": True}, ["p", "w"]),
        ({"updates": "MU"}, ["s", "p", "w"]),
        ({"need_package": False}, ["s", "w"]),
        ({"parts": ["sql"]}, ["s"]),
        ({"parts": ["web"]}, ["p", "w"]),
    ],
)
def test_what_must_be_readable(changed, wanted):
    assert paths(SOURCES | changed) == wanted


def test_problems_are_told_once_and_those_of_the_control_node_first():
    problems = [
        "b: full",
        "control node: no driver",
        "a: gone",
        "control node: no driver",
        "control node: no CA",
        "b: full",
    ]
    assert ordered_problems(
        {"problems": problems, "of_backups": ["a: gone"], "road": "restore_set", "roads": ["attach"]}
    ) == [
        "control node: no driver",
        "control node: no CA",
        "b: full",
        "a: gone",
    ]


def test_where_data_files_are_attached_it_is_no_problem_that_there_is_no_backup():
    facts = {"problems": ["a: full", "backups: there is no set"], "of_backups": ["backups: there is no set"]}
    assert ordered_problems({**facts, "road": "attach", "roads": ["attach"]}) == ["a: full"]
    assert ordered_problems({**facts, "road": "", "roads": ["attach"]}) == ["a: full"]
    assert ordered_problems({**facts, "road": "", "roads": []}) == ["a: full", "backups: there is no set"]


@pytest.mark.parametrize(
    ("road", "archives", "parts_"),
    [("attach", [], []), ("attach", [{"name": "a.zip"}], ["application"]), ("restore_set", [], ["application"])],
)
def test_the_application_stays_where_data_files_are_attached_and_there_is_no_archive(road, archives, parts_):
    assert application_parts({"road": road, "archives": archives}) == parts_


LOST = {
    "folders": [],
    "data_folders": ["D:\\Data", ""],
    "default_folders": ["", ""],
    "installed": False,
    "running": False,
    "databases": None,
    "database": "PRS",
}


@pytest.mark.parametrize(
    ("changed", "folders"),
    [
        ({}, ["D:\\Data"]),
        ({"data_folders": ["", ""]}, []),
        ({"folders": ["E:\\saved"]}, ["E:\\saved"]),
        ({"installed": True}, []),
        ({"installed": True, "running": True}, []),
        ({"installed": True, "running": True, "databases": [{"name": "prs"}]}, []),
        ({"installed": True, "running": True, "databases": [{"name": "prs"}], "folders": ["E:\\saved"]}, []),
        (
            {"installed": True, "running": True, "databases": [], "default_folders": ["C:\\DATA", "D:\\Data"]},
            ["D:\\Data", "C:\\DATA"],
        ),
    ],
)
def test_data_files_are_looked_for_where_the_database_is_nowhere(changed, folders):
    assert data_file_folders(LOST | changed) == folders


@pytest.mark.parametrize(
    ("plan", "text"),
    [
        ({"asked": ""}, ""),
        (
            {"asked": "attach"},
            "prs_road=attach cannot be followed: the roads are known only where both servers of the site are in the run "
            "and SQL Server lets us in.",
        ),
        ({"problem": "", "road": "nothing", "command": ""}, ""),
        ({"problem": "", "road": "restore_set", "command": "rebuild_prs"}, ""),
        ({"problem": "No road can be gone.", "road": "", "command": ""}, "No road can be gone."),
        (
            {"problem": "", "road": "move", "command": "failover_prs -e prs_active_site=site_b"},
            "The road move is gone by another playbook: ansible-playbook prs.recovery.failover_prs -e "
            "prs_active_site=site_b.",
        ),
    ],
)
def test_why_a_rebuild_ends_after_its_preflight(plan: dict[str, str], text: str):
    assert no_road(plan) == text


@pytest.mark.parametrize(
    ("road", "replace"),
    [
        ("nothing", "never"),
        ("start", "never"),
        ("mend_application", "never"),
        ("restore_set", "damaged"),
        ("", "damaged"),
    ],
)
def test_a_road_that_loses_nothing_restores_nothing(road: str, replace: str):
    assert database_replace({"road": road, "replace": "damaged"}) == replace


@pytest.mark.parametrize(
    ("road", "leases", "take_over", "needed"),
    [
        ("nothing", [], False, False),
        ("nothing", ["\\\\files\\backup\\database\\Prs.lease.json"], False, True),
        ("nothing", None, False, True),
        ("nothing", "", False, True),
        ("nothing", [], True, True),
        ("mend_application", [], False, True),
        ("restore_set", [], False, True),
        ("", [], False, True),
    ],
)
def test_a_rebuild_that_leaves_the_database_keeps_nobody_away(road: str, leases: object, take_over: bool, needed: bool):
    facts = {"road": road, "leases": leases, "take_over": take_over}
    assert needs_lease(facts) is needed


@pytest.mark.parametrize(("road", "stays"), [("nothing", True), ("start", False), ("restore_set", False), ("", False)])
def test_only_a_database_with_nothing_to_do_is_not_looked_at_again(road: str, stays: bool):
    assert leaves_database({"road": road}) is stays


@pytest.mark.parametrize(
    ("road", "state", "archives", "foreseen"),
    [
        ("restore_set", "running", ["a.zip"], True),
        ("restore_set", "stopped", ["a.zip"], True),
        ("start", "running", ["a.zip"], True),
        ("", "running", ["a.zip"], True),
        ("nothing", "running", ["a.zip"], False),
        ("mend_application", "stopped", ["a.zip"], False),
        ("restore_set", "missing", ["a.zip"], False),
        ("restore_set", "unknown", ["a.zip"], False),
        ("attach", "running", [], False),
    ],
)
def test_an_application_that_may_not_be_replaced_is_seen_before_the_database_is(road, state, archives, foreseen):
    facts = {"road": road, "archives": archives, "wreck": {"application": {"state": state}}}
    assert foresees_application(facts) is foreseen
    assert not foresees_application({**facts, "wreck": {}})


NO_RUNS = {"journals": [], "own_journals": [], "groups": {"all": ["sql-a"]}}


def test_where_something_stands_in_the_way_only_the_roads_are_said():
    facts = {"roads": ["ROADS"], "plans": ["sql-a: install SQL Server"], "problems": [], **NO_RUNS}
    assert sayings(facts) == ["ROADS", "sql-a: install SQL Server"]
    assert sayings({**facts, "problems": ["web-a: cannot be reached"]}) == ["ROADS"]


def past_run(day: int, **more: object) -> str:
    head = {"format": "prs.recovery journal 1", "begun": f"2026-03-0{day}T12:00:00Z", "outcome": "failed", **more}
    return f'{json.dumps(head)}\n{{"phase": "restore the database", "host": "sql-a", "seconds": {day}, "size": 0}}\n'


def test_a_damaged_journal_is_said_and_the_whole_lines_count():
    journals = [{"path": "a.jsonl", "text": past_run(1)[:-9], "error": 0}]
    own = [{"path": "b.jsonl", "text": past_run(2), "error": 0}]
    facts = {**NO_RUNS, "roads": [], "plans": [], "problems": [], "journals": journals, "own_journals": own}
    assert journal(facts) == [{"phase": "restore the database", "seconds": 2, "size": 0}]
    assert sayings(facts)[2:] == [
        "NOTE: a.jsonl has 1 damaged line, and that does not count for the estimates. Remove it"
    ]


def test_who_rebuilt_what_when_is_said_of_the_last_three_runs():
    whole = {"playbook": "rebuild_prs", "site": "site_a", "by": "anna@node", "outcome": "succeeded", "seconds": 840}
    texts = [past_run(1), past_run(4, **whole), past_run(2), past_run(3)]
    journals = [{"path": f"{number}.jsonl", "text": text, "error": 0} for number, text in enumerate(texts)]
    assert sayings({**NO_RUNS, "roads": [], "plans": [], "problems": [], "journals": journals}) == [
        "EARLIER RUN: rebuild_prs of site_a by anna@node, begun at 2026-03-04T12:00:00Z, succeeded after 14 min",
        "EARLIER RUN: a run, begun at 2026-03-03T12:00:00Z, failed after 0 s",
        "EARLIER RUN: a run, begun at 2026-03-02T12:00:00Z, failed after 0 s",
    ]


def test_copies_are_those_that_were_read():
    chosen = {"label": "S1", "recovery_point": "2026-02-27T10:00:00Z", "archive": "a.zip", "files": []}
    facts = {"paths": ["one", "two", "three"], "results": [{"msg": "no share"}, {"chosen": chosen}, {"chosen": {}}]}
    assert copies(facts) == [{"place": "two", "name": "S1", "point": "2026-02-27T10:00:00Z", "archive": "a.zip"}]


@pytest.mark.parametrize(
    ("task", "there", "expected"),
    [
        (
            {"result": {"web": {"failed": False, "result": {"key": "x"}}}},
            True,
            {"failed": False, "result": {"key": "x"}},
        ),
        ({"failed": True, "msg": "no SYSTEM"}, True, {"failed": True, "msg": "no SYSTEM"}),
        ({"failed": True, "msg": "no SYSTEM"}, False, {"skipped": True}),
        ({}, False, {"skipped": True}),
    ],
)
def test_what_came_of_the_certificates(task, there, expected):
    pfx = [{"part": part, "pfx": f"{part}.pfx", "names": []} for part in ("web", "sql")]
    facts = {"parts": ["web"], "pfx": pfx, "there": {"web": there, "sql": True}, "store": {}, "task": task}
    assert certificates(facts) == [{**expected, "item": pfx[0]}]
    assert certificates_to_open(facts) == {"web": there, "sql": True}


@pytest.mark.parametrize(
    ("part", "stored", "is_enough"),
    [
        ("web", {"thumbprint": "AB", "key": "other"}, True),
        ("sql", {"thumbprint": "AB", "key": "exchange"}, True),
        ("sql", {"thumbprint": "AB", "key": "other"}, False),
        ("web", {}, False),
    ],
)
def test_a_pfx_need_not_be_opened_whose_certificate_is_in_the_store(part, stored, is_enough):
    pfx = [{"part": part, "pfx": "a.pfx", "names": []}]
    store = {"failed": False, "result": {part: {"failed": False, "result": stored}}}
    opened = {"failed": False, "result": {part: {"failed": False, "result": {"thumbprint": "CD"}}}}
    facts = {"parts": [part], "pfx": pfx, "there": {part: True}, "store": store, "task": opened}
    assert certificates_to_open(facts) == {part: not is_enough}
    assert certificates(facts)[0]["result"] == (stored if is_enough else {"thumbprint": "CD"})


@pytest.mark.parametrize("store", [{"unreachable": True}, {"failed": True, "msg": "?"}, {"skipped": True}, {}])
def test_where_nobody_could_look_into_the_store_the_pfx_is_opened(store):
    assert certificates_to_open({"there": {"web": True, "sql": False}, "store": store}) == {"web": True, "sql": False}


def certificate(part: str, **answer) -> dict:
    found = {"thumbprint": f"AB{part}", "imported": False, "granted": [], "key": "exchange", "readers": ["a"]}
    return {"item": {"part": part}, "result": {**found, **answer}}


NOTHING_SEEN = {"windows": {}, "instance": {}, "site_certificate": "", "sql_certificate": {}, "sysadmin": ""}


@pytest.mark.parametrize(
    ("looks", "handed_on"),
    [
        ({}, {}),
        ({"windows": {"result": {"dotnet_release": 1}}}, {"windows": {"dotnet_release": 1}}),
        ({"windows": {"result": {"dotnet_release": 1}, "failed": True}}, {}),
        ({"windows": {"unreachable": True}}, {}),
        ({"instance": {"skipped": True}}, {}),
        ({"instance": {"result": {"installed": False}}}, {"instance": {"installed": False}}),
        ({"certificates": [certificate("web")]}, {"site_certificate": "ABweb"}),
        ({"certificates": [certificate("sql")]}, {"sql_certificate": {"thumbprint": "ABsql", "readers": ["a"]}}),
        ({"certificates": [certificate("sql", imported=True)]}, {}),
        ({"certificates": [certificate("sql", key="signature")]}, {}),
        ({"certificates": [{**certificate("sql"), "failed": True}]}, {}),
        ({"certificates": [certificate("web", imported=True)]}, {}),
        ({"certificates": [{**certificate("web"), "failed": True}]}, {}),
        ({"certificates": [{"item": {"part": "web"}, "skipped": True}]}, {}),
        ({"answers": {"server": {"sysadmin": True}}}, {"sysadmin": "prs_recovery"}),
        ({"answers": {"server": {"sysadmin": False}}}, {}),
        ({"answers": {"msg": "Login failed"}}, {}),
    ],
)
def test_what_need_not_be_looked_at_once_more(looks, handed_on):
    nothing = {"windows": {}, "instance": {}, "certificates": [], "answers": {"skipped": True}, "login": "prs_recovery"}
    assert seen({**nothing, **looks}) == {**NOTHING_SEEN, **handed_on}


@pytest.mark.parametrize(
    ("installed", "account", "readers"),
    [(True, "", ["NT SERVICE\\MSSQL$PRS"]), (True, "CORP\\sql$", ["CORP\\sql$"]), (False, "CORP\\sql$", [])],
)
def test_who_must_read_the_key_of_sql_server(installed, account, readers):
    assert key_readers({"installed": installed, "service": "MSSQL$PRS", "account": account}) == readers


@pytest.mark.parametrize(
    ("instance", "account", "reader"),
    [
        ("MSSQLSERVER", "", "NT SERVICE\\MSSQLSERVER"),
        ("PRS", "", "NT SERVICE\\MSSQL$PRS"),
        ("PRS", "CORP\\sql$", "CORP\\sql$"),
    ],
)
def test_who_will_have_to_read_it(instance, account, reader):
    assert likely_key_readers({"instance": instance, "account": account}) == [reader]
