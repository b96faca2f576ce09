"""Application locks: sp_getapplock and sp_releaseapplock, between the sessions of an instance."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import SqlError
from ..wire.items import Item, ReturnStatus
from .batch import Batch
from .procedures import Arguments
from .registry import procedure

if TYPE_CHECKING:
    from ..session import Session

__all__ = ["ApplicationLock", "ApplicationLocks"]

_CONFLICTS = {
    "IntentShared": {"Exclusive"}, "Shared": {"IntentExclusive", "Exclusive"}, "Update": {"Update", "IntentExclusive", "Exclusive"},
    "IntentExclusive": {"Shared", "Update", "Exclusive"},
    "Exclusive": {"IntentShared", "Shared", "Update", "IntentExclusive", "Exclusive"},
}  # fmt: skip


@dataclass(eq=False)
class ApplicationLock:
    """One lock that is held, or waited for (`granted` False). owner: Session or Transaction."""

    session: Session
    database: str
    resource: str
    mode: str
    owner: str
    count: int = 1
    granted: bool = True


class ApplicationLocks:
    """All application locks of an instance."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._locks: list[ApplicationLock] = []

    def all(self) -> list[ApplicationLock]:
        with self._changed:
            return list(self._locks)

    def take(self, session: Session, resource: str, mode: str, owner: str, milliseconds: int) -> int:
        """0 granted at once, 1 after waiting, -1 timed out. Raises Cancelled."""
        wanted = ApplicationLock(session, session.database, resource, mode, owner, granted=False)
        ends = time.monotonic() + milliseconds / 1000 if milliseconds >= 0 else None
        waited = False
        with self._changed:
            for lock in self._locks:
                if (
                    lock.session is session
                    and lock.resource == resource
                    and lock.mode == mode
                    and lock.owner == owner
                    and lock.database == session.database
                ):
                    lock.count += 1
                    return 0
            self._locks.append(wanted)
            try:
                while self._blockers(wanted):
                    waited = True
                    left = None if ends is None else ends - time.monotonic()
                    if left is not None and left <= 0:
                        return -1
                    self._changed.wait(0.2 if left is None else min(left, 0.2))
                    session.check()
                wanted.granted = True
            finally:
                if not wanted.granted:
                    self._locks.remove(wanted)
        return int(waited)

    def _blockers(self, wanted: ApplicationLock) -> list[ApplicationLock]:
        return [
            lock for lock in self._locks
            if lock.granted and lock.session is not wanted.session and lock.resource == wanted.resource and lock.database == wanted.database
            and lock.mode in _CONFLICTS[wanted.mode]
        ]  # fmt: skip

    def free(self, session: Session, resource: str, owner: str) -> bool:
        """False when the session does not hold it."""
        with self._changed:
            for lock in self._locks:
                if lock.session is session and lock.resource == resource and lock.owner == owner and lock.granted:
                    lock.count -= 1
                    if not lock.count:
                        self._locks.remove(lock)
                    self._changed.notify_all()
                    return True
        return False

    def release_transaction(self, session: Session) -> None:
        self._release(lambda lock: lock.session is session and lock.owner == "Transaction")

    def release_all(self, session: Session) -> None:
        self._release(lambda lock: lock.session is session)

    def _release(self, ends: Any) -> None:
        with self._changed:
            self._locks = [lock for lock in self._locks if not ends(lock)]
            self._changed.notify_all()


@procedure("sp_getapplock")
def _get(batch: Batch, arguments: Arguments) -> Iterator[Item]:
    """Returns 0, 1 (after waiting), -1 (timed out), -999 (invalid)."""
    resource, mode, owner, timeout, _ = arguments.take(
        "resource",
        "lockmode",
        "lockowner",
        "locktimeout",
        "dbprincipal",
        defaults={"lockowner": "Transaction", "locktimeout": None, "dbprincipal": "public"},
    )
    modes = {name.lower(): name for name in _CONFLICTS}
    owners = {"session": "Session", "transaction": "Transaction"}
    if resource is None or str(mode).lower() not in modes or str(owner).lower() not in owners:
        yield ReturnStatus(-999)
        return
    if owners[owner.lower()] == "Transaction" and not batch.session.transaction_count:
        yield from batch.session.failed(
            SqlError(15586, "Error in acquiring an application lock: no active user transaction."), "sp_getapplock"
        )
        yield ReturnStatus(-999)
        return
    limit = batch.session.lock_timeout if timeout is None else int(timeout)
    yield ReturnStatus(
        batch.instance.locks.take(batch.session, str(resource)[:255], modes[mode.lower()], owners[owner.lower()], limit)
    )


@procedure("sp_releaseapplock")
def _release(batch: Batch, arguments: Arguments) -> Iterator[Item]:
    resource, owner, _ = arguments.take(
        "resource", "lockowner", "dbprincipal", defaults={"lockowner": "Transaction", "dbprincipal": "public"}
    )
    if not batch.instance.locks.free(
        batch.session, str(resource)[:255], {"session": "Session"}.get(str(owner).lower(), "Transaction")
    ):
        raise SqlError(
            1223,
            f"Cannot release the application lock (Database Principal: 'public', Resource: '{resource}') because it "
            "is not currently held.",
        )
    yield ReturnStatus(0)
