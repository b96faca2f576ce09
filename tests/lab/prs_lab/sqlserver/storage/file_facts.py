"""From what the twin knows of a database to what its files say of it."""

from __future__ import annotations

from .boot import Boot
from .disk.facts import DatabaseFacts, FileFacts

__all__ = ["database_facts", "file_facts"]

_BUILDS = {
    706: (11, 0, 7001),
    782: (12, 0, 6024),
    852: (13, 0, 6300),
    869: (14, 0, 3456),
    904: (15, 0, 4430),
    957: (16, 0, 4236),
}
"""Of a server that writes this version."""


def database_facts(boot: Boot) -> DatabaseFacts:
    options, base = boot.options, boot.base
    return DatabaseFacts(
        name=boot.name,
        version=boot.version,
        binding=boot.database_guid,
        family=boot.family_guid,
        fork=boot.fork.guid,
        fork_lsn=boot.fork.start_lsn,
        first_fork=boot.forks[0].guid,
        checkpoint=boot.checkpoint_lsn,
        clean=boot.clean and boot.state == "ONLINE",
        recovery_model=boot.recovery_model,
        read_only=bool(options.get("is_read_only")),
        user_access=str(options.get("user_access") or "MULTI_USER"),
        created=boot.created or None,
        collation=str(options.get("collation") or ""),
        compatibility=int(options.get("compatibility_level") or 0),
        build=_BUILDS.get(boot.version, (0, 0, 0)),
        last_log_backup=boot.last_log_backup or (base.time if base else None),
        last_log_backup_lsn=boot.log_start_lsn or 0,
        full_backup_lsn=boot.database_backup_lsn,
        full_backup=base.guid if base else None,
        chain_start=boot.chain_start_lsn,
        last_check=options.get("last_good_checkdb"),
    )


def file_facts(boot: Boot, *, data_pages: int = 0, log_pages: int = 0) -> tuple[FileFacts, FileFacts]:
    """The data file and the log."""
    paths = boot.paths if len(boot.paths) == 2 else ["", ""]
    data = FileFacts(
        file_id=1,
        is_log=False,
        name=boot.data_name,
        path=paths[0],
        guid=boot.data_guid,
        pages=data_pages,
        base_lsn=boot.base.lsn if boot.base else 0,
        base_guid=boot.base.guid if boot.base else None,
    )
    log = FileFacts(file_id=2, is_log=True, name=boot.log_name, path=paths[1], guid=boot.log_guid, pages=log_pages)
    return data, log
