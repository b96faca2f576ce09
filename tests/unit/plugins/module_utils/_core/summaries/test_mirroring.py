"""Each sentence of the role mirror, with the facts that bring it and facts that do not."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.summaries import mirroring

ESTATE = {
    "left_out": [],
    "site": "site_a",
    "web": ["web-b"],
    "sql": ["sql-b"],
    "witness": "wit",
    "witness_known": True,
}
SITES = {
    "site": "site_a",
    "database": "PRS",
    "here": "sql-a",
    "there": "sql-b",
    "web_here": "web-a",
    "web_there": "web-b",
    "runs_here": False,
    "runs_there": False,
    "two_principals": False,
    "replaces": False,
    "other_site_only": False,
    "replaced_path": r"\\files\replaced",
}
SESSION = {
    "database": "PRS",
    "principal": "sql-a",
    "mirror": "sql-b",
    "state": "SYNCHRONIZED",
    "safety": "synchronous",
    "witness": "",
    "witness_state": "",
    "needs_full_backup": False,
    "addresses": ["sql-a.x,1433", "sql-b.x,1433"],
    "alias": "PRSDB",
    "partner_alias": "PRSDB2",
}
NEEDS = "Mirroring needs one server of the group prs_web and one of prs_sql outside site_a; the inventory has"
LOGS = "backup_prs -e prs_backup_kind=log, every quarter of an hour"


@pytest.mark.parametrize(
    ("kind", "problems"),
    [
        ("mirror", []),
        ("none", []),
        ("standby", []),
        (
            "availability_group",
            [
                "prs_ha is 'availability_group'. Availability groups are not built yet: use mirror, which every edition "
                "of SQL Server from Standard on still has, or standby, which every edition can do."
            ],
        ),
        ("miror", ["prs_ha is 'miror'. It is one of mirror, standby, availability_group and none."]),
    ],
)
def test_kinds_of_high_availability(kind: str, problems: list[str]):
    assert mirroring.kind_problems({"kind": kind, "standby_sites": []}) == problems


def test_a_mirror_and_a_standby_at_once_are_refused():
    (problem,) = mirroring.kind_problems({"kind": "mirror", "standby_sites": ["site_c"]})
    assert problem.startswith("prs_ha is 'mirror', and prs_standby_sites names site_c: ")
    assert mirroring.kind_problems({"kind": "standby", "standby_sites": ["site_c"]}) == []


@pytest.mark.parametrize(
    ("changed", "problems"),
    [
        ({}, []),
        ({"witness": "", "witness_known": False}, []),
        (
            {"left_out": ["sql-b", "wit"]},
            ["This run leaves out sql-b, wit: mirroring needs all of them, so run it without --limit."],
        ),
        ({"web": []}, [f"{NEEDS} none and sql-b. Correct the inventory."]),
        ({"web": ["web-b", "web-c"]}, [f"{NEEDS} web-b, web-c and sql-b. Correct the inventory."]),
        ({"sql": []}, [f"{NEEDS} web-b and none. Correct the inventory."]),
        (
            {"witness_known": False},
            [f"{NEEDS} web-b and sql-b, and no witness wit. Correct the inventory."],
        ),
    ],
)
def test_what_the_inventory_must_have(changed: dict[str, Any], problems: list[str]):
    assert mirroring.inventory_problems({**ESTATE, **changed}) == problems


ACCOUNTS = (
    " With prs_mirror_authentication: windows all instances run under one domain account, as the vendor supports it "
    "(sql_server_service_account for new instances, SQL Server Configuration Manager for those that are there). Servers "
    "without a common domain need certificates."
)


@pytest.mark.parametrize(
    ("wanted", "actual", "problems"),
    [
        (r"CORP\sql", r"corp\SQL", []),
        (
            r"CORP\sql",
            r"NT Service\MSSQL",
            [r"sql-b: SQL Server runs as NT Service\MSSQL, not as CORP\sql." + ACCOUNTS],
        ),
        (
            "",
            r"CORP\sql",
            [
                "sql-b: the inventory does not say prs_mirror_account, the domain account that all instances run under."
                + ACCOUNTS
            ],
        ),
    ],
)
def test_one_account_for_all_instances(wanted: str, actual: str, problems: list[str]):
    assert mirroring.account_problems({"host": "sql-b", "wanted": wanted, "service_account": actual}) == problems


REFUSED = "ntlm: the specified credentials were rejected by the server"
REFUSES = f"answers, but refuses the account: correct ansible_user and ansible_password ({REFUSED})"
GONE = "ConnectTimeoutError: Connection to 10.0.0.1 timed out. [Errno 110] Connection timed out"


@pytest.mark.parametrize(
    ("unreached", "sentences"),
    [
        ([], []),
        (
            [("wit", GONE)],
            [
                "WARNING: wit cannot be reached by WinRM. The witness stays as it is: when that is put right, run "
                "mirror_prs."
            ],
        ),
        (
            [("sql-b", GONE), ("web-b", REFUSED), ("wit", GONE)],
            [
                f"WARNING: sql-b, wit cannot be reached by WinRM; web-b {REFUSES}. PRS is NOT protected by a mirror now: "
                "when that is put right, run mirror_prs."
            ],
        ),
    ],
)
def test_servers_that_were_not_reached(unreached: list[tuple[str, str]], sentences: list[str]):
    servers = [{"host": host, "problem": problem} for host, problem in unreached]
    assert mirroring.unreached({"unreached": servers, "witness": "wit", "database": "PRS"}) == sentences


def test_a_server_that_refuses_is_not_said_to_be_silent():
    servers = [{"host": "sql-b", "problem": GONE}, {"host": "web-b", "problem": REFUSED}]
    assert mirroring.not_reached({"unreached": servers}) == [
        f"web-b {REFUSES}. So the database cannot be mirrored there. Nothing was touched.",
        "sql-b cannot be reached by WinRM, so the database cannot be mirrored there. Nothing was touched. Switch the "
        "server on, check its name, its WinRM listener and the firewall, and run this again.",
    ]
    assert mirroring.not_reached({"unreached": []}) == []


@pytest.mark.parametrize(("is_witness", "part"), [(False, "of PRS with sql-a"), (True, "as witness")])
def test_a_check_run_says_what_an_instance_would_be(is_witness: bool, part: str):
    facts = {
        "host": "sql-b",
        "authentication": "certificates",
        "port": 5022,
        "database": "PRS",
        "is_witness": is_witness,
        "partner": "sql-a",
    }
    assert mirroring.planned_instance(facts) == [f"sql-b: would set up mirroring (certificates, port 5022) {part}."]


@pytest.mark.parametrize(("witness", "text"), [("", ""), ("wit", ", witness wit")])
def test_a_check_run_says_what_would_be_mirrored(witness: str, text: str):
    facts = {
        "host": "sql-a",
        "database": "PRS",
        "mirror": "sql-b",
        "safety": "synchronous",
        "witness": witness,
        "seed_path": "S:",
    }
    assert mirroring.planned_session(facts) == [
        f"sql-a: would mirror PRS to sql-b (synchronous{text}), seeded through S:."
    ]


STALE = (
    "prs_active_site says that site_a serves, so the one on sql-b would be overwritten. If the other site serves, set "
    "prs_active_site to it. If what sql-b holds may be replaced: mirror_prs -e prs_allow_data_loss=true, which keeps a "
    r"full backup of it in \\files\replaced."
)
SPLIT = (
    "Both are principal of one session: service was forced while they could not reach each other. Let them reach each "
    "other again (network, firewall, endpoints); the server where service was forced stays principal. Then run "
    "failover_prs for its site."
)


@pytest.mark.parametrize(
    ("changed", "rest"),
    [
        ({}, f"Nothing was touched. {STALE}"),
        ({"other_site_only": True}, f"Nothing was touched at the other site. {STALE}"),
        ({"two_principals": True}, f"Nothing was touched. {SPLIT}"),
    ],
)
def test_two_databases_are_a_persons_choice(changed: dict[str, Any], rest: str):
    assert mirroring.two_databases({**SITES, **changed}) == [f"PRS is ONLINE on both sql-a and sql-b. {rest}"]


@pytest.mark.parametrize(("runs_here", "sign"), [(False, "not on web-a"), (True, "only sql-b has the database ONLINE")])
def test_what_serves_is_not_stopped(runs_here: bool, sign: str):
    assert mirroring.stops_what_serves({**SITES, "runs_here": runs_here}) == [
        f"The application runs on web-b, and {sign}: that site serves, though prs_active_site says site_a, and the "
        "application there would be stopped. Nothing was touched. Set prs_active_site to the site that serves, or move "
        "the service here: failover_prs -e prs_active_site=site_a."
    ]


STOPPED = "WARNING: the application on web-b runs and will be STOPPED: site_a is the active site."
REPLACED = (
    "WARNING: PRS on sql-b will be REPLACED by the mirror of the one on sql-a (prs_allow_data_loss). A full backup of it "
    r"is kept in \\files\replaced."
)


@pytest.mark.parametrize(
    ("changed", "sentences"),
    [
        ({}, []),
        ({"runs_there": True}, [STOPPED]),
        ({"replaces": True}, [REPLACED]),
        ({"runs_there": True, "replaces": True}, [STOPPED, REPLACED]),
    ],
)
def test_what_will_be_stopped_and_replaced(changed: dict[str, Any], sentences: list[str]):
    assert mirroring.consequences({**SITES, **changed}) == sentences


@pytest.mark.parametrize(
    ("is_mirror", "advice"),
    [
        (
            True,
            "sql-a is its mirror. Rebuild the web server of the site that serves (-e prs_active_site=site_b), or let the "
            "database serve here first (failover_prs -e prs_active_site=site_a).",
        ),
        (
            False,
            "Let it serve: failover_prs -e prs_active_site=site_b (with -e prs_allow_data_loss=true where it has to be "
            "forced). Then rebuild_prs with the same prs_active_site makes sql-a its mirror. To restore the backup here "
            "all the same, and to give up what is there: -e prs_allow_database_loss=true.",
        ),
    ],
)
def test_what_is_newer_than_any_backup_is_not_replaced(is_mirror: bool, advice: str):
    facts = {
        "host": "sql-a",
        "there": "sql-b",
        "site_there": "site_b",
        "site": "site_a",
        "database": "PRS",
        "holds": "PRINCIPAL",
        "is_mirror": is_mirror,
    }
    assert mirroring.surviving(facts) == [
        f"sql-b holds PRS still (PRINCIPAL), which is newer than any backup. {advice}"
    ]


def test_a_session_says_who_takes_over_and_what_the_application_is_told():
    values = "database (initial catalog): PRS   failover partner:"
    assert mirroring.summary(SESSION) == [
        "PRS is mirrored from sql-a to sql-b: SYNCHRONIZED, synchronous, without a witness: a person decides, with "
        "failover_prs",
        f"Its recovery model is FULL: take log backups ({LOGS}), or the log fills its disk.",
        "Say so once to Password Reset Server: in step 2 of its setup wizard (advanced), or on its page Administration > "
        "Database.",
        f"By alias, the same at both sites:  server: PRSDB   {values} PRSDB2",
        f"By name, at the active site:  server: sql-a.x,1433   {values} sql-b.x,1433",
        f"By name, at the other site:   server: sql-b.x,1433   {values} sql-a.x,1433",
    ]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {"witness": "wit", "witness_state": "CONNECTED"},
            "PRS is mirrored from sql-a to sql-b: SYNCHRONIZED, synchronous, witness wit (CONNECTED): the mirror takes "
            "over by itself",
        ),
        (
            {"needs_full_backup": True},
            "Its recovery model is FULL. NOW take a full backup (backup_prs), which log backups continue; from then on "
            f"log backups ({LOGS}), or the log fills its disk.",
        ),
        (
            {"partner_alias": ""},
            "With an alias for the partner (prs_sql_partner_alias), which must be among the names of both servers' "
            "certificates, both sites use the same values, and the same database.config.",
        ),
    ],
)
def test_each_sentence_of_a_session_has_its_facts(changed: dict[str, Any], sentence: str):
    assert sentence in mirroring.summary({**SESSION, **changed})
    assert sentence not in mirroring.summary(SESSION)


@pytest.mark.parametrize("changed", [{"alias": ""}, {"partner_alias": ""}])
def test_aliases_are_told_only_where_both_servers_have_one(changed: dict[str, Any]):
    assert not any("By alias" in sentence for sentence in mirroring.summary({**SESSION, **changed}))
