"""Databases that come and go with their files: FOR ATTACH, sp_attach_db, sp_detach_db, and what a primary data file says of itself."""

from __future__ import annotations

import time
from collections.abc import Iterator

from ...windows.errors import WinError
from ..catalog.databases import SYSTEM, internal_version
from ..errors import SqlError
from ..parse import ir_objects as ir
from ..parse.ir_language import Dbcc
from ..storage import attaching, lifecycle
from ..wire.items import Done, Info, Item, ReturnStatus
from .batch import Batch
from .databases import refuse_in_transaction
from .procedures import Arguments
from .registry import executes, procedure

__all__ = ["check_primary_file"]

_IS_LOG = 0x40
_IN_USE = 32


@executes(ir.AttachDatabase)
def _attach(batch: Batch, statement: ir.AttachDatabase) -> Iterator[Item]:
    refuse_in_transaction(batch, "CREATE DATABASE")
    instance = batch.instance
    if not batch.session.login.may("CREATE ANY DATABASE"):
        raise SqlError(262, "CREATE DATABASE permission denied in database 'master'.", severity=14)
    if instance.databases.get(statement.name) is not None:
        raise SqlError(1801, f"Database '{statement.name}' already exists. Choose a different database name.", state=3)
    paths = [str(path) for path in statement.paths if path]
    if not paths:
        raise SqlError(1829, "The FOR ATTACH option requires that at least the primary file be specified.", state=3)
    boot = attaching.read_primary(instance.files(), paths[0])
    given = [path for path in paths[1:] if path.lower().endswith(".ldf")]
    recorded = [path for path in boot.paths[1:] if instance.files().exists(path)] if boot else []
    log_path = (given or recorded or [f"{paths[0].rsplit('.', 1)[0]}_log.ldf"])[0]
    _refuse_what_is_open(batch, statement.name, (paths[0], log_path))
    ours = internal_version(instance.version[0])
    if boot and boot.version > ours:
        text = (
            f"The database '{statement.name}' cannot be opened because it is version {boot.version}. This server "
            f"supports version {ours} and earlier. "
            "A downgrade path is not supported."
        )
        raise SqlError(948, text, severity=20, follow=(attaching.AttachRefused(statement.name),))
    try:
        database = attaching.attach(
            name=statement.name,
            files=instance.files(),
            data_path=paths[0],
            log_path=log_path,
            work=instance.root / "work" / f"new-{time.time_ns()}",
        )
    except attaching.AttachRefused as refused:
        for number, text in refused.notes:
            yield Info(number, text, 1, 0)
        raise
    database.boot.version = max(database.boot.version, ours)
    database.save()
    instance.databases.add(database)
    if statement.restricted:
        instance.databases.update(database, user_access="RESTRICTED_USER")
    yield Done()


def _refuse_what_is_open(batch: Batch, name: str, paths: tuple[str, ...]) -> None:
    """Raises 5120: a database that is in use holds its files open."""
    held = {
        path.lower()
        for other in batch.instance.databases
        if other.state != "OFFLINE"
        for path in (other.data_path, other.log_path)
    }
    for path in paths:
        if path.lower() in held:
            busy = attaching.cannot_open(path, WinError(_IN_USE, path))
            busy.follow = (attaching.AttachRefused(name),)
            raise busy


def check_primary_file(batch: Batch, statement: Dbcc) -> Iterator[Item]:
    """DBCC CHECKPRIMARYFILE (path, 0 | 1 | 2 | 3), as Management Studio asks before it attaches. Raises 2571, 5120,
    5171.
    """
    if not batch.session.login.may("CREATE ANY DATABASE"):
        raise SqlError(
            2571,
            f"User '{batch.session.login_name}' does not have permission to run DBCC CHECKPRIMARYFILE.",
            severity=14,
            state=3,
        )
    path, what = str(statement.arguments[0]), int(statement.arguments[1]) if len(statement.arguments) > 1 else 0
    boot = attaching.read_primary(batch.instance.files(), path)
    if what == 0:
        yield from batch.result([("IsMDF", "bit")], [(boot is not None,)])
        return
    if boot is None:
        raise SqlError(5171, f"{path} is not a primary database file.")
    if what == 2:
        facts = [("Database name", boot.name), ("Database version", str(boot.version)), ("Collation", "872468488")]
        yield from batch.result([("property", "nvarchar(128)"), ("value", "nvarchar(128)")], facts)
        return
    data_path, log_path = boot.paths if len(boot.paths) == 2 else (path, "")
    files = [(2, 1, boot.data_name, data_path), (2 | _IS_LOG, 2, boot.log_name, log_path)]
    yield from batch.result(
        [("status", "int"), ("fileid", "smallint"), ("name", "nchar(128)"), ("filename", "nchar(260)")], files
    )


@procedure("sp_attach_db")
def _attach_by_procedure(batch: Batch, arguments: Arguments) -> Iterator[Item]:
    """Microsoft: it runs CREATE DATABASE ... FOR ATTACH, with up to 16 files."""
    names = [f"filename{number}" for number in range(1, 17)]
    name, *paths = arguments.take("dbname", *names, defaults=dict.fromkeys(names[1:]))
    yield from _attach(batch, ir.AttachDatabase(name=str(name), paths=tuple(path for path in paths if path)))
    yield ReturnStatus(0)


@procedure("sp_detach_db")
def _detach(batch: Batch, arguments: Arguments) -> Iterator[Item]:
    name, _checks, _fulltext = arguments.take(
        "dbname", "skipchecks", "keepfulltextindexfile", defaults={"skipchecks": None, "keepfulltextindexfile": None}
    )
    instance = batch.instance
    database = instance.databases.get(str(name))
    if database is None:
        raise SqlError(
            15010,
            f"The database '{name}' does not exist. Supply a valid database name. To see available databases, use "
            "sys.databases.",
        )
    if database.name in SYSTEM:
        raise SqlError(7940, "System databases master, model, msdb, and tempdb cannot be detached.")
    if batch.session.database.lower() == database.name.lower() or instance.in_use(database.name, but=batch.session):
        raise SqlError(3703, f"Cannot detach the database '{database.name}' because it is currently in use.", state=2)
    batch.workspace.release()
    lifecycle.stop(database)
    instance.databases.remove(database.name)
    yield Done()
    yield ReturnStatus(0)
