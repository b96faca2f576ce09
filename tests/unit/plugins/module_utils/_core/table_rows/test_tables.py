"""Rows of user tables in data files that a builder wrote from the facts of the format."""

from __future__ import annotations

import random
import struct
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.binary.range_reader import RangeReader
from ansible_collections.prs.recovery.plugins.module_utils._core.binary.values import Damaged, FileFormatError
from ansible_collections.prs.recovery.plugins.module_utils._core.data_file.system_rows import Pages
from ansible_collections.prs.recovery.plugins.module_utils._core.table_rows.columns import NotRead
from ansible_collections.prs.recovery.plugins.module_utils._core.table_rows.row_layout import OUT_OF_ROW
from ansible_collections.prs.recovery.plugins.module_utils._core.table_rows.tables import Tables
from ansible_collections.prs.recovery.plugins.module_utils._core.table_rows.values import (
    OddValue,
    decoder,
    fixed_size,
    type_name,
)
from database_files import PAGE, moment, protect
from database_rows import (
    BIT,
    COMPUTED,
    DATETIME,
    DROPPED,
    IDENTITY,
    INT,
    NOT_NULL,
    NTEXT,
    NVARCHAR,
    SPARSE,
    VARBINARY,
    VARCHAR,
    Built,
    Stored,
    database_with,
    integer,
    large_data,
    large_pointer,
    large_root,
    large_small,
    row_record,
    text,
    text_pointer,
)

ID = Stored(name="UserId", kind=INT, size=4, status=NOT_NULL | IDENTITY)
NAME = Stored(name="Name", kind=NVARCHAR, length=100)
ENABLED = Stored(name="Enabled", kind=BIT, size=0)
LAST = Stored(name="LastLogin", kind=DATETIME, size=8)
NOON = datetime(2024, 5, 6, 12)


def opened(data: bytes) -> Tables:
    return Tables(Pages({1: RangeReader(lambda offset, length: data[offset : offset + length], len(data))}), (1, 16))


def rows_of(built: Built, **options: Any) -> list[tuple[Any, ...]]:
    tables = opened(database_with([built], **options))
    return list(tables.rows(tables.named(built.name)))


def users(count: int) -> list[list[bytes | bool | None]]:
    return [[integer(number), text(f"user {number}"), number % 2 == 0, moment(NOON)] for number in range(count)]


@pytest.mark.parametrize("heap", [False, True])
@pytest.mark.parametrize("count", [0, 1, 3, 2500])
def test_rows_come_back_in_their_order(heap: bool, count: int) -> None:
    built = Built(name="Users", columns=(ID, NAME, ENABLED, LAST), rows=users(count), heap=heap)
    assert rows_of(built) == [(number, f"user {number}", number % 2 == 0, NOON) for number in range(count)]


def test_columns_are_described_as_create_table_does() -> None:
    tables = opened(database_with([Built(name="Users", columns=(ID, NAME, ENABLED, LAST))]))
    columns = tables.columns(tables.named("dbo.users"))
    assert [(column.name, column.type) for column in columns] == [
        ("UserId", "int"), ("Name", "nvarchar(50)"), ("Enabled", "bit"), ("LastLogin", "datetime"),
    ]  # fmt: skip
    assert [(column.nullable, column.identity) for column in columns[:2]] == [(False, True), (True, False)]


def test_a_null_is_none_wherever_it_stands() -> None:
    every = users(1)[0]
    rows = [[None if number >> index & 1 else value for index, value in enumerate(every)] for number in range(16)]
    expected = [
        tuple(None if number >> index & 1 else value for index, value in enumerate((0, "user 0", True, NOON)))
        for number in range(16)
    ]
    assert rows_of(Built(name="Users", columns=(ID, NAME, ENABLED, LAST), rows=rows)) == expected


def test_an_empty_text_at_the_end_is_not_null() -> None:
    built = Built(name="Users", columns=(ID, NAME), rows=[[integer(1), b""], [integer(2), None]])
    assert rows_of(built) == [(1, ""), (2, None)]


