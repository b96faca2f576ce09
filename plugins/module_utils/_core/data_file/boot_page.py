# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The boot page (1:9), which every log file holds a full copy of: name, version, state and moment of a database.

Offsets are counted from the page's beginning, in decimal. (B) compared with RESTORE HEADERONLY of 87 backups, (L) with
the log of the same moment, 218 of 218.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..binary.values import Damaged, Lsn, guid, lsn, lsn_number, server_time, u16, u32, utf16

__all__ = ["BOOT_PAGE", "RELEASES", "BootPage", "read_boot_page"]

BOOT_PAGE = 9
"""Its number, in the first file."""

VERSION, CREATED_VERSION, STATUS, NAME, NAME_END = 100, 102, 132, 148, 404  # (B)
CREATED, COMPATIBILITY, LAST_LOG_BACKUP, LAST_LOG_BACKUP_LSN = 140, 410, 116, 420  # (B)
FULL_BACKUP_LSN, CHECKPOINT, COLLATION, FAMILY, FORK, FULL_BACKUP_GUID = 432, 444, 488, 504, 552, 596  # (B)
SYSTEM_TABLES, LAST_CHECK, BUILD = 612, 748, 780  # (T 230 of 231), seen 5 times, (B 81 of 87)

CLEAN, AUTO_CLOSE, BULK_LOGGED, SIMPLE, TORN_BITS, CHECKSUM = 0x40000000, 0x1, 0x4, 0x8, 0x10, 0x10000  # (B), (L)
READ_ONLY, RESTRICTED, SINGLE_USER, EMERGENCY = 0x400, 0x800, 0x1000, 0x8000  # documented for sysdatabases; SINGLE seen

RELEASES = {
    515: "7.0", 539: "2000", 611: "2005", 612: "2005", 655: "2008", 660: "2008 R2", 661: "2008 R2", 662: "2008 R2",
    706: "2012", 782: "2014", 852: "2016", 868: "2017", 869: "2017", 904: "2019", 957: "2022", 998: "2025",
}  # fmt: skip
"""The oldest SQL Server that attaches a file of this version."""
_POSSIBLE_VERSIONS = range(500, 2001)
_PADDING = " \0\u2020"
"""A name is padded with bytes 20, which are the character U+2020, not blanks."""

_WINDOWS_COLLATIONS = {
    0x01: "Arabic", 0x03: "Chinese_Taiwan_Stroke", 0x05: "Danish_Norwegian", 0x08: "Latin1_General", 0x0B: "French",
    0x0C: "Hebrew", 0x13: "Polish", 0x14: "Romanian", 0x15: "Cyrillic_General", 0x1A: "Turkish", 0x20: "Vietnamese",
    0x24: "Chinese_PRC", 0x28: "Modern_Spanish",
}  # fmt: skip
_SQL_COLLATIONS = {
    51: "SQL_Latin1_General_CP1_CS_AS",
    52: "SQL_Latin1_General_CP1_CI_AS",
    53: "SQL_Latin1_General_Pref_CP1_CI_AS",
    54: "SQL_Latin1_General_CP1_CI_AI",
}


@dataclass(frozen=True, kw_only=True)
class BootPage:
    """checkpoint: LSN of the last checkpoint, which tells files of one moment; times are the server's local ones.

    clean: closed cleanly, as the bit says. release: the oldest SQL Server that can attach it, None for an unknown
    version. collation: None where its name is not known. system_tables: (file, page) where they begin. last_check: of
    the last good CHECKDB. build: of the server that made or upgraded it last.
    """

    name: str
    version: int
    created_version: int
    release: str | None
    status: int
    clean: bool
    recovery_model: str
    page_verify: str
    read_only: bool
    single_user: bool
    restricted_user: bool
    emergency: bool
    auto_close: bool
    compatibility_level: int
    collation: str | None
    created: datetime | None
    checkpoint: Lsn | None
    family_guid: str | None
    recovery_fork_guid: str | None
    last_log_backup: datetime | None
    last_log_backup_lsn: int | None
    full_backup_lsn: int | None
    full_backup_guid: str | None
    last_check: datetime | None
    build: str | None
    system_tables: tuple[int, int]


def read_boot_page(page: bytes) -> BootPage:
    """From page 1:9 as it is in memory, or the copy in a log. Raises :class:`Damaged` where it is none."""
    version, status = u16(page, VERSION), u32(page, STATUS)
    if version not in _POSSIBLE_VERSIONS:
        raise Damaged(f"the boot page has an impossible version ({version})")
    return BootPage(
        name=utf16(page[NAME:NAME_END]).rstrip(_PADDING),
        version=version,
        created_version=u16(page, CREATED_VERSION),
        release=RELEASES.get(version),
        status=status,
        clean=bool(status & CLEAN),
        recovery_model="SIMPLE" if status & SIMPLE else "BULK_LOGGED" if status & BULK_LOGGED else "FULL",
        page_verify="CHECKSUM" if status & CHECKSUM else "TORN_PAGE_DETECTION" if status & TORN_BITS else "NONE",
        read_only=bool(status & READ_ONLY),
        single_user=bool(status & SINGLE_USER),
        restricted_user=bool(status & RESTRICTED),
        emergency=bool(status & EMERGENCY),
        auto_close=bool(status & AUTO_CLOSE),
        compatibility_level=u16(page, COMPATIBILITY),
        collation=collation_name(u32(page, COLLATION)),
        created=server_time(page, CREATED),
        checkpoint=lsn(page, CHECKPOINT),
        family_guid=guid(page, FAMILY),
        recovery_fork_guid=guid(page, FORK),
        last_log_backup=server_time(page, LAST_LOG_BACKUP),
        last_log_backup_lsn=lsn_number(lsn(page, LAST_LOG_BACKUP_LSN)),
        full_backup_lsn=lsn_number(lsn(page, FULL_BACKUP_LSN)),
        full_backup_guid=guid(page, FULL_BACKUP_GUID),
        last_check=server_time(page, LAST_CHECK),
        build=_build(page),
        system_tables=(u16(page, SYSTEM_TABLES + 4), u32(page, SYSTEM_TABLES)),
    )


def _build(page: bytes) -> str | None:
    build, minor, major = u16(page, BUILD), page[BUILD + 2], page[BUILD + 3]
    return f"{major}.{minor}.{build}" if major else None


def collation_name(bits: int) -> str | None:
    """From a collation id as COLLATIONPROPERTY gives it: the top byte is a sort id, bits 12 to 15 ignore
    differences.
    """
    if bits >> 24:
        return _SQL_COLLATIONS.get(bits >> 24)
    base = _WINDOWS_COLLATIONS.get(bits & 0xFFF)
    if base is None or bits & 0xFF0000:
        return None
    sensitivity = ("_CI" if bits & 0x1000 else "_CS") + ("_AI" if bits & 0x2000 else "_AS")
    return base + sensitivity + ("" if bits & 0x8000 else "_KS") + ("" if bits & 0x4000 else "_WS")
