# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The columns of user tables: what they are called, and where their values lie in a record.

Columns are matched by their id, never by their order: dropped ones keep their place in the record, and later ones stand
where there is room. Type, length and collation of the stored column count. Evidence: 1,543 tables of 227 files.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from struct import unpack_from
from typing import Any

from ..binary.values import FileFormatError, u16, u32, u64, utf16
from ..data_file.page import Record
from ..data_file.system_rows import SystemRows
from .values import CLOCKS, MOMENTS, OddValue, type_name, variant

__all__ = ["Column", "ColumnCatalog", "NotRead", "StoredColumn"]

SYSRSCOLS, SYSROWSETCOLUMNS, SYSEOBJVALUES, SYSHOBTCOLUMNS, SYSCOLPARS, SYSOBJVALUES = 3, 4, 9, 13, 41, 60
_IDENTITY, _COMPUTED, _NOT_NULL = 4, 16, 1
_DROPPED, _UNIQUIFIER, _SPARSE = 2, 0x10, 0x100
_OLD_UNIQUIFIER = 2
_DEFAULT_VALUE = 1
_PRESENT_TIME = (b"date(", b"datetime(", b"current_timestamp")


class NotRead(FileFormatError):
    """A structure that this reader does not know, such as compressed rows: no damage."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column as the table's owner sees it. default: id of the object that is its default, 0 for none."""

    table: int
    column_id: int
    name: str
    kind: int
    type: str
    nullable: bool
    identity: bool
    computed: bool
    default: int


@dataclass(frozen=True, kw_only=True)
class StoredColumn:
    """A column as it lies in a rowset. number: its physical one.

    offset: from the record's start for a fixed one; -n for the n-th of variable length. null_bit: from 1. bit: of the
    byte at the offset, for the type bit. later: the value of rows that are older than the column.
    """

    column_id: int
    number: int
    kind: int
    length: int
    precision: int
    scale: int
    collation: int
    offset: int
    null_bit: int
    bit: int
    sparse: bool
    later: Any = None


class ColumnCatalog:
    """Reads system tables when it is made. Raises :class:`Damaged`. columns: by table, in the order of their ids."""

    def __init__(self, system: SystemRows) -> None:
        self._system = system
        self.columns: dict[int, list[Column]] = {}
        for row in system.rows(SYSCOLPARS):
            if not u16(row.fixed, 4):  # else a parameter
                column = _column(row)
                self.columns.setdefault(column.table, []).append(column)
        for columns in self.columns.values():
            columns.sort(key=lambda column: column.column_id)
        later = dict(_later_values(system)) if system.has(SYSEOBJVALUES) else {}
        self._stored: dict[int, dict[int, StoredColumn]] = {}
        for rowset, column in _new_columns(system, later) if system.has(SYSRSCOLS) else _old_columns(system):
            self._stored.setdefault(rowset, {})[column.column_id] = column

    def stored(self, rowset: int) -> dict[int, StoredColumn]:
        """The columns of a rowset by their id, without dropped ones."""
        return self._stored.get(rowset, {})

    def stamped(self) -> set[tuple[int, int]]:
        """(table, column id) of the columns whose default is the present time (16 files of 227 have some)."""
        defaults = {column.default: column for columns in self.columns.values() for column in columns if column.default}
        return {
            (defaults[u32(row.fixed, 1)].table, defaults[u32(row.fixed, 1)].column_id)
            for row in self._system.rows(SYSOBJVALUES)
            if row.fixed[0] == _DEFAULT_VALUE and u32(row.fixed, 1) in defaults and _is_present_time(row)
        }


def _column(row: Record) -> Column:
    fixed = row.fixed
    status, kind = u32(fixed, 23), fixed[10]
    length = unpack_from("<h", fixed, 15)[0]
    return Column(
        table=u32(fixed, 0),
        column_id=u32(fixed, 6),
        name=utf16(row.variable[0]) if row.variable else "",
        kind=kind,
        type=type_name(kind, length=length, precision=fixed[17], scale=fixed[18]),
        nullable=not status & _NOT_NULL,
        identity=bool(status & _IDENTITY),
        computed=bool(status & _COMPUTED),
        default=u32(fixed, 33),
    )


def _new_columns(system: SystemRows, later: dict[tuple[int, int], bytes]) -> Iterator[tuple[int, StoredColumn]]:
    """sysrscols, since SQL Server 2008. The second byte of a time type is its scale, of a decimal its precision."""
    for row in system.rows(SYSRSCOLS):
        fixed = row.fixed
        rowset, number, shape, status = u64(fixed, 0), u32(fixed, 12), u32(fixed, 24), u32(fixed, 36)
        if status & (_DROPPED | _UNIQUIFIER):
            continue
        kind, second, third = shape & 0xFF, shape >> 8 & 0xFF, shape >> 16 & 0xFF
        yield (
            rowset,
            StoredColumn(
                column_id=u32(fixed, 8),
                number=number,
                kind=kind,
                length=shape >> 8 & 0xFFFF,
                precision=second,
                scale=second if kind in CLOCKS else third,
                collation=u32(fixed, 28),
                offset=unpack_from("<h", fixed, 40)[0],
                null_bit=u16(fixed, 44),
                bit=fixed[48],
                sparse=bool(status & _SPARSE),
                later=_later_value(kind, later.get((rowset, number))),
            ),
        )


def _old_columns(system: SystemRows) -> Iterator[tuple[int, StoredColumn]]:
    """Two tables in SQL Server 2005; bit and null bit stand the other way round than later."""
    lies = {(u64(row.fixed, 0), u32(row.fixed, 8)): row.fixed for row in system.rows(SYSHOBTCOLUMNS)}
    for row in system.rows(SYSROWSETCOLUMNS):
        rowset, number = u64(row.fixed, 0), u32(row.fixed, 12)
        fixed = lies.get((rowset, number))
        if fixed is None or u32(row.fixed, 16) & _DROPPED or u32(fixed, 12) & _OLD_UNIQUIFIER:
            continue
        yield (
            rowset,
            StoredColumn(
                column_id=u32(row.fixed, 8),
                number=number,
                kind=fixed[18],
                length=u16(fixed, 19),
                precision=fixed[21],
                scale=fixed[22],
                collation=u32(fixed, 23),
                offset=unpack_from("<h", fixed, 27)[0],
                null_bit=u16(fixed, 33),
                bit=fixed[31],
                sparse=False,
            ),
        )


def _later_values(system: SystemRows) -> Iterator[tuple[tuple[int, int], bytes]]:
    """Defaults of columns that were added later, since SQL Server 2012, by rowset and number, as sql_variant."""
    for row in system.rows(SYSEOBJVALUES):
        if row.fixed[0] == _DEFAULT_VALUE and row.variable:
            yield (u64(row.fixed, 1), u64(row.fixed, 9)), row.variable[0]


def _later_value(kind: int, stored: bytes | None) -> Any:
    """A default as a value of its column. What is no moment in a column of moments belongs to another: damage."""
    if stored is None:
        return None
    value = variant(stored)
    return OddValue(stored) if kind in MOMENTS and not isinstance(value, date) else value


def _is_present_time(row: Record) -> bool:
    """Whether the text of a default asks for the time: getdate(), sysdatetime() and the like."""
    text = row.variable[1].replace(b"\0", b"").lower() if len(row.variable) > 1 else b""
    return any(word in text for word in _PRESENT_TIME)
