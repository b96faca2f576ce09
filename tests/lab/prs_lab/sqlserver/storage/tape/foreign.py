"""A backup set that this twin did not write, read from the records in its blocks: a real server's, for instance.

What stands nowhere that is known has the value that most sets have: CodePage, Containment, encryption, the LSNs of
read-only files. README.md says so.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ..boot import Boot
from ..setheader import SetHeader
from .blocks import is_block, streams_of
from .collations import collation_of
from .reader import Part
from .values import address, guid, lsn, moment, number, text

__all__ = ["ForeignSet", "read_foreign_set"]

_TYPES = {
    "D": (1, "Database"),
    "L": (2, "Transaction Log"),
    "F": (4, "File"),
    "I": (5, "Database Differential"),
    "G": (6, "File Differential"),
    "P": (7, "Partial"),
    "Q": (8, "Partial Differential"),
}
_FLAGS = {
    "HasBulkLoggedData": 1,
    "IsSnapshot": 2,
    "IsReadOnly": 4,
    "IsSingleUser": 8,
    "HasBackupChecksums": 16,
    "IsDamaged": 32,
    "HasIncompleteMetaData": 128,
    "IsForceOffline": 256,
    "IsCopyOnly": 1024,
}
_LOOK_BACK = 1 << 20


@dataclass(kw_only=True)
class ForeignSet:
    """values: columns of RESTORE HEADERONLY by name; files: rows of RESTORE FILELISTONLY, alike."""

    values: dict[str, Any]
    files: list[dict[str, Any]] = field(default_factory=list)
    complete: bool = False

    def header(self) -> SetHeader:
        """As much as is asked of any set."""
        started, expires = self.values["BackupStartDate"], self.values["ExpirationDate"]
        return SetHeader(
            set_guid=str(self.values["BackupSetGUID"]),
            backup_type=self.values["BackupType"],
            database_name=self.values["DatabaseName"] or "",
            boot=Boot(name=self.values["DatabaseName"] or "", created="").to_dict(),
            started=started.isoformat() if started else "",
            expiration=expires.isoformat() if expires else None,
        )


def read_foreign_set(part: Part, *, position: int) -> ForeignSet:
    """The set in a part. Raises ValueError, struct.error or IndexError where it is none."""
    start = part.read(0, part.block_length(0))
    at = len(start)
    volume = part.read(at, part.block_length(at))
    at += len(volume)
    first = part.read(at, part.block_length(at))
    if not (is_block(start, b"SSET") and is_block(volume, b"VOLB") and is_block(first, b"MSCI")):
        raise ValueError("no backup set")
    last = _last_block(part, at + len(first)) if part.closed else None
    records = _records(last or first)
    values = _values(records[b"SCIN"][0], start, volume, position=position)
    groups = {number(group, 0x0C, "I"): text(group, 0x10) for group in records.get(b"SFGI", ())}
    return ForeignSet(
        values=values, files=[_file(record, groups) for record in records.get(b"SFIN", ())], complete=last is not None
    )


def _last_block(part: Part, floor: int) -> bytes | None:
    begin = max(floor, part.length - _LOOK_BACK) // 512 * 512
    data = part.read(begin, part.length - begin)
    at = data.rfind(b"MSLS")
    while at >= 0:
        if at % 512 == 0 and is_block(data[at : at + 52], b"MSLS"):
            return data[at:]
        at = data.rfind(b"MSLS", 0, at)
    return None


def _records(block: bytes) -> dict[bytes, list[bytes]]:
    kind, at, end = next(iter(streams_of(block)))
    if kind != b"MQCI":
        raise ValueError("no records")
    found: dict[bytes, list[bytes]] = {}
    while at < end:
        length = max(8, number(block, at + 4, "I"))
        found.setdefault(block[at : at + 4], []).append(block[at : at + length])
        at += length
    return found


def _decimal(value: int) -> Decimal | None:
    return Decimal(value) if value else None


def _values(record: bytes, start: bytes, volume: bytes, *, position: int) -> dict[str, Any]:
    own, flags, status = address(start, 0x2C), number(record, 0x08, "I"), number(record, 0xF4, "I")
    kind, description = _TYPES[chr(record[0x57])]
    size, fork = number(record, 0x60, "Q"), guid(record, 0x9C)
    packed_size = number(record, 0x158, "Q") if number(record, 0x6A, "H") >= 0x16C else 0
    return {
        "BackupName": text(start, 0x40),
        "BackupDescription": text(start, 0x44),
        "BackupType": kind,
        "BackupTypeDescription": description,
        "ExpirationDate": moment(own, 16),
        "Position": position,
        "UserName": text(start, 0x4C),
        "ServerName": text(record, 0x6C),
        "DatabaseName": text(record, 0x68),
        "DatabaseVersion": number(record, 0x5E, "H"),
        "DatabaseCreationDate": moment(record, 0x48),
        "BackupSize": Decimal(size),
        "CompressedBackupSize": packed_size or size,
        "FirstLSN": Decimal(lsn(record, 0x20)),
        "LastLSN": Decimal(lsn(record, 0x2A)),
        "CheckpointLSN": Decimal(lsn(record, 0x34)),
        "DatabaseBackupLSN": Decimal(lsn(record, 0x3E)),
        "BackupStartDate": moment(record, 0x4D),
        "BackupFinishDate": moment(record, 0x52),
        "SortOrder": record[0x58],
        "CodePage": 0,
        "UnicodeLocaleId": number(record, 0x74, "I"),
        "UnicodeComparisonStyle": number(record, 0x78, "I"),
        "CompatibilityLevel": record[0x5B],
        "SoftwareVendorId": number(start, 0x3C, "H"),
        "SoftwareVersionMajor": record[0x1B],
        "SoftwareVersionMinor": record[0x1A],
        "SoftwareVersionBuild": number(record, 0x18, "H"),
        "MachineName": text(volume, 0x40),
        "Flags": flags,
        "BindingID": guid(record, 0x7C),
        "RecoveryForkID": fork,
        "FirstRecoveryForkID": guid(record, 0xB8) or fork,
        "ForkPointLSN": _decimal(lsn(record, 0xAC)),
        "Collation": collation_of(number(record, 0xD8, "I"), record[0xDC]),
        "FamilyGUID": guid(record, 0xE0),
        **{name: bool(flags & bit) for name, bit in _FLAGS.items()},
        "BeginsLogChain": kind == 2 and record[0x20:0x2A] == record[0xF8:0x102],
        "RecoveryModel": "SIMPLE" if status & 8 else "BULK-LOGGED" if status & 4 else "FULL",
        "DifferentialBaseLSN": _decimal(lsn(record, 0x104)),
        "DifferentialBaseGUID": guid(record, 0x110),
        "BackupSetGUID": guid(own, 0),
        "Containment": 0,
        "KeyAlgorithm": None,
        "EncryptorThumbprint": None,
        "EncryptorType": None,
        "LastValidRestoreTime": None,
        "TimeZone": number(start, 0x5F, "b"),
    }


def _file(record: bytes, groups: dict[int, str | None]) -> dict[str, Any]:
    group = number(record, 0x24, "I")
    kind = {1: "D", 2: "L"}.get(number(record, 0x1C, "I"))
    if kind is None:
        raise ValueError("a file of an unknown type")
    return {
        "LogicalName": text(record, 0x30),
        "PhysicalName": text(record, 0x34),
        "Type": kind,
        "FileGroupName": groups.get(group) if group else None,
        "Size": Decimal(number(record, 0x28, "Q")),
        "MaxSize": Decimal(number(record, 0x56, "Q")),
        "FileId": number(record, 0x14, "I"),
        "CreateLSN": Decimal(lsn(record, 0x8A)),
        "DropLSN": Decimal(0),
        "UniqueId": guid(record, 0xBA),
        "ReadOnlyLSN": Decimal(0),
        "ReadWriteLSN": Decimal(0),
        "BackupSizeInBytes": number(record, 0xFA, "Q"),
        "SourceBlockSize": number(record, 0x20, "I"),
        "FileGroupId": group,
        "LogGroupGUID": None,
        "DifferentialBaseLSN": Decimal(lsn(record, 0x9E)),
        "DifferentialBaseGUID": guid(record, 0xAA) or uuid.UUID(int=0),
        "IsReadOnly": False,
        "IsPresent": True,
        "TDEThumbprint": None,
        "SnapshotUrl": None,
    }
