"""Compressed media: the blocks in frames, each with a checksum of its own, and a filler in front of each filemark."""

from __future__ import annotations

import struct
from collections.abc import Callable

from . import huffman

__all__ = [
    "ENCRYPTED",
    "FIRST_FRAME",
    "FRAME_HEADER",
    "PIECE",
    "SHORTEST_FILLER",
    "SHORTEST_INDEX",
    "SIGNATURE",
    "XPRESS_HUFFMAN",
    "filler",
    "frame",
    "frame_checksum",
    "frame_size",
    "index_filler",
    "is_filler",
    "unpack_frame",
]

SIGNATURE = b"MSSQLBAK"
FIRST_FRAME = 0x1E0
FRAME_HEADER = 28
XPRESS_HUFFMAN = 0x21
ENCRYPTED = 0x7F
"""Kind of frame that this twin gives to media WITH ENCRYPTION: what Microsoft's hold there is not known."""

SHORTEST_FILLER, SHORTEST_INDEX = 24, 72
PIECE = 126 * 512
"""Most bytes of a frame: even those that do not become shorter then have a length of 16 bits."""

_LANE = 128


def frame(piece: bytes, *, kind: int = XPRESS_HUFFMAN, pack: Callable[[bytes], bytes] = huffman.stored) -> bytes:
    """One frame; pack: what makes Xpress Huffman of it."""
    piece += bytes(-len(piece) % 512)
    packed = pack(piece)
    head = bytearray(b"\xaa" * FRAME_HEADER)
    struct.pack_into("<BBH", head, 0, kind, len(piece) // 512, len(packed))
    struct.pack_into("<I", head, 0x18, frame_checksum(packed))
    return bytes(head) + packed


def frame_checksum(packed: bytes) -> int:
    """Each word of 32 bits is xor-ed in after a turn to the left by one: so words 32 apart can be xor-ed first."""
    packed = bytes(-len(packed) % 4) if not packed else packed + bytes(-len(packed) % 4)
    lanes = int.from_bytes(bytes(-len(packed) % _LANE) + packed, "big")
    count = -(-len(packed) // _LANE)
    while count > 1:
        half = count + 1 >> 1
        lanes = (lanes >> 8 * _LANE * half) ^ (lanes & (1 << 8 * _LANE * half) - 1)
        count = half
    total = 0
    for (word,) in struct.iter_unpack("<I", lanes.to_bytes(_LANE, "big")):
        total = (total << 1 & 0xFFFFFFFF | total >> 31) ^ word
    return total


def filler(room: int) -> bytes:
    """What fills the room between the last frame and a filemark, SHORTEST_FILLER bytes at least."""
    data = bytearray(room)
    data[0] = 0x24
    struct.pack_into("<H", data, 2, room - 24)
    return bytes(data)


def index_filler(room: int, place: int, offset: int) -> bytes:
    """The same behind the frames of a set: it lists the last one, its place as unpacked and in the file.

    Real ones list others as well: those that hold less than 64 KiB. SHORTEST_INDEX bytes at least.
    """
    entries = struct.pack("<QQ", place, offset)
    data = bytearray(room)
    data[0] = 0x2C
    head = struct.pack("<HHIII", 1, 1, 1, room - 24, frame_checksum(entries))
    data[0x18:0x38] = head + entries
    data[-len(head) :] = head
    return bytes(data)


def is_filler(data: bytes) -> bool:
    return data[:1] in (b"\x24", b"\x2c")


def frame_size(head: bytes, *, kind: int = XPRESS_HUFFMAN) -> tuple[int, int] | None:
    """Bytes of the packed data and of what they hold, by the header of a frame; None where there is none."""
    packed = int.from_bytes(head[2:4], "little")
    if len(head) < FRAME_HEADER or head[0] != kind or not head[1] or packed <= huffman.TABLE:
        return None
    return packed, head[1] * 512


def unpack_frame(data: bytes) -> bytes:
    """What a frame holds. Raises ValueError where its checksum is wrong."""
    packed = data[FRAME_HEADER:]
    if frame_checksum(packed) != int.from_bytes(data[0x18:FRAME_HEADER], "little"):
        raise ValueError("a frame fails its checksum")
    return huffman.unpack(packed, data[1] * 512)
