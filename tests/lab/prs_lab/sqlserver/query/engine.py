"""T-SQL's functions inside SQLite, and SQLite's errors in SQL Server's words."""

from __future__ import annotations

import datetime as dt
import re
import sqlite3
import zoneinfo
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..errors import SqlError, Unmodelled
from ..types import MAX, SqlType, sql_type
from . import dates
from .functions import FUNCTIONS, like, sqlite_name
from .values import convert, to_storage

if TYPE_CHECKING:
    from ..session import Session

__all__ = ["install_functions", "translated"]


def install_functions(connection: sqlite3.Connection, session: Session, failure: list[SqlError]) -> None:
    """Make every T-SQL function known to a connection; what they raise is left in `failure`, for SQLite forgets it."""

    def guarded(run: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            try:
                value = run(*arguments)
            except SqlError as error:
                failure.append(error)
                raise
            except Exception as error:
                failure.append(Unmodelled(f"{getattr(run, '__name__', 'a function')} of {arguments!r}: {error!r}"))
                raise
            return int(value) if isinstance(value, bool) else value

        return call

    def with_session(run: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *arguments: run(session, *arguments)

    for name, function in FUNCTIONS.items():
        run = with_session(function.run) if function.session else function.run
        connection.create_function(sqlite_name(name), -1, guarded(run))
    for name, run in {
        "convert": lambda *a: _convert(session, *a), "store": lambda *a: _store(session, *a), "like": like, "divide": _divide, "modulo": _modulo,
        "integer": _integer, "join": lambda a, b: None if a is None or b is None else a + b, "attimezone_": _at_time_zone,
    }.items():  # fmt: skip
        connection.create_function(f"tsql_{name}", -1, guarded(run))


def _convert(session: Session, value: Any, target: str, style: int | None, source: str | None, safe: int) -> Any:
    try:
        return convert(
            value, sql_type(target), source=sql_type(source) if source else None, style=style, dayfirst=session.dayfirst
        )
    except SqlError:
        if safe:
            return None
        raise


def _store(
    session: Session, value: Any, target: str, source: str | None, nullable: int, table: str, column: str
) -> Any:
    if value is None:
        if not nullable:
            raise SqlError(
                515,
                f"Cannot insert the value NULL into column '{column}', table '{table}'; column does not allow "
                "nulls. INSERT fails.",
                state=2,
            )
        return None
    kind = sql_type(target)
    known = sql_type(source) if source else None
    if (kind.is_text or kind.is_binary) and kind.length > 0:
        whole = convert(
            value,
            SqlType(
                kind.name
                if kind.name not in ("char", "nchar", "binary")
                else "nvarchar"
                if kind.is_text
                else "varbinary",
                MAX,
            ),
            source=known,
        )
        whole = whole.rstrip(" ") if isinstance(whole, str) else whole
        size = len(whole.encode("utf-16-le")) // 2 if isinstance(whole, str) and kind.is_wide else len(whole)
        if size > kind.length:
            shown = whole[: kind.length] if isinstance(whole, str) else ""
            raise SqlError(
                2628,
                f"String or binary data would be truncated in table '{table}', column '{column}'. Truncated value: "
                f"'{shown}'.",
            )
    return convert(value, kind, source=known, dayfirst=session.dayfirst)


def _divide(left: Any, right: Any, integers: int) -> Any:
    if left is None or right is None:
        return None
    if right == 0:
        raise SqlError(8134, "Divide by zero error encountered.")
    if integers and isinstance(left, int) and isinstance(right, int):
        return abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
    return left / right


def _modulo(left: Any, right: Any) -> Any:
    if left is None or right is None:
        return None
    if right == 0:
        raise SqlError(8134, "Divide by zero error encountered.")
    return abs(left) % abs(right) * (-1 if left < 0 else 1)


def _integer(value: Any, kind: str) -> Any:
    return None if value is None else convert(value, sql_type("int" if kind in ("tinyint", "smallint") else kind))


_WINDOWS_ZONES = {
    "UTC": "UTC",
    "W. Europe Standard Time": "Europe/Berlin",
    "Central European Standard Time": "Europe/Warsaw",
    "GMT Standard Time": "Europe/London",
    "Romance Standard Time": "Europe/Paris",
    "Eastern Standard Time": "America/New_York",
    "Central Standard Time": "America/Chicago",
    "Pacific Standard Time": "America/Los_Angeles",
    "India Standard Time": "Asia/Kolkata",
    "Tokyo Standard Time": "Asia/Tokyo",
}


def zone(name: str) -> dt.tzinfo:
    """A time zone by its Windows name (or IANA's). Raises 9820."""
    try:
        return zoneinfo.ZoneInfo(_WINDOWS_ZONES.get(name, name))
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        raise SqlError(9820, f"The time zone parameter '{name}' provided to AT TIME ZONE clause is invalid.") from None


def _at_time_zone(value: str | None, name: str) -> Any:
    if value is None:
        return None
    aware = re.search(r" [+-]\d{2}:\d{2}$", value)
    moment = dates.offset_from_storage(value) if aware else dates.parse_time(value)
    return to_storage(moment.astimezone(zone(name)) if aware else moment.replace(tzinfo=zone(name)))


def translated(error: sqlite3.Error) -> SqlError:
    """What SQL Server would have said."""
    text = str(error)
    if match := re.match(r"UNIQUE constraint failed: (?:index ')?(.*)", text):
        table = match[1].split(".")
        return SqlError(
            2627,
            "Violation of PRIMARY KEY or UNIQUE constraint. Cannot insert duplicate key in object "
            f"'{'.'.join(table[:-1]) or match[1]}'.",
            severity=14,
        )
    if match := re.match(r"NOT NULL constraint failed: (.*)", text):
        table, _, column = match[1].rpartition(".")
        return SqlError(
            515,
            f"Cannot insert the value NULL into column '{column}', table '{table}'; column does not allow nulls. "
            "INSERT fails.",
            state=2,
        )
    if "database disk image is malformed" in text or "file is not a database" in text:
        return SqlError(824, "SQL Server detected a logical consistency-based I/O error.", severity=24, state=2)
    if "interrupted" in text:
        return SqlError(0, "Operation cancelled by user.", severity=11)
    if "full" in text or "disk I/O" in text:
        return SqlError(
            1105,
            "Could not allocate space in the database because the 'PRIMARY' filegroup is full.",
            severity=17,
            state=2,
        )
    return Unmodelled(f"a query (SQLite says: {text})")