def test_rows_that_are_older_than_a_column_have_its_default_or_null() -> None:
    later = Stored(name="Locked", kind=INT, size=4, later=bytes((INT, 1)) + integer(7))
    rows = [[integer(1), text("old"), b"", b""], [integer(2), text("new"), integer(8), text("x")]]
    note = Stored(name="Note", kind=NVARCHAR, length=100)
    assert rows_of(Built(name="Users", columns=(ID, NAME, later, note), rows=rows, short={0: 2})) == [
        (1, "old", 7, None),
        (2, "new", 8, "x"),
    ]


def test_a_default_of_another_type_is_no_moment() -> None:
    """Found by the fuzzer: who asked for the newest moment got a number."""
    stamp = Stored(name="Stamp", kind=DATETIME, size=8, later=bytes((INT, 1)) + integer(0))
    [(_id, value)] = rows_of(Built(name="T", columns=(ID, stamp), rows=[[integer(1), b""]], short={0: 1}))
    assert isinstance(value, OddValue) and str(value) == "0x380100000000 (no value of this type)"


def test_dropped_columns_keep_their_place() -> None:
    gone = Stored(name="Gone", kind=INT, size=4, stored_status=DROPPED)
    tables = opened(database_with([Built(name="T", columns=(gone, ID), rows=[[integer(5), integer(6)]])]))
    table = tables.named("T")
    assert [*tables.rows(table, columns=tables.columns(table)[1:])] == [(6,)]


def test_computed_columns_are_none() -> None:
    computed = Stored(name="Full", kind=NVARCHAR, length=100, status=COMPUTED)
    tables = opened(database_with([Built(name="T", columns=(ID, computed), rows=[[integer(5), None]])]))
    assert [*tables.rows(tables.named("T"))] == [(5, None)]


def test_ghosts_and_stubs_are_no_rows_and_forwarded_records_are() -> None:
    living = row_record((ID, NAME), [integer(1), text("living")])
    ghost, stub, forwarded, deleted = (bytearray(living) for _ in range(4))
    ghost[0] |= 6 << 1
    stub[0] |= 2 << 1
    forwarded[0] |= 1 << 1
    deleted[1] |= 1
    extra = (bytes(ghost), bytes(stub), bytes(forwarded), bytes(deleted), living)
    assert rows_of(Built(name="T", columns=(ID, NAME), extra=extra, heap=True)) == [(1, "living")] * 2


def test_bits_share_a_byte() -> None:
    from ansible_collections.prs.recovery.plugins.module_utils._core.table_rows.columns import Column, StoredColumn
    from ansible_collections.prs.recovery.plugins.module_utils._core.table_rows.row_layout import RowLayout

    stored = {
        number: StoredColumn(
            column_id=number, number=number, kind=BIT, length=1, precision=1, scale=0, collation=0, offset=4,
            null_bit=number, bit=number - 1, sparse=False,
        )
        for number in (1, 2, 3)
    }  # fmt: skip
    columns = [
        Column(
            table=1, column_id=number, name="", kind=BIT, type="bit", nullable=True, identity=False, computed=False,
            default=0,
        )
        for number in (1, 2, 3)
    ]  # fmt: skip
    record = bytes((0x10, 0)) + struct.pack("<HBHB", 5, 0b101, 3, 0b010)
    page = bytearray(PAGE)
    page[96 : 96 + len(record)] = record
    struct.pack_into("<H", page, 22, 1)
    struct.pack_into("<H", page, PAGE - 2, 96)
    assert [*RowLayout(columns, stored, None).rows(bytes(page))] == [(True, None, True)]


@pytest.mark.parametrize(
    "built",
    [
        Built(name="T", columns=(ID,), rows=[[integer(1)]], compression=1),
        Built(
            name="T", columns=(ID, Stored(name="S", kind=INT, size=4, stored_status=SPARSE)), rows=[[integer(1), None]]
        ),
    ],
)
def test_what_is_not_understood_is_said(built: Built) -> None:
    with pytest.raises(NotRead):
        rows_of(built)


def test_a_table_is_named_with_its_schema_or_without() -> None:
    tables = opened(database_with([Built(name="Users", columns=(ID,))]))
    assert tables.named("users") == tables.named("DBO.Users") == tables.tables[0]
    with pytest.raises(KeyError):
        tables.named("Groups")


PICTURE = bytes(range(256)) * 20


