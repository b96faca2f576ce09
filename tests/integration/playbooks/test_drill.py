"""The drill leaves nothing behind but its record: after success, after a fault at each of its steps, and after it was
killed.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pymssql
import pytest
from playbook_lab import MARKERS, ROOT, Estate
from prs_lab.application.keys import DatabaseConfig, encode_database

FOLDER = r"C:\prs_drill"
DATABASE, LOGIN, SITE = "PasswordResetServer_drill", "prs_app_drill", "PasswordResetServer_drill"

Heal = Callable[[], None]


def config(estate: Estate, folder: Path, **other: str) -> tuple[str, str]:
    """Arguments that name a database.config as the product's wizard writes it for a drill on sql-a."""
    settings = {
        "server": "sql-a.prslab.test",
        "database": DATABASE,
        "login": LOGIN,
        "password": estate.lab.description.secrets.application_login,
        **other,
    }
    file = folder / "database.config"
    file.write_bytes(encode_database(DatabaseConfig(**settings)))
    return "-e", f"prs_drill_database_config={file}"


def ask(estate: Estate, query: str) -> list[str]:
    server, secrets = estate.lab.description.host("sql-a"), estate.lab.description.secrets
    with pymssql.connect(
        server=server.address,
        port="1433",
        user="prs_recovery",
        password=secrets.sql_admin,
        login_timeout=30,
        timeout=60,
        tds_version="7.4",
    ) as connection:
        cursor = connection.cursor()
        cursor.execute(query)
        return sorted(str(row[0]) for row in cursor.fetchall())


def inventory(estate: Estate) -> dict[str, Any]:
    """Everything that a drill could leave: the web servers to the last byte, SQL Server's databases, logins and files,
    the shares' files.
    """

    def files(host: str) -> list[str]:
        drives = estate.lab.state_dir / "hosts" / host / "drives"
        found = (path.relative_to(drives) for path in drives.rglob("*"))
        return sorted(str(path) for path in found if {"Users", "drills", "journal"}.isdisjoint(path.parts))

    whole = {host: estate.lab.digest(host)[host] for host in ("web-a", "web-b", "sql-b")}
    return {
        **whole,
        "sql files": files("sql-a"),
        "shared files": files("files"),
        "databases": ask(estate, "SELECT name FROM sys.databases"),
        "logins": ask(estate, "SELECT name FROM sys.server_principals"),
    }


def records(estate: Estate) -> list[dict[str, Any]]:
    """The newest last."""
    folder = estate.lab.state_dir / "hosts/files/drives/D/Shares/backup/drills"
    return [json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))]


@pytest.fixture
def untouched(shared_estate: Estate):
    """What there is before, to be compared with what is there after."""
    before = inventory(shared_estate)
    yield before
    assert inventory(shared_estate) == before
    assert [row["label"] for row in shared_estate.lab.page().rows] == MARKERS


def test_a_drill_that_passes(shared_estate: Estate, untouched: dict[str, Any], tmp_path: Path):
    run = shared_estate.play(
        "drill_prs",
        *config(shared_estate, tmp_path),
        "-e",
        json.dumps({"prs_drill_query": "SELECT COUNT(*) FROM dbo.tbMarker"}),
    )
    assert run.code == 0, run.output
    record = records(shared_estate)[-1]
    assert {key: record[key] for key in ("state", "cleaned", "page", "left", "checkdb", "problem")} == {
        "state": "passed",
        "cleaned": True,
        "page": "ready",
        "left": [],
        "checkdb": "full",
        "problem": "",
    }
    assert 0 <= record["database_seconds"] <= record["rto_seconds"] and record["rpo_seconds"] > 0
    told = shared_estate.play("verify_prs", "--limit", "web-a", "-e", "prs_drill_days=7")
    assert "passed " in told.output and "drill: " not in told.failures, told.output


def _sql(pattern: str) -> Callable[[Estate], Heal]:
    def make(estate: Estate) -> Heal:
        estate.lab.fault(
            "sql", host="sql-a", action="error", pattern=pattern, times=0, text="Lab: it was asked to fail."
        )
        return lambda: estate.lab.unfault("sql", host="sql-a", action="error")

    return make


