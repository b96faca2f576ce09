# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mirroring session as its two servers see it: its identity, its health, and what a failover of it may lose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..errors import RecoveryError

__all__ = [
    "MIRROR",
    "PRINCIPAL",
    "Side",
    "health",
    "holds_more",
    "may_be_lost",
    "refuse_to_drop",
    "same_session",
    "two_principals",
    "what_may_be_lost",
]

PRINCIPAL, MIRROR = "PRINCIPAL", "MIRROR"


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
    obstacles: frozenset[str] = frozenset()
    """What of the database's settings keeps it from being mirrored: auto_close, read_only, single_user,
    accelerated_recovery, ledger. Read for a new session only.
    """

    @property
    def mirrored(self) -> bool:
        return bool(self.guid)


def same_session(side: Side, other: Side) -> bool:
    return side.mirrored and side.guid == other.guid


def holds_more(principal: Side, mirror: Side) -> bool:
    """Whether the mirror, which was principal until service was forced, has log that the new principal never got."""
    return (mirror.end_of_log_lsn or 0) > (principal.failover_lsn or 0)


def refuse_to_drop(principal: Side, mirror: Side, *, database: str) -> None:
    """Raises RecoveryError where a suspended session would drop that log when it goes on."""
    if holds_more(principal, mirror):
        raise RecoveryError(
            f"{mirror.server} holds commits of {database} that {principal.server} never got (its log ends at "
            f"{mirror.end_of_log_lsn}, both have it up to {principal.failover_lsn}); resuming drops them",
            code="would_lose_data",
            advice=f"If they may go, run sql_mirror_failover on {principal.server} with 'rejoin: true' and "
            "'allow_data_loss: true'; to save them end mirroring "
            f"on {mirror.server} (SET PARTNER OFF) and recover that copy",
        )


def two_principals(local: Side, remote: Side, database: str) -> RecoveryError:
    return RecoveryError(
        f"Both {local.server} and {remote.server} are principal of {database}: service was forced while they could "
        "not reach each other",
        code="two_principals",
        advice="Let them reach each other again. The one where service was forced stays principal; then run "
        "sql_mirror_failover there with 'rejoin: true'",
    )


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
    sentences = [problems.get(session, f"the session is {session}")]
    if witness and witness_state != "CONNECTED":
        sentences.append("the witness is not reached: when one more server is lost, the database is served by nobody")
    return [problem for problem in sentences if problem]


def what_may_be_lost(local: Side) -> str:
    """In words, for the one who has to say yes."""
    mode = (
        "Mirroring was synchronous: only what was committed while the mirror was not in step"
        if local.safety == "FULL"
        else ("Mirroring was asynchronous: what was committed last")
    )
    return f"{mode} may be lost, all that lies after LSN {local.failover_lsn}"


def may_be_lost(local: Side) -> dict[str, Any]:
    """The same for a report. after_lsn: the mirror has everything before it."""
    return {"after_lsn": local.failover_lsn, "safety": local.safety, "reason": what_may_be_lost(local)}
