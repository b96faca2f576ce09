"""The controller is killed (SIGKILL) while Windows brings a backup to its place, while old ones are removed, while one
is encrypted.

What the killed run had begun, the next one finishes: the rows come back from the folder that counts, and nothing is
left over.
"""

from __future__ import annotations

import threading
import time

import pytest
from prs_lab.windows import sessions

from .conftest import SHARE, SYSTEM, mark
from .test_controller_killed import kill_at, locks, running, wait_for

STAGE = "D:\\Stage"
REAL = "D:\\Shares\\backup"


@pytest.fixture
def kill_at_verb(monkeypatch):
    """Run sql_backup up to the nth call of a verb on Windows, and kill it there; what Windows was asked it still does."""

    def kill(server, verb, number, **options):
        reached, killed, seen = threading.Event(), threading.Event(), 0
        run_script = sessions.run_script

        def stopping(caller, name, *given, **named):
            nonlocal seen
            seen += name == verb and caller.host is server.host
            if seen == number and not reached.is_set():
                reached.set()
                killed.wait(120)
            return run_script(caller, name, *given, **named)

        with monkeypatch.context() as patched:
            patched.setattr(sessions, "run_script", stopping)
            with running(server, "sql_backup", **options) as process:
                wait_for(reached.is_set, process, seconds=120)
            killed.set()
            ends = time.monotonic() + 60
            while locks(server):
                assert time.monotonic() < ends, "the server does not notice that its client is gone"
                time.sleep(0.05)

    return kill


@pytest.fixture
def on_share(name):
    return f"{SHARE}\\carried\\{name}"


def whole(view, folder):
    """The backups in a folder, each with its manifest; nothing else may lie there."""
    names = view.list(folder)
    files = [name for name in names if name.endswith((".bak", ".trn"))]
    assert sorted(names) == sorted([*files, *(f"{name}.manifest.json" for name in files)])
    return files


CARRYING = [
    ("write_lines", 1),  # the note
    ("copy_file", 1),
    pytest.param("move", 1, marks=pytest.mark.nightly),
    ("write_lines", 2),  # the manifest
    pytest.param("hash_files", 1, marks=pytest.mark.nightly),
    pytest.param("hash_files", 2, marks=pytest.mark.nightly),
    pytest.param("remove", 1, marks=pytest.mark.nightly),
    ("remove", 2),  # the local file
    pytest.param("remove", 3, marks=pytest.mark.nightly),  # the note
]


@pytest.mark.parametrize(("verb", "number"), CARRYING)
def test_while_it_is_carried(sql_a, sql_b, database, on_share, share, kill_at_verb, verb, number):
    asked = {"database": database, "path": on_share, "stage_path": STAGE, **sql_a.windows, **sql_a.share_account}
    sql_a.run("sql_backup", **asked)
    mark(sql_a, database, 2, "in the log of the killed run")
    kill_at_verb(sql_a, verb, number, kind="log", **asked)
    mark(sql_a, database, 3, "after it")
    sql_a.run("sql_backup", kind="log", **asked)
    assert sql_a.host.files(SYSTEM).list(STAGE) == []
    whole(share, on_share.replace(SHARE, REAL))
    sql_b.run("sql_restore", database=database, source={"folders": [on_share]})
    assert sql_b.marks(database) == [1, 2, 3]


@pytest.mark.parametrize("moment", ["in BACKUP LOG", pytest.param("RESTORE VERIFYONLY", marks=pytest.mark.nightly)])
def test_while_the_server_writes_what_is_to_be_carried(sql_a, sql_b, database, on_share, share, moment):
    asked = {"database": database, "path": on_share, "stage_path": STAGE, **sql_a.windows, **sql_a.share_account}
    sql_a.run("sql_backup", **asked)
    mark(sql_a, database, 2, "in the log of the killed run")
    kill_at(sql_a, moment, "sql_backup", kind="log", **asked)
    mark(sql_a, database, 3, "after it")
    sql_a.run("sql_backup", kind="log", **asked)
    assert sql_a.host.files(SYSTEM).list(STAGE) == []
    whole(share, on_share.replace(SHARE, REAL))
    sql_b.run("sql_restore", database=database, source={"folders": [on_share]})
    assert sql_b.marks(database) == [1, 2, 3]


