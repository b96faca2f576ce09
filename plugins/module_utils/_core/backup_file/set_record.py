# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SCIN, the record of a backup set: most of what RESTORE HEADERONLY shows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import SET_BACK, YEARS
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.collations import collation_name
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.errors import Damaged
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.values import (
    addressed,
    guid,
    lsn,
    moment,
    text,
    u16,
    u32,
    u64,
)

__all__ = [
    "LSNS",
    "TYPES",
    "contradictions",
    "differing",
    "files_told",
    "is_final_at_start",
    "ran_at",
    "read_set_record",
    "started",
]

FLAGS = 0x08  # u32: see _FLAGS; besides 0x200 in all sets, 0x800 in all differentials (seen)
DATA_FILES, LOG_FILES = 0x0C, 0x10  # u32, u32: how many there are (proven)
BUILD, MINOR, MAJOR = 0x18, 0x1A, 0x1B  # u16, u8, u8: of the server (proven)
FIRST_LSN, LAST_LSN = 0x20, 0x2A  # (proven, in MSLS alone from 2019 on)
CHECKPOINT_LSN = 0x34  # (proven, in MSLS alone from 2019 on)
DATABASE_BACKUP_LSN = 0x3E  # (proven)
CREATED, STARTED, FINISHED = 0x48, 0x4D, 0x52  # times: of the database on that server, of the backup (proven)
TYPE = 0x57  # letter of msdb.dbo.backupset.type (proven for D, I, L; documented for F, G, P, Q)
SORT_ORDER = 0x58  # u8: the collation's sort id (proven)
COMPATIBILITY = 0x5B  # u8 (proven)
DATABASE_VERSION = 0x5E  # u16 (proven)
SIZE = 0x60  # u64: BackupSize (seen: fits the file's length)
DATABASE, SERVER = 0x68, 0x6C  # size and offset of the names (proven)
FIRST_TEXT = 0x6A  # u16: where the texts begin, and so what the record holds (proven)
LOCALE, COMPARISON = 0x74, 0x78  # u32, u32: UnicodeLocaleId, UnicodeComparisonStyle (seen)
BINDING = 0x7C  # GUID: BindingID (proven)
FORK_LAST_LSN = 0x90  # LSN: once more LAST_LSN, in the final copy (seen in all)
RECOVERY_FORK = 0x9C  # GUID (proven)
FORK_POINT = 0xAC  # LSN: ForkPointLSN (proven)
FIRST_RECOVERY_FORK = 0xB8  # GUID; zero: no fork lies between, it is the same as RECOVERY_FORK (proven)
LAST_FULL = 0xC8  # GUID of the full backup before, which HEADERONLY does not show (proven)
COLLATION, COLLATION_SORT = 0xD8, 0xDC  # u32, u8: see collations (proven)
FAMILY = 0xE0  # GUID: FamilyGUID (proven)
STATUS = 0xF4  # u32: as in sysdatabases (proven): 4 bulk-logged (documented), 8 simple (proven)
LOG_CHAIN_START = 0xF8  # LSN that the chain of logs begins with (proven)
DIFFERENTIAL_BASE_LSN, DIFFERENTIAL_BASE = 0x104, 0x110  # LSN and GUID (proven)
COMPRESSED_SIZE = 0x158  # u64: CompressedBackupSize, from 2008 on (seen: fits the file's length)

LENGTH_2005, LENGTH_2008 = 0x158, 0x16C
"""Of the fixed part. 2012 and later: 0x190, whose additions are unknown: containment, encryption and the like."""

TYPES = {
    "D": (1, "Database"),
    "L": (2, "Transaction Log"),
    "F": (4, "File"),
    "I": (5, "Database Differential"),
    "G": (6, "File Differential"),
    "P": (7, "Partial"),
    "Q": (8, "Partial Differential"),
}
"""BackupType and BackupTypeDescription by letter."""

_FLAGS = {
    "HasBulkLoggedData": 0x1,  # documented, as are the others without a word
    "IsSnapshot": 0x2,
    "IsReadOnly": 0x4,
    "IsSingleUser": 0x8,
    "HasBackupChecksums": 0x10,  # proven
    "IsDamaged": 0x20,
    "HasIncompleteMetaData": 0x80,
    "IsForceOffline": 0x100,  # seen once, in a tail of the log
}

