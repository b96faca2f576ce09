# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SFIN and SFGI, the records of a database's files and filegroups: what RESTORE FILELISTONLY shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.errors import Damaged
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.values import (
    addressed,
    guid,
    lsn,
    text,
    u16,
    u32,
    u64,
)

__all__ = ["contradictions", "filegroup_names", "identities", "read_file_records"]

FILE_ID, FILEGROUP_ID = 0x14, 0x24  # u32, u32 (proven)
TYPE = 0x1C  # u32: 1 data, 2 log (proven); others, which FILESTREAM and full-text have, were never seen
SECTOR_SIZE = 0x20  # u32: SourceBlockSize (seen)
SIZE = 0x28  # u64: bytes (proven)
LOGICAL_NAME, PHYSICAL_NAME = 0x30, 0x34  # size and offset (proven, seen)
FIRST_TEXT = 0x32  # u16: where the texts begin: 0x190 in 2005, 0x400 in 2008, 0x404 from 2012 on (proven)
MAX_SIZE = 0x56  # u64 (proven)
CREATE_LSN = 0x8A  # LSN (seen once)
BASE_LSN, BASE_GUID = (
    0x9E,
    0xAA,
)  # LSN, GUID of the differential base; in the last copy of a full backup its own (proven)
UNIQUE_ID = 0xBA  # GUID (proven)
BACKUP_SIZE = 0xFA  # u64: BackupSizeInBytes (seen; from 2019 on the last copy counts the second pass alone)

GROUP_ID, GROUP_NAME = 0x0C, 0x10  # of SFGI: u32, size and offset (proven)

SHORTEST = 0x190
_TYPES = {1: "D", 2: "L"}
PAGE = 8192
_LARGEST = {1: 16 << 40, 2: 2 << 40}
"""Bytes of a data file and of a log file, at most (documented)."""


def read_file_records(files: Sequence[bytes], filegroups: Sequence[bytes]) -> list[dict[str, Any]]:
    """Rows of RESTORE FILELISTONLY. Raises :class:`Damaged`.

    Not known, and so left out: DropLSN, ReadOnlyLSN, ReadWriteLSN, LogGroupGUID, IsReadOnly, IsPresent, TDEThumbprint,
    SnapshotURL. Type is left out where its number is none of those that were seen.
    """
    names = filegroup_names(filegroups)
    return [_row(record, names) for record in files]


def filegroup_names(filegroups: Sequence[bytes]) -> dict[int, str]:
    """Name by id."""
    return {u32(record, GROUP_ID): text(record, GROUP_NAME) for record in filegroups}


def _row(record: bytes, filegroups: dict[int, str]) -> dict[str, Any]:
    if not SHORTEST <= u16(record, FIRST_TEXT) <= len(record):
        raise Damaged("the record of a file has an unknown shape")
    kind, group = _TYPES.get(u32(record, TYPE)), u32(record, FILEGROUP_ID)
    row = {
        "LogicalName": text(record, LOGICAL_NAME),
        "PhysicalName": text(record, PHYSICAL_NAME),
        "Type": kind,
        "FileGroupName": filegroups.get(group) if group else None,
        "Size": u64(record, SIZE),
        "MaxSize": u64(record, MAX_SIZE),
        "FileId": u32(record, FILE_ID),
        "CreateLSN": lsn(record, CREATE_LSN) or 0,
        "UniqueId": guid(record, UNIQUE_ID),
        "BackupSizeInBytes": u64(record, BACKUP_SIZE),
        "SourceBlockSize": u32(record, SECTOR_SIZE),
        "FileGroupId": group,
        "DifferentialBaseLSN": lsn(record, BASE_LSN),
        "DifferentialBaseGUID": guid(record, BASE_GUID),
    }
    if kind is None:
        del row["Type"]
    return row


def contradictions(files: Sequence[bytes], counts: tuple[int, int]) -> list[str]:
    """What the records of the files cannot say, as clauses. counts: of data files and log files, as the set tells them
    (the same in 108 of 108 sets without files of other types).
    """
    kinds, wrong = [u32(record, TYPE) for record in files], []
    if set(kinds) <= set(_TYPES) and (kinds.count(1), kinds.count(2)) != counts:
        wrong.append(f"it tells {counts[0]} data files and {counts[1]} log files, and lists others")
    for record, kind in zip(files, kinds, strict=True):
        size = u64(record, SIZE)
        if kind in _LARGEST and (size > _LARGEST[kind] or size % PAGE):
            wrong.append(f"its file {text(record, LOGICAL_NAME)} has a size that none can have")
    return wrong


def identities(files: Sequence[bytes]) -> list[tuple[Any, ...]]:
    """What both lists of the files of a set say alike: the sizes and bases differ by nature."""
    return [
        (
            addressed(record, LOGICAL_NAME),
            addressed(record, PHYSICAL_NAME),
            record[TYPE:SECTOR_SIZE],
            record[FILE_ID : FILE_ID + 4],
            record[FILEGROUP_ID:SIZE],
            record[UNIQUE_ID : UNIQUE_ID + 16],
            record[MAX_SIZE : MAX_SIZE + 8],
            record[CREATE_LSN : CREATE_LSN + 10],
        )
        for record in files
    ]