@pytest.mark.parametrize(
    ("verb", "number"), [("copy_file", 1), pytest.param("write_lines", 2, marks=pytest.mark.nightly)]
)
def test_while_it_is_copied(sql_a, sql_b, database, on_share, share, kill_at_verb, verb, number):
    asked = {
        "database": database,
        "path": f"D:\\Backup\\{database}",
        "copy_to": on_share,
        **sql_a.windows,
        **sql_a.share_account,
    }
    sql_a.run("sql_backup", **asked)
    mark(sql_a, database, 2, "in the log of the killed run")
    kill_at_verb(sql_a, verb, number, kind="log", **asked)
    mark(sql_a, database, 3, "after it")
    sql_a.run("sql_backup", kind="log", **asked)
    assert len(whole(sql_a.host.files(SYSTEM), asked["path"])) == len(whole(share, on_share.replace(SHARE, REAL))) == 3
    sql_b.run("sql_restore", database=database, source={"folders": [on_share]})  # the copies alone
    assert sql_b.marks(database) == [1, 2, 3]


@pytest.mark.parametrize("carried", [False, pytest.param(True, marks=pytest.mark.nightly)])
def test_while_old_ones_are_removed(sql_a, sql_b, database, on_share, share, kill_at_verb, carried):
    asked = {
        "database": database,
        "path": on_share,
        **({"stage_path": STAGE} if carried else {}),
        **sql_a.windows,
        **sql_a.share_account,
    }
    for number in (2, 3):
        sql_a.run("sql_backup", **asked)
        mark(sql_a, database, number, "in the log")
        sql_a.run("sql_backup", kind="log", **asked)
    mark(sql_a, database, 4, "in the log of the killed run")
    last = {"kind": "log", "retention": {"last": 1}, **asked}
    if carried:
        kill_at_verb(
            sql_a, "remove", 6, **last
        )  # 3 for what was carried, then the manifest and the log before the full
    else:
        kill_at(sql_a, "xp_delete_file", "sql_backup", **last)
    sql_b.run("sql_restore", database=f"{database}_between", source={"folders": [on_share], "database": database})
    assert sql_b.marks(f"{database}_between") == [1, 2, 3, 4]
    mark(sql_a, database, 5, "after it")
    sql_a.run("sql_backup", **last)
    assert len([name for name in share.list(on_share.replace(SHARE, REAL)) if name.endswith(".manifest.json")]) == 4
    assert len([name for name in share.list(on_share.replace(SHARE, REAL)) if name.endswith((".bak", ".trn"))]) == 4
    sql_b.run("sql_restore", database=database, source={"folders": [on_share]})
    assert sql_b.marks(database) == [1, 2, 3, 4, 5]


def test_while_it_is_encrypted(sql_a, database):
    folder, name = f"D:\\Backup\\{database}", f"of {database}"
    if not sql_a.ask("SELECT 1 FROM sys.symmetric_keys WHERE name = '##MS_DatabaseMasterKey##'"):
        sql_a.ask("CREATE MASTER KEY ENCRYPTION BY PASSWORD = 'Master-Passw0rd'")
    sql_a.ask(f"CREATE CERTIFICATE [{name}] WITH SUBJECT = 'a test'")
    try:
        asked = {"database": database, "path": folder, "encryption": {"certificate": name}, **sql_a.windows}
        kill_at(sql_a, "in BACKUP DATABASE", "sql_backup", **asked)
        mark(sql_a, database, 2, "after the first attempt")
        backup = sql_a.run("sql_backup", **asked)["backup"]
        assert backup["verified"] is True and backup["encryption"]["thumbprint"]
        sql_a.run("sql_restore", database=f"{database}_back", source={"folders": [folder], "database": database})
        assert sql_a.marks(f"{database}_back") == [1, 2]
    finally:
        sql_a.ask(f"DROP CERTIFICATE [{name}]")
