"""Headers, labels and msdb rows as sets; stripes, copies, damage; history against files."""

from __future__ import annotations

import gc
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import PureWindowsPath
from zoneinfo import ZoneInfo

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import (
    HeaderError,
    Label,
    backup_set,
    backup_set_from_history,
    database_file,
    guid,
    label,
    lsn,
    to_utc,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.catalog import (
    BackupCatalog,
    FileReading,
    assemble,
    from_history,
    merge,
    reconcile,
    same_path,
    tell_zones,
)

SET = uuid.UUID("A0000000-0000-0000-0000-00000000000A")
MEDIA = "b0000000-0000-0000-0000-00000000000b"


def header(**more: object) -> dict[str, object]:
    """A row as SQL Server 2019 gives it, without the columns that do not matter."""
    return {
        "BackupName": "nightly",
        "BackupType": 1,
        "Position": 1,
        "DeviceType": 2,
        "DatabaseName": "PasswordResetServer",
        "ServerName": "SQL1",
        "FirstLSN": Decimal("37000000045600001"),
        "LastLSN": Decimal("37000000048000001"),
        "CheckpointLSN": Decimal("37000000045600037"),
        "DatabaseBackupLSN": Decimal(0),
        "BackupStartDate": datetime(2024, 5, 6, 12),
        "BackupFinishDate": datetime(2024, 5, 6, 12, 1),
        "BackupSize": Decimal(1000),
        "CompressedBackupSize": 400,
        "FamilyGUID": uuid.UUID(int=7),
        "BackupSetGUID": SET,
        "BindingID": uuid.UUID(int=8),
        "RecoveryForkID": uuid.UUID(int=9),
        "FirstRecoveryForkID": uuid.UUID(int=9),
        "ForkPointLSN": None,
        "IsCopyOnly": False,
        "IsDamaged": False,
        "IsSnapshot": False,
        "HasBulkLoggedData": False,
        "HasBackupChecksums": True,
        "DifferentialBaseLSN": None,
        "DifferentialBaseGUID": None,
        "SoftwareVersionMajor": 15,
        "SoftwareVersionMinor": 0,
        "SoftwareVersionBuild": 4430,
        "KeyAlgorithm": "NO_Encryption",
        "RecoveryModel": "FULL",
        "EncryptorThumbprint": None,
        "BeginsLogChain": False,
        "CompatibilityLevel": 150,
        **more,
    }


def reading(
    path: str, *rows: dict[str, object], stripe: int = 1, stripes: int = 1, media: str = MEDIA, **more: object
) -> FileReading:
    return FileReading(
        path=path,
        headers=rows or (header(),),
        label=Label(media_set_id=media, family_count=stripes, family_sequence=stripe),
        **more,
    )


def copies(inventory: BackupCatalog) -> list[tuple[tuple[str, ...], str]]:
    (one,) = inventory.sets
    return [(copy.stripes, copy.problem) for copy in one.copies]


# -- one row


def test_header_row() -> None:
    one = backup_set(header())
    assert (one.guid, one.kind, one.family_guid) == (str(SET).lower(), "full", str(uuid.UUID(int=7)))
    assert (one.first_lsn, type(one.first_lsn), one.last_lsn) == (37000000045600001, int, 37000000048000001)
    assert (one.version, one.size, one.compressed_size, one.checksums) == ((15, 0, 4430), 1000, 400, True)
    assert (one.key_algorithm, one.encryptor_thumbprint, one.differential_base_guid) == ("", "", "")


@pytest.mark.parametrize(
    "row",
    [
        {name.upper(): value for name, value in header().items()},
        {
            name: value
            for name, value in header().items()
            if name not in ("CompressedBackupSize", "KeyAlgorithm", "EncryptorThumbprint", "FirstRecoveryForkID")
        },
        {
            **header(),
            "LastValidRestoreTime": datetime(2024, 5, 6, 11, 59),
            "TimeZone": 8,
            "CompressionAlgorithm": "MS_XPRESS",
        },
    ],
)
def test_columns_of_any_version_are_read_by_name(row: dict[str, object]) -> None:
    one = backup_set(row)
    assert (one.guid, one.first_fork) == (str(SET).lower(), str(uuid.UUID(int=9)))


def test_lsn_keeps_all_its_digits() -> None:
    assert lsn(Decimal("2147483647000000000100001")) == 2147483647000000000100001
    assert lsn("37000000045600001") == 37000000045600001
    with pytest.raises(HeaderError, match="no longer exact"):
        lsn(3.7e16)


@pytest.mark.parametrize("value", ["{A0000000-0000-0000-0000-00000000000A}", SET, str(SET).upper()])
def test_guids_are_written_in_one_way(value: object) -> None:
    assert guid(value) == "a0000000-0000-0000-0000-00000000000a"


def test_guids_that_say_nothing() -> None:
    assert guid(None) == guid(uuid.UUID(int=0)) == guid("") == ""


@pytest.mark.parametrize(
    "more",
    [
        {"BackupSetGUID": None, "BackupName": "*** Password Protected ***"},
        {"BackupType": 99},
        {"BackupStartDate": None},
    ],
)
def test_rows_without_a_set(more: dict[str, object]) -> None:
    with pytest.raises(HeaderError, match="no readable header"):
        backup_set(header(**more))


def test_a_backup_that_was_broken_off_is_called_so() -> None:
    row = {"BackupName": "*** INCOMPLETE ***", "BackupType": 1, "BackupSetGUID": None, "Position": 1}
    catalog = assemble([FileReading(path="a.bak", headers=[row])])
    assert "broken off" in catalog.unreadable[0].reason


@pytest.mark.parametrize(
    ("column", "value", "sentence"),
    [
        ("FirstLSN", "ten", "the LSN 'ten' is no number"),
        ("BackupStartDate", "yesterday", "its time 'yesterday' is none that can be understood"),
        ("BackupSize", "much", "its header holds a value that cannot be read"),
    ],
)
def test_a_value_that_cannot_be_read_is_told_in_a_sentence(column: str, value: str, sentence: str) -> None:
    catalog = assemble([FileReading(path="a.bak", headers=[header(**{column: value})])])
    assert catalog.unreadable[0].reason.startswith(sentence)


def test_the_history_knows_better_than_the_zone_that_was_given() -> None:
    row = header(TimeZone=None)
    found = assemble([FileReading(path="a.bak", headers=[row])], zone=ZoneInfo("Europe/Berlin"))
    history = assemble([FileReading(path="a.bak", headers=[{**row, "TimeZone": 4}])])
    tell_zones(found, history)
    assert (found.sets[0].started, found.sets[0].utc_offset) == (history.sets[0].started, timedelta(hours=1))


@pytest.mark.parametrize(("moment", "quarter_hours"), [(datetime(1, 1, 1), 4), (datetime(9999, 12, 31, 23), -20)])
def test_a_moment_outside_of_the_calendar_spoils_its_file_alone(moment: datetime, quarter_hours: int) -> None:
    bad = header(
        BackupStartDate=moment, BackupFinishDate=moment, TimeZone=quarter_hours, BackupSetGUID=str(uuid.UUID(int=99))
    )
    found = assemble([FileReading(path="bad.bak", headers=[bad]), FileReading(path="good.bak", headers=[header()])])
    assert [one.copies[0].stripes for one in found.sets] == [("good.bak",)]
    assert [item.path for item in found.unreadable] == ["bad.bak"]


@pytest.mark.parametrize(
    ("more", "zone", "hour", "offset"),
    [
        ({"TimeZone": 8}, None, 10, timedelta(hours=2)),
        ({"TimeZone": -14}, None, 15, timedelta(hours=-3.5)),
        ({"TimeZone": 8}, ZoneInfo("Asia/Tokyo"), 10, timedelta(hours=2)),  # what the backup tells itself wins
        ({"TimeZone": 0}, ZoneInfo("Asia/Tokyo"), 3, timedelta(hours=9)),
        ({"TimeZone": 0}, None, 12, None),  # some builds of SQL Server 2022 write 0 everywhere
        ({"TimeZone": 127}, ZoneInfo("Europe/Berlin"), 10, timedelta(hours=2)),
        ({}, ZoneInfo("Europe/Berlin"), 10, timedelta(hours=2)),
        (
            {"BackupStartDate": datetime(2024, 1, 6, 12), "BackupFinishDate": datetime(2024, 1, 6, 12)},
            ZoneInfo("Europe/Berlin"),
            11,
            timedelta(hours=1),
        ),
        ({"TimeZone": 127}, None, 12, None),
        ({}, None, 12, None),
    ],
)
def test_local_times_become_utc(
    more: dict[str, object], zone: ZoneInfo | None, hour: int, offset: timedelta | None
) -> None:
    one = backup_set(header(**more), zone=zone)
    assert one.started.utcoffset() == timedelta()
    assert (one.started.hour, one.utc_offset) == (hour, offset)


def test_zone_0_of_msdb_is_believed() -> None:
    row = {
        "backup_set_uuid": SET,
        "type": "D",
        "backup_start_date": datetime(2024, 5, 6, 12),
        "backup_finish_date": datetime(2024, 5, 6, 12),
    }
    assert backup_set_from_history({**row, "time_zone": 0}).utc_offset == timedelta()
    assert backup_set_from_history({**row, "time_zone": 127}).utc_offset is None


def test_an_aware_time_is_believed() -> None:
    assert to_utc("2024-05-06T12:00:00+02:00") == (datetime(2024, 5, 6, 10, tzinfo=timezone.utc), timedelta(hours=2))


def test_encryption() -> None:
    one = backup_set(header(KeyAlgorithm="aes_256", EncryptorThumbprint=b"\xab\x12", EncryptorType="CERTIFICATE"))
    assert (one.key_algorithm, one.encryptor_thumbprint) == ("aes_256", "AB12")
    assert backup_set(header(KeyAlgorithm=None, EncryptorThumbprint="0xab12")).encryptor_thumbprint == "AB12"


def test_row_of_msdb() -> None:
    one = backup_set_from_history(
        {
            "backup_set_id": 3,
            "backup_set_uuid": SET,
            "type": "L",
            "database_name": "PasswordResetServer",
            "server_name": "SQL1",
            "first_lsn": Decimal(10),
            "last_lsn": Decimal(20),
            "backup_start_date": datetime(2024, 5, 6, 12),
            "backup_finish_date": datetime(2024, 5, 6, 12),
            "time_zone": 8,
            "family_guid": uuid.UUID(int=7),
            "first_recovery_fork_guid": uuid.UUID(int=1),
            "last_recovery_fork_guid": uuid.UUID(int=2),
            "fork_point_lsn": Decimal(15),
            "is_copy_only": True,
            "has_bulk_logged_data": True,
            "software_major_version": 16,
            "is_snapshot": 0,
            "differential_base_guid": None,
            "key_algorithm": None,
            "recovery_model": "FULL",
            "collation_name": "Latin1_General_CI_AS",
        }
    )
    assert (one.kind, one.first_lsn, one.last_lsn, one.fork_point_lsn) == ("log", 10, 20, 15)
    assert (one.first_fork, one.last_fork) == (str(uuid.UUID(int=1)), str(uuid.UUID(int=2)))
    assert (one.copy_only, one.bulk_logged, one.version[0], one.started.hour) == (True, True, 16, 10)
    assert one.collation == "Latin1_General_CI_AS"


def test_file_list_and_label() -> None:
    file = database_file(
        {
            "LogicalName": "PRS_log",
            "PhysicalName": "E:\\PRS.ldf",
            "Type": "L",
            "Size": Decimal(8192),
            "FileId": 2,
            "IsPresent": True,
            "TDEThumbprint": None,
            "FileGroupName": None,
        }
    )
    assert (file.logical_name, file.type, file.size, file.file_id, file.is_present) == ("PRS_log", "L", 8192, 2, True)
    assert (
        database_file(
            {"logical_name": "PRS", "physical_name": "D:\\PRS.mdf", "file_type": "D", "file_size": 8, "file_number": 1}
        ).file_id
        == 1
    )
    told = label({"MediaSetId": SET, "FamilyCount": 3, "FamilySequenceNumber": 2, "Mirror_Count": 1, "MediaName": None})
    assert (told.media_set_id, told.family_count, told.family_sequence) == (str(SET).lower(), 3, 2)


# -- files


def test_stripes_are_put_together_in_order_whatever_their_names() -> None:
    inventory = assemble(
        [
            reading("B:\\z.bak", stripe=1, stripes=3),
            reading("B:\\a.old", stripe=3, stripes=3),
            reading("B:\\m", stripe=2, stripes=3),
        ]
    )
    assert copies(inventory) == [(("B:\\z.bak", "B:\\m", "B:\\a.old"), "")]


def test_missing_stripes_are_named() -> None:
    inventory = assemble([reading("B:\\2.bak", stripe=2, stripes=3)])
    assert copies(inventory) == [(("B:\\2.bak",), "stripes 1, 3 of 3 are missing")]
    assert inventory.sets[0].problem == "stripes 1, 3 of 3 are missing"


def test_copies_of_one_set_are_alternatives() -> None:
    inventory = assemble(
        [reading("B:\\x.bak"), reading("C:\\y.bak"), reading("D:\\z.bak", set_problems={1: "VERIFYONLY failed"})]
    )
    assert copies(inventory) == [
        (("B:\\x.bak",), ""),
        (("C:\\y.bak",), ""),
        (("D:\\z.bak",), "VERIFYONLY failed (D:\\z.bak)"),
    ]
    assert inventory.sets[0].problem == ""


def test_the_same_file_given_twice_is_one() -> None:
    assert copies(assemble([reading("B:\\x.bak"), reading("b:\\X.BAK")])) == [(("B:\\x.bak",), "")]


def test_a_folder_with_all_stripes_is_a_copy_of_its_own() -> None:
    files = [
        reading(f"{folder}\\{stripe}.bak", stripe=stripe, stripes=2)
        for folder in ("B:\\one", "B:\\two")
        for stripe in (1, 2)
    ]
    assert copies(assemble(files)) == [
        (("B:\\one\\1.bak", "B:\\one\\2.bak"), ""),
        (("B:\\two\\1.bak", "B:\\two\\2.bak"), ""),
    ]


@pytest.mark.parametrize("bad", [("B:\\one\\1.bak", "B:\\two\\2.bak"), ("B:\\one\\2.bak", "B:\\two\\1.bak")])
def test_good_stripes_of_two_damaged_copies_are_joined(bad: tuple[str, str]) -> None:
    files = [
        reading(
            f"{folder}\\{stripe}.bak",
            stripe=stripe,
            stripes=2,
            set_problems={1: "damaged"} if f"{folder}\\{stripe}.bak" in bad else {},
        )
        for folder in ("B:\\one", "B:\\two")
        for stripe in (1, 2)
    ]
    inventory = assemble(files)
    assert inventory.sets[0].problem == ""
    assert not set(inventory.sets[0].best_copy.stripes) & set(bad)


def test_several_sets_in_one_file() -> None:
    other = uuid.UUID(int=77)
    rows = (header(), header(Position=2, BackupSetGUID=other, BackupType=2))
    inventory = assemble([reading("B:\\all.bak", *rows, set_problems={2: "damaged"}, verified=frozenset({1}))])
    assert [(one.kind, one.copies[0].position, one.problem, one.verified) for one in inventory.sets] == [
        ("full", 1, "", True),
        ("log", 2, "damaged (B:\\all.bak)", False),
    ]


def test_a_set_is_verified_only_when_all_its_stripes_are() -> None:
    both = [
        reading("B:\\1.bak", stripe=1, stripes=2, verified=frozenset({1})),
        reading("B:\\2.bak", stripe=2, stripes=2),
    ]
    assert not assemble(both).sets[0].verified
    both[1].verified = frozenset({1})
    assert assemble(both).sets[0].verified


def test_files_without_a_set_keep_their_reason() -> None:
    protected = header(BackupSetGUID=None, BackupName="*** Password Protected ***")
    inventory = assemble(
        [
            FileReading(path="B:\\x.txt", problem="error 3241: not a backup"),
            FileReading(path="B:\\empty.bak"),
            reading("B:\\p.bak", protected, header(Position=2)),
        ]
    )
    assert [(item.path, item.position) for item in inventory.unreadable] == [
        ("B:\\x.txt", None),
        ("B:\\empty.bak", None),
        ("B:\\p.bak", 1),
    ]
    assert all(item.reason for item in inventory.unreadable)
    assert len(inventory.sets) == 1


def test_a_better_copy_whose_header_cannot_be_read_spoils_itself_alone() -> None:
    """A sound file's word counts more than a damaged one's, but not if it is nonsense."""
    damaged = reading("B:\\x.bak", set_problems={1: "VERIFYONLY failed"})
    inventory = assemble([damaged, reading("C:\\y.bak", header(LastLSN="nonsense"))])
    assert [(item.path, item.position) for item in inventory.unreadable] == [("C:\\y.bak", 1)]
    assert copies(inventory) == [(("B:\\x.bak",), "VERIFYONLY failed (B:\\x.bak)")]


def test_file_without_a_label_stands_for_itself() -> None:
    assert copies(assemble([FileReading(path="B:\\x.bak", headers=[header()])])) == [(("B:\\x.bak",), "")]


def test_same_stripe_number_of_two_media_sets_is_not_mixed() -> None:
    """Two full backups, each striped over two files, and of each one stripe is lost: together they are not one backup."""
    other = header(BackupSetGUID=uuid.UUID(int=77))
    inventory = assemble(
        [reading("B:\\a1.bak", stripe=1, stripes=2), reading("B:\\b2.bak", other, stripe=2, stripes=2, media="c")]
    )
    assert [one.problem for one in inventory.sets] == ["stripe 2 of 2 is missing", "stripe 1 of 2 is missing"]


# -- msdb

BACKUPSET = {
    "backup_set_id": 1,
    "media_set_id": 5,
    "backup_set_uuid": SET,
    "type": "D",
    "position": 2,
    "database_name": "PRS",
    "family_guid": uuid.UUID(int=7),
    "first_lsn": 1,
    "last_lsn": 2,
    "backup_start_date": datetime(2024, 5, 6),
    "backup_finish_date": datetime(2024, 5, 6),
    "time_zone": 0,
}


def device(path: str, *, number: int = 1, mirror: int = 0, device_type: int = 2) -> dict[str, object]:
    return {
        "media_set_id": 5,
        "family_sequence_number": number,
        "mirror": mirror,
        "physical_device_name": path,
        "device_type": device_type,
    }


def test_history_knows_stripes_and_mirrors() -> None:
    mirror = [device("C:\\1.bak", mirror=1), device("C:\\2.bak", number=2, mirror=1)]
    inventory = from_history([BACKUPSET], [device("B:\\2.bak", number=2), device("B:\\1.bak"), *mirror])
    assert copies(inventory) == [(("B:\\1.bak", "B:\\2.bak"), ""), (("C:\\1.bak", "C:\\2.bak"), "")]
    assert inventory.sets[0].copies[0].position == 2


@pytest.mark.parametrize("device_type", [5, 7, 9, 105])
def test_history_of_tapes_snapshots_and_urls(device_type: int) -> None:
    (one,) = from_history([BACKUPSET], [device("{GUID}5", device_type=device_type)]).sets
    assert "not a file" in one.problem


def test_history_against_files() -> None:
    history = from_history(
        [BACKUPSET, {**BACKUPSET, "backup_set_uuid": uuid.UUID(int=50), "media_set_id": 6}],
        [device("D:\\old\\place.bak"), {**device("D:\\gone.bak"), "media_set_id": 6}],
    )
    found = assemble(
        [reading("B:\\new\\place.bak"), reading("B:\\alien.bak", header(BackupSetGUID=uuid.UUID(int=60)), media="d")]
    )
    told = reconcile(history, found)
    assert [one.guid for one in told.moved] == [str(SET).lower()]
    assert [one.guid for one in told.lost] == [str(uuid.UUID(int=50))]
    assert [one.guid for one in told.unknown_to_history] == [str(uuid.UUID(int=60))]
    assert {one.guid: one.problem for one in told.inventory.sets} == {
        str(SET).lower(): "",
        str(uuid.UUID(int=60)): "",
        str(uuid.UUID(int=50)): "msdb knows it, but no such file was found",
    }


def test_files_where_history_says() -> None:
    told = reconcile(from_history([BACKUPSET], [device("B:\\x.bak")]), assemble([reading("b:\\X.bak")]))
    assert (told.moved, told.lost, told.unknown_to_history) == ([], [], [])


def test_merging_keeps_the_copies_of_both() -> None:
    merged = merge(
        assemble([reading("B:\\x.bak", verified=frozenset({1}))]),
        assemble([reading("C:\\x.bak"), FileReading(path="C:\\y", problem="no")]),
    )
    assert copies(merged) == [(("B:\\x.bak",), ""), (("C:\\x.bak",), "")]
    assert merged.sets[0].verified
    assert len(merged.unreadable) == 1


@pytest.mark.parametrize(
    "path",
    [
        "D:\\Backup\\PRS.bak",
        "\\\\files\\backup\\PRS.bak",
        "D:/Backup/PRS.bak",
        "D:\\Backup\\\\PRS.bak",
        "D:\\Backup\\.\\PRS.bak",
        "\\\\?\\D:\\Backup\\PRS.bak",
        "\\\\files\\backup",
        "PRS.bak",
        "D:PRS.bak",
        "D:\\Backup\\",
    ],
)
def test_paths_are_compared_as_windows_does(path: str) -> None:
    assert same_path(path) == str(PureWindowsPath(path)).lower()


@pytest.mark.parametrize("is_enabled", [True, False])
def test_the_garbage_collector_is_as_it_was_once_headers_are_read(is_enabled: bool) -> None:
    def broken_off() -> Iterator[FileReading]:
        assert not gc.isenabled()
        yield FileReading(path="a.bak", headers=[header()])
        raise ConnectionError

    was_enabled = gc.isenabled()
    try:
        (gc.enable if is_enabled else gc.disable)()
        assert len(assemble([FileReading(path="a.bak", headers=[header()])]).sets) == 1
        assert gc.isenabled() is is_enabled
        with pytest.raises(ConnectionError):
            assemble(broken_off())
        assert gc.isenabled() is is_enabled
    finally:
        (gc.enable if was_enabled else gc.disable)()
