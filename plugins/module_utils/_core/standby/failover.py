# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans the move of a database to its warm standby: by which route, and what may be lost. Pure: facts in, the route
out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..errors import RecoveryError

__all__ = ["Side", "StandbyRoute", "loss_report", "plan_standby_failover", "require_no_gap", "require_tail"]

BROKEN = ("SUSPECT", "RECOVERY_PENDING", "EMERGENCY")
"""States in which nobody can work with a database, and the tail of its log may still be had."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """What one server says of the database.

    server: how messages name it. state: of sys.databases, "" without a database. fork: the recovery fork that it is
    on; parent_fork, fork_point_lsn: the one that it came from and where it left that, where the server tells.
    stands_at: LSN of the next log record that a standby needs; None of one that is open, or of which nothing tells.
    log_backed_up_to: LSN at which the next log backup of an open database begins; None without a chain of log backups.
    """

    server: str
    state: str = ""
    is_in_standby: bool = False
    recovery_model: str = ""
    family: str = ""
    mirrored: bool = False
    fork: str = ""
    parent_fork: str = ""
    fork_point_lsn: int | None = None
    stands_at: int | None = None
    log_backed_up_to: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether it serves, or could."""
        return self.state == "ONLINE" and not self.is_in_standby

    @property
    def is_standby(self) -> bool:
        """Whether logs can be restored to it."""
        return self.state == "RESTORING" or self.is_in_standby

    def to_dict(self) -> dict[str, Any]:
        state = "STANDBY" if self.is_in_standby else self.state
        return {"server": self.server, "state": state, "fork": self.fork, "stands_at": self.stands_at}


@dataclass(frozen=True, kw_only=True)
class StandbyRoute:
    """How the server comes to serve the database. way: stays (it does already), planned (the tail of the old
    principal's log is taken over), finish (an interrupted move goes on), force (without the old principal), rejoin (it
    serves, and the old principal is taken out of service).
    """

    way: str
    reason: str
    may_lose: bool = False


def plan_standby_failover(
    local: Side, remote: Side | None, *, database: str, allow_data_loss: bool, goes_back: bool
) -> StandbyRoute:
    """local: the standby that shall serve. remote: the old principal, None when it cannot be asked. goes_back: to a
    moment before the newest, on purpose. Raises RecoveryError where there is no way, or none without a yes.
    """
    for side in (local, remote):
        if side is not None and side.mirrored:
            raise RecoveryError(
                f"{database} on {side.server} is mirrored, so it has no warm standby",
                code="wrong_state",
                advice="Fail over with sql_mirror_failover (prs_ha: mirror), or end mirroring first",
            )
    if local.is_open:
        return _as_principal(local, remote, database=database, allow_data_loss=allow_data_loss)
    if not local.is_standby:
        state = f"is {local.state}" if local.state else "is not there"
        raise RecoveryError(
            f"{database} on {local.server} {state}, so there is no standby that could be opened",
            code="wrong_state",
            advice="Make it one (standby_prs) while the principal serves; where that is lost, rebuild_prs restores the "
            "newest backup",
        )
    route = _to_standby(local, remote, database=database, allow_data_loss=allow_data_loss)
    if goes_back and not allow_data_loss:
        raise RecoveryError(
            f"{database} would go back to an earlier moment, and give up what was committed since",
            code="would_lose_data",
            advice="If that is what you want, set 'allow_data_loss: true'; what the principal holds is saved first "
            "where it answers",
        )
    return route


def _as_principal(local: Side, remote: Side | None, *, database: str, allow_data_loss: bool) -> StandbyRoute:
    if remote is None or not remote.is_open:
        return StandbyRoute(way="stays", reason=f"{local.server} serves it already")
    # Where no log backup of the old principal came over since it took over itself, both left the same fork.
    same_parent = bool(local.parent_fork) and local.parent_fork == remote.parent_fork and local.fork != remote.fork
    if (remote.fork and remote.fork == local.parent_fork) or same_parent:
        if not allow_data_loss:
            raise RecoveryError(
                f"{database} was opened on {local.server} while {remote.server} did not answer, and {remote.server} "
                "serves its own again: what that one got since, the other never had",
                code="would_lose_data",
                advice=f"To make {remote.server} the standby, set 'allow_data_loss: true': the tail of its log is "
                f"saved first. To keep what it holds instead, stop the application and restore its backups",
            )
        return StandbyRoute(
            way="rejoin", reason=f"{remote.server} came back with a database that was replaced", may_lose=True
        )
    newer = bool(local.fork) and local.fork == remote.parent_fork
    raise RecoveryError(
        f"{database} is open on both {local.server} and {remote.server}"
        + (f", and {remote.server} took over from {local.server}" if newer else ""),
        code="two_principals",
        advice=f"Make {local.server} the standby of {remote.server} first (failover_prs to the site of {remote.server})"
        if newer
        else "Find out which of the two is to go on, and take the other one out of service: BACKUP LOG ... WITH "
        "NORECOVERY keeps what it holds",
    )


