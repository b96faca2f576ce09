"""LZ77 with Huffman codes as [MS-XCA] 2.2 describes it: packed in two ways, and unpacked."""

from __future__ import annotations

import array
import struct

__all__ = ["stored", "unpack", "xpress_huffman"]

CHUNK = 65536
TABLE = 256
_STORED_TABLE = b"\x88" * 128 + bytes(128)
"""Every byte has a code of eight bits, which is the byte itself, and no match has any."""


def stored(data: bytes) -> bytes:
    """Valid, and no shorter than before: for what is compressed already, at no cost. data: an even number of bytes."""
    return b"".join(_STORED_TABLE + _swapped(data[at : at + CHUNK]) + b"\0\0" for at in range(0, len(data), CHUNK))


def _swapped(data: bytes) -> bytes:
    """Codes fill words of 16 bits from their high end, and the words are little-endian."""
    words = array.array("H", data)
    words.byteswap()
    return words.tobytes()


def xpress_huffman(data: bytes) -> bytes:
    """With one table of codes, nine bits for each of the 512 symbols: simple, valid, of all features."""
    out = bytearray()
    for start in range(0, len(data), CHUNK):
        out += b"\x99" * 256
        _pack_chunk(data, start, min(len(data), start + CHUNK), out)
    return bytes(out)


class _Bits:
    """Bits go into words of 16 that were kept free before; bytes go behind them."""

    def __init__(self, out: bytearray) -> None:
        self.out = out
        self.places = [len(out), len(out) + 2]
        out += bytes(4)
        self.bits, self.free = 0, 16

    def put(self, count: int, value: int) -> None:
        if self.free >= count:
            self.free -= count
            self.bits = self.bits << count | value
            return
        spill = count - self.free
        struct.pack_into("<H", self.out, self.places[0], self.bits << self.free & 0xFFFF | value >> spill)
        self.places = [self.places[1], len(self.out)]
        self.out += bytes(2)
        self.bits, self.free = value & (1 << spill) - 1, 16 - spill

    def close(self) -> None:
        struct.pack_into("<H", self.out, self.places[0], self.bits << self.free & 0xFFFF)


def _pack_chunk(data: bytes, at: int, end: int, out: bytearray) -> None:
    bits, seen = _Bits(out), {}
    while at < end:
        key = data[at : at + 3]
        before = seen.get(key)
        seen[key] = at
        if before is None or at - before > 65535 or end - at < 3:
            bits.put(9, data[at])
            at += 1
            continue
        length = 3
        while at + length < end and length < 65535 and data[before + length] == data[at + length]:
            length += 1
        width = (at - before).bit_length() - 1
        bits.put(9, 256 + min(length - 3, 15) + 16 * width)
        if length - 3 >= 15:
            out.append(min(length - 18, 255))
            if length - 18 >= 255:
                out += struct.pack("<H", length - 3)
        bits.put(width, at - before - (1 << width))
        at += length
    bits.close()


def unpack(packed: bytes, size: int) -> bytes:
    """Undone, bit by bit; raises ValueError or IndexError where that does not go."""
    if packed[:256] == _STORED_TABLE and size <= CHUNK:
        return _swapped(packed[256 : 256 + size])
    out, at = bytearray(), 0
    while len(out) < size:
        at = _unpack_chunk(packed, at, out, min(size, len(out) + CHUNK))
    return bytes(out)


def _code_table(lengths: bytes) -> dict[tuple[int, int], int]:
    """(length, code) -> symbol. Codes count upwards by length, then by symbol."""
    pairs = [
        (half, 2 * place + turn)
        for place, both in enumerate(lengths)
        for turn, half in enumerate((both & 15, both >> 4))
    ]
    codes, code, before = {}, 0, 0
    for length, symbol in sorted(pair for pair in pairs if pair[0]):
        code <<= length - before
        codes[length, code] = symbol
        code, before = code + 1, length
    return codes


class _BitReader:
    """Words of 16 bits are read one ahead of need; bytes lie between them, behind the last word read."""

    def __init__(self, data: bytes, at: int) -> None:
        self.data, self.at, self.bits, self.count = data, at, 0, 0
        self._word()
        self._word()

    def _word(self) -> None:
        self.bits = self.bits << 16 | self.data[self.at] | self.data[self.at + 1] << 8
        self.at, self.count = self.at + 2, self.count + 16

    def take(self, count: int) -> int:
        self.count -= count
        value = self.bits >> self.count & (1 << count) - 1
        self.bits &= (1 << self.count) - 1
        if self.count < 16:
            self._word()
        return value

    def code(self, codes: dict[tuple[int, int], int]) -> int:
        for length in range(1, 16):
            symbol = codes.get((length, self.bits >> self.count - length))
            if symbol is not None:
                self.take(length)
                return symbol
        raise ValueError("no such code")

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]


def _unpack_chunk(packed: bytes, at: int, out: bytearray, stop: int) -> int:
    codes, reader = _code_table(packed[at : at + 256]), _BitReader(packed, at + 256)
    while len(out) < stop:
        symbol = reader.code(codes)
        if symbol < 256:
            out.append(symbol)
            continue
        length, width = symbol & 15, symbol - 256 >> 4
        if length == 15:
            length += reader.byte()
            if length == 270:
                length = reader.byte() | reader.byte() << 8
        distance = (1 << width) + (reader.take(width) if width else 0)
        if distance > len(out):
            raise ValueError("a match before the beginning")
        for _ in range(length + 3):
            out.append(out[-distance])
    return reader.at
