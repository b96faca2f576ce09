"""What BACKUP, RESTORE and marked transactions leave in msdb: backupset and its like, restorehistory, restorefile,
logmarkhistory.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from ..context import InstanceContext
from ..query.values import to_storage
from ..storage.database import Database
from ..storage.logfile import RecordHead
from ..storage.media import Label, StoredSet
from ..storage.pages import PAGE
from ..storage.setheader import DIFFERENTIAL, FULL, LOG, SetHeader
from ..storage.stop import as_datetime
from .headers import DISK, facts
from .times import zone_of

__all__ = ["backup_set_id", "remember_backup", "remember_mark", "remember_restore"]

_LETTERS = {FULL: "D", DIFFERENTIAL: "I", LOG: "L"}
_COLUMNS = {
    "name": "BackupName",
    "description": "BackupDescription",
    "expiration_date": "ExpirationDate",
    "position": "Position",
    "user_name": "UserName",
    "server_name": "ServerName",
    "database_name": "DatabaseName",
    "database_version": "DatabaseVersion",
    "database_creation_date": "DatabaseCreationDate",
    "backup_size": "BackupSize",
    "first_lsn": "FirstLSN",
    "last_lsn": "LastLSN",
    "checkpoint_lsn": "CheckpointLSN",
    "database_backup_lsn": "DatabaseBackupLSN",
    "backup_start_date": "BackupStartDate",
    "backup_finish_date": "BackupFinishDate",
    "sort_order": "SortOrder",
    "code_page": "CodePage",
    "unicode_locale": "UnicodeLocaleId",
    "unicode_compare_style": "UnicodeComparisonStyle",
    "compatibility_level": "CompatibilityLevel",
    "software_vendor_id": "SoftwareVendorId",
    "software_major_version": "SoftwareVersionMajor",
    "software_minor_version": "SoftwareVersionMinor",
    "software_build_version": "SoftwareVersionBuild",
    "machine_name": "MachineName",
    "flags": "Flags",
    "database_guid": "BindingID",
    "last_recovery_fork_guid": "RecoveryForkID",
    "collation_name": "Collation",
    "family_guid": "FamilyGUID",
    "has_bulk_logged_data": "HasBulkLoggedData",
    "is_snapshot": "IsSnapshot",
    "is_readonly": "IsReadOnly",
    "is_single_user": "IsSingleUser",
    "has_backup_checksums": "HasBackupChecksums",
    "is_damaged": "IsDamaged",
    "begins_log_chain": "BeginsLogChain",
    "has_incomplete_metadata": "HasIncompleteMetaData",
    "is_force_offline": "IsForceOffline",
    "is_copy_only": "IsCopyOnly",
    "first_recovery_fork_guid": "FirstRecoveryForkID",
    "fork_point_lsn": "ForkPointLSN",
    "recovery_model": "RecoveryModel",
    "differential_base_lsn": "DifferentialBaseLSN",
    "differential_base_guid": "DifferentialBaseGUID",
    "backup_set_uuid": "BackupSetGUID",
    "compressed_backup_size": "CompressedBackupSize",
    "key_algorithm": "KeyAlgorithm",
    "encryptor_thumbprint": "EncryptorThumbprint",
    "encryptor_type": "EncryptorType",
}


def _known(instance: InstanceContext, table: str, column: str, value: Any) -> int | None:
    """The identity of the newest row of a history table with that value; None when msdb has none."""
    connection = instance.databases.get("msdb").connect()
    try:
        row = connection.execute(
            f'SELECT max(rowid) FROM "dbo.{table}" WHERE {column} = ?', (to_storage(value),)
        ).fetchone()
        return row[0]
    finally:
        connection.close()


def remember_backup(
    instance: InstanceContext,
    found: StoredSet,
    labels: Sequence[Label],
    devices: Sequence[Sequence[str]],
    logical: Sequence[Sequence[str | None]],
) -> int:
    """All rows of one finished backup; devices: per family its path, and those of its mirrors. Returns the
    backup_set_id.
    """
    header = found.header
    media_set_id = _media_set(instance, labels, devices, logical)
    values = facts(found, zone=zone_of(instance))
    row = {column: values[name] for column, name in _COLUMNS.items()}
    row.update(
        media_set_id=media_set_id,
        type=_LETTERS[header.backup_type],
        first_family_number=1,
        first_media_number=1,
        last_family_number=len(labels),
        last_media_number=1,
        catalog_family_number=1,
        catalog_media_number=1,
        time_zone=header.time_zone,
        mtf_minor_version=0,
        is_password_protected=False,
    )
    set_id = instance.insert_msdb("backupset", [row])[0]
    instance.insert_msdb("backupfile", [_file(header, set_id, is_log=False), _file(header, set_id, is_log=True)])
    return set_id


def _media_set(
    instance: InstanceContext,
    labels: Sequence[Label],
    devices: Sequence[Sequence[str]],
    logical: Sequence[Sequence[str | None]],
) -> int:
    first = labels[0]
    known = _known(instance, "backupmediaset", "media_uuid", uuid.UUID(first.media_set_id))
    if known is not None:
        return known
    media_set_id = instance.insert_msdb(
        "backupmediaset",
        [
            {
                "media_uuid": uuid.UUID(first.media_set_id),
                "media_family_count": first.family_count,
                "name": first.media_name,
                "description": first.description,
                "software_name": "Microsoft SQL Server",
                "software_vendor_id": 4608,
                "MTF_major_version": 1,
                "mirror_count": first.mirror_count,
                "is_password_protected": False,
                "is_compressed": first.compressed,
                "is_encrypted": first.encrypted,
            }
        ],
    )[0]
    instance.insert_msdb(
        "backupmediafamily",
        [
            {
                "media_set_id": media_set_id,
                "family_sequence_number": label.family_sequence,
                "media_family_id": uuid.UUID(label.family_id),
                "media_count": 1,
                "logical_device_name": names[mirror],
                "physical_device_name": path,
                "device_type": DISK + 100 if names[mirror] else DISK,
                "physical_block_size": 65536,
                "mirror": mirror,
            }
            for label, paths, names in zip(labels, devices, logical, strict=True)
            for mirror, path in enumerate(paths)
        ],
    )
    return media_set_id


def _file(header: SetHeader, set_id: int, *, is_log: bool) -> dict[str, Any]:
    boot = header.database
    size = header.log_size if is_log else header.data_size
    return {
        "backup_set_id": set_id,
        "first_family_number": 1,
        "first_media_number": 1,
        "filegroup_name": None if is_log else "PRIMARY",
        "page_size": 512 if is_log else PAGE,
        "file_number": 2 if is_log else 1,
        "backed_up_page_count": 0 if is_log else header.pages,
        "file_type": "L" if is_log else "D",
        "source_file_block_size": 512,
        "file_size": size,
        "logical_name": boot.log_name if is_log else boot.data_name,
        "physical_drive": (header.log_path if is_log else header.data_path)[:2],
        "physical_name": header.log_path if is_log else header.data_path,
        "state": 0,
        "state_desc": "ONLINE",
        "create_lsn": 0,
        "drop_lsn": 0,
        "file_guid": uuid.UUID(boot.log_guid if is_log else boot.data_guid),
        "backup_size": 0 if is_log else header.pages * PAGE,
        "filegroup_guid": None,
        "is_readonly": False,
        "is_present": True,
    }


def remember_mark(instance: InstanceContext, database: Database, head: RecordHead, *, user: str) -> None:
    """A row of logmarkhistory for a transaction that was committed WITH MARK; `head` is its log record."""
    if head.mark is None or head.time is None:
        return
    row = {
        "database_name": database.name,
        "mark_name": head.mark,
        "description": head.mark_description or None,
        "user_name": user,
        "lsn": head.end_lsn,
        "mark_time": as_datetime(head.time.astimezone(zone_of(instance)).replace(tzinfo=None)),
    }
    instance.insert_msdb("logmarkhistory", [row])


def backup_set_id(instance: InstanceContext, found: StoredSet, label: Label, devices: Sequence[str]) -> int:
    """The id of a set in msdb; one that was made elsewhere is entered first, as RESTORE does."""
    known = _known(instance, "backupset", "backup_set_uuid", uuid.UUID(found.header.set_guid))
    if known is not None:
        return known
    labels = (
        [label]
        if len(devices) == 1
        else [
            Label(
                media_set_id=label.media_set_id,
                family_id=label.family_id,
                family_sequence=number,
                family_count=label.family_count,
            )
            for number in range(1, len(devices) + 1)
        ]
    )
    return remember_backup(instance, found, labels, [[path] for path in devices], [[None]] * len(labels))


def remember_restore(
    instance: InstanceContext,
    *,
    database: str,
    user: str,
    set_id: int,
    kind: str,
    replace: bool,
    recovery: bool,
    stop_at: dt.datetime | None,
    mark: str | None,
    before: bool,
    device_count: int,
    paths: Sequence[str],
) -> None:
    """One row of restorehistory and its files. kind: D database, I differential, L log."""
    history_id = instance.insert_msdb(
        "restorehistory",
        [
            {
                "restore_date": instance.now().replace(microsecond=0),
                "destination_database_name": database,
                "user_name": user,
                "backup_set_id": set_id,
                "restore_type": kind,
                "replace": replace,
                "recovery": recovery,
                "restart": False,
                "stop_at": stop_at,
                "device_count": device_count,
                "stop_at_mark_name": mark,
                "stop_before": before,
            }
        ],
    )[0]
    if kind in "DI":
        rows = [
            {
                "restore_history_id": history_id,
                "file_number": number,
                "destination_phys_drive": path[:2],
                "destination_phys_name": path,
            }
            for number, path in enumerate(paths, 1)
        ]
        instance.insert_msdb("restorefile", rows)
