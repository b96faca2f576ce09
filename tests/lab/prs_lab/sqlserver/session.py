"""A logged-in connection: its settings, its transaction, its requests."""

from __future__ import annotations

import datetime as dt
import sqlite3
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import Cancelled, ConnectionKilled, SqlError, SyntaxFault, Unmodelled
from .query.workspace import Workspace
from .security import Login
from .wire import tds
from .wire.decode import Call
from .wire.items import Done, Environment, Error, Info, Item

if TYPE_CHECKING:
    from .instance import Instance
    from .wire.connection import Connection

__all__ = ["Progress", "Session"]

_DAY_FIRST = {
    "british",
    "french",
    "français",
    "deutsch",
    "german",
    "italiano",
    "italian",
    "español",
    "spanish",
    "nederlands",
    "dutch",
    "português",
}


@dataclass(slots=True)
class Progress:
    """Of the request that runs; command "" when none does."""

    command: str = ""
    percent: float = 0.0
    text: str = ""
    started: dt.datetime | None = None


class Session:
    """Runs in the thread of its connection; `cancel` and `kill` come from other threads."""

    def __init__(
        self,
        instance: Instance,
        *,
        spid: int,
        login: Login,
        database: str,
        host: str = "",
        application: str = "",
        client: str = "",
        encrypted: bool = True,
        library: str = "",
        process_id: int = 0,
    ) -> None:
        self.instance = instance
        self.spid = spid
        self.login_name = login.name
        self.login_sid = login.sid
        self.host_name = host
        self.application = application
        self.client = client
        self.encrypted = encrypted
        self.library = library
        self.process_id = process_id
        self.login_time = instance.now()
        self.last_request: dt.datetime = self.login_time
        self.database = database
        self.first_database = database
        self.connection: Connection | None = None
        self.progress = Progress()
        self._cancelled = threading.Event()
        self._killed = False
        self.prepared: dict[int, tuple[str, str]] = {}
        self._reset_settings(login.default_language)
        self.transaction_count = 0
        self.transaction_id = 0
        self.mark: tuple[str, str] | None = None
        self.workspace = Workspace(self)

    def _reset_settings(self, language: str) -> None:
        self.options: dict[str, Any] = {}
        self.language = language
        self.nocount = False
        self.implicit = False
        self.xact_abort = False
        self.lock_timeout = -1
        self.identity_insert = ""
        self.row_count = 0
        self.error_number = 0
        self.caught: SqlError | None = None
        self.doomed = False

    @property
    def login(self) -> Login:
        """The login as it is now. Raises SqlError 15151 when somebody dropped it."""
        found = self.instance.logins.by_sid(self.login_sid)
        if found is None:
            raise SqlError(
                15151,
                f"Cannot find the login '{self.login_name}', because it does not exist or you do not have permission.",
            )
        return found

    @property
    def dayfirst(self) -> bool:
        """Whether "2026-02-01 10:00" means the second of January here."""
        chosen = self.options.get("DATEFORMAT")
        return chosen in ("dmy", "ydm") if chosen else self.language.lower() in _DAY_FIRST

    def is_sysadmin(self) -> bool:
        return self.login.is_sysadmin

    def greeting(self) -> Iterator[bytes | Info]:
        """What a login is answered with, before LOGINACK."""
        yield tds.environment(1, self.database, "master")
        yield Info(5701, f"Changed database context to '{self.database}'.", 2, 0)
        yield tds.collation_change()
        yield tds.environment(2, self.language, "")
        yield Info(5703, f"Changed language setting to {self.language}.", 1, 0)
        partner = self.instance.mirroring.partner_of(self.database)
        if partner:
            yield tds.environment(13, partner)

    # ---- being given up
    def cancel(self) -> None:
        """An attention, or the client is gone: the running statement ends."""
        self._cancelled.set()
        self.workspace.interrupt()

    def cancel_acknowledged(self) -> None:
        self._cancelled.clear()

    def kill(self) -> None:
        """End the session from outside: its transaction is rolled back, its connection closed."""
        self._killed = True
        self.cancel()
        if not self.progress.command and self.connection is not None:
            self.instance.wire.call_soon(self.connection.abort)

    @property
    def leaving(self) -> bool:
        """Whether it was ended, or its client is gone, and what it did is being rolled back."""
        return self._killed or (self.connection is not None and self.connection.is_closing)

    def check(self) -> None:
        if self._killed:
            raise ConnectionKilled
        if self._cancelled.is_set():
            raise Cancelled

    def pause(self, seconds: float) -> None:
        ends = time.monotonic() + seconds
        self.check()
        while (left := ends - time.monotonic()) > 0:
            if self._cancelled.wait(min(left, 5.0)):
                self.check()

    # ---- requests
    def execute(self, text: str) -> Iterator[Item]:
        """A batch."""
        from .execution.batch import Batch

        yield from self._request(text, lambda: Batch(self).text(text))

    def call(self, call: Call) -> Iterator[Item]:
        """A remote procedure call."""
        from .execution.calls import remote_call

        yield from self._request(call.procedure, lambda: remote_call(self, call))

    def _request(self, text: str, run: Any) -> Iterator[Item]:
        self.last_request = self.instance.now()
        self.progress = Progress("SELECT", 0.0, text, self.last_request)
        try:
            with self.instance.running(self):
                yield from run()
        except SqlError as error:
            yield from self.failed(error, text)
            yield Done()
            if error.fatal:
                raise
        except sqlite3.Error:
            self.check()  # whoever ends a statement interrupts SQLite too, wherever that is just now
            raise
        finally:
            self.progress = Progress()
            self.workspace.release()

    def failed(self, error: SqlError, text: str, line: int = 1) -> Iterator[Error]:
        """The Error items of an error; what nobody modelled is listed."""
        if isinstance(error, Unmodelled | SyntaxFault):
            self.instance.unmodelled(error.text, text)
        self.error_number = error.number
        yield from error.items(line)

    def reset(self, *, keep_transaction: bool) -> None:
        """The client gives the connection to somebody else (sp_reset_connection)."""
        if not keep_transaction:
            self.end_transaction(commit=False)
        self.instance.locks.release_all(self)
        self.workspace.forget_temporary()
        self._reset_settings(self.language)
        self.prepared.clear()
        self.database = self.first_database

    def close(self) -> None:
        """The connection is gone: roll back, give up locks."""
        self.end_transaction(commit=False)
        self.instance.locks.release_all(self)
        self.workspace.close()
        self.instance.session_closed(self)

    # ---- transactions
    def begin_transaction(self, *, mark: tuple[str, str] | None = None) -> Iterator[Item]:
        self.transaction_count += 1
        if self.transaction_count == 1:
            self.transaction_id = self.instance.next_transaction()
            self.mark = mark
            yield Environment(8, self.transaction_id.to_bytes(8, "little"), b"")

    def end_transaction(self, *, commit: bool) -> list[Item]:
        """COMMIT (of the outermost level only) or ROLLBACK (of all). Raises SqlError when the log is full."""
        if not self.transaction_count:
            return []
        if commit and self.transaction_count > 1:
            self.transaction_count -= 1
            return []
        old = self.transaction_id.to_bytes(8, "little")
        self.transaction_count, self.doomed = 0, False
        mark, self.mark = self.mark, None
        if commit:
            self.workspace.commit(*(mark or (None, "")))
        else:
            self.workspace.rollback()
        self.instance.locks.release_transaction(self)
        self.workspace.release()
        return [Environment(9 if commit else 10, b"", old)]

    def transaction(self, kind: int, body: bytes) -> Iterator[Item]:
        """A transaction manager request: 5 begin, 7 commit, 8 roll back, 9 save."""
        if kind == 5:
            yield from self.begin_transaction()
        elif kind in (7, 8):
            if not self.transaction_count:
                word, number = ("COMMIT", 3902) if kind == 7 else ("ROLLBACK", 3903)
                yield Error(number, f"The {word} TRANSACTION request has no corresponding BEGIN TRANSACTION.", 1, 16)
            else:
                yield from self.end_transaction(commit=kind == 7)
                name_length = body[0] if body else 0
                if len(body) > 1 + name_length and body[1 + name_length] & 1:
                    yield from self.begin_transaction()
        elif kind == 9:
            name = body[1 : 1 + body[0]].decode("utf-16-le") if body else ""
            self.workspace.save(name)
        else:
            self.instance.unmodelled(f"transaction manager request {kind}", "")
            yield Error(3980, f"Lab: transaction manager request {kind} is not modelled.", 1, 16)
        yield Done(None, 0xFD)