def _full(estate: Estate) -> Heal:
    estate.lab.fault("disk-size", host="web-a", drive="C", size="1 MB")
    return lambda: estate.lab.unfault("disk-size", host="web-a", drive="C")


def _module(pattern: str, *, after: int = 0) -> Callable[[Estate], Heal]:
    """A module of Ansible fails on the web server."""

    def make(estate: Estate) -> Heal:
        estate.lab.fault("module", host="web-a", pattern=pattern, after=after, text="Lab: it was asked to fail.")
        return lambda: estate.lab.unfault("module", host="web-a")

    return make


def _nothing(_estate: Estate) -> Heal:
    return lambda: None


@pytest.mark.parametrize(
    ("make", "other", "arguments", "said"),
    [
        pytest.param(
            _nothing,
            {},
            ("-e", "prs_restore_set=nowhere"),
            "There is no recovery set 'nowhere'",
            id="choose the set",
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            _sql("^RESTORE DATABASE"), {}, (), "asked to fail", id="restore the database", marks=pytest.mark.nightly
        ),
        pytest.param(
            _sql("^DBCC CHECKDB"), {}, (), "asked to fail", id="check the database", marks=pytest.mark.nightly
        ),
        pytest.param(
            _nothing,
            {},
            ("-e", json.dumps({"prs_drill_query": "SELECT 0"})),
            "the query in 'validation_query' answers 0",
            id="ask the database",
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            _module("web_app_pool .*_drill.*stopped"),
            {},
            (),
            "asked to fail",
            id="make the pool",
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            _module("win_file .*prs_drill.*directory"),
            {},
            (),
            "asked to fail",
            id="make the folder",
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            _module("win_acl .*prs_drill", after=1),
            {},
            (),
            "asked to fail",
            id="give rights on it",
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            _module("win_acl_inheritance .*prs_drill"),
            {},
            (),
            "asked to fail",
            id="take rights away",
            marks=pytest.mark.nightly,
        ),
        pytest.param(_full, {}, (), "MB free", id="restore the application", marks=pytest.mark.nightly),
        pytest.param(
            _module(r"win_copy .*database\.config"),
            {},
            (),
            "Lead it to the restored database",
            id="copy the database.config",
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            _module("website .*_drill.*started"), {}, (), "asked to fail", id="make the site", marks=pytest.mark.nightly
        ),
        pytest.param(
            _module("web_app_pool .*_drill.*started"),
            {},
            (),
            "asked to fail",
            id="start the pool",
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            _nothing,
            {"database": "PasswordResetServer", "login": "prs_app"},
            (),
            "answers before the login prs_app_drill exists",
            id="a database.config that leads to production",
            marks=pytest.mark.nightly,
        ),
        pytest.param(_sql("^CREATE LOGIN"), {}, (), "asked to fail", id="make the login", marks=pytest.mark.nightly),
        pytest.param(
            _module("web_app_pool .*_drill.*restarted"),
            {},
            (),
            "asked to fail",
            id="start the pool anew",
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            _nothing,
            {"password": "wrong"},
            (),
            "does not answer from the restored database",
            id="read the page",
            marks=pytest.mark.nightly,
        ),
    ],
)
def test_a_drill_that_fails_at_a_step(
    shared_estate: Estate, untouched: dict[str, Any], tmp_path: Path, make, other, arguments, said
):
    heal = make(shared_estate)
    try:
        run = shared_estate.play("drill_prs", *config(shared_estate, tmp_path, **other), *arguments)
    finally:
        heal()
    assert run.code != 0
    assert said in run.failures.replace("\n", " "), run.output
    record = records(shared_estate)[-1]
    assert (record["state"], record["cleaned"]) == ("failed", True)
    assert said in record["problem"]


@pytest.mark.nightly
def test_a_drill_whose_records_have_no_place_begins_nothing(
    shared_estate: Estate, untouched: dict[str, Any], tmp_path: Path
):
    shared_estate.lab.fault("share-gone", host="files", share="backup")
    try:
        run = shared_estate.play("drill_prs", *config(shared_estate, tmp_path))
    finally:
        shared_estate.lab.unfault("share-gone", host="files", share="backup")
    assert run.code != 0 and "RESTORE" not in run.output


