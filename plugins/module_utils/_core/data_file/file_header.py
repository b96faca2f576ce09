# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Page 0 of every file of a database, data and log alike: which database it belongs to, which file of it, and its size.

(L) compared with the log of the same moment, (T) with the system tables, (S) with the file itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..binary.page_checksums import PAGE
from ..binary.values import Damaged, guid, lsn, lsn_number, u16, u32, utf16
from .page import FILE_HEADER, HEADER, read_record, record_offsets, type_of

__all__ = ["FileHeader", "boot_copy", "read_file_header"]

# Columns of variable length. A file made by SQL Server 2000 has 22 of them even later, the others 44 and more.
BINDING, FILE_ID, FILEGROUP, SIZE, MAXIMUM, GROWTH, STATUS = 0, 2, 3, 4, 5, 6, 13  # (L 218 of 218), (S 547 of 548), (T)
CREATED_AT, BASE_LSN, BASE_GUID, FILE_GUID, RESTORE_STATE, LOGICAL_NAME = (
    19,
    20,
    21,
    23,
    24,
    27,
)  # (T), but RESTORE_STATE
_LEAST_COLUMNS = 22
_SHAPE = {BINDING: 16, FILE_ID: 2, FILEGROUP: 2, SIZE: 4, MAXIMUM: 4, GROWTH: 4}
_PERCENT = 0x100000
_UNLIMITED = 0xFFFFFFFF


@dataclass(frozen=True, kw_only=True)
class FileHeader:
    """binding_id is the same in all files of one database. Sizes in pages; maximum None: unlimited.

    logical_name: None where SQL Server 2000 made the file. restore_state: not 0 in some restored databases, meaning
    unknown, no sign of damage.
    """

    is_log: bool
    binding_id: str | None
    file_id: int
    filegroup_id: int
    pages: int
    maximum: int | None
    growth: int
    growth_is_percent: bool
    create_lsn: int | None
    differential_base_lsn: int | None
    differential_base_guid: str | None
    file_guid: str | None
    restore_state: int
    logical_name: str | None


def read_file_header(page: bytes) -> FileHeader:
    """From page 0 as it is in memory. Raises :class:`Damaged` where it is none."""
    if page[0] != 1 or type_of(page) != FILE_HEADER:
        raise Damaged("page 0 is no file header")
    offsets = record_offsets(page)
    if not offsets:
        raise Damaged("the file header holds no record")
    columns = read_record(page, offsets[0]).variable
    if len(columns) < _LEAST_COLUMNS or any(len(columns[index]) != length for index, length in _SHAPE.items()):
        raise Damaged("the file header has an unknown shape")

    def column(index: int, length: int) -> bytes:
        """A column, empty where this file has none of that length."""
        return columns[index] if len(columns) > index and len(columns[index]) == length else b""

    maximum, status = u32(columns[MAXIMUM], 0), column(STATUS, 4)
    create, base, state = column(CREATED_AT, 10), column(BASE_LSN, 10), column(RESTORE_STATE, 4)
    return FileHeader(
        is_log=u16(columns[FILEGROUP], 0) == 0,
        binding_id=guid(columns[BINDING]),
        file_id=u16(columns[FILE_ID], 0),
        filegroup_id=u16(columns[FILEGROUP], 0),
        pages=u32(columns[SIZE], 0),
        maximum=None if maximum == _UNLIMITED else maximum,
        growth=u32(columns[GROWTH], 0),
        growth_is_percent=bool(status and u32(status, 0) & _PERCENT),
        create_lsn=lsn_number(lsn(create, 0)) if create else None,
        differential_base_lsn=lsn_number(lsn(base, 0)) if base else None,
        differential_base_guid=guid(column(BASE_GUID, 16)),
        file_guid=guid(column(FILE_GUID, 16)),
        restore_state=u32(state, 0) if state else 0,
        logical_name=utf16(columns[LOGICAL_NAME]) if len(columns) > LOGICAL_NAME else None,
    )


def boot_copy(page: bytes) -> bytes:
    """Of a log file's page 0: the copy of the boot page that is its second record, laid out as on page 1:9."""
    offsets = record_offsets(page)
    if len(offsets) < 2:
        raise Damaged("the log's file header holds no copy of the boot page")
    return (bytes(HEADER) + page[offsets[1] :]).ljust(2 * PAGE, b"\0")
