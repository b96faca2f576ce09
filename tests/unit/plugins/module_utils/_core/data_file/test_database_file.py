"""Data and log files that a builder wrote from the facts of the format: every field, and every damage."""

from __future__ import annotations

import random
import struct
from datetime import datetime

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.data_file.database_file import (
    DatabaseFile,
    Fault,
    FileKind,
    inspect_file,
)
from database_files import (
    BEGIN_CHECKPOINT,
    BINDING,
    CHECKSUM,
    CLEAN,
    COMMIT,
    END_CHECKPOINT,
    FAMILY,
    FORK,
    PAGE,
    SIMPLE,
    TORN,
    Database,
    TableRow,
    data_file,
    log_file,
    protect,
)
from hypothesis import given, settings
from hypothesis import strategies as st

DATA, LOG = data_file(Database()), log_file(Database())


def inspect(data: bytes, *, pages: bool = False) -> DatabaseFile:
    return inspect_file(lambda offset, length: data[offset : offset + length], len(data), pages=pages)


def faults(data: bytes, *, pages: bool = False) -> set[Fault]:
    return {fault for fault, _sentence in inspect(data, pages=pages).faults}


def replaced(data: bytes, offset: int, value: bytes) -> bytes:
    return data[:offset] + value + data[offset + len(value) :]


def test_the_header_of_a_data_file() -> None:
    file = inspect(DATA)
    assert (file.kind, file.is_primary, file.faults) == (FileKind.DATA, True, [])
    assert file.header
    assert (file.header.binding_id, file.header.file_id, file.header.filegroup_id) == (str(BINDING), 1, 1)
    assert (file.header.pages, file.header.maximum, file.header.growth) == (24, None, 8192)
    assert (file.header.growth_is_percent, file.header.logical_name) == (False, "PasswordResetServer")


def test_the_header_of_a_log() -> None:
    file = inspect(LOG)
    assert (file.kind, file.is_primary, file.faults) == (FileKind.LOG, False, [])
    assert file.header
    assert (file.header.file_id, file.header.filegroup_id, file.header.maximum) == (2, 0, 0x10000000)
    assert (file.header.growth_is_percent, file.header.logical_name) == (True, "PasswordResetServer_log")


def test_a_file_that_sql_server_2000_made_has_no_name_in_its_header() -> None:
    file = inspect(data_file(Database(header_columns=22, version=706, created_version=539)))
    assert file.header
    assert (file.header.logical_name, file.header.file_guid, file.faults) == (None, None, [])


@pytest.mark.parametrize("data", [DATA, LOG], ids=["data file", "copy in the log"])
def test_the_boot_page(data: bytes) -> None:
    boot = inspect(data).boot
    assert boot
    assert (boot.name, boot.version, boot.release, boot.created_version) == ("PasswordResetServer", 904, "2019", 904)
    assert (boot.clean, boot.recovery_model, boot.page_verify) == (True, "FULL", "CHECKSUM")
    assert (boot.checkpoint, boot.compatibility_level, boot.build) == ((0x22, 0x18, 1), 150, "15.0.4430")
    assert (boot.family_guid, boot.recovery_fork_guid) == (str(FAMILY), str(FORK))
    assert (boot.created, boot.last_check) == (datetime(2024, 5, 6, 7, 8, 9), None)
    assert (boot.collation, boot.system_tables) == ("Latin1_General_CI_AS", (1, 16))


@pytest.mark.parametrize(
    ("changes", "field", "expected"),
    [
        ({"status": CHECKSUM}, "clean", False),
        ({"status": CLEAN | SIMPLE}, "recovery_model", "SIMPLE"),
        ({"status": CLEAN | 0x4}, "recovery_model", "BULK_LOGGED"),
        ({"status": CLEAN | TORN}, "page_verify", "TORN_PAGE_DETECTION"),
        ({"status": CLEAN}, "page_verify", "NONE"),
        ({"status": CLEAN | 0x400}, "read_only", True),
        ({"status": CLEAN | 0x800}, "restricted_user", True),
        ({"status": CLEAN | 0x1000}, "single_user", True),
        ({"status": CLEAN | 0x8000}, "emergency", True),
        ({"status": CLEAN | 0x1}, "auto_close", True),
        ({"version": 957}, "release", "2022"),
        ({"version": 1234}, "release", None),
        ({"collation_id": 52 << 24}, "collation", "SQL_Latin1_General_CP1_CI_AS"),
        ({"collation_id": 0x0000000D}, "collation", None),
        ({"collation_id": 0x0000C028}, "collation", "Modern_Spanish_CS_AS"),
        ({"name": "Кадры"}, "name", "Кадры"),
        ({"last_check": datetime(2026, 1, 2, 3, 4, 5)}, "last_check", datetime(2026, 1, 2, 3, 4, 5)),
        ({"build": (0, 0, 0)}, "build", None),
    ],
)
def test_each_field_of_the_boot_page(changes: dict[str, object], field: str, expected: object) -> None:
    assert getattr(inspect(data_file(Database().changed(**changes))).boot, field) == expected