@pytest.mark.nightly
def test_what_could_not_be_cleared_away_is_said_and_goes_with_the_next_drill(
    shared_estate: Estate, untouched: dict[str, Any], tmp_path: Path
):
    shared_estate.lab.fault("sql", host="sql-a", action="error", pattern="^DROP DATABASE", times=0)
    run = shared_estate.play("drill_prs", *config(shared_estate, tmp_path))
    shared_estate.lab.unfault("sql", host="sql-a", action="error")
    assert f"Not cleared away: the database {DATABASE} on sql-a" in run.failures
    assert records(shared_estate)[-1]["cleaned"] is False
    again = shared_estate.play("drill_prs", *config(shared_estate, tmp_path))
    assert again.code == 0, again.output
    assert all(record["cleaned"] for record in records(shared_estate))


@pytest.mark.nightly
def test_a_drill_whose_end_cannot_be_written_down_is_cleared_up_and_fails(
    shared_estate: Estate, untouched: dict[str, Any], tmp_path: Path
):
    shared_estate.lab.fault(
        "module", host="web-a", pattern=r"win_copy .*\\drills\\", after=1, text="Lab: it was asked to fail."
    )
    run = shared_estate.play("drill_prs", *config(shared_estate, tmp_path))
    shared_estate.lab.unfault("module", host="web-a")
    assert run.code != 0 and "asked to fail" in run.failures, run.output
    assert records(shared_estate)[-1]["state"] == "running"
    again = shared_estate.play("drill_prs", "-e", "prs_drill_stale_minutes=0", *config(shared_estate, tmp_path))
    assert again.code == 0, again.output
    assert [record["cleaned"] for record in records(shared_estate)[-2:]] == [True, True]


@pytest.mark.nightly
def test_a_web_server_that_is_lost_during_a_drill(shared_estate: Estate, untouched: dict[str, Any], tmp_path: Path):
    """What the drill made on the database server goes at once, the rest with the next drill."""
    begun = shared_estate.lab.mark_record()
    shared_estate.lab.fault("sql", host="sql-a", action="delay", pattern="^DBCC CHECKDB", seconds=20)
    with ThreadPoolExecutor(1) as aside:
        drill = aside.submit(shared_estate.play, "drill_prs", *config(shared_estate, tmp_path))
        deadline = time.monotonic() + 300
        while not any(
            entry["text"].startswith("DBCC CHECKDB")
            for entry in shared_estate.lab.record("sql", host="sql-a", since=begun)
        ):
            assert not drill.done() and time.monotonic() < deadline
            time.sleep(0.2)
        shared_estate.lab.kill("web-a")
        run = drill.result()
    assert run.code != 0 and "web-a" in run.failures, run.output
    assert DATABASE not in ask(shared_estate, "SELECT name FROM sys.databases")
    shared_estate.lab.start("web-a")
    again = shared_estate.play("drill_prs", "-e", "prs_drill_stale_minutes=0", *config(shared_estate, tmp_path))
    assert again.code == 0, again.output
    assert [record["cleaned"] for record in records(shared_estate)[-2:]] == [True, True]


@pytest.mark.nightly
def test_names_that_are_taken_are_refused(shared_estate: Estate, one_message, tmp_path: Path):
    before, drills = inventory(shared_estate), len(records(shared_estate))
    names = {
        "prs_drill_database": "master",
        "prs_drill_login": "prs_app",
        "prs_drill_site": "PasswordResetServer",
        "prs_drill_port": 8443,
        "prs_drill_folder": r"C:\inetpub\wwwroot",
    }
    one_message(
        shared_estate.play("drill_prs", "-e", json.dumps(names)),
        "No drill was begun",
        "prs_drill_login",
        "prs_drill_site",
        "8443",
        "prs_drill_folder",
    )
    names = {"prs_drill_database": "master"}
    one_message(
        shared_estate.play("drill_prs", "-e", json.dumps(names)), "the database master on sql-a is there already"
    )
    assert inventory(shared_estate) == before and len(records(shared_estate)) == drills


