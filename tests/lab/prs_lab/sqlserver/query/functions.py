"""Scalar functions: the pure ones here, those that look at the session or the server in `catalog.functions`."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..errors import SqlError
from ..types import MAX, SqlType, sql_type
from . import dates
from .values import to_storage

__all__ = ["FUNCTIONS", "Function", "function", "like", "sqlite_name"]

TypeRule = SqlType | Callable[[list[SqlType | None]], SqlType | None]


@dataclass(frozen=True, slots=True)
class Function:
    """`run` gets stored values (the session first when `session`); `result`: its type, or what tells it from the
    arguments' types.

    `texts`: "some": times and the like are converted to text first, numbers not; "all": everything is.
    """

    name: str
    low: int
    high: int
    result: TypeRule
    run: Callable[..., Any]
    session: bool = False
    texts: str = ""


FUNCTIONS: dict[str, Function] = {}


def function(
    name: str, result: TypeRule | str, low: int, high: int | None = None, *, session: bool = False, texts: str = ""
) -> Callable[[Any], Any]:
    """Registers a scalar function; high None: exactly `low` arguments."""

    def register(run: Callable[..., Any]) -> Callable[..., Any]:
        kind = sql_type(result) if isinstance(result, str) else result
        for word in name.split():
            FUNCTIONS[word] = Function(word, low, low if high is None else high, kind, run, session, texts)
        return run

    return register


def sqlite_name(name: str) -> str:
    """How SQLite calls a T-SQL function."""
    return "tsql_" + name.lower().replace("@@", "global_")


def _same(types: list[SqlType | None]) -> SqlType | None:
    return types[0]


def _text_like(types: list[SqlType | None]) -> SqlType:
    """Text of the same width as the first argument."""
    first = types[0]
    if first is not None and first.is_text and first.name != "xml":
        return SqlType("varchar" if not first.is_wide else "nvarchar", first.length)
    return SqlType("nvarchar", 4000)


def _long_text(types: list[SqlType | None]) -> SqlType:
    kind = _text_like(types)
    return kind if kind.length == MAX else SqlType(kind.name, 4000 if kind.is_wide else 8000)


def _null_in(run: Callable[..., Any]) -> Callable[..., Any]:
    """NULL when any argument is."""
    return lambda *arguments: None if None in arguments else run(*arguments)


def _simple(name: str, result: TypeRule | str, low: int, high: int | None, run: Callable[..., Any]) -> None:
    function(name, result, low, high, texts="some")(_null_in(run))


# ---- text
_simple("LEN", "int", 1, None, lambda text: len((text if isinstance(text, str) else text.decode("cp1252")).rstrip(" ")))
_simple("UPPER", _text_like, 1, None, str.upper)
_simple("LOWER", _text_like, 1, None, str.lower)
_simple("REVERSE", _text_like, 1, None, lambda text: text[::-1])
_simple(
    "REPLACE",
    _long_text,
    3,
    None,
    lambda text, old, new: re.sub(re.escape(old), lambda _: new, text, flags=re.IGNORECASE) if old else text,
)
_simple(
    "STUFF",
    _long_text,
    4,
    None,
    lambda text, start, length, new: (
        None if not 0 < start <= len(text) else text[: start - 1] + new + text[start - 1 + length :]
    ),
)
_simple("REPLICATE", _long_text, 2, None, lambda text, times: text * times if times >= 0 else None)
_simple("SPACE", "varchar(8000)", 1, None, lambda length: " " * int(length))
_simple("LEFT", _text_like, 2, None, lambda text, length: text[: int(length)])
_simple("RIGHT", _text_like, 2, None, lambda text, length: text[-int(length) :] if int(length) else "")
_simple(
    "CHARINDEX", "int", 2, 3, lambda part, text, start=1: text.lower().find(part.lower(), max(int(start) - 1, 0)) + 1
)
_simple("PATINDEX", "int", 2, None, lambda pattern, text: _patindex(pattern, text))
_simple("UNICODE", "int", 1, None, lambda text: ord(text[0]) if text else None)
_simple("ASCII", "int", 1, None, lambda text: ord(text[0].encode("cp1252", "replace")) if text else None)
_simple("NCHAR", "nchar(1)", 1, None, lambda code: chr(int(code)))
_simple("CHAR", "char(1)", 1, None, lambda code: bytes([int(code)]).decode("cp1252") if 0 <= int(code) < 256 else None)
_simple("PARSENAME", "nvarchar(128)", 2, None, lambda text, number: _parse_name(text, int(number)))
_simple("STRING_ESCAPE", "nvarchar(max)", 2, None, lambda text, _: text.replace("\\", "\\\\").replace('"', '\\"'))
_simple("HASHBYTES_", "varbinary(8000)", 2, None, lambda algorithm, data: _hash(algorithm, data))


def _trim(left: bool, right: bool) -> Callable[[str], str]:
    return lambda text: (text.lstrip(" ") if left else text).rstrip(" ") if right else text.lstrip(" ")


_simple("LTRIM", _text_like, 1, None, _trim(True, False))
_simple("RTRIM", _text_like, 1, None, _trim(False, True))
_simple("TRIM", _text_like, 1, None, _trim(True, True))


@function("SUBSTRING", lambda types: types[0] if types[0] is not None and types[0].is_binary else _text_like(types), 3)
@_null_in
def _substring(value: str | bytes, start: int, length: int) -> str | bytes:
    value = value if isinstance(value, str | bytes) else str(value)
    if length < 0:
        raise SqlError(537, "Invalid length parameter passed to the LEFT or SUBSTRING function.", state=3)
    first = max(start - 1, 0)
    return value[first : max(start - 1 + length, first)]


@function("DATALENGTH", "int", 1)
@_null_in
def _datalength(value: Any) -> int:
    return len(value) if isinstance(value, bytes) else 2 * len(value) if isinstance(value, str) else 4


@function("QUOTENAME", "nvarchar(258)", 1, 2)
@_null_in
def _quotename(name: str, mark: str = "[") -> str | None:
    pairs = {
        "[": "[]",
        "]": "[]",
        "(": "()",
        ")": "()",
        "<": "<>",
        ">": "<>",
        "{": "{}",
        "}": "{}",
        "'": "''",
        '"': '""',
        "`": "``",
    }
    if len(name) > 128 or mark not in pairs:
        return None
    opening, closing = pairs[mark]
    return opening + name.replace(closing, closing * 2) + closing


@function("CONCAT", "nvarchar(4000)", 2, 254, texts="all")
def _concat(*parts: str | None) -> str:
    return "".join(part or "" for part in parts)


@function("CONCAT_WS", "nvarchar(4000)", 3, 254, texts="all")
def _concat_ws(separator: str | None, *parts: str | None) -> str:
    return (separator or "").join(part for part in parts if part is not None)


def _parse_name(text: str, number: int) -> str | None:
    parts = [part.strip("[]") for part in text.split(".")]
    return parts[-number] if 1 <= number <= len(parts) <= 4 else None


def _hash(algorithm: str, data: bytes) -> bytes | None:
    name = {"MD5": "md5", "SHA": "sha1", "SHA1": "sha1", "SHA2_256": "sha256", "SHA2_512": "sha512"}.get(
        algorithm.upper()
    )
    return hashlib.new(name, data).digest() if name else None


def _pattern(pattern: str, escape: str | None) -> str:
    """A LIKE pattern as a regular expression."""
    out, place = [], 0
    while place < len(pattern):
        sign = pattern[place]
        if escape and sign == escape and place + 1 < len(pattern):
            place += 1
            out.append(re.escape(pattern[place]))
        elif sign == "%":
            out.append(".*")
        elif sign == "_":
            out.append(".")
        elif sign == "[" and (end := pattern.find("]", place + 1)) > 0:
            inside = pattern[place + 1 : end]
            negated = inside.startswith("^")
            inside = inside[1:] if negated else inside
            out.append(
                "["
                + ("^" if negated else "")
                + inside.replace("\\", "\\\\").replace("[", "\\[").replace("^", "\\^")
                + "]"
                if inside
                else "(?!)"
            )
            place = end
        else:
            out.append(re.escape(sign))
        place += 1
    return "".join(out)


def like(text: Any, pattern: Any, escape: str | None) -> bool | None:
    """LIKE; blanks at the end of the text do not matter unless the pattern asks for them."""
    if text is None or pattern is None:
        return None
    return re.fullmatch(_pattern(str(pattern), escape), str(text), re.IGNORECASE | re.DOTALL) is not None


def _patindex(pattern: str, text: str) -> int:
    inner = pattern[1:] if pattern.startswith("%") else pattern
    anchored = "" if pattern.startswith("%") else r"\A"
    expression = (
        anchored + _pattern(inner[:-1] if inner.endswith("%") else inner, None) + ("" if inner.endswith("%") else r"\Z")
    )
    match = re.search(expression, text, re.IGNORECASE | re.DOTALL)
    return match.start() + 1 if match else 0


# ---- numbers
_simple("ABS", _same, 1, None, abs)
_simple("SIGN", _same, 1, None, lambda number: (number > 0) - (number < 0))
_simple("CEILING", _same, 1, None, lambda number: -int(-number // 1))
_simple("FLOOR", _same, 1, None, lambda number: int(number // 1))
_simple("POWER", _same, 2, None, lambda base, exponent: base**exponent)
_simple("SQRT", "float", 1, None, lambda number: float(number) ** 0.5)
_simple(
    "ROUND",
    _same,
    2,
    3,
    lambda number, digits, _=0: (
        round(number, int(digits)) if isinstance(number, float) else int(round(number, int(digits)))
    ),
)
_simple(
    "ISNUMERIC",
    "int",
    1,
    None,
    lambda text: int(bool(re.fullmatch(r"\s*[+-]?\$?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", str(text)))),
)
_simple(
    "STR", "varchar(8000)", 1, 3, lambda number, length=10, digits=0: f"{number:.{int(digits)}f}".rjust(int(length))
)
function("CHECKSUM", "int", 1, 100)(
    lambda *values: int.from_bytes(
        hashlib.md5(repr(values).lower().encode(), usedforsecurity=False).digest()[:4], "big", signed=True
    )
)
function("NEWID NEWSEQUENTIALID", "uniqueidentifier", 0)(lambda: str(uuid.uuid4()).upper())
function("RAND", "float", 0, 1)(lambda *_: uuid.uuid4().int / 2**128)


# ---- times
def _stored(value: str) -> dt.datetime:
    """A stored time, or text that reads as one."""
    return dates.offset_from_storage(value) if re.search(r" [+-]\d{2}:\d{2}$", value) else dates.parse_time(value)


@function("ISDATE", "int", 1)
def _isdate(value: Any) -> int:
    try:
        return int(value is not None and bool(dates.parse_time(str(value))))
    except SqlError:
        return 0


@function("DATEADD_", _same, 3)
def _dateadd(word: str, number: Any, value: Any) -> Any:
    return None if number is None or value is None else to_storage(dates.add(word, int(number), _stored(value)))


@function("DATEDIFF_", "bigint", 3)
def _datediff(word: str, start: Any, end: Any) -> Any:
    if start is None or end is None:
        return None
    first, last = _stored(start), _stored(end)
    if first.tzinfo or last.tzinfo:
        first, last = (
            moment.astimezone(dt.UTC).replace(tzinfo=None) if moment.tzinfo else moment for moment in (first, last)
        )
    return dates.difference(word, first, last)


@function("DATEPART_", "int", 2)
def _datepart(word: str, value: Any) -> Any:
    return None if value is None else dates.part(word, _stored(value))


@function("DATENAME_", "nvarchar(30)", 2)
def _datename(word: str, value: Any) -> Any:
    if value is None:
        return None
    name, moment = dates.PARTS[word.upper()], _stored(value)
    return f"{moment:%B}" if name == "month" else f"{moment:%A}" if name == "weekday" else str(dates.part(word, moment))


@function("EOMONTH", "date", 1, 2)
@_null_in
def _eomonth(value: str, months: int = 0) -> str:
    first = dates.add("MONTH", int(months) + 1, _stored(value).replace(day=1, tzinfo=None))
    return (first - dt.timedelta(days=1)).date().isoformat()


@function("SWITCHOFFSET TODATETIMEOFFSET", "datetimeoffset(7)", 2)
@_null_in
def _switch_offset(value: str, zone: Any) -> str:
    minutes = (
        int(zone)
        if not isinstance(zone, str)
        else (int(zone[1:3]) * 60 + int(zone[4:])) * (-1 if zone[0] == "-" else 1)
    )
    target, moment = dt.timezone(dt.timedelta(minutes=minutes)), _stored(value)
    return to_storage(moment.astimezone(target) if moment.tzinfo else moment.replace(tzinfo=target))
