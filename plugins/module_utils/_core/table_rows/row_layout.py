# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the values of some columns are taken out of the records of a rowset.

Most records hold no NULL and all of their columns: those are read by one structure for the fixed part and one for the
ends of the variable one, with no look at each column.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from ..binary.page_checksums import PAGE
from ..binary.values import Damaged
from ..data_file.page import record_offsets
from .columns import Column, NotRead, StoredColumn
from .values import DataType, decoder, fixed_size

__all__ = ["OUT_OF_ROW", "RowLayout"]

OUT_OF_ROW = ...
"""In the place of a large value that was not asked for."""

_HAS_NULLS, _HAS_VARIABLE, _COMPRESSED = 0x10, 0x20, 0x01
_PRIMARY, _FORWARDED = 0, 1
_GHOST = 0x01  # of the second status byte
_NUMBERS = {
    DataType.INT: "i", DataType.SMALLINT: "h", DataType.BIGINT: "q", DataType.TINYINT: "B", DataType.FLOAT: "d",
    DataType.REAL: "f",
}  # fmt: skip
Decode = Callable[[bytes], Any]
Fetch = Callable[[bytes], Any]
"""From a pointer to the value, None where it is NULL."""


class _Field(NamedTuple):
    """A wanted column. size: bytes of a fixed one, 0 of a bit; None for one of variable length."""

    stored: StoredColumn
    size: int | None
    decode: Decode


class RowLayout:
    """Reads rows as tuples, in the order of the wanted columns. columns: the wanted ones; one without a place is
    computed, and its value is None.

    fetch: brings a large value by its pointer; without it such a value is :data:`OUT_OF_ROW`.
    """

    def __init__(self, columns: Sequence[Column], stored: dict[int, StoredColumn], fetch: Fetch | None) -> None:
        self._fetch = fetch
        self._fields = [_field(stored[column.column_id]) if column.column_id in stored else None for column in columns]
        fixed = [(index, field) for index, field in enumerate(self._fields) if field and field.size is not None]
        self._unpack, self._numbered, self._converted = _structure(fixed)
        self._bits = [(index, field.stored.offset, field.stored.bit) for index, field in fixed if field.size == 0]
        self._variable = [
            (index, -field.stored.offset - 1, field.decode)
            for index, field in enumerate(self._fields)
            if field and field.size is None
        ]
        self._fixed_end = max((field.stored.offset + (field.size or 1) for _index, field in fixed), default=4)
        self._last_null_bit = max((field.stored.null_bit for field in self._fields if field), default=0)

    def rows(self, page: bytes) -> Iterator[tuple[Any, ...]]:
        """The living rows of a page, each once where it lies: no ghosts, no forwarding stubs."""
        for at in record_offsets(page):
            kind = page[at] >> 1 & 7
            if page[at] & _COMPRESSED:
                raise NotRead("its rows are compressed")
            if kind in (_PRIMARY, _FORWARDED) and not page[at + 1] & _GHOST:
                yield self._row(page, at)

    def _row(self, page: bytes, at: int) -> tuple[Any, ...]:
        status, end = page[at], page[at + 2] | page[at + 3] << 8
        behind, count, nulls = at + end, 0, 0
        if end < 4 or behind + 2 > PAGE:
            raise Damaged("a record is impossible")
        if status & _HAS_NULLS:
            count = page[behind] | page[behind + 1] << 8
            start, behind = behind + 2, behind + 2 + (count + 7 >> 3)
            nulls = int.from_bytes(page[start:behind], "little")
        ends, first = self._ends(page, at, behind) if status & _HAS_VARIABLE else ((), 0)
        if nulls or count < self._last_null_bit:
            return self._row_with_gaps(page, at, end, count, nulls, ends, first)
        if end < self._fixed_end:
            raise Damaged("a column lies behind the fixed part of its record")
        row: list[Any] = [None] * len(self._fields)
        values = self._unpack(page, at)
        for index, value in zip(self._numbered, values, strict=True):
            row[index] = value
        for index, decode in self._converted:
            row[index] = decode(row[index])
        for index, offset, bit in self._bits:
            row[index] = bool(page[at + offset] >> bit & 1)
        for index, number, decode in self._variable:
            row[index] = self._variable_value(page, at, number, decode, ends, first)
        return tuple(row)

    def _row_with_gaps(
        self, page: bytes, at: int, end: int, count: int, nulls: int, ends: Sequence[int], first: int
    ) -> tuple[Any, ...]:
        """A record with NULLs, or one that is older than some of the columns."""
        row: list[Any] = []
        for field in self._fields:
            if field is None:
                row.append(None)
                continue
            stored, bit = field.stored, field.stored.null_bit - 1
            if bit >= count:
                row.append(stored.later)
            elif nulls >> bit & 1:
                row.append(None)
            elif field.size is None:
                row.append(self._variable_value(page, at, -stored.offset - 1, field.decode, ends, first))
            elif stored.offset + (field.size or 1) > end:
                raise Damaged("a column lies behind the fixed part of its record")
            elif field.size:
                row.append(field.decode(page[at + stored.offset : at + stored.offset + field.size]))
            else:
                row.append(bool(page[at + stored.offset] >> stored.bit & 1))
        return tuple(row)

    @staticmethod
    def _ends(page: bytes, at: int, behind: int) -> tuple[Sequence[int], int]:
        """Where each variable column ends, counted from the record, and where the first begins."""
        count = page[behind] | page[behind + 1] << 8
        first = behind + 2 + 2 * count
        if first > PAGE:
            raise Damaged("a record is impossible")
        return struct.unpack_from(f"<{count}H", page, behind + 2), first - at

    def _variable_value(
        self, page: bytes, at: int, number: int, decode: Decode, ends: Sequence[int], first: int
    ) -> Any:
        """Columns behind the last one that the record counts are empty."""
        if number >= len(ends):
            return decode(b"")
        start, end = ends[number - 1] & 0x7FFF if number else first, ends[number]
        stop = end & 0x7FFF
        if not start <= stop <= PAGE - at:
            raise Damaged("a column of variable length is impossible")
        value: bytes | None = page[at + start : at + stop]
        if end & 0x8000:
            if self._fetch is None:
                return OUT_OF_ROW
            value = self._fetch(value or b"")
        return None if value is None else decode(value)


