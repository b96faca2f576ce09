# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a RESTORING database may be replaced by the mirror: only where the principal holds all that it holds.

RESTORING is not only what a mirror leaves when its session ends. It is also what a database is after its tail was
backed up WITH NORECOVERY, with all its data in it; what another program's log shipping restores; and what was principal
until service was forced, once its session was ended to save the commits that the new principal never got.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..errors import RecoveryError

__all__ = ["Fork", "PrincipalHistory", "RestoringCopy", "forks_of", "refuse_newer_copy", "refuse_unknown_copy"]


@dataclass(frozen=True, kw_only=True)
class RestoringCopy:
    """server: how messages name it. position: the LSN that its redo goes on from; None where nothing was restored yet.
    fork: the recovery fork that it is on. family: as its server remembers it, "" where it does not.
    """

    server: str
    position: int | None
    fork: str = ""
    family: str = ""


@dataclass(frozen=True, kw_only=True)
class Fork:
    """A place where a database left a recovery fork for another one; lsn: the last that both have."""

    left: str
    entered: str
    lsn: int


@dataclass(frozen=True, kw_only=True)
class PrincipalHistory:
    """fork: the one that it is on. forks: those that it came over, as far as its server knows them. given_up: forks
    that it was on itself until a restore that was allowed to replace it.
    """

    server: str
    family: str = ""
    fork: str = ""
    forks: tuple[Fork, ...] = ()
    given_up: frozenset[str] = frozenset()

    def last_common_lsn(self, fork: str) -> int | None:
        """Up to which LSN it has what was written on a fork that it left; None where nothing tells."""
        return min((known.lsn for known in self.forks if known.left == fork and known.entered != fork), default=None)

    def knows(self, fork: str) -> bool:
        return bool(fork) and fork in {
            self.fork,
            *(name for known in self.forks for name in (known.left, known.entered)),
        }


def refuse_unknown_copy(copy: RestoringCopy, history: PrincipalHistory, *, database: str) -> None:
    """Raises RecoveryError for a copy of another database, and for one that may hold what the principal does not."""
    if copy.position is None or (history.fork and copy.fork == history.fork):
        return
    if not history.knows(copy.fork):
        raise _refusal(copy, history, database=database, reason=_unknown_fork(copy, history))
    common = history.last_common_lsn(copy.fork)
    if (common is not None and copy.position <= common) or copy.fork in history.given_up:
        return
    reason = f"its log goes on to LSN {copy.position}" + (
        f", the principal has the same up to {common}" if common is not None else " on a recovery fork that it left"
    )
    raise _refusal(copy, history, database=database, reason=reason)


def _unknown_fork(copy: RestoringCopy, history: PrincipalHistory) -> str:
    if copy.family and copy.family != history.family:
        return f"it is another database (family {copy.family}, the principal's is {history.family})"
    if copy.family:
        return "it is on a recovery fork that the principal never was on"
    return "nothing tells that it is a copy of the same database"


def refuse_newer_copy(copy: RestoringCopy, history: PrincipalHistory, *, end_of_log: int, database: str) -> None:
    """The same on one fork, where only the principal's newest log backup tells. end_of_log: its LSN."""
    if copy.position is not None and copy.fork == history.fork and copy.position > end_of_log:
        reason = f"its log goes on to LSN {copy.position}, the principal's ends at {end_of_log}"
        raise _refusal(copy, history, database=database, reason=reason)


def _refusal(copy: RestoringCopy, history: PrincipalHistory, *, database: str, reason: str) -> RecoveryError:
    return RecoveryError(
        f"{database} on {copy.server} is RESTORING and may hold what {history.server} does not: {reason}",
        advice="Recover it under another name to look at it, or remove it with sql_database (state absent, "
        "allow_data_loss) if it may go, then run again",
        code="already_exists",
    )


def forks_of(rows: Iterable[tuple[str | None, str | None, int | None]]) -> tuple[Fork, ...]:
    """(left, entered, LSN) of rows in which any may be missing."""
    return tuple(
        Fork(left=left.lower(), entered=entered.lower(), lsn=lsn)
        for left, entered, lsn in rows
        if left and entered and lsn is not None and left.lower() != entered.lower()
    )
