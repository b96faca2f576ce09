"""What code that runs a statement may ask of its session and of its instance: the boundary between `execution` and
`backup`.

`backup.commands.run(instance, session, statement)` and its like are plain generators of wire items, run in the
session's thread.
"""

from __future__ import annotations

import datetime as dt
import pathlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from .host_protocol import Files, Host
from .settings import Settings

if TYPE_CHECKING:
    from .doors import Doors
    from .security import Login
    from .storage.database import Database

__all__ = ["Databases", "InstanceContext", "Progress", "SessionContext"]


class Progress(Protocol):
    """What sys.dm_exec_requests shows of the running statement."""

    command: str
    percent: float


class SessionContext(Protocol):
    """A logged-in connection."""

    spid: int
    login: Login
    login_name: str
    login_sid: bytes
    database: str
    transaction_count: int
    progress: Progress

    def check(self) -> None:
        """Raises errors.Cancelled when the statement was given up."""

    def pause(self, seconds: float) -> None:
        """Sleeps, and raises errors.Cancelled as soon as the statement was given up."""

    def is_sysadmin(self) -> bool: ...


class Databases(Protocol):
    """The databases of an instance by name, case-insensitive; ids as sys.databases has them (master 1, tempdb 2, model
    3, msdb 4).
    """

    def get(self, name: str) -> Database | None: ...

    def add(self, database: Database) -> None:
        """Register a new one; it belongs to the login of the session that runs."""

    def update(self, database: Database, **changes: Any) -> None:
        """Write what master knows of it: its paths, and changes (user_access, owner_sid, offline)."""

    def entry(self, database: Database) -> dict[str, Any]: ...
    def remove(self, name: str) -> None: ...
    def __iter__(self) -> Iterator[Database]: ...


class InstanceContext(Protocol):
    """A running instance. `name`: as @@SERVERNAME says it. `io_seconds`: how long a backup or restore takes at least.
    `root`: for working files.
    """

    name: str
    version: tuple[int, int, int, int]
    settings: Settings
    host: Host
    databases: Databases
    doors: Doors
    configuration: dict[str, int]
    io_seconds: float
    headers_tell_zone: bool
    root: pathlib.Path

    def files(self) -> Files:
        """Files as the service account sees them."""

    def now(self) -> dt.datetime:
        """The server's local time, naive."""

    def utc_now(self) -> dt.datetime:
        """The same, aware, in UTC."""

    def log(self, text: str) -> None:
        """A line of the error log."""

    def owner_sid(self, database: Database) -> bytes: ...

    def sessions_in(self, database: str, *, but: SessionContext | None = None) -> Iterable[SessionContext]:
        """Sessions that use a database: it is their current one, or their open transaction holds it."""

    def in_use(self, database: str, *, but: SessionContext | None = None) -> bool:
        """Whether others use a database; a client that has just left is given a moment to be gone."""

    def insert_msdb(self, table: str, rows: Iterable[dict[str, Any]]) -> list[int]:
        """Append rows to msdb's history (backupset ...); the new identity values."""

    def backup_device(self, name: str) -> str | None:
        """The path of a logical backup device."""

    def certificate(self, name: str) -> Any:
        """A certificate of master by name, or None: has .name .thumbprint .private_key (None without) .encrypt(data)
        .decrypt(data).
        """

    def certificate_by_thumbprint(self, thumbprint: bytes) -> Any:
        """The same by thumbprint."""