@pytest.mark.parametrize("arguments", [[], pytest.param(["--check"], marks=pytest.mark.nightly)], ids=["run", "check"])
def test_what_the_backups_say_where_no_sql_server_answers(
    shared_estate: Estate, untouched: dict[str, Any], arguments: list[str]
):
    """Nothing can be restored: they are read to their end instead, and nothing else is touched."""
    drills = len(records(shared_estate))
    shared_estate.task("sql-a", "ansible.windows.win_service", name="MSSQLSERVER", state="stopped")
    run = shared_estate.play("drill_prs", *arguments)
    shared_estate.task("sql-a", "ansible.windows.win_service", name="MSSQLSERVER", state="started")
    assert run.code != 0 and len(records(shared_estate)) == drills
    said = " ".join(run.output.split())
    assert "No drill was begun, nothing was touched." in said and "SQL Server on sql-a does not answer" in said
    assert re.search(r"the backup files themselves say: recovery point \S+ UTC, 1 backup of SQL-A", said)
    assert bool(re.search(r"could be judged by the checksums in them: none damaged", said)) == (not arguments)


def test_check_mode_only_looks(shared_estate: Estate, untouched: dict[str, Any]):
    drills = len(records(shared_estate))
    half = shared_estate.lab.state_dir / "hosts/files/drives/D/Shares/backup/drills/20250101T000000Z.json"
    half.parent.mkdir(exist_ok=True)
    half.write_text('{\n    "begun_at": "2025-')
    run = shared_estate.play("drill_prs", "--check")
    half.unlink()
    assert run.code == 0, run.output
    assert "20250101T000000Z.json cannot be read and does not count" in " ".join(run.output.split())
    assert "restores the newest recovery set as PasswordResetServer_drill on sql-a" in " ".join(run.output.split())
    assert run.changed == 0 and len(records(shared_estate)) == drills


def descendants(pid: int) -> list[int]:
    """Ansible gives what it starts sessions of their own, so a signal to its group would let the module live on."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [found for child in map(int, children) for found in (*descendants(child), child)]


@pytest.mark.nightly
def test_what_a_killed_drill_left_is_cleared_away_by_the_next(
    shared_estate: Estate, untouched: dict[str, Any], one_message, tmp_path: Path
):
    """Killed while the restored database is being checked: the database is there, and nobody knows but the record."""
    begun = shared_estate.lab.mark_record()
    shared_estate.lab.fault("sql", host="sql-a", action="delay", pattern="^DBCC CHECKDB", seconds=600)
    command = [
        str(Path(sys.executable).parent / "ansible-playbook"),
        "-i",
        str(shared_estate.lab.state_dir / "inventory"),
        "prs.recovery.drill_prs",
    ]
    settings = {
        **os.environ,
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "collections"),
        "ANSIBLE_HOME": str(shared_estate.lab.state_dir / "ansible"),
    }
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=settings,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as drill:
        deadline = time.monotonic() + 300
        while not any(
            entry["text"].startswith("DBCC CHECKDB")
            for entry in shared_estate.lab.record("sql", host="sql-a", since=begun)
        ):
            assert drill.poll() is None and time.monotonic() < deadline
            time.sleep(0.2)
        for pid in [*descendants(drill.pid), drill.pid]:
            os.kill(pid, signal.SIGKILL)
    shared_estate.lab.unfault("sql", host="sql-a", action="delay")
    assert DATABASE in ask(shared_estate, "SELECT name FROM sys.databases")
    assert (records(shared_estate)[-1]["state"], records(shared_estate)[-1]["cleaned"]) == ("running", False)
    one_message(shared_estate.play("drill_prs"), "has not ended", "prs_drill_stale_minutes=0")
    again = shared_estate.play("drill_prs", "-e", "prs_drill_stale_minutes=0", *config(shared_estate, tmp_path))
    assert again.code == 0, again.output
    killed, passed = records(shared_estate)[-2:]
    assert (killed["state"], killed["cleaned"], killed["cleaned_by"]) == ("failed", True, passed["label"])
    assert passed["state"] == "passed"
