# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TAPE, the head of the media: what RESTORE LABELONLY shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.blocks import (
    BLOCK_SIZES,
    FIRST_STREAM,
    STRING_TYPE,
    TAPE,
    require_block,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.errors import Damaged
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.streams import (
    RAID,
    SPAD,
    STREAM_HEADER,
    stream_at,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.values import (
    addressed,
    guid,
    moment,
    text,
    u16,
    u32,
)

__all__ = ["MediaHeader", "read_media_header"]

FAMILY_ID = 0x34  # u32: first part of MediaFamilyId, whose others are zero (seen)
SEQUENCE = 0x3C  # u16: MediaSequenceNumber, of tapes (seen)
FILEMARK_SECTORS = 0x40  # u16: size of a filemark in sectors, the media's physical block (proven)
NAME, DESCRIPTION, PASSWORD, SOFTWARE = 0x44, 0x48, 0x4C, 0x50  # size and offset (name and password each seen once)
BLOCK = 0x54  # u16: logical block, 1024 (proven)
VENDOR = 0x56  # u16: SoftwareVendorId, 4608 (seen)
DATE = 0x58  # time: MediaDate (proven)

# In the stream RAID:
MEDIA_SET_ID = 0x00  # GUID (proven)
FAMILY_COUNT = 0x14  # u16: stripes of the media set (proven)
FAMILY_SEQUENCE = 0x18  # u16: which of them this is, from 1 (proven)
RAID_LENGTH = 0x20

VENDOR_OF_SQL_SERVER = 4608
MOST_STRIPES = 64
"""Documented limit of BACKUP: more devices are refused."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MediaHeader:
    """label: a row of RESTORE LABELONLY, without Mirror_Count, which is not known. block, filemark: their sizes."""

    label: dict[str, Any]
    block: int
    filemark: int
    has_password: bool


def read_media_header(data: bytes, *, packed: bool) -> MediaHeader:
    """The TAPE block that data begin with. Raises :class:`Damaged`."""
    require_block(data, 0, TAPE, where="at the start")
    kind = data[STRING_TYPE]
    block, filemark = u16(data, BLOCK), u16(data, FILEMARK_SECTORS) * 512
    if block not in BLOCK_SIZES or filemark not in BLOCK_SIZES:
        raise Damaged("the head of the media tells impossible sizes of blocks")
    stripes = _raid(data)
    label = {
        "MediaName": text(data, NAME, kind=kind) or None,
        "MediaSetId": guid(stripes, MEDIA_SET_ID),
        "FamilyCount": u16(stripes, FAMILY_COUNT),
        "FamilySequenceNumber": u16(stripes, FAMILY_SEQUENCE),
        "MediaFamilyId": f"{u32(data, FAMILY_ID):08x}-0000-0000-0000-000000000000",
        "MediaSequenceNumber": u16(data, SEQUENCE),
        "MediaDescription": text(data, DESCRIPTION, kind=kind) or None,
        "SoftwareName": text(data, SOFTWARE, kind=kind) or None,
        "SoftwareVendorId": u16(data, VENDOR),
        "MediaDate": moment(data, DATE),
        "IsCompressed": int(packed),
    }
    if not 1 <= label["FamilySequenceNumber"] <= label["FamilyCount"] <= MOST_STRIPES:
        raise Damaged("the head of the media tells an impossible number of stripes")
    return MediaHeader(label=label, block=block, filemark=filemark, has_password=bool(addressed(data, PASSWORD)))


def _raid(data: bytes) -> bytes:
    """The data of the stream that tells the stripes."""
    at = u16(data, FIRST_STREAM)
    while at + STREAM_HEADER <= len(data):
        stream = stream_at(data, at)
        if stream.kind == SPAD:
            break
        if stream.kind == RAID and stream.end - stream.start >= RAID_LENGTH and stream.end <= len(data):
            return data[stream.start : stream.end]
        at = stream.next
    writer = text(data, SOFTWARE, kind=data[STRING_TYPE]) or "another program"
    raise Damaged(f"it is no backup of SQL Server: its media were written by {writer}")
