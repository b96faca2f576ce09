"""ALTER DATABASE ... SET PARTNER and SET WITNESS: what is refused, with which number, and what is handed to the
machine.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ..catalog.databases import SYSTEM
from ..errors import SqlError, Unmodelled
from ..execution.batch import Batch
from ..execution.databases import altered, refuse_in_transaction
from ..execution.registry import executes
from ..parse import ir_objects as ir
from ..storage.boot import history_before, new_guid
from ..storage.database import Database
from ..wire.items import Done, Info, Item
from . import shipping
from .machine import LOCK, TRANSPORT, settle_all, witnessed
from .messages import error, text
from .partnership import MIRROR, PRINCIPAL, Partnership
from .transport import Refused, endpoint, parse_address

if TYPE_CHECKING:
    from ..instance import Instance

__all__: list[str] = []

_WITNESS_ONLY = ("express", "web")
_ASYNCHRONOUS = ("enterprise", "developer", "evaluation")


@executes(ir.AlterDatabaseMirroring)
def _mirroring(batch: Batch, statement: ir.AlterDatabaseMirroring) -> Iterator[Item]:
    refuse_in_transaction(batch, "ALTER DATABASE")
    database = altered(batch, statement.name)
    batch.workspace.release()
    with LOCK:
        settle_all()
        note = _ACTIONS[statement.action](batch, database, str(statement.value if statement.value is not None else ""))
        settle_all()
    if note:
        yield Info(note, text(note, address=statement.value), 1, 10)
    yield Done()


def _session(batch: Batch, database: Database) -> Partnership:
    """Raises 1416."""
    one = batch.instance.mirroring.of(database)
    if one is None:
        raise error(1416, name=database.name)
    return one


def _as_principal(batch: Batch, database: Database) -> Partnership:
    """Raises 1416, 1470."""
    one = _session(batch, database)
    if one.role != PRINCIPAL:
        raise error(1470, name=database.name)
    return one


def _partner(batch: Batch, one: Partnership) -> tuple[Instance, Partnership]:
    """Raises 1431 (a witness is set, and neither is there), 1447."""
    mirroring = batch.instance.mirroring
    found = mirroring.partner(one)
    if found is None:
        raise error(1431 if one.witness and mirroring.witness(one) is None else 1447, name=one.database)
    return found


# ---- beginning


def _begin(batch: Batch, database: Database, address: str) -> None:
    """SET PARTNER = 'address': on a RESTORING database it makes the mirror wait, on an ONLINE one it begins the
    session.
    """
    instance, mirroring = batch.instance, batch.instance.mirroring
    _check_instance(instance, database, address)
    if mirroring.of(database) is not None:
        raise error(1405, name=database.name)
    if database.state == "RESTORING":
        mirroring.begin(Partnership(database=database.name, role=MIRROR, partner=address))
        return
    _check_principal(instance, database)
    try:
        connection = TRANSPORT.connect(instance, address)
    except Refused as refused:
        raise error(1418, address=address) from refused
    other = connection.far
    _check_role(other, ("PARTNER", "ALL"), error(1418, address=address))
    mirror, theirs = other.databases.get(database.name), other.mirroring.memory.get(database.name)
    _check_mirror(database, mirror)
    assert mirror is not None
    if theirs is None:
        raise error(1416, name=database.name)
    if theirs.established or TRANSPORT.connected(other, theirs.partner) is not instance:
        raise error(1460, name=database.name)
    _check_logs(database, mirror)
    guid = new_guid()
    theirs.guid, theirs.partner_instance, theirs.failover_lsn = guid, instance.name, mirror.boot.next_lsn
    mirroring.begin(Partnership(
        database=database.name, role=PRINCIPAL, partner=address, guid=guid, partner_instance=other.name, failover_lsn=mirror.boot.next_lsn
    ))  # fmt: skip
    other.mirroring.begin(theirs)
    instance.log(text(1440, name=database.name))
    other.log(text(1441, name=database.name))


def _check_instance(instance: Instance, database: Database, address: str) -> None:
    """Raises 1449, 5058, 1463, 1486, 1452."""
    if parse_address(address) is None:
        raise error(1449)
    if database.name in SYSTEM:
        raise SqlError(5058, f"Option 'PARTNER' cannot be set in database '{database.name}'.")
    if instance.settings.edition.lower().startswith(_WITNESS_ONLY):
        raise error(1463)
    found = endpoint(instance)
    if found is None or found["role"] not in ("PARTNER", "ALL"):
        raise error(1486)
    if TRANSPORT.at(instance, address) is instance:
        raise error(1452)


def _check_principal(instance: Instance, database: Database) -> None:
    """Raises 1465 to 1467, 1469, 1475, 1484, 1488, 1493."""
    name, options = database.name, database.options
    if database.state in ("EMERGENCY", "SUSPECT", "RECOVERY_PENDING"):
        raise error(1467, name=name)
    database.check_open()
    if database.recovery_model != "FULL":
        raise error(1465, name=name)
    if options.get("is_read_only") or database.is_in_standby:
        raise error(1466, name=name)
    if options.get("auto_close") == "ON":
        raise error(1469, name=name)
    if options.get("accelerated_database_recovery") == "ON":
        raise error(1484, name=name)
    if options.get("ledger") == "ON":
        raise error(1493, name=name)
    if instance.databases.entry(database)["user_access"] == "SINGLE_USER":
        raise error(1488, name=name)
    if database.log is not None and any(head.bulk for head in database.log.since(database.boot.log_start_lsn or 0)):
        raise error(1475, name=name)


def _check_mirror(database: Database, mirror: Database | None) -> None:
    """Raises 1448, 1464, 1467, 1407."""
    if mirror is None:
        raise error(1448, name=database.name)
    if mirror.state in ("EMERGENCY", "SUSPECT", "RECOVERY_PENDING"):
        raise error(1467, name=database.name)
    if mirror.state != "RESTORING":
        raise error(1464, name=database.name)
    if mirror.boot.family_guid != database.boot.family_guid:
        raise error(1407, name=database.name)


def _check_logs(database: Database, mirror: Database) -> None:
    """The mirror's log must go on where ours can still be read, and hold what the next log backup will hold. Raises
    1412, 1478.
    """
    place = mirror.boot.redo_start_lsn
    if (
        place is None
        or place > database.next_lsn
        or history_before(mirror.boot.forks, place) != history_before(database.boot.forks, place)
    ):
        raise error(1412, name=database.name)
    try:
        shipping.unsent(database, place)
    except shipping.Broken as broken:
        raise error(1412, name=database.name) from broken
    chain = database.boot.log_start_lsn
    if chain is None or database.boot.begins_chain or place < chain:
        raise error(1478, name=database.name)


def _check_role(instance: Instance, roles: tuple[str, ...], refusal: SqlError) -> None:
    if (endpoint(instance) or {}).get("role") not in roles:
        raise refusal


# ---- ending and settings


def _off(batch: Batch, database: Database, _: str) -> None:
    one, mirroring = _session(batch, database), batch.instance.mirroring
    partner, witness = mirroring.partner(one), mirroring.witness(one)
    if witness is not None and (partner is not None or one.role == PRINCIPAL):
        witness[0].mirroring.memory.dismiss(one.guid)
    mirroring.end(one, tell=partner is None)
    if partner is not None:
        partner[0].mirroring.end(partner[1], tell=False)
    if one.established:
        batch.instance.log(text(1442, name=one.database))


def _safety(batch: Batch, database: Database, value: str) -> None:
    one = _as_principal(batch, database)
    if value == "OFF" and not batch.instance.settings.edition.lower().startswith(_ASYNCHRONOUS):
        raise error(1473)
    _partner(batch, one)
    if one.safety != value:
        one.safety, one.safety_sequence = value, one.safety_sequence + 1
        batch.instance.mirroring.begin(one)


def _timeout(batch: Batch, database: Database, value: str) -> None:
    one = _as_principal(batch, database)
    if int(value) > 32767:
        raise error(1476, value=value)
    _partner(batch, one)
    one.timeout = max(5, int(value))
    batch.instance.mirroring.begin(one)


def _suspend(batch: Batch, database: Database, _: str) -> None:
    one = _session(batch, database)
    other, theirs = _partner(batch, one)
    for instance, side in ((batch.instance, one), (other, theirs)):
        side.suspended, side.synchronized = True, False
        instance.mirroring.begin(side)


def _resume(batch: Batch, database: Database, _: str) -> None:
    one = _as_principal(batch, database)
    _partner(batch, one)
    one.suspended = False
    batch.instance.mirroring.begin(one)


def _witness(batch: Batch, database: Database, address: str) -> int | None:
    """Raises 1449, 1429, 1456, 1427, 1426; notes 1446."""
    one, instance = _as_principal(batch, database), batch.instance
    if parse_address(address) is None:
        raise error(1449)
    meant = TRANSPORT.at(instance, address)
    if meant is not None and meant in (instance, TRANSPORT.at(instance, one.partner)):
        raise error(1429)
    try:
        witness = TRANSPORT.connect(instance, address).far
    except Refused as refused:
        raise error(1456, address=address) from refused
    _check_role(witness, ("WITNESS", "ALL"), error(1427, address=address))
    partner = instance.mirroring.partner(one)
    if (
        partner is None
        or one.suspended
        or not one.synchronized
        or TRANSPORT.connected(partner[0], address) is not witness
    ):
        raise error(1426)
    before, one.witness = one.witness, address
    witness.mirroring.memory.witness(witnessed(one, database, partner[1].partner))
    instance.mirroring.begin(one)
    return 1446 if before == address else None


def _witness_off(batch: Batch, database: Database, _: str) -> None:
    """Raises 1439, 1431."""
    one, mirroring = _as_principal(batch, database), batch.instance.mirroring
    if not one.witness:
        raise error(1439, name=database.name)
    witness = mirroring.witness(one)
    if witness is None and mirroring.partner(one) is None:
        raise error(1431, name=database.name)
    if witness is not None:
        witness[0].mirroring.memory.dismiss(one.guid)
    one.witness = ""
    mirroring.begin(one)


# ---- changes of roles


def _failover(batch: Batch, database: Database, _: str) -> None:
    """The partners change their roles. Raises 1477, 1422."""
    one, mirroring = _as_principal(batch, database), batch.instance.mirroring
    if batch.session.database.lower() != "master":
        raise Unmodelled("ALTER DATABASE SET PARTNER FAILOVER in another database than master")
    if one.safety != "FULL":
        raise error(1477, name=database.name)
    found = mirroring.partner(one)
    if found is None or one.suspended or not one.synchronized or mirroring.hold_sending:
        raise error(1422, name=database.name)
    other, theirs = found
    mirror = other.databases.get(database.name)
    assert mirror is not None
    mirroring.step_down(one, role_sequence=one.role_sequence + 1, why="Failover from partner")
    try:
        shipping.harden(mirror, shipping.unsent(database, mirror.boot.next_lsn), shipping.facts(database))
        other.mirroring.take_over(theirs, forced=False, why="Failover")
    except (shipping.Broken, sqlite3.DatabaseError) as broken:
        _back(batch, one, database)
        raise error(1422, name=database.name) from broken
    one.diverged = False
    mirroring.begin(one)


def _back(batch: Batch, one: Partnership, database: Database) -> None:
    """A failover that failed: the principal goes on."""
    shipping.promote(database, fork=False)
    one.role, one.diverged, one.role_sequence = PRINCIPAL, False, one.role_sequence - 1
    batch.instance.mirroring.begin(one)


def _force(batch: Batch, database: Database, _: str) -> None:
    """Raises 1455 (it is the principal, or the principal is there), 1431 (a witness is set and not there)."""
    one, mirroring = _session(batch, database), batch.instance.mirroring
    if one.role != MIRROR or not one.established or mirroring.partner(one) is not None or one.diverged:
        raise error(1455, name=database.name)
    witness = mirroring.witness(one)
    if one.witness and witness is None:
        raise error(1431, name=database.name)
    if witness is not None and witness[0].mirroring.sees_principal(witness[1]):
        raise error(1455, name=database.name)
    try:
        mirroring.take_over(one, forced=True, why="Force Service")
    except (shipping.Broken, sqlite3.DatabaseError) as broken:
        raise error(1455, name=database.name) from broken


_ACTIONS: dict[str, Callable[[Batch, Database, str], int | None]] = {
    "partner": _begin, "partner off": _off, "partner safety": _safety, "partner timeout": _timeout, "partner suspend": _suspend,
    "partner resume": _resume, "partner failover": _failover, "partner force_service_allow_data_loss": _force, "witness": _witness,
    "witness off": _witness_off,
}  # fmt: skip