def test_large_values_are_put_together_from_their_parts() -> None:
    long = Stored(name="Long", kind=VARBINARY, length=-1)
    old = Stored(name="Old", kind=NTEXT, length=16)
    large = [
        large_data(PICTURE[:1000]),
        large_data(PICTURE[1000:3000]),
        large_root([(1000, 30, 0), (3000, 30, 1)]),
        large_small(text("small")),
        large_root([(1000, 30, 0), (3000, 30, 1)], kind=4),
    ]
    rows = [
        [integer(1), large_pointer(30, 0, 1000), text_pointer(30, 3)],
        [integer(2), large_pointer(30, 2, 3000), None],
    ]
    rows.append([integer(3), large_pointer(30, 4, 3000), None])
    built = Built(name="T", columns=(ID, long, old), rows=rows)
    assert rows_of(built, large=large) == [
        (1, PICTURE[:1000], "small"),
        (2, PICTURE[:3000], None),
        (3, PICTURE[:3000], None),
    ]
    tables = opened(database_with([built], large=large))
    assert next(tables.rows(tables.named("T"), large=False)) == (1, OUT_OF_ROW, OUT_OF_ROW)


@pytest.mark.parametrize(
    "large",
    [
        [large_data(PICTURE[:999])],
        [],
        [large_root([(1000, 30, 0)])],
        [b"\x08\x00\x20\x00" + bytes(8) + b"\x09\x00" + bytes(18)],
    ],
    ids=["shorter than told", "gone", "a circle", "unknown kind"],
)
def test_large_values_that_cannot_be_are_refused(large: list[bytes]) -> None:
    long = Stored(name="Long", kind=VARBINARY, length=-1)
    with pytest.raises(FileFormatError):
        rows_of(Built(name="T", columns=(ID, long), rows=[[integer(1), large_pointer(30, 0, 1000)]]), large=large)


def test_one_byte_text_follows_its_collation() -> None:
    # 0xE4 is a umlaut in code page 1252 and a Cyrillic letter in 1251; 0x81 has no meaning in 1252 and stays what it is
    western = Stored(name="W", kind=VARCHAR, length=20, collation=0x3400D008)
    cyrillic = Stored(name="C", kind=VARCHAR, length=20, collation=0x0000D015)
    built = Built(name="T", columns=(western, cyrillic), rows=[[b"\xe4\x81", b"\xe4"]])
    assert rows_of(built) == [("\u00e4\x81", "\u0434")]


VALUES = [
    (52, {}, struct.pack("<h", -2), -2),
    (48, {}, b"\xff", 255),
    (127, {}, struct.pack("<q", -(2**40)), -(2**40)),
    (60, {}, struct.pack("<q", -12345678), Decimal("-1234.5678")),
    (122, {}, struct.pack("<i", 10000), Decimal("1.0000")),
    (106, {"scale": 2}, b"\x00" + (314).to_bytes(4, "little"), Decimal("-3.14")),
    (108, {"scale": 0}, b"\x01" + (10**37).to_bytes(16, "little"), Decimal(10**37)),
    (62, {}, struct.pack("<d", 0.1), 0.1),
    (58, {}, struct.pack("<HH", 61, 1), datetime(1900, 1, 2, 1, 1)),
    (61, {}, struct.pack("<Ii", 300 * 3600 + 1, -1), datetime(1899, 12, 31, 1, 0, 0, 3000)),
    (40, {}, (738000).to_bytes(3, "little"), date.fromordinal(738001)),
    (41, {"scale": 7}, (10**7 * 3661 + 15).to_bytes(5, "little"), time(1, 1, 1, 1)),
    (41, {"scale": 0}, (3661).to_bytes(3, "little"), time(1, 1, 1)),
    (42, {"scale": 3}, (1500).to_bytes(4, "little") + (0).to_bytes(3, "little"), datetime(1, 1, 1, 0, 0, 1, 500000)),
    (
        43, {"scale": 0}, (3600).to_bytes(3, "little") + (738000).to_bytes(3, "little") + struct.pack("<h", 120),
        datetime.combine(date.fromordinal(738001), time(3), timezone(timedelta(hours=2))),
    ),
    (36, {}, UUID(int=7).bytes_le, UUID(int=7)),
    (165, {}, b"\x00\x01", b"\x00\x01"),
    (98, {}, bytes((167, 1)) + struct.pack("<HI", 20, 0x3400D008) + b"x", "x"),
    (98, {}, bytes((106, 1, 5, 2)) + b"\x01" + (314).to_bytes(4, "little"), Decimal("3.14")),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "options", "raw", "value"), VALUES)
