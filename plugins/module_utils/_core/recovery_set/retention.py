# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which recovery sets a retention lets go, and with them the files that no set which stays needs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ..backup.backup_set import BackupKind
from ..errors import RecoveryError
from .recovery_set import RecoverySet

__all__ = ["RULES", "Surplus", "surplus"]

RULES = ("last", "age", "days", "weeks", "months", "years")
"""What a retention may say, as sql_backup's does."""

_PERIODS: dict[str, Callable[[dt.datetime], tuple[int, ...]]] = {
    "days": lambda when: (when.year, when.month, when.day),
    "weeks": lambda when: tuple(when.isocalendar()[:2]),
    "months": lambda when: (when.year, when.month),
    "years": lambda when: (when.year,),
}


@dataclass(frozen=True, kw_only=True)
class Surplus:
    """What may go: labels of sets, oldest first, and the files that no set which stays needs."""

    labels: tuple[str, ...] = ()
    database: tuple[str, ...] = ()
    application: tuple[str, ...] = ()


def surplus(sets: Iterable[RecoverySet], rules: Mapping[str, int | None], *, now: dt.datetime) -> Surplus:
    """What no rule keeps (the rules of sql_backup's retention; none keeps everything).

    The newest set stays, and the newest healthy one, whatever the rules say; and no file goes that a set which stays
    names. now: a set that is dated later was taken while a clock was ahead. It stays, and counts for no rule: beside it
    all that is taken now would be surplus at once.
    """
    wrong = [rule for rule, number in rules.items() if number is not None and number < 1]
    if wrong:
        raise RecoveryError(
            f"The retention says {wrong[0]}: {rules[wrong[0]]}, which keeps nothing",
            advice="Give a number of at least 1, or leave the rule out",
        )
    ordered = sorted(sets, key=lambda one: (one.taken_at, one.label))
    given = {rule: number for rule, number in rules.items() if number}
    if not given or not ordered:
        return Surplus()
    dated = [one for one in ordered if one.taken_at <= now]
    kept = {one.label for one in ordered if one.taken_at > now}
    kept |= {one.label for one in (*dated[-1:], *[one for one in dated if one.healthy][-1:])}
    fulls = [one for one in dated if one.kind == BackupKind.FULL]
    if "last" in given and fulls:
        begin = fulls[-given["last"] :][0].taken_at
        kept |= {one.label for one in ordered if one.taken_at >= begin}
    if "age" in given:
        begin = now - dt.timedelta(days=given["age"])
        # To go back to its first moments, what came before is needed too; the logs in between as well, for no chain
        # names them all.
        begin = max((one.taken_at for one in ordered if one.taken_at < begin and not one.kind.is_log), default=begin)
        kept |= {one.label for one in ordered if one.taken_at >= begin}
    for rule, period in _PERIODS.items():
        last = {period(one.taken_at.astimezone(dt.timezone.utc)): one.label for one in fulls}
        kept |= {last[key] for key in sorted(last, reverse=True)[: given.get(rule, 0)]}
    staying = [one for one in ordered if one.label in kept]
    leaving = [one for one in ordered if one.label not in kept]

    def only(files: Callable[[RecoverySet], list[str]]) -> tuple[str, ...]:
        needed = {path.lower() for one in staying for path in files(one)}
        return tuple(dict.fromkeys(path for one in leaving for path in files(one) if path.lower() not in needed))

    return Surplus(
        labels=tuple(one.label for one in leaving),
        database=only(lambda one: one.database_files),
        application=only(lambda one: one.application_files),
    )
