# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A page of a data file: its header, its protection against damage, its records.

Offsets are those of the page header; how sure each is: (S) compared with the file itself, (T) with the system tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from ..binary.page_checksums import CHECKSUM_AT, PAGE, SECTOR, page_error
from ..binary.range_reader import RangeReader
from ..binary.values import Damaged, u16, u32

__all__ = [
    "BOOT",
    "DATA",
    "FILE_HEADER",
    "HAS_CHECKSUM",
    "LAST_TYPE",
    "PFS",
    "TYPES",
    "PageState",
    "Record",
    "file_of",
    "next_page",
    "number_of",
    "page_state",
    "read_page",
    "records",
    "restored",
    "type_of",
]

TYPE_AT, FLAGS_AT, NEXT_AT, RECORDS_AT, NUMBER_AT, FILE_AT = 0x01, 0x04, 0x10, 0x16, 0x20, 0x24  # (S)
HEADER = 0x60  # the first record begins here or later (S)
HAS_CHECKSUM, HAS_TORN_BITS = 0x200, 0x100  # of the flags; the others must not be compared (S)

DATA, PFS, BOOT, FILE_HEADER = 1, 11, 13, 15
TYPES = {
    1: "data",
    2: "index",
    3: "text mix",
    4: "text tree",
    7: "sort",
    8: "GAM",
    9: "SGAM",
    10: "IAM",
    11: "PFS",
    13: "boot",
    15: "file header",
    16: "DIFF",
    17: "ML",
    18: "deallocated by repair",
    19: "temporary",
    20: "bulk load",
}
LAST_TYPE = max(TYPES)
_AHEAD = 8 * PAGE
"""An extent is read at a time."""


class PageState(str, Enum):
    """What a page says of itself. UNPROTECTED: never written since created, so only its number can be compared."""

    OK = "ok"
    ZERO = "zero"
    BAD_CHECKSUM = "checksum is wrong"
    TORN = "torn"
    UNPROTECTED = "unprotected"
    FOREIGN = "no page of SQL Server"


class Record(NamedTuple):
    """A row as it lies on a page: the columns of fixed length in one piece, the others one by one."""

    fixed: bytes
    variable: tuple[bytes, ...]


def page_state(page: bytes, *, error: int | None = None) -> PageState:
    """error: of the checksum, where it was reckoned before (:func:`page_errors`)."""
    if not any(page[:HEADER]):
        return PageState.FOREIGN if any(page) else PageState.ZERO
    flags = u16(page, FLAGS_AT)
    if page[0] != 1 or page[TYPE_AT] > LAST_TYPE:
        return PageState.FOREIGN
    if flags & HAS_CHECKSUM:
        return PageState.BAD_CHECKSUM if (page_error(page) if error is None else error) else PageState.OK
    if flags & HAS_TORN_BITS:
        pattern = page[CHECKSUM_AT] & 3
        whole = all(page[SECTOR * sector + SECTOR - 1] & 3 == pattern for sector in range(1, PAGE // SECTOR))
        return PageState.OK if pattern in (1, 2) and whole else PageState.TORN
    return PageState.UNPROTECTED


def restored(page: bytes) -> bytes:
    """The page as it is in memory: torn bits put back where they came from.

    The two low bits of each sector's last byte hold the pattern of the write; what belongs there lies in the field of
    the checksum, sector i at bit 2i. The last byte of the page is half of the first record's offset, so nothing can be
    read before.
    """
    if not u16(page, FLAGS_AT) & HAS_TORN_BITS:
        return page
    whole, bits = bytearray(page), u32(page, CHECKSUM_AT)
    for sector in range(1, PAGE // SECTOR):
        last = SECTOR * sector + SECTOR - 1
        whole[last] = whole[last] & 0xFC | bits >> 2 * sector & 3
    return bytes(whole)


def read_page(reader: RangeReader, number: int) -> bytes:
    """A page of a file, as it is in memory. Raises :class:`Damaged` behind the end of the file."""
    page = reader.get(number * PAGE, PAGE, ahead=_AHEAD)
    if len(page) < PAGE:
        raise Damaged(f"page {number} lies behind the end of the file")
    return restored(page)


def type_of(page: bytes) -> int:
    return page[TYPE_AT]


def number_of(page: bytes) -> int:
    """The number of the page in its file, as the page says it."""
    return u32(page, NUMBER_AT)


def file_of(page: bytes) -> int:
    """The id of the file, as the page says it."""
    return u16(page, FILE_AT)


def next_page(page: bytes) -> tuple[int, int]:
    """(file, number) of the next page on this level; (0, 0) on the last one."""
    return u16(page, NEXT_AT + 4), u32(page, NEXT_AT)


def record_offsets(page: bytes) -> list[int]:
    """Where the records of a page begin, in the order of its slots."""
    count = u16(page, RECORDS_AT)
    if HEADER + 2 * count > PAGE:
        raise Damaged("a page claims an impossible number of records")
    offsets = [u16(page, PAGE - 2 - 2 * slot) for slot in range(count)]
    return [offset for offset in offsets if HEADER <= offset < PAGE - 2 * count]


def records(page: bytes) -> Iterator[Record]:
    """The living records of a page: no ghosts, no forwarding stubs."""
    for offset in record_offsets(page):
        if page[offset] >> 1 & 7 in (0, 1) and not page[offset] & 0x02:
            yield read_record(page, offset)


def read_record(page: bytes, offset: int) -> Record:
    """The record at an offset. Raises :class:`Damaged` where it cannot be one."""
    end = u16(page, offset + 2)
    if not 4 <= end <= PAGE - offset - 2:
        raise Damaged("a record is impossible")
    fixed, at = page[offset + 4 : offset + end], offset + end
    at += 2 + (u16(page, at) + 7) // 8
    if not page[offset] & 0x20:
        return Record(fixed, ())
    count = u16(page, at)
    if at + 2 + 2 * count > PAGE:
        raise Damaged("a record is impossible")
    ends = [offset + (u16(page, at + 2 + 2 * column) & 0x7FFF) for column in range(count)]
    starts = [at + 2 + 2 * count, *ends][:count]  # none where the record says that there is no such column
    return Record(fixed, tuple(page[start:stop] for start, stop in zip(starts, ends, strict=True)))
