# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which road is gone: of those that may be, the one that loses least, then the fastest; or the one that was asked
for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .roads import REBUILD, Road, RoadName, unsaid
from .wreck import Consents

__all__ = ["Choice", "choose", "next_best"]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """road: None where none may be gone; problem says why then. tied: others that lose and take just as much."""

    road: Road | None
    problem: str = ""
    tied: tuple[RoadName, ...] = ()


def choose(every: Sequence[Road], consents: Consents, *, asked: str = "") -> Choice:
    """every: as C(roads) returns them. asked: the name of a road, '' where nobody asked for one."""
    if asked:
        return _asked(every, consents, asked)
    allowed = [road for road in every if not road.obstacle and not unsaid(road, consents)]
    if not allowed:
        return Choice(road=None, problem=_none_is_open(every, consents))
    best = min(allowed, key=lambda road: road.rank)
    tied = [road.name for road in allowed if road is not best and road.rank[:2] == best.rank[:2]]
    return Choice(road=best, tied=tuple(tied))


def next_best(every: Sequence[Road], choice: Choice, consents: Consents) -> str:
    """What to run where the chosen road turns out to lead nowhere; '' where rebuild_prs goes no other."""
    others = [
        road
        for road in every
        if choice.road and road.name is not choice.road.name and not road.obstacle and road.command == REBUILD
    ]
    if not others:
        return ""
    best = min(others, key=lambda road: road.rank)
    source = f" ({best.source})" if best.source else ""
    needs = "".join(f" -e {name}=true" for name in unsaid(best, consents))
    return f"The next best road is {best.name.value}{source}: run again with -e prs_road={best.name.value}{needs}"


def _asked(every: Sequence[Road], consents: Consents, asked: str) -> Choice:
    road = next((candidate for candidate in every if candidate.name.value == asked), None)
    if road is None:
        names = ", ".join(candidate.name.value for candidate in every)
        return Choice(road=None, problem=f"There is no road {asked} here. Name one of these in prs_road: {names}")
    if road.obstacle:
        return Choice(road=None, problem=f"The road {asked} cannot be gone: {road.obstacle}")
    if open_needs := unsaid(road, consents):
        return Choice(road=None, problem=f"The road {asked} needs a yes. {_yes(open_needs)}")
    return Choice(road=road)


def _none_is_open(every: Sequence[Road], consents: Consents) -> str:
    """With the road that loses least of those that only need a yes."""
    waiting = [road for road in every if not road.obstacle]
    if waiting:
        best = min(waiting, key=lambda road: road.rank)
        least = f"Each road needs a yes. The one that loses least is {best.name.value}"
        if best.command != REBUILD:
            return f"{least}, which another playbook goes: ansible-playbook prs.recovery.{best.command}"
        return f"{least}. {_yes(unsaid(best, consents))}"
    obstacles = dict.fromkeys(road.obstacle for road in every)
    return f"No road can be gone. {'; '.join(obstacles) or 'There is no backup to restore'}"


def _yes(needs: dict[str, str]) -> str:
    return " ".join(f"-e {name}=true: {reason}." for name, reason in needs.items())
