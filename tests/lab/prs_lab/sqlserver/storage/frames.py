"""The framing of backup media: a preamble, then frames, each with a checked head."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import BinaryIO

__all__ = ["PREAMBLE", "BadFrame", "EndOfData", "Frame", "find_frame", "read_frame", "write_frame"]

PREAMBLE = b"PRSLAB-BACKUP\r\n\x1a"
_HEAD = struct.Struct("<4s4sBIIIIH")
_MAGIC = b"PRSF"
_CHECKED, _COMPRESSED, _ENCRYPTED = 1, 2, 4


class BadFrame(Exception):
    """What stands here is no frame."""


class EndOfData(Exception):
    """The file ends in the middle of a frame."""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A frame's head. kind: LABL HEAD PAGE LOGR TAIL; sequence counts the PAGE and LOGR frames of a set over all its
    families.
    """

    kind: str
    sequence: int
    length: int
    plain_length: int
    checksum: int
    checked: bool
    compressed: bool
    encrypted: bool
    offset: int

    @property
    def end(self) -> int:
        return self.offset + _HEAD.size + self.length

    def payload(self, file: BinaryIO) -> bytes:
        """The stored bytes. Raises EndOfData."""
        file.seek(self.offset + _HEAD.size)
        data = file.read(self.length)
        if len(data) < self.length:
            raise EndOfData
        return data

    def intact(self, data: bytes) -> bool:
        """Whether the stored bytes are what was written; without checksums nobody can tell."""
        return not self.checked or zlib.crc32(data) == self.checksum


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
    """The bytes of a frame with this (already compressed, encrypted) payload."""
    flags = _CHECKED * checked + _COMPRESSED * compressed + _ENCRYPTED * encrypted
    plain = len(data) if plain_length is None else plain_length
    head = _HEAD.pack(_MAGIC, kind.encode(), flags, sequence, len(data), plain, zlib.crc32(data) if checked else 0, 0)[
        :-2
    ]
    return head + _head_check(head) + data


def _head_check(head: bytes) -> bytes:
    return struct.pack("<H", zlib.crc32(head) & 0xFFFF)


def find_frame(file: BinaryIO, offset: int, *, size: int) -> int:
    """Where the next frame begins from `offset` on, after something that is none; `size` when there is no other."""
    while offset < size:
        file.seek(offset)
        data = file.read(1 << 16)
        found = data.find(_MAGIC)
        while found >= 0:
            try:
                read_frame(file, offset + found, size=size)
                return offset + found
            except (BadFrame, EndOfData):
                found = data.find(_MAGIC, found + 1)
        offset += max(1, len(data) - len(_MAGIC) + 1)
    return size


def read_frame(file: BinaryIO, offset: int, *, size: int) -> Frame | None:
    """The frame at `offset` of a file of `size` bytes, None at the end of the file. Raises BadFrame, EndOfData."""
    if offset >= size:
        return None
    file.seek(offset)
    data = file.read(_HEAD.size)
    if len(data) < _HEAD.size:
        raise EndOfData
    magic, kind, flags, sequence, length, plain, checksum, _ = _HEAD.unpack(data)
    if magic != _MAGIC or data[-2:] != _head_check(data[:-2]):
        raise BadFrame
    frame = Frame(
        kind=kind.decode("ascii", "replace"),
        sequence=sequence,
        length=length,
        plain_length=plain,
        checksum=checksum,
        checked=bool(flags & _CHECKED),
        compressed=bool(flags & _COMPRESSED),
        encrypted=bool(flags & _ENCRYPTED),
        offset=offset,
    )
    if frame.end > size:
        raise EndOfData
    return frame
