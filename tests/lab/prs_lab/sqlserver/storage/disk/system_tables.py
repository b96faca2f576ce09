"""The tables of a data file: the system's (where rows lie, the database's files, its tables and their columns), and the
pages with the rows of the user's.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from .facts import FIRST_SYSTEM_TABLE, FileFacts
from .free_pages import FreePages
from .page import DATA, HEADER, IAM, PAGE, make_page, raw_guid, raw_moment, raw_name, record, with_body
from .rows import ColumnFacts, placed

__all__ = ["SPARE", "TableFacts", "table_pages"]

_SYSRSCOLS, _SYSROWSETS, _SYSPRUFILES, _SYSSCHOBJS, _SYSCOLPARS, _SYSCLSOBJS = 3, 5, 24, 34, 41, 64
_PAGES = {_SYSROWSETS: 17, _SYSPRUFILES: 18, _SYSSCHOBJS: 19, _SYSCLSOBJS: 20, _SYSCOLPARS: 21, _SYSRSCOLS: 22}
SPARE = range(23, 31)
"""Pages for the rows that the first page of a system table has no room for; more lie behind the last page of SQLite's."""
_SINGLES = 8
_NOT_NULL, _IDENTITY, _STORED_NOT_NULL = 1, 4, 0x80
_SCHEMA, _USER_TABLE, _FIRST_USER_ROWSET = 50, b"U ", 72057594043039744


@dataclass(frozen=True, kw_only=True)
class TableFacts:
    """A user table. created: in ISO form. name_of_rows: by which SQLite knows it.

    records: its rows in the order of the clustered key, None where they cannot be written; heap: it has no such key.
    """

    object_id: int
    schema: str
    name: str
    rows: int
    created: str | None = None
    columns: tuple[ColumnFacts, ...] = ()
    records: tuple[bytes, ...] | None = None
    heap: bool = False
    name_of_rows: str = ""

    @property
    def belongs_to(self) -> tuple[int, int]:
        """What its pages say: index and object."""
        return int(not self.heap), self.object_id


def _unit(unit: int, rowset: int, first: int, iam: int = 0) -> bytes:
    """A row of sysallocunits: where the rows of a table begin."""
    fixed = struct.pack("<QBQHHHIH", unit, 1, rowset, 0, 0, 1, first, 1) + bytes(6)
    return record((fixed + struct.pack("<IH", iam, int(iam > 0))).ljust(65, b"\0"))


def _rowset(number: int, table: int, index: int, rows: int) -> bytes:
    return record(struct.pack("<QBii", number, 0, table, index) + bytes(10) + struct.pack("<QB", rows, 0))


def _file(file: FileFacts) -> bytes:
    log = int(file.is_log)
    fixed = struct.pack("<IIIIBBIII", 0, file.file_id, 1 - log, 0, log, 0, file.pages, 0xFFFFFFFF, 8192)
    return record(fixed.ljust(50, b"\0") + raw_guid(file.guid), [raw_name(file.name), raw_name(file.path)])


def _object(table: TableFacts, schema: int) -> bytes:
    fixed = struct.pack("<II", table.object_id, schema) + bytes(5) + _USER_TABLE + bytes(9) + raw_moment(table.created)
    return record(fixed, [raw_name(table.name)])


def _described(table: TableFacts, column: ColumnFacts) -> bytes:
    """A row of syscolpars: a column as CREATE TABLE says it."""
    status = (0 if column.nullable else _NOT_NULL) | (_IDENTITY if column.identity else 0)
    length = column.length or column.size or 1
    fixed = struct.pack(
        "<IHIBIhBBII",
        table.object_id,
        0,
        column.column_id,
        column.kind,
        0,
        length,
        column.precision,
        column.scale,
        column.collation,
        status,
    )
    return record(fixed.ljust(37, b"\0"), [raw_name(column.name)])


def _stored(rowset: int, table: TableFacts) -> Iterator[bytes]:
    """The rows of sysrscols: where each column lies in a record."""
    for number, place in enumerate(placed(table.columns), 1):
        column = place.column
        shape = (column.length or column.size or 1) & 0xFFFF
        if column.type in ("decimal", "numeric"):
            shape = column.precision | column.scale << 8
        elif column.type == "datetime2":
            shape = column.scale
        status = 0 if column.nullable else _STORED_NOT_NULL
        fixed = struct.pack(
            "<QIIQIIHHI", rowset, column.column_id, number, 0, column.kind | shape << 8, column.collation, 0, 0, status
        )
        yield record(fixed + struct.pack("<hHHHB", place.offset, 0, number, 0, place.bit))


