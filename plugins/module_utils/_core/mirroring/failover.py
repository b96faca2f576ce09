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
    here: Side, there: Side | None, *, database: str, allow_data_loss: bool, rejoin: bool
) -> FailoverRoute:
    """there: the partner, None when it cannot be asked. Raises RecoveryError where there is no way, or none without a
    yes.
    """
    if not here.mirrored:
        raise RecoveryError(f"{database} on {here.server} is not mirrored", advice="Set mirroring up with sql_mirror")
    if there is not None and there.mirrored and there.guid != here.guid:
        raise RecoveryError(
            f"{database} is in another mirroring session on {there.server}",
            advice="Give the partner of this session in 'partner'",
        )
    if here.role == PRINCIPAL and there is not None and there.role == PRINCIPAL:
        raise two_principals(here, there, database)
    if here.role == PRINCIPAL:
        return _as_principal(here, there, database=database, allow_data_loss=allow_data_loss, rejoin=rejoin)
    if there is not None and there.role == PRINCIPAL:
        return _with_principal(here, there, database=database)
    return _without_principal(here, there, database=database, allow_data_loss=allow_data_loss)


def _as_principal(
    here: Side, there: Side | None, *, database: str, allow_data_loss: bool, rejoin: bool
) -> FailoverRoute:
    if here.state != "ONLINE" and here.session == "DISCONNECTED":
        raise RecoveryError(
            f"{here.server} was the principal of {database}, and does not serve it ({here.state}): it does not "
            "reach its partner, which may know more",
            advice="Bring the partner "
            f"back{' or the witness' if here.witness and here.witness_state != 'CONNECTED' else ''}. "
            f"{_WITHOUT_QUORUM}",
        )
    if here.session != "SUSPENDED" or not rejoin:
        return FailoverRoute(way="stays", reason=f"{here.server} is the principal already")
    unsent = there is not None and holds_more(here, there)
    if there is not None and not allow_data_loss:
        refuse_to_drop(here, there, database=database)
    return FailoverRoute(way="resume", reason="the session goes on", may_lose=unsent)


def _with_principal(here: Side, there: Side, *, database: str) -> FailoverRoute:
    if there.session == "DISCONNECTED" or here.session == "DISCONNECTED":
        raise RecoveryError(
            f"{there.server} is the principal of {database} and serves it, but the two servers do not reach each other",
            advice="Forcing service here would make two principals. Repair the connection (network, firewall, "
            "endpoints, certificates), or stop SQL "
            "Server there first",
        )
    if there.session == "SUSPENDED":
        raise RecoveryError(
            f"Mirroring of {database} is suspended",
            advice="Let it go on with sql_mirror ('state: running'), then run again",
        )
    if there.safety == "OFF":
        return FailoverRoute(way="through_safety", reason="asynchronous: safety is FULL for the time of the failover")
    return FailoverRoute(way="manual", reason="synchronous, nothing is lost")


def _without_principal(here: Side, there: Side | None, *, database: str, allow_data_loss: bool) -> FailoverRoute:
    if there is not None and there.state == "ONLINE":
        raise RecoveryError(
            f"{there.server} serves {database} on its own: it has left this session",
            advice="Forcing service here would make two databases that go their own ways. To keep that one, end the "
            "session here (sql_mirror with "
            "'state: absent') and mirror it anew; to keep this one, remove that one first (sql_database with "
            "'state: absent' and 'allow_data_loss: true')",
        )
    if here.session != "DISCONNECTED":
        told = f"{there.server} knows nothing of the session" if there else "it cannot be asked from here"
        raise RecoveryError(
            f"{here.server} is the mirror of {database} and still reaches its principal, though {told}",
            advice="Correct 'partner', or its account: the failover runs on the principal",
        )
    if here.witness and here.witness_state != "CONNECTED":
        raise RecoveryError(
            f"Neither the principal nor the witness of {database} is reached by {here.server}: it may not take over "
            "alone",
            advice=f"Bring the witness back. {_WITHOUT_QUORUM}",
        )
    if here.witness and here.safety == "FULL":
        return FailoverRoute(way="wait", reason="the witness lets the mirror take over by itself, if it was in step")
    if not allow_data_loss:
        raise RecoveryError(
            f"The principal of {database} cannot be reached, and service on {here.server} can only be forced. "
            f"{what_may_be_lost(here)}",
            advice="Make sure that the principal is down, then set 'allow_data_loss: true'",
        )
    return FailoverRoute(way="force", reason="the principal is gone", may_lose=True)
