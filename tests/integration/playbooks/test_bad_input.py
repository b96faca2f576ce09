"""Whatever is wrong, a playbook stops before damage with one message that names the host, the thing and what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playbook_lab import Estate

BACKUP = r"\\files.prslab.test\backup"
MEDIA = r"\\files.prslab.test\media"


def _kill(estate: Estate) -> None:
    estate.lab.kill("web-a")


def _spoil_zip(estate: Estate) -> None:
    estate.lab.damage(MEDIA + r"\PasswordResetServer.zip", truncate=200)


def _take_rights(estate: Estate) -> None:
    estate.lab.fault("share-rights", host="files", share="backup", account=r"PRSLAB\svc-backup")


def _take_computer_rights(estate: Estate) -> None:
    estate.lab.fault("share-rights", host="files", share="backup", account=r"PRSLAB\SQL-A$")


def _fill_system_drive(estate: Estate) -> None:
    estate.lab.fault("disk-size", host="web-a", drive="C", size="1 GB")


def _take_share(estate: Estate) -> None:
    estate.lab.fault("share-gone", host="files", share="backup")


def _nothing(estate: Estate) -> None:
    pass


@pytest.mark.parametrize(("arguments", "said"), [
    pytest.param(("--limit", "web-b"), ("Nothing was done", "web-b", "web-a"), id="limited to the other site"),
    pytest.param(("--limit", "files"), ("Nothing was done", "files", "sql-a"), id="limited to no server of the application"),
    pytest.param(("-e", "prs_share_path="), ("does not say prs_share_path",), id="variable empty"),
    pytest.param(("-e", "prs_share_user={{ vault_forgotten }}"), ("does not say prs_share_user",), id="variable of the vault forgotten"),
])
def test_what_could_not_work_ends_at_once_and_not_as_a_success(protected_state: Path, one_message, arguments, said):
    """Nothing is connected to, so the lab need not run."""
    one_message(Estate(protected_state).play("backup_prs", *arguments), *said)


@pytest.mark.parametrize(("make_wrong", "playbook", "arguments", "said"), [
    pytest.param(_kill, "rebuild_prs", (), ("web-a: cannot be reached", "switch the server on"), id="unreachable"),
    pytest.param(_nothing, "rebuild_prs", ("-e", "ansible_password=wrong"),
                 ("web-a: Windows does not accept the account", "sql-a: Windows does not", "ansible_password"), id="wrong password"),
    pytest.param(_spoil_zip, "provision_prs", (), ("web-a", "PasswordResetServer.zip", "is not the package"), id="not the ZIP of PRS"),
    pytest.param(_take_rights, "rebuild_prs", (), ("web-a", BACKUP, "svc-backup"), id="share without rights"),
    pytest.param(_take_computer_rights, "rebuild_prs", (), ("sql-a", BACKUP, "SQL-A$"), id="share without rights for SQL Server"),
    pytest.param(_take_share, "rebuild_prs", (), ("web-a", "sql-a", BACKUP), id="share gone"),
    pytest.param(_fill_system_drive, "rebuild_prs", (), ("web-a", "GB free on C:", "make room"), id="disk full"),
    pytest.param(_nothing, "rebuild_prs", ("-e", json.dumps({"prs_backup_database_path": rf"{BACKUP}\nowhere"})), ("sql-a", "nowhere"), id="no backup found"),
    pytest.param(_nothing, "rebuild_prs", ("-e", "prs_sql_build=14.0.1000.169"), ("newest backup was made by SQL Server 15.", "14.0.1000.169", "newer media"),
                 id="backup newer than the media"),
    pytest.param(_nothing, "rebuild_prs", ("-e", "prs_sql_certificate_pfx=/nowhere.pfx"), ("/nowhere.pfx", "correct the path"), id="no certificate"),
    pytest.param(_nothing, "rebuild_prs", ("-e", "prs_sql_admin_password=CHANGE-ME", "-e", "prs_app_certificate_password=CHANGE-ME"),
                 ("control node", "prs_sql_admin_password is not set", "prs_app_certificate_password is not set"), id="placeholder left"),
    pytest.param(_nothing, "rebuild_prs", ("-e", "prs_restore_set=20010101T000000Z"), ("no recovery set '20010101T000000Z'", "There are 2"), id="no such set"),
    pytest.param(_nothing, "rebuild_prs", ("-e", "prs_restore_until=2001-01-01T00:00:00Z"), ("no recovery set from before 2001-01-01",), id="moment too early"),
])
def test_a_rebuild_stops_before_damage(estate: Estate, one_message, make_wrong, playbook, arguments, said):
    estate.lose_site_a()
    make_wrong(estate)
    before = estate.lab.digest()
    run = estate.play(playbook, *arguments)
    one_message(run, *said)
    assert estate.lab.digest() == before


def test_every_problem_of_every_host_is_in_one_message(estate: Estate, one_message):
    estate.lose_site_a()
    _fill_system_drive(estate)
    _take_computer_rights(estate)
    message = one_message(estate.play("rebuild_prs"), "web-a: has", "sql-a:", "SQL-A$")
    assert message.count("web-a: has") == 1


def test_a_server_with_another_collation_is_refused(estate: Estate, one_message):
    before = estate.lab.digest()
    run = estate.play("provision_prs", "-e", "prs_sql_collation=Latin1_General_CI_AS")
    one_message(run, "sql-a", "SQL_Latin1_General_CP1_CI_AS", "Latin1_General_CI_AS")
    assert estate.lab.digest() == before


def test_too_little_room_for_the_database_stops_before_the_restore(estate: Estate, one_message):
    estate.lose_site_a()
    estate.lab.fault("disk-size", host="sql-a", drive="D", size="1 MB")
    one_message(estate.play("rebuild_prs"), "sql-a", "D:")
    assert "PasswordResetServer" not in str(estate.lab.state("sql-a")["sql-a"]["sql_instances"])
