# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a backup file ends: with a filemark, or else in the middle of a set, or with bytes that do not belong to it.

The answer does not depend on how much of the file is read at a time.
"""

from __future__ import annotations

from typing import NamedTuple

from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.blocks import SSET
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.errors import Damaged
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.filemarks import (
    filemarks_up_to,
    last_filemark,
    search_back,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.packed_frames import (
    XPRESS_HUFFMAN,
    frame_length,
    is_sound,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.binary.range_reader import RangeReader

__all__ = ["CUT_OFF", "MediaEnd", "find_end"]

CUT_OFF = "it has no end: it was cut off, or is still being written"

MOST_BEHIND = 1 << 20
"""Bytes behind the end of the last set that are judged by what they are; more of them are a set that breaks off."""


class MediaEnd(NamedTuple):
    """marks: offsets of the filemarks; the first one alone where there are none to be found. is_whole: whether the last
    of them ends the last set. problem: a clause, or nothing.
    """

    marks: list[int]
    is_whole: bool
    problem: str


def find_end(reader: RangeReader, *, first: int, mark: int, packed: bool, window: int, look_back: int) -> MediaEnd:
    """first: where the first filemark lies; mark: size of one. window: bytes to read of the end; look_back: in which
    the last filemark is looked for, where it is not among them.
    """
    data = reader.get(max(0, reader.size - window), window)
    base = reader.size - len(data)
    try:
        at = last_filemark(data, base, mark)
        last = search_back(reader, base, mark, most=look_back) if at is None else base + at
        if last is None:
            return MediaEnd([first], False, CUT_OFF)
        marks = filemarks_up_to(reader, last, mark)
    except Damaged as problem:
        return MediaEnd([first], False, str(problem))
    behind, is_whole = reader.size - last - mark, len(marks) % 2 == 1 and len(marks) > 1
    if not behind:
        return MediaEnd(marks, is_whole, "" if is_whole else "its last backup has no end")
    if is_whole and behind <= MOST_BEHIND and not _begins_a_set(reader, last + mark, packed=packed):
        return MediaEnd(marks, True, f"{behind} bytes follow its end, which do not belong to it")
    return MediaEnd(marks, False, CUT_OFF)


def _begins_a_set(reader: RangeReader, at: int, *, packed: bool) -> bool:
    """Whether what lies there is the start of a backup set, however little of it."""
    if not packed:
        return SSET.startswith(reader.get(at, len(SSET)))
    length = frame_length(reader.get(at, 4), 0)
    if length is None:
        return reader.size - at < 4 and reader.get(at, 1) == bytes([XPRESS_HUFFMAN])
    data = reader.get(at, length)
    return len(data) < length or is_sound(data, 0)
