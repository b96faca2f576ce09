# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole backup file judged by the checksums in it: packed frames by their own, plain pages by theirs.

This needs no SQL Server, and is less than RESTORE VERIFYONLY: the log in plain files carries nothing to judge it by
here, nor do pages that were never protected. What share of the file was judged is told.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.backup_file import BackupFile
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.blocks import (
    FIRST_STREAM,
    HEADER,
    SFMB,
    is_block,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.errors import Damaged
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.packed_frames import (
    FIRST_FRAME,
    frame_length,
    is_last_filler,
    is_sound,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.page_checksums import PAGE, judge_pages
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.streams import (
    MQDA,
    SPAD,
    STREAM_HEADER,
    stream_at,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.values import u16
from ansible_collections.prs.recovery.plugins.module_utils._core.binary.range_reader import RangeReader, Read

__all__ = ["DeepCheck", "Flaw", "check_content"]

PIECE = 4 << 20
"""Bytes that are read at a time."""

PAGES_AT_A_TIME = 64
MOST_FLAWS = 20
PAGES_BEGIN = 2
"""Bytes of a stream of pages in front of them (seen in all)."""

Shown = Callable[[int], None]


class Flaw(NamedTuple):
    """Damage: where in the file, and what, as a clause."""

    at: int
    reason: str


@dataclass(slots=True, kw_only=True)
class DeepCheck:
    """size: bytes of the file; judged: those of them that a checksum covers and that are what was written.

    frames: of a packed file; pages, pages_unjudged: of a plain one. flaws: what is damaged, at most 20 of them.
    """

    size: int
    judged: int = 0
    frames: int = 0
    pages: int = 0
    pages_unjudged: int = 0
    flaws: list[Flaw] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Of the file, 0 to 1, that could be judged."""
        return self.judged / self.size if self.size else 0.0

    def add(self, at: int, reason: str) -> None:
        if len(self.flaws) < MOST_FLAWS:
            self.flaws.append(Flaw(at, reason))

    def problems(self, start: int, end: int) -> list[str]:
        """What is damaged between two places of the file."""
        return [flaw.reason for flaw in self.flaws if start <= flaw.at < end]


def check_content(read: Read, size: int, file: BackupFile, *, on_progress: Shown | None = None) -> DeepCheck:
    """Read a file, whose ends were read before, from its start to its end. on_progress: told how many bytes are done.

    Memory does not depend on the size of the file. Nothing is raised for what is in it.
    """
    result = DeepCheck(size=size)
    starts = [0, *(mark + file.media.filemark for mark in file.marks)]
    ends = [*file.marks, size]
    if file.ends:
        starts.pop()
        ends.pop()
    check = _check_packed if file.packed else _check_plain
    for start, end in zip(starts, ends, strict=True):
        try:
            check(
                result, RangeReader(read, size), FIRST_FRAME if file.packed and not start else start, end, on_progress
            )
        except (Damaged, struct.error, IndexError) as problem:
            reason = str(problem) if isinstance(problem, Damaged) else "a header is cut off"
            result.add(start, f"{reason}, between byte {start} and {end}: what follows there was not judged")
    _check_marks(result, RangeReader(read, size), file)
    return result


def _check_marks(result: DeepCheck, reader: RangeReader, file: BackupFile) -> None:
    for mark in file.marks if file.ends else ():
        if is_block(reader.get(mark, HEADER), 0, SFMB):
            result.judged += HEADER
        else:
            result.add(mark, f"the filemark at byte {mark} is damaged")


def _check_packed(result: DeepCheck, reader: RangeReader, start: int, end: int, on_progress: Shown | None) -> None:
    at, data, base = start, b"", start
    while True:
        length = frame_length(data, at - base)
        if (length is None or at - base + length > len(data)) and base + len(data) < end and (at > base or not data):
            base, data = at, reader.pass_by(at, min(PIECE, end - at))
            if on_progress:
                on_progress(at)
            continue
        if length is None:
            break
        if not is_sound(data, at - base):
            result.add(at, f"the packed frame at byte {at} fails its checksum")
        else:
            result.judged += length
        result.frames += 1
        at += length
    if at > end or not is_last_filler(data[: end - base], at - base):
        raise Damaged(f"the packed frames end at byte {at}, before their end")


def _check_plain(result: DeepCheck, reader: RangeReader, start: int, end: int, on_progress: Shown | None) -> None:
    """Block after block, stream after stream; what is left before a filemark is less than a block."""
    at = start
    while at + HEADER <= end:
        header = reader.get(at, HEADER, ahead=4096)
        if not any(header):
            break
        if not header[:4].isalpha() or not is_block(header, 0, header[:4]):
            raise Damaged(f"no block where one should begin, at byte {at}")
        result.judged += HEADER
        at = _check_streams(result, reader, at, at + u16(header, FIRST_STREAM), end, on_progress)


def _check_streams(
    result: DeepCheck, reader: RangeReader, block: int, at: int, end: int, on_progress: Shown | None
) -> int:
    """The streams of a block; where the next block begins."""
    while True:
        stream = stream_at(reader.get(at, STREAM_HEADER, ahead=4096), 0)
        start, stop = at + stream.start, at + stream.end
        if stop > end:
            if stream.kind == MQDA:
                whole = max(0, end - start - PAGES_BEGIN) // PAGE * PAGE
                _check_pages(result, reader, start + PAGES_BEGIN, start + PAGES_BEGIN + whole, on_progress)
            raise Damaged(f"the data of the block at byte {block} end too early")
        result.judged += STREAM_HEADER
        if stream.kind == SPAD:
            return stop
        if stream.kind == MQDA and stop > start:
            _check_pages(result, reader, start + PAGES_BEGIN, stop, on_progress)
        at += stream.next


def _check_pages(result: DeepCheck, reader: RangeReader, start: int, stop: int, on_progress: Shown | None) -> None:
    if (stop - start) % PAGE:
        result.pages_unjudged += (stop - start) // PAGE
        return
    for at in range(start, stop, PAGE * PAGES_AT_A_TIME):
        counts = judge_pages(reader.pass_by(at, min(PAGE * PAGES_AT_A_TIME, stop - at)))
        result.pages += counts.judged
        result.pages_unjudged += counts.unjudged
        result.judged += PAGE * (counts.judged - len(counts.damaged))
        for file, page in counts.damaged:
            result.add(at, f"page {file}:{page} fails its checksum")
        if on_progress:
            on_progress(at)
