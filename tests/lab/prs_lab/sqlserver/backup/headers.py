"""RESTORE HEADERONLY, FILELISTONLY, LABELONLY: rows as the documentation lists them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from ..context import InstanceContext
from ..storage.headerblocks import header_blocks
from ..storage.media import Family, StoredSet
from ..storage.setheader import DIFFERENTIAL, FULL, LOG
from ..storage.tape.collations import collation_bits
from ..storage.tape.reader import PackedPart
from ..storage.tape.records import DatabaseFile
from ..wire.items import Cols, Done, Item, Row
from .times import zone_of

__all__ = ["facts", "filelist", "headers", "label", "local_time"]

DISK = 2
"""DeviceType of a file; 100 more for a device that the server knows by a name of its own."""
INCOMPLETE = "*** INCOMPLETE ***"
_DESCRIPTIONS = {FULL: "Database", LOG: "Transaction Log", DIFFERENTIAL: "Database Differential"}
_LSN = "numeric(25,0)"
_HEADER = (
    ("BackupName", "nvarchar(128)"),
    ("BackupDescription", "nvarchar(255)"),
    ("BackupType", "smallint"),
    ("ExpirationDate", "datetime"),
    ("Compressed", "bit"),
    ("Position", "smallint"),
    ("DeviceType", "tinyint"),
    ("UserName", "nvarchar(128)"),
    ("ServerName", "nvarchar(128)"),
    ("DatabaseName", "nvarchar(128)"),
    ("DatabaseVersion", "int"),
    ("DatabaseCreationDate", "datetime"),
    ("BackupSize", "numeric(20,0)"),
    ("FirstLSN", _LSN),
    ("LastLSN", _LSN),
    ("CheckpointLSN", _LSN),
    ("DatabaseBackupLSN", _LSN),
    ("BackupStartDate", "datetime"),
    ("BackupFinishDate", "datetime"),
    ("SortOrder", "smallint"),
    ("CodePage", "smallint"),
    ("UnicodeLocaleId", "int"),
    ("UnicodeComparisonStyle", "int"),
    ("CompatibilityLevel", "tinyint"),
    ("SoftwareVendorId", "int"),
    ("SoftwareVersionMajor", "int"),
    ("SoftwareVersionMinor", "int"),
    ("SoftwareVersionBuild", "int"),
    ("MachineName", "nvarchar(128)"),
    ("Flags", "int"),
    ("BindingID", "uniqueidentifier"),
    ("RecoveryForkID", "uniqueidentifier"),
    ("Collation", "nvarchar(128)"),
    ("FamilyGUID", "uniqueidentifier"),
    ("HasBulkLoggedData", "bit"),
    ("IsSnapshot", "bit"),
    ("IsReadOnly", "bit"),
    ("IsSingleUser", "bit"),
    ("HasBackupChecksums", "bit"),
    ("IsDamaged", "bit"),
    ("BeginsLogChain", "bit"),
    ("HasIncompleteMetaData", "bit"),
    ("IsForceOffline", "bit"),
    ("IsCopyOnly", "bit"),
    ("FirstRecoveryForkID", "uniqueidentifier"),
    ("ForkPointLSN", _LSN),
    ("RecoveryModel", "nvarchar(60)"),
    ("DifferentialBaseLSN", _LSN),
    ("DifferentialBaseGUID", "uniqueidentifier"),
    ("BackupTypeDescription", "nvarchar(60)"),
    ("BackupSetGUID", "uniqueidentifier"),
    ("CompressedBackupSize", "bigint"),
    ("Containment", "tinyint"),
    ("KeyAlgorithm", "nvarchar(32)"),
    ("EncryptorThumbprint", "varbinary(20)"),
    ("EncryptorType", "nvarchar(32)"),
)
_HEADER_2022 = (
    ("LastValidRestoreTime", "datetime"),
    ("TimeZone", "smallint"),
    ("CompressionAlgorithm", "nvarchar(32)"),
)
_FILES = (
    ("LogicalName", "nvarchar(128)"),
    ("PhysicalName", "nvarchar(260)"),
    ("Type", "char(1)"),
    ("FileGroupName", "nvarchar(128)"),
    ("Size", "numeric(20,0)"),
    ("MaxSize", "numeric(20,0)"),
    ("FileId", "bigint"),
    ("CreateLSN", _LSN),
    ("DropLSN", _LSN),
    ("UniqueId", "uniqueidentifier"),
    ("ReadOnlyLSN", _LSN),
    ("ReadWriteLSN", _LSN),
    ("BackupSizeInBytes", "bigint"),
    ("SourceBlockSize", "int"),
    ("FileGroupId", "int"),
    ("LogGroupGUID", "uniqueidentifier"),
    ("DifferentialBaseLSN", _LSN),
    ("DifferentialBaseGUID", "uniqueidentifier"),
    ("IsReadOnly", "bit"),
    ("IsPresent", "bit"),
    ("TDEThumbprint", "varbinary(32)"),
    ("SnapshotUrl", "nvarchar(360)"),
)
_LABEL = (
    ("MediaName", "nvarchar(128)"),
    ("MediaSetId", "uniqueidentifier"),
    ("FamilyCount", "int"),
    ("FamilySequenceNumber", "int"),
    ("MediaFamilyId", "uniqueidentifier"),
    ("MediaSequenceNumber", "int"),
    ("MediaLabelPresent", "tinyint"),
    ("MediaDescription", "nvarchar(255)"),
    ("SoftwareName", "nvarchar(128)"),
    ("SoftwareVendorId", "int"),
    ("MediaDate", "datetime"),
    ("Mirror_Count", "int"),
    ("IsCompressed", "bit"),
)


def _time(text: str | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if text else None


def _guid(text: str | None) -> uuid.UUID | None:
    return uuid.UUID(text) if text else None


def _lsn(value: int | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def facts(found: StoredSet, *, zone: dt.tzinfo) -> dict[str, Any]:
    """All columns of RESTORE HEADERONLY for one set, by name; of a set that was never finished hardly more than its
    place.
    """
    header = found.header
    if found.tail is None:
        values: dict[str, Any] = dict.fromkeys(name for name, _ in (*_HEADER, *_HEADER_2022))
        values.update(BackupName=INCOMPLETE, BackupType=header.backup_type, Position=found.position, DeviceType=DISK)
        return values
    if found.foreign:
        packed = isinstance(found.part, PackedPart)
        how = {"Compressed": packed, "CompressionAlgorithm": "MS_XPRESS" if packed else None, "DeviceType": DISK}
        return found.foreign.values | how
    boot = header.database
    first_fork, last_fork, fork_point = header.forks(boot)
    options = boot.options
    encryption = header.encryption
    last_valid = _time(header.last_commit)
    return {
        "BackupName": header.name,
        "BackupDescription": header.description,
        "BackupType": header.backup_type,
        "ExpirationDate": _time(header.expiration),
        "Compressed": header.compressed,
        "Position": found.position,
        "DeviceType": DISK,
        "UserName": header.user_name,
        "ServerName": header.server_name,
        "DatabaseName": header.database_name,
        "DatabaseVersion": boot.version,
        "DatabaseCreationDate": _time(header.created),
        "BackupSize": Decimal(header.backup_size),
        "FirstLSN": _lsn(header.first_lsn),
        "LastLSN": _lsn(header.last_lsn),
        "CheckpointLSN": _lsn(header.checkpoint_lsn),
        "DatabaseBackupLSN": _lsn(header.database_backup_lsn),
        "BackupStartDate": _time(header.started),
        "BackupFinishDate": _time(header.finished),
        "SortOrder": collation_bits(options.get("collation"))[1],
        "CodePage": 0,
        "UnicodeLocaleId": 1033,
        "UnicodeComparisonStyle": 196609,
        "CompatibilityLevel": options.get("compatibility_level", 10 * header.software[0]),
        "SoftwareVendorId": 4608,
        "SoftwareVersionMajor": header.software[0],
        "SoftwareVersionMinor": header.software[1],
        "SoftwareVersionBuild": header.software[2],
        "MachineName": header.machine_name,
        "Flags": header.flags,
        "BindingID": _guid(boot.database_guid),
        "RecoveryForkID": _guid(last_fork),
        "Collation": options.get("collation"),
        "FamilyGUID": _guid(boot.family_guid),
        "HasBulkLoggedData": header.bulk,
        "IsSnapshot": False,
        "IsReadOnly": bool(options.get("is_read_only")),
        "IsSingleUser": header.single_user,
        "HasBackupChecksums": header.checksums,
        "IsDamaged": header.damaged,
        "BeginsLogChain": header.begins_chain,
        "HasIncompleteMetaData": header.incomplete_metadata,
        "IsForceOffline": header.force_offline,
        "IsCopyOnly": header.copy_only,
        "FirstRecoveryForkID": _guid(first_fork),
        "ForkPointLSN": _lsn(fork_point),
        "RecoveryModel": boot.recovery_model.replace("_", "-"),
        "DifferentialBaseLSN": _lsn(header.base_lsn),
        "DifferentialBaseGUID": _guid(header.base_guid),
        "BackupTypeDescription": _DESCRIPTIONS[header.backup_type],
        "BackupSetGUID": _guid(header.set_guid),
        "CompressedBackupSize": header.compressed_size,
        "Containment": 0,
        "KeyAlgorithm": encryption.algorithm.lower() if encryption else None,
        "EncryptorThumbprint": bytes.fromhex(encryption.thumbprint) if encryption else None,
        "EncryptorType": "CERTIFICATE" if encryption else None,
        "LastValidRestoreTime": last_valid.astimezone(zone).replace(tzinfo=None)
        if last_valid and header.backup_type == LOG
        else None,
        "TimeZone": header.time_zone,
        "CompressionAlgorithm": "MS_XPRESS" if header.compressed else None,
    }


def local_time(text: str, zone: dt.tzinfo) -> dt.datetime | None:
    """A time as the server shows it, whole seconds; those without a zone are local already."""
    if not text:
        return None
    moment = dt.datetime.fromisoformat(text)
    return (moment.astimezone(zone).replace(tzinfo=None) if moment.tzinfo else moment).replace(microsecond=0)


def headers(instance: InstanceContext, family: Family, *, position: int | None) -> Iterator[Item]:
    """One row per set of the family, or only that of one position."""
    columns = _HEADER + (_HEADER_2022 if instance.version[0] >= 16 else ())
    yield Cols(columns)
    for found in family.sets:
        if position in (None, found.position):
            values = facts(found, zone=zone_of(instance))
            if found.tail is not None and not found.foreign and not instance.headers_tell_zone:
                values["TimeZone"] = (
                    # whatever the zone of the server, as build 16.0.4236 shows it; msdb.dbo.backupset.time_zone is
                    # right
                    0
                )
            yield Row([values[name] for name, _ in columns])
    yield Done()


def _file(file: DatabaseFile) -> dict[str, Any]:
    is_log = file.type == 2
    return {
        "LogicalName": file.logical_name,
        "PhysicalName": file.physical_name,
        "Type": "L" if is_log else "D",
        "FileGroupName": None if is_log else "PRIMARY",
        "Size": Decimal(file.size),
        "MaxSize": Decimal(file.max_size),
        "FileId": file.file_id,
        "CreateLSN": Decimal(0),
        "DropLSN": Decimal(0),
        "UniqueId": _guid(file.unique_id),
        "ReadOnlyLSN": Decimal(0),
        "ReadWriteLSN": Decimal(0),
        "BackupSizeInBytes": file.backup_size,
        "SourceBlockSize": 512,
        "FileGroupId": file.filegroup_id,
        "LogGroupGUID": None,
        "DifferentialBaseLSN": _lsn(file.base_lsn),
        "DifferentialBaseGUID": _guid(file.base_guid) or uuid.UUID(int=0),
        "IsReadOnly": False,
        "IsPresent": True,
        "TDEThumbprint": None,
        "SnapshotUrl": None,
    }


def filelist(found: StoredSet) -> Iterator[Item]:
    """The database's files, the data file first."""
    if found.foreign:
        rows = found.foreign.files
    else:
        rows = [_file(file) for file in header_blocks(found.header, final=True).files]
    yield Cols(_FILES)
    for row in rows:
        yield Row([row[name] for name, _ in _FILES])
    yield Done()


def label(family: Family) -> Iterator[Item]:
    """The one row of LABELONLY."""
    found = family.label
    yield Cols(_LABEL)
    yield Row(
        (
            found.media_name,
            _guid(found.media_set_id),
            found.family_count,
            found.family_sequence,
            _guid(found.family_id),
            1,
            0,
            found.description,
            "Microsoft SQL Server",
            4608,
            _time(found.date),
            found.mirror_count,
            found.compressed,
        )
    )
    yield Done()
