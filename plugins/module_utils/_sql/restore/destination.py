# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The database that a restore writes to, as the server knows it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from ..._core.backup.backup_set import BackupSet, guid
from ..._core.backup.catalog import BackupCatalog
from ..._core.errors import RecoveryError, sentences
from ..._core.restore.plan import ExistingDatabase
from ..._core.standby.position import Position, position_of
from ..catalog.history import LastRestore, last_restore, remembered_family, restored_full, standby_position
from ..connection.errors import SqlError
from ..connection.session import Session
from ..instance.databases import read_database, set_option
from .facts import existing_database
from .statements import reopen

__all__ = ["Destination"]

MAY_OPEN = ("RECOVERY_PENDING", "SUSPECT")
"""States that a database may leave with every row, once the server is asked to recover it again."""


OFFLINE = "OFFLINE"
"""Somebody set it so, and it opens again only when somebody says so."""


class Destination:
    """The database of the wanted name, if there is one.

    info: what read_database returned, None without a database. standby_position: LSN and recovery fork of a standby
    database, which the server's views do not tell. would_open: it is offline, and a real run would open it.
    """

    def __init__(self, session: Session, database: str) -> None:
        self.session = session
        self.database = database
        self.host = session.connection.target.server
        self.info: dict[str, Any] | None = None
        self.standby_position: tuple[int, str] | None = None
        self.would_open = False
        self._base: str | None = None
        self._last: LastRestore | None = None
        self._was_asked = False
        """Whether msdb was asked for the last restore."""

    @property
    def state(self) -> str:
        """Of sys.databases; empty without a database."""
        return self.info["state"] if self.info else ""

    @property
    def is_in_standby(self) -> bool:
        return bool(self.info and self.info["standby"])

    @property
    def is_open(self) -> bool:
        """Whether people write in it."""
        return self.state == "ONLINE" and not self.is_in_standby

    @property
    def files(self) -> list[dict[str, Any]]:
        return self.info["files"] if self.info else []

    def read(self, *, may_open: bool) -> None:
        """Ask the server for it. may_open: let the server first try to open one that it could not open at its start:
        what it missed then (a drive, a right, room) may be back.
        """
        session = self.session
        self.refresh()
        if may_open and self.state in MAY_OPEN:
            session.progress.line(f"{self.database} is {self.state}: asking the server to open it")
            try:
                set_option(session, self.database, "ONLINE")
            except SqlError as problem:
                if problem.lost:
                    raise
            self.refresh()
        self.standby_position = standby_position(session.connection, self.database) if self.is_in_standby else None
        if self.info and not self.info["family_guid"]:
            last = self.last_restore()
            self.info["family_guid"] = last.family if last else remembered_family(session.connection, self.database)

    def open_offline(self, *, family: str) -> None:
        """Open it, if somebody set it offline. family: the one that is wanted; of another one, as msdb remembers it,
        nothing is opened. Raises RecoveryError where the server cannot open it: what is in it may still be whole.
        """
        remembered = guid((self.info or {}).get("family_guid"))
        if self.state != OFFLINE or (remembered and family and remembered != family):
            return
        self.session.progress.line(f"{self.database} is {self.state}: asking the server to open it")
        try:
            set_option(self.session, self.database, "ONLINE")
        except SqlError as problem:
            way_out = "Put that right and run again, or set 'replace: always' if what is in it may be lost"
            raise problem.reworded(
                f"Database {self.database} on {self.host} was set offline and cannot be opened: {problem.message}",
                advice=way_out,
            ) from None
        self.would_open = self.session.check_mode
        self.refresh()

    def refresh(self) -> None:
        """Read its row again, after something of it changed."""
        self._base = self._last = None
        self._was_asked = False
        self.info = read_database(self.session.connection, self.database)

    def facts(self) -> ExistingDatabase | None:
        """As the planner wants to know it."""
        existing = existing_database(self.info, stands_at=self.standby_position)
        if existing is None or existing.redo_start_lsn is None:
            return existing
        if self._base is None:  # msdb may remember thousands of restores, and a plan is made more than once
            self._base = restored_full(self.session.connection, self.database) if self.last_restore() else ""
        return dataclasses.replace(existing, differential_base_guid=self._base)

    def last_restore(self) -> LastRestore | None:
        """How it came to where it stands, if it waits for more backups; None where msdb does not know. Where it stands
        the server knows better than msdb, which learns of a restore when that is over.
        """
        stands = self.position(())
        if stands is None:
            return None
        if not self._was_asked:
            self._last = last_restore(self.session.connection, self.database)
            self._was_asked = True
        return self._last if self._last and self._last.lsn == stands.lsn else None

    def position(self, sets: Iterable[BackupSet]) -> Position | None:
        """Where it stands, if it waits for more logs. sets: by which the time of that is told."""
        return position_of(existing_database(self.info, stands_at=self.standby_position), sets)

    def family(self, catalog: BackupCatalog, *, wanted: str) -> str:
        """The family that it belongs to. Of a RESTORING database of which nobody remembers one it is the wanted one,
        if it stands on a recovery fork of the backups of that family; else empty.
        """
        if known := guid((self.info or {}).get("family_guid")):
            return known
        existing = self.facts()
        if existing is None or not existing.is_restoring:
            return ""
        forks = {
            fork
            for backup_set in catalog.sets
            if backup_set.family_guid == wanted
            for fork in (backup_set.first_fork, backup_set.last_fork)
        }
        return wanted if existing.redo_start_fork in forks else ""

    def failure(self, problem: RecoveryError) -> RecoveryError:
        """The same problem, with the state in which it leaves the database. A living one that was closed is opened
        again.
        """
        if self.session.check_mode:
            return problem
        if isinstance(problem, SqlError) and problem.lost:
            state = "probably RESTORING"
        else:
            reopen(self.session, self.database)
            self.refresh()
            state = self.state or "not there"
        hint = f"Database {self.database} is {state} now"
        if "RESTORING" in state:
            hint += "; run again: the restore continues or starts over by itself"
        return problem.reworded(advice=sentences(problem.advice, hint), database_state=state)

    def require_state(self, wanted: str) -> None:
        """Raises RecoveryError unless it is RESTORING, or "in standby", as it was asked for."""
        self.refresh()
        state = "gone" if self.info is None else "in standby" if self.is_in_standby else self.state
        if state != wanted:
            raise RecoveryError(
                f"Database {self.database} on {self.host} is {state} instead of {wanted}",
                code="unconfirmed",
                advice="Look into the server's error log, then run this again",
            )
