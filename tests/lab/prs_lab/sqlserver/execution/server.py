"""KILL, sp_configure, RECONFIGURE, CHECKPOINT, SHUTDOWN, DBCC."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import SqlError, Unmodelled
from ..parse import ir_language as ir
from ..wire.items import Done, Info, Item
from .batch import Batch
from .procedures import Arguments
from .registry import executes, procedure

__all__ = ["CONFIGURATIONS"]

CONFIGURATIONS: dict[str, tuple[int, int, int, int, bool, bool, str]] = {
    # name: (id, minimum, maximum, default, dynamic, advanced, description)
    "allow updates": (102, 0, 1, 0, True, False, "Allow updates to system tables"),
    "backup checksum default": (1584, 0, 1, 0, True, False, "Enable checksum of backups by default"),
    "backup compression default": (1579, 0, 1, 0, True, False, "Enable compression of backups by default"),
    "clr enabled": (1562, 0, 1, 0, True, False, "CLR user code execution enabled in the server"),
    "contained database authentication": (
        16393,
        0,
        1,
        0,
        True,
        False,
        "Enables contained databases and contained authentication",
    ),
    "cost threshold for parallelism": (1538, 0, 32767, 5, True, True, "cost threshold for parallelism"),
    "max degree of parallelism": (1539, 0, 32767, 0, True, True, "maximum degree of parallelism"),
    "max server memory (MB)": (1544, 128, 2147483647, 2147483647, True, True, "Maximum size of server memory (MB)"),
    "min server memory (MB)": (1543, 0, 2147483647, 0, True, True, "Minimum size of server memory (MB)"),
    "optimize for ad hoc workloads": (
        1581,
        0,
        1,
        0,
        True,
        True,
        "When this option is set, plan cache size is further reduced",
    ),
    "recovery interval (min)": (101, 0, 32767, 0, True, True, "Maximum recovery interval in minutes"),
    "remote admin connections": (
        1576,
        0,
        1,
        0,
        True,
        False,
        "Dedicated Admin Connections are allowed from remote clients",
    ),
    "remote query timeout (s)": (1520, 0, 2147483647, 600, True, False, "remote query timeout"),
    "show advanced options": (518, 0, 1, 0, True, False, "show advanced options"),
    "user connections": (103, 0, 32767, 0, False, True, "Number of user connections allowed"),
    "xp_cmdshell": (16390, 0, 1, 0, True, True, "Enable or disable command shell"),
}


@executes(ir.Kill)
def _kill(batch: Batch, statement: ir.Kill) -> Iterator[Item]:
    if not batch.session.login.may("ALTER ANY CONNECTION"):
        raise SqlError(6102, "User does not have permission to use the KILL statement.", severity=14)
    if isinstance(statement.session, str):
        raise Unmodelled("KILL of a unit of work")
    target = batch.instance.session(int(statement.session))
    if target is batch.session:
        raise SqlError(6104, "Cannot use KILL to kill your own process.")
    if int(statement.session) <= 50:
        raise SqlError(6107, "Only user processes can be killed.", severity=14)
    if target is None:
        raise SqlError(6106, f"Process ID {statement.session} is not an active process ID.")
    if statement.status_only:
        raise SqlError(
            6120,
            f"Status report cannot be obtained. Rollback operation for Process ID {statement.session} is not in "
            "progress.",
        )
    target.kill()
    yield Done()


@executes(ir.Checkpoint)
def _checkpoint(batch: Batch, statement: ir.Checkpoint) -> Iterator[Item]:
    database = batch.instance.databases.get(batch.session.database)
    if not batch.workspace.access(database).may("CHECKPOINT"):
        raise SqlError(262, f"CHECKPOINT permission denied in database '{database.name}'.", severity=14)
    batch.workspace.release()
    database.checkpoint()
    yield Done()


@executes(ir.Shutdown)
def _shutdown(batch: Batch, statement: ir.Shutdown) -> Iterator[Item]:
    raise Unmodelled("SHUTDOWN (stop the service instead)")
    yield


@executes(ir.Reconfigure)
def _reconfigure(batch: Batch, statement: ir.Reconfigure) -> Iterator[Item]:
    if not batch.session.login.may("ALTER SETTINGS"):
        raise SqlError(5812, "You do not have permission to run the RECONFIGURE statement.", severity=14)
    with batch.instance.master() as metadata:
        for name, value in batch.instance.configuration.items():
            metadata.put("configuration", name, {"name": name, "value": value, "in_use": value})
    yield Done()


@procedure("sp_configure")
def _configure(batch: Batch, arguments: Arguments) -> Iterator[Item]:
    name, value = arguments.take("configname", "configvalue", defaults={"configname": None, "configvalue": None})
    configured = batch.instance.configuration
    advanced = configured.get("show advanced options", 0)
    found = [
        known
        for known in CONFIGURATIONS
        if (name is None or str(name).lower() in known.lower()) and (advanced or not CONFIGURATIONS[known][5])
    ]
    exact = [known for known in found if name is not None and known.lower() == str(name).lower()]
    found = exact or found
    if name is not None and len(found) != 1:
        number = 15123 if not found else 15124
        raise SqlError(
            number,
            f"The configuration option '{name}' does not exist, or it may be an advanced option."
            if not found
            else f"The configuration option '{name}' is not unique.",
        )
    if value is None:
        rows = [
            (known, low, high, configured.get(known, default), configured.get(known, default))
            for known, (_, low, high, default, *_) in CONFIGURATIONS.items()
            if known in found
        ]
        yield from batch.result(
            [
                ("name", "nvarchar(35)"),
                ("minimum", "int"),
                ("maximum", "int"),
                ("config_value", "int"),
                ("run_value", "int"),
            ],
            rows,
        )
        return
    if not batch.session.login.may("ALTER SETTINGS"):
        raise SqlError(15247, "User does not have permission to perform this action.")
    _, low, high, default, *_ = CONFIGURATIONS[found[0]]
    if not low <= int(value) <= high:
        raise SqlError(15129, f"'{value}' is not a valid value for configuration option '{found[0]}'.")
    old = configured.get(found[0], default)
    configured[found[0]] = int(value)
    yield Info(
        15457,
        f"Configuration option '{found[0]}' changed from {old} to {value}. Run the RECONFIGURE statement to install.",
        1,
        0,
    )
    yield Done()


@executes(ir.Dbcc)
def _dbcc(batch: Batch, statement: ir.Dbcc) -> Iterator[Item]:
    if statement.command == "CHECKDB":
        from .backups import check_database

        yield from check_database(batch, statement)
    elif statement.command == "CHECKPRIMARYFILE":
        from .attach import check_primary_file

        yield from check_primary_file(batch, statement)
    elif statement.command in ("FREEPROCCACHE", "DROPCLEANBUFFERS"):
        yield from _completed(statement)
    else:
        raise Unmodelled(f"DBCC {statement.command}")


def _completed(statement: ir.Dbcc) -> Iterator[Item]:
    if "NO_INFOMSGS" not in statement.options:
        yield Info(
            2528, "DBCC execution completed. If DBCC printed error messages, contact your system administrator.", 1, 10
        )
    yield Done()
