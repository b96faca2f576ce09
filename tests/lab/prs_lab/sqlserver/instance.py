"""One SQL Server: what it knows while it runs, who is connected, how it starts and stops."""

from __future__ import annotations

import collections
import contextlib
import datetime as dt
import itertools
import pathlib
import sqlite3
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..windows.languages import SPOKEN
from .catalog.databases import DatabaseList
from .catalog.logins import Logins, windows_sid
from .catalog.store import Metadata
from .certificate import StartFailed, server_contexts
from .doors import Doors
from .errors import SqlError
from .execution import load_executors
from .execution.keys import Certificates
from .execution.locks import ApplicationLocks
from .faults import Faults
from .host_protocol import Files, Host
from .masking import masked
from .mirroring.machine import Mirroring, settle_all
from .query.engine import zone
from .query.relations import quoted
from .query.values import to_storage
from .security import Access, Login, hash_password, password_matches
from .session import Session
from .settings import Settings
from .storage.database import Database, commit
from .wire.decode import Call
from .wire.server import Listener, WireLoop
from .wire.tds import Login as LoginRequest

__all__ = ["Instance", "StartFailed"]


class Instance:
    """An instance on a host. `root` is a folder of this machine for working files that do not lie on the virtual
    drives.

    `start` and `stop` may be called from any thread. `name` is what @@SERVERNAME says. `io_seconds`: how long a backup
    or restore takes at least.
    `headers_tell_zone`: TimeZone of RESTORE HEADERONLY (2022) is right, not 0; builds differ.
    """

    def __init__(self, host: Host, instance_name: str, root: pathlib.Path) -> None:
        load_executors()
        self.host = host
        self.instance_name = instance_name
        self.root = root
        self.name = host.name if instance_name.upper() == "MSSQLSERVER" else f"{host.name}\\{instance_name}"
        self.settings = Settings()
        self.databases = DatabaseList(self)
        self.logins = Logins(self)
        self.certificates = Certificates(self)
        self.mirroring = Mirroring(self)
        self.locks = ApplicationLocks()
        self.faults = Faults()
        self.configuration: dict[str, int] = {}
        self.error_log: collections.deque[str] = collections.deque(maxlen=1000)
        self.wire = WireLoop.shared()
        self.tls: ssl.SSLContext
        self.strict_tls: ssl.SSLContext
        self.io_seconds = 0.0
        self.headers_tell_zone = False
        self.started: dt.datetime | None = None
        self._listeners: list[Listener] = []
        self._connected = True
        self.doors = Doors()
        self._sessions: dict[int, Session] = {}
        self._lock = threading.RLock()
        self._master_lock = threading.RLock()
        self._master_depth: Metadata | None = None
        self._transactions = itertools.count(1000)
        self._current = threading.local()

    # ---- life
    def start(self) -> None:
        """Read the settings, open or make the databases, listen. Raises StartFailed (an OSError), or OSError when the
        port is taken.
        """
        self.settings = self.host.sql_server.settings(self.instance_name)
        self.tls, self.strict_tls = server_contexts(self.host, self.settings)
        self.started = self.now()
        if self.databases.start():
            self.logins.first()
        self.logins.load()
        self._first_start_of_sa()
        with self.master() as metadata:
            self.configuration = {document["name"]: document["value"] for document in metadata.all("configuration")}
        self.certificates.load()
        self.log(
            f"SQL Server {self.settings.version} starts; authentication mode is "
            f"{'MIXED' if self.settings.mixed_mode else 'WINDOWS-ONLY'}."
        )
        self.mirroring.start()
        self._listen()

    def _first_start_of_sa(self) -> None:
        """Setup in mixed mode gave sa a password."""
        if self.settings.sa_password:
            sa = self.logins.by_sid(b"\x01")
            if sa is not None and not sa.password_hash:
                sa.password_hash, sa.disabled = self.hash_password(self.settings.sa_password), False
                self.logins.save(sa)

    def _listen(self) -> None:
        if self._connected and self.settings.port and not self._listeners:
            for port in (self.settings.port, *self.settings.further_ports):
                self._listeners.append(self._open_port(port))

    def _open_port(self, port: int) -> Listener:
        ends = time.monotonic() + 5
        while True:
            try:
                return self.wire.listen(self, self.host.address, port)
            except OSError:
                if time.monotonic() > ends:
                    raise
                time.sleep(0.05)

    def _silence(self) -> None:
        listeners, self._listeners = self._listeners, []
        for listener in listeners:
            listener.close()

    def stop(self, *, crash: bool = False) -> None:
        """The service stops: properly, or as by a loss of power."""
        self.mirroring.stop()
        self._silence()
        for session in self.sessions():
            session.kill()
        self.databases.stop(crash=crash)
        self.started = None

    def set_connected(self, connected: bool) -> None:
        """The host is cut off from the network, or back."""
        self._connected = connected
        if self.started is None:
            return
        if connected:
            self._listen()
        else:
            self._silence()
        settle_all()

    @property
    def port(self) -> int:
        """The first port that is open, 0 when none is."""
        return self._listeners[0].port if self._listeners else 0

    # ---- facts
    @property
    def version(self) -> tuple[int, int, int, int]:
        parts = [int(part) for part in self.settings.version.split(".")]
        return tuple([*parts, 0, 0, 0, 0][:4])  # type: ignore[return-value]

    @property
    def force_encryption(self) -> bool:
        return self.settings.force_encryption

    def files(self) -> Files:
        return self.host.files(self.settings.service_account)

    def utc_now(self) -> dt.datetime:
        return self.host.clock()

    def now(self) -> dt.datetime:
        """The server's local time, naive."""
        where = self.host.time_zone
        return self.host.clock().astimezone(zone(where) if isinstance(where, str) else where).replace(tzinfo=None)

    def log(self, text: str) -> None:
        """A line of the error log."""
        self.error_log.append(f"{self.now().isoformat(' ', 'milliseconds')[:23]} {text}")

    def recorded(self, session: Session, text: str) -> None:
        self.host.record.add(
            "sql",
            self.host.name,
            text=masked(text),
            login=session.login_name,
            database=session.database,
            instance=self.instance_name,
        )

    def recorded_call(self, session: Session, call: Call) -> None:
        """A procedure by RPC, as the statement that it stands for."""
        if call.procedure.lower().split(".")[-1].strip("[]") not in ("sp_reset_connection",):
            names = ", ".join(
                f"{p.name or f'@p{place}'} = NULL" if p.name else "NULL" for place, p in enumerate(call.parameters, 1)
            )
            self.recorded(session, f"EXEC {call.procedure} {names}".strip())

    def unmodelled(self, what: str, detail: str) -> None:
        """Something was asked that the twin does not know."""
        self.host.record.unmodelled(self.host.name, f"sql: {what}", masked(detail))

    # ---- master and msdb
    @contextlib.contextmanager
    def master(self) -> Iterator[Metadata]:
        """The server's own metadata, in a transaction of its own; may be nested in one thread."""
        with self._master_lock:
            if self._master_depth is not None:
                yield self._master_depth
                return
            database = self.databases.get("master")
            if database is None:
                raise SqlError(945, "Database 'master' cannot be opened.", severity=14)
            connection = database.connect()
            try:
                self._begin(connection)
                self._master_depth = Metadata(connection)
                yield self._master_depth
                if connection.total_changes:
                    commit(connection, [database], time=self.utc_now())
                else:
                    connection.execute("ROLLBACK")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            finally:
                self._master_depth = None
                connection.close()

    @staticmethod
    def _begin(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA busy_timeout = 20000")
        connection.execute("BEGIN IMMEDIATE")

    def insert_msdb(self, table: str, rows: Iterable[dict[str, Any]]) -> list[int]:
        """Append rows of history; the new identity values (0 for tables without)."""
        database = self.databases.get("msdb")
        connection = database.connect()
        numbers = []
        try:
            self._begin(connection)
            for row in rows:
                names = ", ".join(map(quoted, row))
                cursor = connection.execute(
                    f"INSERT INTO {quoted(f'dbo.{table}')} ({names}) VALUES ({', '.join('?' * len(row))})",
                    [to_storage(value) for value in row.values()],
                )
                numbers.append(cursor.lastrowid or 0)
            commit(connection, [database], time=self.utc_now())
        finally:
            connection.close()
        return numbers

    def owner_sid(self, database: Database) -> bytes:
        return self.databases.entry(database)["owner_sid"]

    def backup_device(self, name: str) -> str | None:
        """The path of a logical backup device; there are none (sp_addumpdevice is not modelled)."""
        return None

    def certificate(self, name: str) -> Any:
        return self.certificates.get(name)

    def certificate_by_thumbprint(self, thumbprint: bytes) -> Any:
        return self.certificates.by_thumbprint(thumbprint)

    # ---- sessions
    def open_session(self, login: LoginRequest, *, client: str, encrypted: bool) -> Session:
        """Let a client in. Raises SqlError 18456 and its like."""
        if login.integrated:
            self.unmodelled("integrated authentication", login.host)
            raise SqlError(
                18452,
                "Login failed. The login is from an untrusted domain and cannot be used with Integrated "
                "authentication.",
                severity=14,
            )
        found = self._authenticated(login, client)
        wanted = login.database or found.default_database
        self._let_go(wanted)
        with self.doors.at(wanted):
            session = self._new_session(
                found,
                self._first_database(found, login.database),
                host=login.host,
                application=login.application,
                client=client,
                encrypted=encrypted,
                library=login.library,
                process_id=login.process_id,
            )
        if login.language:
            session.language = login.language
        return session

    def _authenticated(self, login: LoginRequest, client: str) -> Login:
        refused = SqlError(18456, f"Login failed for user '{login.user}'.", severity=14)
        found = self.logins.get(login.user)
        reason = ""
        if not self.settings.mixed_mode:
            reason = (
                "An attempt to login using SQL authentication failed. Server is configured for Windows "
                "authentication only."
            )
        elif found is None or found.type != "S":
            reason = "Could not find a login matching the name provided."
        elif not password_matches(login.password, found.password_hash):
            reason = "Password did not match that for the login provided."
        if reason:
            self.log(f"Login failed for user '{login.user}'. Reason: {reason} [CLIENT: {client}]")
            raise refused
        if found.disabled:
            raise SqlError(
                18470, f"Login failed for user '{login.user}'. Reason: The account is disabled.", severity=14
            )
        if found.must_change:
            raise SqlError(
                18488,
                f"Login failed for user '{login.user}'.  Reason: The password of the account must be changed.",
                severity=14,
                follow=(refused,),
            )
        if found.expired and found.check_expiration:
            raise SqlError(
                18487,
                f"Login failed for user '{login.user}'.  Reason: The password of the account has expired.",
                severity=14,
                follow=(refused,),
            )
        return found

    def _first_database(self, login: Login, wanted: str) -> str:
        refused = SqlError(18456, f"Login failed for user '{login.name}'.", severity=14)
        name = wanted or login.default_database
        database = self.databases.get(name)
        try:
            if database is None:
                raise SqlError(911, "")
            self.check_entry(database, login, session=None)
        except SqlError:
            if wanted:
                raise SqlError(
                    4060,
                    f'Cannot open database "{wanted}" requested by the login. The login failed.',
                    severity=11,
                    follow=(refused,),
                ) from None
            raise SqlError(
                4064, "Cannot open user default database. Login failed.", severity=11, follow=(refused,)
            ) from None
        return database.name

    def enter(self, session: Session, database: Database) -> None:
        """USE. Raises like `check_entry`."""
        self._let_go(database.name, session)
        with self.doors.at(database.name, session=session):
            self.check_entry(database, session.login, session=session)
            session.database = database.name

    def _let_go(self, name: str, session: Session | None = None) -> None:
        """Give the last user of a single-user database, if he has just left, the moment to be gone."""
        database = self.databases.get(name)
        if database is not None and self.databases.entry(database)["user_access"] == "SINGLE_USER":
            self.in_use(name, but=session)

    def check_entry(self, database: Database, login: Login, *, session: Session | None) -> None:
        """Whether a login may use a database now. Raises 916, 922, 924, 927 ..."""
        database.check_open()
        connection = database.connect()
        try:
            access = Access(login, database.name, self.owner_sid(database), Metadata(connection))
        except sqlite3.Error:
            database.check_open()  # it may have changed its mirroring role meanwhile
            raise
        finally:
            connection.close()
        if access.user is None:
            raise SqlError(
                916,
                f'The server principal "{login.name}" is not able to access the database "{database.name}" under '
                "the current security context.",
                severity=14,
            )
        mode = self.databases.entry(database)["user_access"]
        if mode == "SINGLE_USER" and any(True for _ in self.sessions_in(database.name, but=session)):
            raise SqlError(
                924, f"Database '{database.name}' is already open and can only have one user at a time.", severity=14
            )
        if mode == "RESTRICTED_USER" and not (access.is_db_owner or "dbcreator" in login.roles):
            raise SqlError(
                924,
                f"Database '{database.name}' is in restricted mode: only the database owner and members of the "
                "dbcreator and sysadmin roles "
                "can access it.",
                severity=14,
            )

    def _new_session(self, login: Login, database: str, **facts: Any) -> Session:
        SPOKEN.set(self.settings.language_of_windows)  # by the thread that serves it
        with self._lock:
            spid = next(number for number in itertools.count(51) if number not in self._sessions)
            session = Session(self, spid=spid, login=login, database=database, **facts)
            self._sessions[spid] = session
            return session

    def defect(self, detail: str) -> None:
        """A request on which the twin itself broke: nothing that a test run may overlook."""
        self.host.record.unmodelled(self.host.name, "a request on which the SQL twin broke", detail)

    def session_closed(self, session: Session) -> None:
        with self._lock:
            self._sessions.pop(session.spid, None)

    def sessions(self) -> list[Session]:
        with self._lock:
            return sorted(self._sessions.values(), key=lambda session: session.spid)

    def session(self, spid: int) -> Session | None:
        return self._sessions.get(spid)

    def sessions_in(self, database: str, *, but: Any = None) -> Iterator[Session]:
        found = self.databases.get(database)
        for session in self.sessions():
            if session is not but and (
                session.database.lower() == database.lower() or (found is not None and session.workspace.uses(found))
            ):
                yield session

    def in_use(self, database: str, *, but: Any = None) -> bool:
        """Whether others use a database; a client that has just left is given the time to be gone."""
        self.quiet(lambda: any(session.leaving for session in self.sessions_in(database, but=but)), patience=20.0)
        return not self.quiet(lambda: any(True for _ in self.sessions_in(database, but=but)))

    @staticmethod
    def quiet(busy: Callable[[], bool], *, patience: float = 0.2) -> bool:
        """Wait a moment (seconds) for something to end; whether it did."""
        ends = time.monotonic() + patience
        while busy():
            if time.monotonic() > ends:
                return False
            time.sleep(0.005)
        return True

    def end_sessions(self, database: str, *, but: Session | None, patience: float = 10.0) -> None:
        """ROLLBACK IMMEDIATE: kill everybody in a database and wait until they are gone. Be at its door, else others
        come meanwhile.
        """
        for session in list(self.sessions_in(database, but=but)):
            session.kill()

        def busy() -> bool:
            if but is not None:
                but.check()
            return any(True for _ in self.sessions_in(database, but=but))

        self.quiet(busy, patience=patience)

    @contextlib.contextmanager
    def running(self, session: Session) -> Iterator[None]:
        """Makes the session known as the one whose statement this thread runs."""
        before = getattr(self._current, "session", None)
        self._current.session = session
        try:
            yield
        finally:
            self._current.session = before

    def current_session(self) -> Session | None:
        return getattr(self._current, "session", None)

    def next_transaction(self) -> int:
        return next(self._transactions)

    # ---- without the wire
    def hash_password(self, password: str) -> bytes:
        """What this version keeps in place of a password."""
        return hash_password(password, version=self.settings.version)

    def create_login(self, name: str, password: str, roles: Iterable[str] = ()) -> None:
        """Make or change a SQL login with local administrators' rights (what a bootstrap script does by Windows
        authentication).
        """
        found = self.logins.get(name)
        now = self.now().isoformat(" ", "milliseconds")
        if found is None:
            import os

            found = Login(name=name, sid=os.urandom(16), principal_id=self.logins.next_id(), created=now)
        found.password_hash, found.modified, found.password_set = self.hash_password(password), now, now
        found.roles = sorted({*found.roles, *roles})
        self.logins.save(found)

    def local_session(self, account: str) -> Session:
        """A session by Windows authentication on the host itself. Raises SqlError 18456 for an account without a login.
        Close it.
        """
        login = self.logins.get(account) or self.logins.by_sid(windows_sid(account))
        if login is None:
            raise SqlError(18456, f"Login failed for user '{account}'.", severity=14)
        with self.doors.at(login.default_database):
            first = self._first_database(login, "")
            return self._new_session(login, first, host=self.host.name, application="local", client="<local machine>")
