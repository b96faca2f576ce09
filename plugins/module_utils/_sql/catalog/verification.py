# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups read back by the server from their first to their last byte."""

from __future__ import annotations

from collections.abc import Sequence

from ..._core.backup.backup_set import BackupSet, Copy
from ..._progress import Progress
from ..connection.connection import Connection
from ..connection.errors import SqlError
from ..connection.percent import STEP, show_percent
from ..connection.session import Session
from ..instance.folders import from_disk


def verify_statement(*, files: Sequence[str], position: int, checksum: bool) -> str:
    """RESTORE VERIFYONLY of one set with all its stripes."""
    return (
        f"RESTORE VERIFYONLY FROM {from_disk(files)} WITH FILE = {position}, "
        f"{'CHECKSUM' if checksum else 'NO_CHECKSUM'}, STATS = {STEP}"
    )


def verify(connection: Connection, *, files: Sequence[str], position: int, checksum: bool, progress: Progress) -> None:
    """Let the server read a set from its first to its last byte. Raises SqlError when it is not whole."""
    connection.execute(
        verify_statement(files=files, position=position, checksum=checksum),
        doing=f"The backup in {', '.join(files)} was written but cannot be read back",
        on_message=show_percent(progress, "verification"),
    )


def reading_problem(session: Session, backup_set: BackupSet, copy: Copy) -> str:
    """What the server says when it reads one copy of a set back; empty when that is whole. A lost connection is no
    answer and is raised.
    """
    try:
        verify(
            session.connection,
            files=copy.stripes,
            position=copy.position,
            checksum=backup_set.checksums,
            progress=session.progress,
        )
    except SqlError as problem:
        if problem.lost:
            raise
        return problem.text
    return ""
