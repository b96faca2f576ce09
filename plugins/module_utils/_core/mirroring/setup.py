# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans the setup and the removal of a mirroring session. Pure: facts in, steps out."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..errors import RecoveryError
from .session import MIRROR, PRINCIPAL, Side, refuse_to_drop, same_session, two_principals

__all__ = ["MAY_HAVE_WORKED", "ONCE_MORE", "PASSING", "MirrorPlan", "Step", "Wanted", "plan_mirror", "plan_removal"]

ASYNCHRONOUS = ("Enterprise", "Developer", "Evaluation")
"""Editions, by the first word of their name, that may set safety OFF."""
WITNESS_ONLY = ("Express", "Web")
ONCE_MORE = (1408, 1409, 1411, 1412, 1478)
"""Errors of SET PARTNER on the principal that mean: log backups came in between, restore them, and try again."""
PASSING = (1404, 1413, 1438)
"""Errors that pass, of commands that did nothing: the mirror is busy, or was not reached or refused for the moment."""
MAY_HAVE_WORKED = 1421
"""The partner's answer came too late: nobody knows whether the command was carried out."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """None: leave it as it is. witness "": none. running False: suspended."""

    database: str
    safety: str | None = None
    witness: str | None = None
    timeout: int | None = None
    running: bool = True


@dataclass(frozen=True)
class Step:
    """One thing to do. action: end, seed, partner, resume, suspend, safety, timeout, witness. on: "principal" or
    "mirror".
    """

    action: str
    on: str
    value: str = ""


@dataclass(frozen=True, kw_only=True)
class MirrorPlan:
    principal: Side
    mirror: Side
    steps: tuple[Step, ...] = field(default=())


def plan_mirror(local: Side, remote: Side, wanted: Wanted) -> MirrorPlan:
    """What leads from what is to what is wanted. Raises RecoveryError where nobody may decide that for the admin."""
    principal, mirror = _roles(local, remote, wanted)
    _check_can(principal, mirror, wanted)
    steps: list[Step] = []
    if not same_session(principal, mirror):
        _refuse_obstacles(principal, wanted.database)
        _refuse_to_replace(principal, mirror, wanted.database)
        steps += [Step("end", "principal")] if principal.mirrored else []
        steps += [Step("end", "mirror")] if mirror.mirrored else []
        steps += [
            Step("seed", "mirror"),
            Step("partner", "mirror", principal.address),
            Step("partner", "principal", mirror.address),
        ]
        now = Side(
            server=principal.server, address=principal.address, safety="FULL", timeout=10, session="SYNCHRONIZED"
        )
    else:
        now = principal
        if now.session == "SUSPENDED" and wanted.running:
            refuse_to_drop(principal, mirror, database=wanted.database)
    return MirrorPlan(principal=principal, mirror=mirror, steps=(*steps, *_settings(now, wanted)))


_OBSTACLES = {
    "auto_close": (
        1469,
        "closes itself when nobody uses it (AUTO_CLOSE)",
        "Switch that off: ALTER DATABASE ... SET AUTO_CLOSE OFF",
    ),
    "read_only": (1466, "is read-only", "Let it be written to: ALTER DATABASE ... SET READ_WRITE"),
    "single_user": (1488, "is in single-user mode", "Open it to all: ALTER DATABASE ... SET MULTI_USER"),
    "accelerated_recovery": (
        1484,
        "has accelerated database recovery",
        "Switch that off: ALTER DATABASE ... SET ACCELERATED_DATABASE_RECOVERY = OFF",
    ),
    "ledger": (1493, "is a ledger database", "Nothing can be done: protect it by backups, or by an availability group"),
}
"""Setting -> the error that SET PARTNER on the principal would end with, what the setting is, what helps."""


def _refuse_obstacles(principal: Side, database: str) -> None:
    """What SET PARTNER would refuse after the whole database was backed up, copied and restored."""
    for setting, (number, reason, advice) in _OBSTACLES.items():
        if setting in principal.obstacles:
            raise RecoveryError(
                f"{database} on {principal.server} {reason}, and mirroring cannot have that (error {number})",
                advice=advice,
                code="unsupported",
            )


def _refuse_to_replace(principal: Side, mirror: Side, database: str) -> None:
    """A copy that only waits for log may be made anew. One that is OFFLINE or SUSPECT is a database that somebody
    worked with, and may be newer.
    """
    if mirror.state not in ("", "RESTORING"):
        raise RecoveryError(
            f"{database} on {mirror.server} is {mirror.state}, and the mirror of {principal.server} would be put in "
            f"its place: it may hold what {principal.server} does not",
            code="would_lose_data",
            advice="Save what is in it, or remove it with sql_database (state absent, allow_data_loss) if it may "
            "go, then run again",
        )


def _settings(now: Side, wanted: Wanted) -> list[Step]:
    """In an order in which each is possible: a witness needs a mirror that is caught up, and safety OFF should have
    none.
    """
    steps = []
    if wanted.running and now.session == "SUSPENDED":
        steps.append(Step("resume", "principal"))
    if wanted.timeout is not None and now.timeout != shortest_timeout(wanted.timeout):
        steps.append(Step("timeout", "principal", str(wanted.timeout)))
    if wanted.witness == "" and now.witness:
        steps.append(Step("witness", "principal", ""))
    if wanted.safety is not None and now.safety != wanted.safety:
        steps.append(Step("safety", "principal", wanted.safety))
    if wanted.witness and (now.witness.lower() != wanted.witness.lower()):
        steps.append(Step("witness", "principal", wanted.witness))
    if not wanted.running and now.session != "SUSPENDED":
        steps.append(Step("suspend", "principal"))
    return steps


def shortest_timeout(seconds: int) -> int:
    """SQL Server makes five of everything below five."""
    return max(5, seconds)


def _roles(local: Side, remote: Side, wanted: Wanted) -> tuple[Side, Side]:
    """(principal, mirror) as they are or are to be."""
    sides = (local, remote)
    in_role = [side for side in sides if side.role == PRINCIPAL]
    if len(in_role) == 2 and same_session(local, remote):
        raise two_principals(local, remote, wanted.database)
    for side, other in ((local, remote), (remote, local)):
        if side.role == PRINCIPAL and other.role == MIRROR and same_session(side, other):
            return side, other
    for side, other in ((local, remote), (remote, local)):
        if side.mirrored and side.partner.lower() != other.address.lower():
            raise RecoveryError(
                f"{wanted.database} on {side.server} is mirrored with {side.partner} already, not with {other.address}",
                code="wrong_state",
                advice="A database has one mirror: end that session first (sql_mirror with 'state: absent'), or "
                "correct the addresses",
            )
    for side, other in ((local, remote), (remote, local)):
        if side.role == PRINCIPAL and not other.mirrored and other.state in ("", "RESTORING"):
            return side, other  # what was the mirror is gone, or was made anew
    if any(side.mirrored for side in sides):
        lonely = local if local.mirrored else remote
        raise RecoveryError(
            f"{wanted.database} on {lonely.server} is the {lonely.role.lower()} of a session of which the other "
            "server knows nothing",
            code="wrong_state",
            advice="If that server was lost, make this one principal with sql_mirror_failover; else end the session "
            "with 'state: absent'",
        )
    online = [side for side in sides if side.state == "ONLINE"]
    if len(online) == 1:
        principal = online[0]
        return principal, remote if principal is local else local
    if len(online) == 2:
        raise RecoveryError(
            f"{wanted.database} is ONLINE on both {local.server} and {remote.server}",
            code="two_principals",
            advice="One of them would be overwritten. Remove the one that may go with sql_database (state absent, "
            "allow_data_loss), then run again",
        )
    raise RecoveryError(
        f"{wanted.database} is ONLINE on neither server ({local.server}: {local.state or 'not there'}, "
        f"{remote.server}: {remote.state or 'not there'})",
        code="wrong_state",
        advice="Bring it back on one of them first, with sql_restore",
    )


def _check_can(principal: Side, mirror: Side, wanted: Wanted) -> None:
    """What the servers would refuse, said before anything is changed."""
    for side in (principal, mirror):
        if side.edition.startswith(WITNESS_ONLY):
            raise RecoveryError(
                f"SQL Server on {side.server} is an {side.edition}, which can be a witness only",
                code="unsupported",
                advice="Partners need Standard or Enterprise",
            )
        if side.endpoint != "STARTED" or side.endpoint_role not in ("PARTNER", "ALL"):
            state = f"is {side.endpoint} in the role {side.endpoint_role}" if side.endpoint else "is not there"
            raise RecoveryError(
                f"The mirroring endpoint on {side.server} {state}",
                code="wrong_state",
                advice="Set it up with sql_endpoint (started, role ALL)",
            )
    for side in (principal, mirror):
        if wanted.safety == "OFF" and not side.edition.startswith(ASYNCHRONOUS):
            raise RecoveryError(
                f"SQL Server on {side.server} is a {side.edition}, which mirrors synchronously only",
                code="unsupported",
                advice="Set 'safety: FULL', or use Enterprise on both",
            )
    if wanted.witness and (wanted.safety or principal.safety) == "OFF":
        raise RecoveryError(
            f"A witness for {wanted.database} with safety OFF would only take the database away when two of the "
            "three servers are lost",
            code="option_invalid",
            advice="Leave out the witness, or set 'safety: FULL' for automatic failover",
        )
    if principal.recovery_model != "FULL":
        raise RecoveryError(
            f"{wanted.database} on {principal.server} has the {principal.recovery_model} recovery model, mirroring "
            "needs FULL",
            code="wrong_state",
            advice="Set it with sql_database, and take a full backup afterwards",
        )


def plan_removal(local: Side, remote: Side) -> list[tuple[Side, Step]]:
    """On which servers the session has to be ended: once where they know of each other, else on each that has one."""
    if same_session(local, remote) and local.session != "DISCONNECTED":
        principal = local if local.role == PRINCIPAL else remote
        return [(principal, Step("end", "principal"))]
    return [(side, Step("end", side.role.lower())) for side in (local, remote) if side.mirrored]
