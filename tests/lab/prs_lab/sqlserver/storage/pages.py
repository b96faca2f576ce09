"""SQLite's pages as pages of a data file, and back.

SQLite leaves the last 96 bytes of each of its pages alone, so what is in one fits behind the header of a page of SQL
Server, 8,096 bytes. SQLite counts pages from 1; its first one lies behind the system pages, and no page lies where a PFS
page belongs.
"""

from __future__ import annotations

import functools
import sqlite3

from .disk.page import DATA, HEADER, PAGE, intact, lsn_of, with_body

__all__ = [
    "HEADER", "PAGE", "PFS_SPAN", "SYSTEM_PAGES", "empty_database", "intact", "page_count_in", "page_lsn", "place_of", "plain", "stamped",
]  # fmt: skip

SYSTEM_PAGES = 32
"""So many pages are SQL Server's own, at the file's beginning."""
PFS_SPAN = 8088
"""Page 1 and every page whose number is a multiple of this tells which pages are in use."""
_BODY = PAGE - HEADER


def place_of(number: int) -> int:
    """The number that SQLite's page `number` has in the data file."""
    place = SYSTEM_PAGES + number - 1
    beyond = place - PFS_SPAN
    return place if beyond < 0 else PFS_SPAN + beyond // (PFS_SPAN - 1) * PFS_SPAN + 1 + beyond % (PFS_SPAN - 1)


def stamped(image: bytes, number: int, lsn: int) -> bytes:
    """SQLite's page `number` as a page of the data file, changed at `lsn`."""
    return with_body(place_of(number), DATA, image[:_BODY], lsn=lsn)


def plain(page: bytes) -> bytes:
    """A page of the data file as SQLite's; what is missing of it is zero."""
    return page[HEADER:].ljust(PAGE, b"\0")


def page_lsn(page: bytes) -> int:
    """The LSN of the page's last change."""
    return lsn_of(page)


def page_count_in(image: bytes) -> int:
    """How many pages the database has, by SQLite's first page."""
    return int.from_bytes(image[28:32], "big")


@functools.cache
def empty_database() -> bytes:
    """The first and only page of an empty SQLite database: WAL mode, 8 KB pages, 96 bytes left alone in each."""
    connection = sqlite3.connect(":memory:")
    connection.execute(f"PRAGMA page_size = {PAGE}")
    connection.execute("PRAGMA user_version = 1")
    image = bytearray(connection.serialize())
    connection.close()
    image[18] = image[19] = 2
    image[20] = HEADER
    image[105:107] = _BODY.to_bytes(2, "big")
    return bytes(image)
