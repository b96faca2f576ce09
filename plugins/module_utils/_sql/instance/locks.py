# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One of us at a time: backup, restore and rebuild of a database exclude each other while the instance lives."""

from __future__ import annotations

import hashlib
import time

from ..._core.errors import RecoveryError
from ..connection.connection import Question
from ..connection.errors import SqlError
from ..connection.quoting import quote_text
from ..connection.session import Session

__all__ = ["hold", "lock_name", "lock_question"]

_HOLDERS = """
SELECT l.resource_description, s.session_id, s.login_name, s.host_name, s.program_name, s.login_time
FROM sys.dm_tran_locks AS l
JOIN sys.dm_exec_sessions AS s ON s.session_id = l.request_session_id
WHERE l.resource_type = 'APPLICATION' AND l.request_status = 'GRANT'
"""

LONGEST_SHOWN = 32
"""Characters of a lock's name that the server shows."""


PATIENCE = 15
"""Seconds between two lines that say who is waited for."""


def lock_name(database: str) -> str:
    """What the lock of a database is called. What the server shows of it has to tell databases apart whose names begin
    alike: hence the digest.
    """
    name = database.lower()
    return f"prs.recovery:{hashlib.sha256(name.encode()).hexdigest()[:8]}:{name}"


def lock_question(database: str) -> Question:
    """What C(hold) asks first; the answer says whether the lock is taken."""
    return (_taking(database, seconds=0),)


def hold(session: Session, database: str, *, wait: float = 0) -> None:
    """Take the lock of a database; the server gives it up when the session ends, however that happens.

    wait: seconds to wait for whoever holds it. A run in check mode changes nothing and needs no lock. Raises
    RecoveryError that says who holds it.
    """
    if session.check_mode:
        return
    name = lock_name(database)
    ends = time.monotonic() + wait
    patience = 0.0
    while not _granted(session, database, seconds=patience):
        session.connection.forget_ahead()  # what is true now, whoever holds the lock may change
        patience = min(PATIENCE, ends - time.monotonic())
        holder = _holder(session, name)
        if patience <= 0:
            raise RecoveryError(
                f"Another run works on database {database} on {session.connection.target.server}: {holder}",
                code="in_use",
                advice="Wait until it has ended, then run again",
            )
        session.progress.line(f"waiting for another run on {database}: {holder}")


def _granted(session: Session, database: str, *, seconds: float) -> bool:
    answer = session.connection.value(
        _taking(database, seconds=seconds), doing=f"Cannot lock database {database} against other runs"
    )
    return answer >= 0


def _taking(database: str, *, seconds: float) -> str:
    return (
        f"DECLARE @answer int; EXEC @answer = sys.sp_getapplock @Resource = {quote_text(lock_name(database))}, "
        f"@LockMode = N'Exclusive', @LockOwner = N'Session', @LockTimeout = {round(seconds * 1000)}; "
        "SELECT @answer AS answer"
    )


def _holder(session: Session, name: str) -> str:
    try:
        rows = session.connection.query(_HOLDERS)
    except SqlError as problem:  # a login may back up without VIEW SERVER STATE
        if problem.lost:
            raise
        return f"this login may not see who ({problem.text})"
    for row in rows:
        if f"[{name[:LONGEST_SHOWN]}]" in row["resource_description"]:
            return (
                f"{row['program_name']} from {row['host_name']} as {row['login_name']}, session "
                f"{row['session_id']} since {row['login_time']}"
            )
    return "nobody knows who"
