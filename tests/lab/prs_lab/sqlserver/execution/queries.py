"""SELECT, INSERT, UPDATE, DELETE: compiled for SQLite and run in the session's workspace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..errors import SqlError
from ..parse import ir_language as ir
from ..query.fragments import Fragment
from ..query.relations import Relation, quoted
from ..query.values import from_storage, to_storage
from ..query.workspace import affinity
from ..types import MAX, SqlType, sql_type
from ..wire.items import Cols, Done, Environment, Item, Rows
from .batch import Batch
from .registry import executes

__all__ = ["guessed"]

_CODES = {"SELECT": 0xC1, "INSERT": 0xC3, "DELETE": 0xC4, "UPDATE": 0xC5}


def guessed(values: list[Any]) -> SqlType:
    """The type of a column of which nothing is known but its stored values."""
    known = [value for value in values if value is not None]
    if all(isinstance(value, int) for value in known):
        return SqlType("int") if all(-(2**31) <= value < 2**31 for value in known) else SqlType("bigint")
    if all(isinstance(value, int | float) for value in known):
        return SqlType("float")
    if all(isinstance(value, bytes) for value in known):
        return SqlType("varbinary", MAX if any(len(value) > 8000 for value in known) else 8000)
    return SqlType("nvarchar", MAX if any(len(str(value)) > 4000 for value in known) else 4000)


@executes(ir.Query)
def _query(batch: Batch, statement: ir.Query) -> Iterator[Item]:
    session = batch.session
    compiled, values = batch.compile(statement.tree)
    if (
        session.implicit
        and not session.transaction_count
        and (compiled.target is not None or statement.verb != "SELECT")
    ):
        yield from session.begin_transaction()
    if compiled.kind != "select":
        rows, count = batch.workspace.change(compiled.target.database, compiled.sql, values)
        if compiled.columns:
            yield from _shown(compiled.columns, rows)
        done = batch.count(count)
        yield Done(done.count, _CODES.get(statement.verb, 0))
        return
    rows = batch.workspace.read(compiled.sql, values)
    if compiled.assigned:
        if rows:
            for name, value in zip(compiled.assigned, rows[-1], strict=True):
                batch.values[name] = value
        session.row_count = len(rows)
        yield Done(None if session.nocount else len(rows), 0xC1)
        return
    kinds = [kind or guessed([row[place] for row in rows]) for place, (_, kind) in enumerate(compiled.columns)]
    if compiled.into:
        _select_into(batch, compiled.into, [name for name, _ in compiled.columns], kinds, rows)
        yield batch.count(len(rows))
        return
    yield from _shown([(name, kind) for (name, _), kind in zip(compiled.columns, kinds, strict=True)], rows)
    session.row_count = len(rows)
    yield Done(None if session.nocount else len(rows), 0xC1)


def _shown(columns: list[tuple[str, SqlType | None]], rows: list[tuple[Any, ...]]) -> Iterator[Item]:
    kinds = [kind or guessed([row[place] for row in rows]) for place, (_, kind) in enumerate(columns)]
    yield Cols([(name, kind) for (name, _), kind in zip(columns, kinds, strict=True)])
    for start in range(0, len(rows), 500):
        yield Rows(
            [
                tuple(from_storage(value, kind) for value, kind in zip(row, kinds, strict=True))
                for row in rows[start : start + 500]
            ]
        )


def _select_into(
    batch: Batch, name: tuple[str, ...], names: list[str], kinds: list[SqlType], rows: list[tuple[Any, ...]]
) -> None:
    columns = dict(zip(names, kinds, strict=True))
    if name[-1].startswith("#"):
        definition = ", ".join(f"{quoted(column)} {affinity(kind)}" for column, kind in columns.items())
        relation = batch.workspace.temporary(name[-1], columns, definition)
        batch.workspace.fill(f"INSERT INTO {relation.sql} VALUES ({', '.join('?' * len(columns))})", rows)
        return
    from .tables import TableColumns, make_table

    made = TableColumns(
        [{"name": column, "type": str(kind), "nullable": True} for column, kind in columns.items()],
        columns,
        ", ".join(f"{quoted(column)} {affinity(kind)}" for column, kind in columns.items()),
    )
    make_table(batch, name, made, rows=rows)


@executes(ir.Truncate)
def _truncate(batch: Batch, statement: ir.Truncate) -> Iterator[Item]:
    relation = batch.workspace.resolve(statement.table)
    if relation.kind == "view":
        raise SqlError(
            4701, f'Cannot find the object "{relation.name}" because it does not exist or you do not have permissions.'
        )
    if relation.database is not None and not batch.workspace.access(relation.database).may("ALTER ANY SCHEMA"):
        raise SqlError(
            1088,
            f'Cannot find the object "{relation.name}" because it does not exist or you do not have permissions.',
            state=7,
        )
    batch.workspace.change(relation.database, f"DELETE FROM {relation.sql}", {})
    yield Done()


@executes(ir.InsertExecute)
def _insert_execute(batch: Batch, statement: ir.InsertExecute) -> Iterator[Item]:
    """INSERT ... EXEC: the rows of every result set go into the table, messages pass."""
    from .registry import EXECUTORS

    target = batch.workspace.resolve(statement.target)
    compiler = batch.compiler()
    columns = compiler.insert_columns(target, statement.columns)
    kinds: list[SqlType] = []
    count = 0
    for item in EXECUTORS[type(statement.execute)](batch, statement.execute):
        if isinstance(item, Cols):
            if len(item.columns) != len(columns):
                raise SqlError(
                    213, "Column name or number of supplied values does not match table definition.", state=7
                )
            kinds = [kind if isinstance(kind, SqlType) else sql_type(kind) for _, kind in item.columns]
        elif isinstance(item, Rows):
            count += _append(batch, target, columns, kinds, item.rows)
        elif not isinstance(item, Done | Environment):
            from ..wire.items import Row

            if isinstance(item, Row):
                count += _append(batch, target, columns, kinds, [item.values])
            else:
                yield item
    yield batch.count(count)


def _append(batch: Batch, target: Relation, columns: list[str], kinds: list[SqlType], rows: Any) -> int:
    compiler = batch.compiler()
    values = ", ".join(
        compiler.stored(Fragment(f":p{place}", kind), target, column)
        for place, (kind, column) in enumerate(zip(kinds, columns, strict=True))
    )
    sql = f"INSERT INTO {target.sql} ({', '.join(map(quoted, columns))}) VALUES ({values})"
    for row in rows:
        batch.workspace.change(
            target.database, sql, {f"p{place}": to_storage(value) for place, value in enumerate(row)}
        )
    return len(rows)
