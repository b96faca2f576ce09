"""DBCC CHECKDB: page checksums, and with more than PHYSICAL_ONLY also what SQLite says of its structures."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from ..catalog.store import Metadata
from ..context import InstanceContext, SessionContext
from ..errors import Unmodelled
from ..parse.ir_language import Dbcc
from ..query.relations import quoted
from ..storage import faults
from ..storage.database import Database
from ..storage.pages import PAGE, place_of
from ..wire.items import Done, Error, Info, Item
from .progress import Pace

__all__ = ["check_database"]

_OPTIONS = {
    "ALL_ERRORMSGS",
    "NO_INFOMSGS",
    "PHYSICAL_ONLY",
    "TABLOCK",
    "EXTENDED_LOGICAL_CHECKS",
    "DATA_PURITY",
    "MAXDOP",
}


@dataclass
class _Table:
    """A table as CHECKDB reports it; errors counts its consistency errors."""

    name: str
    object_id: int
    sql: str
    errors: int = 0


def check_database(
    instance: InstanceContext, session: SessionContext, database: Database, statement: Dbcc
) -> Iterator[Item]:
    """Reports every error as an Error item and goes on; the summary (8989) comes at the end, unless NO_INFOMSGS finds
    nothing to say.
    """
    repairs = [str(argument) for argument in statement.arguments[1:] if str(argument).upper().startswith("REPAIR")]
    unknown = sorted(option for option in statement.options if option.split()[0] not in _OPTIONS)
    if repairs or unknown:
        raise Unmodelled(f"DBCC CHECKDB with {', '.join([*repairs, *unknown])}")
    if not database.is_open:
        raise faults.cannot_open(
            database.name,
            database.state if database.state in ("RESTORING", "SUSPECT", "OFFLINE") else "RECOVERY_PENDING",
        )
    talks = "NO_INFOMSGS" not in statement.options
    connection = database.connect()
    try:
        tables = list(_tables(connection))
        pace = Pace(instance, session, command="DBCC CHECKDB", total=max(1, database.boot.pages) * PAGE)
        damaged = database.damaged_pages()
        yield from pace.advance(database.boot.pages * PAGE // 2)
        if talks:
            yield Info(2536, f"DBCC results for '{database.name}'.")
        unowned = yield from _report_pages(database, tables, damaged)
        if "PHYSICAL_ONLY" not in statement.options and not damaged:
            unowned += yield from _report_structures(database)
        if talks:
            yield from _report_tables(connection, tables, {table.name for table in tables if table.errors})
    finally:
        connection.close()
    yield from pace.complete()
    total = unowned + sum(table.errors for table in tables)
    for table in tables:
        if table.errors:
            yield Info(
                8990,
                f"CHECKDB found 0 allocation errors and {table.errors} consistency errors in table '{table.name}' "
                f"(object ID {table.object_id}).",
            )
    if total or talks:
        yield Info(
            8989, f"CHECKDB found 0 allocation errors and {total} consistency errors in database '{database.name}'."
        )
    if total:
        yield Info(
            8958,
            "repair_allow_data_loss is the minimum repair level for the errors found by DBCC CHECKDB "
            f"({database.name}).",
        )
    elif not database.options.get("is_read_only"):  # PHYSICAL_ONLY counts as well
        database.set_option("last_good_checkdb", instance.now().isoformat(" ", "microseconds"))
    if talks:
        yield Info(2528, "DBCC execution completed. If DBCC printed error messages, contact your system administrator.")
    yield Done()


def _tables(connection: sqlite3.Connection) -> Iterator[_Table]:
    metadata = Metadata(connection)
    known = (
        {f"{one['schema']}.{one['name']}".lower(): one for one in metadata.all("table")} if metadata.has_any() else {}
    )
    for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").fetchall():
        entry = known.get(name.lower())
        yield _Table(name=entry["name"] if entry else name, object_id=entry["object_id"] if entry else 0, sql=name)


def _report_pages(database: Database, tables: list[_Table], damaged: list[int]) -> Iterator[Item]:
    """Two errors per damaged page, as a real server says it; returns how many belong to no table."""
    unowned = 0
    for number in damaged:
        owner = database.table_of_page(number)
        if owner == "":
            continue
        table = next((table for table in tables if owner is not None and table.sql.lower() == owner.lower()), None)
        where = (
            f"Object ID {table.object_id if table else 0}, index ID 1, partition ID 72057594043039744, alloc "
            "unit ID 72057594049789952 (type In-row data)"
        )
        page = f"(1:{place_of(number)})"
        yield Error(
            8939,
            f"Table error: {where}, page {page}. Test (IS_OFF (BUF_IOERR, pBUF->bstat)) failed. Values are 133129 "
            "and -4.",
            98,
            16,
        )
        yield Error(8928, f"{where}: Page {page} could not be processed.  See other errors for details.", 1, 16)
        if table:
            table.errors += 2
        else:
            unowned += 2
    return unowned


def _report_structures(database: Database) -> Iterator[Item]:
    """Whatever SQLite finds wrong; returns how many."""
    found = database.broken_structures()
    for text in found:
        yield Error(
            8939,
            "Table error: Object ID 0, index ID -1, partition ID 0, alloc unit ID 0 (type Unknown), page (0:0). "
            f"Test ({text}) failed.",
            1,
            16,
        )
    return len(found)


def _report_tables(connection: sqlite3.Connection, tables: list[_Table], broken: set[str]) -> Iterator[Item]:
    for table in tables:
        if table.object_id and table.name not in broken:
            rows = connection.execute(f"SELECT count(*) FROM {quoted(table.sql)}").fetchone()[0]
            yield Info(2536, f"DBCC results for '{table.name}'.")
            yield Info(2593, f'There are {rows} rows in {max(1, rows // 50)} pages for object "{table.name}".')
