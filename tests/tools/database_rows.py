"""Builds data files of SQL Server with tables and rows in them, from what is known of the format, for tests."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from database_files import PAGE, Database, boot_record, header_record, moment, page, protect

HEADER = 96
SYSTEM = {3: 18, 24: 19, 34: 20, 41: 21, 60: 22, 64: 23, 9: 24}
"""The page of each system table; sysallocunits lies on page 16 and sysrowsets on 17."""
FIRST_OWN_PAGE = 32
INT, BIT, DATETIME, DATETIME2, DECIMAL, VARCHAR, CHAR, NVARCHAR, NTEXT, VARBINARY = (
    56, 104, 61, 42, 106, 167, 175, 231, 99, 165,
)  # fmt: skip
NOT_NULL, IDENTITY, COMPUTED = 1, 4, 16
DROPPED, SPARSE = 2, 0x100


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A column and where it lies. size: of a fixed one in bytes, None for one of variable length, 0 for a bit.

    added: how many columns a record had before this one was added. later: the default of rows older than it.
    """

    name: str
    kind: int
    size: int | None = None
    length: int = 0
    precision: int = 0
    scale: int = 0
    collation: int = 0x3400D008
    status: int = 0
    default: str = ""
    stored_status: int = 0
    later: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class Built:
    """A table with the bytes of its rows: a value for each column, None for NULL.

    heap: the rows lie on single pages that an IAM page names. short: rows that hold only so many columns.
    """

    name: str
    columns: tuple[Stored, ...]
    rows: Sequence[Sequence[bytes | bool | None]] = ()
    heap: bool = False
    compression: int = 0
    short: dict[int, int] = field(default_factory=dict)
    extra: tuple[bytes, ...] = ()


def text(value: str) -> bytes:
    return value.encode("utf-16-le")


def integer(value: int, size: int = 4) -> bytes:
    return value.to_bytes(size, "little", signed=True)


