"""What this twin keeps in the data streams of a backup, where a real server keeps pages and log: frames, each with a
checked head.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from .tape.blocks import PAYLOAD_AT, around_data, data_block, data_block_length, placed
from .tape.reader import Part

__all__ = ["BadFrame", "EndOfData", "Frame", "InvalidData", "find_frame", "read_frame", "write_frame"]

_HEAD = struct.Struct("<4s4sBIIIIH")
_MAGIC = b"PRSF"
_CHECKED, _COMPRESSED, _ENCRYPTED = 1, 2, 4
_BLOCKS = {"PAGE": b"MSDA"}
"""Kind of block by kind of frame; all others lie in MSTL."""


class BadFrame(Exception):
    """What stands here is no frame."""


class InvalidData(BadFrame):
    """What stands here cannot be unpacked."""


class EndOfData(Exception):
    """The file ends in the middle of a frame."""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A frame's head. kind: HEAD PAGE LOGR TAIL; sequence counts the PAGE and LOGR frames of a set over all its
    families. block: where its block begins in the part.
    """

    kind: str
    sequence: int
    length: int
    plain_length: int
    checksum: int
    checked: bool
    compressed: bool
    encrypted: bool
    part: Part
    block: int

    @property
    def _block_kind(self) -> bytes:
        return _BLOCKS.get(self.kind, b"MSTL")

    @property
    def offset(self) -> int:
        """Where in the file it begins; of a packed one, where that does in which it begins."""
        return self.part.place(self.block + PAYLOAD_AT[self._block_kind])

    @property
    def end(self) -> int:
        """Where in the part the next block begins."""
        return self.block + data_block_length(self._block_kind, _HEAD.size + self.length)

    def payload(self) -> bytes:
        """The stored bytes. Raises EndOfData, BadFrame."""
        data = _read(self.part, self.block + PAYLOAD_AT[self._block_kind] + _HEAD.size, self.length)
        if len(data) < self.length:
            raise EndOfData
        return data

    def intact(self, data: bytes) -> bool:
        """Whether the stored bytes are what was written; without checksums nobody can tell."""
        return not self.checked or zlib.crc32(data) == self.checksum

    def block_intact(self) -> bool:
        """Whether what surrounds the frame in its block is what was written; without checksums nobody can tell."""
        if not self.checked:
            return True
        start = PAYLOAD_AT[self._block_kind]
        before, behind = around_data(self._block_kind, _HEAD.size + self.length)
        end = self.block + start + _HEAD.size + self.length
        before = placed(before, self.block)
        return _read(self.part, self.block, start) == before and _read(self.part, end, len(behind)) == behind


def write_frame(
    kind: str,
    data: bytes,
    *,
    sequence: int = 0,
    plain_length: int | None = None,
    checked: bool = True,
    compressed: bool = False,
    encrypted: bool = False,
) -> bytes:
    """The block that holds a frame with this (already compressed, encrypted) payload."""
    flags = _CHECKED * checked + _COMPRESSED * compressed + _ENCRYPTED * encrypted
    plain = len(data) if plain_length is None else plain_length
    head = _HEAD.pack(_MAGIC, kind.encode(), flags, sequence, len(data), plain, zlib.crc32(data) if checked else 0, 0)[
        :-2
    ]
    return data_block(_BLOCKS.get(kind, b"MSTL"), head + _head_check(head) + data)


def _head_check(head: bytes) -> bytes:
    return struct.pack("<H", zlib.crc32(head) & 0xFFFF)


def _read(part: Part, at: int, length: int) -> bytes:
    try:
        return part.read(at, length)
    except ValueError as error:
        raise InvalidData from error


def find_frame(part: Part, at: int) -> int | None:
    """Where the next block with a frame begins from a place on, after something that is none."""
    while at < part.length:
        at += 512
        for kind, start in PAYLOAD_AT.items():
            try:
                if part.read(at, 4) == kind and part.read(at + start, 4) == _MAGIC:
                    return at
            except ValueError:
                continue
    return None


def read_frame(part: Part, at: int) -> Frame:
    """The frame in the block there. Raises BadFrame, EndOfData."""
    kind = _read(part, at, 4)
    if len(kind) < 4:
        raise EndOfData
    if kind not in PAYLOAD_AT:
        raise BadFrame
    data = _read(part, at + PAYLOAD_AT[kind], _HEAD.size)
    if len(data) < _HEAD.size:
        raise EndOfData
    magic, frame_kind, flags, sequence, length, plain, checksum, _ = _HEAD.unpack(data)
    if magic != _MAGIC or data[-2:] != _head_check(data[:-2]):
        raise BadFrame
    frame = Frame(
        kind=frame_kind.decode("ascii", "replace"),
        sequence=sequence,
        length=length,
        plain_length=plain,
        checksum=checksum,
        checked=bool(flags & _CHECKED),
        compressed=bool(flags & _COMPRESSED),
        encrypted=bool(flags & _ENCRYPTED),
        part=part,
        block=at,
    )
    if frame.end > part.length:
        raise EndOfData
    return frame
