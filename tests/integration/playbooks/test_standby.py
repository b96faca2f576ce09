"""A second site follows the first by its backups, with SQL Server Express on both sides."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import prs_lab
import pytest
import yaml
from mirrored import DATABASE, ask, logins, running_sites, said
from playbook_lab import MARKERS, Estate

FOLLOWED = ("-e", json.dumps({"prs_ha": "standby"}))
LOG = (*FOLLOWED, "-e", "prs_backup_kind=log")
EXPRESS = "Express Edition (64-bit)"


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    """An estate on Express, used and backed up, whose site B follows site A; the tests go on from one another."""
    state = tmp_path_factory.mktemp("followed") / "lab"
    description = yaml.safe_load((Path(prs_lab.__file__).parent / "estates/default.yml").read_text(encoding="utf-8"))
    description["media"]["sql_edition"] = EXPRESS
    file = state.with_suffix(".yml")
    file.write_text(yaml.safe_dump(description), encoding="utf-8")
    estate = Estate(state)
    estate.up(str(file))
    provisioned = estate.play("provision_prs")
    assert provisioned.code == 0, provisioned.output
    assert estate.lab.wizard().state == "ready"
    estate.lab.mark(MARKERS)
    # As the setup wizard leaves it on Express, whose model database is in SIMPLE.
    ask(estate, "sql-a", f"ALTER DATABASE [{DATABASE}] SET RECOVERY FULL; SELECT 1")
    backed_up = estate.play("backup_prs")
    assert backed_up.code == 0, backed_up.output
    yield estate
    estate.lab.down()
    shutil.rmtree(state)


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
    return ask(estate, "sql-b", "SELECT state_desc FROM sys.databases WHERE name = %s", DATABASE)[0][0]


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


def test_each_log_backup_is_applied_once(followed: Estate):
    for number in (1, 2):
        followed.lab.mark([f"before log {number}"])
        said(followed.play("backup_prs", *LOG), "sql-b: 1 log applied")
    assert restored(followed) == ["D", "L", "L"]
    again = followed.play("standby_prs", *FOLLOWED)
    assert (again.code, again.changed) == (0, 0), again.output


def test_a_standby_that_was_away_does_not_fail_the_backups_and_catches_up(followed: Estate):
    followed.lab.kill("sql-b")
    followed.lab.mark(["while it was away"])
    said(followed.play("backup_prs", *LOG), "the standby of PasswordResetServer on sql-b was not brought up to date")
    followed.lab.start("sql-b")
    said(followed.play("standby_prs", *FOLLOWED), "sql-b: 1 log applied")
