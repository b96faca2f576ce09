"""Values: between Python, SQLite's storage and T-SQL's types; CAST and CONVERT with their styles and errors."""

from __future__ import annotations

import datetime as dt
import decimal
import re
import uuid
from typing import Any

from ..errors import SqlError
from ..types import MAX, SqlType
from .dates import format_time, offset_from_storage, parse_time, time_from_storage

__all__ = ["convert", "from_storage", "to_storage"]

_LIMITS = {
    "tinyint": (0, 255),
    "smallint": (-(2**15), 2**15 - 1),
    "int": (-(2**31), 2**31 - 1),
    "bigint": (-(2**63), 2**63 - 1),
}
_GUID = re.compile(r"\{?([0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})\}?.*", re.DOTALL)


_KEPT = frozenset({str, int, float, bytes, type(None)})


def to_storage(value: Any) -> Any:
    """A Python value as SQLite keeps it."""
    if type(value) in _KEPT:  # nearly all of them, and there are thousands in a catalog view
        return value
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() and abs(value) < 2**63 else float(value)
    if isinstance(value, dt.datetime):
        if value.tzinfo is None:
            return value.isoformat(" ", "microseconds")
        return (
            value.replace(tzinfo=None).isoformat(" ", "microseconds")
            + " "
            + value.strftime("%z")[:3]
            + ":"
            + value.strftime("%z")[3:5]
        )
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, dt.time):
        return value.isoformat("microseconds")
    if isinstance(value, uuid.UUID):
        return str(value).upper()
    return value


def from_storage(value: Any, kind: SqlType) -> Any:
    """What SQLite kept as the Python value that the wire wants for this type."""
    if value is None:
        return None
    name = kind.name
    if name in ("datetime", "datetime2", "smalldatetime"):
        return time_from_storage(value)
    if name == "date":
        return time_from_storage(value).date()
    if name == "time":
        return dt.time.fromisoformat(value)
    if name == "datetimeoffset":
        return offset_from_storage(value)
    if name == "bit":
        return bool(value)
    if kind.is_exact:
        return decimal.Decimal(str(value)).quantize(
            decimal.Decimal(1).scaleb(-_scale(kind)), context=decimal.Context(prec=60)
        )
    if name == "uniqueidentifier":
        return uuid.UUID(value)
    if kind.is_text:
        return _plain_text(value)
    if kind.is_integer:
        return int(value)
    return value


def _scale(kind: SqlType) -> int:
    return 4 if kind.name in ("money", "smallmoney") else kind.scale


def _plain_text(value: Any) -> str:
    return (
        value.decode("cp1252", "replace")
        if isinstance(value, bytes)
        else value
        if isinstance(value, str)
        else _number_text(value)
    )


def _number_text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def convert(
    value: Any, target: SqlType, *, source: SqlType | None = None, style: int | None = None, dayfirst: bool = False
) -> Any:
    """CONVERT between stored values; `source`: the type it has, as far as known. Raises SqlError 241, 245, 8114, 8115,
    8169, 529.
    """
    if value is None:
        return None
    name = target.name
    if target.is_text:
        return _to_text(value, target, source, style)
    if target.is_integer or name == "bit":
        return _to_integer(value, target, source)
    if target.is_exact:
        return _to_decimal(value, target, source)
    if name in ("float", "real"):
        return _to_float(value, target, source)
    if target.is_time:
        return _to_time(value, target, source, style, dayfirst)
    if name == "uniqueidentifier":
        return _to_guid(value)
    if target.is_binary:
        return _to_binary(value, target, source, style)
    return value  # sql_variant


def _spelled(source: SqlType | None) -> str:
    return source.name if source else "varchar"


def _to_text(value: Any, target: SqlType, source: SqlType | None, style: int | None) -> str:
    if isinstance(value, bytes):
        if style in (1, 2):
            text = ("0x" if style == 1 else "") + value.hex().upper()
        else:
            text = value.decode("utf-16-le", "replace") if target.is_wide else value.decode("cp1252", "replace")
    elif source is not None and source.is_time:
        text = format_time(value, source, style)
    elif source is not None and source.is_exact:
        text = f"{decimal.Decimal(str(value)):.{2 if source.name in ('money', 'smallmoney') else source.scale}f}"
    else:
        text = value if isinstance(value, str) else _number_text(value)
    if target.length == MAX or len(text) <= target.length:
        return text.ljust(target.length) if target.name in ("char", "nchar") else text
    if isinstance(value, int):
        if target.is_wide:
            raise SqlError(8115, "Arithmetic overflow error converting expression to data type nvarchar.", state=2)
        return "*"
    if isinstance(value, float) or (source is not None and source.is_number):
        raise SqlError(
            8115, f"Arithmetic overflow error converting {_spelled(source)} to data type {target.name}.", state=5
        )
    return text[: target.length]


