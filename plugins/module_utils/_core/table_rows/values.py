# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of columns, from the bytes that lie in a record to Python's types.

How often each type was seen with values is in the comments; those without a number are documented, not seen.
"""

from __future__ import annotations

import struct
from codecs import utf_16_le_decode
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Context, Decimal
from enum import IntEnum
from functools import partial
from typing import Any
from uuid import UUID

from ..binary.values import u32
from .code_pages import text_decoder

__all__ = ["LARGE", "MOMENTS", "DataType", "OddValue", "decoder", "fixed_size", "type_name", "variant", "without_zone"]


class DataType(IntEnum):
    """System type ids, as sys.types lists them."""

    IMAGE, TEXT, UNIQUEIDENTIFIER, DATE, TIME, DATETIME2, DATETIMEOFFSET = 34, 35, 36, 40, 41, 42, 43
    TINYINT, SMALLINT, INT, SMALLDATETIME, REAL, MONEY, DATETIME, FLOAT = 48, 52, 56, 58, 59, 60, 61, 62
    SQL_VARIANT, NTEXT, BIT, DECIMAL, NUMERIC, SMALLMONEY, BIGINT = 98, 99, 104, 106, 108, 122, 127
    VARBINARY, VARCHAR, BINARY, CHAR, TIMESTAMP, NVARCHAR, NCHAR, UDT, XML = 165, 167, 173, 175, 189, 231, 239, 240, 241


DECIMALS = (DataType.DECIMAL, DataType.NUMERIC)
CLOCKS = (DataType.TIME, DataType.DATETIME2, DataType.DATETIMEOFFSET)
"""Types that have a scale of their own: digits behind the second."""
MOMENTS = (DataType.DATE, DataType.DATETIME2, DataType.DATETIMEOFFSET, DataType.SMALLDATETIME, DataType.DATETIME)
"""Types that hold a day."""
LARGE = (DataType.TEXT, DataType.NTEXT, DataType.IMAGE)
_UNICODE, _CODE_PAGE = (
    (DataType.NVARCHAR, DataType.NCHAR, DataType.NTEXT),
    (DataType.VARCHAR, DataType.CHAR, DataType.TEXT),
)
_BYTES = (DataType.VARBINARY, DataType.BINARY)

_SIZES = {
    DataType.UNIQUEIDENTIFIER: 16, DataType.TINYINT: 1, DataType.SMALLINT: 2, DataType.INT: 4,
    DataType.SMALLDATETIME: 4, DataType.REAL: 4, DataType.MONEY: 8, DataType.DATETIME: 8, DataType.FLOAT: 8,
    DataType.SMALLMONEY: 4, DataType.BIGINT: 8, DataType.TIMESTAMP: 8, DataType.DATE: 3, DataType.BIT: 0,
}  # fmt: skip

_1900, _DAY_ONE = datetime(1900, 1, 1), date(1, 1, 1).toordinal()
_DAYS, _TICKS_A_DAY, _MINUTES_A_DAY, _MICROSECONDS_A_DAY = range(-53690, 2958464), 25920000, 1440, 86400 * 10**6
_LAST_DAY = date.max.toordinal() - _DAY_ONE
_LONGEST_OFFSET = 14 * 60
_EXACT = Context(prec=40)


class OddValue:
    """Bytes that are no value of their column's type, such as a day after the year 9999: damage, or garbage."""

    def __init__(self, raw: bytes) -> None:
        self.raw = bytes(raw)

    def __str__(self) -> str:
        return f"0x{self.raw.hex()} (no value of this type)"


def fixed_size(kind: int, *, length: int, precision: int, scale: int) -> int | None:
    """Bytes of a column of fixed length, 0 for a bit; None for a type that is never stored so."""
    if kind in DECIMALS:
        return next((size for digits, size in ((9, 5), (19, 9), (28, 13), (38, 17)) if precision <= digits), None)
    if kind in CLOCKS:
        clock = 3 if scale < 3 else 4 if scale < 5 else 5
        return clock + {DataType.TIME: 0, DataType.DATETIME2: 3, DataType.DATETIMEOFFSET: 5}[DataType(kind)]
    if kind in (DataType.BINARY, DataType.CHAR, DataType.NCHAR):
        return length
    return _SIZES.get(DataType(kind)) if kind in DataType._value2member_map_ else None


def type_name(kind: int, *, length: int, precision: int, scale: int) -> str:
    """The type as CREATE TABLE writes it. length: in bytes, -1 for max."""
    if kind not in DataType._value2member_map_:
        return f"type {kind}"
    name = DataType(kind).name.lower()
    if kind in DECIMALS:
        return f"{name}({precision},{scale})"
    if kind in CLOCKS:
        return f"{name}({scale})"
    if kind in (DataType.VARCHAR, DataType.CHAR, *_BYTES):
        return f"{name}({length if length >= 0 else 'max'})"
    if kind in (DataType.NVARCHAR, DataType.NCHAR):
        return f"{name}({length // 2 if length >= 0 else 'max'})"
    return name


