"""A session's own SQLite connection: databases attached while a statement or transaction uses them, temporary tables,
views of the catalog.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..backup.history import remember_mark
from ..catalog.store import Metadata
from ..errors import SqlError, Unmodelled
from ..security import Access
from ..storage.database import Database, commit, prepare
from ..types import SqlType, sql_type
from .engine import install_functions, translated
from .relations import Relation, quoted

if TYPE_CHECKING:
    from ..session import Session

__all__ = ["Workspace"]

_BUSY, _BUSY_SNAPSHOT = 5, 517
_ATTACHED_AT_MOST = 9


class Workspace:
    """Belongs to one session and is used by its thread alone (except `interrupt`)."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.instance = session.instance
        self.connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False, timeout=0)
        prepare(self.connection)
        self.failure: list[SqlError] = []
        install_functions(self.connection, session, self.failure)
        self._attached: dict[str, tuple[Database, int]] = {}
        self._written: list[Database] = []
        self._temporary: dict[str, Relation] = {}
        self._views: dict[str, str] = {}
        self.identity: int | None = None

    @property
    def database_name(self) -> str:
        return self.session.database

    def interrupt(self) -> None:
        """From any thread: end the SQLite statement that runs."""
        with contextlib.suppress(sqlite3.ProgrammingError):
            self.connection.interrupt()

    def close(self) -> None:
        self.rollback()
        self.connection.close()

    # ---- databases
    def attach(self, database: Database) -> str:
        """The name under which SQLite knows the database. Raises 924, 926, 927, 942, 945 when it cannot be opened now."""
        alias = f"d{database.database_id}"
        database.check_open()
        held = self._attached.get(alias)
        if held == (database, database.incarnation):
            return alias
        if held is not None:
            self._detach(alias)
        if len(self._attached) >= _ATTACHED_AT_MOST:
            raise Unmodelled("more than nine databases in one transaction")
        self.connection.execute(
            "PRAGMA busy_timeout = 20000"
        )  # a session that lets go of the file just now has it for a moment
        try:
            self.connection.execute(f"ATTACH ? AS {alias}", (database.file,))
        finally:
            self.connection.execute("PRAGMA busy_timeout = 0")
        if not self.connection.in_transaction:
            self.connection.execute(f"PRAGMA {alias}.synchronous = OFF")  # the log file is what counts
        self._attached[alias] = (database, database.incarnation)
        return alias

    def release(self) -> None:
        """Let go of the databases, unless a transaction still needs them."""
        if self.connection.in_transaction:
            return
        for alias in list(self._attached):
            self._detach(alias)

    def _detach(self, alias: str) -> None:
        """Past interruptions that come too late for the statement that they were meant for."""
        attempts = 100
        while alias in self._attached:
            try:
                self.connection.execute(f"DETACH {alias}")
                del self._attached[alias]
            except sqlite3.OperationalError as error:
                attempts -= 1
                if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT or not attempts:
                    raise

    def uses(self, database: Database) -> bool:
        """Whether the open transaction holds on to a database."""
        return any(held is database for held, _ in self._attached.values())

    def metadata(self, database: Database) -> Metadata:
        return Metadata(self.connection, self.attach(database))

    def access(self, database: Database) -> Access:
        """What the session's login may do there. Raises 916 when it has no user there."""
        login = self.session.login
        access = Access(login, database.name, self.instance.owner_sid(database), self.metadata(database))
        if access.user is None:
            raise SqlError(
                916,
                f'The server principal "{login.name}" is not able to access the database "{database.name}" under '
                "the current security context.",
                severity=14,
            )
        return access

    # ---- relations
    def resolve(self, name: tuple[str, ...]) -> Relation:
        if (len(name) == 1 and name[0].startswith(("#", "@"))) or name[-1].startswith("#"):
            key = name[-1].lower()
            if key in self._temporary:
                return self._temporary[key]
            if key.startswith("##"):
                raise Unmodelled("global temporary tables")
            if key.startswith("@"):
                raise SqlError(1087, f'Must declare the table variable "{name[-1]}".', severity=15, state=2)
            raise SqlError(208, f"Invalid object name '{name[-1]}'.")
        if len(name) > 3:
            raise SqlError(
                7202,
                f"Could not find server '{name[0]}' in sys.servers. Verify that the correct server name was specified.",
                severity=11,
                state=2,
            )
        database_name = name[-3] if len(name) > 2 and name[-3] else self.session.database
        schema = name[-2] if len(name) > 1 and name[-2] else "dbo"
        database = self.instance.databases.get(database_name)
        if database is None:
            raise SqlError(208, f"Invalid object name '{'.'.join(name)}'.")
        from ..catalog.views import view

        found = view(self, database, schema, name[-1], explicit=len(name) > 1)
        if found is not None:
            return found
        self.access(database)
        document = self.metadata(database).get("table", f"{schema}.{name[-1]}")
        if document is None:
            raise SqlError(208, f"Invalid object name '{'.'.join(name)}'.")
        return self.table(database, document)

    def table(self, database: Database, document: dict[str, Any]) -> Relation:
        """The relation of a table's metadata."""
        full = f"{document['schema']}.{document['name']}"
        return Relation(
            kind="table", sql=f"{self.attach(database)}.{quoted(full)}", schema=document["schema"], name=document["name"], database=database,
            columns={column["name"]: sql_type(column["type"]) for column in document["columns"]},
            identity=next((column["name"] for column in document["columns"] if column.get("identity")), ""),
            not_null=frozenset(column["name"] for column in document["columns"] if not column["nullable"]),
        )  # fmt: skip

    def table_function(self, name: tuple[str, ...], arguments: Callable[[], tuple[object, ...]]) -> Relation:
        from ..catalog.views import table_function

        return table_function(self, name, arguments())

    def temporary(
        self,
        name: str,
        columns: dict[str, SqlType],
        definition: str,
        *,
        identity: str = "",
        not_null: frozenset[str] = frozenset(),
    ) -> Relation:
        """Make a temporary table or a table variable. Raises 2714 when there is one."""
        key = name.lower()
        if key.startswith("@") and key in self._temporary:
            self.drop_temporary(name)
        if key in self._temporary:
            raise SqlError(2714, f"There is already an object named '{name}' in the database.", state=6)
        self.connection.execute(f"CREATE TABLE main.{quoted(name)} ({definition})")
        relation = Relation(
            kind="variable" if key.startswith("@") else "temporary",
            sql=f"main.{quoted(name)}",
            schema="dbo",
            name=name,
            columns=columns,
            identity=identity,
            not_null=not_null,
        )
        self._temporary[key] = relation
        return relation

    def drop_temporary(self, name: str) -> bool:
        """False when there is none of that name."""
        relation = self._temporary.pop(name.lower(), None)
        if relation is not None:
            self.connection.execute(f"DROP TABLE {relation.sql}")
        return relation is not None

    def forget_temporary(self) -> None:
        """The connection is reset."""
        for name in list(self._temporary):
            self.drop_temporary(name)

    def view(self, key: str, columns: dict[str, SqlType], rows: Sequence[Sequence[Any]]) -> str:
        """Fill a table of the session with what a catalog view shows now; returns its name for SQLite."""
        table = f"main.{quoted('view ' + key)}"
        definition = ", ".join(f"{quoted(name)} {affinity(kind)}" for name, kind in columns.items())
        if self._views.get(key) == definition:
            self.connection.execute(f"DELETE FROM {table}")
        else:
            self.connection.execute(f"DROP TABLE IF EXISTS {table}")
            self.connection.execute(f"CREATE TABLE {table} ({definition})")
            self._views.pop(key, None)
            if not self.connection.in_transaction:  # which would take the table along when it is rolled back
                self._views[key] = definition
        if rows:
            self.connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})", rows)
        return table

    # ---- running
    def read(self, sql: str, values: dict[str, Any] | tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """The rows of a SELECT."""
        return self._patiently(
            lambda: self.connection.execute(sql, values).fetchall(), again=not self.connection.in_transaction
        )

    def fill(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one INSERT for many rows, inside the caller's transaction."""
        self._patiently(lambda: self.connection.executemany(sql, rows), again=False)

    def change(self, database: Database | None, sql: str, values: dict[str, Any]) -> tuple[list[tuple[Any, ...]], int]:
        """Run a data change: (rows of OUTPUT, count of rows)."""

        def run() -> tuple[list[tuple[Any, ...]], int]:
            cursor = self.connection.execute(sql, values)
            rows = cursor.fetchall() if cursor.description else []
            if sql.lstrip().upper().startswith(("INSERT", "WITH")) and cursor.lastrowid:
                self.identity = cursor.lastrowid
            return rows, len(rows) if cursor.description else max(cursor.rowcount, 0)

        if database is None:
            return self._patiently(run, again=False)
        with self.writing(database):
            return self._patiently(run, again=len(self._written) == 1 and self._first_write)

    @contextlib.contextmanager
    def writing(self, database: Database) -> Iterator[Metadata]:
        """A transaction in which the database may be written: the session's own if there is one, else one for this
        block.
        """
        metadata = self.metadata(database)
        if database.options.get("is_read_only") or database.is_in_standby:
            raise SqlError(3906, f'Failed to update database "{database.name}" because the database is read-only.')
        alone = self.session.transaction_count == 0
        started = not self.connection.in_transaction
        if started:
            self.connection.execute("BEGIN")
        self._first_write = started
        if database not in self._written:
            self._written.append(database)
        if not alone:
            self.connection.execute("SAVEPOINT statement")
        try:
            yield metadata
        except BaseException:
            if alone:
                self.rollback()
            elif self.connection.in_transaction:
                self.connection.execute("ROLLBACK TO statement")
                self.connection.execute("RELEASE statement")
            raise
        if alone:
            self.commit()
        else:
            self.connection.execute("RELEASE statement")

    def commit(self, mark: str | None = None, description: str = "") -> None:
        """End the transaction well; the databases that were written log it."""
        if not self.connection.in_transaction:
            self._written = []
            return
        try:
            written = commit(
                self.connection, self._written, time=self.instance.utc_now(), mark=mark, mark_description=description
            )
        except SqlError:
            self.rollback()
            raise
        changed, self._written = self._written, []
        for database, head in written if mark else ():
            remember_mark(self.instance, database, head, user=self.session.login_name)
        for database in changed:
            if database.mirroring_role:
                self.instance.mirroring.committed(database, self.session)

    def rollback(self) -> None:
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")
        self._written = []

    def save(self, name: str) -> None:
        """SAVE TRANSACTION."""
        if not self.connection.in_transaction:
            self.connection.execute("BEGIN")
        self.connection.execute(f"SAVEPOINT {quoted('tran ' + name)}")

    def rollback_to(self, name: str) -> None:
        self.connection.execute(f"ROLLBACK TO {quoted('tran ' + name)}")

    def _patiently(self, run: Callable[[], Any], *, again: bool) -> Any:
        """Run, and wait while another session holds the lock, as long as SET LOCK_TIMEOUT allows (then 1222)."""
        started, limit = time.monotonic(), self.session.lock_timeout
        while True:
            self.failure.clear()
            try:
                return run()
            except sqlite3.Error as error:
                self.session.check()
                code = getattr(error, "sqlite_errorcode", 0)
                if code == _BUSY_SNAPSHOT and not again:
                    raise SqlError(
                        1205,
                        f"Transaction (Process ID {self.session.spid}) was deadlocked on lock resources with "
                        "another process and has been chosen as the "
                        "deadlock victim. Rerun the transaction.",
                        severity=13,
                        state=51,
                        batch=True,
                    ) from None
                if code & 0xFF != _BUSY:
                    raise (self.failure[0] if self.failure else translated(error)) from None
                if limit >= 0 and (time.monotonic() - started) * 1000 >= limit:
                    raise SqlError(1222, "Lock request time out period exceeded.", state=51) from None
                if again and self.connection.in_transaction:
                    # nothing was written yet: begin again, with a fresh look at the database
                    self.connection.execute("ROLLBACK")
                    self.connection.execute("BEGIN")
                    if self.session.transaction_count:
                        self.connection.execute("SAVEPOINT statement")
                self.session.pause(0.01)


def affinity(kind: SqlType) -> str:
    """The SQLite type of a column."""
    if kind.is_integer or kind.name == "bit":
        return "INTEGER"
    if kind.is_number:
        return "NUMERIC"
    if kind.is_binary or kind.name == "sql_variant":
        return "BLOB"
    return "TEXT COLLATE NOCASE"
