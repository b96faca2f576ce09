# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers, LSNs, GUIDs and times as SQL Server's files hold them (little-endian)."""

from __future__ import annotations

import struct
from codecs import utf_16_le_decode
from datetime import datetime, timedelta

__all__ = [
    "Damaged",
    "FileFormatError",
    "Lsn",
    "guid",
    "lsn",
    "lsn_number",
    "lsn_text",
    "server_time",
    "u16",
    "u32",
    "u64",
    "utf16",
]

Lsn = tuple[int, int, int]
"""A log sequence number: virtual log file, block in it (of 512 bytes), slot in the block."""

_U16, _U32, _U64, _LSN = (struct.Struct(form).unpack_from for form in ("<H", "<I", "<Q", "<IIH"))
_CUT_OFF = "a structure is cut off"
_NO_GUID = bytes(16)
_DAYS = range(-53690, 2958464)
"""The days of datetime, counted from 1900: 1753 to 9999."""
_TICKS_A_DAY = 24 * 3600 * 300


class FileFormatError(ValueError):
    """A file is not what it should be. The text is a clause for a person, without the file's name."""


class Damaged(FileFormatError):
    """A structure is missing, cut off, impossible or fails its checksum."""


def u16(data: bytes, offset: int) -> int:
    """Two bytes. Like the others it raises :class:`Damaged` where the data end before."""
    try:
        return _U16(data, offset)[0]
    except struct.error:
        raise Damaged(_CUT_OFF) from None


def u32(data: bytes, offset: int) -> int:
    try:
        return _U32(data, offset)[0]
    except struct.error:
        raise Damaged(_CUT_OFF) from None


def u64(data: bytes, offset: int) -> int:
    try:
        return _U64(data, offset)[0]
    except struct.error:
        raise Damaged(_CUT_OFF) from None


def lsn(data: bytes, offset: int) -> Lsn | None:
    """Ten bytes; None where they are empty."""
    try:
        value = _LSN(data, offset)
    except struct.error:
        raise Damaged(_CUT_OFF) from None
    return value if any(value) else None


def lsn_number(value: Lsn | None) -> int | None:
    """As RESTORE HEADERONLY and msdb show it: file, block (ten digits) and slot (five digits)."""
    return None if value is None else value[0] * 10**15 + value[1] * 10**5 + value[2]


def lsn_text(value: Lsn | None) -> str | None:
    """As sys.fn_dblog and the error log show it: hexadecimal, with colons."""
    return None if value is None else f"{value[0]:08x}:{value[1]:08x}:{value[2]:04x}"


def guid(data: bytes, offset: int = 0) -> str | None:
    """A GUID in lower case; None where it is empty or cut off."""
    raw = bytes(data[offset : offset + 16])
    if len(raw) != 16 or raw == _NO_GUID:
        return None
    first, rest = raw[3::-1] + raw[5:3:-1] + raw[7:5:-1], raw[8:].hex()  # its first three numbers are little-endian
    numbers = first.hex()
    return f"{numbers[:8]}-{numbers[8:12]}-{numbers[12:]}-{rest[:4]}-{rest[4:]}"


def server_time(data: bytes, offset: int) -> datetime | None:
    """datetime: 1/300 seconds, then days since 1900. The server's local time; None where it is empty or impossible."""
    ticks, days = u32(data, offset), int.from_bytes(data[offset + 4 : offset + 8], "little", signed=True)
    if not days or days not in _DAYS or ticks >= _TICKS_A_DAY:
        return None
    return datetime(1900, 1, 1) + timedelta(days=days, milliseconds=round(ticks * 10 / 3))


def utf16(data: bytes) -> str:
    """Text; what is no UTF-16 becomes U+FFFD, so that a damaged name can still be shown."""
    return utf_16_le_decode(data, "replace", True)[0]
