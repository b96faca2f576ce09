"""The last road: the database's server and all backups are lost, and a disk with its files is left."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest
from mirrored import ask
from playbook_lab import MARKERS, MOVED, Estate

DATA, LOG = "PasswordResetServer.mdf", "PasswordResetServer_log.ldf"
SAVED = ("-e", r'{"prs_data_file_folders": ["E:\\saved"]}')
AFTER = "written after the last backup"


def drives(estate: Estate, host: str) -> Path:
    return estate.lab.state_dir / "hosts" / host / "drives"


def saved(estate: Estate) -> Path:
    """A folder on the database server's second disk, past Windows."""
    return drives(estate, "sql-a") / "E" / "saved"


def files_of_the_database(estate: Estate) -> dict[str, bytes]:
    """What lies on the drives of the server, which is off or whose SQL Server is stopped."""
    found = {path.name: path.read_bytes() for path in drives(estate, "sql-a").rglob("PasswordResetServer*.?df")}
    assert sorted(found) == [DATA, LOG]
    return found


def lose_everything(estate: Estate, kept: dict[str, bytes]) -> None:
    """A new server stands in the place of the old one, with the disk of the old one in it; the backups are gone."""
    estate.lab.wipe("sql-a")
    for name in ("database", "application", "sets"):
        for path in (drives(estate, "files") / "D" / "Shares" / "backup" / name).iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    saved(estate).mkdir(parents=True)
    for name, content in kept.items():
        (saved(estate) / name).write_bytes(content)


def crashed(estate: Estate) -> dict[str, bytes]:
    """The power fails: what was committed last is in the log alone."""
    estate.lab.mark([AFTER])
    estate.lab.kill("sql-a")
    return files_of_the_database(estate)


def closed(estate: Estate) -> dict[str, bytes]:
    estate.lab.mark([AFTER])
    estate.task("sql-a", "ansible.windows.win_service", name="MSSQLSERVER", state="stopped")
    return files_of_the_database(estate)


