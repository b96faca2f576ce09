"""Writes the parts of a backup file one behind the other, each closed by a filemark."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import BinaryIO

from . import huffman
from .blocks import filemark
from .packed import (
    FIRST_FRAME,
    PIECE,
    SHORTEST_FILLER,
    SHORTEST_INDEX,
    SIGNATURE,
    XPRESS_HUFFMAN,
    filler,
    frame,
    index_filler,
)

__all__ = ["MARK", "TapeWriter"]

MARK = 512
"""Bytes of a filemark: the sector size of most disks."""


class TapeWriter:
    """One file, open for writing at the place where its next part begins.

    packed: in frames; kind, pack: what those are. marks: offsets of the filemarks that are in the file already. written:
    bytes that it was given since the last filemark, and stored: those that they take in the file.
    """

    def __init__(
        self,
        file: BinaryIO,
        *,
        packed: bool,
        marks: Sequence[int] = (),
        mark_size: int = MARK,
        release: int = 15,
        kind: int = XPRESS_HUFFMAN,
        pack: Callable[[bytes], bytes] = huffman.stored,
    ) -> None:
        self.file = file
        self.packed = packed
        self.marks = list(marks)
        self.written = self.stored = 0
        self._mark_size = mark_size
        self._release = release
        self._kind = kind
        self._pack = pack
        self._place = marks[-1] + mark_size if marks else 0
        self._last_frame = (0, 0)

    @property
    def position(self) -> int:
        """Of the set that is written, or is written next."""
        return (len(self.marks) + 1) // 2

    @property
    def closed(self) -> bool:
        """Whether nothing was written since a set was ended."""
        return bool(len(self.marks) % 2) and not self.written

    def write(self, data: bytes, *, pieces: Sequence[bytes] | None = None) -> None:
        """Whole blocks. pieces: the same, cut as the frames are to hold it."""
        written, self.written = self.written, self.written + len(data)
        if self.packed:
            head = SIGNATURE.ljust(FIRST_FRAME, b"\0") if not self._place else b""
            pieces = pieces or [data[at : at + PIECE] for at in range(0, len(data), PIECE)]
            frames = [frame(piece, kind=self._kind, pack=self._pack) for piece in pieces]
            data = head + b"".join(frames)
            place = written + sum(len(piece) for piece in pieces[:-1])
            self._last_frame = (place, self._place + len(data) - len(frames[-1]))
        self._put(data)
        self.stored += len(data)

    def resume(self) -> None:
        """Go on where the file really ends: a write was broken off."""
        self._place = self.file.tell()

    def close_part(self) -> None:
        """Fill up to the next possible place, and set the filemark."""
        size = self._mark_size
        if self.packed:
            room, is_set = -self._place % (size if self.marks else max(size, 1024)), len(self.marks) % 2
            room += size if room < (SHORTEST_INDEX if is_set else SHORTEST_FILLER) else 0
            padding = index_filler(room, *self._last_frame) if is_set else filler(room)
        else:
            padding = bytes(-self._place % size)
        before = [*self.marks]
        self.marks.append(self._place + len(padding))
        self._put(padding + filemark(before, size, release=self._release))
        self.written = self.stored = 0

    def _put(self, data: bytes) -> None:
        self.file.write(data)
        self._place += len(data)
