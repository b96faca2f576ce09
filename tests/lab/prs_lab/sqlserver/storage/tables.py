"""The tables of a database, as its data file tells them to whoever reads it without a server."""

from __future__ import annotations

import sqlite3
from typing import Any

from ..catalog.store import METADATA, Metadata
from .disk.system_tables import TableFacts

__all__ = ["tables_in"]


def tables_in(connection: sqlite3.Connection) -> list[TableFacts]:
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
    return [_table(connection, name, known.get(name.lower(), {}), place) for place, name in enumerate(names)]


def _table(connection: sqlite3.Connection, name: str, document: dict[str, Any], place: int) -> TableFacts:
    quoted = name.replace('"', '""')
    ((rows,),) = connection.execute(f'SELECT count(*) FROM "{quoted}"').fetchall()
    schema, _, last = name.rpartition(".")
    return TableFacts(
        object_id=document.get("object_id", 0x1000 + place),
        schema=document.get("schema", schema or "dbo"),
        name=document.get("name", last),
        rows=rows,
        created=document.get("created"),
    )
