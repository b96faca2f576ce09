# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan as plain values, for tasks and reports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from .choice import Choice, choose, next_best
from .cost import Loss
from .estimates import Estimates, Measured
from .roads import RESTORING, Road, RoadName, roads, unsaid
from .sentences import told
from .way import Work, server_obstacle
from .wreck import Server, Wreck

__all__ = ["plan_report"]

_IN_ITS_PLACE = (*RESTORING, RoadName.ATTACH)
"""Roads for who wants another database in the place of what is there, or says that what is lost may be."""
_KINDS = ("time", "unknown", "everything")


def plan_report(wreck: Wreck, measured: Iterable[Measured], *, asked: str = "") -> dict[str, Any]:
    """What the module recovery_plan returns: its RETURN describes each value.

    Where nothing can be done because servers are silent, the roads are those that there will be once new, empty servers
    stand in their place.
    """
    estimates = Estimates.of(measured)
    every, choice = _chosen(wreck, estimates, asked)
    awaited = [] if choice.road or any(not road.obstacle for road in every) else wreck.silent
    if awaited:
        wreck, problem = wreck.with_new_servers(), _waiting(awaited)
        every, choice = _chosen(wreck, estimates, asked)
        choice = replace(choice, problem=f"{problem}. {choice.problem}" if choice.problem else problem)
    hosts = [server.host for server in awaited]
    return {
        "road": choice.road.name.value if choice.road else "",
        "source": choice.road.source if choice.road else "",
        "command": choice.road.command if choice.road else "",
        "attach": _files(choice.road),
        "otherwise": next_best(every, choice, wreck.consents),
        "problem": choice.problem,
        "tied": [name.value for name in choice.tied],
        "awaited": hosts,
        "roads": [_road(road, wreck) for road in every],
        "steps": [_step(work, estimates) for work in choice.road.work] if choice.road else [],
        "sentences": told(
            every, choice, consents=wreck.consents, now=wreck.now, awaited=hosts, sites=wreck.other_sites
        ),
    }


def _chosen(wreck: Wreck, estimates: Estimates, asked: str) -> tuple[Sequence[Road], Choice]:
    every = roads(wreck, estimates)
    replaces = wreck.replace_database and not asked
    candidates = [road for road in every if road.name in _IN_ITS_PLACE] if replaces else every
    return every, choose(candidates, wreck.consents, asked=asked)


def _waiting(awaited: Sequence[Server]) -> str:
    return "; ".join(server_obstacle(server) for server in awaited)


def _road(road: Road, wreck: Wreck) -> dict[str, Any]:
    return {
        "name": road.name.value,
        "source": road.source,
        "obstacle": road.obstacle,
        "needs": unsaid(road, wreck.consents),
        "loss_kind": _kind(road.loss),
        "loss_seconds": road.loss.seconds if road.loss.rank == 0 else None,
        "seconds": road.estimate.seconds,
        "measured_runs": road.estimate.runs,
    }


def _files(road: Road | None) -> dict[str, list[str]]:
    """What sql_restore is given to attach, {} on any other road."""
    if road is None or road.files is None:
        return {}
    return {"data_files": list(road.files.data), "log_files": list(road.files.logs)}


def _kind(loss: Loss) -> str:
    return "none" if loss.nothing else _KINDS[loss.rank]


def _step(work: Work, estimates: Estimates) -> dict[str, Any]:
    return {
        "phase": work.phase.value,
        "host": work.host,
        "sentence": work.sentence,
        "size": work.size,
        "seconds": estimates.estimate(work.phase, work.size).seconds,
    }
