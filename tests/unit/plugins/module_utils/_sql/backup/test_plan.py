"""What a run of sql_backup is going to do: where SQL Server writes, where the files belong, who brings them there."""

from __future__ import annotations

import datetime as dt

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import BackupKind
from ansible_collections.prs.recovery.plugins.module_utils._sql.backup.options import BackupOptions
from ansible_collections.prs.recovery.plugins.module_utils._sql.backup.plan import prepare
from ansible_collections.prs.recovery.plugins.module_utils._sql.backup.second_copy import SERVER, WINDOWS

NOON = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.timezone.utc)
DATABASE = {"name": "PRS", "family_guid": "F", "first_recovery_fork_guid": "AB", "fork_point_lsn": "7"}
SQL01 = {"name": "SQL01", "default_backup_path": "D:\\Backup", "backup_compression": True}
NAME = "PRS_full_20260301T120000000Z.bak"


def plan(taken=BackupKind.FULL, copied_by="", **options):
    asked = BackupOptions(database="prs", **options)
    return prepare(asked, database=DATABASE, server=SQL01, moment=NOON, kind=taken, copied_by=copied_by)


def test_without_a_path_it_belongs_in_the_folder_of_the_instance():
    made = plan()
    assert made.files == made.written == (f"D:\\Backup\\{NAME}",)
    assert (made.is_staged, made.is_delivered, made.mirror, made.delivered_files) == (False, False, (), ())


def test_what_is_staged_is_written_to_one_folder_and_delivered_to_another():
    made = plan(stage_path="D:\\Stage", path="\\\\files\\backup", stripes=2)
    assert [path.rpartition("\\")[0] for path in (*made.written, *made.files)] == [
        *["D:\\Stage"] * 2,
        *["\\\\files\\backup"] * 2,
    ]
    assert made.is_delivered and made.delivered_files == made.files


@pytest.mark.parametrize(("copied_by", "mirrored", "delivered"), [(SERVER, True, False), (WINDOWS, False, True)])
def test_the_second_copy_is_written_by_one_of_the_two(copied_by, mirrored, delivered):
    made = plan(copied_by=copied_by, copy_to="E:\\Copy")
    copy = (f"E:\\Copy\\{NAME}",)
    assert (made.mirror, made.delivered_files) == (copy if mirrored else (), copy if delivered else ())
    assert made.is_delivered is delivered
    assert made.to_report()["copy_files"] == list(copy) and made.to_report()["copied_by"] == copied_by


def test_a_full_one_in_place_of_a_log_is_one_in_every_respect():
    made = plan(BackupKind.FULL, kind=BackupKind.LOG)
    report = made.to_report()
    assert (report["kind"], report["substitute_for"], report["files"]) == ("full", "log", [f"D:\\Backup\\{NAME}"])
    assert "substitute_for" not in plan().to_report()


@pytest.mark.parametrize(("asked", "compressed"), [("auto", True), ("always", True), ("never", False)])
def test_compression_is_that_of_the_instance_unless_something_else_was_said(asked, compressed):
    assert plan(compression=asked).compression is compressed


def test_the_report_says_which_recovery_fork_the_database_left():
    report = plan().to_report()
    assert (report["parent_fork"], report["fork_point_lsn"]) == ("ab", 7)