def table_pages(
    files: Sequence[FileFacts], tables: Sequence[TableFacts], free: FreePages
) -> tuple[dict[int, bytes], dict[int, str]]:
    """The pages of all tables by their numbers, and whose those with rows are. free: the pages behind SQLite's."""
    schemas = {"dbo": 1}
    for table in tables:
        schemas.setdefault(table.schema, len(schemas) + 5)
    pages: dict[int, bytes] = {}
    owners: dict[int, str] = {}
    units = [_unit(table << 16, table << 16, first) for table, first in _PAGES.items()]
    rowsets = [_rowset(number << 16, number, 1, 0) for number in _PAGES]
    stored: list[bytes] = []
    for place, table in enumerate(tables):
        rowset = _FIRST_USER_ROWSET + (place << 16)
        rowsets.append(_rowset(rowset, table.object_id, int(not table.heap), table.rows))
        if table.records is None:
            continue
        own, first, iam = _rows(table, free)
        pages.update(own)
        owners.update(dict.fromkeys(own, table.name_of_rows))
        units.append(_unit(table.belongs_to[0] << 48 | table.object_id << 16, rowset, first, iam))
        stored += _stored(rowset, table)
    spare = iter(SPARE)
    rows = {
        FIRST_SYSTEM_TABLE: units,
        _PAGES[_SYSROWSETS]: rowsets,
        _PAGES[_SYSPRUFILES]: [_file(file) for file in files],
        _PAGES[_SYSSCHOBJS]: [_object(table, schemas[table.schema]) for table in tables],
        _PAGES[_SYSCLSOBJS]: [
            record(bytes((_SCHEMA,)) + struct.pack("<I", number) + bytes(4), [raw_name(schema)])
            for schema, number in schemas.items()
        ],
        _PAGES[_SYSCOLPARS]: [_described(table, column) for table in tables for column in table.columns],
        _PAGES[_SYSRSCOLS]: stored,
    }
    for first, records in rows.items():
        pages.update(_chain(first, records, lambda: next(spare, 0) or free.one()))
    return pages, owners


def _rows(table: TableFacts, free: FreePages) -> tuple[dict[int, bytes], int, int]:
    """The pages with the rows of a table, the number of the first and of the IAM page. The first eight are single ones,
    then whole extents are the table's, their last pages perhaps without a row.
    """
    iam, first, given, extent = free.one(), free.one(), [], []

    def another() -> int:
        if len(given) < _SINGLES - 1:
            given.append(free.one())
        else:
            extent[:] = extent or free.extent()
            given.append(extent.pop(0))
        return given[-1]

    about = {"belongs_to": table.belongs_to}
    pages = dict(_chain(first, table.records or (), another, **about, chained=not table.heap))
    empty = {number: make_page(number, DATA, [], **about) for number in extent}
    return {**pages, **empty, iam: _iam(iam, [first, *given], table.belongs_to)}, first, iam


def _iam(number: int, pages: Sequence[int], belongs_to: tuple[int, int]) -> bytes:
    """Eight single pages, then the extents of the others, a bit each."""
    body = bytearray(PAGE - HEADER)
    struct.pack_into("<IH", body, 136 - HEADER, 0, 1)
    for slot, page in enumerate(pages[:_SINGLES]):
        struct.pack_into("<IH", body, 142 - HEADER + 6 * slot, page, 1)
    for extent in {page // 8 for page in pages[_SINGLES:]}:
        body[194 - HEADER + extent // 8] |= 1 << extent % 8
    return with_body(number, IAM, bytes(body), belongs_to=belongs_to)


def _chain(
    first: int,
    rows: Sequence[bytes],
    another: Callable[[], int],
    *,
    belongs_to: tuple[int, int] = (0, 0),
    chained: bool = True,
) -> Iterator[tuple[int, bytes]]:
    """The rows on a page and on those that follow it. chained: each names the next."""
    number, here, room = first, [], PAGE - HEADER
    for data in rows:
        if len(data) + 2 > room:
            following = another()
            yield number, make_page(number, DATA, here, following=following if chained else 0, belongs_to=belongs_to)
            number, here, room = following, [], PAGE - HEADER
        here.append(data)
        room -= len(data) + 2
    yield number, make_page(number, DATA, here, belongs_to=belongs_to)
