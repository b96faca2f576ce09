"""What a backup set says about itself: the records SCIN, SFGI and SFIN, in the blocks that begin and end it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from .blocks import block, data_block, placed, stream
from .values import Fields, raw_guid, raw_lsn, raw_moment

__all__ = [
    "LOG_FILE",
    "BackupSet",
    "DatabaseFile",
    "end_part",
    "media_part",
    "numbered_guid",
    "set_end",
    "set_part",
    "set_start",
]

PAGE = 8192
FIXED = {9: (0x158, 0x190), 10: (0x16C, 0x400)}
"""Lengths of the records of a set and of a file by major version; later ones: 0x190 and 0x404."""


def numbered_guid(number: int) -> str:
    return str(uuid.UUID(int=number))


@dataclass(kw_only=True)
class DatabaseFile:
    logical_name: str = "prs"
    physical_name: str = "D:\\Data\\prs.mdf"
    type: int = 1
    file_id: int = 1
    filegroup_id: int = 1
    size: int = 8 << 20
    max_size: int = 1 << 40
    unique_id: str = numbered_guid(0x51)
    base_lsn: int = 0
    base_guid: str | None = None
    create_lsn: int = 0
    backup_size: int = 65536


LOG_FILE = DatabaseFile(
    logical_name="prs_log",
    physical_name="L:\\Log\\prs.ldf",
    type=2,
    file_id=2,
    filegroup_id=0,
    size=2 << 20,
    unique_id=numbered_guid(0x52),
    backup_size=0,
)


@dataclass(kw_only=True)
class BackupSet:
    """letter: D, I, L ... provisional: other values of LSNs at the start, as SQL Server 2019 and later write them."""

    letter: str = "D"
    database: str = "PasswordResetServer"
    server: str = "SQL1\\PRS"
    machine: str = "SQL1"
    name: str = "nightly"
    description: str = ""
    user: str = "EXAMPLE\\backup"
    guid: str = numbered_guid(0xA1)
    version: tuple[int, int, int] = (13, 0, 4001)
    database_version: int = 852
    compatibility: int = 130
    started: datetime = datetime(2026, 3, 1, 2, 0, 0)
    finished: datetime = datetime(2026, 3, 1, 2, 0, 5)
    created: datetime = datetime(2020, 1, 2, 3, 4, 5)
    expires: datetime | None = None
    time_zone: int = 4
    first_lsn: int = 37_0000000100_00001
    last_lsn: int = 37_0000000200_00001
    checkpoint_lsn: int = 37_0000000100_00037
    provisional: tuple[int, int, int] | None = None
    database_backup_lsn: int = 36_0000000050_00037
    last_full: str | None = numbered_guid(0xF0)
    flags: int = 0x210
    status: int = 0x10000
    size: int = 100_000
    compressed_size: int = 0
    binding: str = numbered_guid(0xB1)
    family: str = numbered_guid(0xFA)
    fork: str = numbered_guid(0xF1)
    first_fork: str | None = None
    fork_point: int = 0
    log_chain_start: int = 30_0000000100_00001
    base_lsn: int = 0
    base_guid: str | None = None
    collation: int = 0x100409 | 1 << 22 | 1 << 23
    sort_id: int = 52
    files: Sequence[DatabaseFile] = field(default_factory=lambda: (DatabaseFile(), LOG_FILE))
    filegroups: Sequence[tuple[int, str]] = ((1, "PRIMARY"),)
    pages: bytes = b""
    log: bytes = b""
    password: str = ""
    position: int | None = None  # None: its place in the file


def set_record(made: BackupSet, *, final: bool) -> bytes:
    major, minor, build = made.version
    record = Fields(FIXED.get(major, (0x190, 0))[0])
    record.raw(0, b"SCIN")
    record.put(0x08, "III", made.flags, *(sum(file.type == kind for file in made.files) for kind in (1, 2)))
    record.put(0x18, "HBB", build, minor, major)
    lsns = (made.first_lsn, made.last_lsn, made.checkpoint_lsn)
    for offset, value in zip((0x20, 0x2A, 0x34), lsns if final else made.provisional or lsns, strict=True):
        record.raw(offset, raw_lsn(value))
    record.raw(0x3E, raw_lsn(made.database_backup_lsn))
    record.raw(0x48, raw_moment(made.created))
    record.raw(0x4D, raw_moment(made.started))
    record.raw(0x52, raw_moment(made.finished if final else None))
    record.put(0x57, "BBBxBH", ord(made.letter), made.sort_id, 1, made.compatibility, 7)
    record.put(0x5E, "HQ", made.database_version, made.size if final else 0)
    record.put(0x74, "II", 1033, 196609)
    record.raw(0x7C, raw_guid(made.binding))
    record.raw(0x90, record.data[0x2A:0x34])
    record.raw(0x9C, raw_guid(made.fork))
    record.raw(0xAC, raw_lsn(made.fork_point))
    record.raw(0xB8, raw_guid(made.first_fork))
    record.raw(0xC8, raw_guid(made.last_full))
    record.put(0xD8, "IB", made.collation, made.sort_id)
    record.raw(0xE0, raw_guid(made.family))
    record.put(0xF4, "I", made.status)
    record.raw(0xF8, raw_lsn(made.log_chain_start))
    record.raw(0x104, raw_lsn(made.base_lsn))
    record.raw(0x110, raw_guid(made.base_guid))
    if major > 9:
        record.put(0x158, "Q", made.compressed_size if final else 0)
    record.text(0x68, made.database)
    record.text(0x6C, made.server)
    return closed(record)


def file_record(made: BackupSet, file: DatabaseFile, *, final: bool) -> bytes:
    record = Fields(FIXED.get(made.version[0], (0, 0x404))[1])
    record.raw(0, b"SFIN")
    record.put(0x14, "IIII", file.file_id, file.backup_size // PAGE, file.type, 512)
    record.put(0x24, "IQ", file.filegroup_id, file.size)
    record.put(0x56, "Q", file.max_size)
    record.raw(0x8A, raw_lsn(file.create_lsn))
    own = final and made.letter == "D" and file.type == 1 and not file.base_guid
    record.raw(0x9E, raw_lsn(made.checkpoint_lsn if own else file.base_lsn))
    record.raw(0xAA, raw_guid(made.guid if own else file.base_guid))
    record.raw(0xBA, raw_guid(file.unique_id))
    record.put(0xFA, "Q", file.backup_size)
    record.text(0x30, file.logical_name)
    record.text(0x34, file.physical_name)
    return closed(record)


def closed(record: Fields) -> bytes:
    record.data += bytes(-len(record.data) % 4)
    record.put(4, "I", len(record.data))
    return bytes(record.data)


def records(made: BackupSet, *, final: bool) -> bytes:
    groups = []
    for number, name in made.filegroups:
        group = Fields(0x14)
        group.raw(0, b"SFGI")
        group.put(0x0C, "I", number)
        group.text(0x10, name)
        groups.append(closed(group))
    files = [file_record(made, file, final=final) for file in made.files]
    return stream(b"MQCI", b"".join((set_record(made, final=final), *groups, *files)))


def set_start(made: BackupSet, position: int) -> bytes:
    """The blocks in front of the data."""
    start = Fields(0x60)
    start.put(0x34, "I", 8 if made.letter == "I" else 4)
    start.put(0x3C, "HH", 4608, position)
    start.raw(0x58, raw_moment(made.started))
    start.put(0x5D, "BBb", made.version[0], made.version[1], made.time_zone)
    start.address(0x2C, raw_guid(made.guid) + raw_moment(made.expires))
    for offset, text in ((0x40, made.name), (0x44, made.description), (0x48, made.password), (0x4C, made.user)):
        start.text(offset, text)
    volume = Fields(0x44)
    volume.text(0x40, made.machine)
    blocks = block(b"SSET", start) + block(b"VOLB", volume) + block(b"MSCI", Fields(56), records(made, final=False))
    return placed(blocks, 0)


def set_end(made: BackupSet, at: int) -> bytes:
    """The block behind the data, which lies there in its part."""
    return placed(block(b"MSLS", Fields(56), records(made, final=True)), at)


def set_part(made: BackupSet, position: int) -> bytes:
    """The blocks up to the set's filemark."""
    blocks = set_start(made, position)
    for kind, data in ((b"MSDA", made.pages), (b"MSTL", made.log)):
        blocks += placed(data_block(kind, data), len(blocks)) if data else b""
    return blocks + set_end(made, len(blocks))


