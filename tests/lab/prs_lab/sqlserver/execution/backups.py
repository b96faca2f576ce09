"""BACKUP, RESTORE and DBCC CHECKDB: the work is done in `backup`."""

from __future__ import annotations

from collections.abc import Iterator

from ..backup import commands
from ..errors import SqlError, Unmodelled
from ..parse.ir import Backup, Restore
from ..parse.ir_language import Dbcc
from ..wire.items import Item
from .batch import Batch
from .registry import executes

__all__ = ["check_database"]


@executes(Backup, Restore)
def _run(batch: Batch, statement: Backup | Restore) -> Iterator[Item]:
    if batch.session.implicit:
        verb = "BACKUP" if isinstance(statement, Backup) else "RESTORE"
        end = SqlError(3013, f"{verb} {statement.what.upper()} is terminating abnormally.")
        raise SqlError(
            3021, "Cannot perform a backup or restore operation within a transaction.", state=0, follow=(end,)
        )
    batch.workspace.release()
    yield from commands.run(batch.instance, batch.session, statement)


def check_database(batch: Batch, statement: Dbcc) -> Iterator[Item]:
    """DBCC CHECKDB [(name | id [, ...])]. Raises 911, 7983."""
    instance, session = batch.instance, batch.session
    wanted = statement.arguments[0] if statement.arguments else session.database
    database = (
        instance.databases.by_id(wanted)
        if isinstance(wanted, int) and wanted
        else instance.databases.get(str(wanted or session.database))
    )
    if database is None:
        raise SqlError(911, f"Database '{wanted}' does not exist. Make sure that the name is entered correctly.")
    if not batch.workspace.access(database).is_db_owner:
        raise SqlError(
            7983,
            f"User '{session.login_name}' does not have permission to run DBCC CHECKDB for database '{database.name}'.",
            severity=14,
            state=5,
        )
    batch.workspace.release()
    run = getattr(commands, "check_database", None)
    if run is None:
        raise Unmodelled("DBCC CHECKDB")
    yield from run(instance, session, database, statement)
