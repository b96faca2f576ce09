# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers, times, LSNs, GUIDs and texts as they lie in a backup file (little-endian, except for times).

A value that cannot be what it claims to be raises :class:`Damaged`: nothing is guessed, replaced or cut short.
"""

from __future__ import annotations

import struct
from datetime import datetime
from uuid import UUID

from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.errors import Damaged

__all__ = ["UNICODE", "addressed", "guid", "lsn", "moment", "text", "u16", "u32", "u64", "xor_words"]

ANSI, UNICODE = 1, 2
"""String types of MTF: only UTF-16LE was ever seen."""

_U16, _U32, _U64, _LSN = (struct.Struct(form).unpack_from for form in ("<H", "<I", "<Q", "<IIH"))
_NO_GUID = bytes(16)


def u16(data: bytes, offset: int) -> int:
    """Two bytes. Like the others it raises struct.error where the data end before."""
    return _U16(data, offset)[0]


def u32(data: bytes, offset: int) -> int:
    return _U32(data, offset)[0]


def u64(data: bytes, offset: int) -> int:
    return _U64(data, offset)[0]


def lsn(data: bytes, offset: int) -> int | None:
    """A log sequence number as SQL Server shows it (file, block and slot in decimal digits); None where it is empty."""
    file, block, slot = _LSN(data, offset)
    return file * 10**15 + block * 10**5 + slot or None


def guid(data: bytes, offset: int) -> str | None:
    """A GUID in lower case; None where it is empty."""
    raw = data[offset : offset + 16]
    if len(raw) != 16:
        raise Damaged("a GUID is cut off")
    return None if raw == _NO_GUID else str(UUID(bytes_le=raw))


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
    size, start = _U16(data, offset)[0], _U16(data, offset + 2)[0]
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
        return raw.decode("utf-16-le" if kind == UNICODE else "ascii").rstrip("\0")
    except UnicodeDecodeError:
        name = "UTF-16" if kind == UNICODE else "ASCII"
        raise Damaged(f"a name or description in it is no {name}") from None


def xor_words(data: bytes) -> int:
    """The words of 16 bits xor-ed together, at most 32 of them: the checksum of MTF's headers."""
    folded = int.from_bytes(data, "little")
    for bits in (256, 128, 64, 32, 16):
        folded ^= folded >> bits
    return folded & 0xFFFF