def test_the_list_of_files() -> None:
    listed = inspect(DATA).files
    assert listed is not None
    assert [(row.file_id, row.kind, row.state, row.logical_name, row.path) for row in listed] == [
        (1, 0, 0, "PasswordResetServer", "D:\\Data\\PasswordResetServer.mdf"),
        (2, 1, 0, "PasswordResetServer_log", "E:\\Log\\PasswordResetServer_log.ldf"),
    ]
    header = inspect(DATA).header
    assert header
    assert listed[0].file_guid == header.file_guid


def test_the_user_tables_with_their_rows() -> None:
    rows = (TableRow(object_id=700, name="Users", rows=12), TableRow(object_id=650, name="Log", rows=70_000))
    tables = inspect(data_file(Database(tables=rows))).tables
    assert tables is not None
    assert [(table.schema, table.name, table.rows, table.compressed) for table in tables] == [
        ("dbo", "Log", 70_000, False),
        ("dbo", "Users", 12, False),
    ]


def test_torn_bits_are_put_back_before_anything_is_read() -> None:
    file = inspect(data_file(Database(torn_bits=True, status=CLEAN | TORN)), pages=True)
    assert file.faults == []
    assert [row.logical_name for row in file.files or ()] == ["PasswordResetServer", "PasswordResetServer_log"]


def test_a_log_says_what_was_logged_from_the_checkpoint_on() -> None:
    log = inspect(LOG).log
    assert log
    assert (log.end, len(log.files), log.active and log.active.sequence) == (len(LOG), 2, 0x22)
    assert (log.operations, log.end_lsn) == ((BEGIN_CHECKPOINT, END_CHECKPOINT), (0x22, 0x1A, 1))
    assert log.holds_checkpoint
    assert log.is_quiet


@pytest.mark.parametrize(
    ("operations", "holds", "quiet"),
    [
        ((BEGIN_CHECKPOINT, 0x98, END_CHECKPOINT), True, True),
        ((BEGIN_CHECKPOINT, END_CHECKPOINT, COMMIT), True, False),
        ((BEGIN_CHECKPOINT,), True, False),
        ((COMMIT, END_CHECKPOINT), False, False),
    ],
)
def test_what_follows_the_checkpoint(operations: tuple[int, ...], holds: bool, quiet: bool) -> None:
    log = inspect(log_file(Database(operations=operations))).log
    assert log
    assert (log.holds_checkpoint, log.is_quiet) == (holds, quiet)


def test_every_block_of_a_log_is_checked() -> None:
    check = inspect(LOG, pages=True).log_check
    assert check
    assert (check.blocks, check.protected, check.bad) == (5, 5, [])


@pytest.mark.parametrize("length", [0, 1, PAGE - 1])
def test_what_is_shorter_than_a_page(length: int) -> None:
    assert faults(DATA[:length]) == {Fault.NOT_SQL_SERVER}


@pytest.mark.parametrize(
    "data",
    [b"<!DOCTYPE html>" + b" " * 3 * PAGE, bytes(4 * PAGE), random.Random(1).randbytes(4 * PAGE)],
    ids=["web page", "zeros", "garbage"],
)
def test_what_is_no_file_of_sql_server(data: bytes) -> None:
    file = inspect(data, pages=True)
    assert (file.kind, faults(data)) == (FileKind.UNKNOWN, {Fault.NOT_SQL_SERVER})


@pytest.mark.parametrize("data", [DATA, LOG], ids=["data", "log"])
def test_a_cut_is_noticed_wherever_it_is(data: bytes) -> None:
    for length in range(PAGE, len(data), 1000):
        assert faults(data[:length]) & {Fault.CUT_OFF, Fault.TOO_LONG}, length


@pytest.mark.parametrize("data", [DATA, LOG], ids=["data", "log"])
@pytest.mark.parametrize("added", [1, 512, PAGE])
def test_bytes_that_were_appended_are_noticed(data: bytes, added: int) -> None:
    assert Fault.TOO_LONG in faults(data + bytes(added))


