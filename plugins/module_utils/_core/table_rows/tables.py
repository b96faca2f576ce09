# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of user tables, from the pages of a data file or of a plain full backup.

An unclean file is read as its pages are: what is only in its log is missing without a sign in the table. Deleted rows
are not looked for.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from ..binary.values import Damaged, FileFormatError
from ..data_file.system_rows import PageNumber, Pages, SystemRows
from ..data_file.system_tables import SystemTables, Table
from .allocation import row_pages
from .columns import Column, ColumnCatalog, NotRead
from .large_values import LargeValues
from .row_layout import RowLayout

__all__ = ["Tables"]


class Tables:
    """The user tables of a database. Raises :class:`Damaged` where the system tables cannot be read.

    first: where the system tables begin, as the boot page says.
    """

    def __init__(self, pages: Pages, first: PageNumber) -> None:
        try:
            self._system = SystemRows(pages, first)
            self.tables: list[Table] = SystemTables(self._system).tables()
            self._catalog = ColumnCatalog(self._system)
        except (IndexError, struct.error, ValueError) as problem:
            raise _damaged(problem) from None
        self._pages, self._large = pages, LargeValues(pages)

    @cached_property
    def stamped(self) -> set[tuple[int, int]]:
        """As :meth:`ColumnCatalog.stamped`: the texts of all defaults are read for it, so only when it is asked."""
        try:
            return self._catalog.stamped()
        except (IndexError, struct.error, ValueError) as problem:
            raise _damaged(problem) from None

    def named(self, name: str) -> Table:
        """By schema.name, or the name alone where one table has it, in any case. Raises :class:`KeyError`."""
        wanted = name.lower()
        hits = [table for table in self.tables if f"{table.schema}.{table.name}".lower() == wanted]
        hits = hits or [table for table in self.tables if table.name.lower() == wanted]
        if len(hits) != 1:
            raise KeyError(name)
        return hits[0]

    def columns(self, table: Table) -> list[Column]:
        """In the order of CREATE TABLE."""
        return self._catalog.columns.get(table.object_id, [])

    def rows(
        self, table: Table, *, columns: Sequence[Column] | None = None, large: bool = True
    ) -> Iterator[tuple[Any, ...]]:
        """All rows, in the order of the clustered key; those of a heap as its pages lie.

        large: bring values that lie out of their row, too. Raises :class:`Damaged` and :class:`NotRead`, nothing else.
        """
        wanted = self.columns(table) if columns is None else columns
        try:
            for index in (1, 0):
                for rowset in self._system.rowsets.get((table.object_id, index), ()):
                    if rowset.compression:
                        raise NotRead("its rows are compressed")
                    fetch = self._large.get if large else None
                    layout = RowLayout(wanted, self._catalog.stored(rowset.number), fetch)
                    units = self._system.units.get(rowset.number, [])
                    for page in row_pages(self._pages, units, heap=index == 0):
                        yield from layout.rows(page)
        except (IndexError, struct.error, ValueError, ArithmeticError) as problem:
            raise _damaged(problem) from None


def _damaged(problem: Exception) -> FileFormatError:
    """What a reader of impossible bytes stumbles over is their damage."""
    return problem if isinstance(problem, FileFormatError) else Damaged("a row or its description is impossible")
