# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of a file: what lies between two filemarks, looked at from both ends, packed or not."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.blocks import (
    FIRST_STREAM,
    SECTOR,
    is_block,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.errors import Damaged
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.packed_frames import (
    find_frames,
    frame_length,
    is_last_filler,
    is_sound,
    unpack_frame,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.streams import SPAD, stream_at
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.values import u16
from ansible_collections.prs.recovery.plugins.module_utils._core.binary.range_reader import RangeReader

__all__ = ["PackedPart", "PlainPart"]

LONGEST_END = 65536
"""Bytes of a part behind a set that are believed: a few KB were seen."""

GROWTH = 8
"""Times as much is read of the end of a part, once, where the first look did not suffice."""


class PlainPart:
    """The blocks as they are. start, end: offsets in the file. window: bytes that are read at a time."""

    def __init__(self, reader: RangeReader, start: int, end: int, *, window: int) -> None:
        self._reader = reader
        self.start = start
        self.end = end
        self._window = window

    def head(self, length: int) -> bytes:
        """The first bytes: length of them, or more."""
        return self._reader.get(self.start, min(length, self.end - self.start), ahead=self._window)

    def begins_with(self, length: int) -> bytes:
        """The first bytes: length of them at most."""
        return self.head(length)

    def closes(self, kind: bytes, *, slack: int) -> bool:
        """Whether there is nothing but blocks of one kind, up to the end or less than slack bytes before it."""
        data = self._reader.get(self.start, min(self.end - self.start, LONGEST_END))
        return self.end - slack < self.start + _end_of_blocks(data, kind) <= self.end

    def tails(self, length: int) -> Iterator[bytes]:
        """Ever longer ends, the first of about that length; each begins at a multiple of 512 from the start."""
        for wanted in (length, GROWTH * max(length, self._window)):
            start = max(self.start, self.end - wanted // SECTOR * SECTOR)
            yield self._reader.get(start, self.end - start)
            if start == self.start:
                return


class PackedPart(PlainPart):
    """The same where it is packed: what is given is unpacked."""

    _first = b""

    def head(self, length: int) -> bytes:
        """The first frame at least, then as many as are needed."""
        unpacked, at = bytearray(), self.start
        while at < self.end and (not unpacked or len(unpacked) < length):
            size = frame_length(self._reader.get(at, 4, ahead=self._window), 0)
            if size is None:
                break
            unpacked += unpack_frame(self._reader.get(at, size, ahead=self._window), 0)
            at += size
        return bytes(unpacked)

    def begins_with(self, length: int) -> bytes:
        """The first bytes: the first frame, which is remembered."""
        del length
        size = frame_length(self._reader.get(self.start, 4, ahead=self._window), 0)
        self._first = b"" if size is None else unpack_frame(self._reader.get(self.start, size), 0)
        return self._first

    def closes(self, kind: bytes, *, slack: int) -> bool:
        """Whether there is nothing but frames with such blocks in them, and the filler behind."""
        del slack
        data, at, unpacked = self._reader.get(self.start, min(self.end - self.start, LONGEST_END)), 0, b""
        while (size := frame_length(data, at)) is not None:
            unpacked += unpack_frame(data, at) if at or not self._first else self._first
            at += size
        return (
            self.end - self.start == len(data)
            and is_last_filler(data, at)
            and _end_of_blocks(unpacked, kind) == len(unpacked)
        )

    def tails(self, length: int) -> Iterator[bytes]:
        """The last frame, the last two, four and so on: what is unpacked grows with the frames, not their square."""
        del length  # how well it is packed nobody can say before
        for wanted in (self._window, GROWTH * self._window):
            start = max(self.start, self.end - wanted)
            data = self._reader.get(start, self.end - start)
            ending = find_frames(data)
            unpacked, at = list[bytes](), next(iter(ending), 0)
            while ending.get(at):
                candidates = [frame for frame in ending[at] if is_sound(data, frame)]
                if not candidates:
                    break
                at = candidates[0]
                unpacked.append(unpack_frame(data, at))
                if _is_power_of_two(len(unpacked)):
                    yield b"".join(reversed(unpacked))
            if not _is_power_of_two(len(unpacked)):
                yield b"".join(reversed(unpacked))
            if ending.get(at):
                raise Damaged("a packed frame fails its checksum")
            if start == self.start:
                return


def _end_of_blocks(data: bytes, kind: bytes) -> int:
    """Where the blocks of a kind end that data begin with. Raises :class:`Damaged` for one that is cut off."""
    at = 0
    while is_block(data, at, kind):
        stream = stream_at(data, at + u16(data, at + FIRST_STREAM))
        while stream.kind != SPAD:
            stream = stream_at(data, stream.next)
        at = stream.end
    return at


def _is_power_of_two(number: int) -> bool:
    return number > 0 and not number & number - 1
