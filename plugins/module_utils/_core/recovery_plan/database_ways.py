# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways back for the database, each with what stands in its way and what it loses."""

from __future__ import annotations

from collections.abc import Iterator

from .cost import EVERYTHING, NOTHING, UNKNOWN, Loss, Phase, lost_since
from .way import DATABASE_LOSS, Way, WayName, Work, server_obstacle
from .wreck import Attach, BackupSource, DatabaseState, Instance, OtherCopy, Reach, SurvivingFiles, Wreck

__all__ = ["database_ways"]

_LIVING = {
    DatabaseState.HEALTHY: "it is healthy",
    DatabaseState.CLOSED: "it was set offline, which says nothing against its health",
    DatabaseState.PENDING: "its files are there, and it may recover by itself",
    DatabaseState.WAITING: "it is a mirror, whose principal may come back",
    DatabaseState.OTHER: "it is another database of this name",
}
"""States in which a database may not be overwritten without a yes."""


def database_ways(wreck: Wreck) -> list[Way]:
    return [
        *_as_it_is(wreck),
        *(_move(wreck, copy) for copy in wreck.copies),
        *(_attach(wreck, files) for files in wreck.files),
        *_finish(wreck),
        *(_restore(wreck, source) for source in wreck.backups),
        _create(wreck),
    ]


# ---- what is there already
def _as_it_is(wreck: Wreck) -> Iterator[Way]:
    state, running = wreck.database.state, wreck.instance is Instance.RUNNING
    obstacle = _obstacle(wreck)
    if running and state is DatabaseState.HEALTHY:
        yield Way(name=WayName.KEEP, obstacle=obstacle, keys=wreck.keys)
    if wreck.instance is Instance.STOPPED:
        yield _started(wreck, "start SQL Server", obstacle)
    elif running and state is DatabaseState.CLOSED:
        yield _started(wreck, "set the database online", obstacle)
    if running and state is DatabaseState.PENDING:
        work = _work(wreck, Phase.START, "open the database, whose files are there again")
        yield Way(name=WayName.OPEN, obstacle=obstacle, work=(work,), keys=wreck.keys)
    if running and state is DatabaseState.WAITING:
        yield _open_mirror(wreck, obstacle)


def _started(wreck: Wreck, sentence: str, obstacle: str) -> Way:
    work = _work(wreck, Phase.START, sentence)
    return Way(name=WayName.START, obstacle=obstacle, work=(work,), keys=wreck.keys)


def _open_mirror(wreck: Wreck, obstacle: str) -> Way:
    """Service is forced: what its principal committed last may never have come here."""
    return Way(
        name=WayName.OPEN,
        source=wreck.site,
        obstacle=obstacle,
        loss=_loss_of_mirror(wreck),
        work=(_work(wreck, Phase.MOVE, "let the mirror serve without its principal"),),
        needs={DATABASE_LOSS: "the last commits of the principal may never have come to the mirror"},
        keys=wreck.keys,
    )


# ---- another site
def _move(wreck: Wreck, copy: OtherCopy) -> Way:
    loss = NOTHING if copy.complete else lost_since(copy.point, wreck.now) if copy.point else _loss_of_mirror(wreck)
    needs = {} if loss.nothing else {DATABASE_LOSS: f"{copy.site} may lack the last commits"}
    return Way(
        name=WayName.MOVE,
        source=copy.site,
        kind=copy.kind,
        obstacle=wreck.busy or _move_obstacle(wreck, copy),
        loss=loss,
        work=(Work(phase=Phase.MOVE, host=copy.server.host, sentence=f"let {copy.site} serve, from its {copy.kind}"),),
        needs=needs,
        keys=wreck.keys,
    )


def _loss_of_mirror(wreck: Wreck) -> Loss:
    """It tells no time, and is newer than any backup, as these are taken of its principal."""
    return min((lost_since(source.point, wreck.now) for source in wreck.backups if not source.problem), default=UNKNOWN)


def _move_obstacle(wreck: Wreck, copy: OtherCopy) -> str:
    for server in (wreck.web, wreck.sql):
        if server.reach is Reach.REFUSES:
            return f"{server_obstacle(server)}: as long as it cannot be stopped, two applications might run"
    return server_obstacle(copy.server) or copy.application


