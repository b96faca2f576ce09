"""Each field of each kind of backup file, and what is told where something is missing."""

from __future__ import annotations

import random
import struct
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.backup_file import (
    HEAD,
    NEVER_TOLD,
    BackupFile,
    read_backup_file,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.errors import FileFormatError, Foreign
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.parts import PackedPart
from ansible_collections.prs.recovery.plugins.module_utils._core.binary.range_reader import RangeReader
from backup_file_builder import (
    LOG_FILE,
    BackupSet,
    DatabaseFile,
    build,
    chain,
    numbered_guid,
    page,
    xpress_huffman,
)
from prs_lab.sqlserver.storage.tape.packed import filler, frame

RELEASES = {
    "2005": (9, 0, 5000),
    "2008": (10, 0, 2531),
    "2008 R2": (10, 50, 4000),
    "2016": (13, 0, 4001),
    "2025": (17, 0, 1000),
}
PROVISIONAL = (1_0000000001_00001, 2_0000000001_00001, 1_0000000001_00037)
MANY_FILES = [
    DatabaseFile(
        logical_name=f"prs{n}",
        physical_name=f"D:\\Data\\{n}.ndf",
        file_id=n,
        filegroup_id=2,
        unique_id=numbered_guid(n),
    )
    for n in range(3, 120)
]


def read(data: bytes) -> BackupFile:
    return read_backup_file(lambda offset, length: data[offset : offset + length], len(data))


def only_set(data: bytes) -> Any:
    file = read(data)
    assert not file.problems
    [stored] = file.sets
    assert stored.problems == [] and stored.complete
    return stored


@pytest.fixture(params=["plain", "packed"])
def packed(request: pytest.FixtureRequest) -> bool:
    return request.param == "packed"


@pytest.mark.parametrize("filemark_size", [512, 4096])
@pytest.mark.parametrize("release", RELEASES)
def test_a_header_in_full(release: str, packed: bool, filemark_size: int):
    version = RELEASES[release]
    made = BackupSet(
        version=version,
        description="before the move",
        expires=datetime(2026, 4, 1, 2),
        time_zone=-13,
        compressed_size=40_000,
        first_fork=numbered_guid(0xF2),
        fork_point=31_0000000100_00001,
        pages=page(0),
        log=bytes(1024),
    )
    stored = only_set(build([made], packed=packed, filemark_size=filemark_size))
    assert stored.header == {
        "BackupName": "nightly",
        "BackupDescription": "before the move",
        "BackupType": 1,
        "BackupTypeDescription": "Database",
        "ExpirationDate": datetime(2026, 4, 1, 2),
        "Compressed": int(packed),
        "CompressionAlgorithm": "MS_XPRESS" if packed else None,
        "Position": 1,
        "DeviceType": 2,
        "UserName": "EXAMPLE\\backup",
        "ServerName": "SQL1\\PRS",
        "DatabaseName": "PasswordResetServer",
        "DatabaseVersion": 852,
        "DatabaseCreationDate": datetime(2020, 1, 2, 3, 4, 5),
        "BackupSize": 100_000,
        "CompressedBackupSize": 100_000 if release == "2005" else 40_000,
        "FirstLSN": 37_0000000100_00001,
        "LastLSN": 37_0000000200_00001,
        "CheckpointLSN": 37_0000000100_00037,
        "DatabaseBackupLSN": 36_0000000050_00037,
        "BackupStartDate": datetime(2026, 3, 1, 2, 0, 0),
        "BackupFinishDate": datetime(2026, 3, 1, 2, 0, 5),
        "SortOrder": 52,
        "UnicodeLocaleId": 1033,
        "UnicodeComparisonStyle": 196609,
        "CompatibilityLevel": 130,
        "SoftwareVendorId": 4608,
        "SoftwareVersionMajor": version[0],
        "SoftwareVersionMinor": version[1],
        "SoftwareVersionBuild": version[2],
        "MachineName": "SQL1",
        "Flags": 0x210,
        "BindingID": numbered_guid(0xB1),
        "RecoveryForkID": numbered_guid(0xF1),
        "FirstRecoveryForkID": numbered_guid(0xF2),
        "ForkPointLSN": 31_0000000100_00001,
        "Collation": "SQL_Latin1_General_CP1_CI_AS",
        "FamilyGUID": numbered_guid(0xFA),
        "HasBulkLoggedData": False,
        "IsSnapshot": False,
        "IsReadOnly": False,
        "IsSingleUser": False,
        "HasBackupChecksums": True,
        "IsDamaged": False,
        "BeginsLogChain": False,
        "HasIncompleteMetaData": False,
        "IsForceOffline": False,
        "IsCopyOnly": False,
        "RecoveryModel": "FULL",
        "DifferentialBaseLSN": None,
        "DifferentialBaseGUID": None,
        "BackupSetGUID": numbered_guid(0xA1),
        "TimeZone": -13,
    }
    assert stored.unknown == NEVER_TOLD


@pytest.mark.parametrize("release", RELEASES)
def test_a_file_list_in_full(release: str, packed: bool):
    data = DatabaseFile(create_lsn=5_0000000001_00001)
    stored = only_set(build([BackupSet(version=RELEASES[release], files=(data, LOG_FILE))], packed=packed))
    assert stored.files == [
        {
            "LogicalName": "prs",
            "PhysicalName": "D:\\Data\\prs.mdf",
            "Type": "D",
            "FileGroupName": "PRIMARY",
            "Size": 8 << 20,
            "MaxSize": 1 << 40,
            "FileId": 1,
            "CreateLSN": 5_0000000001_00001,
            "UniqueId": numbered_guid(0x51),
            "BackupSizeInBytes": 65536,
            "SourceBlockSize": 512,
            "FileGroupId": 1,
            "DifferentialBaseLSN": 37_0000000100_00037,
            "DifferentialBaseGUID": numbered_guid(0xA1),
        },
        {
            "LogicalName": "prs_log",
            "PhysicalName": "L:\\Log\\prs.ldf",
            "Type": "L",
            "FileGroupName": None,
            "Size": 2 << 20,
            "MaxSize": 1 << 40,
            "FileId": 2,
            "CreateLSN": 0,
            "UniqueId": numbered_guid(0x52),
            "BackupSizeInBytes": 0,
            "SourceBlockSize": 512,
            "FileGroupId": 0,
            "DifferentialBaseLSN": None,
            "DifferentialBaseGUID": None,
        },
    ]


def test_a_label_in_full(packed: bool):
    file = read(build(stripes=3, stripe=2, packed=packed, media_name="monday"))
    assert file.media.label == {
        "MediaName": "monday",
        "MediaSetId": numbered_guid(0xE1),
        "FamilyCount": 3,
        "FamilySequenceNumber": 2,
        "MediaFamilyId": "c0ffee02-0000-0000-0000-000000000000",
        "MediaSequenceNumber": 1,
        "MediaDescription": None,
        "SoftwareName": "Microsoft SQL Server",
        "SoftwareVendorId": 4608,
        "MediaDate": datetime(2026, 3, 1, 1, 59, 59),
        "IsCompressed": int(packed),
    }


@pytest.mark.parametrize(
    ("letter", "number", "words"),
    [
        ("D", 1, "Database"),
        ("L", 2, "Transaction Log"),
        ("F", 4, "File"),
        ("I", 5, "Database Differential"),
        ("G", 6, "File Differential"),
        ("P", 7, "Partial"),
        ("Q", 8, "Partial Differential"),
    ],
)
def test_types(letter: str, number: int, words: str):
    header = only_set(build([BackupSet(letter=letter)])).header
    assert (header["BackupType"], header["BackupTypeDescription"]) == (number, words)


@pytest.mark.parametrize(
    ("bit", "column"),
    [
        (0x1, "HasBulkLoggedData"),
        (0x2, "IsSnapshot"),
        (0x4, "IsReadOnly"),
        (0x8, "IsSingleUser"),
        (0x10, "HasBackupChecksums"),
        (0x20, "IsDamaged"),
        (0x80, "HasIncompleteMetaData"),
        (0x100, "IsForceOffline"),
    ],
)
def test_flags(bit: int, column: str):
    header = only_set(build([BackupSet(flags=0x200 | bit)])).header
    names = ("HasBulkLoggedData", "IsSnapshot", "IsReadOnly", "IsSingleUser", "HasBackupChecksums", "IsDamaged")
    flags = {name: header[name] for name in (*names, "HasIncompleteMetaData", "IsForceOffline")}
    assert {name for name, value in flags.items() if value} == {column}


@pytest.mark.parametrize(
    ("status", "model"), [(0x10000, "FULL"), (0x10004, "BULK-LOGGED"), (0x10008, "SIMPLE"), (0xC, "SIMPLE")]
)
def test_recovery_models(status: int, model: str):
    assert only_set(build([BackupSet(status=status)])).header["RecoveryModel"] == model


@pytest.mark.parametrize(
    ("bits", "sort_id", "name"),
    [
        (0x409, 52, "SQL_Latin1_General_CP1_CI_AS"),
        (0x409, 54, "SQL_Latin1_General_CP1_CI_AI"),
        (0x409, 200, None),
        (0xD00409, 0, "Latin1_General_CI_AS"),
        (0x100409, 0, "Latin1_General_CI_AS_KS_WS"),
        (0x20D00409, 0, "Latin1_General_100_CI_AS"),
        (0x24F00409, 0, "Latin1_General_100_CI_AI_UTF8"),
        (0x02000409, 0, "Latin1_General_BIN2"),
        (0x01000419, 0, "Cyrillic_General_BIN"),
        (0xD00999, 0, None),
        (0x90D00409, 0, None),
    ],
)
def test_collations(bits: int, sort_id: int, name: str | None):
    assert only_set(build([BackupSet(collation=bits, sort_id=sort_id)])).header["Collation"] == name


def test_names_of_other_scripts(packed: bool):
    made = BackupSet(
        database="база",
        server="服务器",
        name="每日",
        machine="服务器",
        files=(DatabaseFile(logical_name="данные", physical_name="D:\\数据\\база.mdf"), LOG_FILE),
    )
    stored = only_set(build([made], packed=packed))
    assert (stored.header["DatabaseName"], stored.header["ServerName"]) == ("база", "服务器")
    assert (stored.header["BackupName"], stored.header["MachineName"]) == ("每日", "服务器")
    assert (stored.files[0]["LogicalName"], stored.files[0]["PhysicalName"]) == ("данные", "D:\\数据\\база.mdf")


@pytest.mark.parametrize("letter", ["D", "I"])
@pytest.mark.parametrize("major", [15, 16, 17])
def test_the_lsns_at_the_start_are_provisional_from_2019_on(letter: str, major: int, packed: bool):
    made = BackupSet(letter=letter, version=(major, 0, 2000), provisional=PROVISIONAL)
    header = only_set(build([made], packed=packed)).header
    assert (header["FirstLSN"], header["LastLSN"], header["CheckpointLSN"]) == (
        made.first_lsn,
        made.last_lsn,
        made.checkpoint_lsn,
    )


@pytest.mark.parametrize(
    ("letter", "major", "known"),
    [("D", 15, False), ("I", 16, False), ("L", 15, True), ("L", 17, True), ("D", 14, True), ("D", 9, True)],
)
def test_what_is_provisional_is_left_out_where_the_end_is_missing(letter: str, major: int, known: bool, packed: bool):
    # The data cannot be packed, so that a cut file holds the head of the set and nothing of its end.
    noise = b"".join(page(n, content=bytes((7 * n + 13 * i) % 251 for i in range(4000))) for n in range(24))
    data = build([BackupSet(letter=letter, version=(major, 0, 1), provisional=PROVISIONAL, pages=noise)], packed=packed)
    file = read(data[: len(data) // 2])
    [stored] = file.sets
    assert not stored.complete and stored.problems and not file.ends
    assert "cut off, or is still being written" in stored.problems[0]
    assert ("FirstLSN" in stored.header, "LastLSN" in stored.header, "CheckpointLSN" in stored.header) == (known,) * 3
    assert not {"BackupFinishDate", "BackupSize", "CompressedBackupSize"} & set(stored.header)
    assert stored.header["DatabaseName"] == "PasswordResetServer"


def test_log_backups_say_whether_they_begin_the_chain():
    first, second = chain(2, log_chain_start=37_0000000100_00001)[1:]
    data = build([first, second])
    assert [stored.header["BeginsLogChain"] for stored in read(data).sets] == [True, False]


def test_copy_only_is_told_where_it_can_be_and_else_not_guessed():
    normal = only_set(build())
    other_base = only_set(build([BackupSet(files=(DatabaseFile(base_guid=numbered_guid(9)), LOG_FILE))]))
    log = only_set(build([BackupSet(letter="L")]))
    differential = only_set(build([BackupSet(letter="I")]))
    assert normal.header["IsCopyOnly"] is False and "IsCopyOnly" not in normal.unknown
    assert differential.header["IsCopyOnly"] is False and "IsCopyOnly" not in differential.unknown
    for stored in (other_base, log):
        assert "IsCopyOnly" not in stored.header and "IsCopyOnly" in stored.unknown


def test_a_file_of_an_unknown_type_has_none():
    stored = only_set(
        build([BackupSet(files=(DatabaseFile(), LOG_FILE, DatabaseFile(logical_name="docs", type=3, file_id=3)))])
    )
    assert [row.get("Type") for row in stored.files] == ["D", "L", None]


@pytest.mark.parametrize("count", [2, 6, 27, 28, 40])
def test_many_sets_in_one_file(count: int, packed: bool):
    """From 28 sets on, a filemark of 512 bytes has no room for all that came before."""
    file = read(build(chain(count - 1), packed=packed))
    assert not file.problems and not any(stored.problems for stored in file.sets)
    assert [stored.header["Position"] for stored in file.sets] == list(range(1, count + 1))
    reach = [(stored.header["FirstLSN"], stored.header["LastLSN"]) for stored in file.sets[1:]]
    assert all(before[1] == after[0] for before, after in pairwise(reach))


def test_databases_with_many_files(packed: bool):
    stored = only_set(
        build(
            [BackupSet(files=(DatabaseFile(), LOG_FILE, *MANY_FILES), filegroups=((1, "PRIMARY"), (2, "DATA")))],
            packed=packed,
        )
    )
    assert len(stored.files) == 119
    assert (stored.files[-1]["LogicalName"], stored.files[-1]["FileGroupName"]) == ("prs119", "DATA")


def test_passwords_are_told(packed: bool):
    assert read(build(media_password="secret", packed=packed)).sets[0].password
    assert only_set(build([BackupSet(password="secret")], packed=packed)).password
    assert not only_set(build(packed=packed)).password


# What is wrong


FOREIGN = [
    (b"", "it is empty"),
    (bytes(5000), "nothing but zeros"),
    (b"PK\x03\x04" + bytes(3000), "ZIP archive"),
    (b"\x1f\x8b\x08" + bytes(3000), "gzip"),
    (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
    (b"\x01\x0f\x00\x00" + bytes(8188), "data file of SQL Server"),
    (b"Job succeeded.\r\n\t42 s\x0c" * 500, "it is text"),
    ("Übung".encode("latin-1"), "it is text"),
    ("[.ShellClassInfo]\r\n".encode("utf-16"), "it is text"),
]
"""What SQL Server reads no more than we do."""


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        *FOREIGN,
        (b"<html>" + bytes(3000), "begins with neither TAPE nor MSSQLBAK"),
        (b"TAPE" + bytes(3000), "fails its checksum"),
        (b"TAPE", "ends within the head of the media"),
        (build()[:100], "ends within the head of the media"),
        (b"MSSQLBAK" + bytes(3000), "encrypted, or compressed by another algorithm"),
        (b"MSSQLBAK", "ends within the head of the media"),
        (build(packed=True)[:600], "ends within the head of the media"),
        (build(filemark_size=512 * 129), "impossible sizes"),
        (build()[:0x54] + b"\x01\x04" + build()[0x56:], "impossible sizes"),
        (build(stripes=0), "impossible number of stripes"),
        (build(stripes=2, stripe=3), "impossible number of stripes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_backup_is_told_by_name(data: bytes, reason: str):
    with pytest.raises(FileFormatError, match=reason):
        read(data)


@pytest.mark.parametrize(("data", "foreign"), [
    *((data, True) for data, _reason in FOREIGN),
    (b"some other format\x01" * 500, False), (b"\xff\xfe\x00\xd8" + bytes(9), False), (b"MSSQLBAK", False), (b"TAPE", False),
    (b"tape", True),
])  # fmt: skip
def test_what_sql_server_may_read_is_not_called_foreign(data: bytes, foreign: bool):
    with pytest.raises(FileFormatError) as problem:
        read(data)
    assert isinstance(problem.value, Foreign) is foreign


def test_a_tape_of_another_program_is_told_by_its_name():
    data = bytearray(build())
    at = data.index(b"RAID")
    data[at : at + 4] = b"OTHR"
    struct.pack_into(
        "<H", data, at + 20, struct.unpack_from("<H", data, at + 20)[0] ^ xor_of(b"RAID") ^ xor_of(b"OTHR")
    )
    name = "Windows NT Backup"
    tape = bytes(data).replace("Microsoft SQL Server".encode("utf-16-le"), name.ljust(20, "\0").encode("utf-16-le"))
    with pytest.raises(FileFormatError, match=f"it is no backup of SQL Server: its media were written by {name}$"):
        read(tape)


def xor_of(four: bytes) -> int:
    return struct.unpack("<H", four[:2])[0] ^ struct.unpack("<H", four[2:])[0]


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (replace(BackupSet(), letter="X"), "unknown type of backup"),
        (replace(BackupSet(), name="\ud800"), "no UTF-16"),
        (replace(BackupSet(), files=(DatabaseFile(logical_name="\udc00"),)), "no UTF-16"),
    ],
    ids=["type", "name of the set", "name of a file"],
)
def test_a_set_that_cannot_be_read_does_not_stop_the_others(made: BackupSet, reason: str, packed: bool):
    first, second, third = read(build([BackupSet(), made, BackupSet()], packed=packed)).sets
    assert second.header == {} and reason in second.problems[0]
    assert first.complete and third.complete


def test_a_set_that_breaks_off_takes_none_of_those_before_it_along(packed: bool):
    """Its data are longer than what is read of the end. Only what lies too far before the end is not found."""
    log = bytes(byte for byte in random.Random(4).randbytes(100_000) for _time in range(3))
    made = [replace(each, log=log) for each in chain(2)]
    data = build(made, packed=packed)
    marks = read(data).marks
    for cut in (marks[5] - 9000, marks[5] - 100, marks[5]):
        file = read(data[:cut])
        assert not file.ends and file.marks[:5] == marks[:5]
        assert [(stored.complete, bool(stored.problems)) for stored in file.sets] == [
            (True, False), (True, False), (False, True),
        ]  # fmt: skip
    far = data[: marks[5]]
    near = read_backup_file(lambda at, length: far[at : at + length], len(far), tail=1024, look_back=2048)
    assert [stored.complete for stored in near.sets] == [False]


def test_bytes_behind_the_end_are_told(packed: bool):
    file = read(build(packed=packed) + b"more")
    assert file.problems == ["4 bytes follow its end, which do not belong to it"]
    assert file.sets[0].complete


def test_a_set_in_the_place_of_another_is_told(packed: bool):
    file = read(build([BackupSet(position=2)], packed=packed))
    assert file.sets[0].problems == ["its end belongs to set 2", "its header tells that it is number 2"]


def test_starts_and_ends_that_disagree_are_told():
    data = bytearray(build())
    at = data.rindex("PasswordResetServer".encode("utf-16-le"))
    data[at] ^= 1
    assert read(bytes(data)).sets[0].problems == ["its start and its end disagree on DatabaseName"]


@pytest.mark.parametrize(
    ("made", "problem"),
    [
        (BackupSet(first_lsn=38_0000000100_00001), "its LSNs are in no possible order"),
        (BackupSet(checkpoint_lsn=36_0000000100_00001), "its LSNs are in no possible order"),
        (BackupSet(letter="I", checkpoint_lsn=38_0000000100_00001), "its LSNs are in no possible order"),
        (BackupSet(letter="L", first_lsn=38_0000000100_00001), "its LSNs are in no possible order"),
        (BackupSet(letter="L", checkpoint_lsn=0), None),
        (BackupSet(finished=datetime(2026, 3, 1, 0, 59, 59)), "it ended before it began"),
        (BackupSet(finished=datetime(2026, 3, 1, 1, 0, 0)), None),  # the clock was set back meanwhile
        (
            BackupSet(started=datetime(1, 1, 1), finished=datetime(1, 1, 1)),
            "it ran in a year that SQL Server does not know",
        ),
        (BackupSet(finished=datetime(9999, 1, 1)), "it ran in a year that SQL Server does not know"),
        (BackupSet(database=""), "its database has a name that none can have"),
        (BackupSet(database="a\0b"), "its database has a name that none can have"),
        (BackupSet(database="d" * 129), "its database has a name that none can have"),
        (BackupSet(database="d" * 128), None),
        (BackupSet(time_zone=-49), "its header tells a time zone that there is none"),
        (BackupSet(time_zone=57), "its header tells a time zone that there is none"),
        (BackupSet(time_zone=-48), None),
        (BackupSet(time_zone=56), None),
        (BackupSet(time_zone=127), None),  # not known
    ],
)
def test_what_cannot_be_of_one_backup_is_told(made: BackupSet, problem: str | None):
    [stored] = read(build([made])).sets
    assert stored.problems[:1] == ([problem] if problem else [])


@pytest.mark.parametrize(
    ("offset", "problem"),
    [
        (0x2A, "its last LSN is told in two ways"),
        (0x08 + 1, "its start and its end disagree on Flags"),
        (0x0C, "its start and its end disagree on number of files"),
        (0x34, "its GUID or its checkpoint is told in two ways"),
    ],
)
def test_values_that_stand_there_twice_are_compared(offset: int, problem: str):
    data = bytearray(build())
    data[data.rindex(b"SCIN") + offset] ^= 1
    assert problem in read(bytes(data)).sets[0].problems


def test_an_end_of_another_time_is_told():
    data = bytearray(build())
    data[data.rindex(b"ESET", 0, data.rindex(b"ESET")) + 0x51] ^= 0x80
    assert read(bytes(data)).sets[0].problems == ["its end is of another time"]


def test_memory_is_not_taken_for_what_a_file_claims(packed: bool):
    """A list of records of 2 GB, filemarks without number: refused before anything of that size is read."""
    asked = []
    data = bytearray(build())
    at = data.index(b"MQCI")
    struct.pack_into("<Q", data, at + 8, 1 << 31)
    struct.pack_into("<H", data, at + 20, 0)
    struct.pack_into("<H", data, at + 20, xor_words_of(data[at : at + 20]))

    def answer(offset: int, length: int) -> bytes:
        asked.append(length)
        return bytes(data[offset : offset + length])

    [stored] = read_backup_file(answer, len(data)).sets
    assert "impossible length" in stored.problems[0]
    assert max(asked) <= 65536


def xor_words_of(data: bytes) -> int:
    total = 0
    for word in struct.unpack(f"<{len(data) // 2}H", data):
        total ^= word
    return total


def test_the_end_of_a_packed_set_is_looked_for_in_few_steps():
    """Frames of a few hundred bytes that unpack to 64 KB each: what is looked at grows with them, not with their square."""
    frames = frame(bytes(65024), pack=xpress_huffman) * 100
    data = frames + filler(100)
    part = PackedPart(RangeReader(lambda at, length: data[at : at + length], len(data)), 0, len(data), window=HEAD)
    ends = [len(end) for end in part.tails(0)]
    assert ends[:3] == [65024, 2 * 65024, 4 * 65024] and max(ends) == 100 * 65024
    assert sum(ends) < 4 * 100 * 65024


def test_two_reads_suffice_however_large_a_file_is():
    data = build([BackupSet(pages=bytes(8192 * 100), log=bytes(100_000))])
    asked = []

    def answer(offset: int, length: int) -> bytes:
        asked.append(length)
        return data[offset : offset + length]

    assert read_backup_file(answer, len(data)).sets[0].complete
    assert asked == [16384, 32768]


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (BackupSet(size=3 << 20), "larger than what the file holds"),
        (BackupSet(compressed_size=3 << 20), "larger than what the file holds"),
        (
            BackupSet(files=(DatabaseFile(size=(16 << 40) + 8192), LOG_FILE)),
            "its file prs has a size that none can have",
        ),
        (BackupSet(files=(DatabaseFile(size=(1 << 20) + 512), LOG_FILE)), "its file prs has a size that none can have"),
        (BackupSet(files=(DatabaseFile(), replace(LOG_FILE, size=3 << 40))), "its file prs_log has a size"),
    ],
)
def test_sizes_that_cannot_be_are_not_believed(made: BackupSet, reason: str):
    """Or a plan would ask for room that nobody needs, or find room where there is none."""
    [problem] = read(build([made])).sets[0].problems
    assert reason in problem


def test_a_set_that_lists_fewer_files_than_it_tells_is_damaged():
    whole = build()
    data = bytearray(whole)
    for record in (whole.index(b"SCIN"), whole.rindex(b"SCIN")):
        data[record + 0x0C] = 2
    [problem] = read(bytes(data)).sets[0].problems
    assert problem == "it tells 2 data files and 1 log files, and lists others"
