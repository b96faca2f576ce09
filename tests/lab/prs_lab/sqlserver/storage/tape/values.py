"""Times, LSNs, GUIDs, texts and checksums as they lie in a backup file, written and read."""

from __future__ import annotations

import struct
import uuid
from datetime import datetime
from typing import Any

__all__ = ["Fields", "address", "guid", "lsn", "moment", "number", "raw_guid", "raw_lsn", "raw_moment", "text", "xor16"]


def raw_moment(value: datetime | None) -> bytes:
    """Five bytes, big-endian: year 14 bits, month 4, day 5, hour 5, minute 6, second 6; zeros: none."""
    if value is None:
        return bytes(5)
    bits = value.year << 26 | value.month << 22 | value.day << 17
    return (bits | value.hour << 12 | value.minute << 6 | value.second).to_bytes(5, "big")


def moment(data: bytes, offset: int) -> datetime | None:
    bits = int.from_bytes(data[offset : offset + 5], "big")
    if not bits:
        return None
    return datetime(bits >> 26, bits >> 22 & 15, bits >> 17 & 31, bits >> 12 & 31, bits >> 6 & 63, bits & 63)


def raw_lsn(value: int) -> bytes:
    return struct.pack("<IIH", value // 10**15, value // 10**5 % 10**10, value % 10**5)


def lsn(data: bytes, offset: int) -> int:
    vlf, block, slot = struct.unpack_from("<IIH", data, offset)
    return vlf * 10**15 + block * 10**5 + slot


def raw_guid(value: str | None) -> bytes:
    return uuid.UUID(value).bytes_le if value else bytes(16)


def guid(data: bytes, offset: int) -> uuid.UUID | None:
    raw = data[offset : offset + 16]
    return uuid.UUID(bytes_le=raw) if any(raw) else None


def number(data: bytes, offset: int, form: str) -> Any:
    """One little-endian number; form as in :mod:`struct`."""
    return struct.unpack_from("<" + form, data, offset)[0]


def address(data: bytes, offset: int) -> bytes:
    """What the pair (size, offset) at an offset points to."""
    size, start = struct.unpack_from("<HH", data, offset)
    return data[start : start + size]


def text(data: bytes, offset: int) -> str | None:
    """A text in UTF-16; None where there is none."""
    return address(data, offset).decode("utf-16-le").rstrip("\0") or None


def xor16(data: bytes) -> int:
    """The words of 16 bits xor-ed together, at most 32 of them."""
    folded = int.from_bytes(data, "little")
    for bits in (256, 128, 64, 32, 16):
        folded ^= folded >> bits
    return folded & 0xFFFF


class Fields:
    """A block or record: a fixed part, and texts behind it that addresses in it point to."""

    def __init__(self, length: int) -> None:
        self.data = bytearray(length)

    def put(self, offset: int, form: str, *values: int) -> None:
        struct.pack_into("<" + form, self.data, offset, *values)

    def raw(self, offset: int, value: bytes) -> None:
        self.data[offset : offset + len(value)] = value

    def address(self, offset: int, value: bytes) -> None:
        """The address is written even for nothing: records tell by one of them where their texts begin."""
        self.put(offset, "HH", len(value), len(self.data))
        self.data += value

    def text(self, offset: int, value: str) -> None:
        self.address(offset, value.encode("utf-16-le", "surrogatepass"))
