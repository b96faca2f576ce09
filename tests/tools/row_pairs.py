"""Holds the tables of a data file against those of a backup of the same database, row by row.

The two may be of different moments, so a table that differs is no contradiction by itself. It is one where both are of
the same checkpoint, or where every page of the table was last written at the same moment in both.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ansible_collections.prs.recovery.plugins.module_utils._core.binary.values import (
    FileFormatError,
    Lsn,
    lsn,
    lsn_text,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.data_file.boot_page import BootPage
from ansible_collections.prs.recovery.plugins.module_utils._core.data_file.page import file_of, number_of
from ansible_collections.prs.recovery.plugins.module_utils._core.data_file.system_rows import Pages, SystemRows
from ansible_collections.prs.recovery.plugins.module_utils._core.data_file.system_tables import Table
from ansible_collections.prs.recovery.plugins.module_utils._core.table_rows.allocation import row_pages
from ansible_collections.prs.recovery.plugins.module_utils._core.table_rows.tables import Tables
from ansible_collections.prs.recovery.plugins.module_utils._core.table_rows.values import OddValue

LAST_WRITTEN_AT = 0x28
"""Of a page: the LSN of its last change."""


class Verdict(Enum):
    EQUAL = "equal"
    DIFFERENT = "different"
    NOT_COMPARED = "not compared"


class PagesOfBoth(Enum):
    """What the pages with a table's rows say of the moment of both."""

    SAME = "the same pages, last written at the same moments"
    OTHER = "pages of other moments"
    NONE = "no pages"


@dataclass(frozen=True, kw_only=True)
class State:
    """A database as one file holds it. clean: all of it is in its pages, as far as it says."""

    tables: Tables
    system: SystemRows
    pages: Pages
    boot: BootPage
    clean: bool

    @property
    def moment(self) -> str:
        return f"{self.boot.release or self.boot.version}, checkpoint {lsn_text(self.boot.checkpoint)}"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """contradiction: the two must be equal and are not. Nothing in it shows a value."""

    table: str
    verdict: Verdict
    rows: int = 0
    contradiction: bool = False
    words: str


def compare(one: State, other: State) -> list[Comparison]:
    """Every table that either has, by schema and name."""
    left, right = _by_name(one), _by_name(other)
    same_checkpoint = one.boot.checkpoint == other.boot.checkpoint
    result = []
    for name in sorted(left.keys() | right.keys()):
        if name in left and name in right:
            result.append(_table(name, (one, left[name]), (other, right[name]), same_checkpoint=same_checkpoint))
        else:
            words = f"only in the {'data file' if name in left else 'backup'}"
            result.append(Comparison(table=name, verdict=Verdict.DIFFERENT, contradiction=same_checkpoint, words=words))
    return result


def _by_name(state: State) -> dict[str, Table]:
    return {f"{table.schema}.{table.name}": table for table in state.tables.tables}


def _table(name: str, one: tuple[State, Table], other: tuple[State, Table], *, same_checkpoint: bool) -> Comparison:
    try:
        same_columns, pages = _columns(*one) == _columns(*other), _pages_of_both(one, other)
        here, there = _rows(*one), _rows(*other)
        equal = same_columns and here == there
        # What lies out of the rows can change without their pages.
        same_moment = pages is PagesOfBoth.SAME and (equal or _rows(*one, large=False) != _rows(*other, large=False))
    except FileFormatError as problem:
        return Comparison(table=name, verdict=Verdict.NOT_COMPARED, words=str(problem))
    words = pages.value
    if not same_columns:
        words = "its columns differ"
    elif not equal:
        words += f", {(here - there).total()} of {here.total()} rows only in the data file"
        words += f", {(there - here).total()} of {there.total()} only in the backup"
    contradiction = not equal and (same_checkpoint or (same_columns and same_moment))
    verdict = Verdict.EQUAL if equal else Verdict.DIFFERENT
    return Comparison(table=name, verdict=verdict, rows=here.total(), contradiction=contradiction, words=words)


def _columns(state: State, table: Table) -> list[tuple[str, int]]:
    return [(column.name, column.kind) for column in state.tables.columns(table)]


def _rows(state: State, table: Table, *, large: bool = True) -> Counter[tuple[Any, ...]]:
    """With how often each is there: a heap may hold its rows in another order, and one row twice.

    large: with the values that lie out of their row.
    """
    return Counter(
        tuple(value.raw if isinstance(value, OddValue) else value for value in row)
        for row in state.tables.rows(table, large=large)
    )


def _pages_of_both(one: tuple[State, Table], other: tuple[State, Table]) -> PagesOfBoth:
    here, there = _written(*one), _written(*other)
    if not here and not there:
        return PagesOfBoth.NONE
    return PagesOfBoth.SAME if here == there else PagesOfBoth.OTHER


def _written(state: State, table: Table) -> list[tuple[int, int, Lsn | None]]:
    """Each page with rows and the LSN of its last change."""
    result: list[tuple[int, int, Lsn | None]] = []
    for index in (1, 0):
        for rowset in state.system.rowsets.get((table.object_id, index), ()):
            units = state.system.units.get(rowset.number, [])
            for page in row_pages(state.pages, units, heap=index == 0):
                result.append((file_of(page), number_of(page), lsn(page, LAST_WRITTEN_AT)))
    return result
