# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans a failover: by which route a server becomes principal. Pure: facts in, the route out."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import RecoveryError
from .session import PRINCIPAL, Side, holds_more, refuse_to_drop, two_principals, what_may_be_lost

__all__ = ["FailoverRoute", "plan_failover"]

_WITHOUT_QUORUM = (
    "If that is lost for good, end mirroring here (sql_mirror with 'state: absent') and recover the "
    "database (RESTORE DATABASE ... WITH RECOVERY)"
)


@dataclass(frozen=True, kw_only=True)
class FailoverRoute:
    """How `here` becomes principal. way: stays, resume, manual, through_safety, wait, force. may_lose: whether commits
    may be lost on it.
    """

    way: str
    reason: str
    may_lose: bool = False


def plan_failover(
    local: Side, remote: Side | None, *, database: str, allow_data_loss: bool, rejoin: bool
) -> FailoverRoute:
    """there: the partner, None when it cannot be asked. Raises RecoveryError where there is no way, or none without a
    yes.
    """
    if not local.mirrored:
        raise RecoveryError(
            f"{database} on {local.server} is not mirrored",
            code="wrong_state",
            advice="Set mirroring up with sql_mirror",
        )
    if remote is not None and remote.mirrored and remote.guid != local.guid:
        raise RecoveryError(
            f"{database} is in another mirroring session on {remote.server}",
            code="option_invalid",
            advice="Give the partner of this session in 'partner'",
        )
    if local.role == PRINCIPAL and remote is not None and remote.role == PRINCIPAL:
        raise two_principals(local, remote, database)
    if local.role == PRINCIPAL:
        return _as_principal(local, remote, database=database, allow_data_loss=allow_data_loss, rejoin=rejoin)
    if remote is not None and remote.role == PRINCIPAL:
        return _with_principal(local, remote, database=database)
    return _without_principal(local, remote, database=database, allow_data_loss=allow_data_loss)


def _as_principal(
    local: Side, remote: Side | None, *, database: str, allow_data_loss: bool, rejoin: bool
) -> FailoverRoute:
    if local.state != "ONLINE" and local.session == "DISCONNECTED":
        raise RecoveryError(
            f"{local.server} was the principal of {database}, and does not serve it ({local.state}): it does not "
            "reach its partner, which may know more",
            code="wrong_state",
            advice="Bring the partner "
            f"back{' or the witness' if local.witness and local.witness_state != 'CONNECTED' else ''}. "
            f"{_WITHOUT_QUORUM}",
        )
    if local.session != "SUSPENDED" or not rejoin:
        return FailoverRoute(way="stays", reason=f"{local.server} is the principal already")
    unsent = remote is not None and holds_more(local, remote)
    if remote is not None and not allow_data_loss:
        refuse_to_drop(local, remote, database=database)
    return FailoverRoute(way="resume", reason="the session goes on", may_lose=unsent)


def _with_principal(local: Side, remote: Side, *, database: str) -> FailoverRoute:
    if remote.session == "DISCONNECTED" or local.session == "DISCONNECTED":
        raise RecoveryError(
            f"{remote.server} is the principal of {database} and serves it, but the two servers do not reach each "
            "other",
            code="wrong_state",
            advice="Forcing service here would make two principals. Repair the connection (network, firewall, "
            "endpoints, certificates), or stop SQL "
            "Server there first",
        )
    if remote.session == "SUSPENDED":
        raise RecoveryError(
            f"Mirroring of {database} is suspended",
            code="wrong_state",
            advice="Let it go on with sql_mirror ('state: running'), then run again",
        )
    if remote.safety == "OFF":
        return FailoverRoute(way="through_safety", reason="asynchronous: safety is FULL for the time of the failover")
    return FailoverRoute(way="manual", reason="synchronous, nothing is lost")


def _without_principal(local: Side, remote: Side | None, *, database: str, allow_data_loss: bool) -> FailoverRoute:
    if remote is not None and remote.state == "ONLINE":
        raise RecoveryError(
            f"{remote.server} serves {database} on its own: it has left this session",
            code="wrong_state",
            advice="Forcing service here would make two databases that go their own ways. To keep that one, end the "
            "session here (sql_mirror with "
            "'state: absent') and mirror it anew; to keep this one, remove that one first (sql_database with "
            "'state: absent' and 'allow_data_loss: true')",
        )
    if local.session != "DISCONNECTED":
        reason = f"{remote.server} knows nothing of the session" if remote else "it cannot be asked from here"
        raise RecoveryError(
            f"{local.server} is the mirror of {database} and still reaches its principal, though {reason}",
            code="option_invalid",
            advice="Correct 'partner', or its account: the failover runs on the principal",
        )
    if local.witness and local.witness_state != "CONNECTED":
        raise RecoveryError(
            f"Neither the principal nor the witness of {database} is reached by {local.server}: it may not take over "
            "alone",
            code="wrong_state",
            advice=f"Bring the witness back. {_WITHOUT_QUORUM}",
        )
    if local.witness and local.safety == "FULL":
        return FailoverRoute(way="wait", reason="the witness lets the mirror take over by itself, if it was in step")
    if not allow_data_loss:
        raise RecoveryError(
            f"The principal of {database} cannot be reached, and service on {local.server} can only be forced. "
            f"{what_may_be_lost(local)}",
            code="would_lose_data",
            advice="Make sure that the principal is down, then set 'allow_data_loss: true'",
        )
    return FailoverRoute(way="force", reason="the principal is gone", may_lose=True)
