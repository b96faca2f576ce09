"""A second site follows the first by its backups: a short life by day, with SQL Server Express on both sides by night."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from followed import EXPRESS, FOLLOWED, LOG, described, states, used_and_backed_up
from mirrored import DATABASE, ask, logins, running_sites, said
from playbook_lab import Estate, table_rows

FOLLOWED_LOG = (*FOLLOWED, *LOG)


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    """An estate on Express, used and backed up, whose site B follows site A; the tests go on from one another."""
    estate = used_and_backed_up(tmp_path_factory.mktemp("followed") / "lab", described())
    yield estate
    estate.lab.down()
    shutil.rmtree(estate.lab.state_dir)


def restored(estate: Estate) -> list[str]:
    """The kinds of backup that were restored on sql-b, in their order."""
    rows = ask(
        estate,
        "sql-b",
        "SELECT h.restore_type FROM msdb.dbo.restorehistory h WHERE h.destination_database_name = %s "
        "ORDER BY h.restore_history_id",
        DATABASE,
    )
    return [kind.strip() for (kind,) in rows]


def state(estate: Estate) -> str:
    return states(estate, "sql-b")[0]


def test_a_short_life_by_day(shared_estate: Estate, one_message):
    """From nothing to the first backup that came since; with Express on both sides, and with all that may happen, by
    night.
    """
    twice = json.dumps({"prs_ha": "standby", "prs_standby_sites": ["site_b", "site_b"]})
    one_message(shared_estate.play("standby_prs", "-e", twice), "names site_b twice", alone=True)
    first = shared_estate.play("standby_prs", *FOLLOWED, "-e", "prs_allow_recovery_model=true")
    said(first, "sql-b: 1 full applied", "has a standby on sql-b (site_b)", "NOW take a full backup")
    shared_estate.lab.mark(["what came since"])
    # The logs begin anew with the recovery model: a differential bridges that.
    since = shared_estate.play("backup_prs", *FOLLOWED, "-e", "prs_backup_kind=differential")
    said(since, "sql-b: 1 differential applied")
    assert (state(shared_estate), restored(shared_estate)) == ("RESTORING", ["D", "I"])
    assert logins(shared_estate, "sql-a") == logins(shared_estate, "sql-b")
    assert running_sites(shared_estate) == ["web-a"]


@pytest.mark.nightly
def test_from_nothing_and_a_second_run_changes_nothing(followed: Estate):
    first = followed.play("standby_prs", *FOLLOWED)
    said(
        first, "sql-b: 1 full applied, the standby of PasswordResetServer stands at", "has a standby on sql-b (site_b)"
    )
    assert state(followed) == "RESTORING" and restored(followed) == ["D"]
    assert logins(followed, "sql-a") == logins(followed, "sql-b")
    assert running_sites(followed) == ["web-a"]
    [(edition,)] = ask(followed, "sql-b", "SELECT CAST(SERVERPROPERTY('Edition') AS nvarchar(128))")
    assert edition == EXPRESS
    again = followed.play("standby_prs", *FOLLOWED)
    assert (again.code, again.changed) == (0, 0), again.output
    said(again, "sql-b: nothing new for the standby of PasswordResetServer, which stands at")


@pytest.mark.nightly
def test_each_log_backup_is_applied_once(followed: Estate):
    for number in (1, 2):
        followed.lab.mark([f"before log {number}"])
        said(followed.play("backup_prs", *FOLLOWED_LOG), "sql-b: 1 log applied")
    assert restored(followed) == ["D", "L", "L"]
    again = followed.play("standby_prs", *FOLLOWED)
    assert (again.code, again.changed) == (0, 0), again.output


@pytest.mark.nightly
def test_verify_says_how_far_behind_it_is_and_that_it_could_be_opened(followed: Estate):
    run = followed.play("verify_prs", *FOLLOWED)
    rows = {(what, where): (state, value) for state, what, where, value in table_rows(run)}
    assert rows["standby", "sql-b"][0] == "ok" and "RESTORING" in rows["standby", "sql-b"][1]
    assert rows["standby opening", "sql-b"][0] == "ok" and "possible, up to" in rows["standby opening", "sql-b"][1]
    assert rows["standby logins", "sql-b"] == ("ok", "1 login as at the active site")
    assert rows["passive application", "web-b"] == ("ok", "it waits with the keys in use")
    assert state(followed) == "RESTORING" and run.changed == 0


@pytest.mark.nightly
def test_one_that_was_away_does_not_fail_the_backups_and_catches_up(followed: Estate):
    followed.lab.kill("sql-b")
    followed.lab.mark(["while it was away"])
    said(
        followed.play("backup_prs", *FOLLOWED_LOG),
        "the standby of PasswordResetServer on sql-b was not brought up to date",
    )
    followed.lab.start("sql-b")
    said(followed.play("standby_prs", *FOLLOWED), "sql-b: 1 log applied")


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("given", "said_of_it"),
    [
        ({"prs_ha": "none"}, ["Set prs_ha: standby"]),
        ({"prs_standby_sites": ["site_b", "site_b"]}, ["names site_b twice", "Nothing was touched"]),
        ({"prs_standby_sites": ["site_a"]}, ["which is the active site"]),
        ({"prs_ha": "mirror", "prs_standby_sites": ["site_b"]}, ["a mirror at one site and a standby at another"]),
        ({"prs_active_site": "site_b"}, ["site_a is the site that serves", "Nothing was touched"]),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_message(followed: Estate, one_message, given, said_of_it):
    run = followed.play("standby_prs", "-e", json.dumps({"prs_ha": "standby", **given}))
    one_message(run, *said_of_it, alone=True)


@pytest.mark.nightly
def test_a_database_in_simple_is_changed_only_with_leave(followed: Estate, one_message):
    """The logs end there: a differential bridges that."""
    ask(followed, "sql-a", f"ALTER DATABASE [{DATABASE}] SET RECOVERY SIMPLE; SELECT 1")
    one_message(followed.play("standby_prs", *FOLLOWED), "recovery model SIMPLE", "Nothing was touched", alone=True)
    allowed = followed.play("standby_prs", *FOLLOWED, "-e", "prs_allow_recovery_model=true")
    said(allowed, "NOW take a full backup")
    followed.lab.mark(["after the change"])
    said(followed.play("backup_prs", *FOLLOWED, "-e", "prs_backup_kind=differential"), "sql-b: 1 differential applied")


@pytest.mark.nightly
def test_a_standby_that_somebody_opened_is_replaced_only_with_a_yes_and_kept(followed: Estate, one_message):
    ask(followed, "sql-b", f"RESTORE DATABASE [{DATABASE}] WITH RECOVERY; SELECT 1")
    rows = followed.labels()
    count = f"SELECT COUNT(*) FROM [{DATABASE}].sys.tables"
    assert ask(followed, "sql-b", count) == ask(followed, "sql-a", count)
    one_message(followed.play("standby_prs", *FOLLOWED), "is open on sql-b as well", "Nothing was touched", alone=True)
    run = followed.play("standby_prs", *FOLLOWED, "-e", "prs_allow_data_loss=true")
    said(run, "sql-b: 1 full, 1 differential applied")
    assert state(followed) == "RESTORING" and followed.labels() == rows
    assert list((followed.lab.state_dir / "hosts/files").rglob(f"replaced/{DATABASE}_of_*.bak"))


@pytest.mark.nightly
def test_it_can_be_read_between_two_logs_and_keeps_newer_ones_back(followed: Estate):
    readable = ("-e", json.dumps({"prs_ha": "standby", "prs_standby_readable": True}))
    followed.lab.mark(["to be read"])
    said(followed.play("backup_prs", *readable, "-e", "prs_backup_kind=log"), "sql-b: 1 log applied")
    question = f"SELECT COUNT(*) FROM [{DATABASE}].sys.tables"
    assert ask(followed, "sql-b", question) == ask(followed, "sql-a", question)
    again = followed.play("standby_prs", *readable)
    assert (again.code, again.changed) == (0, 0), again.output
    later = {"prs_ha": "standby", "prs_standby_delay": 60, "prs_sql_time_zone": "UTC", "prs_backup_kind": "log"}
    run = followed.play("backup_prs", "-e", json.dumps(later))
    said(run, "sql-b: nothing new for the standby of PasswordResetServer", "60 min are kept back")
    assert followed.lab.unmodelled() == []


@pytest.mark.nightly
def test_two_sites_follow_and_each_page_asks_its_own_database(tmp_path: Path):
    estate = used_and_backed_up(tmp_path / "lab", described(third_site=True))
    try:
        first = estate.play("standby_prs", *FOLLOWED)
        said(first, "sql-b: 1 full applied", "sql-c: 1 full applied", "sql-b (site_b) and sql-c (site_c)")
        estate.lab.mark(["to both"])
        estate.lab.kill("sql-b")
        said(estate.play("backup_prs", *FOLLOWED_LOG), "sql-c: 1 log applied", "on sql-b was not brought up to date")
        only = ("-e", json.dumps({"prs_ha": "standby", "prs_standby_sites": ["site_c"]}))
        again = estate.play("standby_prs", *only)
        assert (again.code, again.changed) == (0, 0), again.output
        aliases = {host: _alias(estate, host) for host in ("web-b", "web-c")}
        assert aliases == {host: f"DBMSSOCN,sql-{host[-1]}.prslab.test,1433" for host in aliases}
    finally:
        estate.lab.down()
        shutil.rmtree(estate.lab.state_dir)


def _alias(estate: Estate, host: str) -> str:
    file = estate.lab.state_dir / "alias.json"
    key = r"HKLM:\SOFTWARE\Microsoft\MSSQLServer\Client\ConnectTo"
    read = {"ansible.windows.win_reg_stat": {"path": key, "name": "prs-sql"}, "register": "alias"}
    shown = {"ansible.builtin.debug": {"msg": "ALIAS {{ alias.value }} ALIAS"}}
    file.write_text(json.dumps([{"hosts": host, "gather_facts": False, "tasks": [read, shown]}]), encoding="utf-8")
    return estate.play_file(file).output.split("ALIAS ")[1].split(" ALIAS")[0]