def _to_standby(local: Side, remote: Side | None, *, database: str, allow_data_loss: bool) -> StandbyRoute:
    if remote is None:
        return StandbyRoute(way="force", reason="the principal does not answer", may_lose=True)
    if remote.family and local.family and remote.family != local.family:
        raise RecoveryError(
            f"{database} on {remote.server} is another database than the standby on {local.server} (family "
            f"{remote.family}, the standby has {local.family})",
            code="wrong_database",
            advice="Name the principal of this standby in 'partner', or make the standby anew (standby_prs)",
        )
    if remote.is_open and remote.recovery_model == "SIMPLE":
        raise RecoveryError(
            f"{database} on {remote.server} is in the recovery model SIMPLE, so the tail of its log cannot be had",
            code="wrong_state",
            advice="Set it to FULL and take a backup (backup_prs), so that the standby can follow; then run again",
        )
    if remote.is_open:
        return StandbyRoute(way="planned", reason="the tail of the principal's log is taken over, nothing is lost")
    if remote.is_standby and remote.stands_at is not None:
        return StandbyRoute(way="finish", reason=f"{remote.server} left service in a move that was interrupted")
    if remote.state == "RECOVERING":
        raise RecoveryError(
            f"{remote.server} is recovering {database} right now",
            code="wrong_state",
            advice="Wait until it is ONLINE or SUSPECT there, then run again",
        )
    if remote.state == "OFFLINE" and not allow_data_loss:
        raise RecoveryError(
            f"{database} on {remote.server} was set offline, and holds what the standby never got",
            code="would_lose_data",
            advice="Set it online there, so that nothing is lost, or set 'allow_data_loss: true'",
        )
    state = f"is {remote.state} on {remote.server}" if remote.state else f"is not on {remote.server} any more"
    return StandbyRoute(way="force", reason=f"the database {state}", may_lose=True)


def require_no_gap(reached: tuple[int | None, str], remote: Side, *, database: str, standby: str) -> None:
    """Before the principal leaves service: raises RecoveryError unless the tail of its log goes on where the logs that
    the standby can read end. reached: LSN and recovery fork of that point.
    """
    lsn, fork = reached
    needed = remote.log_backed_up_to
    if needed is None:
        raise RecoveryError(
            f"{database} on {remote.server} has no chain of log backups",
            code="not_restorable",
            advice="Run backup_prs, so that the standby can follow; then run this again",
        )
    if lsn is not None and lsn > (remote.fork_point_lsn or lsn) and fork == remote.parent_fork:
        raise RecoveryError(
            f"{standby} stands at LSN {lsn} of {database}, past LSN {remote.fork_point_lsn} at which {remote.server} "
            "took over: it holds what that one never had, and cannot follow it. Nothing was touched",
            code="not_restorable",
            advice=f"Run backup_prs, and standby_prs -e prs_allow_data_loss=true, which lets {standby} begin anew",
        )
    same_path = not remote.fork or fork in (remote.fork, remote.parent_fork)
    if same_path and lsn is not None and lsn >= needed:
        return
    where = f"LSN {lsn}" if same_path else f"recovery fork {fork}, the principal is on {remote.fork}"
    raise RecoveryError(
        f"The backups that {standby} can read bring {database} to {where}, and the tail of the log on "
        f"{remote.server} begins at LSN {needed}: what lies in between would be missing. Nothing was touched",
        code="not_restorable",
        advice="Bring the missing log backups to a folder that is read, or run backup_prs (and standby_prs) once more",
    )


def require_tail(lsn: int | None, end_of_log: int, *, database: str, old: str, advice: str) -> None:
    """Before the standby is opened: raises RecoveryError unless the plan reaches the end of the old principal's log."""
    if lsn is not None and lsn >= end_of_log:
        return
    raise RecoveryError(
        f"{old} left service with {database} at LSN {end_of_log}, and the backups that can be read lead to LSN {lsn} "
        "only: the tail of its log is not among them. Nothing was opened",
        code="would_lose_data",
        advice=advice,
    )


def loss_report(*, since: datetime | None, now: datetime, standby: str) -> dict[str, Any]:
    """What a move may lose, for the report and for who has to say yes: since (UTC, or None where nothing tells),
    minutes (rounded up) and reason.
    """
    if since is None:
        reason = (
            f"All that was committed after the last log that {standby} got may be lost; when that was, nothing tells"
        )
        return {"since": None, "minutes": None, "reason": reason}
    minutes = max(0, -(-(now - since) // timedelta(minutes=1)))
    unit = "minute" if minutes == 1 else "minutes"
    reason = f"What was committed after {since:%Y-%m-%d %H:%M:%S} UTC is lost, the last {minutes} {unit}"
    return {"since": since.isoformat(), "minutes": minutes, "reason": reason}
