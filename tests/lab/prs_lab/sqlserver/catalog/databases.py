"""The databases of an instance: registered in master, opened when it starts."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..query.relations import quoted
from ..query.workspace import affinity
from ..storage import lifecycle
from ..storage.database import Database, commit
from ..types import sql_type
from .columns import split_columns
from .msdb import TABLES
from .store import Metadata, initialise

if TYPE_CHECKING:
    from ..instance import Instance

__all__ = ["SYSTEM", "DatabaseList", "internal_version"]

SYSTEM = ("master", "tempdb", "model", "msdb")
_FILES = {"master": ("master.mdf", "mastlog.ldf", "master", "mastlog"), "tempdb": ("tempdb.mdf", "templog.ldf", "tempdev", "templog"),
          "model": ("model.mdf", "modellog.ldf", "modeldev", "modellog"), "msdb": ("MSDBData.mdf", "MSDBLog.ldf", "MSDBData", "MSDBLog")}  # fmt: skip
_INTERNAL = {10: 655, 11: 706, 12: 782, 13: 852, 14: 869, 15: 904, 16: 957, 17: 998}


_ACCESS = "user_access"


def internal_version(major: int) -> int:
    """The version of database files that a product version writes."""
    return _INTERNAL.get(major, 904)


class DatabaseList:
    """Databases by name without regard to case. Entries in master: name, database_id, owner_sid, paths, created,
    user_access, offline.
    """

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._lock = threading.RLock()
        self._databases: dict[str, Database] = {}
        self._entries: dict[str, dict[str, Any]] = {}

    def __iter__(self) -> Iterator[Database]:
        with self._lock:
            return iter(sorted(self._databases.values(), key=lambda database: database.database_id))

    def get(self, name: str) -> Database | None:
        return self._databases.get(str(name).lower())

    def by_id(self, number: int) -> Database | None:
        return next((database for database in self if database.database_id == number), None)

    def entry(self, database: Database) -> dict[str, Any]:
        """What master knows of it; change it by `update`."""
        return self._entries[database.name.lower()]

    # ---- changes
    def add(self, database: Database, *, owner_sid: bytes | None = None, created: str | None = None) -> None:
        """Register a database (created, restored, attached); its owner is the login of the session that runs."""
        with self._lock:
            session = self._instance.current_session()
            if owner_sid is None:
                owner_sid = session.login_sid if session is not None else b"\x01"
            used = {known.database_id for known in self._databases.values()}
            database.database_id = next(number for number in range(5, 32767) if number not in used)
            self._databases[database.name.lower()] = database
            self._entries[database.name.lower()] = {
                "name": database.name, "database_id": database.database_id, "owner_sid": owner_sid, "data_path": database.data_path,
                "log_path": database.log_path, "created": created or self._instance.now().isoformat(" ", "milliseconds"), "user_access": database.options.get(_ACCESS, "MULTI_USER"),
                "offline": False, "known": database.boot.to_dict(),
            }  # fmt: skip
            self.update(database)

    def update(self, database: Database, **changes: Any) -> None:
        """Write what master knows of a database."""
        with self._lock:
            entry = self._entries[database.name.lower()]
            entry.update(changes, data_path=database.data_path, log_path=database.log_path)
            access = changes.get("user_access")
            if access and access != database.options.get(_ACCESS, "MULTI_USER"):
                database.set_option(_ACCESS, access)  # its files tell it, and whoever attaches them finds it so
            with self._instance.master() as metadata:
                metadata.put("database", database.name, entry)

    def rename(self, database: Database, name: str) -> None:
        with self._lock:
            entry = self._entries.pop(database.name.lower())
            self._databases.pop(database.name.lower())
            with self._instance.master() as metadata:
                metadata.delete("database", database.name)
            database.name = entry["name"] = name
            database.boot.name = name
            database.save()
            self._databases[name.lower()], self._entries[name.lower()] = database, entry
            self.update(database)

    def remove(self, name: str) -> None:
        with self._lock:
            database = self._databases.pop(name.lower(), None)
            self._entries.pop(name.lower(), None)
            if database is not None:
                with self._instance.master() as metadata:
                    metadata.delete("database", database.name)

    # ---- the instance's life
    def start(self) -> bool:
        """Open what there is, make the system databases where there are none. Answers whether the instance is brand
        new.
        """
        instance = self._instance
        fresh = not instance.files().exists(self._paths("master")[0])
        for number, name in enumerate(("master", "tempdb", "model", "msdb"), 1):
            data_path, log_path = self._paths(name)
            if name == "tempdb":
                for path in (data_path, log_path):
                    if instance.files().exists(path):
                        instance.files().remove(path)
            if not instance.files().exists(data_path):
                database = self._make_system(name)
            else:
                database = lifecycle.start(
                    name=name,
                    files=instance.files(),
                    data_path=data_path,
                    log_path=log_path,
                    work=instance.root / "work" / name,
                )
            database.database_id = number
            self._databases[name] = database
            self._entries[name] = {
                "name": name,
                "database_id": number,
                "owner_sid": b"\x01",
                "data_path": data_path,
                "log_path": log_path,
                "created": "2003-04-08 09:13:36.390",
                "user_access": "MULTI_USER",
                "offline": False,
            }
        if not fresh:
            self._start_user_databases()
        return fresh

    def _start_user_databases(self) -> None:
        instance = self._instance
        with instance.master() as metadata:
            entries = list(metadata.all("database"))
        for entry in entries:
            database = lifecycle.start(
                name=entry["name"],
                files=instance.files(),
                data_path=entry["data_path"],
                log_path=entry["log_path"],
                work=instance.root / "work" / f"db{entry['database_id']}",
                known=entry.get("known"),
                offline=entry["offline"],
            )
            database.database_id = entry["database_id"]
            self._databases[entry["name"].lower()], self._entries[entry["name"].lower()] = database, entry

    def stop(self, *, crash: bool) -> None:
        """The service ends: properly, or as in a loss of power."""
        for database in reversed(list(self)):
            if not crash and database.database_id > 4:
                with contextlib.suppress(sqlite3.Error):
                    self.update(database, known=database.boot.to_dict())
        for database in reversed(list(self)):
            if crash:
                database.crash()
            elif database.state != "OFFLINE":
                database.close()
        self._databases.clear()
        self._entries.clear()

    def _paths(self, name: str) -> tuple[str, str]:
        folder = self._instance.settings.data_dir.rstrip("\\")
        return f"{folder}\\{_FILES[name][0]}", f"{folder}\\{_FILES[name][1]}"

    def _make_system(self, name: str) -> Database:
        data_path, log_path = self._paths(name)
        database = self.create(
            name,
            data_path,
            log_path,
            data_name=_FILES[name][2],
            log_name=_FILES[name][3],
            recovery_model="FULL" if name == "model" else "SIMPLE",
            owner_sid=b"\x01",
            work=name,
            has_room=True,
        )
        if name == "msdb":
            connection = database.connect()
            try:
                connection.execute("BEGIN")
                _make_msdb(connection, self._instance.now().isoformat(" ", "milliseconds"))
                commit(connection, [database], time=self._instance.utc_now())
            finally:
                connection.close()
        return database

    def create(
        self,
        name: str,
        data_path: str,
        log_path: str,
        *,
        data_name: str,
        log_name: str,
        recovery_model: str,
        owner_sid: bytes,
        work: str,
        options: dict[str, Any] | None = None,
        has_room: bool = False,
    ) -> Database:
        """New files with an empty database that has its metadata; not registered yet. Raises SqlError 5123, 5170, and
        9002 or 1105 on a full drive, unless it has room: tempdb is made anew in the files that it had.
        """
        instance = self._instance
        major = instance.version[0]
        defaults = {
            "collation": instance.settings.collation,
            "compatibility_level": major * 10,
            "page_verify": "CHECKSUM",
            **(options or {}),
        }
        database = lifecycle.create(
            name=name,
            files=instance.files(),
            data_path=data_path,
            log_path=log_path,
            work=instance.root / "work" / work,
            now=instance.utc_now(),
            recovery_model=recovery_model,
            version=internal_version(major),
            data_name=data_name,
            log_name=log_name,
            options=defaults,
        )
        database.has_room = has_room
        connection = database.connect()
        try:
            connection.execute("BEGIN")
            initialise(connection, owner_sid=owner_sid, now=instance.now().isoformat(" ", "milliseconds"))
            commit(connection, [database], time=instance.utc_now())
        finally:
            connection.close()
            database.has_room = False
        return database


def _make_msdb(connection: sqlite3.Connection, now: str) -> None:
    metadata = Metadata(connection)
    for number, (table, definition) in enumerate(TABLES.items(), 1):
        columns, parts = [], []
        for name, rest in split_columns(definition):
            kind, _, words = rest.partition(" ")
            identity = words == "identity"
            columns.append(
                {
                    "name": name,
                    "type": str(sql_type(kind)),
                    "nullable": not words,
                    "identity": [1, 1] if identity else None,
                }
            )
            parts.append(
                f"{quoted(name)} INTEGER PRIMARY KEY AUTOINCREMENT"
                if identity
                else f"{quoted(name)} {affinity(sql_type(kind))}"
            )
        connection.execute(f"CREATE TABLE {quoted(f'dbo.{table}')} ({', '.join(parts)})")
        metadata.put(
            "table",
            f"dbo.{table}",
            {"schema": "dbo", "name": table, "object_id": 100 + number, "created": now, "columns": columns},
        )
        metadata.put(
            "permission",
            f"object:dbo.{table}|select|public",
            {"securable": f"object:dbo.{table}", "permission": "SELECT", "principal": "public", "state": "grant"},
        )