def end_part(made: BackupSet, position: int) -> bytes:
    end = Fields(88)
    end.put(0x4E, "H", position)
    end.raw(0x50, raw_moment(made.finished))
    return block(b"ESET", end, stream(b"TSMP", made.server.encode("utf-16-le"))) + block(b"ESET", Fields(88))


def media_part(
    *,
    stripes: int,
    stripe: int,
    media: str,
    filemark_size: int,
    name: str,
    password: str = "",
    description: str = "",
    family: int | None = None,
    date: datetime = datetime(2026, 3, 1, 1, 59, 59),
    own: bytes = b"",
) -> bytes:
    """TAPE, the head of the media. family: first part of MediaFamilyId; own: a stream of the writer's own behind."""
    head = Fields(0x60)
    head.put(0x34, "I", 0xC0FFEE00 + stripe if family is None else family)
    head.put(0x3C, "HHH", 1, 5 if password else 0, filemark_size // 512)
    head.put(0x54, "HH", 1024, 4608)
    head.raw(0x58, raw_moment(date))
    for offset, text in ((0x44, name), (0x48, description), (0x4C, password), (0x50, "Microsoft SQL Server")):
        head.text(offset, text)
    raid = Fields(32)
    raid.raw(0, raw_guid(media))
    raid.put(0x14, "HHHxxxxH", stripes, 1, stripe, 1)
    return block(b"TAPE", head, stream(b"RAID", bytes(raid.data)) + own)
