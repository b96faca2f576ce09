# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A log file: its virtual log files, their blocks, and what was logged from a checkpoint on.

Evidence: 320 log files of SQL Server 2005 to 2022; each count that a comment names is of those that agreed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..binary.page_checksums import PAGE, SECTOR, block_error
from ..binary.range_reader import RangeReader
from ..binary.values import Lsn, u16, u32, u64

__all__ = ["Log", "LogCheck", "VirtualLogFile", "check_log", "is_log_start", "read_log"]

# Head of a virtual log file.
VLF_MARK, PARITY_AT, SEQUENCE_AT, SIZE_AT, OFFSET_AT = 0xAB, 1, 0x04, 0x10, 0x18  # own offset: 925 of 925
_VLF_HEAD = 64
# Head of a block. Each further sector begins with a stamp; the byte that belongs there lies at the block's end.
COUNT_AT, USED_AT, BLOCK_SIZE_AT, BLOCK_FLAGS_AT, BLOCK_LSN_AT = 0x02, 0x04, 0x06, 0x08, 0x0C
_BLOCK_HEAD = 72
_HAS_CHECKSUM, _IN_USE, _STAMP = 0x02, 0x10, 0xC0
_OPERATION_AT, _LEAST_RECORD_AT = 0x16, 0x18
BEGIN_CHECKPOINT, CHECKPOINT_TRANSACTIONS, END_CHECKPOINT = 0x96, 0x98, 0x99
_CLOSING = {BEGIN_CHECKPOINT, CHECKPOINT_TRANSACTIONS, END_CHECKPOINT}
_AHEAD, _ENOUGH = 65536, 8


@dataclass(frozen=True, kw_only=True)
class VirtualLogFile:
    """offset and size in bytes; sequence: 0 where it was never used."""

    offset: int
    size: int
    sequence: int


@dataclass(frozen=True, kw_only=True)
class Log:
    """end: where the chain of virtual log files ends, which is the file's end. active: the one in use, None if none is.

    end_lsn: where the next record would go. operations: codes of what was logged from the checkpoint on, at least the
    first few, None where the log does not hold the checkpoint.
    """

    files: tuple[VirtualLogFile, ...]
    end: int
    active: VirtualLogFile | None
    end_lsn: Lsn | None
    operations: tuple[int | None, ...] | None

    @property
    def holds_checkpoint(self) -> bool:
        """Whether recovery can begin: the record at the checkpoint is the beginning of one (218 of 218)."""
        return bool(self.operations) and self.operations[0] == BEGIN_CHECKPOINT

    @property
    def is_quiet(self) -> bool:
        """Whether nothing follows but the closing checkpoint, as after a clean shutdown (213 of 213)."""
        codes = self.operations or ()
        return self.holds_checkpoint and codes[-1] == END_CHECKPOINT and len(codes) <= 3 and set(codes) <= _CLOSING


@dataclass(kw_only=True)
class LogCheck:
    """Blocks that are there, those of them with a checksum, and the LSNs (file:block) of those that fail it."""

    blocks: int = 0
    protected: int = 0
    bad: list[str] = field(default_factory=list)


def is_log_start(data: bytes) -> bool:
    """Whether the bytes behind page 0 are the first virtual log file's head."""
    return len(data) >= _VLF_HEAD and data[0] == VLF_MARK and u64(data, OFFSET_AT) == PAGE


def virtual_log_files(reader: RangeReader) -> tuple[list[VirtualLogFile], int]:
    """The chain of virtual log files, and where it ends. Each is at least a page long, so it ends."""
    files, offset = [], PAGE
    while offset + SECTOR <= reader.size:
        head = reader.get(offset, _VLF_HEAD)
        size = u64(head, SIZE_AT)
        if head[0] != VLF_MARK or u64(head, OFFSET_AT) != offset or size < PAGE or size % SECTOR:
            break
        files.append(VirtualLogFile(offset=offset, size=size, sequence=u32(head, SEQUENCE_AT)))
        offset += size
    return files, offset


