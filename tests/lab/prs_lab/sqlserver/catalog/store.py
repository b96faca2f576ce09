"""Where metadata lives: in one table of each database, so that it travels with backups, and in master what belongs to
the server.

The table `sys.metadata` has a row per thing: kind, name, and a JSON document (bytes as {"hex": "..."}). Kinds in every
database: user, role, permission, schema, table. In master besides: login, server_permission, certificate, endpoint,
database, configuration, fact.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

__all__ = ["FIXED_ROLES", "METADATA", "Metadata", "initialise"]

METADATA = "sys.metadata"
FIXED_ROLES = {
    "public": 0, "db_owner": 16384, "db_accessadmin": 16385, "db_securityadmin": 16386, "db_ddladmin": 16387, "db_backupoperator": 16389,
    "db_datareader": 16390, "db_datawriter": 16391, "db_denydatareader": 16392, "db_denydatawriter": 16393,
}  # fmt: skip


def _encode(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    raise TypeError(f"metadata cannot hold {type(value).__name__}")


def _decode(value: dict[str, Any]) -> Any:
    return bytes.fromhex(value["hex"]) if set(value) == {"hex"} else value


class Metadata:
    """The metadata of one database, seen through a connection. `schema`: the name under which the database is attached,
    "main" alone.
    """

    def __init__(self, connection: sqlite3.Connection, schema: str = "main") -> None:
        self.connection = connection
        self._table = f'"{schema}"."{METADATA}"'

    def get(self, kind: str, name: str) -> dict[str, Any] | None:
        row = self.connection.execute(
            f"SELECT document FROM {self._table} WHERE kind = ? AND name = ?", (kind, name)
        ).fetchone()
        return json.loads(row[0], object_hook=_decode) if row else None

    def all(self, kind: str) -> Iterator[dict[str, Any]]:
        for (document,) in self.connection.execute(
            f"SELECT document FROM {self._table} WHERE kind = ? ORDER BY number", (kind,)
        ).fetchall():
            yield json.loads(document, object_hook=_decode)

    def put(self, kind: str, name: str, document: dict[str, Any]) -> None:
        self.connection.execute(
            f"INSERT INTO {self._table} (kind, name, document) VALUES (?, ?, ?) ON CONFLICT (kind, name) DO UPDATE "
            "SET document = excluded.document",
            (kind, name, json.dumps(document, default=_encode)),
        )

    def delete(self, kind: str, name: str) -> None:
        self.connection.execute(f"DELETE FROM {self._table} WHERE kind = ? AND name = ?", (kind, name))

    def next_number(self, counter: str, first: int) -> int:
        """The next of a row of numbers (object ids, principal ids)."""
        fact = self.get("fact", counter) or {"next": first}
        self.put("fact", counter, {"next": fact["next"] + 1})
        return fact["next"]

    def has_any(self) -> bool:
        """Whether the database has metadata at all (an empty or foreign file has none)."""
        name = self._table.split(".")[0].strip('"')
        return bool(
            self.connection.execute(f'SELECT 1 FROM "{name}".sqlite_schema WHERE name = ?', (METADATA,)).fetchone()
        )


def initialise(connection: sqlite3.Connection, *, owner_sid: bytes, now: str) -> Metadata:
    """Give a new database its metadata: dbo (with the owner's SID), guest, the fixed roles and schemas. Inside the
    caller's transaction.
    """
    connection.execute(
        f'CREATE TABLE "{METADATA}" '
        "(number INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL COLLATE NOCASE, "
        "document TEXT NOT NULL, UNIQUE (kind, name))"
    )
    metadata = Metadata(connection)
    fixed = (
        ("dbo", 1, owner_sid, "dbo"),
        ("guest", 2, b"\0", "guest"),
        ("INFORMATION_SCHEMA", 3, None, None),
        ("sys", 4, None, None),
    )
    for name, number, sid, schema in fixed:
        metadata.put(
            "user",
            name,
            {
                "name": name,
                "principal_id": number,
                "sid": sid,
                "type": "S",
                "default_schema": schema,
                "created": now,
                "fixed": True,
            },
        )
    for name, number in FIXED_ROLES.items():
        metadata.put(
            "role",
            name,
            {"name": name, "principal_id": number, "owner": "dbo", "members": [], "created": now, "fixed": number > 0},
        )
    metadata.put("schema", "dbo", {"name": "dbo", "schema_id": 1, "owner": "dbo"})
    return metadata
