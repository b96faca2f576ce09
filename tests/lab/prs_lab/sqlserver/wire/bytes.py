"""The little alphabet of TDS: numbers in little endian, strings in UTF-16 with their lengths before them."""

from __future__ import annotations

import struct

__all__ = ["Reader", "short_text", "text", "utf16"]


class Reader:
    """Reads a message from left to right. Raises ValueError when it ends too early."""

    __slots__ = ("data", "place")

    def __init__(self, data: bytes, place: int = 0) -> None:
        self.data = data
        self.place = place

    def more(self) -> bool:
        return self.place < len(self.data)

    def peek(self) -> int:
        return self.data[self.place]

    def take(self, length: int) -> bytes:
        taken = self.data[self.place : self.place + length]
        if length < 0 or len(taken) != length:
            raise ValueError("the message ends in the middle of a value")
        self.place += length
        return taken

    def number(self, size: int, *, signed: bool = False) -> int:
        return int.from_bytes(self.take(size), "little", signed=signed)

    def byte(self) -> int:
        return self.number(1)

    def short_text(self) -> str:
        """One byte of length (in characters), then the text."""
        return self.take(2 * self.byte()).decode("utf-16-le", "surrogatepass")

    def text(self) -> str:
        """Two bytes of length (in characters), then the text."""
        return self.take(2 * self.number(2)).decode("utf-16-le", "surrogatepass")


def utf16(value: str) -> bytes:
    return value.encode("utf-16-le", "surrogatepass")


def short_text(value: str) -> bytes:
    """B_VARCHAR; cut at 255 UTF-16 units."""
    encoded = utf16(value)[:510]
    return bytes([len(encoded) // 2]) + encoded


def text(value: str) -> bytes:
    """US_VARCHAR; cut at 65,535 UTF-16 units."""
    encoded = utf16(value)[:131070]
    return struct.pack("<H", len(encoded) // 2) + encoded
