"""Reads a backup file part by part: where its filemarks are, and what lies between them, packed or not."""

from __future__ import annotations

import os
import struct
from typing import BinaryIO

from .blocks import filemarks_before, is_block, streams_of
from .packed import (
    ENCRYPTED,
    FIRST_FRAME,
    FRAME_HEADER,
    SIGNATURE,
    XPRESS_HUFFMAN,
    frame_size,
    unpack_frame,
)

__all__ = ["BadTape", "PackedPart", "Part", "Tape", "open_tape"]

SECTOR = 512
WINDOW = 4096


class BadTape(Exception):
    """The file is no backup, or not even the head of its media can be read."""


class Part:
    """What lies between two filemarks; places in it are counted from its start. closed: its filemark was written."""

    def __init__(self, file: BinaryIO, start: int, end: int, *, closed: bool) -> None:
        self._file = file
        self.start = start
        self.end = end
        self.closed = closed
        self._at, self._window = 0, b""

    def read(self, at: int, length: int) -> bytes:
        """Fewer bytes where the part ends. Raises ValueError where a packed frame is damaged."""
        if length > WINDOW:
            return self._fetch(at, length)
        if not (self._at <= at and at + length <= self._at + len(self._window)):
            self._at, self._window = at, self._fetch(at, WINDOW)
        return self._window[at - self._at : at - self._at + length]

    def _fetch(self, at: int, length: int) -> bytes:
        self._file.seek(self.start + at)
        return self._file.read(max(0, min(length, self.end - self.start - at)))

    def place(self, at: int) -> int:
        """Where in the file that lies."""
        return self.start + at

    @property
    def length(self) -> int:
        return self.end - self.start

    def block_length(self, at: int) -> int:
        """Of the block there, all its streams included. Raises ValueError or struct.error where there is none."""
        for size in (4096, 1 << 16, 1 << 22):
            data = self.read(at, size)
            try:
                return list(streams_of(data))[-1][2]
            except struct.error:
                if len(data) < size:
                    raise
        raise ValueError("no end of a block")


class PackedPart(Part):
    """The same in frames: places are those of what is unpacked."""

    def __init__(self, file: BinaryIO, start: int, end: int, *, closed: bool, kind: int) -> None:
        super().__init__(file, start, end, closed=closed)
        self._frames: list[tuple[int, int, int, int]] = []  # place when unpacked, its size, place in the file, its size
        at, place = 0, start
        while place + FRAME_HEADER <= end:
            file.seek(place)
            size = frame_size(file.read(FRAME_HEADER), kind=kind)
            if size is None or place + FRAME_HEADER + size[0] > end:
                break
            self._frames.append((at, size[1], place, FRAME_HEADER + size[0]))
            at, place = at + size[1], place + FRAME_HEADER + size[0]
        self._length = at

    def _fetch(self, at: int, length: int) -> bytes:
        found = b""
        for begin, size, place, stored in self._frames:
            if begin + size <= at or begin >= at + length:
                continue
            self._file.seek(place)
            piece = unpack_frame(self._file.read(stored))
            found += piece[max(0, at - begin) : at + length - begin]
        return found

    def read(self, at: int, length: int) -> bytes:
        """As of any part; what follows a damaged frame can be read all the same, as long as nobody asks for both."""
        try:
            return super().read(at, length)
        except ValueError:
            return self._fetch(at, length)

    def place(self, at: int) -> int:
        return next((place for begin, size, place, _ in reversed(self._frames) if begin <= at), self.end)

    @property
    def length(self) -> int:
        return self._length


class Tape:
    """A file. media: what it begins with; parts: of its sets and, in turn, of what ends each; marks: all filemarks.

    ends: the last thing in it is a filemark.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file = file
        self.size = size
        file.seek(0)
        head = file.read(FIRST_FRAME + 4096)
        self.packed = head.startswith(SIGNATURE)
        self.encrypted = self.packed and head[FIRST_FRAME] == ENCRYPTED
        self._kind = ENCRYPTED if self.encrypted else XPRESS_HUFFMAN
        media = self._part(FIRST_FRAME if self.packed else 0, size, closed=False).read(0, 4096)
        if not is_block(media, b"TAPE"):
            raise BadTape
        self.mark_size = int.from_bytes(media[0x40:0x42], "little") * SECTOR
        if not self.mark_size:
            raise BadTape
        self.marks = self._find_marks()
        if not self.marks:
            raise BadTape
        self.ends = self.marks[-1] + self.mark_size == size
        self.media = self._part(FIRST_FRAME if self.packed else 0, self.marks[0], closed=True).read(0, 1 << 16)
        starts = [mark + self.mark_size for mark in self.marks]
        ends = [*self.marks[1:], size]
        closed = [True] * (len(starts) - 1) + [False]
        self.parts = [
            self._part(start, end, closed=whole)
            for start, end, whole in zip(starts, ends, closed, strict=True)
            if start < end
        ]

    def _part(self, start: int, end: int, *, closed: bool) -> Part:
        if self.packed:
            return PackedPart(self.file, start, end, closed=closed, kind=self._kind)
        return Part(self.file, start, end, closed=closed)

    def _find_marks(self) -> list[int]:
        """By the last one, which lists the others; else by looking for them from the start."""
        last = self.size - self.mark_size
        marks = [last]
        while True:
            data = self._at(marks[-1], self.mark_size)
            if not is_block(data, b"SFMB"):
                return self._search_marks()
            try:
                listed, complete = filemarks_before(data)
            except struct.error:
                return self._search_marks()
            marks += listed
            if complete:
                return marks[::-1]

    def _search_marks(self) -> list[int]:
        marks, step = [], 1 << 20
        for start in range(0, self.size, step):
            data = self._at(start, step + 64)
            at = data.find(b"SFMB")
            while 0 <= at < step:
                if (start + at) % SECTOR == 0 and is_block(data[at : at + 64], b"SFMB"):
                    marks.append(start + at)
                at = data.find(b"SFMB", at + 4)
        return [mark for mark in marks if mark + self.mark_size <= self.size]

    def _at(self, place: int, length: int) -> bytes:
        if place < 0:
            return b""
        self.file.seek(place)
        return self.file.read(length)


def open_tape(file: BinaryIO) -> Tape:
    """Raises :class:`BadTape`."""
    try:
        return Tape(file, file.seek(0, os.SEEK_END))
    except (struct.error, ValueError, IndexError) as error:
        raise BadTape from error
