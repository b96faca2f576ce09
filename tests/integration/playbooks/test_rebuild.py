"""The main job: a wrecked site comes back with every row, whatever was lost, and a healthy one is left alone."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path

import pytest
from judge_tsql import Judge, available
from mirrored import ask
from playbook_lab import MARKERS, MOVED, ROOT, Beginning, Estate

UNCHANGED_COSTS_AT_MOST = {"result": 127, "module": 0, "shell": 2, "script": 28, "sql": 68}
"""What a rebuild of a healthy site may cost: results of tasks, modules that run on Windows, shells of WinRM (one for each
of these, and one for all of ours on a host; a PowerShell starts in each), verbs and scripts asked of our WinRM sessions,
statements sent to SQL Server. None depends on the machine.
"""
RUNS_OTHERS = {"look_at_once", "run_scripts"}
"""Scripts that do nothing themselves."""


@pytest.mark.parametrize(
    "lost",
    [
        pytest.param(("sql-a",), marks=pytest.mark.nightly),
        pytest.param(("web-a",), marks=pytest.mark.nightly),
        ("web-a", "sql-a"),
    ],
    ids=" and ".join,
)
def test_what_was_lost_comes_back(estate: Estate, lost: tuple[str, ...]):
    for host in lost:
        estate.lab.wipe(host)
    file = estate.lab.state_dir / "reports" / "rebuild.html"
    run = estate.play("rebuild_prs", "-e", f"prs_report_path={file}")
    assert run.code == 0, run.output
    assert estate.labels() == MARKERS
    assert f"REPORT: {file}" in run.output
    _assert_told_by_its_report(file, estate, lost)
    begun = re.findall(r"^(\d+) of (\d+), (\S+): .*: about .*, (\d+) %$", run.output, re.MULTILINE)
    assert {host for _, _, host, _ in begun} >= set(lost)
    assert sorted(int(number) for number, *_ in begun) == list(range(1, int(begun[0][1]) + 1))
    asked = estate.lab.mark_record()
    again = estate.play("rebuild_prs", "-e", f"prs_report_path={file}")
    assert (again.code, again.changed) == (0, 0), again.output
    assert again.output.count("EARLIER RUN: rebuild_prs of site_a by ") == 1  # its journal lies on the share and here
    if lost == ("web-a", "sql-a"):  # then all that it would take was measured
        assert re.search(r"restore_set .* takes about .* \(as the last run did\); needs", again.output)
    costs = {kind: len(estate.lab.record(kind, since=asked)) for kind in ("module", "shell", "sql")}
    scripts = estate.lab.record("script", since=asked)
    costs["script"] = len([entry for entry in scripts if entry["name"] not in RUNS_OTHERS])
    costs["result"] = len(re.findall(r"^(?:ok|changed|skipping): \[", again.output, re.MULTILINE))
    more = {what: number for what, number in costs.items() if number > UNCHANGED_COSTS_AT_MOST[what]}
    assert not more, f"{costs}: lower the costs again, or raise the limit in this test and say why"


def _assert_told_by_its_report(file: Path, estate: Estate, lost: tuple[str, ...]):
    told = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
    assert (told["playbook"], told["outcome"], told["failures"]) == ("rebuild_prs", "succeeded", [])
    assert {server["host"] for server in told["servers"] if server["state"] == "damaged"} == set(lost)
    assert {check["state"] for check in told["checks"]} == {"ok"}
    restored = "sql-a" in lost
    assert [road["name"] for road in told["roads"] if road["chosen"]] == [
        "restore_set" if restored else "mend_application"
    ]
    assert bool(told["recovery_point"]) == restored
    changed = {(span["phase"], span["host"]) for span in told["spans"] if span["changed"]}
    assert changed >= {
        (f"Provision: set up {part}", host)
        for part, host in (("SQL Server", "sql-a"), ("IIS", "web-a"))
        if host in lost
    }
    texts = [file.read_text(encoding="utf-8"), json.dumps(told)]
    secrets = estate.lab.description.secrets.all()
    assert [secret for secret in secrets for text in texts if secret in text] == []


@pytest.mark.nightly
def test_the_language_of_the_login_comes_back(estate: Estate):
    """It decides how a session reads dates."""
    language = "SELECT default_language_name FROM sys.server_principals WHERE name = 'prs_app'"
    ask(estate, "sql-a", "ALTER LOGIN [prs_app] WITH DEFAULT_LANGUAGE = British; SELECT 1")
    run = estate.play("backup_prs", *MOVED)
    assert run.code == 0, run.output
    estate.lab.wipe("sql-a")
    run = estate.play("rebuild_prs", "-e", "prs_restore_set=newest")
    assert run.code == 0, run.output
    assert ask(estate, "sql-a", language) == [("British",)]


@pytest.mark.nightly
@pytest.mark.parametrize("version", ["2.16", "2.21"])
def test_other_versions_of_ansible_core_rebuild_as_well(estate: Estate, version: str):
    ansible = ROOT / "build" / f"venv-{version}" / "bin" / "ansible-playbook"
    if not ansible.exists():
        pytest.skip(
            f"no ansible-core {version} here: make venv-{version}"
            + (" PYTHON=<a Python of 3.12 or later>" if version == "2.21" else "")
        )
    estate.lose_site_a()
    run = estate.play("rebuild_prs", ansible=str(ansible))
    assert run.code == 0, run.output
    assert estate.labels() == MARKERS


def test_check_mode_on_a_wreck_writes_nothing_and_sends_only_queries(estate: Estate):
    """And with the settings that lie beside an inventory it is as short as they say."""
    estate.lose_site_a()
    before, asked = estate.lab.digest(), estate.lab.mark_record()
    settings = str(ROOT / "inventory.example/ansible.cfg")
    run = estate.play("rebuild_prs", "--check", "--diff", environment={"ANSIBLE_CONFIG": settings})
    assert run.code == 0, run.output
    assert "sql-a: install SQL Server" in run.output
    assert "skipping: [" not in run.output
    assert r"\\\\" not in run.output
    assert estate.lab.digest() == before
    assert _writes(estate, since=asked) == []


@pytest.mark.nightly
def test_check_mode_with_only_the_web_server_lost_sends_only_queries(estate: Estate):
    estate.lab.wipe("web-a")
    before, asked = estate.lab.digest(), estate.lab.mark_record()
    run = estate.play("rebuild_prs", "--check", "--diff")
    assert run.code == 0, run.output
    assert estate.lab.digest() == before
    assert estate.lab.record("sql", since=asked), "SQL Server was not asked at all: this test proves nothing"
    assert _writes(estate, since=asked) == []


@pytest.mark.nightly
def test_check_mode_runs_through_with_sql_server_stopped_and_certificates_renewed(estate: Estate):
    """Each estate has certificates of its own addresses, so those of this copy differ from what is in its servers'
    stores.
    """
    estate.task("sql-a", "ansible.windows.win_service", name="MSSQLSERVER", state="stopped")
    before = estate.lab.digest()
    run = estate.play("rebuild_prs", "--check", "--diff")
    assert run.code == 0, run.output
    assert "would bind the certificate" in run.output
    assert "Application on web-a: would be left as it is, since it " in run.output
    assert (
        "web-a: keep IIS and the application unless files of it are missing or damaged, which PasswordResetServer_"
        in run.output
    )
    assert estate.lab.digest() == before


@pytest.mark.nightly
def test_a_renewed_certificate_takes_effect_while_sql_server_agent_runs(estate: Estate):
    """A service with running dependents refuses to stop unless it is told to take them along."""
    estate.task("sql-a", "ansible.windows.win_service", name="SQLSERVERAGENT", state="started")
    run = estate.play("rebuild_prs")
    assert run.code == 0, run.output
    assert "RUNNING HANDLER [prs.recovery.sql_server : Restart SQL Server]" in run.output
    assert estate.labels() == MARKERS


def test_nothing_is_used_that_ansible_will_take_away(beginning: Beginning):
    assert set(beginning.said) == {"provision_prs", "backup_prs"}
    for said in beginning.said.values():
        assert "DEPRECATION WARNING" not in said, said[said.index("DEPRECATION WARNING") :][:400]


def test_web_and_database_servers_are_provisioned_at_the_same_time(beginning: Beginning):
    """Neither waits for the other's end."""
    asked = [
        json.loads(line) for line in (beginning.state / "record.jsonl").read_text(encoding="utf-8").split("\n") if line
    ]

    def when(host: str, *modules: str) -> list[int]:
        return [
            entry["seq"]
            for entry in asked
            if entry["kind"] == "module" and entry["host"] == host and entry["module"] in modules
        ]

    web = when(
        "WEB-A",
        "ansible.windows.win_feature",
        "community.windows.win_unzip",
        "microsoft.iis.web_application",
        "microsoft.iis.website",
    )
    sql = when("SQL-A", "ansible.windows.win_copy", "ansible.windows.win_command", "ansible.windows.win_regedit")
    assert min(web) < max(sql)
    assert min(sql) < max(web)


