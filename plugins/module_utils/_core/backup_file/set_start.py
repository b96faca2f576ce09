# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SSET and VOLB, the first two blocks of a backup set: its names, its GUID, the time zone."""

from __future__ import annotations

from typing import Any

from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.blocks import (
    HEADER,
    OS_DATA,
    SSET,
    STRING_TYPE,
    VOLB,
    is_block,
    require_block,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.errors import Damaged
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.values import (
    addressed,
    guid,
    moment,
    text,
    u16,
)

__all__ = ["has_password", "is_time_zone", "machine_name", "read_set_start", "started"]

VENDOR = 0x3C  # u16: SoftwareVendorId (seen)
POSITION = 0x3E  # u16: place of the set in the file, from 1 (proven)
NAME, DESCRIPTION, PASSWORD, USER = 0x40, 0x44, 0x48, 0x4C  # size and offset (seen)
STARTED = 0x58  # time: the same as in the records (proven)
VERSION = 0x5D  # u8, u8: major and minor of the server (proven)
TIME_ZONE = 0x5F  # i8: quarters of an hour east of UTC (seen: -32 to 44, quarters among them); 127 unknown (documented)
UNKNOWN_TIME_ZONE = 127

# In the data of the writing program, 21 bytes (OS_DATA of the block's header):
SET_GUID = 0x00  # BackupSetGUID (proven: the base that later differentials name)
EXPIRES = 0x10  # time: ExpirationDate (seen once)
OS_DATA_LENGTH = 0x15

MACHINE = 0x40  # size and offset in VOLB: MachineName (proven)


def read_set_start(data: bytes) -> dict[str, Any]:
    """Columns of RESTORE HEADERONLY that SSET tells; data begin with it. Raises :class:`Damaged`."""
    require_block(data, 0, SSET, where="at the start of a set")
    kind, own = data[STRING_TYPE], addressed(data, OS_DATA)
    if len(own) < OS_DATA_LENGTH:
        raise Damaged("the start of the set holds no GUID: it is no backup of SQL Server 2005 or later")
    zone = int.from_bytes(data[TIME_ZONE : TIME_ZONE + 1], "little", signed=True)
    return {
        "BackupName": text(data, NAME, kind=kind) or None,
        "BackupDescription": text(data, DESCRIPTION, kind=kind) or None,
        "UserName": text(data, USER, kind=kind) or None,
        "SoftwareVendorId": u16(data, VENDOR),
        "Position": u16(data, POSITION),
        "TimeZone": zone,
        "BackupSetGUID": guid(own, SET_GUID),
        "ExpirationDate": moment(own, EXPIRES),
    }


def is_time_zone(quarter_hours: int) -> bool:
    """Whether clocks may differ so much from UTC: from 12 hours behind it to 14 hours before it."""
    return -48 <= quarter_hours <= 56 or quarter_hours == UNKNOWN_TIME_ZONE


def has_password(data: bytes) -> bool:
    """Whether RESTORE asks for a password of the set (seen: never)."""
    return bool(addressed(data, PASSWORD))


def started(data: bytes) -> tuple[bytes, int, int]:
    """What SSET says once more of what the records say: time of the start as stored, major and minor version."""
    return data[STARTED : STARTED + 5], data[VERSION], data[VERSION + 1]


def machine_name(data: bytes, *, block: int) -> str | None:
    """MachineName of RESTORE HEADERONLY, from the block behind SSET; None where there is none.

    block: size of a logical block.
    """
    for offset in range(block, len(data) - HEADER, block):
        if is_block(data, offset, VOLB):
            volume = data[offset : offset + block]
            return text(volume, MACHINE, kind=volume[STRING_TYPE]) or None
    return None
