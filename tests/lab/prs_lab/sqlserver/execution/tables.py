"""CREATE, ALTER and DROP TABLE; indexes, schemas; what is not modelled of modules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..errors import SqlError, Unmodelled
from ..parse import ir_objects as ir
from ..parse.tables import ColumnDefinition, TableDefinition
from ..query.fragments import Names
from ..query.relations import quoted
from ..query.workspace import affinity
from ..storage.database import Database
from ..types import SqlType, sql_type
from ..wire.items import Item
from .batch import Batch
from .registry import executes

__all__ = ["TableColumns", "drop_objects", "make_table", "table_columns"]


@dataclass
class TableColumns:
    """documents: for the metadata; types by column; parts: of the definition for SQLite, columns first."""

    documents: list[dict[str, Any]]
    types: dict[str, SqlType]
    parts: list[str]
    identity: str = ""
    not_null: frozenset[str] = field(default=frozenset())
    seed: int = 1

    @property
    def sql(self) -> str:
        return ", ".join(self.parts)


def table_columns(batch: Batch, definition: TableDefinition) -> TableColumns:
    """A definition, checked. Raises 2705, 8110, Unmodelled for checks, foreign keys and computed columns."""
    keys = [constraint for constraint in definition.constraints if constraint.kind == "primary key"]
    for constraint in definition.constraints:
        if constraint.kind in ("check", "foreign key"):
            raise Unmodelled(f"a table with a {constraint.kind} constraint")
    in_key = {name.lower() for constraint in keys for name in constraint.columns}
    if len(keys) + sum(column.primary_key for column in definition.columns) > 1:
        raise SqlError(8110, "Cannot add multiple PRIMARY KEY constraints to table.", state=0)
    documents, types, parts, identity, seed = [], {}, [], "", 1
    for column in definition.columns:
        if column.unread:
            raise Unmodelled(f"a table with {column.unread[0]}")
        if column.name.lower() in {name.lower() for name in types}:
            raise SqlError(
                2705,
                f"Column names in each table must be unique. Column name '{column.name}' in table is specified more "
                "than once.",
                state=3,
            )
        kind = sql_type(column.type)
        nullable = (
            column.nullable
            if column.nullable is not None
            else not (column.primary_key or column.identity or column.name.lower() in in_key)
        )
        types[column.name] = kind
        documents.append(
            {
                "name": column.name,
                "type": str(kind),
                "nullable": nullable,
                "identity": list(column.identity) if column.identity else None,
                "default": column.default is not None,
            }
        )
        if column.identity:
            identity, seed = column.name, column.identity[0]
        parts.append(_column_sql(batch, column, kind, nullable, keys))
    for constraint in definition.constraints:
        if constraint.kind == "unique" or (constraint.kind == "primary key" and identity.lower() not in in_key):
            word = "UNIQUE" if constraint.kind == "unique" else "PRIMARY KEY"
            parts.append(f"{word} ({', '.join(map(quoted, constraint.columns))})")
    not_null = frozenset(document["name"] for document in documents if not document["nullable"])
    return TableColumns(documents, types, parts, identity, not_null, seed)


def _column_sql(batch: Batch, column: ColumnDefinition, kind: SqlType, nullable: bool, keys: list[Any]) -> str:
    if column.identity:
        if column.identity[1] != 1:
            raise Unmodelled("an identity column with an increment other than 1")
        other_key = any(name.lower() != column.name.lower() for constraint in keys for name in constraint.columns)
        if other_key or not kind.is_integer:
            raise Unmodelled("an identity column that is not the primary key, or no integer")
        return f"{quoted(column.name)} INTEGER PRIMARY KEY AUTOINCREMENT"
    text = f"{quoted(column.name)} {affinity(kind)}"
    if column.default is not None:
        value = batch.compiler().converted(batch.compiler().expression(column.default, Names()), kind)
        text += f" DEFAULT ({value.sql})"
    return (
        text
        + (" PRIMARY KEY" if column.primary_key else "")
        + (" UNIQUE" if column.unique else "")
        + ("" if nullable else " NOT NULL")
    )


def place_of(batch: Batch, name: tuple[str, ...]) -> tuple[Database, str, str]:
    """(database, schema, object) of a one- to three-part name."""
    database_name = name[-3] if len(name) > 2 and name[-3] else batch.session.database
    database = batch.instance.databases.get(database_name)
    if database is None:
        raise SqlError(2702, f"Database '{database_name}' does not exist.", state=2)
    schema = name[-2] if len(name) > 1 and name[-2] else "dbo"
    return database, schema, name[-1]


def make_table(
    batch: Batch, name: tuple[str, ...], made: TableColumns, *, rows: list[tuple[Any, ...]] | None = None
) -> None:
    """A table in a database, with rows from SELECT INTO. Raises 262, 2714, 2760."""
    database, schema, table = place_of(batch, name)
    if not batch.workspace.access(database).may("CREATE TABLE"):
        raise SqlError(262, f"CREATE TABLE permission denied in database '{database.name}'.", severity=14)
    full = f"{schema}.{table}"
    with batch.workspace.writing(database) as metadata:
        known = metadata.get("schema", schema)
        if known is None:
            raise SqlError(
                2760,
                f'The specified schema name "{schema}" either does not exist or you do not have permission to use it.',
            )
        if metadata.get("table", full):
            raise SqlError(2714, f"There is already an object named '{table}' in the database.", state=6)
        alias = batch.workspace.attach(database)
        batch.workspace.read(f"CREATE TABLE {alias}.{quoted(full)} ({made.sql})")
        if made.identity and made.seed != 1:
            batch.workspace.read(
                f"INSERT INTO {alias}.sqlite_sequence (name, seq) VALUES (?, ?)", (full, made.seed - 1)
            )
        if rows:
            batch.workspace.fill(
                f"INSERT INTO {alias}.{quoted(full)} VALUES ({', '.join('?' * len(made.types))})", rows
            )
        now = batch.instance.now().isoformat(" ", "milliseconds")
        metadata.put(
            "table",
            full,
            {
                "schema": known["name"],
                "name": table,
                "object_id": 245575913 + 16 * metadata.next_number("object", 1),
                "created": now,
                "columns": made.documents,
            },
        )


@executes(ir.CreateTable)
def _create_table(batch: Batch, statement: ir.CreateTable) -> Iterator[Item]:
    made = table_columns(batch, statement.definition)
    if statement.table[-1].startswith("#"):
        batch.workspace.temporary(
            statement.table[-1], made.types, made.sql, identity=made.identity, not_null=made.not_null
        )
    else:
        make_table(batch, statement.table, made)
    yield from ()


@executes(ir.AlterTable)
def _alter_table(batch: Batch, statement: ir.AlterTable) -> Iterator[Item]:
    database, schema, table = place_of(batch, statement.table)
    full = f"{schema}.{table}"
    if statement.constraints or statement.altered or any(kind == "constraint" for kind, _ in statement.dropped):
        raise Unmodelled("ALTER TABLE other than ADD or DROP COLUMN")
    if batch.workspace.metadata(database).get("table", full) is None or not batch.workspace.access(database).may(
        "ALTER ANY SCHEMA"
    ):
        raise SqlError(
            4902,
            f'Cannot find the object "{".".join(statement.table)}" because it does not exist or you do not have '
            "permissions.",
        )
    with batch.workspace.writing(database) as metadata:
        document = metadata.get("table", full)
        alias = batch.workspace.attach(database)
        if statement.columns:
            made = table_columns(batch, TableDefinition(columns=statement.columns))
            for part, column in zip(made.parts, made.documents, strict=True):
                batch.workspace.read(f"ALTER TABLE {alias}.{quoted(full)} ADD COLUMN {part}")
                document["columns"].append(column)
        for _, name in statement.dropped:
            if not any(column["name"].lower() == name.lower() for column in document["columns"]):
                raise SqlError(
                    4924, f"ALTER TABLE DROP COLUMN failed because column '{name}' does not exist in table '{table}'."
                )
            batch.workspace.read(f"ALTER TABLE {alias}.{quoted(full)} DROP COLUMN {quoted(name)}")
            document["columns"] = [column for column in document["columns"] if column["name"].lower() != name.lower()]
        metadata.put("table", full, document)
    yield from ()


@executes(ir.CreateIndex)
def _create_index(batch: Batch, statement: ir.CreateIndex) -> Iterator[Item]:
    if statement.table[-1].startswith("#"):
        yield from ()
        return
    database, schema, table = place_of(batch, statement.table)
    full = f"{schema}.{table}"
    with batch.workspace.writing(database) as metadata:
        if metadata.get("table", full) is None or not batch.workspace.access(database).may("ALTER ANY SCHEMA"):
            raise SqlError(
                1088,
                f'Cannot find the object "{".".join(statement.table)}" because it does not exist or you do not have '
                "permissions.",
                state=12,
            )
        if metadata.get("index", f"{full}.{statement.name}"):
            raise SqlError(
                1913,
                f"The operation failed because an index or statistics with name '{statement.name}' already exists "
                f"on table '{full}'.",
            )
        alias = batch.workspace.attach(database)
        unique = "UNIQUE " if statement.unique else ""
        columns = ", ".join(map(quoted, statement.columns))
        batch.workspace.read(
            f"CREATE {unique}INDEX {alias}.{quoted(f'{full}.{statement.name}')} ON {quoted(full)} ({columns})"
        )
        metadata.put(
            "index",
            f"{full}.{statement.name}",
            {"table": full, "name": statement.name, "unique": statement.unique, "columns": list(statement.columns)},
        )
    yield from ()


@executes(ir.CreateModule)
def _create_module(batch: Batch, statement: ir.CreateModule) -> Iterator[Item]:
    raise Unmodelled(f"CREATE or ALTER {statement.kind.upper()}")
    yield


def drop_objects(batch: Batch, statement: ir.DropObject) -> None:
    """DROP TABLE and DROP INDEX. Raises 3701."""
    for name in statement.names:
        if name[-1].startswith("#"):
            if not batch.workspace.drop_temporary(name[-1]) and not statement.if_exists:
                raise _no_such("table", name)
            continue
        database, schema, table = place_of(batch, name if statement.kind == "table" else name[:-1])
        full = f"{schema}.{table}"
        with batch.workspace.writing(database) as metadata:
            alias = batch.workspace.attach(database)
            allowed = batch.workspace.access(database).may("ALTER ANY SCHEMA")
            if statement.kind == "index":
                if not metadata.get("index", f"{full}.{name[-1]}") or not allowed:
                    if statement.if_exists:
                        continue
                    raise _no_such("index", name)
                batch.workspace.read(f"DROP INDEX {alias}.{quoted(f'{full}.{name[-1]}')}")
                metadata.delete("index", f"{full}.{name[-1]}")
                continue
            if metadata.get("table", full) is None or not allowed:
                if statement.if_exists:
                    continue
                raise _no_such("table", name)
            batch.workspace.read(f"DROP TABLE {alias}.{quoted(full)}")
            metadata.delete("table", full)
            for index in list(metadata.all("index")):
                if index["table"].lower() == full.lower():
                    metadata.delete("index", f"{index['table']}.{index['name']}")


def _no_such(kind: str, name: tuple[str, ...]) -> SqlError:
    return SqlError(
        3701,
        f"Cannot drop the {kind} '{'.'.join(name)}', because it does not exist or you do not have permission.",
        severity=11,
        state=5,
    )
