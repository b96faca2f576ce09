"""A page of a data file: header, records and checksum; and how times, LSNs, GUIDs and names lie in them."""

from __future__ import annotations

import datetime as dt
import struct
import uuid
from collections.abc import Sequence

from .. import lsn as lsns

__all__ = [
    "BOOT", "DATA", "DIFF_MAP", "FILE_HEADER", "GAM", "HEADER", "IAM", "ML_MAP", "PAGE", "PFS", "SECTOR", "SGAM", "fold", "intact", "lsn_of",
    "make_page", "raw_guid", "raw_lsn", "raw_moment", "raw_name", "record", "turned", "with_body",
]  # fmt: skip

PAGE, HEADER, SECTOR = 8192, 96, 512
DATA, GAM, SGAM, PFS, BOOT, FILE_HEADER, DIFF_MAP, ML_MAP, IAM = 1, 8, 9, 11, 13, 15, 16, 17, 10
"""Types of pages."""
_HAS_CHECKSUM = 0x200
_CHECKSUM = slice(60, 64)
_WORD = 0xFFFFFFFF
_HEAD = struct.Struct("<BBBBHHIHHIHHIHHIHHIIH46x")
_EPOCH = dt.datetime(1900, 1, 1)
_SECTORS = struct.Struct("<" + "I508x" * (PAGE // SECTOR))


def turned(word: int, places: int) -> int:
    """A word of 32 bits, turned left."""
    places %= 32
    return (word << places | word >> 32 - places) & _WORD


def fold(bits: int) -> int:
    """The first word of each sector becomes what all words of the sector are, xor-ed together."""
    for shift in (2048, 1024, 512, 256, 128, 64, 32):
        bits ^= bits >> shift
    return bits


def _checksum(page: bytes) -> int:
    """Each sector's words xor-ed, turned left by 15 less the sector's number, xor-ed. The field itself counts as 0."""
    sums = _SECTORS.unpack(fold(int.from_bytes(page, "little")).to_bytes(PAGE, "little"))
    result = 0
    for place, word in enumerate(sums):
        result ^= turned(word, 15 - place)
    return result ^ turned(int.from_bytes(page[_CHECKSUM], "little"), 15)


def intact(page: bytes) -> bool:
    """Whether it is a whole page whose checksum is right."""
    if len(page) != PAGE or page[0] != 1 or not int.from_bytes(page[4:6], "little") & _HAS_CHECKSUM:
        return False
    return _checksum(page) == int.from_bytes(page[_CHECKSUM], "little")


def lsn_of(page: bytes) -> int:
    """The LSN of its last change."""
    return lsns.make(*struct.unpack_from("<IIH", page, 40))


def with_body(
    number: int,
    kind: int,
    body: bytes,
    *,
    lsn: int = lsns.FIRST,
    records: int = 0,
    following: int = 0,
    file: int = 1,
    belongs_to: tuple[int, int] = (0, 0),
) -> bytes:
    """A page: its header, then what is on it (at most 8,096 bytes). belongs_to: index and object."""
    vlf, block, slot = lsns.split(lsn)
    previous, owner = (0, 0, 0), (belongs_to[1], 0, 0)
    after = (following, file if following else 0, records)
    head = _HEAD.pack(
        1,
        kind,
        0,
        0,
        _HAS_CHECKSUM,
        belongs_to[0],
        *previous,
        *after,
        *owner,
        number,
        file,
        0,
        vlf,
        block,
        min(slot, lsns.MAX_SLOT),
    )
    page = head + body.ljust(PAGE - HEADER, b"\0")
    return page[:60] + _checksum(page).to_bytes(4, "little") + page[64:]


def make_page(
    number: int,
    kind: int,
    records: Sequence[bytes],
    *,
    lsn: int = lsns.FIRST,
    following: int = 0,
    file: int = 1,
    belongs_to: tuple[int, int] = (0, 0),
) -> bytes:
    """A page with records. They must fit: 8,096 bytes, and two more for each."""
    body = bytearray(PAGE - HEADER)
    at = 0
    for slot, data in enumerate(records):
        body[at : at + len(data)] = data
        struct.pack_into("<H", body, len(body) - 2 - 2 * slot, HEADER + at)
        at += len(data)
    return with_body(
        number,
        kind,
        bytes(body),
        lsn=lsn,
        records=len(records),
        following=following,
        file=file,
        belongs_to=belongs_to,
    )


def record(fixed: bytes, variable: Sequence[bytes] = (), *, columns: int | None = None) -> bytes:
    """A row: the fixed columns in one piece, those of variable length one by one; nothing is NULL."""
    count = columns if columns is not None else 1 + len(variable)
    data = bytes((0x30 if variable else 0x10, 0)) + struct.pack("<H", 4 + len(fixed)) + fixed
    data += struct.pack("<H", count) + bytes((count + 7) // 8)
    if not variable:
        return data
    at = len(data) + 2 + 2 * len(variable)
    ends = []
    for value in variable:
        at += len(value)
        ends.append(at)
    return data + struct.pack(f"<H{len(ends)}H", len(ends), *ends) + b"".join(variable)


def raw_lsn(lsn: int) -> bytes:
    vlf, block, slot = lsns.split(lsn)
    return struct.pack("<IIH", vlf, block, min(slot, lsns.MAX_SLOT))


def raw_guid(value: str | None) -> bytes:
    return uuid.UUID(value).bytes_le if value else bytes(16)


def raw_moment(text: str | None) -> bytes:
    """A datetime: 300ths of a second, then days since 1900. text: in ISO form; its zone is not told in the file."""
    if not text:
        return bytes(8)
    value = dt.datetime.fromisoformat(text).replace(tzinfo=None)
    days, rest = divmod((value - _EPOCH).total_seconds(), 86400)
    return struct.pack("<Ii", round(rest * 300), int(days))


def raw_name(text: str) -> bytes:
    return text.encode("utf-16-le", "surrogatepass")