def _field(stored: StoredColumn) -> _Field:
    if stored.sparse:
        raise NotRead("it has sparse columns")
    decode = decoder(stored.kind, scale=stored.scale, collation=stored.collation)
    if stored.offset < 0:
        return _Field(stored, None, decode)
    size = fixed_size(stored.kind, length=stored.length, precision=stored.precision, scale=stored.scale)
    if size is None:
        raise NotRead(f"it has a column of type {stored.kind} in its fixed part")
    return _Field(stored, size, decode)


def _structure(
    fixed: Sequence[tuple[int, _Field]],
) -> tuple[Callable[[bytes, int], tuple[Any, ...]], list[int], list[tuple[int, Decode]]]:
    """What reads the fixed part at once; the columns in the order of what it gives; those that need a decoder then."""
    form, at, numbered, converted = "<", 0, [], []
    for index, field in sorted(fixed, key=lambda pair: pair[1].stored.offset):
        stored, size = field.stored, field.size
        if not size:
            continue
        if stored.offset < at:
            raise Damaged("two columns of a table overlap")
        number = _NUMBERS.get(stored.kind) if stored.kind in _NUMBERS else None  # type: ignore[call-overload]
        form += f"{stored.offset - at}x" if stored.offset > at else ""
        form += number or f"{size}s"
        at = stored.offset + size
        numbered.append(index)
        if number is None:
            converted.append((index, field.decode))
    return struct.Struct(form).unpack_from, numbered, converted