def test_values_of_every_type(kind: int, options: dict[str, int], raw: bytes, value: Any) -> None:
    assert decoder(kind, **options)(raw) == value


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        (61, struct.pack("<Ii", 25920000, 0)),
        (61, struct.pack("<Ii", 0, 2958464)),
        (58, struct.pack("<HH", 1440, 0)),
        (40, b"\xff\xff\xff"),
        (42, b"\xff" * 8),
        (98, b"\x00\x02"),
    ],
)
def test_bytes_that_are_no_value_are_shown_as_they_are(kind: int, raw: bytes) -> None:
    value = decoder(kind, scale=7)(raw)
    assert isinstance(value, OddValue) and value.raw == raw and str(value).startswith("0x")


@pytest.mark.parametrize(
    ("kind", "precision", "scale", "size"),
    [
        (106, 9, 0, 5),
        (106, 10, 0, 9),
        (108, 19, 0, 9),
        (108, 28, 0, 13),
        (106, 38, 0, 17),
        (41, 0, 2, 3),
        (41, 0, 3, 4),
        (41, 0, 5, 5),
        (42, 0, 7, 8),
        (43, 0, 0, 8),
        (56, 0, 0, 4),
        (104, 0, 0, 0),
        (231, 0, 0, None),
        (1, 0, 0, None),
    ],
)
def test_sizes_of_fixed_columns(kind: int, precision: int, scale: int, size: int | None) -> None:
    assert fixed_size(kind, length=4, precision=precision, scale=scale) == size


def test_names_of_types() -> None:
    shapes = {
        (106, 5, 9, 2): "decimal(9,2)",
        (231, -1, 0, 0): "nvarchar(max)",
        (42, 8, 27, 7): "datetime2(7)",
        (167, 30, 0, 0): "varchar(30)",
        (1, 0, 0, 0): "type 1",
        (36, 16, 0, 0): "uniqueidentifier",
    }
    for (kind, length, precision, scale), name in shapes.items():
        assert type_name(kind, length=length, precision=precision, scale=scale) == name


def test_a_chain_of_leaves_that_runs_in_a_circle_ends() -> None:
    built = Built(name="Users", columns=(ID, NAME, ENABLED, LAST), rows=users(2500))
    data = bytearray(database_with([built]))
    first = next(number for number in range(32, len(data) // PAGE) if data[number * PAGE + 1] == 1)
    last = max(
        number for number in range(32, len(data) // PAGE) if data[number * PAGE + 1] == 1 and data[number * PAGE + 24]
    )
    broken = bytearray(data[last * PAGE : (last + 1) * PAGE])
    struct.pack_into("<IH", broken, 16, first, 1)
    data[last * PAGE : (last + 1) * PAGE] = protect(broken)
    tables = opened(bytes(data))
    with pytest.raises(Damaged, match="circle"):
        list(tables.rows(tables.named("Users")))


def test_damage_is_told_and_nothing_else_is_raised() -> None:
    """Random bytes in any page: rows, or a reason, in bounded time."""
    long = Stored(name="Long", kind=VARBINARY, length=-1)
    tables = [
        Built(name="Users", columns=(ID, NAME, ENABLED, LAST), rows=users(200)),
        Built(name="Heap", columns=(ID, long), rows=[[integer(1), large_pointer(30, 0, 1000)]] * 20, heap=True),
    ]
    data = database_with(tables, large=[large_data(PICTURE[:1000])])
    rng, outcomes = random.Random(7), set()
    for _round in range(300):
        broken = bytearray(data)
        for _ in range(rng.randint(1, 40)):
            broken[rng.randrange(16 * PAGE, len(data))] = rng.randrange(256)
        try:
            found = opened(bytes(broken))
            for table in found.tables:
                list(found.rows(table))
            outcomes.add("rows")
        except FileFormatError as problem:
            outcomes.add(type(problem).__name__)
    assert {"rows", "Damaged"} <= outcomes
