"""Types and values from Python to TDS: TYPE_INFO, column metadata, rows, return values."""

from __future__ import annotations

import datetime as dt
import decimal
import functools
import struct
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..types import MAX, SqlType, sql_type
from .bytes import short_text, utf16

__all__ = ["COLLATION", "Codec", "codec", "column_metadata", "return_value", "row_encoder"]

COLLATION = bytes.fromhex("0904d00034")
"""SQL_Latin1_General_CP1_CI_AS: LCID 0x0409 with its comparison flags, sort id 52."""
_EPOCH_1900 = dt.datetime(1900, 1, 1)
_INTEGERS = {"tinyint": (1, "B"), "smallint": (2, "h"), "int": (4, "i"), "bigint": (8, "q")}
_STRINGS = {"nvarchar": 0xE7, "varchar": 0xA7, "nchar": 0xEF, "char": 0xAF}
Encoder = Callable[[Any], bytes]


@dataclass(frozen=True, slots=True)
class Codec:
    """info: the TYPE_INFO bytes; encode: a value (None included) to its bytes in a row."""

    info: bytes
    encode: Encoder


@functools.lru_cache(maxsize=1024)
def codec(kind: str | SqlType) -> Codec:
    """The codec of a T-SQL type, given as text or as SqlType."""
    kind = sql_type(kind) if isinstance(kind, str) else kind
    name = kind.name
    if name in _INTEGERS:
        size, letter = _INTEGERS[name]
        return Codec(bytes([0x26, size]), _sized(lambda value: struct.pack("<" + letter, int(value))))
    if name == "bit":
        return Codec(b"\x68\x01", _sized(lambda value: b"\1" if value else b"\0"))
    if name in ("float", "real"):
        size, letter = (8, "d") if name == "float" else (4, "f")
        return Codec(bytes([0x6D, size]), _sized(lambda value: struct.pack("<" + letter, float(value))))
    if name in ("decimal", "numeric"):
        return _decimal(kind)
    if name in ("money", "smallmoney"):
        size = 8 if name == "money" else 4
        return Codec(bytes([0x6E, size]), _sized(functools.partial(_money, size)))
    if name in ("datetime", "smalldatetime"):
        size = 8 if name == "datetime" else 4
        return Codec(bytes([0x6F, size]), _sized(_datetime if size == 8 else _smalldatetime))
    if name == "date":
        return Codec(b"\x28", _sized(lambda value: _days(value)))
    if name in ("time", "datetime2", "datetimeoffset"):
        code = {"time": 0x29, "datetime2": 0x2A, "datetimeoffset": 0x2B}[name]
        return Codec(bytes([code, kind.scale]), _sized(functools.partial(_precise, name, kind.scale)))
    if name == "uniqueidentifier":
        return Codec(
            b"\x24\x10",
            _sized(lambda value: (value if isinstance(value, uuid.UUID) else uuid.UUID(str(value))).bytes_le),
        )
    if name in _STRINGS:
        return _string(kind)
    if kind.is_binary:
        return _binary(kind)
    if name == "xml":
        return Codec(b"\xf1\0", lambda value: _chunks(None if value is None else utf16(str(value))))
    return Codec(b"\x62" + struct.pack("<I", 8009), _variant)


def _sized(pack: Callable[[Any], bytes]) -> Encoder:
    """One byte of length before the value; NULL is length 0."""

    def encode(value: Any) -> bytes:
        if value is None:
            return b"\0"
        packed = pack(value)
        return bytes([len(packed)]) + packed

    return encode


def _decimal(kind: SqlType) -> Codec:
    size = 4 if kind.precision <= 9 else 8 if kind.precision <= 19 else 12 if kind.precision <= 28 else 16
    context = decimal.Context(prec=60)

    def pack(value: Any) -> bytes:
        scaled = int(
            decimal.Decimal(str(value)).scaleb(kind.scale, context).to_integral_value(decimal.ROUND_HALF_UP, context)
        )
        return bytes([0 if scaled < 0 else 1]) + abs(scaled).to_bytes(size, "little")

    code = 0x6A if kind.name == "decimal" else 0x6C
    return Codec(bytes([code, size + 1, kind.precision, kind.scale]), _sized(pack))


def _money(size: int, value: Any) -> bytes:
    scaled = int(decimal.Decimal(str(value)).scaleb(4))
    return struct.pack("<iI", scaled >> 32, scaled & 0xFFFFFFFF) if size == 8 else struct.pack("<i", scaled)


def _datetime(value: dt.datetime) -> bytes:
    delta = value - _EPOCH_1900
    ticks = round((delta.seconds + delta.microseconds / 1e6) * 300)
    days, ticks = (delta.days + 1, 0) if ticks == 86400 * 300 else (delta.days, ticks)
    return struct.pack("<iI", days, ticks)


