# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of a retention, the same for backups, recovery sets and archives.

Every rule only adds to what is kept. Whatever has reasons of its own to stay (the newest, what is needed by what stays)
is kept by its caller. Days, weeks, months and years are those of UTC, everywhere.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from .errors import RecoveryError
from .text import age, counted

__all__ = ["PERIODS", "Kept", "Rules", "kept", "retention_argument_spec"]

Item = TypeVar("Item")

PERIODS: Mapping[str, Callable[[dt.datetime], tuple[int, ...]]] = {
    "days": lambda day: (day.year, day.month, day.day),
    "weeks": lambda day: tuple(day.isocalendar()[:2]),
    "months": lambda day: (day.year, day.month),
    "years": lambda day: (day.year,),
}
"""Rule of the calendar -> what tells one of its periods from the next."""

RULES = ("last", "age", *PERIODS)

MOST = 36500
"""A century of days; what is far longer leaves the calendar."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What to keep. Nothing given: everything.

    last: the newest so many full ones and all since the oldest of them. age: all that is needed to go back to any
    moment in that time. days, weeks, months, years: of so many that have one, the last full one.
    """

    last: int | None = None
    age: dt.timedelta | None = None
    days: int = 0
    weeks: int = 0
    months: int = 0
    years: int = 0

    @property
    def keeps_all(self) -> bool:
        return self == Rules()

    @classmethod
    def from_options(cls, options: Mapping[str, int | None] | None, *, option: str = "retention") -> Rules | None:
        """The rules of an option as a module gets it, age in days; None where it was not given.

        Raises RecoveryError for an option without a rule, and for numbers that keep nothing or leave the calendar.
        """
        if options is None:
            return None
        given = {rule: number for rule, number in options.items() if number is not None}
        if not given or min(given.values()) < 1:
            raise RecoveryError(
                f"'{option}' needs at least one rule, and each is at least 1",
                code="option_invalid",
                advice=f"Give one of {', '.join(RULES)}",
            )
        if max(given.values()) > MOST:
            raise RecoveryError(
                f"'{option}' keeps at most {MOST} of anything, or days",
                code="option_invalid",
                advice="Leave it out to keep everything",
            )
        days = given.pop("age", None)
        return cls(**given, age=None if days is None else dt.timedelta(days=days))


@dataclass(frozen=True, kw_only=True)
class Kept(Generic[Item]):
    """An item that stays, the first rule that keeps it, and why in words."""

    item: Item
    rule: str
    reason: str


def kept(
    items: Sequence[Item],
    rules: Rules,
    *,
    now: dt.datetime,
    when: Callable[[Item], dt.datetime],
    is_full: Callable[[Item], bool] = lambda item: True,
    is_data: Callable[[Item], bool] | None = None,
) -> list[Kept[Item]]:
    """What the rules keep of items that come oldest first; an item may be listed by several rules.

    when: aware. is_full: whether an item can be restored by itself; only those count for last and the calendar.
    is_data: whether a restore to a later moment can go on from it, by default is_full.
    An item dated later than now was made while a clock was ahead. It stays and counts for no rule: beside it all that
    is made now would seem old at once.
    """
    if rules.keeps_all:
        return [Kept(item=item, rule="everything", reason="no rule says that anything may go") for item in items]
    ahead = [item for item in items if when(item) > now]
    result = [Kept(item=item, rule="clock", reason="dated in the future: a clock was ahead") for item in ahead]
    dated = [item for item in items if when(item) <= now]
    result += _newest(dated, rules.last or 0, is_full)
    if rules.age is not None:
        result += _young(dated, rules.age, now=now, when=when, is_data=is_data or is_full)
    fulls = [item for item in dated if is_full(item)]
    for rule, period_of in PERIODS.items():
        last_of = {period_of(when(item).astimezone(dt.timezone.utc)): item for item in fulls}
        result += [
            Kept(item=last_of[period], rule=rule, reason=f"the last full one of its {rule[:-1]}")
            for period in sorted(last_of, reverse=True)[: getattr(rules, rule)]
        ]
    return result


def _newest(items: Sequence[Item], last: int, is_full: Callable[[Item], bool]) -> list[Kept[Item]]:
    fulls = [number for number, item in enumerate(items) if is_full(item)]
    if last < 1 or not fulls:
        return []
    reason = f"made since the oldest of the newest {counted(last, 'full one')}"
    return [Kept(item=item, rule="last", reason=reason) for item in items[fulls[-last:][0] :]]


def _young(
    items: Sequence[Item],
    span: dt.timedelta,
    *,
    now: dt.datetime,
    when: Callable[[Item], dt.datetime],
    is_data: Callable[[Item], bool],
) -> list[Kept[Item]]:
    """To go back to the first moment of that time, the state before it is needed too, and all in between."""
    begin = now - span
    inside = next((number for number, item in enumerate(items) if when(item) >= begin), len(items))
    start = max((number for number in range(inside) if is_data(items[number])), default=inside)
    words = age(span.total_seconds())
    return [
        Kept(
            item=item,
            rule="age",
            reason=f"made in the last {words}"
            if number >= inside
            else f"leads to the first moment of the last {words}",
        )
        for number, item in enumerate(items)
        if number >= start
    ]


def retention_argument_spec(option: str = "retention") -> dict[str, Any]:
    """The option that the doc fragment prs.recovery.retention describes."""
    return {option: {"type": "dict", "options": {rule: {"type": "int"} for rule in RULES}}}
