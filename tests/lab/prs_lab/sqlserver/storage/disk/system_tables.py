"""The system tables of a data file: where rows lie, the database's files, its tables, and how many rows those hold."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .facts import FIRST_SYSTEM_TABLE, FileFacts
from .page import DATA, HEADER, PAGE, make_page, raw_guid, raw_moment, raw_name, record

__all__ = ["SPARE", "TableFacts", "system_pages"]

_SYSROWSETS, _SYSSCHOBJS, _SYSCLSOBJS, _SYSPRUFILES = 5, 34, 64, 24
_PAGES = {_SYSROWSETS: 17, _SYSPRUFILES: 18, _SYSSCHOBJS: 19, _SYSCLSOBJS: 20}
SPARE = range(21, 31)
"""Pages for the rows that the first page of a system table has no room for; of what they do not hold, nothing is said."""
_SCHEMA, _USER_TABLE, _FIRST_USER_ROWSET = 50, b"U ", 72057594043039744


@dataclass(frozen=True, kw_only=True)
class TableFacts:
    """A user table. created: in ISO form."""

    object_id: int
    schema: str
    name: str
    rows: int
    created: str | None = None


def _unit(table: int, first: int) -> bytes:
    """A row of sysallocunits: the rows of a system table begin on a page."""
    fixed = struct.pack("<QBQHHHIH", table << 16, 1, table << 16, 0, 0, 1, first, 1)
    return record(fixed.ljust(65, b"\0"))


def _rowset(number: int, table: int, rows: int) -> bytes:
    return record(struct.pack("<QBii", number, 0, table, 1) + bytes(10) + struct.pack("<QB", rows, 0))


def _file(file: FileFacts) -> bytes:
    log = int(file.is_log)
    fixed = struct.pack("<IIIIBBIII", 0, file.file_id, 1 - log, 0, log, 0, file.pages, 0xFFFFFFFF, 8192)
    return record(fixed.ljust(50, b"\0") + raw_guid(file.guid), [raw_name(file.name), raw_name(file.path)])


def _object(table: TableFacts, schema: int) -> bytes:
    fixed = struct.pack("<II", table.object_id, schema) + bytes(5) + _USER_TABLE + bytes(9) + raw_moment(table.created)
    return record(fixed, [raw_name(table.name)])


def system_pages(files: Sequence[FileFacts], tables: Sequence[TableFacts]) -> dict[int, bytes]:
    """The pages of the system tables by their numbers."""
    schemas = {"dbo": 1}
    for table in tables:
        schemas.setdefault(table.schema, len(schemas) + 5)
    spare = iter(SPARE)
    users = [
        _rowset(_FIRST_USER_ROWSET + (place << 16), table.object_id, table.rows) for place, table in enumerate(tables)
    ]
    own = [_rowset(number << 16, number, 0) for number in _PAGES]
    rows = {
        _SYSROWSETS: own + users,
        _SYSPRUFILES: [_file(file) for file in files],
        _SYSSCHOBJS: [_object(table, schemas[table.schema]) for table in tables],
        _SYSCLSOBJS: [
            record(bytes((_SCHEMA,)) + struct.pack("<I", number) + bytes(4), [raw_name(schema)])
            for schema, number in schemas.items()
        ],
    }
    pages = {FIRST_SYSTEM_TABLE: make_page(FIRST_SYSTEM_TABLE, DATA, [_unit(*pair) for pair in _PAGES.items()])}
    for number, first in _PAGES.items():
        pages.update(_chain(first, rows[number], spare))
    return pages


def _chain(first: int, rows: Sequence[bytes], spare: Iterator[int]) -> Iterator[tuple[int, bytes]]:
    """The rows on a page and those that follow it, as far as there are spare ones."""
    number, left = first, list(rows)
    while True:
        here: list[bytes] = []
        room = PAGE - HEADER
        while left and len(left[0]) + 2 <= room:
            room -= len(left[0]) + 2
            here.append(left.pop(0))
        following = next(spare, 0) if left else 0
        yield number, make_page(number, DATA, here, following=following)
        if not following:
            return
        number = following
