# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Selects the recovery set to restore, and the backups of the database that lead to a moment."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..backup.backup_set import BackupKind
from ..errors import RecoveryError
from ..times import parse_stored_time, to_text
from .branches import Branch, Lineage
from .chain import chain_of
from .recovery_set import RecoverySet

__all__ = ["Choice", "by_label", "choose"]

MOST_NOTES = 4
_NO_SET = "Run backup_prs, which makes one; to restore the newest files without a set: -e prs_restore_set=none"


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What to restore. files: backups of the database, target: how far, as sql_restore takes it. notes: what the person
    who restores should know.
    """

    set: RecoverySet
    files: tuple[str, ...]
    target: str = "latest"
    notes: tuple[str, ...] = ()


def by_label(labels: Sequence[str], wanted: str) -> str:
    """A label as it is written. labels: newest first. Raises RecoveryError that names the near ones."""
    for label in labels:
        if label.lower() == wanted.lower():
            return label
    near = difflib.get_close_matches(wanted, labels, n=3, cutoff=0.7) or list(labels[:5])
    raise RecoveryError(
        f"There is no recovery set '{wanted}'",
        code="no_recovery_set",
        advice=f"There are {', '.join(near)}" if near else "There is none at all",
    )


def choose(
    sets: Iterable[RecoverySet],
    *,
    until: dt.datetime | None = None,
    healthy: bool = True,
    lineage: Lineage | None = None,
) -> Choice:
    """The newest healthy set, or what leads to a moment. Sets come newest first and are asked for only as far as is
    needed.

    until: the database goes to that very moment where a log backup reaches it, and the archive is the newest healthy
    one from before it. healthy: False takes the newest one, whatever it is. lineage: sets of a database that was
    replaced are passed over, and while more than one database lives nothing is chosen.
    """
    lineage = lineage or Lineage()
    lineage.refuse_rivals()
    passed: list[RecoverySet] = []
    later: list[RecoverySet] = []
    replaced: list[str] = []
    for recovery_set in sets:
        lineage = lineage.after(recovery_set)
        lineage.refuse_rivals()
        branch = lineage.replaced_by(recovery_set)
        if branch:
            replaced.append(_why_replaced(recovery_set, branch))
        elif until is not None and recovery_set.recovery_point > until:
            later.append(recovery_set)
        elif recovery_set.chain and (recovery_set.healthy or not healthy):
            return _with_notes(_choice(recovery_set, until=until, later=later, passed=passed), replaced)
        else:
            passed.append(recovery_set)
    usable = [recovery_set for recovery_set in passed if recovery_set.chain]
    if not usable:
        when = f" from before {to_text(until)}" if until else ""
        # Newest first, so the last of them is where the known past begins.
        begins = (
            f"The oldest is {later[-1].label}, whose data are of {to_text(later[-1].recovery_point)}"
            if later and not passed
            else ""
        )
        raise RecoveryError(
            f"There is no recovery set{when} that can be restored by itself",
            code="no_recovery_set",
            advice=begins or _NO_SET,
            passed=_named(passed),
            replaced=replaced,
        )
    note = (
        f"no set is healthy, so this is the newest one that can be restored ({'; '.join(usable[0].values['problems'])})"
    )
    chosen = _choice(usable[0], until=until, later=later, passed=[])
    return _with_notes(chosen, [note, *replaced])


def _with_notes(choice: Choice, notes: Sequence[str]) -> Choice:
    return replace(choice, notes=(*notes[:MOST_NOTES], *choice.notes))


def _why_replaced(recovery_set: RecoverySet, branch: Branch) -> str:
    return (
        f"not taken because the database that it is of was replaced by {branch.sentence}: {recovery_set.label} "
        f"({to_text(recovery_set.recovery_point)})"
    )


def _choice(
    recovery_set: RecoverySet, *, until: dt.datetime | None, later: Sequence[RecoverySet], passed: Sequence[RecoverySet]
) -> Choice:
    """later: sets from after the moment. passed: newer ones that were not taken."""
    notes = [
        (
            f"newer, but not taken because {'; '.join(other.values['problems'])}: {other.label} "
            f"({to_text(other.recovery_point)})"
        )
        for other in passed[:3]
    ]
    chain, target = recovery_set.chain, "latest"
    if until is not None and recovery_set.recovery_point < until:
        beyond = _chain_beyond(until, [recovery_set, *passed, *later])
        if beyond:
            chain, target = beyond, until.isoformat()
        else:
            notes.append(
                f"no log backup reaches {to_text(until)}, so the database goes back to "
                f"{to_text(recovery_set.recovery_point)}"
            )
    return Choice(
        set=recovery_set,
        files=tuple(path for link in chain for path in link["files"]),
        target=target,
        notes=tuple(notes),
    )


def _chain_beyond(until: dt.datetime, sets: Iterable[RecoverySet]) -> list[dict[str, Any]]:
    """The backups that lead to the first log which was begun after a moment, over no full or differential one from
    after it; else empty.

    One that was begun before and ended after it need not hold the moment: what it reads last was written when it began.
    """
    links = {link["set_guid"]: link for recovery_set in sets for link in recovery_set.chain}.values()
    logs = [
        link
        for link in links
        if link["kind"] == BackupKind.LOG and parse_stored_time(link.get("started_at") or link["finished_at"]) > until
    ]
    before = [
        link for link in links if link["kind"] == BackupKind.LOG or parse_stored_time(link["finished_at"]) <= until
    ]
    first = min(logs, key=lambda link: (parse_stored_time(link["finished_at"]), link["last_lsn"]), default=None)
    return chain_of(first, before) if first else []


def _named(sets: Iterable[RecoverySet]) -> list[dict[str, Any]]:
    return [{"label": recovery_set.label, "problems": list(recovery_set.values["problems"])} for recovery_set in sets]
