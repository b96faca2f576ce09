# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mirroring decided: who is the principal, what has to be done, and by which road the other one becomes it. Pure: facts
in, steps out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..errors import RecoveryError

__all__ = [
    "MIRROR",
    "ONCE_MORE",
    "PRINCIPAL",
    "FailoverRoute",
    "MirrorPlan",
    "Side",
    "Step",
    "Wanted",
    "health",
    "may_be_lost",
    "plan_failover",
    "plan_mirror",
    "plan_removal",
]

PRINCIPAL, MIRROR = "PRINCIPAL", "MIRROR"
ASYNCHRONOUS = ("Enterprise", "Developer", "Evaluation")
"""Editions, by the first word of their name, that may set safety OFF."""
WITNESS_ONLY = ("Express", "Web")
ONCE_MORE = (1408, 1412, 1478)
"""Errors of SET PARTNER on the principal that mean: log backups came in between, restore them, and try again."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """What one server says of the database.

    server: how messages name it. address: TCP://host:port, by which the others reach its endpoint. state: of the
    database, "" when there is none. role, session (the mirroring state), guid and what follows are of the session,
    empty without one. endpoint: its state, "" without one.
    """

    server: str
    address: str
    edition: str = ""
    state: str = ""
    recovery_model: str = ""
    family: str | None = None
    endpoint: str = ""
    endpoint_role: str = ""
    role: str = ""
    session: str = ""
    guid: str = ""
    partner: str = ""
    witness: str = ""
    witness_state: str = ""
    safety: str = ""
    timeout: int | None = None
    role_sequence: int = 0
    failover_lsn: int | None = None
    end_of_log_lsn: int | None = None

    @property
    def mirrored(self) -> bool:
        return bool(self.guid)


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


def same_session(one: Side, other: Side) -> bool:
    return one.mirrored and one.guid == other.guid


def holds_more(principal: Side, mirror: Side) -> bool:
    """Whether the mirror, which was principal until service was forced, has log that the new principal never got."""
    return (mirror.end_of_log_lsn or 0) > (principal.failover_lsn or 0)


def refuse_to_drop(principal: Side, mirror: Side, *, database: str) -> None:
    """Raises RecoveryError where a suspended session would drop that log when it goes on."""
    if holds_more(principal, mirror):
        raise RecoveryError(
            f"{mirror.server} holds commits of {database} that {principal.server} never got (its log ends at "
            f"{mirror.end_of_log_lsn}, "
            f"both have it up to {principal.failover_lsn}); resuming drops them",
            advice=f"If they may go, run sql_mirror_failover on {principal.server} with 'rejoin: true' and "
            "'allow_data_loss: true'; to save them end mirroring "
            f"on {mirror.server} (SET PARTNER OFF) and recover that copy",
        )


def shortest_timeout(seconds: int) -> int:
    """SQL Server makes five of everything below five."""
    return max(5, seconds)


# ---- a session as it is wanted


def plan_mirror(here: Side, there: Side, wanted: Wanted) -> MirrorPlan:
    """What leads from what is to what is wanted. Raises RecoveryError where nobody may decide that for the admin."""
    principal, mirror = _roles(here, there, wanted)
    _check_can(principal, mirror, wanted)
    steps: list[Step] = []
    if not same_session(principal, mirror):
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


def _refuse_to_replace(principal: Side, mirror: Side, database: str) -> None:
    """A copy that only waits for log may be made anew. One that is OFFLINE or SUSPECT is a database that somebody
    worked with, and may be newer.
    """
    if mirror.state not in ("", "RESTORING"):
        raise RecoveryError(
            f"{database} on {mirror.server} is {mirror.state}, and the mirror of {principal.server} would be put in "
            "its place: it may hold what "
            f"{principal.server} does not",
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


def _roles(here: Side, there: Side, wanted: Wanted) -> tuple[Side, Side]:
    """(principal, mirror) as they are or are to be."""
    sides = (here, there)
    in_role = [one for one in sides if one.role == PRINCIPAL]
    if len(in_role) == 2 and same_session(here, there):
        raise _two_principals(here, there, wanted.database)
    for one, other in ((here, there), (there, here)):
        if one.role == PRINCIPAL and other.role == MIRROR and same_session(one, other):
            return one, other
    for one, other in ((here, there), (there, here)):
        if one.mirrored and one.partner.lower() != other.address.lower():
            raise RecoveryError(
                f"{wanted.database} on {one.server} is mirrored with {one.partner} already, not with {other.address}",
                advice="A database has one mirror: end that session first (sql_mirror with 'state: absent'), or "
                "correct the addresses",
            )
    for one, other in ((here, there), (there, here)):
        if one.role == PRINCIPAL and not other.mirrored and other.state in ("", "RESTORING"):
            return one, other  # what was the mirror is gone, or was made anew
    if any(one.mirrored for one in sides):
        lonely = here if here.mirrored else there
        raise RecoveryError(
            f"{wanted.database} on {lonely.server} is the {lonely.role.lower()} of a session of which the other "
            "server knows nothing",
            advice="If that server was lost, make this one principal with sql_mirror_failover; else end the session "
            "with 'state: absent'",
        )
    online = [one for one in sides if one.state == "ONLINE"]
    if len(online) == 1:
        principal = online[0]
        return principal, there if principal is here else here
    if len(online) == 2:
        raise RecoveryError(
            f"{wanted.database} is ONLINE on both {here.server} and {there.server}",
            advice="One of them would be overwritten. Remove the one that may go with sql_database (state absent, "
            "allow_data_loss), then run again",
        )
    raise RecoveryError(
        f"{wanted.database} is ONLINE on neither server ({here.server}: {here.state or 'not there'}, "
        f"{there.server}: {there.state or 'not there'})",
        advice="Bring it back on one of them first, with sql_restore",
    )


def _two_principals(here: Side, there: Side, database: str) -> RecoveryError:
    return RecoveryError(
        f"Both {here.server} and {there.server} are principal of {database}: service was forced while they could "
        "not reach each other",
        advice="Let them reach each other again. The one where service was forced stays principal; then run "
        "sql_mirror_failover there with 'rejoin: true'",
    )


def _check_can(principal: Side, mirror: Side, wanted: Wanted) -> None:
    """What the servers would refuse, said before anything is changed."""
    for one in (principal, mirror):
        if one.edition.startswith(WITNESS_ONLY):
            raise RecoveryError(
                f"SQL Server on {one.server} is an {one.edition}, which can be a witness only",
                advice="Partners need Standard or Enterprise",
            )
        if one.endpoint != "STARTED" or one.endpoint_role not in ("PARTNER", "ALL"):
            state = f"is {one.endpoint} in the role {one.endpoint_role}" if one.endpoint else "is not there"
            raise RecoveryError(
                f"The mirroring endpoint on {one.server} {state}",
                advice="Set it up with sql_endpoint (started, role ALL)",
            )
    for one in (principal, mirror):
        if wanted.safety == "OFF" and not one.edition.startswith(ASYNCHRONOUS):
            raise RecoveryError(
                f"SQL Server on {one.server} is a {one.edition}, which mirrors synchronously only",
                advice="Set 'safety: FULL', or use Enterprise on both",
            )
    if wanted.witness and (wanted.safety or principal.safety) == "OFF":
        raise RecoveryError(
            f"A witness for {wanted.database} with safety OFF would only take the database away when two of the "
            "three servers are lost",
            advice="Leave out the witness, or set 'safety: FULL' for automatic failover",
        )
    if principal.recovery_model != "FULL":
        raise RecoveryError(
            f"{wanted.database} on {principal.server} has the {principal.recovery_model} recovery model, mirroring "
            "needs FULL",
            advice="Set it with sql_database, and take a full backup afterwards",
        )


def plan_removal(here: Side, there: Side) -> list[tuple[Side, Step]]:
    """On which servers the session has to be ended: once where they know of each other, else on each that has one."""
    if same_session(here, there) and here.session != "DISCONNECTED":
        principal = here if here.role == PRINCIPAL else there
        return [(principal, Step("end", "principal"))]
    return [(one, Step("end", one.role.lower())) for one in (here, there) if one.mirrored]


# ---- a change of roles


@dataclass(frozen=True, kw_only=True)
class FailoverRoute:
    """How `here` becomes principal. way: stays, resume, manual, through_safety, wait, force. may_lose: whether commits
    may be lost on it.
    """

    way: str
    reason: str
    may_lose: bool = False


_WITHOUT_QUORUM = (
    "If that is lost for good, end mirroring here (sql_mirror with 'state: absent') and recover the "
    "database (RESTORE DATABASE ... WITH RECOVERY)"
)


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
        raise _two_principals(here, there, database)
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


def what_may_be_lost(here: Side) -> str:
    """In words, for the one who has to say yes."""
    mode = (
        "Mirroring was synchronous: only what was committed while the mirror was not in step"
        if here.safety == "FULL"
        else ("Mirroring was asynchronous: what was committed last")
    )
    return f"{mode} may be lost, all that lies after LSN {here.failover_lsn}"


def health(role: str, session: str, safety: str, witness: str, witness_state: str) -> list[str]:
    """What is wrong with a session, in words; empty when it protects as it should."""
    problems = {
        "SUSPENDED": "mirroring is suspended: the principal runs alone, and its log grows",
        "DISCONNECTED": "the partners do not reach each other: the principal runs alone"
        if role == PRINCIPAL
        else "the principal is not reached",
        "SYNCHRONIZING": "" if safety == "OFF" else "the mirror is behind and catching up",
        "PENDING_FAILOVER": "the partners are changing their roles",
        "SYNCHRONIZED": "",
    }
    found = [problems.get(session, f"the session is {session}")]
    if witness and witness_state != "CONNECTED":
        found.append("the witness is not reached: when one more server is lost, the database is served by nobody")
    return [problem for problem in found if problem]


def may_be_lost(here: Side) -> dict[str, Any]:
    """The same for a report. after_lsn: the mirror has everything before it."""
    return {"after_lsn": here.failover_lsn, "safety": here.safety, "reason": what_may_be_lost(here)}
