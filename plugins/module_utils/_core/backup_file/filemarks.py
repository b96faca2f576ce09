# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filemarks (SFMB): what separates the parts of a file. The last one, which ends the file, lists all that came before.

A file of k backup sets has 1 + 2k of them: behind the head of the media, behind each set, behind the end of each set.
"""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.blocks import (
    SECTOR,
    SFMB,
    is_block,
    require_block,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.errors import Damaged
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.values import u32, u64
from ansible_collections.prs.recovery.plugins.module_utils._core.binary.range_reader import RangeReader

__all__ = ["filemarks_up_to", "is_filemark", "last_filemark", "search_back"]

ATTRIBUTES = 0x04  # u32; bit 31: the list's offset is told at LIST_OFFSET (seen from 2008 on, not in 2005)
ROOM = 0x34  # u32: entries that the list has room for: 55 or 56 in 512 bytes, 503 in 4096 (seen)
USED = 0x38  # u32: filemarks before this one, even where that is more than there is room for (seen up to the room)
LIST_OFFSET = 0x3C  # u32: where the list begins; in 2005 the list itself begins here (proven)

LIST_FROM = 0x48
"""Where the list begins in all filemarks of 2008 and later (seen)."""

PIECE = 4 << 20
"""Bytes that are searched at a time."""

MOST = 20_001
"""Filemarks of a file that are believed, ten thousand backup sets: more is damage."""


def filemarks_up_to(reader: RangeReader, offset: int, size: int) -> list[int]:
    """The offsets of all filemarks up to the one at an offset, in their order. size: of a filemark in bytes.

    No file with more filemarks than there is room for was ever seen: the oldest one listed is then asked in turn.
    Raises :class:`Damaged`.
    """
    marks = [offset]
    while True:
        listed, complete = _earlier(reader.get(marks[-1], size), marks[-1])
        marks += listed
        if complete:
            return marks[::-1]
        if not listed or len(marks) > MOST:
            raise Damaged("more filemarks than there can be")


def _earlier(data: bytes, offset: int) -> tuple[list[int], bool]:
    """The filemarks that one lists, the newest first, and whether there are no more before them."""
    require_block(data, 0, SFMB, where="at the end")
    room, used = u32(data, ROOM), u32(data, USED)
    start = u32(data, LIST_OFFSET) if u32(data, ATTRIBUTES) >> 31 else LIST_OFFSET
    count = min(room, used)
    if start + 8 * count > len(data):
        raise Damaged("a filemark lists more than it has room for")
    listed = [u64(data, start + 8 * number) for number in range(count)]
    above = offset
    for mark in listed:
        if not SECTOR <= mark < above or mark % SECTOR:
            raise Damaged("a filemark lists others at impossible places")
        above = mark
    return listed, used <= room


def is_filemark(data: bytes, earlier: Sequence[int], size: int) -> bool:
    """Whether data are the filemark that follows others, as it was written: its list is covered by no checksum.

    Zeros behind the list were seen in 323 of 323 that are a sector long; of longer ones they are not asked for.
    """
    if len(data) < size or not is_block(data, 0, SFMB):
        return False
    is_recent = u32(data, ATTRIBUTES) >> 31
    start = LIST_FROM if is_recent else LIST_OFFSET
    room, listed = (size - start) // 8, earlier[::-1]
    if (u32(data, ROOM), u32(data, USED)) != (room, len(earlier)):
        return False
    if is_recent and (u32(data, LIST_OFFSET) != LIST_FROM or any(data[LIST_OFFSET + 4 : LIST_FROM])):
        return False
    end = start + 8 * len(listed[:room])
    stored = [u64(data, at) for at in range(start, end, 8)]
    return stored == list(listed[:room]) and not (size == SECTOR and any(data[end:]))


def last_filemark(data: bytes, base: int, mark: int) -> int | None:
    """Where in data the last whole filemark begins. base: where data begin in the file; mark: size of a filemark."""
    at = len(data) - mark + len(SFMB)
    while (at := data.rfind(SFMB, 0, max(0, at))) >= 0:
        if (base + at) % SECTOR == 0 and is_block(data, at, SFMB):
            return at
        at += len(SFMB) - 1
    return None


def search_back(reader: RangeReader, end: int, mark: int, *, most: int) -> int | None:
    """Where the last filemark before a place begins that is no more than so many bytes before it."""
    upto, lowest = end + mark, max(0, end - most)
    while upto > lowest + mark:
        start = max(lowest, upto - PIECE)
        at = last_filemark(reader.pass_by(start, upto - start), start, mark)
        if at is not None:
            return start + at
        upto = start + mark
    return None