def decoder(kind: int, *, scale: int = 0, collation: int = 0) -> Callable[[bytes], Any]:
    """What makes a value of the bytes of a column."""
    if kind in _UNICODE:
        return _unicode  # 71,138 strings with those of one byte
    if kind in _CODE_PAGE:
        return text_decoder(collation)
    if kind in DECIMALS:
        return partial(_decimal, -scale)
    if kind in CLOCKS:
        clock = partial(_time, 10 ** (6 - scale) if scale <= 6 else 0)
        if kind == DataType.TIME:
            return clock  # 37
        moment = partial(_datetime2, clock)  # 283
        return moment if kind == DataType.DATETIME2 else partial(_datetimeoffset, moment)
    return _DECODERS.get(kind, bytes)  # binary, varbinary, image, timestamp (3,202), xml, udt


def variant(value: bytes) -> Any:
    """sql_variant: its base type, version 1, properties, value."""
    if len(value) < 2 or value[1] != 1:
        return OddValue(value)
    kind, scale, collation, start = value[0], 0, 0, 2
    if kind in DECIMALS:
        scale, start = value[3], 4
    elif kind in CLOCKS:
        scale, start = value[2], 3
    elif kind in (*_UNICODE, *_CODE_PAGE):
        collation, start = u32(value, 4), 8
    elif kind in _BYTES:
        start = 4
    return decoder(kind, scale=scale, collation=collation)(value[start:])


def _signed(value: bytes) -> int:
    return int.from_bytes(value, "little", signed=True)


def _unicode(value: bytes) -> str:
    return utf_16_le_decode(value, "surrogatepass", True)[0]


def _decimal(exponent: int, value: bytes) -> Decimal:
    number = int.from_bytes(value[1:], "little")
    return Decimal(number if value[0] else -number).scaleb(exponent, _EXACT)


def _money(value: bytes) -> Decimal:
    return Decimal(_signed(value)).scaleb(-4, _EXACT)


def _datetime(value: bytes) -> datetime | OddValue:
    ticks, days = struct.unpack("<Ii", value)
    if ticks >= _TICKS_A_DAY or days not in _DAYS:
        return OddValue(value)
    return _1900 + timedelta(days, 0, 0, round(ticks * 10 / 3))


def _smalldatetime(value: bytes) -> datetime | OddValue:
    minutes, days = struct.unpack("<HH", value)  # 10
    return _1900 + timedelta(days, minutes=minutes) if minutes < _MINUTES_A_DAY else OddValue(value)


def _date(value: bytes) -> date | OddValue:
    days = int.from_bytes(value, "little")
    return date.fromordinal(_DAY_ONE + days) if days <= _LAST_DAY else OddValue(value)


def _time(factor: int, value: bytes) -> time | OddValue:
    """factor: microseconds of a unit; 0 where ten units are one."""
    units = int.from_bytes(value, "little")
    microseconds = units * factor if factor else units // 10
    if microseconds >= _MICROSECONDS_A_DAY:
        return OddValue(value)
    seconds, rest = divmod(microseconds, 10**6)
    return time(seconds // 3600, seconds // 60 % 60, seconds % 60, rest)


def _datetime2(clock: Callable[[bytes], Any], value: bytes) -> datetime | OddValue:
    day, moment = _date(value[-3:]), clock(value[:-3])
    if isinstance(day, OddValue) or isinstance(moment, OddValue):
        return OddValue(value)
    return datetime.combine(day, moment)


def _datetimeoffset(moment: Callable[[bytes], Any], value: bytes) -> datetime | OddValue:
    """The moment in UTC, and the minutes of its zone (five columns, no value seen)."""
    utc, (minutes,) = moment(value[:-2]), struct.unpack("<h", value[-2:])
    if isinstance(utc, OddValue) or abs(minutes) > _LONGEST_OFFSET:
        return OddValue(value)
    try:
        return utc.replace(tzinfo=timezone.utc).astimezone(timezone(timedelta(minutes=minutes)))
    except OverflowError:
        return OddValue(value)


_DECODERS: dict[int, Callable[[bytes], Any]] = {
    DataType.INT: _signed,
    DataType.SMALLINT: _signed,
    DataType.BIGINT: _signed,
    DataType.TINYINT: lambda value: value[0],
    DataType.BIT: lambda value: bool(value[0]),
    DataType.MONEY: _money,
    DataType.SMALLMONEY: _money,
    DataType.FLOAT: lambda value: struct.unpack("<d", value)[0],
    DataType.REAL: lambda value: struct.unpack("<f", value)[0],
    DataType.DATETIME: _datetime,
    DataType.SMALLDATETIME: _smalldatetime,
    DataType.DATE: _date,
    DataType.UNIQUEIDENTIFIER: lambda value: UUID(bytes_le=bytes(value)),
    DataType.SQL_VARIANT: variant,
}


def without_zone(value: datetime) -> datetime:
    """As a time without a zone: a datetimeoffset by its UTC."""
    return value.astimezone(timezone.utc).replace(tzinfo=None) if value.tzinfo else value
