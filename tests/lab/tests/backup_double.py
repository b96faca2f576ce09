"""An instance and its sessions, as far as BACKUP and RESTORE ask them: real databases and files, no wire, no queries."""

from __future__ import annotations

import datetime as dt
import pathlib
import re
import types
import zoneinfo
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from prs_lab.sqlserver.backup import commands
from prs_lab.sqlserver.catalog.msdb import TABLES
from prs_lab.sqlserver.catalog.store import initialise
from prs_lab.sqlserver.doors import Doors
from prs_lab.sqlserver.errors import Cancelled, SqlError
from prs_lab.sqlserver.parse.parser import parse
from prs_lab.sqlserver.query.values import to_storage
from prs_lab.sqlserver.security import Login
from prs_lab.sqlserver.settings import Settings
from prs_lab.sqlserver.storage import lifecycle
from prs_lab.sqlserver.storage.database import Database, commit
from prs_lab.sqlserver.wire.items import Cols, Info, Item, Row

from .files_double import FolderFiles

T0 = dt.datetime(2025, 7, 1, 10, 0, tzinfo=dt.UTC)
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
BACKUPS = r"C:\Backup"


class DatabaseDouble:
    """The list of databases, and what master knows of each."""

    def __init__(self) -> None:
        self.known: dict[str, Database] = {}
        self.entries: dict[str, dict[str, Any]] = {}

    def get(self, name: str) -> Database | None:
        return self.known.get(name.lower())

    def add(self, database: Database) -> None:
        database.database_id = len(self.known) + 5
        self.known[database.name.lower()] = database
        self.entries[database.name.lower()] = {"user_access": "MULTI_USER", "owner_sid": b"\x01"}

    def entry(self, database: Database) -> dict[str, Any]:
        return self.entries[database.name.lower()]

    def update(self, database: Database, **changes: Any) -> None:
        self.entry(database).update(changes)

    def __iter__(self) -> Iterator[Database]:
        return iter(list(self.known.values()))


class InstanceDouble:
    """SQL01 in Berlin. Its clock stands still except by `tick`; `others`: sessions that use a database."""

    def __init__(
        self,
        root: pathlib.Path,
        *,
        version: str = "15.0.4430.1",
        edition: str = "Standard Edition (64-bit)",
        name: str = "SQL01",
        files: Any = None,
    ) -> None:
        self.root = root
        self.drives = files or FolderFiles(root / "drives")
        for folder in (r"C:\Data", r"C:\Log", BACKUPS, r"D:\Data"):
            self.drives.make_dir(folder)
        self.name = name
        self.settings = Settings(
            version=version, edition=edition, data_dir=r"C:\Data", log_dir=r"C:\Log", backup_dir=BACKUPS
        )
        self.version = tuple(int(part) for part in version.split("."))
        self.host = types.SimpleNamespace(time_zone=BERLIN)
        self.databases = DatabaseDouble()
        self.doors = Doors()
        self.configuration: dict[str, int] = {}
        self.certificates: dict[str, Any] = {}
        self.io_seconds = 0.0
        self.headers_tell_zone = False
        self.clock = T0
        self.error_log: list[str] = []
        self.others: dict[str, list[object]] = {}
        self._make_msdb()

    def _make_msdb(self) -> None:
        msdb = self.create("msdb", model="SIMPLE")
        for table, definition in TABLES.items():
            columns = [part.split()[0] for part in re.sub(r"\([^)]*\)", "", definition).split(",")]
            self.execute(msdb, f'CREATE TABLE "dbo.{table}" ({", ".join(columns)})')

    # What BACKUP and RESTORE ask

    def files(self) -> FolderFiles:
        return self.drives

    def utc_now(self) -> dt.datetime:
        return self.clock

    def now(self) -> dt.datetime:
        return self.clock.astimezone(BERLIN).replace(tzinfo=None)

    def sessions_in(self, database: str, *, but: object = None) -> Iterable[object]:
        return [one for one in self.others.get(database.lower(), []) if one is not but]

    def in_use(self, database: str, *, but: object = None) -> bool:
        return bool(self.sessions_in(database, but=but))

    def log(self, text: str) -> None:
        self.error_log.append(text)

    def owner_sid(self, database: Database) -> bytes:
        return self.databases.entry(database)["owner_sid"]

    def insert_msdb(self, table: str, rows: Iterable[dict[str, Any]]) -> list[int]:
        numbers = []
        connection = self.databases.get("msdb").connect()
        connection.execute("BEGIN")
        for row in rows:
            sql = f'INSERT INTO "dbo.{table}" ({", ".join(row)}) VALUES ({", ".join("?" * len(row))})'
            numbers.append(connection.execute(sql, [to_storage(value) for value in row.values()]).lastrowid)
        commit(connection, [self.databases.get("msdb")], time=self.clock)
        connection.close()
        return numbers

    def backup_device(self, name: str) -> str | None:
        return None

    def certificate(self, name: str) -> Any:
        return self.certificates.get(name)

    def certificate_by_thumbprint(self, thumbprint: bytes) -> Any:
        return next((one for one in self.certificates.values() if one.thumbprint == thumbprint), None)

    # What tests do

    def tick(self, seconds: float = 60) -> dt.datetime:
        self.clock += dt.timedelta(seconds=seconds)
        return self.clock

    def create(self, name: str, *, model: str = "FULL") -> Database:
        made = lifecycle.create(
            name=name,
            files=self.drives,
            data_path=rf"C:\Data\{name}.mdf",
            log_path=rf"C:\Log\{name}_log.ldf",
            work=self.root / "work" / name,
            now=self.clock,
            recovery_model=model,
            options={"collation": "SQL_Latin1_General_CP1_CI_AS", "compatibility_level": 150},
        )
        self.databases.add(made)
        connection = made.connect()
        connection.execute("BEGIN")
        initialise(connection, owner_sid=b"\x01", now=self.now().isoformat(" "))
        commit(connection, [made], time=self.clock)
        connection.close()
        return made

    def execute(self, database: Database | str, *statements: str, mark: str | None = None, bulk: bool = False) -> None:
        """One transaction in a database."""
        found = self.databases.get(database) if isinstance(database, str) else database
        connection = found.connect()
        connection.execute("BEGIN")
        for statement in statements:
            connection.execute(statement)
        commit(connection, [found], time=self.clock, mark=mark, bulk=bulk)
        connection.close()

    def rows(self, name: str) -> set[int]:
        connection = self.databases.get(name).connect()
        found = {row[0] for row in connection.execute("SELECT n FROM t")}
        connection.close()
        return found

    def msdb(self, query: str) -> list[tuple]:
        connection = self.databases.get("msdb").connect()
        found = connection.execute(query).fetchall()
        connection.close()
        return found


