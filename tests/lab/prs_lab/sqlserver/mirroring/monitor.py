"""The mirroring monitor's procedures in msdb: how far the mirror is behind."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..errors import SqlError, Unmodelled
from ..execution.batch import Batch
from ..execution.procedures import Arguments
from ..execution.registry import procedure
from ..wire.items import Item, ReturnStatus
from . import shipping
from .machine import LOCK, settle_all
from .partnership import PRINCIPAL

if TYPE_CHECKING:
    from ..instance import Instance

__all__: list[str] = []

_COLUMNS = [
    ("database_name", "sysname"), ("role", "int"), ("mirroring_state", "int"), ("witness_status", "int"), ("log_generation_rate", "int"),
    ("unsent_log", "int"), ("send_rate", "int"), ("unrestored_log", "int"), ("recovery_rate", "int"), ("transaction_delay", "int"),
    ("transactions_per_sec", "int"), ("average_delay", "int"), ("time_recorded", "datetime"), ("time_behind", "datetime"), ("local_time", "datetime"),
]  # fmt: skip


@procedure("sp_dbmmonitorresults")
def _results(batch: Batch, arguments: Arguments) -> Iterator[Item]:
    """One row, of now: rates and delays are 0, sizes and times are true. Only the last row can be asked for, with the
    status updated.
    """
    name, rows, update = arguments.take(
        "database_name", "mode", "update_table", defaults={"mode": 0, "update_table": 0}
    )
    if not batch.session.is_sysadmin():
        raise SqlError(21089, "Only members of the sysadmin fixed server role can perform this operation.")
    if int(rows or 0) != 0 or int(update or 0) != 1:
        raise Unmodelled("sp_dbmmonitorresults other than for the last row (0) with the status updated (1)")
    with LOCK:
        settle_all()
        row = _row(batch.instance, str(name))
    if row is None:
        raise SqlError(32039, f"The database '{name}' is not being mirrored. No update of the base table was done.")
    yield from batch.result(_COLUMNS, [tuple(row.get(column) for column, _ in _COLUMNS)])
    yield ReturnStatus(0)


def _row(instance: Instance, name: str) -> dict[str, Any] | None:
    mirroring, database = instance.mirroring, instance.databases.get(name)
    one = mirroring.of(database) if database is not None else None
    if one is None or database is None or not one.established:
        return None
    partner, now = mirroring.partner(one), instance.now()
    zeros = (
        "log_generation_rate",
        "send_rate",
        "recovery_rate",
        "transaction_delay",
        "transactions_per_sec",
        "average_delay",
        "unsent_log",
        "unrestored_log",
    )
    row: dict[str, Any] = dict.fromkeys(zeros, 0)
    witness = 0 if not one.witness else 1 if mirroring.witness(one) is not None else 2
    row.update(
        database_name=database.name, role=1 if one.role == PRINCIPAL else 2, mirroring_state=mirroring.state(one), witness_status=witness,
        time_recorded=now, local_time=now,
    )  # fmt: skip
    principal, mirror = database, partner[0].databases.get(name) if partner is not None else None
    if one.role != PRINCIPAL:
        principal, mirror = mirror, database
    if mirror is not None:
        row["unrestored_log"] = -(-shipping.unrestored_bytes(mirror) // 1024)
    if principal is not None and one.role == PRINCIPAL:
        row["unsent_log"] = -(-shipping.unsent_bytes(principal, one.failover_lsn) // 1024)
        row["time_behind"] = _caught_up_to(instance, principal, one.failover_lsn) or now
    return row


def _caught_up_to(instance: Instance, principal: Any, lsn: int) -> dt.datetime | None:
    """Local time of the first commit that the mirror has not got; None when it has all."""
    first = next((head for head in principal.log.since(lsn) if head.time), None) if principal.log is not None else None
    return (
        None
        if first is None
        else first.time.replace(tzinfo=None) + (instance.now() - instance.utc_now().replace(tzinfo=None))
    )
