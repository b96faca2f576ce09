"""One instance's part in mirroring: what it does when a connection, a server or a database comes or goes, and when
something is committed.

Everything happens under one lock for all instances of the process, so a change of roles is one step: no client of one
partner is told that its commit is done while the other one takes over. Whoever holds the lock may take a database's
lock, never the other way round.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..errors import Cancelled, ConnectionKilled
from ..storage.database import Database
from . import shipping
from .messages import text
from .partnership import MIRROR, PRINCIPAL, Memory, Partnership, Witnessed
from .transport import Transport

if TYPE_CHECKING:
    from ..instance import Instance
    from ..session import Session

__all__ = ["LOCK", "TRANSPORT", "Mirroring", "settle_all", "stop_together", "witnessed"]

LOCK = threading.Condition(threading.RLock())
"""Notified whenever something has changed."""
TRANSPORT = Transport()
_TICK = 0.25
_ROUNDS = 12


def settle_all() -> None:
    """Let every instance look around and act, until nobody has anything to do."""
    with LOCK:
        for _ in range(_ROUNDS):
            if not sum(one.mirroring.settle() for one in TRANSPORT.running()):
                return
            LOCK.notify_all()


def stop_together(instances: list[Instance]) -> None:
    """These instances are about to stop, and none of them sees another one go: each keeps its role."""
    with LOCK:
        for instance in instances:
            TRANSPORT.leave(instance)
        LOCK.notify_all()


class Mirroring:
    """Of one instance. `hold_sending`: its line is so slow that no log gets through; `hold_redo`: its disk is so slow
    that no log is redone.
    """

    _thread: threading.Thread | None = None

    def __init__(self, instance: Instance) -> None:
        self._instance = weakref.ref(instance)
        self.memory = Memory(instance)
        self.hold_sending = False
        self.hold_redo = False

    @property
    def instance(self) -> Instance:
        found = self._instance()
        assert found is not None
        return found

    # ---- life

    def start(self) -> None:
        """The instance has opened its databases and lets nobody in yet."""
        with LOCK:
            self.memory.load()
            for one in self.memory.partnerships.values():
                self._mark(one)
            TRANSPORT.join(self.instance)
            settle_all()
            self._watch()

    def stop(self) -> None:
        """The instance goes: the others notice at once."""
        with LOCK:
            TRANSPORT.leave(self.instance)
            settle_all()

    def _watch(self) -> None:
        """A thread for what is not said to us: packets that a firewall drops, log that is sent while nobody waits for
        it.
        """
        busy = self.memory.partnerships or self.memory.witnessed
        if busy and not (Mirroring._thread and Mirroring._thread.is_alive()):
            Mirroring._thread = threading.Thread(target=_watch, name="database mirroring", daemon=True)
            Mirroring._thread.start()

    def _mark(self, one: Partnership) -> None:
        database = self.database(one)
        if database is not None:
            database.mirroring_role = one.role
            database.mirror_lsn = (
                one.failover_lsn if one.established and (one.role == PRINCIPAL or one.diverged) else None
            )

    # ---- looking

    def database(self, one: Partnership) -> Database | None:
        return self.instance.databases.get(one.database)

    def of(self, database: Database) -> Partnership | None:
        return self.memory.get(database.name)

    def _usable(self, one: Partnership) -> bool:
        database = self.database(one)
        return database is not None and database.state in ("ONLINE", "RESTORING", "RECOVERING")

    def partner(self, one: Partnership) -> tuple[Instance, Partnership] | None:
        """The partner and its side of the session while both are connected."""
        if not one.established or not self._usable(one):
            return None
        found = TRANSPORT.connected(self.instance, one.partner)
        theirs = found.mirroring.memory.get(one.database) if found is not None else None
        if found is None or theirs is None or theirs.guid != one.guid or not found.mirroring._usable(theirs):
            return None
        return (found, theirs) if TRANSPORT.connected(found, theirs.partner) is self.instance else None

    def witness(self, one: Partnership) -> tuple[Instance, Witnessed] | None:
        """The witness and what it knows while it is connected."""
        if not one.witness or not self._usable(one):
            return None
        found = TRANSPORT.connected(self.instance, one.witness)
        known = found.mirroring.memory.witnessed.get(one.guid) if found is not None else None
        return (found, known) if found is not None and known is not None else None

    def partner_of(self, database: str) -> str:
        """What a client that opens the database is told of the failover partner: its name, "" when there is none."""
        one = self.memory.get(database)
        return one.partner_instance if one is not None and one.role == PRINCIPAL else ""

    def state(self, one: Partnership) -> int:
        """mirroring_state: 0 suspended, 1 disconnected, 2 synchronizing, 4 synchronized."""
        if not one.established or self.partner(one) is None:
            return 1
        return 0 if one.suspended else 4 if one.synchronized else 2

    # ---- acting

    def settle(self) -> bool:
        """Look around once and act; whether anything was changed."""
        changed = False
        for one in list(self.memory.partnerships.values()):
            if one.established:
                changed |= self._ended_there(one) or (
                    self._as_principal(one) if one.role == PRINCIPAL else self._as_mirror(one)
                )
        for known in list(self.memory.witnessed.values()):
            changed |= self._as_witness(known)
        return changed

    def _ended_there(self, one: Partnership) -> bool:
        """The partner has ended the session while we could not be told."""
        found = TRANSPORT.connected(self.instance, one.partner)
        if found is None or one.guid not in found.mirroring.memory.ended:
            return False
        self.end(one, tell=False)
        found.mirroring.memory.told(one.guid)
        return True

    def _as_principal(self, one: Partnership) -> bool:
        database, partner, witness = self.database(one), self.partner(one), self.witness(one)
        if database is None or database.state not in ("ONLINE", "RECOVERING"):
            return False
        if partner is not None and partner[1].role == PRINCIPAL:
            if partner[1].role_sequence < one.role_sequence:
                return False  # it will see that, and become our mirror
            return self._yield_to(one, partner[1])
        owns = witness is not None and witness[1].role_sequence <= one.role_sequence
        quorum = not one.witness or partner is not None or owns
        changed = self._serve(database, one, quorum)
        if partner is None or database.state != "ONLINE":
            changed |= one.synchronized
            one.synchronized = False
        else:
            changed |= self._feed(one, database, *partner)
        if witness is not None and owns:
            ours = witness[1].principal if witness[1].mirror == one.partner else witness[1].mirror
            witness[0].mirroring.memory.witness(witnessed(one, database, ours))
        return changed

    def _serve(self, database: Database, one: Partnership, quorum: bool) -> bool:
        """Bring the database online while there is quorum, and take it away while there is none."""
        if quorum and database.state == "RECOVERING":
            shipping.resume_service(database)
            self._log(1440, one)
            return True
        if not quorum and database.state == "ONLINE":
            self._send_clients_away(database)
            shipping.stop_service(database)
            self._log(1445, one)
            return True
        return False

    def _feed(self, one: Partnership, database: Database, other: Instance, theirs: Partnership) -> bool:
        """Bring the mirror up to date, as far as safety and the line let us."""
        before = (
            one.synchronized,
            theirs.safety,
            theirs.witness,
            theirs.suspended,
            theirs.timeout,
            theirs.diverged,
            theirs.role_sequence,
        )
        theirs.safety, theirs.safety_sequence, theirs.timeout = one.safety, one.safety_sequence, one.timeout
        theirs.witness, theirs.suspended = one.witness, one.suspended
        mirror = other.databases.get(one.database)
        if one.suspended or mirror is None:
            one.synchronized = theirs.synchronized = False
        else:
            try:
                self._ship(one, theirs, database, mirror, other.mirroring)
            except shipping.Broken as broken:
                self._suspend(one, theirs, broken)
            except Cancelled:
                pass  # one of the two is just being closed
        after = (
            one.synchronized,
            theirs.safety,
            theirs.witness,
            theirs.suspended,
            theirs.timeout,
            theirs.diverged,
            theirs.role_sequence,
        )
        if before[1:] != after[1:]:
            other.mirroring.memory.save(theirs)
        return before != after

    def _ship(
        self, one: Partnership, theirs: Partnership, database: Database, mirror: Database, other: Mirroring
    ) -> None:
        if self.hold_sending:
            one.synchronized = theirs.synchronized = one.synchronized and (
                one.safety == "FULL" or one.failover_lsn == database.next_lsn
            )
            return
        if theirs.diverged:
            lost = shipping.rewind(mirror, database, to=one.takeover_lsn)
            other.instance.log(
                f"Database mirroring has taken back {lost} transactions of database '{one.database}' that the "
                "principal never received."
            )
            theirs.diverged, mirror.mirror_lsn = False, None
        shipping.harden(mirror, shipping.unsent(database, mirror.boot.next_lsn), shipping.facts(database))
        if not other.hold_redo:
            shipping.redo(mirror)
        one.failover_lsn = theirs.failover_lsn = database.mirror_lsn = mirror.boot.next_lsn
        theirs.role_sequence = one.role_sequence
        one.synchronized = theirs.synchronized = mirror.boot.next_lsn == database.next_lsn

    def _suspend(self, one: Partnership, theirs: Partnership, broken: shipping.Broken) -> None:
        """The mirror has met an error: the session is suspended until somebody resumes it."""
        one.suspended = theirs.suspended = True
        one.synchronized = theirs.synchronized = False
        self.memory.save(one)
        self.instance.log(text(1453, address=one.partner, name=one.database, met=broken.number))

    def _as_mirror(self, one: Partnership) -> bool:
        partner, witness = self.partner(one), self.witness(one)
        if partner is not None:
            joined = witness is not None and TRANSPORT.connected(partner[0], partner[1].witness) is witness[0]
            one.armed = bool(joined and one.synchronized and one.safety == "FULL" and not one.suspended)
            return False
        one.synchronized = False
        if witness is None:
            one.armed = False
            return False
        if witness[0].mirroring.sees_principal(witness[1]):
            one.armed = False  # the principal goes on without us
        if not one.armed:
            return False
        try:
            self.take_over(one, forced=False, why="Auto Failover")
        except (shipping.Broken, sqlite3.DatabaseError) as broken:
            one.armed = False
            self.instance.log(f"Database '{one.database}' cannot become the principal: {broken}")
            return False
        return True

    def sees_principal(self, known: Witnessed) -> bool:
        """As witness: whether the principal is there, with its database."""
        found = TRANSPORT.connected(self.instance, known.principal)
        theirs = found.mirroring.memory.get(known.database) if found is not None else None
        return bool(
            found is not None and theirs is not None and theirs.guid == known.guid and found.mirroring._usable(theirs)
        )

    def _as_witness(self, known: Witnessed) -> bool:
        """The principal may have ended the session, or gone on without a witness, while we were not there."""
        found = TRANSPORT.connected(self.instance, known.principal)
        one = found.mirroring.memory.get(known.database) if found is not None else None
        if found is None or (one is not None and one.guid == known.guid and (one.witness or one.role == MIRROR)):
            return False
        self.memory.dismiss(known.guid)
        return True

    # ---- changes of roles

    def take_over(self, one: Partnership, *, forced: bool, why: str) -> None:
        """The mirror becomes principal. Raises Broken, or sqlite3.DatabaseError when its pages make no database."""
        database = self.database(one)
        assert database is not None
        one.takeover_lsn = one.failover_lsn = shipping.promote(database, fork=forced)
        one.role, one.suspended, one.synchronized, one.armed, one.diverged = PRINCIPAL, forced, False, False, False
        one.role_sequence += 1
        self.memory.save(one)
        self._mark(one)
        self.instance.databases.update(database)
        self.instance.log(text(1480, name=one.database, old="MIRROR", new="PRINCIPAL", why=why))
        LOCK.notify_all()

    def step_down(self, one: Partnership, *, role_sequence: int, why: str) -> None:
        """The principal becomes mirror; what it has that the other never got is kept until the session runs on. Raises
        Broken.
        """
        database = self.database(one)
        assert database is not None
        self._send_clients_away(database)
        shipping.demote(database)
        one.role, one.role_sequence, one.diverged = MIRROR, role_sequence, True
        one.synchronized = one.armed = False
        self.memory.save(one)
        self._mark(one)
        self.instance.databases.update(database)
        self.instance.log(text(1480, name=one.database, old="PRINCIPAL", new="MIRROR", why=why))
        LOCK.notify_all()

    def _yield_to(self, one: Partnership, theirs: Partnership) -> bool:
        """Of two principals the other one is right: service was forced there, or it took over while we were away."""
        try:
            self.step_down(one, role_sequence=theirs.role_sequence, why="Role Syncronization")
        except shipping.Broken as broken:
            self.instance.log(f"Database '{one.database}' cannot become the mirror: {broken}")
            return False
        return True

    def end(self, one: Partnership, *, tell: bool) -> None:
        """The session is over on this side. A principal without quorum is online again, a mirror stays RESTORING."""
        database = self.database(one)
        self.memory.forget(one, tell=tell)
        if database is not None:
            database.mirroring_role = database.mirror_lsn = None
            if database.state == "RECOVERING":
                shipping.resume_service(database)
            elif database.state == "RESTORING" and database.boot.redo_start_lsn is not None:
                with contextlib.suppress(shipping.Broken):
                    shipping.redo(database)
        self._log(1443, one)
        LOCK.notify_all()

    def begin(self, one: Partnership) -> None:
        """A partnership is new, or was changed: remember it."""
        self.memory.save(one)
        self._mark(one)
        self._watch()

    def _send_clients_away(self, database: Database) -> None:
        for session in list(self.instance.sessions_in(database.name)):
            session.kill()

    def _log(self, number: int, one: Partnership) -> None:
        self.instance.log(text(number, name=one.database))

    # ---- commits

    def committed(self, database: Database, session: Session) -> None:
        """Called after a commit is on our disk and before the client hears of it: with safety FULL it waits for the
        mirror's disk.

        Raises ConnectionKilled when the client must not hear that it is done: the database is served by somebody else
        now, or by nobody.
        """
        with LOCK:
            wanted = database.next_lsn
            while True:
                try:
                    session.check()
                except ConnectionKilled:
                    raise
                except Cancelled:
                    pass  # an attention comes too late, the commit is done
                one = self.of(database)
                if one is None or not one.established:
                    return
                if self.instance not in TRANSPORT.running():
                    raise ConnectionKilled
                if one.role == PRINCIPAL and one.safety == "FULL":
                    while self._as_principal(one):
                        pass
                if one.role != PRINCIPAL or database.state != "ONLINE":
                    raise ConnectionKilled
                if one.safety == "OFF" or not self._waits_for(one, wanted):
                    LOCK.notify_all()  # whoever sends in the background
                    return
                LOCK.wait(_TICK)

    def _waits_for(self, one: Partnership, wanted: int) -> bool:
        return one.synchronized and not one.suspended and one.failover_lsn < wanted and self.partner(one) is not None


def witnessed(one: Partnership, database: Database, ours: str) -> Witnessed:
    """What the principal tells its witness; ours: the principal's own address."""
    return Witnessed(
        guid=one.guid, database=one.database, principal=ours, mirror=one.partner, family_guid=database.family_guid, safety=one.safety,
        role_sequence=one.role_sequence, safety_sequence=one.safety_sequence, suspended=one.suspended, synchronized=one.synchronized,
    )  # fmt: skip


def _watch() -> None:
    """Until no instance has anything to do with mirroring any more."""
    while True:
        with LOCK:
            LOCK.wait(_TICK)
            if not any(
                one.mirroring.memory.partnerships or one.mirroring.memory.witnessed for one in TRANSPORT.running()
            ):
                Mirroring._thread = None
                return
            with _kept_alive():
                settle_all()


@contextlib.contextmanager
def _kept_alive() -> Iterator[None]:
    """What breaks in the middle of an instance's end must not end the watching."""
    with contextlib.suppress(Cancelled, OSError, sqlite3.Error):
        yield
