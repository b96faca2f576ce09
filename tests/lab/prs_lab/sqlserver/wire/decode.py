"""Parameters of remote procedure calls from TDS to Python."""

from __future__ import annotations

import datetime as dt
import decimal
import struct
import uuid
from dataclasses import dataclass
from typing import Any

from ..types import MAX, SqlType
from .bytes import Reader

__all__ = ["Call", "Parameter", "calls"]

_EPOCH_1900 = dt.datetime(1900, 1, 1)
_PROCEDURES = {
    1: "sp_cursor", 2: "sp_cursoropen", 3: "sp_cursorprepare", 4: "sp_cursorexecute", 5: "sp_cursorprepexec", 6: "sp_cursorunprepare",
    7: "sp_cursorfetch", 8: "sp_cursoroption", 9: "sp_cursorclose", 10: "sp_executesql", 11: "sp_prepare", 12: "sp_execute", 13: "sp_prepexec",
    14: "sp_prepexecrpc", 15: "sp_unprepare",
}  # fmt: skip
_FIXED = {
    0x30: ("tinyint", "B"), 0x32: ("bit", "?"), 0x34: ("smallint", "<h"), 0x38: ("int", "<i"), 0x7F: ("bigint", "<q"), 0x3B: ("real", "<f"),
    0x3E: ("float", "<d"),
}  # fmt: skip
_STRINGS = {0xE7: "nvarchar", 0xEF: "nchar", 0xA7: "varchar", 0xAF: "char"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """name: with "@", or "" when given by position."""

    name: str
    type: SqlType
    value: Any
    output: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One procedure of an RPC request."""

    procedure: str
    parameters: tuple[Parameter, ...]


def calls(body: bytes) -> list[Call]:
    """The calls of an RPC message, its headers included. Raises ValueError for what is malformed or of an unknown type."""
    reader = Reader(body)
    reader.take(reader.number(4) - 4)
    found: list[Call] = []
    while reader.more():
        length = reader.number(2)
        if length == 0xFFFF:
            number = reader.number(2)
            name = _PROCEDURES.get(number, f"procedure {number}")
        else:
            name = reader.take(2 * length).decode("utf-16-le")
        reader.number(2)
        parameters = []
        while reader.more() and reader.peek() not in (0x80, 0xFF):
            parameter, flags = reader.short_text(), reader.byte()
            parameters.append(Parameter(parameter, *_typed_value(reader), output=bool(flags & 1)))
        if reader.more():
            reader.byte()
        found.append(Call(name, tuple(parameters)))
    return found


def _typed_value(reader: Reader) -> tuple[SqlType, Any]:
    code = reader.byte()
    if code == 0x1F:
        return SqlType("int"), None
    if code in _FIXED:
        name, letter = _FIXED[code]
        return SqlType(name), struct.unpack(letter, reader.take(struct.calcsize(letter)))[0]
    if code in (0x3D, 0x3A):
        return SqlType("datetime" if code == 0x3D else "smalldatetime"), _datetime(
            reader.take(8 if code == 0x3D else 4)
        )
    if code in (0x24, 0x26, 0x68, 0x6D, 0x6E, 0x6F):
        return _nullable(code, reader.byte(), reader.take(reader.byte()))
    if code in (0x6A, 0x6C):
        return _decimal(code, reader)
    if code in (0x28, 0x29, 0x2A, 0x2B):
        return _precise(code, reader)
    if code in _STRINGS:
        return _string(code, reader)
    if code in (0xA5, 0xAD):
        size = reader.number(2)
        if size == 0xFFFF:
            return SqlType("varbinary", MAX), _chunks(reader)
        length = reader.number(2)
        return SqlType(
            "varbinary" if code == 0xA5 else "binary", max(size, 1)
        ), None if length == 0xFFFF else reader.take(length)
    if code in (0x23, 0x63, 0x22):
        return _long(code, reader)
    if code == 0xF1:
        if reader.byte():
            reader.short_text(), reader.short_text(), reader.text()
        raw = _chunks(reader)
        return SqlType("xml"), None if raw is None else raw.decode("utf-16")
    if code == 0x62:
        return SqlType("sql_variant"), _variant(reader)
    raise ValueError(f"parameters of the TDS type 0x{code:02X} are not known")


def _nullable(code: int, size: int, raw: bytes) -> tuple[SqlType, Any]:
    if code == 0x24:
        return SqlType("uniqueidentifier"), uuid.UUID(bytes_le=raw) if raw else None
    if code == 0x26:
        name = {1: "tinyint", 2: "smallint", 4: "int", 8: "bigint"}[size]
        return SqlType(name), int.from_bytes(raw, "little", signed=size > 1) if raw else None
    if code == 0x68:
        return SqlType("bit"), bool(raw[0]) if raw else None
    if code == 0x6D:
        return SqlType("float" if size == 8 else "real"), struct.unpack("<d" if len(raw) == 8 else "<f", raw)[
            0
        ] if raw else None
    if code == 0x6F:
        return SqlType("datetime" if size == 8 else "smalldatetime"), _datetime(raw) if raw else None
    kind = SqlType("money" if size == 8 else "smallmoney")
    if not raw:
        return kind, None
    if len(raw) == 8:
        high, low = struct.unpack("<iI", raw)
        return kind, decimal.Decimal((high << 32) + low).scaleb(-4)
    return kind, decimal.Decimal(struct.unpack("<i", raw)[0]).scaleb(-4)


def _datetime(raw: bytes) -> dt.datetime:
    if len(raw) == 8:
        days, ticks = struct.unpack("<iI", raw)
        return _EPOCH_1900 + dt.timedelta(days=days, milliseconds=round(ticks * 10 / 3))
    days, minutes = struct.unpack("<HH", raw)
    return _EPOCH_1900 + dt.timedelta(days=days, minutes=minutes)


def _decimal(code: int, reader: Reader) -> tuple[SqlType, Any]:
    reader.byte()
    precision, scale, length = reader.byte(), reader.byte(), reader.byte()
    raw = reader.take(length)
    value = None
    if raw:
        sign = 1 if raw[0] else -1
        value = decimal.Decimal(sign * int.from_bytes(raw[1:], "little")).scaleb(-scale, decimal.Context(prec=60))
    return SqlType("decimal" if code == 0x6A else "numeric", precision=precision, scale=scale), value


def _precise(code: int, reader: Reader) -> tuple[SqlType, Any]:
    """date, time, datetime2, datetimeoffset."""
    scale = 0 if code == 0x28 else reader.byte()
    kind = SqlType({0x28: "date", 0x29: "time", 0x2A: "datetime2", 0x2B: "datetimeoffset"}[code], scale=scale)
    raw = reader.take(reader.byte())
    if not raw:
        return kind, None
    if code == 0x28:
        return kind, dt.date.fromordinal(int.from_bytes(raw, "little") + 1)
    size = 3 if scale <= 2 else 4 if scale <= 4 else 5
    clock = dt.timedelta(microseconds=int.from_bytes(raw[:size], "little") * 10**6 // 10**scale)
    if code == 0x29:
        return kind, (dt.datetime.min + clock).time()
    moment = dt.datetime.fromordinal(int.from_bytes(raw[size : size + 3], "little") + 1) + clock
    if code == 0x2B:
        offset = dt.timedelta(minutes=struct.unpack("<h", raw[size + 3 :])[0])
        moment = (moment + offset).replace(tzinfo=dt.timezone(offset))
    return kind, moment


def _string(code: int, reader: Reader) -> tuple[SqlType, Any]:
    size, collation = reader.number(2), reader.take(5)
    wide = code in (0xE7, 0xEF)
    if size == 0xFFFF:
        kind, raw = SqlType(_STRINGS[code], MAX), _chunks(reader)
    else:
        kind, length = SqlType(_STRINGS[code], max(1, size // 2 if wide else size)), reader.number(2)
        raw = None if length == 0xFFFF else reader.take(length)
    if raw is None:
        return kind, None
    return kind, raw.decode("utf-16-le", "surrogatepass") if wide else raw.decode(_code_page(collation), "replace")


def _long(code: int, reader: Reader) -> tuple[SqlType, Any]:
    """text, ntext, image."""
    reader.number(4)
    collation = reader.take(5) if code != 0x22 else b""
    length = reader.number(4, signed=True)
    raw = None if length < 0 else reader.take(length)
    if code == 0x22:
        return SqlType("varbinary", MAX), raw
    kind = SqlType("nvarchar" if code == 0x63 else "varchar", MAX)
    return kind, None if raw is None else raw.decode("utf-16-le" if code == 0x63 else _code_page(collation))


def _chunks(reader: Reader) -> bytes | None:
    if reader.number(8) == 0xFFFFFFFFFFFFFFFF:
        return None
    out = bytearray()
    while length := reader.number(4):
        out += reader.take(length)
    return bytes(out)


def _variant(reader: Reader) -> Any:
    reader.number(4)
    length = reader.number(4)
    if not length:
        return None
    inner = Reader(reader.take(length))
    base, properties = inner.byte(), inner.take(inner.byte())
    raw = inner.take(len(inner.data) - inner.place)
    if base in (0xE7, 0xEF):
        return raw.decode("utf-16-le")
    if base in (0xA7, 0xAF):
        return raw.decode(_code_page(properties[:5]))
    if base in _FIXED:
        return struct.unpack(_FIXED[base][1], raw)[0]
    return raw


def _code_page(collation: bytes) -> str:
    """UTF-8 when the collation's flag says so, else Windows Latin 1."""
    return "utf-8" if int.from_bytes(collation[:4], "little") & 0x04000000 else "cp1252"
