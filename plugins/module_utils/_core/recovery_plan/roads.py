# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roads: for the whole estate, a way for the database with the way for the application that goes with it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from .application_ways import application_way, new_application
from .cost import Estimate, Loss, Phase
from .database_ways import database_ways
from .estimates import Estimates
from .way import DATABASE_LOSS, Way, WayName, Work
from .wreck import Consents, Reach, SurvivingFiles, Wreck

__all__ = ["REBUILD", "RESTORING", "Road", "RoadName", "roads", "unsaid"]


class RoadName(str, Enum):
    """In the order of preference where loss and time are equal."""

    NOTHING = "nothing"
    START = "start"
    OPEN = "open"
    MEND_APPLICATION = "mend_application"
    MOVE = "move"
    FINISH_RESTORE = "finish_restore"
    ATTACH = "attach"
    RESTORE_SET = "restore_set"
    RESTORE_FILES = "restore_files"
    RESTORE_COPY = "restore_copy"
    PROVISION = "provision"


REBUILD = "rebuild_prs"
PROVISIONING = (Phase.INSTALL_SQL_SERVER, Phase.INSTALL_IIS)
RESTORING = (RoadName.RESTORE_SET, RoadName.RESTORE_FILES, RoadName.RESTORE_COPY)
_ORDER = list(RoadName)
_OF_DATABASE = {
    WayName.OPEN: RoadName.OPEN,
    WayName.MOVE: RoadName.MOVE,
    WayName.ATTACH: RoadName.ATTACH,
    WayName.FINISH: RoadName.FINISH_RESTORE,
    WayName.CREATE: RoadName.PROVISION,
}


@dataclass(frozen=True, kw_only=True)
class Road:
    """source: what the database comes from, '' for what is there. obstacle: why it cannot be gone, '' where it can.

    needs: variables by which somebody has to say yes, each with the reason. loss: of work in the database, at most.
    place: where a copy of the backups lies, '' for the place that is restored from anyway. files: that are attached.
    """

    name: RoadName
    source: str
    obstacle: str
    needs: Mapping[str, str]
    loss: Loss
    work: tuple[Work, ...]
    estimate: Estimate
    place: str = ""
    files: SurvivingFiles | None = None

    @property
    def command(self) -> str:
        """The playbook that goes it, as it is called; '' where there is nothing to do."""
        if any(step.phase is Phase.MOVE for step in self.work):
            forced = "" if self.loss.nothing else " -e prs_allow_data_loss=true"
            return f"failover_prs -e prs_active_site={self.source}{forced}"
        if self.place:
            return f"{REBUILD} -e '{json.dumps({'prs_share_path': self.place})}'"
        return {RoadName.NOTHING: "", RoadName.PROVISION: "provision_prs"}.get(self.name, REBUILD)

    @property
    def rank(self) -> tuple[Loss, float, int]:
        """The least loss first, then the least time."""
        return (self.loss, self.estimate.seconds, _ORDER.index(self.name))


def roads(wreck: Wreck, estimates: Estimates) -> list[Road]:
    """One of each name that there is anything for, the best first, whether it can be gone or not."""
    every = list(_weighed(wreck, [_road(wreck, way, estimates) for way in database_ways(wreck)]))
    best: dict[RoadName, Road] = {}
    for road in sorted(every, key=lambda road: (bool(road.obstacle), bool(unsaid(road, wreck.consents)), road.rank)):
        best.setdefault(road.name, road)
    return sorted(best.values(), key=lambda road: (bool(road.obstacle), road.rank))


def unsaid(road: Road, consents: Consents) -> dict[str, str]:
    """What a road needs and nobody said yes to yet, each with the reason."""
    said = {DATABASE_LOSS: consents.database}
    return {name: reason for name, reason in road.needs.items() if not said.get(name, consents.application)}


def _road(wreck: Wreck, database: Way, estimates: Estimates) -> Road:
    application = _application(wreck, database)
    name = _name(database, application)
    work = tuple(sorted((*database.work, *application.work), key=lambda step: step.phase not in PROVISIONING))
    if name is not RoadName.NOTHING:
        work = (*work, Work(phase=Phase.VERIFY, host=wreck.web.host, sentence="verify the page and the database"))
    return Road(
        name=name,
        source=database.source,
        obstacle=database.obstacle or application.obstacle,
        needs={**application.needs, **database.needs},
        loss=database.loss,
        work=work,
        estimate=_duration(work, estimates),
        place=database.place,
        files=database.files,
    )


def _duration(work: Sequence[Work], estimates: Estimates) -> Estimate:
    """Servers are provisioned at the same time, the slowest counts; what follows comes one after the other."""
    at_once: dict[str, list[Estimate]] = {}
    after = []
    for step in work:
        same_time = at_once.setdefault(step.host, []) if step.phase in PROVISIONING else after
        same_time.append(estimates.estimate(step.phase, step.size))
    slowest = max(map(Estimate.total, at_once.values()), key=lambda estimate: estimate.seconds, default=None)
    return Estimate.total([*([slowest] if slowest else []), *after])


def _application(wreck: Wreck, database: Way) -> Way:
    if database.name is WayName.MOVE:
        return Way(name=WayName.KEEP)  # the other site's, which the way of the database asked for
    if database.name is WayName.CREATE:
        return new_application(wreck)
    return application_way(wreck, database.keys)


def _name(database: Way, application: Way) -> RoadName:
    if database.name is WayName.RESTORE:
        if database.elsewhere:
            return RoadName.RESTORE_COPY
        return RoadName.RESTORE_SET if database.kind == "set" else RoadName.RESTORE_FILES
    if database.name in _OF_DATABASE:
        return _OF_DATABASE[database.name]
    if application.name is WayName.RESTORE:
        return RoadName.MEND_APPLICATION
    both = {database.name, application.name}
    return RoadName.NOTHING if both == {WayName.KEEP} else RoadName.START


# ---- what is given up for a road
def _weighed(wreck: Wreck, every: list[Road]) -> Iterable[Road]:
    """What another road would keep is not given up without a yes, nor what a server may hold that cannot be asked."""
    open_roads = [road for road in every if not road.obstacle]
    least = min(open_roads, key=lambda road: road.rank, default=None)
    refusing = next((copy for copy in wreck.copies if copy.server.reach is Reach.REFUSES), None)
    for road in every:
        if least and road.loss > least.loss:
            yield _needing(road, f"the road {least.name.value} loses less")
        elif refusing and not road.loss.nothing:
            yield _needing(road, f"{refusing.server.host} answers, but cannot be asked whether it holds what is newer")
        else:
            yield road


def _needing(road: Road, reason: str) -> Road:
    return replace(road, needs={DATABASE_LOSS: reason, **road.needs})