def hashes(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_files_of_a_crash_come_back_with_every_row_by_their_log(estate: Estate):
    lose_everything(estate, crashed(estate))
    before = hashes(saved(estate))
    told = estate.play("rebuild_prs", "--check", *SAVED)
    assert told.code == 0, told.output
    assert r"-> attach (E:\saved): loses at most" in told.output.replace("\\\\", "\\")
    assert "copy, check and attach the data files in E:" in told.output
    assert "THE ROWS IN ITS FILES SAY: 1 row in dbo.tbUser; what is in the log alone is not counted" in told.output
    run = estate.play("rebuild_prs", *SAVED)
    assert run.code == 0, run.output
    assert estate.labels() == [*MARKERS, AFTER]
    assert hashes(saved(estate)) == before, "what was found is only read"


@pytest.mark.nightly
def test_a_lost_log_of_files_that_were_closed_takes_a_yes(estate: Estate):
    kept = closed(estate)
    lose_everything(estate, {DATA: kept[DATA]})
    refused = estate.play("rebuild_prs", *SAVED)
    assert refused.code != 0
    assert "-e prs_allow_database_loss=true: their log is gone, and SQL Server makes a new one" in refused.failures
    assert "Nothing was touched." in refused.failures
    run = estate.play("rebuild_prs", *SAVED, "-e", "prs_allow_database_loss=true")
    assert run.code == 0, run.output
    assert estate.labels() == [*MARKERS, AFTER]
    backup = estate.play("backup_prs", *MOVED)  # the new log begins a chain
    assert backup.code == 0, backup.output
    again = estate.play("rebuild_prs", *SAVED)
    assert again.code == 0 and "-> nothing: loses nothing" in again.output, again.output
    assert estate.labels() == [*MARKERS, AFTER]


@pytest.mark.nightly
def test_without_the_log_that_is_needed_it_is_refused_in_words(estate: Estate):
    kept = crashed(estate)
    lose_everything(estate, {DATA: kept[DATA]})
    run = estate.play("rebuild_prs", *SAVED)
    assert run.code != 0
    assert "it was not closed cleanly, and its log is missing" in run.failures
    assert "Find PasswordResetServer_log (" in run.failures and "put it beside them and run again" in run.failures
    assert "Nothing was touched." in run.failures
    (saved(estate) / LOG).write_bytes(kept[LOG])
    run = estate.play("rebuild_prs", *SAVED)
    assert run.code == 0, run.output
    assert estate.labels() == [*MARKERS, AFTER]


@pytest.mark.nightly
def test_of_two_moments_the_newer_one_counts_and_a_fuzzy_copy_does_not(estate: Estate):
    earlier = closed(estate)
    estate.task("sql-a", "ansible.windows.win_service", name="MSSQLSERVER", state="started")
    estate.lab.mark(["later still"])
    estate.task("sql-a", "ansible.windows.win_service", name="MSSQLSERVER", state="stopped")
    later = files_of_the_database(estate)
    lose_everything(estate, {})
    for name, files in (("1 earlier", earlier), ("2 later", later)):
        for file, content in files.items():
            (saved(estate) / f"{name} {file}").write_bytes(content)
    # The log of one moment with the data of another, and the newest of all by its time.
    (saved(estate) / "3 fuzzy.mdf").write_bytes(earlier[DATA][: 32 * 8192] + later[DATA][32 * 8192 : -8192])
    told = estate.play("rebuild_prs", "--check", *SAVED)
    assert told.code == 0 and "-> attach (" in told.output, told.output
    run = estate.play("rebuild_prs", *SAVED)
    assert run.code == 0, run.output
    assert estate.labels() == [*MARKERS, AFTER, "later still"]


@pytest.mark.nightly
def test_files_that_are_newer_than_the_backups_are_taken_instead(estate: Estate):
    """And the backups where somebody insists."""
    kept = closed(estate)
    estate.lab.wipe("sql-a")
    saved(estate).mkdir(parents=True)
    for name, content in kept.items():
        (saved(estate) / name).write_bytes(content)
    told = estate.play("rebuild_prs", "--check", *SAVED)
    assert "-> attach (" in told.output and "   restore_set (" in told.output, told.output
    refused = estate.play("rebuild_prs", *SAVED, "-e", "prs_road=restore_set")
    assert "the road attach loses less" in refused.failures
    run = estate.play("rebuild_prs", *SAVED, "-e", "prs_road=restore_set", "-e", "prs_allow_database_loss=true")
    assert run.code == 0, run.output
    assert estate.labels() == MARKERS


@pytest.mark.nightly
def test_older_files_with_newer_times_are_not_taken_for_newer(estate: Estate):
    """A program copied them since the last backup, of which they do not know."""
    kept = closed(estate)
    estate.task("sql-a", "ansible.windows.win_service", name="MSSQLSERVER", state="started")
    estate.lab.mark(["later still"])
    backed_up = estate.play("backup_prs", "-e", "prs_backup_accept_unhealthy=true")  # at this address no page answers
    assert backed_up.code == 0, backed_up.output
    estate.lab.wipe("sql-a")
    saved(estate).mkdir(parents=True)
    for name, content in kept.items():
        (saved(estate) / name).write_bytes(content)
    newest = (*SAVED, "-e", "prs_restore_set=newest")
    refused = estate.play("rebuild_prs", *newest)
    assert "Each road needs a yes" in refused.failures and "only their times say" in refused.failures
    run = estate.play("rebuild_prs", *newest, "-e", "prs_road=restore_set", "-e", "prs_allow_database_loss=true")
    assert run.code == 0, run.output
    assert estate.labels() == [*MARKERS, AFTER, "later still"]


@pytest.mark.nightly
def test_files_in_the_folders_of_the_server_are_found_without_a_word(estate: Estate):
    """The database was detached, or its server was set up again beside what is left on its disk."""
    estate.lab.mark([AFTER])
    ask(estate, "sql-a", "ALTER DATABASE [PasswordResetServer] SET SINGLE_USER WITH ROLLBACK IMMEDIATE; SELECT 1")
    ask(estate, "sql-a", "EXEC sp_detach_db N'PasswordResetServer'; SELECT 1")
    run = estate.play("rebuild_prs")
    assert run.code == 0 and "-> attach (" in run.output, run.output
    assert estate.labels() == [*MARKERS, AFTER]


@pytest.mark.nightly
def test_a_damaged_page_is_found_before_the_application_gets_the_database(estate: Estate):
    """Some pages of a file tell what it is; SQL Server reads all of them, and the way on is said."""
    kept = closed(estate)
    estate.lab.wipe("sql-a")
    saved(estate).mkdir(parents=True)
    turned = bytearray(kept[DATA])
    turned[-8192 + 500] ^= 1
    for name, content in {**kept, DATA: bytes(turned)}.items():
        (saved(estate) / name).write_bytes(content)
    before = hashes(saved(estate))
    run = estate.play("rebuild_prs", *SAVED)
    assert run.code != 0 and "DBCC CHECKDB found damage in database PasswordResetServer" in run.failures, run.output
    assert "The copies were dropped from" in run.failures
    assert "The next best road is restore_set" in run.failures
    assert "run again with -e prs_road=restore_set -e prs_allow_database_loss=true" in run.failures
    assert ask(estate, "sql-a", "SELECT COUNT(*) FROM sys.databases WHERE name = 'PasswordResetServer'") == [(0,)]
    assert hashes(saved(estate)) == before
    run = estate.play("rebuild_prs", *SAVED, "-e", "prs_road=restore_set", "-e", "prs_allow_database_loss=true")
    assert run.code == 0, run.output
    assert estate.labels() == MARKERS