def _blocks(reader: RangeReader, file: VirtualLogFile, first: int = 0) -> Iterator[tuple[int, int, int, bytes]]:
    """(offset, size, number, head) of each valid block, from block number `first` on."""
    offset, end = file.offset + (first * SECTOR or PAGE), file.offset + file.size
    while offset + _BLOCK_HEAD <= end:
        head = reader.get(offset, _BLOCK_HEAD, ahead=_AHEAD)
        if len(head) < _BLOCK_HEAD:
            return
        size, number = u16(head, BLOCK_SIZE_AT), (offset - file.offset) // SECTOR
        in_place = (u32(head, BLOCK_LSN_AT), u32(head, BLOCK_LSN_AT + 4)) == (file.sequence, number)
        if not in_place or not size or size % SECTOR or not head[0] & _IN_USE:
            return
        yield offset, size, number, head
        offset += size


def _operations(reader: RangeReader, offset: int, size: int) -> list[int | None] | None:
    """The operation code of each record of a block; None where the block is damaged or torn."""
    data = reader.get(offset, size, ahead=_AHEAD)
    if len(data) < size or (data[BLOCK_FLAGS_AT] & _HAS_CHECKSUM and block_error(data)):
        return None
    block, stamp = bytearray(data), data[0] & _STAMP
    for sector in range(1, size // SECTOR):
        if block[SECTOR * sector] & _STAMP != stamp:
            return None
        block[SECTOR * sector] = block[size - 1 - sector]
    count, used = u16(block, COUNT_AT), u16(block, USED_AT)
    if used > size or _LEAST_RECORD_AT + 2 * count > used:
        return None
    starts = [u16(block, used - 2 * (slot + 1)) for slot in range(count)]
    possible = range(_LEAST_RECORD_AT, used - _OPERATION_AT)
    return [block[start + _OPERATION_AT] if start in possible else None for start in starts]


def _logged_from(reader: RangeReader, used: list[VirtualLogFile], at: Lsn) -> tuple[int | None, ...] | None:
    """Operation codes from an LSN on, that one first; None where the log does not hold it. A damaged
    block ends them.
    """
    sequence, block, slot = at
    codes: list[int | None] = []
    for expected, file in enumerate([file for file in used if file.sequence >= sequence], sequence):
        if file.sequence != expected:
            break
        for offset, size, number, _head in _blocks(reader, file, block if file.sequence == sequence else 0):
            block_codes = _operations(reader, offset, size)
            if block_codes is None:
                return (*codes, None) if codes else None
            is_first = (file.sequence, number) == (sequence, block)
            codes += block_codes[max(slot, 1) - 1 :] if is_first else block_codes
            if len(codes) >= _ENOUGH:
                return tuple(codes)
    return tuple(codes) or None


def _end_of(reader: RangeReader, used: list[VirtualLogFile], checkpoint: Lsn | None) -> Lsn | None:
    """Where the next record would go: behind the last block whose own LSN fits its place."""
    active = used[-1]
    first = checkpoint[1] if checkpoint and checkpoint[0] == active.sequence else 0
    if first * SECTOR >= active.size or next(_blocks(reader, active, first), None) is None:
        first = 0
    blocks = deque(_blocks(reader, active, first), maxlen=1)
    if blocks:
        _offset, size, number, _head = blocks[0]
        return active.sequence, number + size // SECTOR, 1
    if len(used) > 1 and used[-2].sequence == active.sequence - 1:
        return active.sequence, PAGE // SECTOR, 1
    return None


def read_log(reader: RangeReader, checkpoint: Lsn | None) -> Log:
    """What a log file says; checkpoint: of the copy of the boot page in it."""
    files, end = virtual_log_files(reader)
    used = sorted((file for file in files if file.sequence), key=lambda file: file.sequence)
    if not used:
        return Log(files=tuple(files), end=end, active=None, end_lsn=None, operations=None)
    return Log(
        files=tuple(files),
        end=end,
        active=used[-1],
        end_lsn=_end_of(reader, used, checkpoint),
        operations=_logged_from(reader, used, checkpoint) if checkpoint else None,
    )


def check_log(reader: RangeReader) -> LogCheck:
    """Every valid block of every virtual log file in use, from its first to its last byte."""
    result = LogCheck()
    for file in virtual_log_files(reader)[0]:
        for offset, size, number, head in _blocks(reader, file) if file.sequence else ():
            result.blocks += 1
            if head[BLOCK_FLAGS_AT] & _HAS_CHECKSUM:
                result.protected += 1
                data = reader.get(offset, size, ahead=1 << 20)
                if len(data) < size or block_error(data):
                    result.bad.append(f"{file.sequence:08x}:{number:08x}")
    return result