def _smalldatetime(value: dt.datetime) -> bytes:
    delta = value - _EPOCH_1900
    return struct.pack("<HH", delta.days, delta.seconds // 60)


def _days(value: dt.date) -> bytes:
    return (value.toordinal() - 1).to_bytes(3, "little")


def _clock(value: dt.time | dt.datetime, scale: int) -> bytes:
    microseconds = ((value.hour * 60 + value.minute) * 60 + value.second) * 1_000_000 + value.microsecond
    ticks = microseconds * 10 ** (scale - 6) if scale >= 6 else microseconds // 10 ** (6 - scale)
    return ticks.to_bytes(3 if scale <= 2 else 4 if scale <= 4 else 5, "little")


def _precise(name: str, scale: int, value: Any) -> bytes:
    if name == "time":
        return _clock(value, scale)
    if name == "datetime2":
        return _clock(value, scale) + _days(value)
    offset = value.utcoffset() or dt.timedelta(0)
    utc = value.replace(tzinfo=None) - offset
    return _clock(utc, scale) + _days(utc) + struct.pack("<h", offset // dt.timedelta(minutes=1))


def _string(kind: SqlType) -> Codec:
    wide = kind.is_wide
    pack: Callable[[str], bytes] = utf16 if wide else lambda value: value.encode("cp1252", "replace")
    code = _STRINGS[kind.name]
    if kind.length == MAX:
        return Codec(
            bytes([code]) + b"\xff\xff" + COLLATION, lambda value: _chunks(None if value is None else pack(str(value)))
        )
    size = kind.length * (2 if wide else 1)
    pad = kind.length if kind.name in ("char", "nchar") else 0

    def encode(value: Any) -> bytes:
        if value is None:
            return b"\xff\xff"
        packed = pack(str(value).ljust(pad))[:size]  # lengths count UTF-16 units, not characters
        return struct.pack("<H", len(packed)) + packed

    return Codec(bytes([code]) + struct.pack("<H", size) + COLLATION, encode)


def _binary(kind: SqlType) -> Codec:
    if kind.length == MAX:
        return Codec(b"\xa5\xff\xff", _chunks)
    varying = kind.name == "varbinary"

    def encode(value: Any) -> bytes:
        if value is None:
            return b"\xff\xff"
        packed = bytes(value)[: kind.length]
        packed = packed if varying else packed.ljust(kind.length, b"\0")
        return struct.pack("<H", len(packed)) + packed

    return Codec(bytes([0xA5 if varying else 0xAD]) + struct.pack("<H", kind.length), encode)


def _chunks(value: bytes | None) -> bytes:
    """Partially length-prefixed: the total, one chunk, the end."""
    if value is None:
        return b"\xff" * 8
    body = struct.pack("<I", len(value)) + bytes(value) if value else b""
    return struct.pack("<Q", len(value)) + body + b"\0\0\0\0"


def _variant(value: Any) -> bytes:
    """sql_variant: base type, its properties, the value."""
    if value is None:
        return b"\0\0\0\0"
    if isinstance(value, bool):
        packed = b"\x32\0" + bytes([value])
    elif isinstance(value, int):
        packed = (
            b"\x38\0" + struct.pack("<i", value) if -(2**31) <= value < 2**31 else b"\x7f\0" + struct.pack("<q", value)
        )
    elif isinstance(value, float):
        packed = b"\x3e\0" + struct.pack("<d", value)
    elif isinstance(value, dt.datetime):
        packed = b"\x3d\0" + _datetime(value)
    elif isinstance(value, uuid.UUID):
        packed = b"\x24\0" + value.bytes_le
    elif isinstance(value, bytes | bytearray):
        packed = b"\xa5\x02" + struct.pack("<H", len(value)) + bytes(value)
    else:
        encoded = utf16(str(value))
        packed = b"\xe7\x07" + COLLATION + struct.pack("<H", max(len(encoded), 2)) + encoded
    return struct.pack("<I", len(packed)) + packed


def column_metadata(columns: Sequence[tuple[str, str | SqlType]]) -> bytes:
    """COLMETADATA for (name, type) pairs; every column is nullable."""
    out = bytearray(b"\x81" + struct.pack("<H", len(columns)))
    for name, kind in columns:
        out += struct.pack("<IH", 0, 0x09) + codec(kind).info + short_text(name)
    return bytes(out)


def row_encoder(columns: Sequence[tuple[str, str | SqlType]]) -> Callable[[Sequence[Any]], bytes]:
    """What turns the values of a row into a ROW token."""
    encoders = [codec(kind).encode for _, kind in columns]

    def encode(values: Sequence[Any]) -> bytes:
        return b"\xd1" + b"".join([encode_one(value) for encode_one, value in zip(encoders, values, strict=True)])

    return encode


def return_value(ordinal: int, name: str, kind: str | SqlType, value: Any) -> bytes:
    """RETURNVALUE: an OUTPUT parameter."""
    found = codec(kind)
    return (
        b"\xac"
        + struct.pack("<H", ordinal)
        + short_text(name)
        + b"\x01"
        + struct.pack("<IH", 0, 1)
        + found.info
        + found.encode(value)
    )