def _to_integer(value: Any, target: SqlType, source: SqlType | None) -> int:
    if isinstance(value, bytes):
        size = {"tinyint": 1, "bit": 1, "smallint": 2, "int": 4, "bigint": 8}[target.name]
        number = int.from_bytes(value[-size:], "big", signed=size > 1 and len(value) >= size)
    elif isinstance(value, str):
        text = value.strip()
        if target.name == "bit" and text.lower() in ("true", "false"):
            return int(text.lower() == "true")
        if not re.fullmatch(r"[+-]?\d*", text) or text in ("+", "-"):
            raise SqlError(
                245,
                f"Conversion failed when converting the {_spelled(source)} value '{value}' to data type {target.name}.",
            )
        number = int(text or 0)
    else:
        number = int(value)
    if target.name == "bit":
        return int(number != 0)
    low, high = _LIMITS[target.name]
    if not low <= number <= high:
        if isinstance(value, str) and target.name != "bigint":
            raise SqlError(
                248, f"The conversion of the {_spelled(source)} value '{value}' overflowed an {target.name} column."
            )
        raise SqlError(8115, f"Arithmetic overflow error converting expression to data type {target.name}.", state=2)
    return number


def _to_decimal(value: Any, target: SqlType, source: SqlType | None) -> int | float:
    try:
        number = (
            decimal.Decimal(int.from_bytes(value, "big"))
            if isinstance(value, bytes)
            else decimal.Decimal(str(value).strip())
        )
        number = number.quantize(
            decimal.Decimal(1).scaleb(-_scale(target)), decimal.ROUND_HALF_UP, decimal.Context(prec=60)
        )
    except decimal.InvalidOperation:
        raise SqlError(8114, f"Error converting data type {_spelled(source)} to {target.name}.", state=5) from None
    if target.precision and abs(number) >= decimal.Decimal(10) ** (target.precision - target.scale):
        raise SqlError(
            8115, f"Arithmetic overflow error converting {_spelled(source)} to data type {target.name}.", state=8
        )
    return to_storage(number)


def _to_float(value: Any, target: SqlType, source: SqlType | None) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise SqlError(8114, f"Error converting data type {_spelled(source)} to {target.name}.", state=5) from None


def _to_time(value: Any, target: SqlType, source: SqlType | None, style: int | None, dayfirst: bool) -> str:
    if isinstance(value, int | float):
        moment: dt.datetime = dt.datetime(1900, 1, 1) + dt.timedelta(days=value)
    else:
        known = source is not None and source.is_time
        if known and source.name == "time":
            moment = dt.datetime.combine(dt.date(1900, 1, 1), dt.time.fromisoformat(value))
        elif known:
            moment = offset_from_storage(value) if source.name == "datetimeoffset" else time_from_storage(value)
        else:
            moment = parse_time(value, style=style, dayfirst=dayfirst and target.name in ("datetime", "smalldatetime"))
    if target.name == "datetimeoffset":
        return to_storage(moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC))
    moment = moment.replace(tzinfo=None)
    if target.name == "date":
        return moment.date().isoformat()
    if target.name == "time":
        return to_storage(moment.time())
    if target.name == "smalldatetime":
        moment = (moment + dt.timedelta(seconds=30)).replace(second=0, microsecond=0)
    elif target.name == "datetime":
        ticks = round(moment.microsecond * 3 / 10000)
        moment = moment.replace(microsecond=0) + dt.timedelta(milliseconds=round(ticks * 10 / 3))
        if moment.year < 1753:
            raise SqlError(
                242,
                "The conversion of a varchar data type to a datetime data type resulted in an out-of-range value.",
                state=3,
            )
    elif target.scale < 6:
        step = 10 ** (6 - target.scale)
        moment = moment.replace(microsecond=0) + dt.timedelta(microseconds=round(moment.microsecond / step) * step)
    return to_storage(moment)


def _to_guid(value: Any) -> str:
    if isinstance(value, bytes):
        return str(uuid.UUID(bytes_le=value[:16].ljust(16, b"\0"))).upper()
    match = _GUID.fullmatch(str(value))
    if match is None:
        raise SqlError(8169, "Conversion failed when converting from a character string to uniqueidentifier.", state=2)
    return match[1].upper()


def _to_binary(value: Any, target: SqlType, source: SqlType | None, style: int | None) -> bytes:
    if isinstance(value, bytes):
        raw = value
    elif isinstance(value, int):
        size = {"tinyint": 1, "bit": 1, "smallint": 2, "bigint": 8}.get(_spelled(source), 4)
        raw = value.to_bytes(size, "big", signed=value < 0)
        raw = (
            raw[-target.length :].rjust(target.length if target.name == "binary" else 0, b"\0")
            if target.length > 0
            else raw
        )
    elif style in (1, 2):
        digits = value[2:] if style == 1 and value[:2].lower() == "0x" else value
        if (style == 1 and digits is value) or not re.fullmatch(r"(?:[0-9a-fA-F]{2})*", digits):
            raise SqlError(8114, f"Error converting data type {_spelled(source)} to {target.name}.", state=5)
        raw = bytes.fromhex(digits)
    elif source is not None and source.name == "uniqueidentifier":
        raw = uuid.UUID(value).bytes_le
    else:
        raw = value.encode("utf-16-le" if source is None or source.is_wide else "cp1252", "replace")
    if target.length > 0:
        raw = raw[: target.length]
        raw = raw.ljust(target.length, b"\0") if target.name == "binary" else raw
    return raw
