# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""LZ77 with Huffman codes as [MS-XCA] 2.2 describes it ("Xpress Huffman"), undone.

Each chunk of 64 KiB begins with 256 bytes, the lengths of the 512 codes: 256 of single bytes, then 256 of matches,
whose low four bits tell their length and whose high four bits how many bits of their distance follow. Codes come in
words of 16 bits; longer lengths of matches lie in bytes between them.
"""

from __future__ import annotations

from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.errors import Damaged

__all__ = ["TABLE", "unpack", "unpack_whole"]

CHUNK = 65536
TABLE = 256
"""Bytes that packed data begin with, at least."""
LONGEST_CODE = 15
SHORTEST_MATCH = 3
MOST_UNREAD = 4
"""Bytes that may be left where all is unpacked: the sign of the end (0 or 2 in 85 frames)."""


def unpack(packed: bytes, size: int) -> bytes:
    """The first bytes of what was packed, size of them at least where there are that many; raises :class:`Damaged`.

    size: may be less than all, which is sooner done.
    """
    return _unpacked(packed, size)[0]


def unpack_whole(packed: bytes, size: int) -> bytes:
    """All that was packed, which is so many bytes: more and less raise :class:`Damaged` as well."""
    unpacked, at = _unpacked(packed, size)
    if len(unpacked) != size or len(packed) - at > MOST_UNREAD:
        raise Damaged("packed data hold more than they tell")
    return unpacked


def _unpacked(packed: bytes, size: int) -> tuple[bytes, int]:
    """And how many bytes of what is packed it took."""
    out = bytearray()
    at = 0
    try:
        while len(out) < size:
            if at + TABLE > len(packed):
                raise Damaged("packed data end too early")
            codes = _codes(packed[at : at + TABLE])
            at = _chunk(packed, at + TABLE, codes, out, min(size, len(out) + CHUNK))
    except IndexError:
        raise Damaged("packed data end too early") from None
    return bytes(out), at


def _codes(lengths: bytes) -> list[int]:
    """What each string of 15 bits begins with: symbol << 4 | length of its code."""
    by_length: list[list[int]] = [[] for _length in range(LONGEST_CODE + 1)]
    for symbol, pair in enumerate(lengths):
        if pair:
            by_length[pair & 15].append(2 * symbol)
            by_length[pair >> 4].append(2 * symbol + 1)
    codes: list[int] = []
    for length in range(1, LONGEST_CODE + 1):
        for symbol in by_length[length]:
            codes += [symbol << 4 | length] * (1 << LONGEST_CODE - length)
    if len(codes) != 1 << LONGEST_CODE:
        raise Damaged("packed data have an impossible table of codes")
    return codes


def _chunk(packed: bytes, at: int, codes: list[int], out: bytearray, stop: int) -> int:
    """Unpack up to a length of out, or a little more; where the next chunk begins. Raises IndexError at the end."""
    bits = (packed[at] | packed[at + 1] << 8) << 16 | packed[at + 2] | packed[at + 3] << 8
    at, ahead, done = at + 4, 32, len(out)  # bits that are read and not used yet: at least 16 of them, always
    while done < stop:
        code = codes[bits >> ahead - 15 & 0x7FFF]
        ahead -= code & 15
        if ahead < 16:
            bits = (bits & 0xFFFF) << 16 | packed[at] | packed[at + 1] << 8
            at, ahead = at + 2, ahead + 16
        if code < 256 << 4:
            out.append(code >> 4)
            done += 1
            continue
        length, width = code >> 4 & 15, (code >> 8) - 16
        if length == 15:
            length, at = 15 + packed[at], at + 1
            if length == 270:
                length, at = packed[at] | packed[at + 1] << 8, at + 2
                if not length:
                    length, at = int.from_bytes(packed[at : at + 4], "little"), at + 4
        length += SHORTEST_MATCH
        ahead -= width
        distance = (1 << width) + (bits >> ahead & (1 << width) - 1)
        if ahead < 16:
            bits = (bits & 0xFFFF) << 16 | packed[at] | packed[at + 1] << 8
            at, ahead = at + 2, ahead + 16
        if distance > done or length > CHUNK:
            raise Damaged("packed data point outside of themselves")
        if distance >= length:
            out += out[done - distance : done - distance + length]
        else:
            out += (out[done - distance :] * (length // distance + 1))[:length]
        done += length
    return at
