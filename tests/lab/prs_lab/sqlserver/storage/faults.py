"""What a database that cannot be used answers, in SQL Server's words."""

from __future__ import annotations

from ..errors import SqlError

__all__ = ["bad_page", "cannot_open", "data_full", "log_full"]

_CANNOT_OPEN = {
    "RESTORING": (927, "Database '{name}' cannot be opened. It is in the middle of a restore.", 2),
    "SUSPECT": (
        926,
        (
            "Database '{name}' cannot be opened. It has been marked SUSPECT by recovery. See the SQL Server errorlog "
            "for more information."
        ),
        1,
    ),
    "OFFLINE": (942, "Database '{name}' cannot be opened because it is offline.", 4),
    "RECOVERY_PENDING": (
        945,
        "Database '{name}' cannot be opened due to inaccessible files or insufficient memory or disk space. "
        "See the SQL Server errorlog for details.",
        2,
    ),
    # In a mirroring session:
    "MIRROR": (954, 'The database "{name}" cannot be opened. It is acting as a mirror database.', 1),
    "PRINCIPAL": (
        955,
        "Database {name} is enabled for Database Mirroring, but the database lacks quorum: the database cannot be "
        "opened.  Check the partner and witness "
        "connections if configured.",
        1,
    ),
}


def cannot_open(name: str, state: str) -> SqlError:
    """Why a database in this state cannot be used."""
    number, text, error_state = _CANNOT_OPEN[state]
    return SqlError(number, text.format(name=name), severity=14, state=error_state)


def bad_page(*, database_id: int, page: int, path: str) -> SqlError:
    """824; `page` as SQL Server counts (from 0)."""
    return SqlError(
        824,
        "SQL Server detected a logical consistency-based I/O error: incorrect checksum. It occurred during a read "
        f"of page (1:{page}) in database ID "
        f"{database_id} at offset {page * 8192:#018x} in file '{path}'.  Additional messages in the SQL Server "
        "error log or operating system error log may "
        "provide more detail. This is a severe error condition that threatens database integrity and must be "
        "corrected immediately. Complete a full "
        "database consistency check (DBCC CHECKDB). This error can be caused by many factors; for more information, "
        "see SQL Server Books Online.",
        severity=24,
        state=2,
    )


def log_full(name: str, reason: str) -> SqlError:
    return SqlError(9002, f"The transaction log for database '{name}' is full due to '{reason}'.", severity=17, state=4)


def data_full(name: str) -> SqlError:
    return SqlError(
        1105,
        f"Could not allocate space for object 'dbo.SORT temporary run storage' in database '{name}' because the "
        "'PRIMARY' filegroup is full. Create disk "
        "space by deleting unneeded files, dropping objects in the filegroup, adding additional files to the "
        "filegroup, or setting autogrowth on for existing "
        "files in the filegroup.",
        severity=17,
        state=2,
    )
