"""Builds small data and log files of SQL Server from what is known of their format, for tests."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from ansible_collections.prs.recovery.plugins.module_utils._core.binary.page_checksums import (
    block_error,
    page_checksum,
)

PAGE, SECTOR = 8192, 512
BINDING, FAMILY, FORK = (UUID(int=number) for number in (0xB1, 0xFA, 0xF0))
CHECKPOINT = (0x22, 0x18, 1)
NO_LSN = (0, 0, 0)
CLEAN, SIMPLE, CHECKSUM, TORN = 0x40000000, 0x8, 0x10000, 0x10
BEGIN_CHECKPOINT, END_CHECKPOINT, COMMIT = 0x96, 0x99, 0x81
BOOT_LENGTH = 1700


@dataclass(frozen=True, kw_only=True)
class TableRow:
    object_id: int
    name: str
    rows: int


@dataclass(frozen=True, kw_only=True)
class Database:
    """What the files say of a database."""

    name: str = "PasswordResetServer"
    version: int = 904
    created_version: int = 904
    status: int = CLEAN | CHECKSUM
    checkpoint: tuple[int, int, int] = CHECKPOINT
    collation_id: int = 0x0000D008
    created: datetime = datetime(2024, 5, 6, 7, 8, 9)
    last_check: datetime | None = None
    build: tuple[int, int, int] = (15, 0, 4430)
    binding: UUID = BINDING
    pages: int = 24
    log_pages: int = 9
    torn_bits: bool = False
    header_columns: int = 46
    tables: tuple[TableRow, ...] = (TableRow(object_id=0x0A10, name="Users", rows=5),)
    files: tuple[tuple[int, int, str, str], ...] = (
        (1, 0, "PasswordResetServer", "D:\\Data\\PasswordResetServer.mdf"),
        (2, 1, "PasswordResetServer_log", "E:\\Log\\PasswordResetServer_log.ldf"),
    )
    operations: tuple[int, ...] = (BEGIN_CHECKPOINT, END_CHECKPOINT)
    extra: dict[str, bytes] = field(default_factory=dict)

    def changed(self, **changes: object) -> Database:
        return replace(self, **changes)  # type: ignore[arg-type]


def lsn(value: tuple[int, int, int]) -> bytes:
    return struct.pack("<IIH", *value)


def moment(value: datetime | None) -> bytes:
    if value is None:
        return bytes(8)
    days, rest = divmod((value - datetime(1900, 1, 1)).total_seconds(), 86400)
    return struct.pack("<Ii", round(rest * 300), int(days))


def record(fixed: bytes, variable: list[bytes] | None = None, *, columns: int = 1) -> bytes:
    """A row as it lies on a page."""
    data = bytes((0x30 if variable is not None else 0x10, 0)) + struct.pack("<H", 4 + len(fixed)) + fixed
    data += struct.pack("<H", columns) + bytes((columns + 7) // 8)
    if variable is None:
        return data
    at = len(data) + 2 + 2 * len(variable)
    ends = []
    for value in variable:
        at += len(value)
        ends.append(at)
    return data + struct.pack(f"<H{len(ends)}H", len(ends), *ends) + b"".join(variable)


def page(
    number: int,
    kind: int,
    records: list[bytes] = (),  # type: ignore[assignment]
    *,
    file: int = 1,
    body: bytes = b"",
    following: int = 0,
    written: tuple[int, int, int] = (0x22, 0x10, 1),
    torn: bool = False,
) -> bytes:
    """A page with its records, protected by a checksum or by torn bits."""
    data = bytearray(PAGE)
    data[0:2] = bytes((1, kind))
    struct.pack_into("<H", data, 4, 0x100 if torn else 0x200)
    if following:
        struct.pack_into("<IH", data, 16, following, file)
    struct.pack_into("<H", data, 22, len(records))
    struct.pack_into("<IH", data, 32, number, file)
    data[40:50] = lsn(written)
    at = 96
    data[at : at + len(body)] = body
    for slot, row in enumerate(records):
        data[at : at + len(row)] = row
        struct.pack_into("<H", data, PAGE - 2 - 2 * slot, at)
        at += len(row)
    return protect(data, torn=torn)


def protect(data: bytes | bytearray, *, torn: bool = False) -> bytes:
    """With the checksum that belongs into it, or with torn bits in the place of what lies at each sector's end."""
    data = bytearray(data)
    data[60:64] = bytes(4)
    if not torn:
        data[60:64] = struct.pack("<I", page_checksum(bytes(data)))
        return bytes(data)
    kept = 1
    for sector in range(1, 16):
        last = SECTOR * sector + SECTOR - 1
        kept |= (data[last] & 3) << 2 * sector
        data[last] = data[last] & 0xFC | 1
    data[60:64] = struct.pack("<I", kept)
    return bytes(data)


def boot_record(database: Database) -> bytes:
    """DBINFO: the record of the boot page, which a log holds a copy of. Offsets as on the page, less 96."""
    data = bytearray(BOOT_LENGTH)

    def put(offset: int, value: bytes) -> None:
        data[offset - 96 : offset - 96 + len(value)] = value

    data[0] = 0x10
    put(98, struct.pack("<H", BOOT_LENGTH))
    put(100, struct.pack("<HH", database.version, database.created_version))
    put(132, struct.pack("<I", database.status))
    put(140, moment(database.created))
    put(148, database.name.encode("utf-16-le").ljust(256, b"\x20"))
    put(410, struct.pack("<H", 150))
    put(444, lsn(database.checkpoint))
    put(488, struct.pack("<I", database.collation_id))
    put(504, FAMILY.bytes_le)
    put(552, FORK.bytes_le)
    put(612, struct.pack("<IH", 16, 1))
    put(748, moment(database.last_check))
    major, minor, build = database.build
    put(780, struct.pack("<HBB", build, minor, major))
    for offset, value in database.extra.items():
        put(int(offset), value)
    return bytes(data)


