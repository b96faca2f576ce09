"""Parts of backup files for the verb that judges them, made with nothing but Python."""

from __future__ import annotations

import struct

__all__ = ["FILEMARK", "block", "changed", "filler", "frame", "index", "page", "stream"]

PAGE, SECTOR = 8192, 512


def turned(total: int, *, by: int = 1) -> int:
    return (total << by | total >> 32 - by) & 0xFFFFFFFF


def words_of_16(data: bytes) -> int:
    total = 0
    for (word,) in struct.iter_unpack("<H", data):
        total ^= word
    return total


def frame(packed: bytes, *, damaged: bool = False) -> bytes:
    total = 0
    for (word,) in struct.iter_unpack("<I", packed + bytes(-len(packed) % 4)):
        total = turned(total) ^ word
    return b"\x21\x7f" + struct.pack("<H20xI", len(packed), total ^ damaged) + packed


def filler(room: int) -> bytes:
    return b"\x24\x00" + struct.pack("<H", room - 24) + bytes(room - 4)


def index(room: int, *entries: tuple[int, int], form: int = 0x10001) -> bytes:
    """A filler that lists frames."""
    listed, total = b"".join(struct.pack("<QQ", *entry) for entry in entries), 0
    for (word,) in struct.iter_unpack("<I", listed):
        total = turned(total) ^ word
    head = struct.pack("<IIII", form, len(entries), room - 24, total)
    return b"\x2c" + bytes(23) + head + listed + bytes(room - 56 - len(listed)) + head


def changed(data: bytes, at: int) -> bytes:
    """With another bit in a byte."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at:][1:]


def block(kind: bytes, *streams: bytes) -> bytes:
    header = bytearray(52)
    header[0:4], header[8] = kind, 52
    header[50:52] = words_of_16(bytes(header)).to_bytes(2, "little")
    return bytes(header) + b"".join(streams) + stream(b"SPAD", bytes(6), pad=False)


def stream(kind: bytes, data: bytes, *, length: int | None = None, pad: bool = True) -> bytes:
    """length: that it tells, where that is not its own."""
    header = struct.pack("<4s4xQ4x", kind, len(data) if length is None else length)
    header += words_of_16(header).to_bytes(2, "little")
    return header + data + bytes(-(len(header) + len(data)) % 4 if pad else 0)


def page(number: int, *, protection: str, damaged: bool = False) -> bytes:
    """protection: checksum, torn (bits at the end of each sector) or none."""
    data = bytearray(
        struct.pack("<BB2xH26xIH", 1, 1, {"checksum": 0x200, "torn": 0x100, "none": 0}[protection], number, 3)
    )
    data += bytes((number + at * at) % 251 for at in range(PAGE - len(data)))
    data[0x3C:0x40] = bytes(4)
    total = 0
    for at in range(0, PAGE, SECTOR):
        if protection == "torn" and at:
            data[at + SECTOR - 1] = data[at + SECTOR - 1] & 0xFC | 2
        total = turned(total)
        for (word,) in struct.iter_unpack("<I", bytes(data[at : at + SECTOR])):
            total ^= word
    data[0x3C:0x40] = struct.pack("<I", {"checksum": total, "torn": 2, "none": 0}[protection])
    data[5119] ^= damaged
    return bytes(data)


FILEMARK = block(b"SFMB")[:52] + bytes(SECTOR - 52)
