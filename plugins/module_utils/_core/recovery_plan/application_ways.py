# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways back for the application. Its folder holds the keys without which the database cannot be read."""

from __future__ import annotations

from collections.abc import Iterator

from ..times import to_text
from .cost import Phase, lost_since
from .way import APPLICATION_LOSS, Way, WayName, Work, server_obstacle
from .wreck import ApplicationState, Archive, Wreck

__all__ = ["application_way", "new_application"]

_COMPLETE = (ApplicationState.RUNNING, ApplicationState.STOPPED)


def application_way(wreck: Wreck, keys: str) -> Way:
    """The way that changes least and ends with keys that read the database. keys: the fingerprint that it needs, ''
    where nobody knows. One with an obstacle where there is none.
    """
    ways = [*_as_it_is(wreck, keys), *_from_archives(wreck, keys)]
    open_ways = [way for way in ways if not way.obstacle]
    if open_ways:
        return open_ways[0]
    return ways[0] if ways else Way(name=WayName.RESTORE, obstacle=_none(wreck))


def new_application(wreck: Wreck) -> Way:
    """An empty one, with keys of its own, for an empty database."""
    needs = {APPLICATION_LOSS: "the application that is there would be replaced by an empty one"}
    return Way(
        name=WayName.CREATE,
        obstacle=_obstacle(wreck) or wreck.package,
        work=(Work(phase=Phase.INSTALL_IIS, host=wreck.web.host, sentence="set up IIS and an empty application"),),
        needs={} if wreck.application.state is ApplicationState.MISSING else needs,
    )


def _as_it_is(wreck: Wreck, keys: str) -> Iterator[Way]:
    application = wreck.application
    if wreck.replace_application or application.state not in _COMPLETE or not _fit(application.keys, keys):
        return
    if application.state is ApplicationState.RUNNING:
        yield Way(name=WayName.KEEP, obstacle=_obstacle(wreck))
    else:
        work = Work(phase=Phase.START, host=wreck.web.host, sentence="start the application")
        yield Way(name=WayName.START, obstacle=_obstacle(wreck), work=(work,))


def _from_archives(wreck: Wreck, keys: str) -> Iterator[Way]:
    """The newest first."""
    fitting = [archive for archive in wreck.archives if _fit(archive.keys, keys)]
    for archive in sorted(fitting, key=lambda candidate: lost_since(candidate.point, wreck.now)):
        yield _from_archive(wreck, archive)


def _from_archive(wreck: Wreck, archive: Archive) -> Way:
    host, missing = wreck.web.host, wreck.application.state is ApplicationState.MISSING
    restore = Work(
        phase=Phase.RESTORE_APPLICATION,
        host=host,
        sentence=f"bring back the application from {archive.name}{_as_of(archive)}",
        size=archive.size,
    )
    set_up = Work(phase=Phase.INSTALL_IIS, host=host, sentence="set up IIS and the application's site")
    return Way(
        name=WayName.RESTORE,
        obstacle=_obstacle(wreck) or archive.problem,
        work=(*((set_up,) if missing else ()), restore),
        needs=_overwriting(wreck, archive),
    )


def _as_of(archive: Archive) -> str:
    return f", as it was at {to_text(archive.point)}" if archive.point else ""


def _overwriting(wreck: Wreck, archive: Archive) -> dict[str, str]:
    application = wreck.application
    if application.keys and archive.keys and application.keys != archive.keys:
        return {APPLICATION_LOSS: "the keys that are there are others than those in the archive"}
    if application.state in _COMPLETE:
        return {APPLICATION_LOSS: "the application that is there is complete"}
    return {}


def _fit(keys: str, wanted: str) -> bool:
    """What nobody knows is no contradiction: the application and the database of one estate belong together."""
    return not keys or not wanted or keys == wanted


def _obstacle(wreck: Wreck) -> str:
    """Why nothing can be done for the application."""
    if refused := wreck.busy or server_obstacle(wreck.web):
        return refused
    unseen = wreck.application.state is ApplicationState.UNKNOWN
    return f"the application on {wreck.web.host} could not be looked at" if unseen else ""


def _none(wreck: Wreck) -> str:
    return _obstacle(wreck) or (
        "no archive of the application holds the keys of this database, without which it cannot be read. Name the "
        "folder of another copy in prs_backup_application_path"
    )