# ---- data files
def _attach(wreck: Wreck, files: SurvivingFiles) -> Way:
    unusable = files.problem if files.attach is Attach.IMPOSSIBLE else ""
    work = _work(wreck, Phase.ATTACH_FILES, f"copy, check and attach the data files in {files.folder}", files.size)
    return Way(
        name=WayName.ATTACH,
        source=files.folder,
        obstacle=_obstacle(wreck) or unusable,
        loss=lost_since(files.point, wreck.now),
        work=(*_instance_work(wreck), work),
        needs={**({DATABASE_LOSS: files.needs} if files.needs else {}), **_overwriting(wreck)},
        keys=wreck.keys,
        files=files,
    )


# ---- backups
def _finish(wreck: Wreck) -> Iterator[Way]:
    """The restore that was interrupted goes on with the backups that it was begun with, or newer ones."""
    usable = [source for source in wreck.backups if not source.problem]
    if wreck.instance is not Instance.RUNNING or wreck.database.state is not DatabaseState.RESTORING or not usable:
        return
    source = min(usable, key=lambda candidate: lost_since(candidate.point, wreck.now))
    yield Way(
        name=WayName.FINISH,
        source=source.name,
        obstacle=_obstacle(wreck),
        loss=lost_since(source.point, wreck.now),
        work=(
            _work(
                wreck, Phase.RESTORE_DATABASE, f"finish the interrupted restore from {source.name}", source.size // 2
            ),
        ),
        keys=source.keys or wreck.keys,
    )


def _restore(wreck: Wreck, source: BackupSource) -> Way:
    work = _work(wreck, Phase.RESTORE_DATABASE, f"restore the database from {source.name}", source.size)
    return Way(
        name=WayName.RESTORE,
        source=source.name,
        kind=source.kind,
        elsewhere=source.elsewhere,
        place=source.place,
        obstacle=_obstacle(wreck) or source.problem,
        loss=lost_since(source.point, wreck.now),
        work=(*_instance_work(wreck), work),
        needs=_overwriting(wreck),
        keys=source.keys or wreck.keys,
    )


def _create(wreck: Wreck) -> Way:
    work = _work(wreck, Phase.CREATE, "make an empty database, in which nothing is known of before")
    return Way(
        name=WayName.CREATE,
        obstacle=_obstacle(wreck),
        loss=EVERYTHING,
        work=(*_instance_work(wreck), work),
        needs={DATABASE_LOSS: "all users, questions and answers are gone", **_overwriting(wreck)},
    )


# ---- what they share
def _obstacle(wreck: Wreck) -> str:
    """Why nothing can be done for the database at this site."""
    host = wreck.sql.host
    if wreck.busy:
        return wreck.busy
    if refused := server_obstacle(wreck.sql):
        return refused
    if wreck.instance is Instance.BROKEN:
        return (
            f"an installation of SQL Server on {host} began and did not finish. Remove it under 'Apps and features', "
            "restart the server, and run again"
        )
    if wreck.instance is Instance.REFUSES:
        return f"SQL Server on {host} runs, but does not let us in. It may be whole: put the login right and run again"
    return wreck.sql_media if wreck.instance is Instance.ABSENT else ""


def _instance_work(wreck: Wreck) -> tuple[Work, ...]:
    """What comes before anything can be restored."""
    if wreck.instance is Instance.ABSENT:
        return (_work(wreck, Phase.INSTALL_SQL_SERVER, "install SQL Server"),)
    if wreck.instance is Instance.STOPPED:
        return (_work(wreck, Phase.START, "start SQL Server"),)
    return ()


def _overwriting(wreck: Wreck) -> dict[str, str]:
    """What must be allowed before something takes the place of the database that is there."""
    if wreck.instance is Instance.STOPPED:
        return {DATABASE_LOSS: "SQL Server is only stopped, and its database may be whole"}
    if wreck.instance is not Instance.RUNNING:
        return {}
    if wreck.database.state is DatabaseState.UNKNOWN:
        return {DATABASE_LOSS: "nobody knows the state of the database that is there"}
    reason = _LIVING.get(wreck.database.state)
    return {DATABASE_LOSS: f"it would take the place of the database that is there: {reason}"} if reason else {}


def _work(wreck: Wreck, phase: Phase, sentence: str, size: int = 0) -> Work:
    return Work(phase=phase, host=wreck.sql.host, sentence=sentence, size=size)