def test_newer_rows_of_a_healthy_database_survive_a_rebuild(estate: Estate):
    estate.lab.mark(["after the backup"])
    estate.lab.wipe("web-a")
    run = estate.play("rebuild_prs")
    assert run.code == 0, run.output
    assert estate.labels() == [*MARKERS, "after the backup"]


def test_who_works_on_a_healthy_database_is_not_disturbed(estate: Estate):
    """A rebuild that finds nothing to do takes no lease, and sees those of others all the same."""
    lease = {
        "path": "{{ prs_share_path }}\\database",
        "database": "PasswordResetServer",
        "owner": "somebody elsewhere",
        "share_user": "{{ prs_share_user }}",
        "share_password": "{{ prs_share_password }}",
    }
    estate.task("web-a", "prs.recovery.recovery_lease", **lease)
    run = estate.play("rebuild_prs")
    assert run.code != 0 and "somebody elsewhere works on database PasswordResetServer" in run.failures, run.output
    estate.task("web-a", "prs.recovery.recovery_lease", state="released", **lease)
    asked = estate.lab.mark_record()
    run = estate.play("rebuild_prs")
    assert (run.code, estate.labels()) == (0, MARKERS), run.output
    written = [entry for entry in estate.lab.record("script", since=asked) if entry["name"] == "write_lines"]
    assert [entry for entry in written if "lease" in str(entry["parameters"])] == []


