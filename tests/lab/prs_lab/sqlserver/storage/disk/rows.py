"""Rows of user tables as SQL Server stores them: which columns lie where in a record, and the bytes of each value."""

from __future__ import annotations

import datetime as dt
import decimal
import struct
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .page import HEADER, PAGE

__all__ = ["ColumnFacts", "PlacedColumn", "encoded", "is_known", "placed", "row"]

_LARGEST = PAGE - HEADER - 2 - 36
"""Bytes of a record (documented: 8,060)."""
_FIXED = {
    "tinyint": 1,
    "smallint": 2,
    "int": 4,
    "bigint": 8,
    "datetime": 8,
    "date": 3,
    "uniqueidentifier": 16,
    "float": 8,
    "real": 4,
    "money": 8,
}
_KINDS = {
    "uniqueidentifier": 36, "date": 40, "datetime2": 42, "tinyint": 48, "smallint": 52, "int": 56, "real": 59, "money": 60, "datetime": 61,
    "float": 62, "bit": 104, "decimal": 106, "numeric": 108, "bigint": 127, "varbinary": 165, "varchar": 167, "nvarchar": 231,
}  # fmt: skip
_VARIABLE = ("varbinary", "varchar", "nvarchar")
_1900, _DAY_ONE = dt.datetime(1900, 1, 1), dt.date(1, 1, 1).toordinal()


@dataclass(frozen=True, kw_only=True)
class ColumnFacts:
    """A column. type: without its length; length: in bytes, -1 for max, 0 where it has none. column_id: from 1."""

    name: str
    type: str
    column_id: int
    length: int = 0
    precision: int = 0
    scale: int = 0
    nullable: bool = True
    identity: bool = False
    collation: int = 0

    @property
    def kind(self) -> int:
        """SQL Server's number of the type."""
        return _KINDS[self.type]

    @property
    def size(self) -> int | None:
        """Bytes of a column of fixed length, 0 of a bit; None for one of variable length."""
        if self.type in _VARIABLE:
            return None
        if self.type in ("decimal", "numeric"):
            return next(size for digits, size in ((9, 5), (19, 9), (28, 13), (38, 17)) if self.precision <= digits)
        if self.type == "datetime2":
            return 6 if self.scale < 3 else 7 if self.scale < 5 else 8
        return 0 if self.type == "bit" else _FIXED[self.type]


@dataclass(frozen=True, kw_only=True)
class PlacedColumn:
    """offset: from the record's start; -n for the n-th one of variable length. bit: of the byte there, for a bit."""

    column: ColumnFacts
    offset: int
    bit: int = 0


def is_known(kind: str) -> bool:
    """Whether values of this type are written."""
    return kind in _KINDS


def placed(columns: Sequence[ColumnFacts]) -> list[PlacedColumn]:
    """Fixed ones in their order, eight bits share a byte; those of variable length behind them."""
    result, at, variable, bits, byte = [], 4, 0, 0, 0
    for column in columns:
        if column.size is None:
            variable += 1
            result.append(PlacedColumn(column=column, offset=-variable))
        elif column.size:
            result.append(PlacedColumn(column=column, offset=at))
            at += column.size
        else:
            if bits % 8 == 0:
                byte, at = at, at + 1
            result.append(PlacedColumn(column=column, offset=byte, bit=bits % 8))
            bits += 1
    return result


def row(places: Sequence[PlacedColumn], values: Sequence[Any]) -> bytes | None:
    """A record of a row, whose values are as the twin keeps them; None where it does not fit on a page."""
    fixed = bytearray(sum(place.column.size or 0 for place in places))
    fixed += bytes(-(-sum(place.column.size == 0 for place in places) // 8))
    nulls, variable = 0, []
    for index, (place, value) in enumerate(zip(places, values, strict=True)):
        nulls |= (value is None) << index
        data = b"" if value is None else encoded(place.column, value)
        if place.column.size is None:
            variable.append(data)
        elif place.column.size:
            fixed[place.offset - 4 : place.offset - 4 + len(data)] = data
        elif value:
            fixed[place.offset - 4] |= 1 << place.bit
    while variable and not variable[-1]:  # empty ones at the end are left out
        variable.pop()
    head = struct.pack("<BBH", 0x30 if variable else 0x10, 0, 4 + len(fixed)) + fixed
    head += struct.pack("<H", len(places)) + nulls.to_bytes((len(places) + 7) // 8, "little")
    if variable:
        head += struct.pack(f"<H{len(variable)}H", len(variable), *_ends(len(head) + 2 + 2 * len(variable), variable))
    data = head + b"".join(variable)
    return data if len(data) <= _LARGEST else None


def _ends(at: int, values: Sequence[bytes]) -> Iterator[int]:
    for value in values:
        at += len(value)
        yield min(at, 0x7FFF)


def encoded(column: ColumnFacts, value: Any) -> bytes:
    """The bytes of a value that is not NULL."""
    return _ENCODERS[column.type](column, value)


def _whole(column: ColumnFacts, value: Any) -> bytes:
    return int(value).to_bytes(column.size or 0, "little", signed=column.type != "tinyint")


def _decimal(column: ColumnFacts, value: Any) -> bytes:
    digits = int(decimal.Decimal(str(value)).scaleb(column.scale).to_integral_value())
    return bytes((digits >= 0,)) + abs(digits).to_bytes((column.size or 1) - 1, "little")


def _datetime(_column: ColumnFacts, value: Any) -> bytes:
    passed = dt.datetime.fromisoformat(str(value)[:26]) - _1900
    seconds = decimal.Decimal(passed.seconds) + decimal.Decimal(passed.microseconds) / 10**6
    ticks = int((seconds * 300).to_integral_value(decimal.ROUND_HALF_UP))
    return struct.pack("<Ii", ticks % 25920000, passed.days + ticks // 25920000)


def _date(_column: ColumnFacts, value: Any) -> bytes:
    return (dt.date.fromisoformat(str(value)[:10]).toordinal() - _DAY_ONE).to_bytes(3, "little")


def _datetime2(column: ColumnFacts, value: Any) -> bytes:
    moment = dt.datetime.fromisoformat(str(value)[:26])
    microseconds = (moment - moment.replace(hour=0, minute=0, second=0, microsecond=0)) // dt.timedelta(microseconds=1)
    units = microseconds * 10**column.scale // 10**6
    return units.to_bytes((column.size or 0) - 3, "little") + _date(column, value)


def _text(_column: ColumnFacts, value: Any) -> bytes:
    return str(value).encode("cp1252", "replace") if not isinstance(value, bytes) else value


_ENCODERS: dict[str, Callable[[ColumnFacts, Any], bytes]] = {
    **dict.fromkeys(("tinyint", "smallint", "int", "bigint"), _whole),
    **dict.fromkeys(("decimal", "numeric"), _decimal),
    "money": lambda _column, value: int(decimal.Decimal(str(value)) * 10000).to_bytes(8, "little", signed=True),
    "float": lambda _column, value: struct.pack("<d", value),
    "real": lambda _column, value: struct.pack("<f", value),
    "bit": lambda _column, value: b"",
    "datetime": _datetime,
    "date": _date,
    "datetime2": _datetime2,
    "uniqueidentifier": lambda _column, value: uuid.UUID(str(value)).bytes_le,
    "varbinary": lambda _column, value: bytes(value),
    "varchar": _text,
    "nvarchar": lambda _column, value: str(value).encode("utf-16-le", "surrogatepass"),
}
