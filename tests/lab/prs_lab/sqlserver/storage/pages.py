"""Pages of 8 KB: SQLite's own, whose last 16 bytes (which SQLite leaves alone) carry the page's LSN and checksum.

SQLite counts pages from 1, SQL Server from 0: SQLite's page n is SQL Server's page (1:n-1), and both lie at offset
(n-1) * 8192.
"""

from __future__ import annotations

import functools
import sqlite3
import struct
import zlib

from . import lsn as lsns

__all__ = ["PAGE", "RESERVED", "empty_database", "intact", "page_count_in", "page_lsn", "stamp", "stamped"]

PAGE = 8192
RESERVED = 16
_STAMP = struct.Struct("<IIHHI")
_MARKER = 0x5052


def stamp(page: bytes, lsn: int) -> bytes:
    """The 16 bytes that end a page changed at `lsn`."""
    vlf, block, slot = lsns.split(lsn)
    head = struct.pack("<IIHH", vlf, block, min(slot, lsns.MAX_SLOT), _MARKER)
    return head + struct.pack("<I", zlib.crc32(head, zlib.crc32(page[: PAGE - RESERVED])))


def stamped(page: bytes, lsn: int) -> bytes:
    """The page with its stamp."""
    return page[: PAGE - RESERVED] + stamp(page, lsn)


def page_lsn(page: bytes) -> int:
    """The LSN of the page's last change."""
    vlf, block, slot, _, _ = _STAMP.unpack_from(page, PAGE - RESERVED)
    return lsns.make(vlf, block, slot)


def intact(page: bytes) -> bool:
    """Whether the checksum in the page is that of the page."""
    if len(page) != PAGE:
        return False
    _, _, _, marker, checksum = _STAMP.unpack_from(page, PAGE - RESERVED)
    return marker == _MARKER and checksum == zlib.crc32(page[PAGE - RESERVED : -4], zlib.crc32(page[: PAGE - RESERVED]))


def page_count_in(first_page: bytes) -> int:
    """How many pages the database has, by its first page."""
    return int.from_bytes(first_page[28:32], "big")


@functools.cache
def empty_database() -> bytes:
    """The first and only page of an empty SQLite database: WAL mode, 8 KB pages, 16 bytes reserved in each. Not yet
    stamped.
    """
    connection = sqlite3.connect(":memory:")
    connection.execute(f"PRAGMA page_size = {PAGE}")
    connection.execute("PRAGMA user_version = 1")
    image = bytearray(connection.serialize())
    connection.close()
    image[18] = image[19] = 2
    image[20] = RESERVED
    image[105:107] = (PAGE - RESERVED).to_bytes(2, "big")
    return bytes(image)
