"""CREATE, ALTER and DROP DATABASE; USE."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

from ..catalog.databases import SYSTEM
from ..collations import check_collation
from ..errors import SqlError, Unmodelled
from ..mirroring.messages import error
from ..parse import ir_objects as ir
from ..parse.ir_language import Use
from ..storage import lifecycle
from ..storage.database import Database
from ..wire.items import Done, Environment, Info, Item
from .batch import Batch
from .registry import executes

__all__ = ["altered", "refuse_in_transaction"]

_FAILED = SqlError(5069, "ALTER DATABASE statement failed.")


def refuse_in_transaction(batch: Batch, statement: str) -> None:
    """Raises 226."""
    if batch.session.transaction_count:
        raise SqlError(226, f"{statement} statement not allowed within multi-statement transaction.", state=6)


@executes(Use)
def _use(batch: Batch, statement: Use) -> Iterator[Item]:
    database = batch.instance.databases.get(statement.database)
    if database is None:
        raise SqlError(
            911, f"Database '{statement.database}' does not exist. Make sure that the name is entered correctly."
        )
    old = batch.session.database
    batch.instance.enter(batch.session, database)
    yield Environment(1, database.name, old)
    yield Info(5701, f"Changed database context to '{database.name}'.", 1, 0, statement.line)
    yield Done()


# ---- CREATE


@executes(ir.CreateDatabase)
def _create(batch: Batch, statement: ir.CreateDatabase) -> Iterator[Item]:
    refuse_in_transaction(batch, "CREATE DATABASE")
    instance, session = batch.instance, batch.session
    if not session.login.may("CREATE ANY DATABASE"):
        raise SqlError(262, "CREATE DATABASE permission denied in database 'master'.", severity=14)
    if instance.databases.get(statement.name) is not None:
        raise SqlError(1801, f"Database '{statement.name}' already exists. Choose a different database name.", state=3)
    if len(statement.files) > 1 or len(statement.logs) > 1:
        raise Unmodelled("a database with more than one data file or more than one log file")
    collation = check_collation(statement.collation) if statement.collation else instance.settings.collation
    if dict(statement.options).get("CONTAINMENT", "NONE") != "NONE":
        raise Unmodelled("CONTAINMENT = PARTIAL")
    data = statement.files[0] if statement.files else ir.FileSpec()
    log = statement.logs[0] if statement.logs else ir.FileSpec()
    data_path = str(data.physical or f"{instance.settings.data_dir.rstrip(chr(92))}\\{statement.name}.mdf")
    log_path = str(log.physical or f"{instance.settings.log_dir.rstrip(chr(92))}\\{statement.name}_log.ldf")
    model = instance.databases.get("model")
    database = instance.databases.create(
        statement.name,
        data_path,
        log_path,
        data_name=str(data.logical or statement.name),
        log_name=str(log.logical or f"{statement.name}_log"),
        recovery_model=model.recovery_model,
        owner_sid=session.login_sid,
        work=f"new-{time.time_ns()}",
        options={"collation": collation, "ledger": dict(statement.options).get("LEDGER", "OFF")},
    )
    instance.databases.add(database)
    yield Done()


# ---- DROP


@executes(ir.DropDatabase)
def _drop(batch: Batch, statement: ir.DropDatabase) -> Iterator[Item]:
    refuse_in_transaction(batch, "DROP DATABASE")
    instance, session = batch.instance, batch.session
    for name in statement.names:
        database = instance.databases.get(name)
        if database is None and statement.if_exists:
            continue
        if database is None or not _may_control(batch, database):
            raise SqlError(
                3701,
                f"Cannot drop the database '{name}', because it does not exist or you do not have permission.",
                severity=11,
            )
        if database.name in SYSTEM:
            raise SqlError(3708, f"Cannot drop the database '{database.name}' because it is a system database.")
        if database.mirroring_role:
            raise error(3743, name=database.name)
        instance.in_use(database.name, but=session)  # a client that has just left is given a moment to be gone
        with instance.doors.at(database.name, session=session):
            inside = session.database.lower() == database.name.lower() or any(
                True for _ in instance.sessions_in(database.name, but=session)
            )
            if inside or getattr(database, "busy_with", None):
                raise SqlError(3702, f'Cannot drop database "{database.name}" because it is currently in use.', state=4)
            lifecycle.drop(database)
            instance.databases.remove(database.name)
    yield Done()


# ---- ALTER


def _may_control(batch: Batch, database: Database) -> bool:
    """sysadmin, owner, dbcreator with ALTER ANY DATABASE, or db_owner in it."""
    login = batch.session.login
    if login.may("ALTER ANY DATABASE") or batch.instance.owner_sid(database) == login.sid:
        return True
    with contextlib.suppress(SqlError):
        return batch.workspace.access(database).is_db_owner
    return False


def altered(batch: Batch, name: str) -> Database:
    """The database of an ALTER. Raises 5011 and 5069."""
    database = batch.instance.databases.get(name or batch.session.database)
    if database is None or not _may_control(batch, database):
        raise SqlError(
            5011,
            f"User does not have permission to alter database '{name}', the database does not exist, or the "
            "database is not in a state that "
            "allows access checks.",
            severity=14,
            state=5,
            follow=(_FAILED,),
        )
    return database


@executes(ir.AlterDatabaseName)
def _rename(batch: Batch, statement: ir.AlterDatabaseName) -> Iterator[Item]:
    database = altered(batch, statement.name)
    if database.mirroring_role:
        raise error(1468, name=database.name)
    if batch.instance.databases.get(statement.new_name) is not None:
        raise SqlError(
            1801, f"Database '{statement.new_name}' already exists. Choose a different database name.", state=3
        )
    if batch.instance.in_use(database.name, but=batch.session):
        raise SqlError(5030, "The database could not be exclusively locked to perform the operation.", state=5)
    old = database.name
    batch.workspace.release()
    batch.instance.databases.rename(database, statement.new_name)
    if batch.session.database == old:
        batch.session.database = statement.new_name
    yield Info(5021, f"The database name '{statement.new_name}' has been set.", 1, 0)


@executes(ir.AlterDatabaseCollation)
def _collate(batch: Batch, statement: ir.AlterDatabaseCollation) -> Iterator[Item]:
    database = altered(batch, statement.name)
    name = check_collation(statement.collation)
    if batch.instance.in_use(database.name, but=batch.session):
        raise SqlError(
            5030,
            "The database could not be exclusively locked to perform the operation.",
            state=2,
            follow=(
                SqlError(
                    5072,
                    f"ALTER DATABASE failed. The default collation of database '{database.name}' cannot be set to "
                    f"{name}.",
                ),
            ),
        )
    database.set_option("collation", name)
    yield Done()


@executes(ir.AlterDatabaseFile)
def _file(batch: Batch, statement: ir.AlterDatabaseFile) -> Iterator[Item]:
    database = altered(batch, statement.name)
    spec = statement.files[0]
    if statement.action != "modify" or spec.physical or spec.new_logical:
        raise Unmodelled(f"ALTER DATABASE {statement.action.upper()} FILE")
    if str(spec.logical).lower() not in (database.boot.data_name.lower(), database.boot.log_name.lower()):
        raise SqlError(5041, f"MODIFY FILE failed. File '{spec.logical}' does not exist.")
    database.set_option(
        f"file {str(spec.logical).lower()}", {"size": spec.size, "max_size": spec.max_size, "growth": spec.growth}
    )
    yield Done()


@executes(ir.AlterDatabaseSet)
def _set(batch: Batch, statement: ir.AlterDatabaseSet) -> Iterator[Item]:
    refuse_in_transaction(batch, "ALTER DATABASE")
    database = altered(batch, statement.name)
    for option, value in statement.options:
        if database.name in SYSTEM and option in (
            "OFFLINE",
            "SINGLE_USER",
            "RESTRICTED_USER",
            "READ_ONLY",
            "EMERGENCY",
        ):
            raise SqlError(5058, f"Option '{option}' cannot be set in database '{database.name}'.")
        if database.mirroring_role and option in _NOT_MIRRORED:
            raise error(1468, name=database.name)
        if option in _NEEDS_OPEN and database.state == "RESTORING":
            raise SqlError(
                5052, "ALTER DATABASE is not permitted while a database is in the Restoring state.", follow=(_FAILED,)
            )
        handler = _HANDLERS.get(option)
        if handler is not None:
            handler(batch, database, value, statement)
        elif option in _KEPT:
            database.set_option(option.lower(), value)
        else:
            raise Unmodelled(f"ALTER DATABASE SET {option}")
    yield Done()


@contextlib.contextmanager
def _exclusive(batch: Batch, database: Database, statement: ir.AlterDatabaseSet) -> Iterator[None]:
    """Wait for, or end, the other sessions of a database, as WITH says; nobody comes in meanwhile. Raises 5070, 5061."""
    instance, me = batch.instance, batch.session
    kill = statement.termination == "immediate" or not _wait_for_others(batch, database, statement)
    with instance.doors.at(database.name, session=me):
        if kill:
            instance.end_sessions(database.name, but=me)
        yield


def _wait_for_others(batch: Batch, database: Database, statement: ir.AlterDatabaseSet) -> bool:
    """Whether they went before the time of ROLLBACK AFTER was over."""
    instance, me = batch.instance, batch.session
    ends = time.monotonic() + statement.termination if isinstance(statement.termination, int) else None
    while any(True for _ in instance.sessions_in(database.name, but=me)):
        if statement.termination == "no_wait":
            raise SqlError(
                5070,
                f"Database state cannot be changed while other users are using the database '{database.name}'",
                state=2,
                follow=(_FAILED,),
            )
        if ends is not None and time.monotonic() >= ends:
            return False
        me.pause(0.02)
    return True


def _access(mode: str) -> Any:
    def change(batch: Batch, database: Database, value: Any, statement: ir.AlterDatabaseSet) -> None:
        entry = batch.instance.databases.entry(database)
        others = list(batch.instance.sessions_in(database.name, but=batch.session))
        if entry["user_access"] == "SINGLE_USER" and others and statement.termination != "immediate":
            raise SqlError(
                5064,
                f"Changes to the state or options of database '{database.name}' cannot be made at this time. The "
                "database is in single-user "
                "mode, and a user is currently connected to it.",
                follow=(_FAILED,),
            )
        alone = mode == "SINGLE_USER" or (mode == "RESTRICTED_USER" and statement.termination)
        with _exclusive(batch, database, statement) if alone else contextlib.nullcontext():
            batch.instance.databases.update(database, user_access=mode)

    return change


def _offline(batch: Batch, database: Database, value: Any, statement: ir.AlterDatabaseSet) -> None:
    if database.state == "OFFLINE":
        return
    with _exclusive(batch, database, statement):
        batch.workspace.release()
        if batch.session.database.lower() == database.name.lower():
            batch.session.database = "master"
        lifecycle.stop(database)
        batch.instance.databases.update(database, offline=True, known=database.boot.to_dict())


def _online(batch: Batch, database: Database, value: Any, statement: ir.AlterDatabaseSet) -> None:
    if database.state == "ONLINE":
        return
    if database.state == "RESTORING":
        raise SqlError(
            5052, "ALTER DATABASE is not permitted while a database is in the Restoring state.", follow=(_FAILED,)
        )
    if database.state == "EMERGENCY":
        database.crash()
    lifecycle.bring_up(database)
    batch.instance.databases.update(database, offline=False)
    if database.state != "ONLINE":
        raise SqlError(
            945,
            f"Database '{database.name}' cannot be opened due to inaccessible files or insufficient memory or disk "
            "space. See the SQL Server "
            "errorlog for details.",
            severity=14,
            state=2,
            follow=(_FAILED,),
        )


def _emergency(batch: Batch, database: Database, value: Any, statement: ir.AlterDatabaseSet) -> None:
    if not batch.session.is_sysadmin():
        raise SqlError(
            5011,
            f"User does not have permission to alter database '{database.name}', the database does not exist, or "
            "the database is not in a state "
            "that allows access checks.",
            severity=14,
            follow=(_FAILED,),
        )
    batch.workspace.release()
    lifecycle.set_emergency(database)


def _recovery(batch: Batch, database: Database, value: Any, statement: ir.AlterDatabaseSet) -> None:
    if database.name == "tempdb":
        raise SqlError(5058, "Option 'RECOVERY' cannot be set in database 'tempdb'.")
    if value != database.recovery_model:
        database.set_recovery_model(value)


def _level(batch: Batch, database: Database, value: Any, statement: ir.AlterDatabaseSet) -> None:
    highest = batch.instance.version[0] * 10
    if value not in (100, 110, 120, 130, 140, 150, 160, 170) or value > highest:
        raise SqlError(
            15048,
            "Valid values of the database compatibility level are "
            f"{', '.join(str(level) for level in range(100, highest + 1, 10))}.",
        )
    database.set_option("compatibility_level", value)


def _read_only(value_of: bool) -> Any:
    def change(batch: Batch, database: Database, value: Any, statement: ir.AlterDatabaseSet) -> None:
        with _exclusive(batch, database, statement):
            database.set_option("is_read_only", value_of)

    return change


_HANDLERS = {
    "SINGLE_USER": _access("SINGLE_USER"), "RESTRICTED_USER": _access("RESTRICTED_USER"), "MULTI_USER": _access("MULTI_USER"), "OFFLINE": _offline,
    "ONLINE": _online, "EMERGENCY": _emergency, "RECOVERY": _recovery, "COMPATIBILITY_LEVEL": _level, "READ_ONLY": _read_only(True),
    "READ_WRITE": _read_only(False), "PAGE_VERIFY": lambda batch, database, value, statement: database.set_option("page_verify", value),
}  # fmt: skip
_NEEDS_OPEN = frozenset(
    (
        "RECOVERY",
        "PAGE_VERIFY",
        "COMPATIBILITY_LEVEL",
        "READ_ONLY",
        "READ_WRITE",
        "SINGLE_USER",
        "RESTRICTED_USER",
        "OFFLINE",
    )
)
_NOT_MIRRORED = frozenset(
    ("RECOVERY", "READ_ONLY", "SINGLE_USER", "RESTRICTED_USER", "OFFLINE", "EMERGENCY", "AUTO_CLOSE")
)
_KEPT = frozenset(
    """AUTO_CLOSE AUTO_SHRINK AUTO_CREATE_STATISTICS AUTO_UPDATE_STATISTICS AUTO_UPDATE_STATISTICS_ASYNC ANSI_NULL_DEFAULT ANSI_NULLS ANSI_PADDING ANSI_WARNINGS
    ARITHABORT CONCAT_NULL_YIELDS_NULL NUMERIC_ROUNDABORT QUOTED_IDENTIFIER RECURSIVE_TRIGGERS CURSOR_CLOSE_ON_COMMIT CURSOR_DEFAULT DB_CHAINING TRUSTWORTHY
    HONOR_BROKER_PRIORITY ALLOW_SNAPSHOT_ISOLATION READ_COMMITTED_SNAPSHOT DATE_CORRELATION_OPTIMIZATION PARAMETERIZATION DELAYED_DURABILITY
    TARGET_RECOVERY_TIME QUERY_STORE ACCELERATED_DATABASE_RECOVERY LEDGER""".split()  # noqa: SIM905
)