_SET_WHILE_IT_RAN = 0x21  # bulk-logged data, damage: met on the way, so the flag may come at the end alone

LONGEST_NAME = 128
"""Characters (UTF-16 units) of a database's name."""

LSNS = ("FirstLSN", "LastLSN", "CheckpointLSN")
PROVISIONAL_SINCE = 15
"""SQL Server 2019 and later copy the data of full and differential backups twice: the LSNs move to the second pass."""

_SAME = {
    "server version": (BUILD, MAJOR + 1),
    "DatabaseBackupLSN": (DATABASE_BACKUP_LSN, CREATED),
    "DatabaseCreationDate": (CREATED, STARTED),
    "BackupStartDate": (STARTED, FINISHED),
    "BackupType": (TYPE, SORT_ORDER),
    "number of files": (DATA_FILES, LOG_FILES + 4),
    "DatabaseVersion": (DATABASE_VERSION, SIZE),
    "UnicodeLocaleId": (LOCALE, COMPARISON),
    "BindingID": (BINDING, BINDING + 16),
    "RecoveryForkID": (RECOVERY_FORK, FORK_POINT),
    "ForkPointLSN": (FORK_POINT, FORK_POINT + 10),
    "FirstRecoveryForkID": (FIRST_RECOVERY_FORK, LAST_FULL),
    "last full backup": (LAST_FULL, COLLATION),
    "Collation": (COLLATION, COLLATION_SORT + 1),
    "FamilyGUID": (FAMILY, FAMILY + 16),
    "DifferentialBaseLSN": (DIFFERENTIAL_BASE_LSN, DIFFERENTIAL_BASE_LSN + 10),
    "DifferentialBaseGUID": (DIFFERENTIAL_BASE, DIFFERENTIAL_BASE + 16),
}
"""What both copies of the record say alike (from, up to): the finish, the sizes and the LSNs differ by nature."""


def is_final_at_start(record: bytes) -> bool:
    """Whether the LSNs of the copy at the start of the set are those of the finished backup (seen in 257 sets)."""
    return record[MAJOR] < PROVISIONAL_SINCE or record[TYPE] == ord("L")


def files_told(record: bytes) -> tuple[int, int]:
    """How many data files and log files the set tells that its database has."""
    return u32(record, DATA_FILES), u32(record, LOG_FILES)


def started(record: bytes) -> tuple[bytes, int, int]:
    """Time of the start as stored, major and minor version: what SSET says as well."""
    return record[STARTED:FINISHED], record[MAJOR], record[MINOR]


def differing(first: bytes, last: bytes) -> list[str]:
    """What the copies of the record at the start and at the end of a set should say alike, and do not."""
    wrong = [name for name, (start, end) in _SAME.items() if first[start:end] != last[start:end]]
    if (u32(first, FLAGS) ^ u32(last, FLAGS)) & ~_SET_WHILE_IT_RAN:
        wrong.append("Flags")
    for name, place in (("DatabaseName", DATABASE), ("ServerName", SERVER)):
        if addressed(first, place) != addressed(last, place):
            wrong.append(name)
    return wrong


def ran_at(record: bytes, time: datetime | None) -> bool:
    """Whether a time lies between start and finish of the backup; the clock may have been set back meanwhile."""
    start, finish = moment(record, STARTED), moment(record, FINISHED)
    if start is None or time is None or finish is None or start.year not in YEARS or finish.year not in YEARS:
        return True  # what is wrong then is told elsewhere
    return start - SET_BACK <= time <= max(start, finish) + SET_BACK


