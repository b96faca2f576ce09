# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every page of a data file, judged: which are damaged, and whether the file was copied while the database was in use.

Pages that the database does not use may hold anything, the old content of the disk included (instant file
initialisation), so the PFS pages are asked first. What stays unseen: a write that was lost as a whole leaves an older
page with a right checksum. It is no CHECKDB.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..binary.page_checksums import PAGE, page_errors
from ..binary.range_reader import RangeReader
from ..binary.values import Lsn, lsn, u16, u32
from .page import (
    FILE_HEADER,
    HAS_CHECKSUM,
    LAST_TYPE,
    PFS,
    TYPES,
    PageState,
    file_of,
    number_of,
    page_state,
    restored,
    type_of,
)

__all__ = ["DamagedPage", "PageCheck", "check_pages"]

PFS_SPAN = 8088  # pages that one PFS page tells of; it is page 1 and every 8088th (2 of 2)
PFS_FIRST, IN_USE = 100, 0x40  # byte for the span's first page; its bit for a page in use
OBJECT_AT, INDEX_AT, LSN_AT = 0x18, 0x06, 0x28
_HEAD = struct.Struct("<BB2xH26xIH2xIIH").unpack_from
"""Of a page's header: version, type, flags, number, file, LSN."""
BATCH = 32
"""Pages whose sums are reckoned at once: more of them leave the processor's cache, and are half as fast."""
NAMED = 40
"""The most damaged pages that are named."""
_DAMAGE = (PageState.BAD_CHECKSUM, PageState.TORN, PageState.FOREIGN)


@dataclass(frozen=True, kw_only=True)
class DamagedPage:
    """what: the state in words. object_id, index_id: whose page it says it is."""

    file_id: int
    number: int
    what: str
    type: str
    object_id: int
    index_id: int


@dataclass(kw_only=True)
class PageCheck:
    """pages: all of the file; states: how many of each; unused: damaged ones that the database does not use.

    damages: damaged pages in use, of which the first are named. never_written: in use but zero, which is normal where
    recovery is still due. newest, newest_page: the page in use with the highest LSN.
    """

    pages: int = 0
    states: Counter[str] = field(default_factory=Counter)
    unused: int = 0
    damages: int = 0
    damaged: list[DamagedPage] = field(default_factory=list)
    never_written: int = 0
    newest: Lsn = (0, 0, 0)
    newest_page: int | None = None


class _Allocation:
    """Asks the PFS pages; the last one that was read is kept."""

    def __init__(self, reader: RangeReader) -> None:
        self._reader, self._span, self._page = reader, -1, b""

    def is_used(self, number: int) -> bool | None:
        """None where the PFS page itself cannot be read. PFS pages are in use whatever they say."""
        if is_pfs(number):
            return True
        span = number // PFS_SPAN
        if span != self._span:
            page = self._reader.pass_by((span * PFS_SPAN or 1) * PAGE, PAGE)
            usable = len(page) == PAGE and type_of(page) == PFS
            self._span, self._page = span, restored(page) if usable else b""
        return bool(self._page[PFS_FIRST + number % PFS_SPAN] & IN_USE) if self._page else None


def is_pfs(number: int) -> bool:
    """Whether a page tells which pages are in use."""
    return number == 1 or (number > 0 and number % PFS_SPAN == 0)


class _Check:
    def __init__(self, reader: RangeReader, file_id: int, *, clean: bool) -> None:
        self.result = PageCheck()
        self._allocation = _Allocation(reader)
        self._file_id = file_id
        self._clean = clean
        self._sound = 0

    def judge_batch(self, first: int, data: bytes, errors: Sequence[int] | None) -> None:
        """Whole pages. Nearly all are what they should be, and no newer than another: one look at their header."""
        newest = self.result.newest
        for index, number in enumerate(range(first, first + len(data) // PAGE)):
            version, kind, flags, says, file, *written = _HEAD(data, index * PAGE)
            fits = version == 1 and kind <= LAST_TYPE and says == number and file == (self._file_id or file)
            if fits and flags & HAS_CHECKSUM and errors and not errors[index] and tuple(written) <= newest:
                self._sound += 1
                continue
            page = data[index * PAGE : (index + 1) * PAGE]
            self._judge(number, page, errors[index] if errors is not None else None)
            newest = self.result.newest

    def finish(self) -> PageCheck:
        self.result.pages += self._sound
        if self._sound:
            self.result.states[PageState.OK.value] += self._sound
        return self.result

    def _judge(self, number: int, page: bytes, error: int | None) -> None:
        self.result.pages += 1
        state = page_state(page, error=error)
        self.result.states[state.value] += 1
        if state is PageState.ZERO:
            self._zero(number, page)
        elif state in _DAMAGE:
            self._damage(number, page, state.value)
        else:
            self._compare(number, page)

    def _zero(self, number: int, page: bytes) -> None:
        """In files that were closed cleanly no page in use was zero (0 of 58,000)."""
        if is_pfs(number):
            self._damage(number, page, "zero, so that nobody knows which pages are in use")
        elif self._allocation.is_used(number):
            self.result.never_written += 1
            if self._clean:
                self._damage(number, page, "in use but zero")

    def _damage(self, number: int, page: bytes, what: str) -> None:
        if self._allocation.is_used(number) is False:
            self.result.unused += 1
            return
        self.result.damages += 1
        if len(self.result.damaged) < NAMED:
            self.result.damaged.append(
                DamagedPage(
                    file_id=self._file_id,
                    number=number,
                    what=what,
                    type=TYPES.get(type_of(page), str(type_of(page))),
                    object_id=u32(page, OBJECT_AT),
                    index_id=u16(page, INDEX_AT),
                )
            )

    def _compare(self, number: int, page: bytes) -> None:
        if number_of(page) != number or (self._file_id and file_of(page) != self._file_id):
            self._damage(number, page, f"says that it is page {file_of(page)}:{number_of(page)}")
            return
        written = lsn(page, LSN_AT) if type_of(page) != FILE_HEADER else None
        if written and written > self.result.newest and self._allocation.is_used(number):
            self.result.newest, self.result.newest_page = written, number


def check_pages(reader: RangeReader, file_id: int, *, clean: bool = True) -> PageCheck:
    """Reads the whole file, some pages at a time. clean: the database was closed cleanly."""
    check, total = _Check(reader, file_id, clean=clean), reader.size // PAGE
    for start in range(0, total, BATCH):
        data = reader.pass_by(start * PAGE, min(BATCH, total - start) * PAGE)
        whole = data[: len(data) // PAGE * PAGE]
        check.judge_batch(start, whole, page_errors(whole) if any(whole) else None)
    return check.finish()
