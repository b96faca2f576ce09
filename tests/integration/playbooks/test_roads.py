"""The roads of a rebuild, gone from one end to the other: what was told before is what is found afterwards."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from mirrored import ask
from playbook_lab import MARKERS, MOVED, Estate, Run, share_on_witness


def set_offline(estate: Estate) -> None:
    ask(estate, "sql-a", "ALTER DATABASE [PasswordResetServer] SET OFFLINE WITH ROLLBACK IMMEDIATE; SELECT 1")


def stop_sql_server(estate: Estate) -> None:
    estate.task("sql-a", "ansible.windows.win_service", name="MSSQLSERVER", state="stopped")


def stop_application(estate: Estate) -> None:
    estate.task("web-a", "microsoft.iis.web_app_pool", name="PasswordResetServer", state="stopped")


def lose_web_server(estate: Estate) -> None:
    estate.lab.wipe("web-a")


def told_and_gone(estate: Estate, disaster: Callable[[Estate], None], *, kept: bool) -> tuple[Run, Run]:
    """A disaster, its rebuild looked at first, which touches nothing, and gone; what was told, and the run after it,
    which changes nothing. kept: whether the row that no backup has is there in the end.
    """
    estate.lab.mark(["written after the backup"])
    disaster(estate)
    before = estate.lab.digest()
    told = estate.play("rebuild_prs", "--check")
    assert told.code == 0, told.output
    assert estate.lab.digest() == before
    run = estate.play("rebuild_prs")
    assert run.code == 0, run.output
    assert estate.labels() == [*MARKERS, *(["written after the backup"] if kept else [])]
    again = estate.play("rebuild_prs")
    assert (again.code, again.changed) == (0, 0), again.output
    return told, again


@pytest.mark.parametrize(
    ("disaster", "road"),
    [
        pytest.param(set_offline, "start", marks=pytest.mark.nightly),
        pytest.param(stop_sql_server, "start", marks=pytest.mark.nightly),
        pytest.param(stop_application, "start", marks=pytest.mark.nightly),
        pytest.param(lose_web_server, "mend_application", marks=pytest.mark.nightly),
    ],
)
def test_what_nothing_is_lost_by_is_gone_and_keeps_every_row(
    estate: Estate, disaster: Callable[[Estate], None], road: str
):
    told, again = told_and_gone(estate, disaster, kept=True)
    assert f"-> {road}: loses nothing, takes about" in told.output
    assert "WHAT WILL BE LOST: nothing of the database" in told.output
    assert "-> nothing: loses nothing, takes no time" in again.output


def leave_a_restore_half_done(estate: Estate) -> None:
    name = next((estate.lab.state_dir / "hosts/files/drives/D/Shares/backup/database").glob("*.bak")).name
    ask(
        estate,
        "sql-a",
        "ALTER DATABASE [PasswordResetServer] SET SINGLE_USER WITH ROLLBACK IMMEDIATE; "
        f"RESTORE DATABASE [PasswordResetServer] FROM DISK = N'\\\\files.prslab.test\\backup\\database\\{name}' "
        "WITH REPLACE, NORECOVERY; SELECT 1",
    )


def take_the_drive_away_for_a_while(estate: Estate) -> None:
    (file,) = (estate.lab.state_dir / "hosts/sql-a/drives").rglob("PasswordResetServer*.mdf")
    stop_sql_server(estate)
    file.rename(file.with_suffix(".away"))
    estate.task("sql-a", "ansible.windows.win_service", name="MSSQLSERVER", state="started")
    assert ask(estate, "sql-a", "SELECT state_desc FROM sys.databases WHERE name = 'PasswordResetServer'") == [
        ("RECOVERY_PENDING",)
    ]
    file.with_suffix(".away").rename(file)


def lose_the_manifests_too(estate: Estate) -> None:
    shutil.rmtree(estate.lab.state_dir / "hosts/files/drives/D/Shares/backup/sets")
    estate.lose_site_a()


@pytest.mark.parametrize(
    ("disaster", "road", "kept"),
    [
        (leave_a_restore_half_done, "finish_restore", False),
        pytest.param(lose_the_manifests_too, "restore_files", False, marks=pytest.mark.nightly),
        # Whether its files are there again only SQL Server tells, when it tries: told is what would be lost if not.
        pytest.param(take_the_drive_away_for_a_while, "restore_set", True, marks=pytest.mark.nightly),
    ],
)
def test_the_roads_of_a_database_that_is_not_whole(
    estate: Estate, disaster: Callable[[Estate], None], road: str, kept: bool
):
    told, _again = told_and_gone(estate, disaster, kept=kept)
    assert f"-> {road} (" in told.output
    assert "WHAT WILL BE LOST: what was written since " in told.output


def journal_of(begun: str, *seconds: int) -> str:
    """Of a rebuild of site A, and what its phases took."""
    head = {"format": "prs.recovery journal 1", "playbook": "rebuild_prs", "site": "site_a", "begun": begun}
    phases = ("set up IIS and the application", "install SQL Server", "restore the database", "verify the service")
    lines = [{"phase": phase, "host": "x", "seconds": took, "size": 0} for phase in phases for took in seconds]
    more = {"by": "anna@node", "outcome": "succeeded", "seconds": 60, "servers": ["sql-a"]}
    return "".join(f"{json.dumps(line)}\n" for line in ({**head, **more}, *lines))


def test_a_journal_that_cannot_be_written_fails_no_run_and_says_why(estate: Estate):
    run = estate.play("rebuild_prs", "-e", json.dumps({"prs_journal_path": r"\\files.prslab.test\gone\journal"}))
    assert run.code == 0, run.output
    [said] = [line for line in run.output.splitlines() if "WARNING: this run is not in the journal" in line]
    assert "could not be written: Connecting to " in said and "The server has no share of that name" in said


def test_journals_beside_the_backups_and_beside_the_reports_are_read(estate: Estate, tmp_path: Path):
    """A run whose journal did not reach the share counts all the same, a damaged one as far as it is whole, and those
    of backups, which are made many times a day, displace none.
    """
    share = estate.lab.state_dir / "hosts/files/drives/D/Shares/backup/journal"
    reports = tmp_path / "reports"
    for folder in (share, reports / "journal"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "20260301T120000Z-rebuild_prs.jsonl").write_text(journal_of("2026-03-01T12:00:00Z", 7))
    (share / "20260302T120000Z-rebuild_prs.jsonl").write_text(journal_of("2026-03-02T12:00:00Z", 9) + "{")
    (reports / "journal/20260303T120000Z-restore_prs.jsonl").write_text(journal_of("2026-03-03T12:00:00Z", 8))
    for minute in range(31):
        for folder in (share, reports / "journal"):
            (folder / f"20260304T12{minute:02}00Z-backup_prs.jsonl").write_text(journal_of("2026-03-04", 1))
    told = estate.play("rebuild_prs", "--check", "-e", f"prs_report_path={reports}")
    assert told.code == 0, told.output
    assert re.search(r"restore_set .* takes about 16 s \(as the last 3 runs did\); needs", told.output)
    assert re.findall(r"EARLIER RUN: rebuild_prs of site_a by anna@node, begun at (\S+)T", told.output) == [
        "2026-03-03",
        "2026-03-02",
        "2026-03-01",
    ]
    assert "20260302T120000Z-rebuild_prs.jsonl has 1 damaged line, and that does not count" in told.output
    assert "20260304T" not in told.output


def test_another_road_is_gone_only_where_what_it_loses_may_be_lost(estate: Estate):
    estate.lab.mark(["written after the backup"])
    report = estate.lab.state_dir / "reports"
    refused = estate.play("rebuild_prs", "-e", "prs_road=restore_set", "-e", f"prs_report_path={report}")
    assert refused.code != 0
    (file,) = report.glob("*-rebuild_prs.json")
    told = json.loads(file.read_text(encoding="utf-8"))
    assert told["outcome"] == "failed"
    assert [failure["message"] for failure in told["failures"]] == [refused.failures.partition(": ")[2]]
    assert "The road restore_set needs a yes. -e prs_allow_database_loss=true:" in refused.failures
    assert "Nothing was touched." in refused.failures
    misspelt = estate.play("rebuild_prs", "-e", "prs_road=restore_sets")
    assert re.search(
        "There is no road restore_sets here. Name one of these in prs_road: nothing, restore_set", misspelt.failures
    )
    assert estate.labels() == [*MARKERS, "written after the backup"]
    gone = estate.play("rebuild_prs", "-e", "prs_allow_database_loss=true")
    assert gone.code == 0, gone.output
    assert "-> restore_set (" in gone.output
    assert estate.labels() == MARKERS


@pytest.mark.parametrize(
    "silent",
    [
        pytest.param(("sql-a",), marks=pytest.mark.nightly),
        pytest.param(("web-a",), marks=pytest.mark.nightly),
        ("web-a", "sql-a"),
    ],
    ids=" and ".join,
)
def test_what_will_be_lost_is_told_where_servers_do_not_answer(estate: Estate, silent: tuple[str, ...]):
    """The plan is for whoever has to decide between waiting for them and new ones. Where both are silent, the other
    site's servers see the backups.
    """
    for host in silent:
        estate.lab.kill(host)
    run = estate.play("rebuild_prs", "--check")
    assert run.code != 0
    assert all(f"{host}: cannot be reached" in run.failures for host in silent)
    if silent == ("web-a",):
        assert "-> mend_application: loses nothing" in run.output
        return
    assert f"ROADS once new servers stand in the place of {' and '.join(reversed(silent))}" in run.output
    answers = "site_b answers, and rebuild_prs -e prs_active_site=site_b tells what it would bring back there"
    assert (answers in run.output) == ("web-a" in silent)
    assert "-> restore_set (" in run.output
    assert ": install SQL Server" in run.output
    assert "WHAT WILL BE LOST: what was written since " in run.output


@pytest.mark.nightly
def test_a_share_that_is_gone_is_no_end_where_its_sets_were_copied(estate: Estate):
    elsewhere = share_on_witness(estate, "far")
    copies = json.dumps({"prs_backup_copies": [{"site": "elsewhere", "path": elsewhere}]})
    backup = estate.play("backup_prs", *MOVED, "-e", copies)
    assert backup.code == 0, backup.output
    estate.lose_site_a()
    estate.lab.fault("share-gone", host="files", share="backup")
    told = estate.play("rebuild_prs", "--check", "-e", copies)
    assert told.code != 0
    assert re.search(
        r"-> restore_copy \(\S+ in \\\\witness.prslab.test\\far\): loses at most", told.output.replace("\\\\", "\\")
    )
    assert "This road is gone by: rebuild_prs -e '{" in told.output
    run = estate.play("rebuild_prs", "-e", json.dumps({"prs_share_path": elsewhere}))
    assert run.code == 0, run.output
    assert estate.labels() == MARKERS


@pytest.mark.parametrize("yes", [False, pytest.param(True, marks=pytest.mark.nightly)])
def test_an_application_with_other_keys_is_replaced_by_no_rebuild_without_a_yes(estate: Estate, yes: bool):
    """And that is said before the database is touched, whose backup those keys do not fit."""
    folder = estate.lab.state_dir / "hosts/web-a/drives/C/inetpub/wwwroot"
    key = folder / "PasswordResetServer/encryption.config"
    key.write_text("<encryptionSettings>other</encryptionSettings>")
    estate.lab.wipe("sql-a")
    before = estate.lab.digest()
    refused = estate.play("rebuild_prs")
    assert refused.code != 0
    assert "encryption.config is another key" in refused.failures
    assert "-e prs_allow_application_loss=true says that yes. Nothing was touched." in refused.failures
    assert estate.lab.digest() == before
    if yes:
        gone = estate.play("rebuild_prs", "-e", "prs_allow_application_loss=true")
        assert gone.code == 0, gone.output
        assert estate.labels() == MARKERS
        (kept,) = folder.glob("PasswordResetServer.2*/encryption.config")
        assert "other" in kept.read_text()
