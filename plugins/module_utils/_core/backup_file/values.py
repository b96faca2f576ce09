# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers, times, LSNs, GUIDs and texts as they lie in a backup file (little-endian, except for times).

A value that cannot be what it claims to be raises :class:`Damaged`: nothing is guessed, replaced or cut short.
"""

from __future__ import annotations

import struct
from codecs import utf_16_le_decode
from datetime import datetime

from ..binary import values
from ..binary.values import Damaged, lsn_number, u16, u32, u64

__all__ = ["UNICODE", "addressed", "guid", "lsn", "moment", "text", "u16", "u32", "u64", "xor_words"]

ANSI, UNICODE = 1, 2
"""String types of MTF: only UTF-16LE was ever seen."""

_ADDRESS = struct.Struct("<HH").unpack_from


def lsn(data: bytes, offset: int) -> int | None:
    """A log sequence number as SQL Server shows it (file, block and slot in decimal digits); None where it is empty."""
    return lsn_number(values.lsn(data, offset))


def guid(data: bytes, offset: int) -> str | None:
    """A GUID in lower case; None where it is empty. Records of data files may end before one, those of backups not."""
    if len(data) < offset + 16:
        raise Damaged("a GUID is cut off")
    return values.guid(data, offset)


def moment(data: bytes, offset: int) -> datetime | None:
    """A time of MTF: 40 bits, big-endian: year 14, month 4, day 5, hour 5, minute 6, second 6; None where it is empty.

    It is the local time of the server that wrote it.
    """
    bits = int.from_bytes(data[offset : offset + 5], "big")
    if not bits:
        return None
    try:
        return datetime(bits >> 26, bits >> 22 & 15, bits >> 17 & 31, bits >> 12 & 31, bits >> 6 & 63, bits & 63)
    except ValueError:
        raise Damaged("a time in it is none that there is") from None


def addressed(data: bytes, offset: int) -> bytes:
    """The bytes that the pair (size, offset) at an offset points to, within the same block or record."""
    try:
        size, start = _ADDRESS(data, offset)
    except struct.error:
        raise Damaged("a structure is cut off") from None
    if not size:
        return b""
    if start + size > len(data):
        raise Damaged("a text lies outside of its block")
    return data[start : start + size]


def text(data: bytes, offset: int, *, kind: int = UNICODE) -> str:
    """The text that the pair (size, offset) at an offset points to; empty where there is none."""
    raw = addressed(data, offset)
    if not raw:
        return ""
    try:
        return (utf_16_le_decode(raw, "strict", True)[0] if kind == UNICODE else raw.decode("ascii")).rstrip("\0")
    except UnicodeDecodeError:
        name = "UTF-16" if kind == UNICODE else "ASCII"
        raise Damaged(f"a name or description in it is no {name}") from None


def xor_words(data: bytes) -> int:
    """The words of 16 bits xor-ed together, at most 32 of them: the checksum of MTF's headers."""
    folded = int.from_bytes(data, "little")
    for bits in (256, 128, 64, 32, 16):
        folded ^= folded >> bits
    return folded & 0xFFFF