def row_record(columns: Sequence[Stored], values: Sequence[bytes | bool | None], *, count: int | None = None) -> bytes:
    """A row: the fixed part in the order of the columns, bits in bytes of their own, then NULL bits, then the others."""
    used = list(zip(columns, values, strict=True))[:count]
    fixed, nulls = bytearray(), 0
    for index, (column, value) in enumerate(used):
        nulls |= (value is None) << index
        if column.size == 0:
            fixed.append(bool(value))
        elif column.size:
            fixed += (value if isinstance(value, bytes) else b"").ljust(column.size, b"\0")
    variable = [value if isinstance(value, bytes) else b"" for column, value in used if column.size is None]
    while variable and not variable[-1]:  # SQL Server leaves empty ones at the end out
        variable.pop()
    data = bytes((0x30 if variable else 0x10, 0)) + struct.pack("<H", 4 + len(fixed)) + fixed
    data += struct.pack("<H", len(used)) + nulls.to_bytes((len(used) + 7) // 8, "little")
    if not variable:
        return data
    at, ends = len(data) + 2 + 2 * len(variable), []
    for value in variable:
        pointer = value.startswith(POINTER)
        at += len(value) - len(POINTER) * pointer
        ends.append(at | 0x8000 * pointer)
    data += struct.pack(f"<H{len(ends)}H", len(ends), *ends)
    return data + b"".join(value.removeprefix(POINTER) for value in variable)


POINTER = b"\0the value lies out of its row\0"
"""In front of the bytes of a pointer."""


def large_pointer(number: int, slot: int, length: int) -> bytes:
    """To a value in one record of a page of large values, as a (max) column holds it."""
    return POINTER + bytes((4,)) + bytes(11) + struct.pack("<IIHH", length, number, 1, slot)


def text_pointer(number: int, slot: int) -> bytes:
    """The same as text, ntext and image hold it."""
    return POINTER + struct.pack("<QIHH", 7, number, 1, slot)


def large_data(value: bytes) -> bytes:
    return bytes((8, 0)) + struct.pack("<HQH", 14 + len(value), 7, 3) + value


def large_small(value: bytes) -> bytes:
    return bytes((8, 0)) + struct.pack("<HQHH", 20 + len(value), 7, 0, len(value)) + bytes(4) + value


def large_root(children: Sequence[tuple[int, int, int]], *, kind: int = 5) -> bytes:
    """children: (end, page, slot)."""
    body = b"".join(struct.pack("<IIHH", end, number, 1, slot) for end, number, slot in children)
    return bytes((8, 0)) + struct.pack("<HQHHH", 24 + len(body), 7, kind, 500, len(children)) + bytes(6) + body


def database_with(tables: Iterable[Built], *, large: Sequence[bytes] = (), database: Database | None = None) -> bytes:
    """A primary data file. large: records of the page of large values, which is page 30."""
    database = database or Database(tables=())
    layout = _Layout(list(tables))
    pages = layout.pages()
    if large:
        pages[30] = page(30, 3, list(large))
    last = max(pages) + 1
    database = database.changed(pages=last)
    pages |= {0: page(0, 15, [header_record(database, 1, log=False)]), 9: page(9, 13, [boot_record(database)])}
    pages[1] = page(1, 11, body=bytes(4) + bytes(0x40 if number in pages else 0 for number in range(8088)))
    return b"".join(pages.get(number, bytes(PAGE)) for number in range(last))


class _Layout:
    """Gives each table its ids and pages, and writes the system tables."""

    def __init__(self, tables: Sequence[Built]) -> None:
        self._tables = [(0x0A10 + index, table) for index, table in enumerate(tables)]
        self._next = FIRST_OWN_PAGE
        self._units: list[bytes] = []
        self._sets: list[bytes] = []

    def pages(self) -> dict[int, bytes]:
        result: dict[int, bytes] = {}
        for table, number in {**SYSTEM, 5: 17}.items():
            self._unit(table << 16, table << 16, number, 0)
        for table in SYSTEM:
            self._sets.append(_rowset(table << 16, table, 1, 0, 0))
        for object_id, table in self._tables:
            result |= self._rows(object_id, table)
        contents = {
            16: self._units, 17: self._sets, SYSTEM[64]: [_schema()], SYSTEM[24]: [],
            SYSTEM[34]: [_object(object_id, table) for object_id, table in self._tables],
            SYSTEM[41]: self._each(_described), SYSTEM[3]: [*self._stored()], SYSTEM[60]: self._each(_default),
            SYSTEM[9]: [*self._later()],
        }  # fmt: skip
        for number, rows in contents.items():
            result |= _fill(number, rows, lambda: self._take(1))
        return result

    def _take(self, count: int) -> int:
        self._next += count
        return self._next - count

    def _unit(self, unit: int, rowset: int, first: int, iam: int) -> None:
        fixed = (
            struct.pack("<QBQHHHIH", unit, 1, rowset, 0, 0, 0, first, 1)
            + bytes(6)
            + struct.pack("<IH", iam, 1 if iam else 0)
        )
        self._units.append(_record(fixed.ljust(69, b"\0")))

    def _rows(self, object_id: int, table: Built) -> dict[int, bytes]:
        index = 0 if table.heap else 1
        rowset, unit = 0x7000_0000 + object_id, index << 48 | object_id << 16
        records = [
            row_record(table.columns, row, count=table.short.get(number)) for number, row in enumerate(table.rows)
        ]
        first = self._take(1)
        pages = _fill(
            first, [*records, *table.extra], lambda: self._take(1), owner=(index, object_id), chained=not table.heap
        )
        iam = 0
        if table.heap:
            iam = self._take(1)
            pages[iam] = _iam(iam, [*pages])
        self._unit(unit, rowset, first, iam)
        self._sets.append(_rowset(rowset, object_id, index, len(records), table.compression))
        return pages

    def _each(self, describe: Callable[[int, int, Stored], bytes | None]) -> list[bytes]:
        records = (
            describe(object_id, number, column)
            for object_id, table in self._tables
            for number, column in enumerate(table.columns, 1)
        )
        return [record for record in records if record]

    def _stored(self) -> Iterator[bytes]:
        for object_id, table in self._tables:
            fixed, variable = 4, 0
            for number, column in enumerate(table.columns, 1):
                if column.size is None:
                    variable += 1
                offset = -variable if column.size is None else fixed
                fixed += 0 if column.size is None else max(column.size, 1)
                if not column.status & COMPUTED:
                    yield _physical(0x7000_0000 + object_id, number, column, offset)

    def _later(self) -> Iterator[bytes]:
        for object_id, table in self._tables:
            for number, column in enumerate(table.columns, 1):
                if column.later is not None:
                    yield _record(struct.pack("<BQQ", 1, 0x7000_0000 + object_id, number), [column.later])


def _record(fixed: bytes, variable: list[bytes] | None = None) -> bytes:
    columns = [
        Stored(name="", kind=VARBINARY, size=len(fixed)),
        *(Stored(name="", kind=VARBINARY) for _ in variable or ()),
    ]
    return row_record(columns, [fixed, *(variable or ())])


def _fill(
    first: int,
    records: Sequence[bytes],
    take: Callable[[], int],
    *,
    owner: tuple[int, int] = (0, 0),
    chained: bool = True,
) -> dict[int, bytes]:
    """The records on as many pages as they need."""
    batches: list[list[bytes]] = [[]]
    used = HEADER
    for record in records:
        if used + len(record) + 2 > PAGE:
            batches.append([])
            used = HEADER
        batches[-1].append(record)
        used += len(record) + 2
    numbers = [first, *(take() for _ in batches[1:])]
    following = [*numbers[1:], 0] if chained else [0] * len(numbers)
    return {
        number: _owned(page(number, 1, batch, following=after), owner)
        for number, batch, after in zip(numbers, batches, following, strict=True)
    }


def _owned(data: bytes, owner: tuple[int, int]) -> bytes:
    index, object_id = owner
    changed = bytearray(data)
    struct.pack_into("<H", changed, 6, index)
    struct.pack_into("<I", changed, 24, object_id)
    return protect(changed)


def _iam(number: int, pages: Sequence[int]) -> bytes:
    """Eight single pages, then the extents of the others."""
    body = bytearray(PAGE - HEADER)
    for slot, single in enumerate(pages[:8]):
        struct.pack_into("<IH", body, 142 - HEADER + 6 * slot, single, 1)
    struct.pack_into("<IH", body, 136 - HEADER, 0, 1)
    for extent in {single // 8 for single in pages[8:]}:
        body[194 - HEADER + extent // 8] |= 1 << extent % 8
    return page(number, 10, body=bytes(body))


def _rowset(rowset: int, table: int, index: int, rows: int, compression: int) -> bytes:
    return _record(struct.pack("<QBii", rowset, 0, table, index) + bytes(10) + struct.pack("<QB", rows, compression))


def _schema() -> bytes:
    return _record(bytes((50,)) + struct.pack("<I", 1) + bytes(4), [text("dbo")])


def _object(object_id: int, table: Built) -> bytes:
    fixed = struct.pack("<II", object_id, 1) + bytes(5) + b"U " + bytes(9) + moment(Database().created)
    return _record(fixed, [text(table.name)])


def _described(object_id: int, number: int, column: Stored) -> bytes:
    length = column.length or (column.size or 0)
    default = object_id * 100 + number if column.default else 0
    fixed = struct.pack(
        "<IHIBIhBBII",
        object_id,
        0,
        number,
        column.kind,
        0,
        length,
        column.precision,
        column.scale,
        column.collation,
        column.status,
    )
    return _record(fixed.ljust(33, b"\0") + struct.pack("<I", default), [text(column.name)])


def _physical(rowset: int, number: int, column: Stored, offset: int) -> bytes:
    if column.kind == DECIMAL:
        shape = column.kind | column.precision << 8 | column.scale << 16
    else:
        shape = (
            column.kind | (column.scale if column.kind == DATETIME2 else max(column.length or column.size or 0, 0)) << 8
        )
    fixed = struct.pack("<QIIQIIHHI", rowset, number, number, 0, shape, column.collation, 0, 0, column.stored_status)
    return _record(fixed + struct.pack("<hHHHB", offset, 0, number, 0, 0))


def _default(object_id: int, number: int, column: Stored) -> bytes | None:
    if not column.default:
        return None
    return _record(struct.pack("<BI", 1, object_id * 100 + number), [b"", column.default.encode()])
