"""The .mdf as bytes: SQL Server's system pages, then those in which SQLite's lie."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterator, Sequence

from ..errors import Unmodelled
from .boot import Boot, is_block, pack, unpack
from .disk.facts import boot_record, file_header
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
from .disk.system_tables import TableFacts, system_pages
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
        """The system pages that are known to be in the file as they should be."""

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
        return Boot.from_dict(values) if values else None

    def finish(self, boot: Boot, tables: Sequence[TableFacts] | None = None) -> None:
        """Cut the file behind the database's last page, and bring the system pages up to date.

        tables: None leaves what the system tables say of them as it is.
        """
        count = place_of(boot.pages) + 1 if boot.pages else SYSTEM_PAGES
        os.ftruncate(self._file, count * PAGE)
        facts, files = database_facts(boot), file_facts(boot, data_pages=count)
        own = pack(_MAGIC, boot.to_dict(), PAGE - HEADER)
        pages = {
            0: make_page(0, FILE_HEADER, [file_header(facts, files[0])]),
            _BOOT_PAGE: make_page(_BOOT_PAGE, BOOT, [boot_record(facts)]),
            _OWN_PAGE: with_body(_OWN_PAGE, DATA, own),
        }
        for number, kind in _MAPS.items():
            pages[number] = self._written.get(number) or with_body(number, kind, b"")
        if tables is not None or not self.has_system_tables():
            pages.update(system_pages(files, tables or ()))
        for number in range(10, _OWN_PAGE):
            pages.setdefault(number, self._written.get(number) or self._kept(number))
        pages.update(_allocation(count))
        for number, page in pages.items():
            if self._written.get(number) != page:
                os.pwrite(self._file, page, number * PAGE)
        self._written = pages

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
        return [number for number, image in self.pages(count) if not intact(image)]

    def unpack_to(self, path: str, count: int) -> list[int]:
        """Write the first `count` pages to a file for SQLite; the numbers of the damaged ones, which go along."""
        damaged = []
        with open(path, "wb") as file:
            for number, image in self.pages(count):
                if not intact(image):
                    damaged.append(number)
                file.write(plain(image))
        return damaged


def _allocation(count: int) -> Iterator[tuple[int, bytes]]:
    """PFS pages of a file of so many pages: every page is in use but those of its first extents that never were."""
    for first in range(0, count, PFS_SPAN):
        used = bytearray(bytes((_IN_USE,)) * min(PFS_SPAN, count - first))
        if not first:
            for number in _NEVER_USED:
                used[number] = 0
        yield first or 1, with_body(first or 1, PFS, bytes(4) + bytes(used))
