# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole backup file judged by the checksums in it: packed frames by their own, plain pages by theirs.

This needs no SQL Server, and is less than RESTORE VERIFYONLY: the log in plain files carries nothing to judge it by
here, nor do pages that were never protected. What share of the file was judged is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.backup_file import BackupFile
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.blocks import (
    FIRST_STREAM,
    HEADER,
    is_block,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.errors import Damaged
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.filemarks import is_filemark
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.flaws import (
    Flaw,
    flaw_at,
    part_flaw,
    reason,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.packed_frames import (
    FIRST_FRAME,
    frame_length,
    held,
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

__all__ = ["MOST_FLAWS", "DeepCheck", "check_content", "closed_marks", "judge_marks", "parts"]

PIECE = 4 << 20
"""Bytes that are read at a time."""

PAGES_AT_A_TIME = 64
MOST_FLAWS = 20
PAGES_BEGIN = 2
"""Bytes of a stream of pages in front of them (seen in all)."""

Shown = Callable[[int], None]


@dataclass(slots=True, kw_only=True)
class DeepCheck:
    """size: bytes of the file, or of a part; judged: those that a checksum covers and that are what was written.

    frames: of a packed file, held: bytes that those of a part hold; pages, pages_unjudged: of a plain one. flaws: what
    is damaged, at most 20 of them, but at least one for each part of the file that has some: a set must not pass
    because those before it are worse.
    """

    size: int
    judged: int = 0
    frames: int = 0
    held: int = 0
    pages: int = 0
    pages_unjudged: int = 0
    flaws: list[Flaw] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Of the file, 0 to 1, that could be judged."""
        return self.judged / self.size if self.size else 0.0

    def add(self, flaw: Flaw) -> None:
        if len(self.flaws) < MOST_FLAWS:
            self.flaws.append(flaw)

    def add_part(self, part: DeepCheck) -> None:
        """What was seen in a part of the file."""
        self.judged += part.judged
        self.frames += part.frames
        self.pages += part.pages
        self.pages_unjudged += part.pages_unjudged
        self.flaws += part.flaws[: max(1, MOST_FLAWS - len(self.flaws))]

    def problems(self, start: int, end: int) -> list[str]:
        """What is damaged between two places of the file."""
        return [flaw.reason for flaw in self.flaws if start <= flaw.at < end]


def check_content(read: Read, size: int, file: BackupFile, *, on_progress: Shown | None = None) -> DeepCheck:
    """Read a file, whose ends were read before, from its start to its end. on_progress: told how many bytes are done.

    Memory does not depend on the size of the file. Nothing is raised for what is in it.
    """
    result = DeepCheck(size=size)
    check = _check_packed if file.packed else _check_plain
    for start, end, length in parts(file, size):
        part = DeepCheck(size=end - start)
        try:
            check(part, RangeReader(read, size), start, end, on_progress)
            if file.packed and length and part.held != length:
                part.add(flaw_at(start, "held", bytes=part.held, told=length))
        except Damaged as problem:
            part.add(part_flaw(str(problem), start=start, end=end))
        result.add_part(part)
    mark = file.media.filemark
    judge_marks(result, file, (RangeReader(read, size).get(offset, mark) for offset in closed_marks(file)))
    return result


def parts(file: BackupFile, size: int) -> list[tuple[int, int, int]]:
    """From where to where the file holds blocks or frames, and how many bytes unpacked, 0 where nothing tells that: in
    front of each filemark, and behind the last where that is not the end of the file.
    """
    starts = [FIRST_FRAME if file.packed else 0, *(mark + file.media.filemark for mark in file.marks)]
    ends = [*file.marks, size]
    lengths = [0] * len(ends)
    for stored in file.sets:
        lengths[2 * stored.position - 1] = stored.length or 0
    return list(zip(starts, ends, lengths, strict=True))[: len(file.marks) if file.ends else None]


def closed_marks(file: BackupFile) -> list[int]:
    """The filemarks of a file that ends with one: others are guessed."""
    return file.marks if file.ends else []


def judge_marks(result: DeepCheck, file: BackupFile, marks: Iterable[bytes]) -> None:
    """marks: the filemarks at :func:`closed_marks`, whole."""
    for number, (offset, data) in enumerate(zip(closed_marks(file), marks, strict=True)):
        if is_filemark(data, file.marks[:number], file.media.filemark):
            result.judged += len(data)
        else:
            result.flaws.append(flaw_at(offset, "filemark"))


def _check_packed(result: DeepCheck, reader: RangeReader, start: int, end: int, on_progress: Shown | None) -> None:
    at, data, base = start, b"", start
    while True:
        length = frame_length(data, at - base)
        if (length is None or at - base + length > len(data)) and base + len(data) < end and (at > base or not data):
            base, data = at, reader.pass_by(at, min(PIECE, end - at))
            if on_progress:
                on_progress(at)
            if not data:  # it became shorter
                break
            continue
        if length is None:
            break
        if not is_sound(data, at - base):
            result.add(flaw_at(at, "frame"))
        else:
            result.judged += length
        result.frames += 1
        result.held += held(data, at - base)
        at += length
    if at > end or not is_last_filler(data[: end - base], at - base):
        raise Damaged(reason("frames_end", at=at))


def _check_plain(result: DeepCheck, reader: RangeReader, start: int, end: int, on_progress: Shown | None) -> None:
    """Block after block, stream after stream; what is left before a filemark is less than a block."""
    at = start
    while at + HEADER <= end:
        header = reader.get(at, HEADER, ahead=4096)
        if not any(header):
            break
        if not is_block(header, 0, header[:4]):
            raise Damaged(reason("no_block", at=at))
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
            raise Damaged(reason("data_end", at=block))
        result.judged += STREAM_HEADER
        if stream.kind == SPAD:
            return stop
        if stream.kind == MQDA and stop > start + PAGES_BEGIN:
            _check_pages(result, reader, start + PAGES_BEGIN, stop, on_progress)
        at += stream.next


def _check_pages(result: DeepCheck, reader: RangeReader, start: int, stop: int, on_progress: Shown | None) -> None:
    if (stop - start) % PAGE:
        result.pages_unjudged += (stop - start) // PAGE
        return
    for at in range(start, stop, PAGE * PAGES_AT_A_TIME):
        data = reader.pass_by(at, min(PAGE * PAGES_AT_A_TIME, stop - at))
        counts = judge_pages(data[: len(data) // PAGE * PAGE])  # a part of one, where the file became shorter
        result.pages += counts.judged
        result.pages_unjudged += counts.unjudged
        result.judged += PAGE * (counts.judged - len(counts.damaged))
        for file, page in counts.damaged:
            result.add(flaw_at(at, "page", file=file, page=page))
        if on_progress:
            on_progress(at)
