# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deliveries that interrupted runs left, finished by the next run: a log that stays behind would break the chain at the
destination.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..._core.backup.backup_set import BackupSet, guid
from ..._core.backup.catalog import assemble
from ..._core.backup.manifest import PendingDelivery, note_name
from ..._core.errors import RecoveryError
from ..._core.windows_paths import parent
from ..catalog import verification
from ..catalog.headers import read_files
from ..connection.errors import SqlError
from ..connection.session import Session
from ..instance.server import clock
from .delivery import Delivery
from .statements import confirmed_report

__all__ = ["finish_pending"]

NEVER_WHOLE = (2, 3, 13, 38)
"""Windows errors of a file or folder that is not there, and of one whose content is invalid or ends too early. Others
may pass.
"""


class _Hindered(Exception):
    """A backup cannot be read at the moment, so that nobody knows whether it is whole."""


def finish_pending(
    session: Session,
    delivery: Delivery,
    folder: str,
    *,
    report: dict[str, Any],
    written: Sequence[str],
    verify: bool,
) -> list[dict[str, Any]]:
    """Deliver the whole ones, oldest first, and remove the others; their reports. In check mode
    those that would be.

    report, written: of this run, which ends what it began by itself.
    """
    done = []
    for note in delivery.pending(folder):
        about = (note.report["server"], note.report["database"].lower())
        if about != (report["server"], report["database"].lower()) or note.written[0].lower() == written[0].lower():
            continue
        if guid(note.report.get("family_guid") or "") not in ("", guid(report["family_guid"])):
            session.warnings.append(
                f"{note.written[0]} is of another database that was called {report['database']}, and an interrupted "
                "run left it. It stays: it may be the "
                f"last backup of that one. Remove it and {note_name(note.written[0])} when nobody needs it."
            )
            continue
        try:
            backup_set = _whole(session, note, family_guid=report["family_guid"], verified=verify)
        except _Hindered as problem:
            session.warnings.append(
                f"{note.written[0]}, which an interrupted run left, cannot be read at the moment, so it stays and "
                f"the next run tries again: {problem}"
            )
            continue
        if backup_set is None:
            delivery.discard(note)
            continue
        delivered = {
            **note.report,
            **confirmed_report(backup_set, files=note.report["files"], verified=verify),
        }
        session.progress.line(f"finishing what an interrupted run left: {note.written[0]}")
        if session.check_mode or delivery.manifest_guid(delivered["files"][0]) == backup_set.guid:
            delivery.discard(note)
        elif not _is_delivered(session, delivery, note, delivered, wanted=_folders(report)):
            continue
        done.append(delivered)
    return done


def _is_delivered(
    session: Session, delivery: Delivery, note: PendingDelivery, report: dict[str, Any], *, wanted: set[str]
) -> bool:
    """Whether a backup was brought where it belongs. That it cannot be is no reason to fail for a run whose backups go
    elsewhere.
    """
    try:
        delivery.deliver(report, note.written, copied=report.get("copied_by") == "windows")
        delivery.complete(note)
    except RecoveryError as problem:
        if _folders(report) == wanted:
            raise
        places = " and ".join(
            sorted(parent(files[0]) for files in (report["files"], report.get("copy_files")) if files)
        )
        session.warnings.append(
            f"A backup that an interrupted run left in {note.written[0]} still cannot be brought to {places}: "
            f"{problem} Should it not go there any more, remove {note_name(note.written[0])}."
        )
        return False
    return True


def _folders(report: dict[str, Any]) -> set[str]:
    """The folders that a backup belongs in."""
    return {parent(files[0]).lower() for files in (report["files"], report.get("copy_files")) if files}


def _whole(session: Session, note: PendingDelivery, *, family_guid: str, verified: bool) -> BackupSet | None:
    """The set that is in the files, read back; None where there is none. Raises _Hindered where that cannot be told."""
    connection = session.connection
    _now, zone = clock(connection)
    readings = read_files(connection, note.written, progress=session.progress)
    for reading in readings:
        if reading.os_error and reading.os_error not in NEVER_WHOLE:
            raise _Hindered(reading.problem)
    inventory = assemble(readings, zone=zone)
    wanted = sorted(map(str.lower, note.written))
    sets = [
        backup_set
        for backup_set in inventory.sets
        if not backup_set.problem
        and backup_set.family_guid == guid(family_guid)
        and sorted(map(str.lower, backup_set.copies[0].stripes)) == wanted
    ]
    newest = max(sets, key=lambda backup_set: (backup_set.finished, backup_set.last_lsn), default=None)
    if newest is None or not verified or session.check_mode:
        return newest
    try:
        verification.verify(
            connection,
            files=note.written,
            position=newest.copies[0].position,
            checksum=newest.checksums,
            progress=session.progress,
        )
    except SqlError as problem:
        if problem.lost:
            raise
        if problem.os_error and problem.os_error not in NEVER_WHOLE:
            raise _Hindered(problem.text) from None
        session.warnings.append(
            f"The {newest}, which an interrupted run left, cannot be read back and goes no further: {problem.text}"
        )
        return None
    return newest
