"""A site that lost everything, and backups that nobody has written down: what they hold is said before anything is
installed.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from mirrored import ask
from playbook_lab import MARKERS, Estate, table_rows

SHARE = "\\\\files\\backup\\database"
POINT = re.compile(r"the backup files themselves say: recovery point (\S+) UTC")


def folder(estate: Estate, name: str) -> Path:
    """A folder of the share, past Windows."""
    return estate.lab.state_dir / "hosts" / "files" / "drives" / "D" / "Shares" / "backup" / name


def forget_manifests(estate: Estate) -> None:
    paths = [*folder(estate, "sets").glob("*"), *folder(estate, "database").rglob("*.json")]
    assert paths
    for path in paths:
        path.unlink()


def backup(estate: Estate, what: str, name: str) -> None:
    """A DBA's own backup, of which no manifest tells."""
    ask(estate, "sql-a", f"BACKUP {what} [PasswordResetServer] TO DISK = N'{SHARE}\\{name}'; SELECT 1")


def test_the_recovery_point_is_said_before_anything_is_installed(estate: Estate):
    ask(estate, "sql-a", "ALTER DATABASE [PasswordResetServer] SET RECOVERY FULL; SELECT 1")
    backup(estate, "DATABASE", "dba.bak")
    for name in ("dba_1.trn", "dba_2.trn"):
        estate.lab.mark([f"in {name}"])
        backup(estate, "LOG", name)
    estate.lab.mark(["in no backup"])
    data = (folder(estate, "database") / "dba_2.trn").read_bytes()
    (folder(estate, "database") / "broken.trn").write_bytes(data[: len(data) // 2])
    forget_manifests(estate)
    estate.lose_site_a()

    before = estate.lab.digest()
    planned = estate.play("rebuild_prs", "--check")
    assert planned.code == 0, planned.output
    assert estate.lab.digest() == before
    (said,) = set(POINT.findall(planned.output))
    assert "3 backups of SQL-A, made by SQL Server 15.0" in planned.output
    assert re.search(r"NOTE: broken\.trn is left to SQL Server: .*it has no end", planned.output)

    run = estate.play("rebuild_prs")
    assert run.code == 0, run.output
    assert f"recovery point {said}" in run.output
    assert estate.labels() == [*MARKERS, "in dba_1.trn", "in dba_2.trn"]


@pytest.mark.nightly
def test_verify_reads_the_files_where_sql_server_does_not_answer(estate: Estate):
    estate.task("sql-a", "ansible.windows.win_service", name="MSSQLSERVER", state="stopped")
    run = estate.play("verify_prs")
    assert run.code != 0
    (value,) = [row[3] for row in table_rows(run) if row[1] == "recovery point"]
    assert re.search(r" old, as the files say: SQL Server does not answer", value)
