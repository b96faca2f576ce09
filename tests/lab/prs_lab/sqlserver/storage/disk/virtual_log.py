"""Virtual log files of a log: their heads, and blocks with a checkpoint or commits in them."""

from __future__ import annotations

import struct

from .page import SECTOR, fold, turned

__all__ = ["BEGIN_CHECKPOINT", "CHECKPOINT", "COMMIT", "head", "log_blocks"]

BEGIN_CHECKPOINT, _END_CHECKPOINT, _BEGIN, _COMMIT = 0x96, 0x99, 0x80, 0x81
CHECKPOINT, COMMIT = (BEGIN_CHECKPOINT, _END_CHECKPOINT), (_BEGIN, _COMMIT)
"""Operations of the records of a checkpoint, and of a transaction."""
_MARK, _LAYOUT, _PARITY, _USED_BLOCK, _HAS_CHECKSUM = 0xAB, 5, 0x40, 0x10, 0x02
_RECORDS_AT, _RECORD = 0x30, 32
_MOST_SECTORS = 96
"""Of one block; SQL Server's own are at most 60 KB long."""


def head(*, offset: int, size: int, sequence: int) -> bytes:
    """Of a virtual log file; sequence 0: it was never used."""
    parity = _parity(sequence) if sequence else 0
    data = struct.pack("<BBHI4xIQQ", _MARK, parity, _LAYOUT, sequence, int(bool(sequence)), size, offset)
    return data.ljust(SECTOR, b"\0")


def _parity(sequence: int) -> int:
    """It changes with each use of the room."""
    return _PARITY << sequence % 2


def log_blocks(sequence: int, first: int, sectors: int, operations: tuple[int, ...]) -> bytes:
    """Blocks that fill so many sectors from block number `first` on; the records are in the first of them."""
    parts = []
    while sectors > 0:
        size = min(sectors, _MOST_SECTORS)
        parts.append(_block(sequence, first, size, operations))
        first, sectors, operations = first + size, sectors - size, ()
    return b"".join(parts)


def _block(sequence: int, number: int, sectors: int, operations: tuple[int, ...]) -> bytes:
    """A block: a checksum, and a stamp at the beginning of each further sector."""
    size = sectors * SECTOR
    data = bytearray(size)
    parity = _parity(sequence)
    data[0] = parity | _USED_BLOCK
    used = _RECORDS_AT + (_RECORD + 2) * len(operations)
    struct.pack_into("<HHHHH", data, 2, len(operations), used, size, _HAS_CHECKSUM, 0)
    struct.pack_into("<IIH", data, 12, sequence, number, 1)
    for slot, operation in enumerate(operations):
        start = _RECORDS_AT + _RECORD * slot
        struct.pack_into("<H", data, start + 2, _RECORD)
        data[start + 0x16] = operation
        struct.pack_into("<H", data, used - 2 * (slot + 1), start)
    for sector in range(1, sectors):
        data[size - 1 - sector] = data[SECTOR * sector]
        data[SECTOR * sector] = parity
    struct.pack_into("<I", data, 24, _checksum(bytes(data)))
    return bytes(data)


def _checksum(block: bytes) -> int:
    sectors = len(block) // SECTOR
    sums = struct.unpack("<" + "I508x" * sectors, fold(int.from_bytes(block, "little")).to_bytes(len(block), "little"))
    result = 0
    for place, word in enumerate(sums):
        result ^= turned(word, sectors - 1 - place)
    return result