@pytest.mark.parametrize("data", [DATA, LOG], ids=["data", "log"])
def test_a_header_that_is_zeros(data: bytes) -> None:
    assert Fault.HEADER in faults(bytes(PAGE) + data[PAGE:])


def test_a_boot_page_that_is_zeros() -> None:
    assert Fault.BOOT_PAGE in faults(replaced(DATA, 9 * PAGE, bytes(PAGE)))


def test_a_beginning_that_is_lost() -> None:
    file = inspect(bytes(10 * PAGE) + DATA[10 * PAGE :], pages=True)
    assert file.kind is FileKind.DATA
    assert file.faults[0] == (Fault.HEADER, "has lost its beginning; later pages belong to file 1")


def test_swapped_pages_are_noticed() -> None:
    swapped = DATA[: 16 * PAGE] + DATA[17 * PAGE : 18 * PAGE] + DATA[16 * PAGE : 17 * PAGE] + DATA[18 * PAGE :]
    assert faults(swapped, pages=True) == {Fault.SYSTEM_TABLES, Fault.PAGES}


def test_any_flipped_bit_in_a_page_in_use_is_noticed() -> None:
    chance = random.Random(7)
    for _ in range(60):
        at = chance.randrange(21 * PAGE)
        if at % PAGE in (4, 5):  # the flags say whether there is a checksum
            continue
        flipped = replaced(DATA, at, bytes((DATA[at] ^ 1 << chance.randrange(8),)))
        assert faults(flipped, pages=True), at


def test_any_flipped_bit_in_a_block_of_the_log_is_noticed() -> None:
    chance = random.Random(8)
    first = PAGE + 0x18 * 512
    for _ in range(60):
        at = first + chance.randrange(0x1C, 1024)
        flipped = replaced(LOG, at, bytes((LOG[at] ^ 1 << chance.randrange(8),)))
        assert Fault.LOG_BLOCKS in faults(flipped, pages=True), at


def test_pages_that_are_not_in_use_may_hold_anything() -> None:
    file = inspect(replaced(DATA, 22 * PAGE, random.Random(9).randbytes(PAGE)), pages=True)
    assert (file.faults, file.page_check and file.page_check.unused) == ([], 1)


def test_a_page_in_use_that_is_zero_is_damage_only_where_the_file_was_closed_cleanly() -> None:
    assert Fault.PAGES in faults(replaced(DATA, 12 * PAGE, bytes(PAGE)), pages=True)
    running = data_file(Database(status=CHECKSUM))
    file = inspect(replaced(running, 12 * PAGE, bytes(PAGE)), pages=True)
    assert (file.faults, file.page_check and file.page_check.never_written) == ([], 1)


def test_a_file_that_was_copied_while_the_database_ran() -> None:
    newer = bytearray(DATA[12 * PAGE : 13 * PAGE])
    newer[40:50] = struct.pack("<IIH", 0x22, 0x99, 1)
    file = inspect(replaced(DATA, 12 * PAGE, protect(newer)), pages=True)
    assert file.faults == [
        (
            Fault.IN_USE,
            "was copied while the database was in use: page 12 is newer than the last checkpoint",
        )
    ]


def test_system_tables_that_run_in_a_circle_end() -> None:
    looped = bytearray(DATA[16 * PAGE : 17 * PAGE])
    struct.pack_into("<IH", looped, 16, 16, 1)
    file = inspect(replaced(DATA, 16 * PAGE, protect(looped)))
    [(fault, sentence)] = file.faults
    assert fault is Fault.SYSTEM_TABLES
    assert sentence.startswith("has system tables that cannot be read: a chain of pages runs in a circle")


@given(st.data())
@settings(max_examples=60)
def test_whatever_is_in_a_file_it_is_told_and_nothing_raises(data: st.DataObject) -> None:
    whole = bytearray(data.draw(st.sampled_from([DATA, LOG])))
    for _ in range(data.draw(st.integers(1, 12))):
        at = data.draw(st.integers(0, len(whole) - 4))
        whole[at : at + 4] = data.draw(st.binary(min_size=4, max_size=4))
    number = data.draw(st.integers(0, len(whole) // PAGE - 1))
    if data.draw(st.booleans()):  # so that what it says is believed
        whole[number * PAGE : (number + 1) * PAGE] = protect(whole[number * PAGE : (number + 1) * PAGE])
    inspect(bytes(whole), pages=True)
