# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages of a database by their (file, number), and the rows of its system tables, which lie in them as all rows do.

Offsets are counted from a record's fixed part, in decimal. Evidence: 230 of 231 data files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ..binary.range_reader import RangeReader
from ..binary.values import Damaged, u16, u32, u64
from .page import DATA, Record, file_of, next_page, number_of, read_page, records, type_of

__all__ = ["NO_PAGE", "AllocationUnit", "PageNumber", "Pages", "Rowset", "SystemRows"]

SYSROWSETS_ROWSET = 5 << 16
IN_ROW_DATA = 1
"""Kind of an allocation unit: 1 in-row data, 2 large values, 3 row overflow."""
_ALLOCATION_UNIT = 65  # bytes of a row of sysallocunits; 69 in 2008

PageNumber = tuple[int, int]
"""(file, number)."""
NO_PAGE = (0, 0)


class AllocationUnit(NamedTuple):
    """unit: its id, which pages name as their owner. first: its first page, on the leaf level; iam: its first IAM."""

    unit: int
    kind: int
    first: PageNumber
    iam: PageNumber


class Rowset(NamedTuple):
    """Where rows of a table or an index lie. rows: as the server counts them; compression: 0 none."""

    number: int
    rows: int
    compression: int


class Pages:
    """The pages of a database. readers: of the data files that are at hand, by file id."""

    def __init__(self, readers: Mapping[int, RangeReader]) -> None:
        self._readers = readers

    def get(self, page: PageNumber) -> bytes:
        """As it is in memory. Raises :class:`Damaged` where it is missing or says that it is another."""
        file, number = page
        if file not in self._readers:
            raise Damaged(f"a page lies in file {file}, which is not here")
        data = read_page(self._readers[file], number)
        if data[0] != 1 or (file_of(data), number_of(data)) != page:
            raise Damaged(f"page {file}:{number} is not what it should be")
        return data

    def chain(self, page: PageNumber, kind: int) -> Iterator[bytes]:
        """A page and those that follow it on its level, all of one type."""
        visited = set()
        while page != NO_PAGE:
            if page in visited:
                raise Damaged("a chain of pages runs in a circle")
            visited.add(page)
            data = self.get(page)
            if type_of(data) != kind:
                raise Damaged(f"page {page[0]}:{page[1]} is not what it should be")
            yield data
            page = next_page(data)


class SystemRows:
    """units: by rowset. rowsets: by (object id, index id), index 0 being a heap and 1 the clustered index.

    first: where sysallocunits begin, from the boot page: it moves between databases. Every method raises
    :class:`Damaged` where pages are missing or impossible.
    """

    def __init__(self, pages: Pages, first: PageNumber) -> None:
        self.pages = pages
        self.units: dict[int, list[AllocationUnit]] = {}
        self.rowsets: dict[tuple[int, int], list[Rowset]] = {}
        for row in self._scan(first):
            if len(row.fixed) < _ALLOCATION_UNIT:
                raise Damaged("sysallocunits has an unknown shape")
            unit = AllocationUnit(
                u64(row.fixed, 0), row.fixed[8], (u16(row.fixed, 27), u32(row.fixed, 23)), _page_at(row.fixed, 35)
            )
            self.units.setdefault(u64(row.fixed, 9), []).append(unit)
        for row in self._scan(self._first_page(SYSROWSETS_ROWSET)):
            compression = row.fixed[35] if len(row.fixed) > 35 else 0
            rowset = Rowset(u64(row.fixed, 0), u64(row.fixed, 27), compression)
            self.rowsets.setdefault((u32(row.fixed, 9), u32(row.fixed, 13)), []).append(rowset)

    def _first_page(self, rowset: int) -> PageNumber:
        for unit in self.units.get(rowset, ()):
            if unit.kind == IN_ROW_DATA:
                return unit.first
        raise Damaged("a system table is not in sysallocunits")

    def _scan(self, page: PageNumber) -> Iterator[Record]:
        """The rows of the leaf level that begins at a page."""
        for data in self.pages.chain(page, DATA):
            yield from records(data)

    def rows(self, table: int) -> Iterator[Record]:
        """All rows of a system table, by its object id."""
        for index in (1, 0):
            for rowset in self.rowsets.get((table, index), ()):
                yield from self._scan(self._first_page(rowset.number))

    def has(self, table: int) -> bool:
        """Whether this version has such a system table."""
        return (table, 1) in self.rowsets or (table, 0) in self.rowsets


def _page_at(data: bytes, offset: int) -> PageNumber:
    return u16(data, offset + 4), u32(data, offset)
