"""A backup set's header as the blocks of a backup file say it, where any reader of such files finds it."""

from __future__ import annotations

import datetime as dt

from .boot import Boot
from .lsn import make
from .pages import PAGE
from .setheader import DIFFERENTIAL, FULL, LOG, SetHeader
from .tape.collations import collation_bits
from .tape.records import BackupSet, DatabaseFile

__all__ = ["LETTERS", "MAX_DATA", "MAX_LOG", "header_blocks", "provisional"]

LETTERS = {FULL: "D", DIFFERENTIAL: "I", LOG: "L"}
MAX_DATA, MAX_LOG = 35184372080640, 2199023255552
_PROVISIONAL_SINCE = 15


def _time(text: str | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if text else None


def provisional(header: SetHeader, boot: Boot) -> tuple[int, int, int] | None:
    """First, last and checkpoint LSN as a server from 2019 on writes them when a data backup begins: too early.

    boot: as the database was before the backup's own checkpoint.
    """
    if header.backup_type == LOG or header.software[0] < _PROVISIONAL_SINCE:
        return None
    before = min(boot.checkpoint_lsn, header.first_lsn) or make(1, 16, 1)
    return before, before, before


def header_blocks(header: SetHeader, *, final: bool) -> BackupSet:
    """What the blocks of a set say; final: those at its end."""
    boot = header.database
    first_fork, last_fork, fork_point = header.forks(boot)
    options = boot.options
    bits, sort_id = collation_bits(options.get("collation"))
    statuses = {"SIMPLE": 8, "BULK_LOGGED": 4}
    rebased = final and header.backup_type == FULL and not header.copy_only
    base = (header.checkpoint_lsn, header.set_guid) if rebased else (0, None)
    if not rebased and boot.base:
        base = (boot.base.lsn, boot.base.guid)
    data = DatabaseFile(
        logical_name=boot.data_name,
        physical_name=header.data_path,
        size=header.data_size if final else boot.pages * PAGE,
        max_size=MAX_DATA,
        unique_id=boot.data_guid,
        base_lsn=base[0],
        base_guid=base[1],
        backup_size=header.pages * PAGE,
    )
    log = DatabaseFile(
        logical_name=boot.log_name,
        physical_name=header.log_path,
        type=2,
        file_id=2,
        filegroup_id=0,
        size=header.log_size if final else 0,
        max_size=MAX_LOG,
        unique_id=boot.log_guid,
        backup_size=0,
    )
    return BackupSet(
        letter=LETTERS[header.backup_type],
        database=header.database_name,
        server=header.server_name,
        machine=header.machine_name,
        name=header.name or "",
        description=header.description or "",
        user=header.user_name,
        guid=header.set_guid,
        version=(header.software[0], header.software[1], header.software[2]),
        database_version=boot.version,
        compatibility=options.get("compatibility_level", 10 * header.software[0]),
        started=_time(header.started),  # type: ignore[arg-type]
        finished=_time(header.finished),  # type: ignore[arg-type]
        created=_time(header.created),  # type: ignore[arg-type]
        expires=_time(header.expiration),
        time_zone=header.time_zone,
        first_lsn=header.first_lsn,
        last_lsn=header.last_lsn,
        checkpoint_lsn=header.checkpoint_lsn,
        provisional=tuple(header.provisional) if header.provisional else None,  # type: ignore[arg-type]
        database_backup_lsn=header.database_backup_lsn,
        last_full=boot.base.guid if boot.base else None,
        flags=header.flags,
        status=0x10000 | statuses.get(boot.recovery_model, 0),
        size=header.backup_size,
        compressed_size=header.compressed_size,
        binding=boot.database_guid,
        family=boot.family_guid,
        fork=last_fork,
        first_fork=first_fork if first_fork != last_fork else None,
        fork_point=fork_point or 0,
        log_chain_start=header.first_lsn if header.begins_chain else boot.chain_start_lsn,
        base_lsn=header.base_lsn or 0,
        base_guid=header.base_guid,
        collation=bits,
        sort_id=sort_id,
        files=(data, log),
    )
