"""The choice of a road against a search that knows nothing of roads: every wreck that can be made of these states.

The search plays: it does one thing after the other to a small world (start, set online, restore, attach ...), notes what
it destroys on the way, and looks which served pages can be had and how much work each of them lacks.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_plan.choice import choose
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_plan.estimates import Estimates
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_plan.roads import RoadName, roads
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_plan.wreck import (
    Application,
    ApplicationState,
    Archive,
    Attach,
    BackupSource,
    Consents,
    Database,
    DatabaseState,
    Instance,
    OtherCopy,
    Reach,
    Server,
    SurvivingFiles,
    Wreck,
)

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.timezone.utc)
OURS, FOREIGN, NEW = "ours", "foreign", "new"
EVERYTHING = float("inf")
UNKNOWN = 1e12


def ago(minutes: int) -> dt.datetime:
    return NOW - dt.timedelta(minutes=minutes)


def server(host: str, reach: Reach = Reach.REACHED) -> Server:
    return Server(host=host, reach=reach)


# ---- every wreck
WEB = [Reach.REACHED, Reach.REFUSES, Reach.SILENT]
SQL = [
    (Reach.REFUSES, Instance.ABSENT, DatabaseState.UNKNOWN),
    (Reach.SILENT, Instance.ABSENT, DatabaseState.UNKNOWN),
    (Reach.REACHED, Instance.ABSENT, DatabaseState.MISSING),
    (Reach.REACHED, Instance.BROKEN, DatabaseState.UNKNOWN),
    (Reach.REACHED, Instance.REFUSES, DatabaseState.UNKNOWN),
    (Reach.REACHED, Instance.STOPPED, DatabaseState.UNKNOWN),
    *((Reach.REACHED, Instance.RUNNING, state) for state in DatabaseState),
]
APPLICATIONS = [
    Application(state=ApplicationState.RUNNING, keys=OURS),
    Application(state=ApplicationState.RUNNING, keys=FOREIGN),
    Application(state=ApplicationState.STOPPED),
    Application(state=ApplicationState.DAMAGED, keys=FOREIGN),
    Application(state=ApplicationState.MISSING),
    Application(state=ApplicationState.UNKNOWN),
]
COPIES = [
    (),
    (OtherCopy(site="b", server=server("sql-b"), kind="mirror", complete=True),),
    (OtherCopy(site="b", server=server("sql-b"), kind="standby", point=ago(5)),),
    (OtherCopy(site="b", server=server("sql-b"), kind="mirror"),),
    (OtherCopy(site="b", server=server("sql-b", Reach.REFUSES), kind="mirror"),),
    (OtherCopy(site="b", server=server("sql-b", Reach.SILENT), kind="mirror"),),
]
FILES = [
    (),
    (SurvivingFiles(folder="E:\\", attach=Attach.SURE, point=ago(1)),),
    (SurvivingFiles(folder="E:\\", attach=Attach.IMPOSSIBLE, point=ago(1), problem="the log is missing"),),
]
SET = BackupSource(name="set", kind="set", point=ago(600), keys=OURS)
LOOSE = BackupSource(name="files", kind="files", point=ago(15))
COPY = BackupSource(name="copy", kind="set", elsewhere=True, point=ago(900), keys=OURS)
BACKUPS = [(), (SET,), (replace(SET, problem="damaged"), LOOSE), (replace(SET, problem="damaged"), COPY)]
ARCHIVES = [(), (Archive(name="a.zip", point=ago(600), keys=OURS),), (Archive(name="b.zip", problem="no directory"),)]
CONSENTS = [Consents(), Consents(database=True), Consents(database=True, application=True)]
MEDIA = [("", ""), ("no media", "no package")]


def every_wreck() -> Iterator[Wreck]:
    every = itertools.product(WEB, SQL, APPLICATIONS, COPIES, FILES, BACKUPS, ARCHIVES, CONSENTS, MEDIA)
    for web, sql, application, copies, files, backups, archives, consents, (media, package) in every:
        reach, instance, state = sql
        yield Wreck(
            now=NOW,
            site="a",
            web=server("web-a", web),
            sql=server("sql-a", reach),
            instance=instance,
            database=Database(state=state),
            application=application,
            copies=copies,
            files=files,
            backups=backups,
            archives=archives,
            consents=consents,
            keys=OURS,
            sql_media=media,
            package=package,
        )


# ---- the search
@dataclass(frozen=True)
class World:
    """lacks: minutes of work that the database has not; None: there is none. keys: that the application has.

    written_with: the keys that the database needs.
    """

    instance: Instance
    state: DatabaseState
    lacks: float | None
    application: ApplicationState
    keys: str
    written_with: str = OURS
    at_other_site: bool = False
    destroyed_database: bool = False
    destroyed_application: bool = False


LIVING = {
    DatabaseState.HEALTHY,
    DatabaseState.CLOSED,
    DatabaseState.PENDING,
    DatabaseState.WAITING,
    DatabaseState.OTHER,
    DatabaseState.UNKNOWN,
}


def first_world(wreck: Wreck) -> World:
    lacks = {DatabaseState.MISSING: None, DatabaseState.OTHER: None}.get(wreck.database.state, 0.0)
    if wreck.instance is Instance.ABSENT:
        lacks = None
    application = wreck.application
    return World(wreck.instance, wreck.database.state, lacks, application.state, application.keys)


def minutes_since(point: dt.datetime | None) -> float:
    return UNKNOWN if point is None else (NOW - point).total_seconds() / 60


def after_database(wreck: Wreck, world: World) -> Iterator[World]:
    """What can be done about the database next."""
    if wreck.sql.reach is not Reach.REACHED:
        return
    if world.instance is Instance.ABSENT and not wreck.sql_media:
        yield replace(world, instance=Instance.RUNNING, state=DatabaseState.MISSING)
    if world.instance is Instance.STOPPED:
        yield replace(world, instance=Instance.RUNNING, state=DatabaseState.HEALTHY, lacks=0.0)
    if world.instance is not Instance.RUNNING:
        return
    if world.state in (DatabaseState.CLOSED, DatabaseState.PENDING):
        yield replace(world, state=DatabaseState.HEALTHY)
    if world.state is DatabaseState.WAITING:
        yield replace(world, state=DatabaseState.HEALTHY, lacks=behind_a_mirror(wreck), destroyed_database=True)
    sources = [source.point for source in wreck.backups if not source.problem]
    sources += [files.point for files in wreck.files if files.attach is not Attach.IMPOSSIBLE]
    for point in sources:
        yield replaced(world, minutes_since(point))
    seen = world.application is not ApplicationState.UNKNOWN
    if wreck.web.reach is Reach.REACHED and seen and not wreck.package:
        lost = world.application is not ApplicationState.MISSING
        yield replace(
            replaced(world, EVERYTHING),
            application=ApplicationState.RUNNING,
            keys=NEW,
            written_with=NEW,
            destroyed_database=True,
            destroyed_application=world.destroyed_application or lost,
        )


def replaced(world: World, lacks: float) -> World:
    destroyed = world.destroyed_database or world.state in LIVING
    return replace(world, state=DatabaseState.HEALTHY, lacks=lacks, written_with=OURS, destroyed_database=destroyed)


def behind_a_mirror(wreck: Wreck) -> float:
    """It is newer than any backup."""
    return min((minutes_since(source.point) for source in wreck.backups if not source.problem), default=UNKNOWN)


def after_application(wreck: Wreck, world: World) -> Iterator[World]:
    if wreck.web.reach is not Reach.REACHED or world.application is ApplicationState.UNKNOWN:
        return
    if world.application is ApplicationState.STOPPED:
        yield replace(world, application=ApplicationState.RUNNING)
    for archive in wreck.archives:
        if not archive.problem:
            complete = world.application in (ApplicationState.RUNNING, ApplicationState.STOPPED)
            others = bool(world.keys and archive.keys and world.keys != archive.keys)
            destroyed = world.destroyed_application or complete or others
            yield replace(
                world, application=ApplicationState.RUNNING, keys=archive.keys, destroyed_application=destroyed
            )


def after_moving(wreck: Wreck, world: World) -> Iterator[World]:
    if Reach.REFUSES in (wreck.web.reach, wreck.sql.reach):
        return
    for copy in wreck.copies:
        if copy.server.reach is Reach.REACHED:
            lacks = 0.0 if copy.complete else minutes_since(copy.point) if copy.point else behind_a_mirror(wreck)
            yield replace(world, at_other_site=True, lacks=lacks, destroyed_database=lacks > 0)


def serves(wreck: Wreck, world: World) -> bool:
    if world.at_other_site:
        return True
    reached = wreck.web.reach is Reach.REACHED and wreck.sql.reach is Reach.REACHED
    database = world.instance is Instance.RUNNING and world.state is DatabaseState.HEALTHY
    keys = world.keys in ("", world.written_with)
    return reached and database and keys and world.application is ApplicationState.RUNNING


def ends(wreck: Wreck) -> set[World]:
    """Every world that can be had in which the page is served."""
    seen: set[World] = set()
    waiting = [first_world(wreck), *after_moving(wreck, first_world(wreck))]
    while waiting:
        world = waiting.pop()
        if world not in seen:
            seen.add(world)
            if not world.at_other_site:
                waiting += [*after_database(wreck, world), *after_application(wreck, world)]
    return {world for world in seen if serves(wreck, world)}


def allowed(wreck: Wreck, world: World, least: float) -> bool:
    """least: what must be lost in any case. To lose more, or what somebody may have who refuses to say, needs a yes."""
    refusing = any(copy.server.reach is Reach.REFUSES for copy in wreck.copies)
    loses_more = world.lacks > least or (refusing and world.lacks > 0)
    database = not (world.destroyed_database or loses_more) or wreck.consents.database
    application = not world.destroyed_application or wreck.consents.application
    return database and application


def minutes_of(road) -> float:
    return (road.loss.seconds / 60, UNKNOWN, EVERYTHING)[road.loss.rank]


def judge(wreck: Wreck) -> RoadName | None:
    """The name of the road that was chosen; fails where the search knows a better one, or that it may not be gone."""
    possible = ends(wreck)
    least = min((world.lacks for world in possible), default=0.0)
    may_be = [world.lacks for world in possible if allowed(wreck, world, least)]
    choice = choose(roads(wreck, Estimates()), wreck.consents)
    if choice.road is None:
        assert not may_be, (wreck, choice.problem)
        assert choice.problem
        return None
    assert minutes_of(choice.road) == min(may_be, default=-1), (wreck, choice.road)
    if choice.road.name is RoadName.NOTHING:
        assert serves(wreck, first_world(wreck)), wreck
    return choice.road.name


def test_no_road_loses_more_than_it_must():
    """Each seventeenth of them, which meets every state of each thing with every state of each other."""
    wrecks = [wreck for number, wreck in enumerate(every_wreck()) if number % 17 == 0]
    assert len(wrecks) >= 20_000
    assert {judge(wreck) for wreck in wrecks} == {*RoadName, None}


@pytest.mark.nightly
def test_no_road_of_any_wreck_loses_more_than_it_must():
    assert {judge(wreck) for wreck in every_wreck()} == {*RoadName, None}
