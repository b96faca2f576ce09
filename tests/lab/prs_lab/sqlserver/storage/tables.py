"""The tables of a database, as its data file tells them to whoever reads it without a server."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from ..catalog.store import METADATA, Metadata
from ..types import sql_type
from .disk.facts import collation_id
from .disk.rows import ColumnFacts, is_known, placed, row
from .disk.system_tables import TableFacts

__all__ = ["tables_in"]


_WRITTEN_IN_CHARACTERS = ("nvarchar", "nchar")
_MOST_ROWS = 100_000
"""Of a table that is written: each checkpoint writes all of them."""


def tables_in(connection: sqlite3.Connection, *, collation: str = "") -> list[TableFacts]:
    """The user tables with their rows, as committed now."""
    metadata = Metadata(connection)
    documents = metadata.all("table") if metadata.has_any() else ()
    known = {f"{table['schema']}.{table['name']}".lower(): table for table in documents}
    names = [
        name
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"
        ).fetchall()
        if name != METADATA and not name.startswith("sqlite_")
    ]
    number = collation_id(collation)
    return [_table(connection, name, known.get(name.lower(), {}), place, number) for place, name in enumerate(names)]


def _table(
    connection: sqlite3.Connection, name: str, document: dict[str, Any], place: int, collation: int
) -> TableFacts:
    quoted = name.replace('"', '""')
    ((rows,),) = connection.execute(f'SELECT count(*) FROM "{quoted}"').fetchall()
    schema, _, last = name.rpartition(".")
    columns = _columns(document.get("columns", ()), collation)
    keys = _key(connection, quoted)
    return TableFacts(
        object_id=document.get("object_id", 0x1000 + place),
        schema=document.get("schema", schema or "dbo"),
        name=document.get("name", last),
        rows=rows,
        created=document.get("created"),
        columns=columns,
        records=_records(connection, quoted, columns, keys) if columns and rows <= _MOST_ROWS else None,
        heap=not keys,
        name_of_rows=name,
    )


def _columns(documents: Sequence[dict[str, Any]], collation: int) -> tuple[ColumnFacts, ...]:
    """None where the values of one of them are not written."""
    kinds = [sql_type(document["type"]) for document in documents]
    if not all(is_known(kind.name) for kind in kinds):
        return ()
    return tuple(
        ColumnFacts(
            name=document["name"],
            type=kind.name,
            column_id=number,
            length=kind.length * 2 if kind.name in _WRITTEN_IN_CHARACTERS and kind.length > 0 else kind.length,
            precision=kind.precision,
            scale=kind.scale,
            nullable=document["nullable"],
            identity=bool(document.get("identity")),
            collation=collation if kind.is_text else 0,
        )
        for number, (document, kind) in enumerate(zip(documents, kinds, strict=True), 1)
    )


def _key(connection: sqlite3.Connection, quoted: str) -> list[str]:
    """The columns of the clustered key, which a primary key is."""
    described = connection.execute(f'PRAGMA table_info("{quoted}")').fetchall()
    return [name for _key, name in sorted((entry[5], entry[1]) for entry in described if entry[5])]


def _records(
    connection: sqlite3.Connection, quoted: str, columns: Sequence[ColumnFacts], keys: Sequence[str]
) -> tuple[bytes, ...] | None:
    """None where a row does not fit on a page."""
    order = ", ".join('"{}"'.format(name.replace('"', '""')) for name in keys) or "rowid"
    names = ", ".join('"{}"'.format(column.name.replace('"', '""')) for column in columns)
    places, found = placed(columns), []
    for values in connection.execute(f'SELECT {names} FROM "{quoted}" ORDER BY {order}'):
        data = row(places, values)
        if data is None:
            return None
        found.append(data)
    return tuple(found)
