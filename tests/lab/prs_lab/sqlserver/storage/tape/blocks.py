"""Blocks, their streams, and filemarks."""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable, Iterator, Sequence

from .values import Fields, xor16

__all__ = [
    "PAYLOAD_AT",
    "STREAM_HEADER",
    "around_data",
    "block",
    "data_block",
    "data_block_length",
    "filemark",
    "filemarks_before",
    "is_block",
    "placed",
    "stream",
    "streams_of",
]

BLOCK = 1024
ADDRESS = 0x14
"""Where a block tells its place in its part, in blocks."""
STREAM_HEADER = 22
_OWN_BYTES = {b"MSDA": (60, b"MQDA", b"\x00\x00"), b"MSTL": (592, b"MQTL", b"\x02\x00")}
"""Length of the fixed part, kind of stream, and the bytes of its own that the stream begins with."""

PAYLOAD_AT = {b"MSDA": 512, b"MSTL": 1024}
"""Where pages or log begin in their block: padded up to a multiple of 512."""


def stream(kind: bytes, data: bytes, *, media_attributes: int = 0, pad: bool = True) -> bytes:
    head = bytearray(STREAM_HEADER)
    head[0:4] = kind
    struct.pack_into("<HQ", head, 6, media_attributes, len(data))
    struct.pack_into("<H", head, 20, xor16(bytes(head[:20])))
    return bytes(head) + data + bytes(-(STREAM_HEADER + len(data)) % 4 if pad else 0)


def block(kind: bytes, fields: Fields, streams: Callable[[int], bytes] | bytes = b"", *, size: int = BLOCK) -> bytes:
    """A block with its streams, filled up by SPAD. streams: bytes, or what makes them of the offset they begin at."""
    data = fields.data
    data += bytes(-len(data) % 4)
    data[0:4] = kind
    data[0x30] = 2
    struct.pack_into("<H", data, 8, len(data))
    struct.pack_into("<H", data, 50, xor16(bytes(data[:50])))
    made = bytes(data) + (streams(len(data)) if callable(streams) else streams)
    return made + stream(b"SPAD", bytes((-len(made) - STREAM_HEADER) % size), pad=False)


def placed(data: bytes, at: int) -> bytes:
    """The blocks that data begin with, one behind the other, with their addresses: at is the place of the first in its
    part, in bytes. What follows the header of a block may be missing from the last one.
    """
    made, start = bytearray(data), 0
    while start < len(made):
        address = struct.pack("<Q", (at + start) // BLOCK)
        made[start + ADDRESS : start + ADDRESS + 8] = address
        struct.pack_into("<H", made, start + 50, xor16(bytes(made[start : start + 50])))
        try:
            start = _block_end(made, start)
        except struct.error:
            break
    return bytes(made)


def _block_end(data: bytearray, start: int) -> int:
    """Raises struct.error where the block ends behind data."""
    (at,) = struct.unpack_from("<H", data, start + 8)
    at += start
    while True:
        kind, length = struct.unpack_from("<4s4xQ6x", data, at)
        if kind == b"SPAD":
            return at + STREAM_HEADER + length
        at = start + (at - start + STREAM_HEADER + length + 3 & ~3)


def data_block(kind: bytes, data: bytes) -> bytes:
    """MSDA or MSTL: pages or log, which begin at a multiple of 512 behind two bytes of the stream's own."""
    before, behind = around_data(kind, len(data))
    return b"".join((before, data, behind))


@functools.lru_cache(maxsize=64)
def around_data(kind: bytes, length: int) -> tuple[bytes, bytes]:
    """What such a block has in front of so many bytes of data and behind them."""
    fixed, inner, own = _OWN_BYTES[kind]

    def make(offset: int) -> bytes:
        padding = (-(offset + 2 * STREAM_HEADER + len(own))) % 512
        head = stream(b"APAD", bytes(padding), media_attributes=0x80, pad=False)
        if inner == b"MQTL":
            return head + stream(inner, own + bytes(length))
        return head + stream(inner, own + bytes(length), media_attributes=2) + stream(inner, b"", media_attributes=6)

    made = block(kind, Fields(fixed), make)
    return made[: PAYLOAD_AT[kind]], made[PAYLOAD_AT[kind] + length :]


def data_block_length(kind: bytes, length: int) -> int:
    """Of the block that holds so many bytes of pages or log."""
    end = PAYLOAD_AT[kind] + length + 3 & ~3
    end += STREAM_HEADER + 2 if kind == b"MSDA" else 0
    return -(-(end + STREAM_HEADER) // BLOCK) * BLOCK


def is_block(data: bytes, kind: bytes) -> bool:
    """Whether data begin with a sound header of such a block."""
    return data[:4] == kind and len(data) >= 52 and xor16(data[:50]) == int.from_bytes(data[50:52], "little")


def streams_of(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The streams of the block that data begin with: kind, start and end of what is in each; SPAD is the last.

    Raises struct.error or ValueError where there is none.
    """
    (at,) = struct.unpack_from("<H", data, 8)
    kind = b""
    while kind != b"SPAD":
        kind, length, checksum = struct.unpack_from("<4s4xQ4xH", data, at)
        if xor16(data[at : at + 20]) != checksum:
            raise ValueError("no stream")
        yield kind, at + STREAM_HEADER, at + STREAM_HEADER + length
        at = at + STREAM_HEADER + length + 3 & ~3


def filemark(before: Sequence[int], size: int, *, release: int = 13) -> bytes:
    """release: major version of the server; before 2008 the list begins where its offset stands later."""
    start = 0x3C if release < 10 else 0x48
    room = (size - start) // 8
    data = Fields(size)
    data.raw(0, b"SFMB")
    data.put(4, "I", 0 if release < 10 else 1 << 31)
    data.put(0x34, "II", room, len(before))
    if release >= 10:
        data.put(0x3C, "I", start)
    for number, offset in enumerate(before[::-1][:room]):
        data.put(start + 8 * number, "Q", offset)
    data.put(50, "H", xor16(bytes(data.data[:50])))
    return bytes(data.data)


def filemarks_before(data: bytes) -> tuple[list[int], bool]:
    """What a filemark lists, the newest first, and whether that is all. Raises struct.error."""
    room, used, start = struct.unpack_from("<III", data, 0x34)
    if not data[7] & 0x80:
        start = 0x3C
    count = min(room, used)
    return list(struct.unpack_from(f"<{count}Q", data, start)), used <= room