def header_record(database: Database, file: int, *, log: bool) -> bytes:
    """The record of page 0."""
    columns = [b""] * database.header_columns
    columns[0] = database.binding.bytes_le
    columns[2], columns[3] = struct.pack("<H", file), struct.pack("<H", 0 if log else 1)
    columns[4] = struct.pack("<I", database.log_pages if log else database.pages)
    columns[5], columns[6] = struct.pack("<I", 0x10000000 if log else 0xFFFFFFFF), struct.pack("<I", 8192)
    columns[13] = struct.pack("<I", 0x100000 if log else 0)
    if database.header_columns > 27:
        columns[23] = UUID(int=0xF11E0 + file).bytes_le
        columns[27] = next((row[2] for row in database.files if row[0] == file), "").encode("utf-16-le")
    return record(b"", columns)


def _system_pages(database: Database, torn: bool) -> dict[int, bytes]:
    """sysallocunits on page 16, sysrowsets on 17, then the tables."""
    tables = {24: 18, 34: 19, 64: 20}
    rowsets = {5 << 16: 17} | {number << 16: at for number, at in tables.items()}
    units = [
        record(struct.pack("<QBQIHIH", index, 1, rowset, 0, 1, at, 1) + bytes(36))
        for index, (rowset, at) in enumerate(rowsets.items(), 1)
    ]
    own = [(number << 16, number, 0) for number in tables]
    users = [(0x7000 + row.object_id, row.object_id, row.rows) for row in database.tables]
    sets = [
        record(struct.pack("<QBii", rowset, 0, table, 1) + bytes(10) + struct.pack("<QB", rows, 0))
        for rowset, table, rows in (*own, *users)
    ]
    listed = [
        record(
            struct.pack("<IIIIBBIII", 0, file, 1 if kind == 0 else 0, 0, kind, 0, 0, 0, 0).ljust(50, b"\0")
            + UUID(int=0xF11E0 + file).bytes_le,
            [name.encode("utf-16-le"), path.encode("utf-16-le")],
        )
        for file, kind, name, path in database.files
    ]
    objects = [
        record(
            struct.pack("<II", row.object_id, 1) + bytes(5) + b"U " + bytes(9) + moment(database.created),
            [row.name.encode("utf-16-le")],
        )
        for row in database.tables
    ]
    schemas = [record(bytes((50,)) + struct.pack("<I", 1) + bytes(4), ["dbo".encode("utf-16-le")])]
    contents = {16: units, 17: sets, 18: listed, 19: objects, 20: schemas}
    return {number: page(number, 1, rows, torn=torn) for number, rows in contents.items()}


def data_file(database: Database) -> bytes:
    """The primary data file."""
    torn = database.torn_bits
    used = range(21)
    allocation = bytes(4) + bytes(0x40 if number in used else 0 for number in range(8088))
    pages = {
        0: page(0, 15, [header_record(database, 1, log=False)], torn=torn),
        1: page(1, 11, body=allocation, torn=torn),
        2: page(2, 8, torn=torn),
        3: page(3, 9, torn=torn),
        6: page(6, 16, torn=torn),
        7: page(7, 17, torn=torn),
        9: page(9, 13, [boot_record(database)], torn=torn),
        **_system_pages(database, torn),
    }
    for number in used:
        pages.setdefault(number, page(number, 1, torn=torn))
    return b"".join(pages.get(number, bytes(PAGE)) for number in range(database.pages))


def log_block(sequence: int, number: int, operations: tuple[int, ...], *, size: int = 1024) -> bytes:
    """A block of log records: a checksum, and a stamp at the beginning of every further sector."""
    data = bytearray(size)
    data[0] = 0x50
    starts = [0x30 + 32 * slot for slot in range(len(operations))]
    used = 0x30 + 32 * len(operations) + 2 * len(operations)
    struct.pack_into("<HHHH", data, 2, len(operations), used, size, 0x02)
    data[12:22] = lsn((sequence, number, 1))
    for slot, (start, operation) in enumerate(zip(starts, operations, strict=True)):
        data[start + 0x16] = operation
        struct.pack_into("<H", data, used - 2 * (slot + 1), start)
    for sector in range(1, size // SECTOR):
        data[size - 1 - sector] = data[SECTOR * sector]
        data[SECTOR * sector] = 0x40
    struct.pack_into("<I", data, 24, block_error(bytes(data)))
    return bytes(data)


def log_file(database: Database) -> bytes:
    """The log file: page 0 with the copy of the boot page, and virtual log files of four pages, the first one in use."""
    first = page(0, 15, [header_record(database, 2, log=True), boot_record(database)], file=2)
    sequence, block, _slot = database.checkpoint
    size = (database.log_pages - 1) // 2 * PAGE
    parts = []
    for index, used in enumerate((sequence, 0)):
        part = bytearray(size)
        part[0:2] = bytes((0xAB, 0x40 if used else 0))
        struct.pack_into("<HI", part, 2, 5, used)
        struct.pack_into("<QQ", part, 16, size, PAGE + index * size)
        if used:
            # blocks from the first one up to the checkpoint's, which lie at their own number
            for number in range(PAGE // SECTOR, block, 2):
                part[number * SECTOR : (number + 2) * SECTOR] = log_block(sequence, number, (COMMIT,))
            last = log_block(sequence, block, database.operations)
            part[block * SECTOR : block * SECTOR + len(last)] = last
        parts.append(bytes(part))
    return first + b"".join(parts)
