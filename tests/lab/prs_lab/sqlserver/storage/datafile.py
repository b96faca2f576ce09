"""The .mdf as bytes: stamped pages, then the boot block."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterator

from .boot import BLOCK, Boot, pack, unpack
from .pages import PAGE, RESERVED, intact

__all__ = ["DataFile"]

_MAGIC = b"PRSLAB-BOOT"


class DataFile:
    """An open data file. Pages are counted from 1, as SQLite does."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        self._file = os.open(path, os.O_RDWR)

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    @property
    def size(self) -> int:
        """Bytes on disk, the boot block included."""
        return os.fstat(self._file).st_size

    def signature(self) -> tuple[int, int, int]:
        """What changes when somebody writes to the file: (inode, size, time of the last change)."""
        found = os.fstat(self._file)
        return found.st_ino, found.st_size, found.st_mtime_ns

    def read_boot(self) -> Boot | None:
        """The boot block, None when it is missing or damaged."""
        if self.size < BLOCK:
            return None
        values = unpack(_MAGIC, os.pread(self._file, BLOCK, self.size - BLOCK))
        return Boot.from_dict(values) if values else None

    def finish(self, boot: Boot) -> None:
        """Cut the file to `boot.pages` pages and end it with the boot block."""
        end = boot.pages * PAGE
        os.ftruncate(self._file, end)
        os.pwrite(self._file, pack(_MAGIC, boot.to_dict()), end)

    def read_page(self, number: int) -> bytes:
        return os.pread(self._file, PAGE, (number - 1) * PAGE)

    def write_page(self, number: int, image: bytes) -> None:
        os.pwrite(self._file, image, (number - 1) * PAGE)

    def write_stamp(self, number: int, stamp: bytes) -> None:
        """Stamp a page that SQLite has just written."""
        os.pwrite(self._file, stamp, number * PAGE - RESERVED)

    def pages(self, count: int) -> Iterator[tuple[int, bytes]]:
        """(number, image) of the first `count` pages; an image is shorter where the file ends too early."""
        for number in range(1, count + 1):
            yield number, self.read_page(number)

    def damaged_pages(self, count: int) -> list[int]:
        """The numbers of those among the first `count` pages whose checksum is wrong."""
        return [number for number, image in self.pages(count) if not intact(image)]
