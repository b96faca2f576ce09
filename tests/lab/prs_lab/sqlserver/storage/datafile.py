"""The .mdf as bytes: SQL Server's system pages, those in which SQLite's lie, and the rows once more as SQL Server has them."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterator, Sequence

from ..errors import Unmodelled
from .boot import Boot, is_block, pack, unpack
from .disk.facts import boot_record, file_header
from .disk.free_pages import FreePages
from .disk.page import (
    BOOT,
    DATA,
    DIFF_MAP,
    FILE_HEADER,
    GAM,
    HEADER,
    ML_MAP,
    PFS,
    SGAM,
    intact,
    make_page,
    with_body,
)  # fmt: skip
from .disk.system_tables import TableFacts, table_pages
from .file_facts import database_facts, file_facts
from .pages import PAGE, PFS_SPAN, SYSTEM_PAGES, place_of, plain

__all__ = ["DataFile"]

_MAGIC = b"PRSLAB-BOOT"
_BOOT_PAGE, _OWN_PAGE = 9, 31
_NEVER_USED = (4, 5)
_IN_USE = 0x40
_MAPS = {2: GAM, 3: SGAM, 6: DIFF_MAP, 7: ML_MAP, 8: DATA}


class DataFile:
    """An open data file. Pages are counted from 1, as SQLite does."""

    def __init__(self, path: pathlib.Path, *, read_only: bool = False) -> None:
        self.path = path
        self._file = os.open(path, os.O_RDONLY if read_only else os.O_RDWR)
        self._written: dict[int, bytes] = {}
        """The pages that are known to be in the file as they should be, without SQLite's."""
        self._begins = 0
        """Where the pages behind SQLite's begin that are known."""
        self._lost: set[int] | None = None
        self._unused: set[int] = set()
        self.owners: dict[int, str] = {}
        """Whose rows lie on the pages behind SQLite's."""
        self.file_pages: int | None = None
        """How many the file should have, once its boot page was read."""

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    @property
    def size(self) -> int:
        """Bytes on disk, the system pages included."""
        return os.fstat(self._file).st_size

    @property
    def count(self) -> int:
        """How many pages of SQLite's the file has room for."""
        total = self.size // PAGE
        return max(0, total - SYSTEM_PAGES - (total - 1) // PFS_SPAN)

    def signature(self) -> tuple[int, int, int]:
        """What changes when somebody writes to the file: (inode, size, time of the last change)."""
        found = os.fstat(self._file)
        return found.st_ino, found.st_size, found.st_mtime_ns

    def has_header(self) -> bool:
        """Whether it begins as a data file does."""
        first = self._read(0)
        return intact(first) and first[1] == FILE_HEADER

    def read_boot(self) -> Boot | None:
        """What the file says of its database; None when page 0, the boot page or the twin's own page is damaged or
        missing. Raises Unmodelled for a file of another server.
        """
        if not self.has_header() or not intact(self._read(_BOOT_PAGE)):
            return None
        own = self._read(_OWN_PAGE)
        if not any(own) or (intact(own) and not is_block(_MAGIC, own[HEADER:])):
            raise Unmodelled("opening a data file that this twin did not write")
        values = unpack(_MAGIC, own[HEADER:]) if intact(own) else None
        if not values:
            return None
        self.file_pages = values.pop("file_pages")
        return Boot.from_dict(values)

    def finish(self, boot: Boot, tables: Sequence[TableFacts] | None = None) -> None:
        """Bring all pages but SQLite's up to date, and cut the file behind them.

        tables: None leaves what the file says of them as it is; where SQLite's pages reach elsewhere than before, nothing
        is said of any until the next checkpoint.
        """
        begins = place_of(boot.pages) + 1 if boot.pages else SYSTEM_PAGES
        kept = tables is None and self._keeps(boot, begins)
        pages = dict(self._written) if kept else {}
        count = self.size // PAGE
        if not kept:
            names = file_facts(boot)
            free = FreePages(begins, without_multiples_of=PFS_SPAN)
            found, self.owners = table_pages(names, tables or (), free)
            pages.update(found)
            count = max(begins, max(pages) + 1)
            self._unused = {place for place in free.left if place < count}
        facts, files = database_facts(boot), file_facts(boot, data_pages=count)
        pages[0] = make_page(0, FILE_HEADER, [file_header(facts, files[0])])
        pages[_BOOT_PAGE] = make_page(_BOOT_PAGE, BOOT, [boot_record(facts)])
        own = pack(_MAGIC, {**boot.to_dict(), "file_pages": count}, PAGE - HEADER)
        pages[_OWN_PAGE] = with_body(_OWN_PAGE, DATA, own)
        for number, kind in _MAPS.items():
            pages[number] = self._written.get(number) or with_body(number, kind, b"")
        for number in range(10, _OWN_PAGE):
            if number not in pages:
                pages[number] = self._kept(number) if kept else with_body(number, DATA, b"")
        if self._lost is None:
            self._lost = self._lost_rows(begins)
        elif self._begins != begins:
            self._lost = set()
        if not kept:
            pages.update(_allocation(count, self._unused))
        os.ftruncate(self._file, count * PAGE)
        for number, page in pages.items():
            if self._written.get(number) != page and number not in self._lost:
                os.pwrite(self._file, page, number * PAGE)
        self._written, self._begins = pages, begins

    def _keeps(self, boot: Boot, begins: int) -> bool:
        """Whether the tables in the file are those of this database, and lie where they should."""
        if self._written:
            return self._begins == begins
        try:
            there = self.read_boot()
        except Unmodelled:
            return False
        return there is not None and there.pages == boot.pages and self.has_system_tables()

    def _lost_rows(self, begins: int) -> set[int]:
        """Pages with rows that somebody damaged since the file was closed: to write them anew would heal them."""
        return {
            place
            for place in range(begins, self.size // PAGE)
            if not intact(self._read(place)) and self._is_used(place)
        }

    def _is_used(self, place: int) -> bool:
        """By the PFS page, if that is whole."""
        page = self._read(place // PFS_SPAN * PFS_SPAN or 1)
        return not intact(page) or bool(page[HEADER + 4 + place % PFS_SPAN] & _IN_USE)

    def owner_at(self, number: int) -> str | None:
        """The table whose rows lie on a page behind SQLite's; None where that is not known, as of the system's own."""
        return self.owners.get(place_of(number))

    def has_system_tables(self) -> bool:
        """Whether they were written ever."""
        return intact(self._read(16))

    def _kept(self, number: int) -> bytes:
        """A page of the system's that is in the file, or an empty one in its place."""
        page = self._read(number)
        return page if intact(page) else with_body(number, DATA, b"")

    def _read(self, place: int) -> bytes:
        return os.pread(self._file, PAGE, place * PAGE)

    def read_page(self, number: int) -> bytes:
        return self._read(place_of(number))

    def write_page(self, number: int, image: bytes) -> None:
        os.pwrite(self._file, image, place_of(number) * PAGE)

    def pages(self, count: int) -> Iterator[tuple[int, bytes]]:
        """(number, image) of the first `count` pages; an image is shorter where the file ends too early."""
        for number in range(1, count + 1):
            yield number, self.read_page(number)

    def damaged_pages(self, count: int) -> list[int]:
        """The numbers of those among the first `count` pages whose checksum is wrong."""
        bad = (number for number, image in self.pages(count) if not intact(image))
        return [number for number in bad if self._is_used(place_of(number))]

    def unpack_to(self, path: str, count: int) -> list[int]:
        """Write the first `count` pages to a file for SQLite; the numbers of the damaged ones, which go along."""
        damaged = []
        with open(path, "wb") as file:
            for number, image in self.pages(count):
                if not intact(image):
                    damaged.append(number)
                file.write(plain(image))
        return damaged


def _allocation(count: int, unused: set[int]) -> Iterator[tuple[int, bytes]]:
    """PFS pages of a file of so many pages: every page is in use but those named, and those of its first extents that
    never were.
    """
    for first in range(0, count, PFS_SPAN):
        used = bytearray(bytes((_IN_USE,)) * min(PFS_SPAN, count - first))
        for number in (*(_NEVER_USED if not first else ()), *unused):
            if first <= number < first + len(used):
                used[number - first] = 0
        yield first or 1, with_body(first or 1, PFS, bytes(4) + bytes(used))
