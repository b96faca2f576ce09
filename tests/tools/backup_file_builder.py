"""Small backup files as SQL Server 2005 to 2025 write them, made of nothing but what is known of their format.

    build([BackupSet(...)], packed=True) -> bytes

Everything has a default, so a test says only what it is about. Pages and log of a set are given as bytes.
"""

from __future__ import annotations

import dataclasses
import struct
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from itertools import pairwise

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


# Values


def moment(value: datetime | None) -> bytes:
    if value is None:
        return bytes(5)
    parts = (
        (value.year, 26),
        (value.month, 22),
        (value.day, 17),
        (value.hour, 12),
        (value.minute, 6),
        (value.second, 0),
    )
    return sum(part << bits for part, bits in parts).to_bytes(5, "big")


def lsn(value: int) -> bytes:
    return struct.pack("<IIH", value // 10**15, value // 10**5 % 10**10, value % 10**5)


def raw_guid(value: str | None) -> bytes:
    return uuid.UUID(value).bytes_le if value else bytes(16)


def xor16(data: bytes) -> int:
    return reduce(lambda total, word: total ^ word, struct.unpack(f"<{len(data) // 2}H", data), 0)


class Fields:
    """A block or record: a fixed part, and texts behind it that addresses in it point to."""

    def __init__(self, length: int) -> None:
        self.data = bytearray(length)

    def put(self, offset: int, form: str, *values: int) -> None:
        struct.pack_into("<" + form, self.data, offset, *values)

    def raw(self, offset: int, value: bytes) -> None:
        self.data[offset : offset + len(value)] = value

    def address(self, offset: int, value: bytes) -> None:
        """The address is written even for nothing: records tell by one of them where their texts begin."""
        self.put(offset, "HH", len(value), len(self.data))
        self.data += value

    def text(self, offset: int, value: str) -> None:
        self.address(offset, value.encode("utf-16-le", "surrogatepass"))


# Blocks and streams


def stream(kind: bytes, data: bytes, *, media_attributes: int = 0, pad: bool = True) -> bytes:
    head = bytearray(22)
    head[0:4] = kind
    struct.pack_into("<HQ", head, 6, media_attributes, len(data))
    struct.pack_into("<H", head, 20, xor16(bytes(head[:20])))
    return bytes(head) + data + bytes(-(22 + len(data)) % 4 if pad else 0)


def block(kind: bytes, fields: Fields, streams: Callable[[int], bytes] | bytes = b"", *, size: int = 1024) -> bytes:
    """A block with its streams, filled up by SPAD. streams: bytes, or what makes them of the offset they begin at."""
    data = fields.data
    data += bytes(-len(data) % 4)
    data[0:4] = kind
    data[0x30] = 2
    struct.pack_into("<H", data, 8, len(data))
    struct.pack_into("<H", data, 50, xor16(bytes(data[:50])))
    made = bytes(data) + (streams(len(data)) if callable(streams) else streams)
    return made + stream(b"SPAD", bytes((-len(made) - 22) % size), pad=False)


def data_streams(kind: bytes, data: bytes) -> Callable[[int], bytes]:
    """The stream of pages or log: padded so that, behind two bytes of its own, they begin at a multiple of 512."""

    def make(offset: int) -> bytes:
        padding = (-(offset + 22 + 24)) % 512
        head = stream(b"APAD", bytes(padding), media_attributes=0x80, pad=False)
        if kind == b"MQTL":
            return head + stream(kind, b"\x02\x00" + data)
        return head + stream(kind, b"\x00\x00" + data, media_attributes=2) + stream(kind, b"", media_attributes=6)

    return make


def filemark(before: Sequence[int], size: int, *, release: int = 13) -> bytes:
    start = 0x3C if release < 10 else 0x48
    room = (size - start) // 8
    data = Fields(size)
    data.raw(0, b"SFMB")
    data.put(4, "I", 0 if release < 10 else 1 << 31)
    data.put(0x34, "II", room, len(before))
    if release >= 10:
        data.put(0x3C, "I", start)
    for number, offset in enumerate(before[::-1][:room]):
        data.put(start + 8 * number, "Q", offset)
    data.put(50, "H", xor16(bytes(data.data[:50])))
    return bytes(data.data)


# Records


def set_record(made: BackupSet, *, final: bool) -> bytes:
    major, minor, build = made.version
    record = Fields(FIXED.get(major, (0x190, 0))[0])
    record.raw(0, b"SCIN")
    record.put(0x08, "III", made.flags, *(sum(file.type == kind for file in made.files) for kind in (1, 2)))
    record.put(0x18, "HBB", build, minor, major)
    lsns = (made.first_lsn, made.last_lsn, made.checkpoint_lsn)
    for offset, value in zip((0x20, 0x2A, 0x34), lsns if final else made.provisional or lsns, strict=True):
        record.raw(offset, lsn(value))
    record.raw(0x3E, lsn(made.database_backup_lsn))
    record.raw(0x48, moment(made.created))
    record.raw(0x4D, moment(made.started))
    record.raw(0x52, moment(made.finished if final else None))
    record.put(0x57, "BBBxBH", ord(made.letter), made.sort_id, 1, made.compatibility, 7)
    record.put(0x5E, "HQ", made.database_version, made.size if final else 0)
    record.put(0x74, "II", 1033, 196609)
    record.raw(0x7C, raw_guid(made.binding))
    record.raw(0x90, record.data[0x2A:0x34])
    record.raw(0x9C, raw_guid(made.fork))
    record.raw(0xAC, lsn(made.fork_point))
    record.raw(0xB8, raw_guid(made.first_fork))
    record.raw(0xC8, raw_guid(made.last_full))
    record.put(0xD8, "IB", made.collation, made.sort_id)
    record.raw(0xE0, raw_guid(made.family))
    record.put(0xF4, "I", made.status)
    record.raw(0xF8, lsn(made.log_chain_start))
    record.raw(0x104, lsn(made.base_lsn))
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
    record.raw(0x8A, lsn(file.create_lsn))
    own = final and made.letter == "D" and file.type == 1 and not file.base_guid
    record.raw(0x9E, lsn(made.checkpoint_lsn if own else file.base_lsn))
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


# Sets and files


def set_part(made: BackupSet, position: int) -> bytes:
    """The blocks up to the set's filemark."""
    start = Fields(0x60)
    start.put(0x34, "I", 8 if made.letter == "I" else 4)
    start.put(0x3C, "HH", 4608, position)
    start.raw(0x58, moment(made.started))
    start.put(0x5D, "BBb", made.version[0], made.version[1], made.time_zone)
    start.address(0x2C, raw_guid(made.guid) + moment(made.expires))
    for offset, text in ((0x40, made.name), (0x44, made.description), (0x48, made.password), (0x4C, made.user)):
        start.text(offset, text)
    volume = Fields(0x44)
    volume.text(0x40, made.machine)
    parts = [block(b"SSET", start), block(b"VOLB", volume), block(b"MSCI", Fields(56), records(made, final=False))]
    if made.pages:
        parts.append(block(b"MSDA", Fields(60), data_streams(b"MQDA", made.pages)))
    if made.log:
        parts.append(block(b"MSTL", Fields(592), data_streams(b"MQTL", made.log)))
    return b"".join((*parts, block(b"MSLS", Fields(56), records(made, final=True))))


def end_part(made: BackupSet, position: int) -> bytes:
    end = Fields(88)
    end.put(0x4E, "H", position)
    end.raw(0x50, moment(made.finished))
    return block(b"ESET", end, stream(b"TSMP", made.server.encode("utf-16-le"))) + block(b"ESET", Fields(88))


def media_part(*, stripes: int, stripe: int, media: str, filemark_size: int, name: str, password: str) -> bytes:
    head = Fields(0x60)
    head.put(0x34, "I", 0xC0FFEE00 + stripe)
    head.put(0x3C, "HHH", 1, 5 if password else 0, filemark_size // 512)
    head.put(0x54, "HH", 1024, 4608)
    head.raw(0x58, moment(datetime(2026, 3, 1, 1, 59, 59)))
    for offset, text in ((0x44, name), (0x48, ""), (0x4C, password), (0x50, "Microsoft SQL Server")):
        head.text(offset, text)
    raid = Fields(32)
    raid.raw(0, raw_guid(media))
    raid.put(0x14, "HHHxxxxH", stripes, 1, stripe, 1)
    return block(b"TAPE", head, stream(b"RAID", bytes(raid.data)))


def build(
    sets: Sequence[BackupSet] | None = None,
    *,
    packed: bool = False,
    filemark_size: int = 512,
    stripes: int = 1,
    stripe: int = 1,
    media: str = numbered_guid(0xE1),
    media_name: str = "",
    media_password: str = "",
) -> bytes:
    """A whole file; one of the stripes of a media set."""
    sets = [BackupSet()] if sets is None else list(sets)
    release = sets[0].version[0] if sets else 13
    parts = [
        media_part(
            stripes=stripes,
            stripe=stripe,
            media=media,
            filemark_size=filemark_size,
            name=media_name,
            password=media_password,
        )
    ]
    for number, made in enumerate(sets, start=1):
        position = made.position or number
        parts += [set_part(made, position), end_part(made, position)]
    out, marks = b"", []
    for number, part in enumerate(parts):
        out += _packed(part, first=number == 0, filemark_size=filemark_size) if packed else part
        out += bytes(-len(out) % filemark_size) if not packed else b""
        marks.append(len(out))
        out += filemark(marks[:-1], filemark_size, release=release)
    return out


# The packed form


def _packed(part: bytes, *, first: bool, filemark_size: int) -> bytes:
    out = b"MSSQLBAK".ljust(0x1E0, b"\0") if first else b""
    pieces = [part] if first else _pieces(part)
    out += b"".join(frame(piece) for piece in pieces)
    room = -len(out) % max(filemark_size, 1024 if first else filemark_size)
    if room < 36:
        room += filemark_size
    filler = bytearray(room)
    if room >= 300:
        filler[0] = 0x2C
        struct.pack_into("<I", filler, 0x20, room - 24)
    else:
        filler[0] = 0x24
        struct.pack_into("<H", filler, 2, room - 24)
    return out + bytes(filler)


def _pieces(part: bytes) -> list[bytes]:
    """As SQL Server does: the blocks in front of the data, the data in pieces of 64 KiB, what is behind them."""
    ends = sorted(
        {0, len(part), *(at for at in range(0, len(part), 512) if part[at : at + 4] in (b"MSDA", b"MSTL", b"MSLS"))}
    )
    return [part[at : min(at + 65536, end)] for start, end in pairwise(ends) for at in range(start, end, 65536)]


def frame(piece: bytes) -> bytes:
    piece += bytes(-len(piece) % 512)
    packed = xpress_huffman(piece)
    head = bytearray(b"\xaa" * 28)
    struct.pack_into("<BBH", head, 0, 0x21, len(piece) // 512, len(packed))
    struct.pack_into("<I", head, 0x18, frame_checksum(packed))
    return bytes(head) + packed


def frame_checksum(packed: bytes) -> int:
    """Word by word, as it is defined."""
    packed += bytes(-len(packed) % 4)
    total = 0
    for word in struct.unpack(f"<{len(packed) // 4}I", packed):
        total = (total << 1 & 0xFFFFFFFF | total >> 31) ^ word
    return total


def xpress_huffman(data: bytes) -> bytes:
    """[MS-XCA] 2.2 with one table of codes, nine bits for each of the 512 symbols: simple, valid, of all features."""
    out = bytearray()
    for start in range(0, len(data), 65536):
        out += b"\x99" * 256
        _pack_chunk(data, start, min(len(data), start + 65536), out)
    return bytes(out)


class _Bits:
    """Bits go into words of 16 that were kept free before; bytes go behind them."""

    def __init__(self, out: bytearray) -> None:
        self.out = out
        self.places = [len(out), len(out) + 2]
        out += bytes(4)
        self.bits, self.free = 0, 16

    def put(self, count: int, value: int) -> None:
        if self.free >= count:
            self.free -= count
            self.bits = self.bits << count | value
            return
        spill = count - self.free
        struct.pack_into("<H", self.out, self.places[0], self.bits << self.free & 0xFFFF | value >> spill)
        self.places = [self.places[1], len(self.out)]
        self.out += bytes(2)
        self.bits, self.free = value & (1 << spill) - 1, 16 - spill

    def close(self) -> None:
        struct.pack_into("<H", self.out, self.places[0], self.bits << self.free & 0xFFFF)


def _pack_chunk(data: bytes, at: int, end: int, out: bytearray) -> None:
    bits, seen = _Bits(out), {}
    while at < end:
        key = data[at : at + 3]
        before = seen.get(key)
        seen[key] = at
        if before is None or at - before > 65535 or end - at < 3:
            bits.put(9, data[at])
            at += 1
            continue
        length = 3
        while at + length < end and length < 65535 and data[before + length] == data[at + length]:
            length += 1
        width = (at - before).bit_length() - 1
        bits.put(9, 256 + min(length - 3, 15) + 16 * width)
        if length - 3 >= 15:
            out.append(min(length - 18, 255))
            if length - 18 >= 255:
                out += struct.pack("<H", length - 3)
        bits.put(width, at - before - (1 << width))
        at += length
    bits.close()


# Pages


def page(
    number: int, *, file_id: int = 1, kind: int = 1, content: bytes = b"row", protection: str = "checksum"
) -> bytes:
    """A page of data with a right checksum; protection: checksum or none."""
    data = bytearray(PAGE)
    struct.pack_into("<BBBBH", data, 0, 1, kind, 0, 0, 0x200 if protection == "checksum" else 0)
    struct.pack_into("<IH", data, 0x20, number, file_id)
    data[96 : 96 + len(content)] = content
    if protection == "checksum":
        struct.pack_into("<I", data, 0x3C, page_checksum(bytes(data)))
    return bytes(data)


def page_checksum(data: bytes) -> int:
    """Each sector's words xor-ed, turned left by 15 - its number, xor-ed together; the field itself counts as zero."""
    data = data[:0x3C] + bytes(4) + data[0x40:]
    total = 0
    for sector in range(16):
        words = struct.unpack_from("<128I", data, 512 * sector)
        value = reduce(lambda left, right: left ^ right, words)
        turn = 15 - sector
        total ^= (value << turn | value >> 32 - turn) & 0xFFFFFFFF if turn else value
    return total


def chain(count: int = 3, **common: object) -> list[BackupSet]:
    """A full backup and the logs that follow it, a minute apart."""
    full = BackupSet(**common)  # type: ignore[arg-type]
    sets, reach = [full], full.first_lsn
    for number in range(1, count + 1):
        last = full.last_lsn + number * 100_00000
        sets.append(
            dataclasses.replace(
                full,
                letter="L",
                guid=numbered_guid(int(uuid.UUID(full.guid)) + 0x1000 * number),
                first_lsn=reach,
                last_lsn=last,
                started=full.started.replace(minute=full.started.minute + number),
                finished=full.finished.replace(minute=full.finished.minute + number),
                database_backup_lsn=full.checkpoint_lsn,
            )
        )
        reach = last
    return sets
