"""What mirroring does to databases: log records sent, written, redone; roles taken and given up; what was never sent
taken back.

A mirror is a RESTORING database whose log goes on: `next_lsn` is where its log ends, `redo_start_lsn` up to where its
data follows.
"""

from __future__ import annotations

import copy
from typing import Any

from ...windows.errors import WinError
from ..errors import Cancelled
from ..storage import lifecycle
from ..storage.boot import Fork, new_guid
from ..storage.database import Database
from ..storage.logfile import LogDamage

__all__ = [
    "Broken",
    "demote",
    "facts",
    "harden",
    "promote",
    "redo",
    "resume_service",
    "rewind",
    "stop_service",
    "unrestored_bytes",
    "unsent",
    "unsent_bytes",
]

_FACTS = (
    "forks",
    "log_start_lsn",
    "begins_chain",
    "chain_start_lsn",
    "database_backup_lsn",
    "base",
    "recovery_model",
    "options",
    "version",
    "last_commit",
)


class Broken(Exception):
    """The mirror cannot go on; `number`: the error that it met."""

    def __init__(self, number: int, text: str) -> None:
        super().__init__(text)
        self.number = number


def facts(principal: Database) -> dict[str, Any]:
    """What of the boot page changes without log records here (on a real server it is logged)."""
    return {name: getattr(principal.boot, name) for name in _FACTS}


def unsent(principal: Database, mirror_lsn: int) -> list[bytes]:
    """The log records from an LSN on. Raises Broken when the log does not reach back so far."""
    with principal.lock:
        if principal.log is None:
            raise Cancelled
        heads = list(principal.log.since(mirror_lsn))
        if mirror_lsn != (heads[0].lsn if heads else principal.next_lsn):
            raise Broken(1412, "the log does not reach back to where the mirror stands")
        return [principal.log.raw(head) for head in heads]


def harden(mirror: Database, records: list[bytes], principal_facts: dict[str, Any]) -> None:
    """Write records to the mirror's log. Raises Broken when its drive is full, or they do not follow on each other."""
    with mirror.lock:
        if mirror.log is None:
            raise Cancelled
        if records and mirror.files.free_bytes(mirror.log_path) < sum(map(len, records)):
            raise Broken(9002, "the drive of the mirror's log is full")
        for raw in records:
            head = mirror.log.append(raw)
            if head.lsn != mirror.boot.next_lsn:
                raise Broken(1412, "a log record does not follow on the last one")
            mirror.boot.next_lsn = head.next_lsn
        changed = {name: value for name, value in principal_facts.items() if getattr(mirror.boot, name) != value}
        for name, value in changed.items():
            setattr(mirror.boot, name, copy.deepcopy(value))
        if changed:
            mirror.save()


def redo(mirror: Database) -> None:
    """Bring the mirror's data up to the end of its log. Raises Broken for a damaged record or a full drive."""
    with mirror.lock:
        boot, log, data = mirror.boot, mirror.log, mirror.data
        if log is None or data is None:
            raise Cancelled
        if boot.redo_start_lsn == boot.next_lsn:
            return
        _roll(mirror, from_lsn=boot.redo_start_lsn or 0)
        boot.redo_start_lsn = boot.checkpoint_lsn = boot.next_lsn
        mirror.save()
        mirror.truncate_log()


def _roll(mirror: Database, *, from_lsn: int) -> None:
    boot, log, data = mirror.boot, mirror.log, mirror.data
    assert log is not None and data is not None
    try:
        for head in log.since(from_lsn):
            record = log.read(head)
            for number, image in record.images:
                data.write_page(number, image)
            boot.pages = record.pages or boot.pages
    except (LogDamage, WinError) as failure:
        raise Broken(getattr(failure, "number", 3456), str(failure)) from failure


def unsent_bytes(principal: Database, mirror_lsn: int) -> int:
    """The log that the mirror has not got."""
    with principal.lock:
        return sum(head.size for head in principal.log.since(mirror_lsn)) if principal.log is not None else 0


def unrestored_bytes(mirror: Database) -> int:
    """The log that the mirror has written and not redone."""
    with mirror.lock:
        return (
            sum(head.size for head in mirror.log.since(mirror.boot.redo_start_lsn or 0))
            if mirror.log is not None
            else 0
        )


# ---- roles


def promote(mirror: Database, *, fork: bool) -> int:
    """The mirror comes online as principal; the LSN where it takes over. fork: on a recovery path of its own (forced
    service).
    """
    with mirror.lock:
        redo(mirror)
        boot = mirror.boot
        taken = boot.next_lsn
        boot.state, boot.clean, boot.redo_start_lsn, boot.restored_guid = "ONLINE", False, None, None
        if fork:
            boot.forks = [*boot.forks, Fork(new_guid(), taken)]
        mirror.save()
        mirror.activate()
        mirror.state = "ONLINE"
        return taken


def stop_service(principal: Database) -> None:
    """The principal may not be used: its session lacks quorum. Its clients were told to go before."""
    with principal.lock:
        principal.crash()
        principal.state = "RECOVERING"


def resume_service(principal: Database) -> None:
    """The principal may be used again."""
    lifecycle.bring_up(principal)


def demote(principal: Database) -> None:
    """The principal becomes RESTORING, with everything that its log holds. Raises Broken when its files cannot be
    opened.
    """
    with principal.lock:
        principal.crash()
        try:
            principal.open_files()
        except WinError as failure:
            raise Broken(failure.number, str(failure)) from failure
        if not lifecycle.redo(principal):
            raise Broken(3456, "the log that recovery needs is damaged")
        boot = principal.boot
        boot.state, boot.clean, boot.restored_guid = "RESTORING", False, None
        boot.redo_start_lsn = boot.next_lsn
        principal.save()
        principal.state = "RESTORING"


def rewind(mirror: Database, principal: Database, *, to: int) -> int:
    """Take back what the mirror logged from the LSN `to` on, when it was principal: the pages that were changed come
    from the principal as it is now, and so does the log. Returns how many commits are lost. Raises Broken when the
    principal's log does not reach back so far.
    """
    with principal.lock, mirror.lock:
        if mirror.log is None or mirror.data is None or principal.log is None or principal.data is None:
            raise Cancelled
        log = mirror.log
        dropped = list(log.since(to))
        changed = {number for head in dropped for number, _ in log.read(head).images}
        start = min(to, principal.checkpoint())
        again = [principal.log.raw(head) for head in principal.log.since(start)]
        records = unsent(principal, to)
        kept = [log.raw(head) for head in log.records if head.lsn < to]
        pages = principal.boot.pages
        for number in sorted(changed):
            if number <= pages:
                mirror.data.write_page(number, principal.data.read_page(number))
        boot = mirror.boot
        boot.pages, boot.next_lsn, boot.redo_start_lsn = pages, to, to
        log.replace(again)
        _roll(mirror, from_lsn=0)
        log.replace(kept)
        harden(mirror, records, facts(principal))
        boot.redo_start_lsn = boot.checkpoint_lsn = boot.next_lsn
        mirror.save()
        return sum(head.kind == "commit" for head in dropped)
