# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which recovery sets a retention lets go, and with them the files that no set which stays needs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..retention_rules import Rules, kept
from .recovery_set import RecoverySet

__all__ = ["Surplus", "surplus"]


@dataclass(frozen=True, kw_only=True)
class Surplus:
    """What may go: labels of sets, oldest first, and the files that no set which stays needs."""

    labels: tuple[str, ...] = ()
    database: tuple[str, ...] = ()
    application: tuple[str, ...] = ()


def surplus(sets: Iterable[RecoverySet], rules: Rules, *, now: dt.datetime) -> Surplus:
    """What no rule keeps.

    The newest set stays, and the newest healthy one, whatever the rules say; and no file goes that a set which stays
    names. For an age the logs in between stay as well, for no chain names them all.
    """
    ordered = sorted(sets, key=lambda recovery_set: (recovery_set.taken_at, recovery_set.label))
    dated = [recovery_set for recovery_set in ordered if recovery_set.taken_at <= now]
    healthy = [recovery_set for recovery_set in dated if recovery_set.healthy]
    by_rule = kept(
        ordered,
        rules,
        now=now,
        when=lambda recovery_set: recovery_set.taken_at,
        is_full=lambda recovery_set: recovery_set.kind.begins_chain,
        is_data=lambda recovery_set: not recovery_set.kind.is_log,
    )
    labels = {recovery_set.label for recovery_set in (*dated[-1:], *healthy[-1:], *(entry.item for entry in by_rule))}
    staying = [recovery_set for recovery_set in ordered if recovery_set.label in labels]
    leaving = [recovery_set for recovery_set in ordered if recovery_set.label not in labels]

    def only(files: Callable[[RecoverySet], list[str]]) -> tuple[str, ...]:
        needed = {path.lower() for recovery_set in staying for path in files(recovery_set)}
        return tuple(
            dict.fromkeys(
                path for recovery_set in leaving for path in files(recovery_set) if path.lower() not in needed
            )
        )

    return Surplus(
        labels=tuple(recovery_set.label for recovery_set in leaving),
        database=only(lambda recovery_set: recovery_set.database_files),
        application=only(lambda recovery_set: recovery_set.application_files),
    )
