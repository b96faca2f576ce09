from __future__ import annotations

from contextlib import nullcontext

import pytest

from .conftest import Failed, mark


def fulls(sql_a, database):
    return sql_a.ask("SELECT COUNT(*) FROM msdb.dbo.backupset WHERE database_name = %s AND type = 'D'", database)[0][0]


@pytest.mark.parametrize("kind", ["log", "differential"])
@pytest.mark.parametrize("check", [True, False])
def test_a_missing_base_is_foreseen(sql_a, database, kind, check, only_queries):
    with pytest.raises(Failed, match="could continue") as failed, only_queries if check else nullcontext():
        sql_a.run("sql_backup", check=check, database=database, kind=kind)
    assert "statements" not in failed.value.result and fulls(sql_a, database) == 0


@pytest.mark.parametrize("kind", ["log", "differential"])
def test_a_full_instead_and_then_what_was_asked_for(sql_a, database, kind):
    asked = {"database": database, "kind": kind, "missing_base": "full"}
    planned = sql_a.run("sql_backup", check=True, **asked)
    assert planned["statements"][-1].startswith(f"BACKUP DATABASE [{database}]") and "would be taken instead" in str(
        planned["warnings"]
    )
    assert fulls(sql_a, database) == 0
    result = sql_a.run("sql_backup", **asked)
    assert (result["backup"]["kind"], result["backup"]["substitute_for"]) == (
        "full",
        kind,
    ) and "was taken instead" in str(result["warnings"])
    assert result["backup"]["files"][0].endswith(".bak") and result["backup"]["sets"][0]["kind"] == "full"
    mark(sql_a, database, 2, "second")
    second = sql_a.run("sql_backup", **asked)
    assert second["backup"]["kind"] == kind and "substitute_for" not in second["backup"] and "warnings" not in second


def test_a_chain_that_keeps_breaking_is_not_mended_for_ever(sql_a, database):
    asked = {"database": database, "kind": "log", "missing_base": "full"}
    sql_a.run("sql_backup", **asked)
    for model in ("SIMPLE", "FULL"):
        sql_a.ask(f"ALTER DATABASE [{database}] SET RECOVERY {model}")
    for check in (True, False):
        with pytest.raises(Failed, match="less than 24 hours ago"):
            sql_a.run("sql_backup", check=check, **asked)
    assert fulls(sql_a, database) == 1
    assert sql_a.run("sql_backup", min_full_interval_hours=0, **asked)["backup"]["kind"] == "full"
    assert sql_a.run("sql_backup", **asked)["backup"]["kind"] == "log"


def test_a_full_that_was_asked_for_is_not_counted(sql_a, database):
    sql_a.run("sql_backup", database=database)
    for model in ("SIMPLE", "FULL"):
        sql_a.ask(f"ALTER DATABASE [{database}] SET RECOVERY {model}")
    assert (
        sql_a.run("sql_backup", database=database, kind="log", missing_base="full")["backup"]["substitute_for"] == "log"
    )


def test_a_copy_only_full_is_no_base(sql_a, database):
    sql_a.run("sql_backup", database=database, copy_only=True)
    with pytest.raises(Failed, match="4214"):
        sql_a.run("sql_backup", check=True, database=database, kind="log")


def test_a_database_without_a_log_to_back_up(sql_a, database):
    sql_a.ask(f"ALTER DATABASE [{database}] SET RECOVERY SIMPLE")
    for check in (True, False):
        with pytest.raises(Failed, match="SIMPLE"):
            sql_a.run("sql_backup", check=check, database=database, kind="log", missing_base="full")


def test_a_snapshot_of_other_backup_software_is_no_base(sql_a, database):
    """Backup software that freezes the database (VSS) leaves a full backup in msdb which resets the differential base."""
    guid = sql_a.run("sql_backup", database=database)["backup"]["sets"][0]["guid"]
    assert sql_a.run("sql_backup", database=database, kind="differential")["backup"]["kind"] == "differential"
    sql_a.ask("UPDATE msdb.dbo.backupset SET is_snapshot = 1 WHERE backup_set_uuid = %s", guid)
    for check in (True, False):
        with pytest.raises(Failed, match=r"a snapshot taken by other backup software.*missing_base: full"):
            sql_a.run("sql_backup", check=check, database=database, kind="differential")
    result = sql_a.run("sql_backup", database=database, kind="differential", missing_base="full")
    assert (result["backup"]["kind"], result["backup"]["substitute_for"]) == ("full", "differential")
    assert sql_a.run("sql_backup", database=database, kind="differential")["backup"]["kind"] == "differential"
