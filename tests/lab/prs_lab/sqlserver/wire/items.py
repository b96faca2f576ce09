"""What running a statement gives, piece by piece: every statement is a plain generator of these.

A statement runs in the worker thread of its session, so it may block; it calls `session.check()` now and then (and
`session.pause(seconds)` instead of sleeping), which raise `errors.Cancelled` after an attention, a KILL or a lost
client. It ends by returning, or by raising `errors.SqlError`: the caller turns that into `Error` items and a `Done`.

Values in rows: None, bool, int, Decimal, float, str, bytes, datetime (naive: the server's local time), date, time,
UUID.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = [
    "Cols",
    "Done",
    "Drop",
    "Environment",
    "Error",
    "Flush",
    "Info",
    "Item",
    "ReturnStatus",
    "ReturnValue",
    "Row",
    "Rows",
]


class Item:
    """Base of everything a statement can yield."""


@dataclass(frozen=True, slots=True)
class Cols(Item):
    """Opens a result set: (name, T-SQL type such as "nvarchar(128)") per column."""

    columns: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Row(Item):
    """One row of the open result set."""

    values: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Rows(Item):
    """Several rows at once."""

    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Info(Item):
    """A message of severity 0 to 10: PRINT, progress, warnings. Line 0: the line of the statement."""

    number: int
    text: str
    state: int = 1
    severity: int = 0
    line: int = 0
    procedure: str = ""


@dataclass(frozen=True, slots=True)
class Error(Item):
    """A message of severity 11 to 25."""

    number: int
    text: str
    state: int = 1
    severity: int = 16
    line: int = 0
    procedure: str = ""


@dataclass(frozen=True, slots=True)
class Done(Item):
    """Ends a statement; count None: no row count is reported (after Cols the rows are counted by themselves)."""

    count: int | None = None
    command: int = 0


@dataclass(frozen=True, slots=True)
class Environment(Item):
    """ENVCHANGE: 1 database, 8/9/10 begin/commit/rollback of a transaction (values are bytes then)."""

    kind: int
    new: str | bytes = ""
    old: str | bytes = ""


@dataclass(frozen=True, slots=True)
class ReturnStatus(Item):
    """What a procedure returned."""

    value: int


@dataclass(frozen=True, slots=True)
class ReturnValue(Item):
    """An OUTPUT parameter."""

    name: str
    type: str
    value: Any
    ordinal: int = 0


@dataclass(frozen=True, slots=True)
class Flush(Item):
    """Send now what was said so far (RAISERROR ... WITH NOWAIT, progress)."""


@dataclass(frozen=True, slots=True)
class Drop(Item):
    """A fault: the connection ends here, by reset ("rst") or politely ("fin")."""

    how: str = "rst"
