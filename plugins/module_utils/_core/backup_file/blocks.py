# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The blocks of Microsoft Tape Format 1.00a that SQL Server writes, and the header that all of them begin with.

Order of the blocks in a file: ``TAPE SFMB``, then for each backup set ``SSET VOLB MSCI (MSDA MSTL ...) MSLS SFMB
ESET ESET SFMB``. Each begins at a multiple of 512. A file ends with the filemark (SFMB) of its last set.

Certainty of the offsets, here and in the files beside this one: *proven*: equal to what a SQL Server, the pages of the
same database, or other backups of it say, in all files where that can be compared; *seen*: the same or plausible in
all files (327 of SQL Server 2005 to 2025), without a witness; *documented*: as Microsoft describes it, never seen.
"""

from __future__ import annotations

from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.errors import Damaged
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.values import u16, xor_words

__all__ = [
    "ADDRESS",
    "BLOCK_SIZES",
    "ESET",
    "FIRST_STREAM",
    "HEADER",
    "MSCI",
    "MSLS",
    "OS_DATA",
    "SECTOR",
    "SFMB",
    "SSET",
    "STRING_TYPE",
    "TAPE",
    "VOLB",
    "is_block",
    "require_block",
]

SECTOR = 512
"""Blocks begin at multiples of it (proven)."""

BLOCK_SIZES = range(SECTOR, 65536 + 1, SECTOR)
"""Sizes of blocks and filemarks that are believed: 512, 1024, 4096 were seen; BACKUP takes 65536 at most."""

TAPE, SFMB, SSET, VOLB, MSCI, MSLS, ESET = (
    b"TAPE",  # head of the media: media_header
    b"SFMB",  # filemark: filemarks
    b"SSET",  # start of a backup set: set_start
    b"VOLB",  # where it is from
    b"MSCI",  # its records, as they were when it began: records
    b"MSLS",  # its records, as they were when it ended
    b"ESET",  # end of a backup set
)

HEADER = 52  # bytes that all blocks begin with (proven)
FIRST_STREAM = 0x08  # u16: where the first stream of the block begins (proven)
ADDRESS = 0x14  # u64: where it lies in its set, in blocks, as unpacked (proven in 108 sets; zero in ESET)
OS_DATA = 0x2C  # size and offset of data of the program that wrote it (proven)
STRING_TYPE = 0x30  # u8: 1 ANSI, 2 UTF-16LE (proven for 2)
CHECKSUM = 0x32  # u16: the 25 words before it, xor-ed (proven in 5,319 blocks); covers these 52 bytes alone


def is_block(data: bytes, offset: int, kind: bytes) -> bool:
    """Whether a block of a kind begins there, and its header passes its checksum."""
    return (
        data[offset : offset + 4] == kind
        and len(data) >= offset + HEADER
        and xor_words(data[offset : offset + CHECKSUM]) == u16(data, offset + CHECKSUM)
    )


def require_block(data: bytes, offset: int, kind: bytes, *, where: str) -> None:
    """Raises :class:`Damaged` unless a sound block of a kind begins there."""
    if data[offset : offset + 4] != kind:
        raise Damaged(f"no {kind.decode()} block {where}")
    if not is_block(data, offset, kind):
        raise Damaged(f"the {kind.decode()} block {where} fails its checksum")