def contradictions(record: bytes) -> list[str]:
    """What the final copy of the record cannot say of one backup at the same time, as clauses."""
    wrong = []
    first, checkpoint, last = (lsn(record, place) or 0 for place in (FIRST_LSN, CHECKPOINT_LSN, LAST_LSN))
    if record[LAST_LSN : LAST_LSN + 10] != record[FORK_LAST_LSN : FORK_LAST_LSN + 10]:
        wrong.append("its last LSN is told in two ways")
    if first > last or (record[TYPE] != ord("L") and not first <= checkpoint <= last):
        wrong.append("its LSNs are in no possible order")
    wrong += _impossible_times(moment(record, STARTED), moment(record, FINISHED))
    name = text(record, DATABASE)
    if not name.strip() or "\0" in name or len(name.encode("utf-16-le")) > 2 * LONGEST_NAME:
        wrong.append("its database has a name that none can have")
    return wrong


def _impossible_times(start: datetime | None, finish: datetime | None) -> list[str]:
    if start is None or finish is None:
        return ["it ended before it began"]
    if start.year not in YEARS or finish.year not in YEARS:
        return ["it ran in a year that SQL Server does not know"]
    return ["it ended before it began"] if finish < start - SET_BACK else []


def _begins_log_chain(record: bytes) -> bool:
    """BeginsLogChain, inferred: a log backup whose first LSN is the one that the chain begins with (seen in 72)."""
    return (
        record[TYPE] == ord("L")
        and record[FIRST_LSN : FIRST_LSN + 10] == record[LOG_CHAIN_START : LOG_CHAIN_START + 10]
    )


def read_set_record(record: bytes) -> dict[str, Any]:
    """Columns of RESTORE HEADERONLY that the record tells. Raises :class:`Damaged`."""
    fixed = u16(record, FIRST_TEXT)
    if not LENGTH_2005 <= fixed <= len(record):
        raise Damaged("the record of the set has an unknown shape")
    letter = chr(record[TYPE])
    if letter not in TYPES:
        raise Damaged(f"the record of the set tells an unknown type of backup, {record[TYPE]}")
    number, description = TYPES[letter]
    flags, status, size = u32(record, FLAGS), u32(record, STATUS), u64(record, SIZE)
    fork = guid(record, RECOVERY_FORK)
    return {
        "BackupType": number,
        "BackupTypeDescription": description,
        "ServerName": text(record, SERVER),
        "DatabaseName": text(record, DATABASE),
        "DatabaseVersion": u16(record, DATABASE_VERSION),
        "DatabaseCreationDate": moment(record, CREATED),
        "BackupSize": size,
        "CompressedBackupSize": (u64(record, COMPRESSED_SIZE) if fixed >= LENGTH_2008 else 0) or size,
        "FirstLSN": lsn(record, FIRST_LSN),
        "LastLSN": lsn(record, LAST_LSN),
        "CheckpointLSN": lsn(record, CHECKPOINT_LSN),
        "DatabaseBackupLSN": lsn(record, DATABASE_BACKUP_LSN),
        "BackupStartDate": moment(record, STARTED),
        "BackupFinishDate": moment(record, FINISHED),
        "SortOrder": record[SORT_ORDER],
        "UnicodeLocaleId": u32(record, LOCALE),
        "UnicodeComparisonStyle": u32(record, COMPARISON),
        "CompatibilityLevel": record[COMPATIBILITY],
        "SoftwareVersionMajor": record[MAJOR],
        "SoftwareVersionMinor": record[MINOR],
        "SoftwareVersionBuild": u16(record, BUILD),
        "Flags": flags,
        "BindingID": guid(record, BINDING),
        "RecoveryForkID": fork,
        "FirstRecoveryForkID": guid(record, FIRST_RECOVERY_FORK) or fork,
        "ForkPointLSN": lsn(record, FORK_POINT),
        "Collation": collation_name(u32(record, COLLATION), record[COLLATION_SORT]),
        "FamilyGUID": guid(record, FAMILY),
        **{name: bool(flags & bit) for name, bit in _FLAGS.items()},
        "RecoveryModel": "SIMPLE" if status & 8 else "BULK-LOGGED" if status & 4 else "FULL",
        "DifferentialBaseLSN": lsn(record, DIFFERENTIAL_BASE_LSN),
        "DifferentialBaseGUID": guid(record, DIFFERENTIAL_BASE),
        "BeginsLogChain": _begins_log_chain(record),
    }