def test_a_healthy_database_is_replaced_only_on_an_explicit_yes(estate: Estate):
    """And an application that was upgraded since its backup, which looks like a damaged one, is kept beside."""
    estate.lab.mark(["after the backup"])
    application = estate.lab.state_dir / "hosts/web-a/drives/C/inetpub/wwwroot/PasswordResetServer"
    upgraded = next(application.rglob("*.dll"))
    upgraded.write_bytes(b"MZ a later version")
    run = estate.play("rebuild_prs", "-e", "prs_allow_data_loss=true")
    assert run.code == 0, run.output
    assert estate.labels() == MARKERS
    [kept] = application.parent.glob("PasswordResetServer.2*Z")
    assert (kept / upgraded.relative_to(application)).read_bytes() == b"MZ a later version" != upgraded.read_bytes()
    assert f"is kept in C:\\\\inetpub\\\\wwwroot\\\\{kept.name}" in run.output


@pytest.mark.nightly
def test_check_mode_says_that_a_healthy_database_will_be_overwritten(estate: Estate):
    before = estate.lab.digest()
    run = estate.play("rebuild_prs", "--check", "-e", "prs_allow_data_loss=true")
    assert run.code == 0, run.output
    assert "sql-a: OVERWRITE the database, also a healthy one" in run.output
    assert "web-a: keep IIS, OVERWRITE the application" in run.output
    assert " of the site site_a, taken on SQL-A; recovery point " in run.output
    assert "Database PasswordResetServer on sql-a: would be brought back from recovery set " in run.output
    assert "Application on web-a: would be left as it is, since it " in run.output
    assert estate.lab.digest() == before


def test_an_inventory_that_is_not_there_is_no_success(estate: Estate):
    run = estate.play("backup_prs", inventory="/nowhere")
    assert run.code != 0
    assert "no hosts in the groups prs_web and prs_sql" in run.output


def test_a_clean_clone_explains_itself(estate: Estate, tmp_path: Path):
    collections = tmp_path / "collections" / "ansible_collections"
    collections.mkdir(parents=True)
    for name in ("ansible", "community", "microsoft"):
        (collections / name).symlink_to(ROOT / "build" / "collections" / "ansible_collections" / name)
    clone = tmp_path / "clone"
    clone.mkdir()
    for folder in ("playbooks", "roles", "plugins", "meta"):
        (clone / folder).symlink_to(ROOT / folder)
    settings = tmp_path / "ansible.cfg"
    settings.write_text("")
    environment = {"ANSIBLE_COLLECTIONS_PATH": str(collections.parent), "ANSIBLE_CONFIG": str(settings)}
    run = estate.play_file(clone / "playbooks" / "rebuild_prs.yml", environment=environment)
    assert run.code != 0
    assert "make link" in run.output
    assert "couldn't resolve module/action" not in run.output


def _writes(estate: Estate, *, since: int) -> list[str]:
    """The recorded T-SQL that is not a query, judged by Microsoft's parser."""
    if available():
        pytest.skip(str(available()))
    return [entry["text"] for entry in estate.lab.record("sql", since=since) if _judge().writes(entry["text"])]


@functools.cache
def _judge() -> Judge:
    """A process can start the parser once."""
    return Judge()


@pytest.mark.parametrize(
    ("text", "writes"),
    [
        ("SELECT name FROM sys.databases", False),
        ("DECLARE @found int; EXEC @found = master.sys.xp_fileexist N'D:\\x.bak'; SELECT @found", False),
        ("RESTORE HEADERONLY FROM DISK = N'x' WITH NOUNLOAD", False),
        ("IF DB_ID(N'PRS') IS NOT NULL BEGIN USE [PRS]; SELECT 1 END", False),
        ("SELECT 'DROP TABLE x' AS [CREATE] -- INSERT", False),
        ("IF 1 = 1 BEGIN DROP TABLE x END", True),
        ("SELECT 1 AS one INTO copy", True),
        ("RESTORE DATABASE x FROM DISK = N'x'", True),
        ("RESTORE LOG x FROM DISK = N'x'", True),
        ("EXEC master.sys.xp_dirtree N'D:\\'; EXEC master.sys.xp_create_subdir N'D:\\x'", True),
        ("EXEC (N'SELECT 1')", True),
        ("EXEC sp_executesql N'SELECT 1'", True),
        ("no T-SQL at all (", True),
    ],
)
def test_what_counts_as_a_query(text: str, writes: bool):
    """What the tests of check mode rest on."""
    if available():
        pytest.skip(str(available()))
    assert _judge().writes(text) == writes
