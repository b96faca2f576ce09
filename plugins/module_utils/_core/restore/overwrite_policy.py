# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a restore may touch the database that is there: decided once, before anything is done.

The rule behind all of it: a healthy database is never overwritten without an explicit yes, and a database is known by
its family (the GUID that survives restores), not by its name. One that nobody knows is not overwritten on the strength
of its name either.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Decision", "decide"]

RESTORE, UNCHANGED, REFUSE = "restore", "unchanged", "refuse"

BROKEN = ("SUSPECT", "RECOVERY_PENDING", "EMERGENCY")
"""States in which nobody can work with a database any more."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """action: restore, unchanged or refuse. replace: whether RESTORE needs REPLACE. end_mirroring: whether it has to
    leave its session first. tail: whether the log has a tail worth saving, and `tail_required` whether it must be
    saved. proof_needed: nothing tells whose database it is but the header of that tail, so it must be saved and be of
    the same family. reason: one sentence; advice: the next thing to do when refused.
    """

    action: str
    reason: str
    advice: str = ""
    replace: bool = False
    end_mirroring: bool = False
    tail: bool = False
    tail_required: bool = False
    proof_needed: bool = False


def decide(
    *,
    state: str | None,
    family_guid: str,
    mirroring_role: str,
    recovery_model: str,
    backup_family_guid: str,
    policy: str,
    resumes: bool = False,
    holds_data: bool = True,
    tail_wanted: bool = True,
    opens: bool = True,
) -> Decision:
    """state: of sys.databases, None without a database of that name. family_guid: empty where neither the server nor
    its msdb tells. mirroring_role: PRINCIPAL, MIRROR, or empty without a session. policy: never, damaged or always.
    resumes: the plan goes on with a restore that was interrupted. holds_data: False for one that is RESTORING and whose
    first backup never came to its end. tail_wanted: the tail of the log may be saved. opens: it shall be open
    afterwards, and not wait for more logs.
    """
    if state is None:
        return Decision(action=RESTORE, reason="there is no database of that name")
    if mirroring_role and not (mirroring_role == "PRINCIPAL" and state == "ONLINE"):
        return _of_a_session(mirroring_role, state)
    logged = recovery_model != "SIMPLE"
    if policy == "always":
        return _overwritten(state, mirroring_role, logged=logged)
    if family_guid and backup_family_guid and family_guid != backup_family_guid:
        return Decision(
            action=REFUSE,
            reason=f"it is {state} and another database than the one in the backups (family {family_guid}, the "
            f"backups have {backup_family_guid})",
            advice="Restore under another name, or set 'replace: always' if the database that is there may be lost",
        )
    if state in ("ONLINE", "RECOVERING", "OFFLINE"):
        return _of_a_living_one(state, known=bool(family_guid), opens=opens)
    if policy == "never" and not (state == "RESTORING" and resumes):
        return Decision(
            action=REFUSE, reason=f"it is {state}", advice="Set 'replace: damaged' to restore over what is left of it"
        )
    known = bool(family_guid) or not holds_data
    return _of_a_broken_one(state, known=known, tail=logged and state in BROKEN, tail_wanted=tail_wanted)


def _overwritten(state: str, mirroring_role: str, *, logged: bool) -> Decision:
    """Whatever it is, since somebody said that it may be lost."""
    online = state == "ONLINE"
    return Decision(
        action=RESTORE,
        reason=f"it is {state}, and 'replace: always' allows to overwrite it"
        + (" and to end its mirroring" if mirroring_role else ""),
        replace=True,
        end_mirroring=bool(mirroring_role),
        tail=logged and (online or state in BROKEN),
        tail_required=logged and online,
    )


def _of_a_living_one(state: str, *, known: bool, opens: bool) -> Decision:
    """known: whether anything tells whose it is. opens: it may stay open."""
    if state == "RECOVERING":
        reason = "the server is recovering it right now"
        return Decision(action=REFUSE, reason=reason, advice="Wait until it is ONLINE or SUSPECT, then run again")
    if state == "OFFLINE":
        advice = "Set 'open_offline: true' to open it first, or 'replace: always' if it may be lost"
        return Decision(action=REFUSE, reason="it was set offline, which says nothing about its health", advice=advice)
    if not opens:
        reason = "it is open, so somebody may have worked in it, and no further log can follow"
        return Decision(action=REFUSE, reason=reason, advice="Set 'replace: always' if what is in it may be lost")
    if known:
        return Decision(action=UNCHANGED, reason="it is healthy and the same database as the one in the backups")
    return Decision(
        action=REFUSE,
        reason="it is healthy, and nothing tells this login whether it is the one in the backups",
        advice="Use a login with VIEW ANY DEFINITION, or set 'replace: always' if the database that is there may be "
        "lost",
    )


def _of_a_broken_one(state: str, *, known: bool, tail: bool, tail_wanted: bool) -> Decision:
    """known: something tells whose it is, or nothing is in it. tail: its log has one worth saving."""
    reason = "a restore of it was interrupted" if state == "RESTORING" else f"it is {state}"
    if known:
        return Decision(action=RESTORE, reason=reason, replace=True, tail=tail)
    if tail and tail_wanted:
        return Decision(
            action=RESTORE,
            reason=f"{reason}; whose it is, the tail of its log has to tell",
            replace=True,
            tail=True,
            proof_needed=True,
        )
    return Decision(
        action=REFUSE,
        reason=f"it is {state}, and nothing tells whether it is the one in the backups: msdb knows neither a backup "
        "nor a restore of it",
        advice="Restore under another name, or set 'replace: always' if the database that is there may be lost",
    )


def _of_a_session(role: str, state: str) -> Decision:
    """One that a session keeps from being restored: the partner has what is newer than any backup, or the server does
    not know yet who serves.
    """
    reason = (
        f"it is {state}, the {role.lower()} of a mirroring session, and its partner may hold what is newer "
        "than any backup"
    )
    advice = (
        "Restore on the principal: failover_prs shows which one it is and can make this one it. To restore here and "
        "give up what the partner holds, end the session first: ALTER DATABASE ... SET PARTNER OFF here"
        if role == "MIRROR"
        else "Let the partner serve (failover_prs for the other site, or sql_mirror_failover), then mirror back to "
        "here (mirror_prs). If the partner is "
        "lost as well, end the session (ALTER DATABASE ... SET PARTNER OFF here) and run this again"
    )
    return Decision(action=REFUSE, reason=reason, advice=advice)
