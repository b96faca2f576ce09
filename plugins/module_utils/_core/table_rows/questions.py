# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of the tables of a database, and the answers as results of a task.

Values are data of people: nothing is shown that was not asked for, and columns that are named like a secret only where
they are named in the question.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from heapq import nlargest
from typing import Any

from ..binary.values import FileFormatError
from ..data_file.system_tables import Table
from .columns import Column
from .last_use import LastUse, last_use
from .row_layout import OUT_OF_ROW
from .tables import Tables
from .values import OddValue, without_zone

__all__ = ["MOST_ROWS", "TableQuestion", "answers", "questions"]

MOST_ROWS = 100_000
_SECRET = re.compile(r"pass|pwd|secret|hash|salt|token|answer|private|credential|apikey|pin$", re.I)


@dataclass(frozen=True, kw_only=True)
class TableQuestion:
    """columns: none means all that are not named like a secret. newest: how many rows at most.

    newest_by: the column whose greatest values are wanted; else the last rows of the clustered key, or of a heap.
    """

    name: str
    columns: tuple[str, ...]
    newest: int
    newest_by: str


def questions(tables: Sequence[Mapping[str, Any]] | None) -> list[TableQuestion]:
    """From the option of a module."""
    return [
        TableQuestion(
            name=table["name"],
            columns=tuple(table["columns"] or ()),
            newest=max(0, min(table["newest"], MOST_ROWS)),
            newest_by=table["newest_by"] or "",
        )
        for table in tables or ()
    ]


def answers(
    tables: Tables, asked: Sequence[TableQuestion], *, last_change: bool, clean: bool, now: datetime
) -> dict[str, Any]:
    """rows: one entry for each question. last_change: None where it was not asked. now: local, without a zone."""
    return {
        "rows": [_answer(tables, question, clean=clean) for question in asked],
        "last_change": _last_change(last_use(tables, until=now)) if last_change else None,
    }


def _answer(tables: Tables, question: TableQuestion, *, clean: bool) -> dict[str, Any]:
    answer: dict[str, Any] = {"table": question.name, "columns": [], "left_out": [], "total": None, "rows": []}
    problems = [] if clean else ["It was not closed cleanly: rows that are only in its log are missing."]
    try:
        table = tables.named(question.name)
        answer["table"] = f"{table.schema}.{table.name}"
        _read(tables, table, question, answer)
        if answer["total"] != table.rows:
            problems.append(f"{answer['total']} rows were read, and the database counts {table.rows}.")
    except KeyError as problem:
        name = problem.args[0]
        what = "tables" if name == question.name else f"columns of {answer['table']}"
        names = _names(tables, question) if name != question.name else _table_names(tables)
        problems.append(f"It has no {name}, or several of that name. The {what} are: {', '.join(names) or 'none'}.")
    except FileFormatError as problem:
        problems.append(f"It cannot be read: {problem}.")
    return answer | {"problems": problems}


def _table_names(tables: Tables) -> list[str]:
    return [f"{table.schema}.{table.name}" for table in tables.tables]


def _names(tables: Tables, question: TableQuestion) -> list[str]:
    return [column.name for column in tables.columns(tables.named(question.name))]


def _read(tables: Tables, table: Table, question: TableQuestion, answer: dict[str, Any]) -> None:
    every = tables.columns(table)
    shown = list(dict.fromkeys(_named(every, name) for name in question.columns)) or [
        c for c in every if not _SECRET.search(c.name)
    ]
    answer["columns"] = [column.name for column in shown]
    answer["left_out"] = [column.name for column in every if column not in shown] if not question.columns else []
    order = [_named(every, question.newest_by)] if question.newest_by else []
    wanted = list(dict.fromkeys([*shown, *order]))
    counted = _Counted(tables.rows(table, columns=wanted))
    if order:
        by = wanted.index(order[0])
        rows = nlargest(question.newest, counted, key=lambda row: _orderable(row[by]))[::-1]
    else:
        rows = [*deque(counted, maxlen=question.newest)]
    answer["total"] = counted.count
    answer["rows"] = [dict(zip(answer["columns"], map(plain, row), strict=False)) for row in rows]


class _Counted:
    """Rows that pass by, counted."""

    def __init__(self, rows: Iterable[tuple[Any, ...]]) -> None:
        self._rows, self.count = rows, 0

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        for row in self._rows:
            self.count += 1
            yield row


def _named(columns: Sequence[Column], name: str) -> Column:
    for column in columns:
        if column.name.lower() == name.lower():
            return column
    raise KeyError(name)


def _orderable(value: Any) -> tuple[int, str, Any]:
    """Values of one column, among which NULL and what is no value come first. Those of a damaged file may be of several
    types, which Python does not compare.
    """
    if value is None or value is OUT_OF_ROW or isinstance(value, OddValue):
        return 0, "", 0
    if isinstance(value, (int, float, Decimal)):
        return 1, "", value
    return 1, type(value).__name__, without_zone(value) if isinstance(value, datetime) else value


def plain(value: Any) -> Any:
    """A value as JSON can hold it: times by ISO 8601, bytes and numbers with decimals as text."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if value is OUT_OF_ROW:
        return None
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    return value.isoformat() if isinstance(value, (date, time)) else str(value)


def _last_change(use: LastUse) -> dict[str, Any]:
    change = use.change
    return {
        "moment": change.moment.isoformat() if change else None,
        "table": change.table if change else None,
        "column": change.column if change else None,
        "witness": change.witness.value if change else None,
        "users": use.users,
        "schema_versions": {
            name: [{column: plain(value) for column, value in row.items()} for row in rows]
            for name, rows in use.versions.items()
        },
        "unread": use.unread,
    }
