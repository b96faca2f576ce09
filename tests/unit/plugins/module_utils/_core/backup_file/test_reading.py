"""Files that were read without a server, put together as if a server had answered."""

from __future__ import annotations

from datetime import timedelta

from ansible_collections.prs.recovery.plugins.module_utils._core.backup.catalog import BackupCatalog, assemble
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.backup_file import read_backup_file
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.reading import ExaminedFile, file_reading
from backup_file_builder import BackupSet, build, chain, numbered_guid


def catalog(**files: bytes) -> BackupCatalog:
    readings = []
    for name, data in files.items():
        file = read_backup_file(lambda offset, length, data=data: data[offset : offset + length], len(data))
        readings.append(file_reading(ExaminedFile(path=f"/backup/{name}", size=len(data), file=file)))
    return assemble(readings)


def test_a_set_as_the_planner_knows_it():
    [backup_set] = catalog(full=build()).sets
    assert (backup_set.kind, backup_set.guid, backup_set.family_guid) == (
        "full",
        numbered_guid(0xA1),
        numbered_guid(0xFA),
    )
    assert (backup_set.first_lsn, backup_set.last_lsn) == (37_0000000100_00001, 37_0000000200_00001)
    assert backup_set.utc_offset == timedelta(hours=1) and backup_set.started.isoformat() == "2026-03-01T01:00:00+00:00"
    assert [file.logical_name for file in backup_set.files] == ["prs", "prs_log"]
    assert backup_set.copies[0].stripes == ("/backup/full",) and not backup_set.problem
    assert {"TDEThumbprint", "KeyAlgorithm", "LastValidRestoreTime"} <= backup_set.unknown


def test_stripes_come_together():
    stripes = {f"stripe{number}": build(stripes=2, stripe=number) for number in (1, 2)}
    [whole] = catalog(**stripes).sets
    assert whole.copies[0].stripes == ("/backup/stripe1", "/backup/stripe2") and not whole.problem
    [half] = catalog(stripe2=stripes["stripe2"]).sets
    assert half.problem == "stripe 1 of 2 is missing"


def test_a_whole_copy_speaks_for_one_that_is_cut_off():
    """What the cut one tells are the LSNs of the first pass, or none at all."""
    data = build([BackupSet(version=(15, 0, 1), provisional=(1, 2, 3), log=bytes(40_000))])
    for files in ({"a": data[:30_000], "b": data}, {"a": data, "b": data[:30_000]}):
        [backup_set] = catalog(**files).sets
        assert backup_set.first_lsn == 37_0000000100_00001 and not backup_set.problem
        assert [bool(copy.problem) for copy in backup_set.copies] == [False, True]


def test_a_set_that_is_cut_off_is_used_by_no_plan():
    [backup_set] = catalog(full=build([BackupSet(log=bytes(40_000))])[:30_000]).sets
    assert "cut off, or is still being written" in backup_set.problem


def test_a_set_behind_a_password_is_used_by_no_plan():
    [backup_set] = catalog(full=build(media_password="x")).sets
    assert "asks for its password" in backup_set.problem


def test_a_set_that_cannot_be_read_is_told_with_its_reason_and_place():
    found = catalog(all=build([BackupSet(), BackupSet(name="\ud800", guid=numbered_guid(2)), *chain(1)[1:]]))
    assert len(found.sets) == 2
    [item] = found.unreadable
    assert (item.path, item.position) == ("/backup/all", 2) and "no UTF-16" in item.reason


def test_files_of_linux_that_differ_by_case_are_two():
    assert len(catalog(full=build(), FULL=build([BackupSet(guid=numbered_guid(5))])).sets) == 2
