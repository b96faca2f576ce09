"""The controller is killed (SIGKILL) in the middle of a backup or a restore; the same task again brings the right rows.

A module is a process of its own here, as ansible runs it, so that it can be killed alone. A delay of the server at a
statement, or its speed, makes the moments.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._sql.instance.locks import lock_name
from prs_lab.sqlserver.faults import Fault

from .conftest import ADMIN, MODULES, PASSWORD, SHARE, Failed, mark

ROOT = Path(__file__).resolve().parents[3]
RUN = f"""
import importlib, json, sys
from ansible.module_utils.testing import patch_module_args
name, arguments = json.load(sys.stdin)
with patch_module_args(arguments):
    importlib.import_module("{MODULES}." + name).main()
"""
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "build" / "collections")}
FOREVER = 100.0


@pytest.fixture
def folder(database):
    return f"{SHARE}\\killed\\{database}"


@contextlib.contextmanager
def running(server, name, **options):
    """A module in a process of its own; whatever happens, it ends by SIGKILL."""
    login = {
        "login_host": server.host.address,
        "login_user": ADMIN,
        "login_password": PASSWORD,
        "certificate_name": server.host.fqdn,
    }
    arguments = {**login, "ca_file": server.ca_file, **options}
    process = subprocess.Popen(
        [sys.executable, "-c", RUN],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=ENVIRONMENT,
    )
    process.stdin.write(json.dumps([name, arguments]).encode())
    process.stdin.close()
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def wait_for(condition, process, *, seconds=60):
    ends = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.stdout.read().decode()
        assert time.monotonic() < ends, "it never came to that"
        time.sleep(0.02)


def percent(server):
    return max(float(row[0] or 0) for row in server.ask("SELECT percent_complete FROM sys.dm_exec_requests"))


def locks(server):
    return server.ask("SELECT COUNT(*) FROM sys.dm_tran_locks WHERE resource_type = 'APPLICATION'")[0][0]


def kill_at(server, moment, name, *, at=None, **options):
    """Run a module up to a moment: a statement that it sends, or (after "in ") the middle of it; kill it there, and let
    the server notice. at: the server that gets the statement, where it is not the one that the module logs in to.
    """
    at = at or server
    instance, record = at.instance, at.host.estate.record
    middle, text = moment.startswith("in "), moment.removeprefix("in ")
    since = record.last
    instance.faults.add(Fault(action="delay", pattern=re.escape(text), seconds=FOREVER))
    try:
        with running(server, name, **options) as process:
            wait_for(
                lambda: any(text in entry["text"] for entry in record.entries("sql", host=at.host.name, since=since)),
                process,
            )
            if middle:
                instance.io_seconds = FOREVER
                instance.faults.clear()  # the statement goes on, slowly
                wait_for(lambda: percent(at) > 0.5, process)
        ends = time.monotonic() + 60
        while locks(server) or locks(at):
            assert time.monotonic() < ends, "the server does not notice that its client is gone"
            time.sleep(0.02)
    finally:
        instance.io_seconds = 0.0
        instance.faults.clear()


BACKUP = {
    "before it took the lock": "sp_getapplock",
    "before the backup": "BACKUP DATABASE [",
    "in the middle of the backup": "in BACKUP DATABASE",
    "before msdb was asked": "backupmediafamily AS f",
    "before the verification": "RESTORE VERIFYONLY",
    "in the middle of the verification": "in RESTORE VERIFYONLY",
}


@pytest.mark.parametrize("moment", BACKUP)
def test_a_backup(sql_a, sql_b, database, folder, tmp_path, moment):
    manifest = tmp_path / "backup.json"
    options = {"database": database, "path": folder, "manifest": str(manifest)}
    kill_at(sql_a, BACKUP[moment], "sql_backup", **options)
    assert not manifest.exists()  # its presence would mean that the backup is complete
    mark(sql_a, database, 2, "after the first attempt")
    backup = sql_a.run("sql_backup", **options)["backup"]
    assert backup["verified"] is True and json.loads(manifest.read_text()) == backup
    sql_b.run("sql_restore", database=database, source={"folders": [folder]})
    assert sql_b.marks(database) == [1, 2]


RESTORE = {
    "while headers are read": "RESTORE HEADERONLY",
    "before the first restore": "RESTORE DATABASE",
    "in the middle of the full": "in RESTORE DATABASE",
    "before the log": "RESTORE LOG",
    "in the middle of the log": "in RESTORE LOG",
    "before the recovery": "WITH RECOVERY",
    "before the hand-over": "ALTER AUTHORIZATION",
}


@pytest.fixture
def backups(sql_a, database, folder):
    """A full backup with row 1, a log with row 2."""
    files = sql_a.run("sql_backup", database=database, path=folder)["backup"]["files"]
    mark(sql_a, database, 2, "in the log")
    return files + sql_a.run("sql_backup", database=database, kind="log", path=folder)["backup"]["files"]


@pytest.mark.parametrize("moment", RESTORE)
def test_a_restore(sql_b, database, folder, backups, moment):
    options = {"database": database, "source": {"folders": [folder]}}
    kill_at(sql_b, RESTORE[moment], "sql_restore", **options)
    result = sql_b.run("sql_restore", **options)
    assert sql_b.marks(database) == [1, 2]
    assert (
        result["database"]["state"] == "ONLINE"
        and result["database"]["user_access"] == "MULTI_USER"
        and result["database"]["owner"] == "sa"
    )


CHECKED = {
    "before the check": "DBCC CHECKDB",
    "in the middle of the check": "in DBCC CHECKDB",
    "before the query": "FROM dbo.marker",
    "before it is opened": "SET MULTI_USER",
}


@pytest.mark.parametrize("moment", CHECKED)
def test_a_check_after_a_restore(sql_b, database, folder, backups, moment):
    """Nobody works with it before the check truly ran; the next run makes up for it, whoever took the only place since."""
    options = {
        "database": database,
        "source": {"folders": [folder]},
        "checkdb": "full",
        "validation_query": "SELECT COUNT(*) FROM dbo.marker",
    }
    kill_at(sql_b, CHECKED[moment], "sql_restore", **options)
    [(access,)] = sql_b.ask("SELECT user_access_desc FROM sys.databases WHERE name = %s", database)
    assert access in ("RESTRICTED_USER", "SINGLE_USER")
    with contextlib.closing(sql_b.client(database)):
        result = sql_b.run("sql_restore", **options)
    assert (
        result["checked"] == "full"
        and result["database"]["user_access"] == "MULTI_USER"
        and result["database"]["owner"] == "sa"
    )
    assert sql_b.marks(database) == [1, 2]
    again = sql_b.run("sql_restore", **options)
    assert again["changed"] is False and again["checked"] == "full"


@pytest.mark.parametrize("moment", ["in RESTORE LOG", "WITH STANDBY"])
def test_a_standby(sql_a, sql_b, database, folder, backups, moment):
    options = {"database": database, "source": {"folders": [folder]}, "recovery": "standby"}
    kill_at(sql_b, moment, "sql_restore", **options)
    sql_b.run("sql_restore", **options)
    assert sql_b.marks(database) == [1, 2]
    mark(sql_a, database, 3, "in the next log")
    sql_a.run("sql_backup", database=database, kind="log", path=folder)
    kill_at(sql_b, moment, "sql_restore", **options)
    result = sql_b.run("sql_restore", **options)
    assert (
        sql_b.marks(database) == [1, 2, 3]
        and result["database"]["standby"] is True
        and result["database"]["user_access"] == "MULTI_USER"
    )


@pytest.mark.parametrize("moment", ["RESTORE DATABASE", "in RESTORE DATABASE", "RESTORE LOG", "in RESTORE LOG"])
def test_a_database_that_follows(sql_b, database, folder, backups, moment):
    options = {"database": database, "source": {"folders": [folder]}, "recovery": "norecovery"}
    kill_at(sql_b, moment, "sql_restore", **options)
    sql_b.run("sql_restore", **options)
    again = sql_b.run("sql_restore", **options)
    assert (again["changed"], again["plan"], sql_b.state_of(database)) == (False, {}, "RESTORING")
    sql_b.do(f"RESTORE DATABASE [{database}] WITH RECOVERY")
    assert sql_b.marks(database) == [1, 2]


@pytest.mark.parametrize("moment", ["FOR ATTACH", "ALTER AUTHORIZATION", "in DBCC CHECKDB"])
def test_an_attach(sql_a, database, moment):
    data, log = (
        path
        for (path,) in sql_a.ask(
            "SELECT physical_name FROM sys.master_files WHERE database_id = DB_ID(%s) ORDER BY type", database
        )
    )
    sql_a.do(f"EXEC sys.sp_detach_db @dbname = N'{database}'")
    options = {
        "database": database,
        "source": {"attach": {"data_files": [data], "log_files": [log]}},
        "checkdb": "physical",
    }
    kill_at(sql_a, moment, "sql_restore", **options)
    result = sql_a.run("sql_restore", **options)
    assert sql_a.marks(database) == [1] and result["checked"] == "physical"
    assert result["database"]["user_access"] == "MULTI_USER" and result["database"]["owner"] == "sa"


OVERWRITE = {
    "before the sessions are ended": "SET SINGLE_USER",
    "before the tail": "BACKUP LOG",
    "in the middle of the tail": "in BACKUP LOG",
    "after the tail": "RESTORE LABELONLY FROM DISK = N'{folder}\\{database}_tail",
    "before the first restore": "RESTORE DATABASE",
    "in the middle of the full": "in RESTORE DATABASE",
    "before the recovery": "WITH RECOVERY",
}


WHERE_THE_TAIL_IS = ("after the tail", "before the first restore", "in the middle of the full")
"""The moments at which it matters whether the tail lies where the next run looks; the others are for the night."""


@pytest.mark.parametrize(("moment", "source"), [
    pytest.param(moment, source, marks=() if source == "folders" or moment in WHERE_THE_TAIL_IS else pytest.mark.nightly)
    for moment in OVERWRITE for source in ("folders", "files")
])  # fmt: skip
def test_a_restore_over_a_living_database(sql_a, database, folder, backups, source, moment):
    """The row that only the tail of the log holds is not lost, wherever it was when the controller died."""
    mark(sql_a, database, 3, "in the tail alone")
    where = {"folders": {"folders": [folder]}, "files": {"files": backups}}[source]
    options = {"database": database, "source": where, "replace": "always"}
    tails = folder if source == "folders" else "D:\\Backup"
    kill_at(sql_a, OVERWRITE[moment].format(folder=tails, database=database), "sql_restore", **options)
    sql_a.run("sql_restore", **options)
    assert sql_a.marks(database) == [1, 2, 3]
    assert sql_a.state_of(database) == "ONLINE"


@pytest.mark.parametrize("moment", ["after the tail", "before the first restore", "in the middle of the full"])
def test_a_restore_over_another_database_of_that_name(sql_a, sql_b, database, folder, backups, moment):
    """Its tail was saved among the backups; that must not make it the database that is meant."""
    sql_b.run("sql_database", name=database, recovery_model="FULL")
    sql_b.run("sql_backup", database=database)
    options = {"database": database, "source": {"folders": [folder]}, "replace": "always"}
    kill_at(sql_b, OVERWRITE[moment].format(folder=folder, database=database), "sql_restore", **options)
    sql_b.run("sql_restore", **options)
    assert sql_b.marks(database) == [1, 2]


@pytest.fixture
def playbook(tmp_path):
    """A context with an ansible-playbook process that runs one of our modules, in a session of its own."""

    @contextlib.contextmanager
    def start(server, name, **options):
        common = {
            "ansible_connection": "winrm",
            "ansible_user": "Administrator",
            "ansible_password": "not used",
            "ansible_host": server.host.address,
        }
        (tmp_path / "hosts.yml").write_text(json.dumps({"all": {"hosts": {"there": common}}}))
        login = {
            "login_user": ADMIN,
            "login_password": PASSWORD,
            "ca_file": server.ca_file,
            "certificate_name": server.host.fqdn,
        }
        play = {"hosts": "there", "gather_facts": False, "tasks": [{f"prs.recovery.{name}": {**login, **options}}]}
        (tmp_path / "play.yml").write_text(json.dumps([play]))
        (tmp_path / "ansible.cfg").touch()
        paths = {
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "collections"),
            "ANSIBLE_HOME": str(tmp_path / "home"),
        }
        process = subprocess.Popen(
            [Path(sys.executable).parent / "ansible-playbook", "-i", "hosts.yml", "play.yml"],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **paths, "ANSIBLE_CONFIG": str(tmp_path / "ansible.cfg")},
            start_new_session=True,
        )
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            process.stdout.close()

    return start


def test_a_backup_whose_playbook_was_killed(sql_a, sql_b, database, folder, playbook, slow):
    """ansible-core 2.19 gives its workers sessions of their own: the module may live on, and then it is another run at
    work.
    """
    options = {"database": database, "path": folder}
    slow(FOREVER)
    with playbook(sql_a, "sql_backup", **options) as process:
        wait_for(lambda: percent(sql_a) > 0.5, process)
    if locks(sql_a):
        with pytest.raises(Failed, match="Another run works on database"):
            sql_a.run("sql_backup", **options)
    slow(0.0)
    ends = time.monotonic() + 60
    while locks(sql_a):
        assert time.monotonic() < ends, "it does not end"
        time.sleep(0.05)
    mark(sql_a, database, 2, "after the first attempt")
    sql_a.run("sql_backup", **options)
    sql_b.run("sql_restore", database=database, source={"folders": [folder]})
    assert sql_b.marks(database) == [1, 2]


def test_a_restore_whose_playbook_was_killed_is_waited_for(sql_b, database, folder, backups, playbook, slow):
    options = {"database": database, "source": {"folders": [folder]}}
    record = sql_b.host.estate.record
    since = record.last
    slow(FOREVER)
    with playbook(sql_b, "sql_restore", **options) as process:
        wait_for(lambda: percent(sql_b) > 0.5, process)
    alive = locks(sql_b)
    slow(0.0)
    sql_b.run("sql_restore", **options)
    assert sql_b.marks(database) == [1, 2] and sql_b.state_of(database) == "ONLINE"
    started = [
        entry["text"]
        for entry in record.entries("sql", host=sql_b.host.name, since=since)
        if entry["text"].startswith("RESTORE DATABASE")
    ]
    if alive:
        assert sum(" FROM " in text for text in started) == 1  # the second run found the work done


def test_a_restore_that_another_session_runs_is_waited_for_not_started_twice(sql_b, database, folder, backups, slow):
    options = {"database": database, "source": {"folders": [folder]}}
    record, results = sql_b.host.estate.record, {}
    since = record.last

    def asked(text):
        return [
            entry["text"] for entry in record.entries("sql", host=sql_b.host.name, since=since) if text in entry["text"]
        ]

    second = threading.Thread(target=lambda: results.update(sql_b.run("sql_restore", **options)))
    slow(FOREVER)
    with running(sql_b, "sql_restore", **options) as first:
        wait_for(lambda: percent(sql_b) > 0.5, first)
        second.start()
        wait_for(lambda: len(asked("sp_getapplock")) > 1, first)
        slow(0.0)
        assert first.wait(60) == 0
        second.join(60)
    assert results["changed"] is False and results["plan"] == {} and sql_b.marks(database) == [1, 2]
    assert (
        len(asked("RESTORE DATABASE [")) == 2 and len(asked("RESTORE LOG [")) == 1
    )  # the full and its recovery, and the log, once each


def test_who_is_not_waited_for_longer_is_named(sql_b, database, backups, folder):
    with contextlib.closing(sql_b.client()) as holder, holder.cursor() as cursor:
        cursor.execute(
            f"EXEC sys.sp_getapplock @Resource = N'{lock_name(database)}', @LockMode = N'Exclusive', @LockOwner = "
            "N'Session'"
        )
        began = time.monotonic()
        with pytest.raises(Failed, match=f"Another run works on database {database}.* as {ADMIN}, session"):
            sql_b.run("sql_restore", database=database, source={"folders": [folder]}, lock_timeout=1)
        assert time.monotonic() - began > 0.9