@dataclass
class SessionDouble:
    """sa in master, unless told otherwise. `on_pause`: called for every pause and check of a running statement."""

    instance: InstanceDouble
    login: Login = field(default_factory=lambda: Login(name="sa", sid=b"\x01", principal_id=1, roles=["sysadmin"]))
    database: str = "master"
    spid: int = 51
    transaction_count: int = 0
    on_pause: Callable[[SessionDouble], None] | None = None
    waited: float = 0.0

    def __post_init__(self) -> None:
        self.progress = types.SimpleNamespace(command="", percent=0.0)

    @property
    def login_name(self) -> str:
        return self.login.name

    @property
    def login_sid(self) -> bytes:
        return self.login.sid

    def is_sysadmin(self) -> bool:
        return self.login.is_sysadmin

    def check(self) -> None:
        if self.on_pause:
            self.on_pause(self)

    def pause(self, seconds: float) -> None:
        self.waited += seconds
        self.check()

    # What tests do

    def items(self, text: str) -> list[Item]:
        """Everything that a statement gives. Raises SqlError."""
        (statement,) = parse(text)
        return list(commands.run(self.instance, self, statement))

    def messages(self, text: str) -> list[tuple[int, str]]:
        return [(item.number, item.text) for item in self.items(text) if isinstance(item, Info)]

    def table(self, text: str) -> list[dict[str, Any]]:
        """Rows of the one result set, by column name."""
        items = self.items(text)
        (columns,) = [item for item in items if isinstance(item, Cols)]
        names = [name for name, _ in columns.columns]
        return [dict(zip(names, item.values, strict=True)) for item in items if isinstance(item, Row)]

    def errors(self, text: str) -> list[int]:
        """The numbers of the errors that a statement ends with."""
        try:
            self.items(text)
        except SqlError as error:
            return [error.number, *(after.number for after in error.follow)]
        return []


def give_up_at(percent: float) -> Callable[[SessionDouble], None]:
    """For `on_pause`: the client goes away at that point of the progress."""

    def check(session: SessionDouble) -> None:
        if session.progress.percent >= percent:
            raise Cancelled

    return check
