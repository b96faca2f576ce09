"""Random worlds: a life of databases, and what is left of the files of its backups."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import Label
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.catalog import (
    BackupCatalog,
    FileReading,
    assemble,
)
from backup_history import Clock, Database, File, History, Taken
from restore_oracle import Oracle

__all__ = ["NAME", "Clocks", "Scene", "live", "live_on_clocks", "live_with_a_clone", "scene_of", "store"]

NAME = "PasswordResetServer"

WRITES = ("write", "write", "pause")
BACKUPS = (
    "full",
    "copy_full",
    "differential",
    "log",
    "log",
    "log",
    "copy_log",
    "bulk_log",
    "idle_log",
    "full_with_log",
    "vss_full",
    "file",
)
FORKS = ("recover", "recover_inside", "recover_inside", "recover_copy", "other_database")


@dataclass
class Scene:
    """A history, and what is left of its files."""

    history: History
    files: dict[str, File] = field(default_factory=dict)
    family: str = ""
    zone: tzinfo | None = timezone.utc  # that a person gives

    def readable(self, taken: Taken) -> bool:
        """Whether every stripe of the set can still be read somewhere."""
        good = {
            file.stripe
            for file in self.files.values()
            if taken in file.sets and not file.unreadable and file.sets.index(taken) + 1 not in file.damaged
        }
        return good == set(range(1, taken.stripes + 1))

    def known(self, taken: Taken) -> bool:
        return any(taken in file.sets and not file.unreadable for file in self.files.values())

    def names(self) -> set[str]:
        """What the database and its copies are called in the sets that are known at all."""
        return {taken.database for taken in self.history.taken if taken.family == self.family and self.known(taken)}

    def inventory(self) -> BackupCatalog:
        readings = []
        for file in self.files.values():
            readings.append(
                FileReading(
                    path=file.path,
                    problem="error 3241" if file.unreadable else "",
                    label=Label(media_set_id=file.media_set, family_count=file.stripes, family_sequence=file.stripe),
                    headers=[taken.header(position) for position, taken in enumerate(file.sets, start=1)],
                    set_problems=dict.fromkeys(file.damaged, "VERIFYONLY found damage"),
                )
            )
        return assemble(readings, zone=self.zone)

    def oracle(self, wanted: str, *, server: str = "") -> Oracle:
        """server: leave out what others backed up."""
        sets = [
            taken
            for taken in self.history.taken
            if taken.family == self.family
            and self.readable(taken)
            and taken.kind != "file"
            and not taken.snapshot
            and not taken.multi_based
            and server in ("", taken.server)
        ]
        names = {
            (taken.database, taken.last_fork)
            for taken in self.history.taken
            if taken.family == self.family and self.known(taken)
        }
        return Oracle(sets, names=names, wanted=wanted)


def live(chance: random.Random, length: int) -> History:
    """A random life. The first database is the one that the tests ask for."""
    history = History()
    databases = [history.create(NAME, lsn=100)]
    for _step in range(length):
        database = databases[0] if chance.random() < 0.7 else chance.choice(databases)
        kind = chance.choices((WRITES, BACKUPS, FORKS), weights=(3, 6, 1.2))[0]
        action = chance.choice(kind)
        if action == "pause":
            history.pass_time(chance.randrange(1, 5))
        elif action == "write":
            history.write(database, chance.randrange(1, 4))
        elif kind is BACKUPS:
            back_up(history, database, action, chance)
        elif action == "other_database":
            databases.append(history.create(chance.choice((NAME, "Other")), lsn=chance.choice((100, 120))))
        else:
            recover(history, databases, action, chance)
    return history


def live_with_a_clone(chance: random.Random, length: int) -> History:
    """A database and its clone, which has its name or another one, on one recovery fork."""
    history = History()
    database = history.create(NAME, lsn=100)
    twins = [database]
    for step in range(length):
        if step == length // 3:
            name = chance.choice((NAME, "Clone"))
            twins.append(
                history.clone(database, name=name, server=chance.choice(("SQL1", "SQL2")) if name != NAME else "SQL2")
            )
        twin = chance.choice(twins)
        if chance.random() < 0.3:
            history.write(twin, chance.randrange(1, 4))
        else:
            back_up(
                history,
                twin,
                chance.choice(("full", "differential", "log", "log", "log", "copy_full", "copy_log")),
                chance,
            )
    return history


def fail_over(history: History, database: Database, server: str) -> None:
    """With a log backup on either side: of a clock under which no backup was made, no header tells."""
    history.back_up_log(database)
    database.server = server
    history.write(database)
    history.back_up_log(database)


@dataclass(frozen=True)
class Clocks:
    """The clocks of two servers, whether headers tell their offsets, and the zone that a person gives."""

    begin: datetime
    clocks: dict[str, Clock]
    tells_offset: bool = True
    zone: tzinfo | None = None
    steady: bool = False


BERLIN, TOKYO = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Tokyo")
NOON = datetime(2024, 6, 3, 12, tzinfo=timezone.utc)
CHANGES = (datetime(2024, 3, 31, 1, tzinfo=timezone.utc), datetime(2024, 10, 27, 1, tzinfo=timezone.utc))
"""When Berlin goes from 02:00 on to 03:00, and from 03:00 back to 02:00."""


def in_zone(zone: tzinfo) -> Clock:
    return lambda moment: moment.astimezone(zone).utcoffset() or timedelta()


def moved(before: float, change: datetime, after: float) -> Clock:
    """Of a server that is told at a moment that it stands elsewhere: the clock is ahead of UTC by so many hours."""
    return lambda moment: timedelta(hours=before if moment < change else after)


def some_clocks(chance: random.Random, minutes: int) -> Clocks:
    """minutes: that the history lasts, more or less."""
    kind = chance.choice(("two zones", "moved", "summer time", "given", "contradicting"))
    if kind == "two zones":
        first, second = chance.sample((-5, 2, 5.75, 9), 2)
        return Clocks(NOON, {"SQL1": moved(first, NOON, first), "SQL2": moved(second, NOON, second)}, steady=True)
    if kind == "moved":
        moments = [NOON + timedelta(minutes=chance.uniform(0, minutes)) for _server in range(2)]
        hours = [chance.sample((-5, 1, 2, 3), 2) for _server in range(2)]
        clocks = {f"SQL{number + 1}": moved(hours[number][0], moments[number], hours[number][1]) for number in range(2)}
        return Clocks(NOON, clocks)
    begin = chance.choice(CHANGES) - timedelta(minutes=chance.uniform(0, minutes))
    clocks = {"SQL1": in_zone(BERLIN), "SQL2": in_zone(chance.choice((BERLIN, TOKYO)) if kind != "given" else BERLIN)}
    zone = {"given": BERLIN, "contradicting": TOKYO}.get(kind)
    return Clocks(begin, clocks, tells_offset=kind != "given", zone=zone)


def live_on_clocks(chance: random.Random, length: int) -> tuple[History, Clocks]:
    """A database that fails over between two servers and is recovered on either, while their clocks are changed."""
    pace = chance.choice((1, 60, 600))
    clocks = some_clocks(chance, length * pace // 20)
    history = History(clocks.begin, clocks=clocks.clocks, pace=pace, tells_offset=clocks.tells_offset)
    databases = [history.create(NAME, lsn=100)]
    for _step in range(length):
        action = chance.choice((*WRITES, *BACKUPS, "log", "log", "recover", "recover_inside", "fail over"))
        if action == "pause":
            history.pass_time(chance.randrange(1, 5))
        elif action == "write":
            history.write(databases[0], chance.randrange(1, 4))
        elif action == "fail over":
            fail_over(history, databases[0], chance.choice(("SQL1", "SQL2")))
        elif action in BACKUPS:
            back_up(history, databases[0], action, chance)
        else:
            recover(history, databases, action, chance, server=chance.choice(("SQL1", "SQL2")))
    return history, clocks


def back_up(history: History, database: Database, action: str, chance: random.Random) -> None:
    busy = chance.choice((0, 0, 1, 3))
    if action == "idle_log":
        if history.back_up_log(database) is not None:
            history.pass_time(2)
            history.back_up_log(database)
    elif action.endswith("log") and action != "full_with_log":
        history.back_up_log(
            database,
            copy_only=action == "copy_log",
            bulk=action == "bulk_log",
            busy=busy,
            tells_end=chance.random() < 0.2,
        )
    elif action == "file":
        if database.backed_up:
            history.back_up_file(database)
    else:
        history.back_up_data(
            database,
            snapshot=action == "vss_full",
            differential=action == "differential",
            copy_only=action == "copy_full",
            busy=busy,
            log_meanwhile=action == "full_with_log",
        )


def recover(
    history: History, databases: list[Database], action: str, chance: random.Random, *, server: str = "SQL1"
) -> None:
    sets = [
        taken
        for taken in history.taken
        if taken.first_lsn < taken.last_lsn and taken.kind != "file" and not taken.snapshot and not taken.multi_based
    ]
    if not sets:
        return
    taken = chance.choice(sets)
    stop = chance.randrange(taken.first_lsn, taken.last_lsn + 1) if action == "recover_inside" else None
    fulls = [
        one
        for one in history.taken
        if one.kind == "full"
        and not one.copy_only
        and not one.snapshot
        and one.last_lsn <= taken.first_lsn
        and one.path == taken.path[: len(one.path)]
    ]
    base = (
        taken.base if taken.kind == "differential" else taken if taken.kind == "full" and not taken.copy_only else None
    )
    if taken.kind == "log":
        base = chance.choice(fulls) if fulls else None
    same = NAME if action != "recover_copy" else "Copy of it"
    databases.append(
        history.recover(
            taken,
            name=same,
            base=base,
            stop=stop,
            log_again=chance.random() < 0.5,
            quiet=chance.random() < 0.1,
            server=server,
        )
    )
    if same == NAME and taken.database == NAME and chance.random() < 0.7:
        databases[0] = databases.pop()


def store(history: History, chance: random.Random, harm: float) -> Scene:
    """Write the sets into files: striped, several in one file, copied, renamed, lost, damaged."""
    scene = Scene(history, family=history.databases[0].family)
    open_media: list[File] = []
    number = 0
    for taken in history.taken:
        appended = open_media and chance.random() < 0.2 and len(open_media[0].sets) < 4
        if not appended:
            count = chance.choice((1, 1, 1, 2, 3))
            media = f"{len(scene.files):08x}-0000-0000-0000-00000000000{count}"
            open_media = []
            for stripe in range(1, count + 1):
                number += 1
                name = chance.choice((f"{taken.kind}_{number}.bak", f"renamed ({number}).old", f"X{number}"))
                open_media.append(
                    File(path=f"\\\\files\\backup\\{name}", media_set=media, stripe=stripe, stripes=count)
                )
        taken.stripes = open_media[0].stripes
        for file in open_media:
            file.sets.append(taken)
            scene.files[file.path] = file
    for file in list(scene.files.values()):
        if chance.random() < harm:
            copy = File(
                path=f"D:\\{'second' if chance.random() < 0.5 else 'third'}\\{number}.bak",
                media_set=file.media_set,
                stripe=file.stripe,
                stripes=file.stripes,
                sets=file.sets,
            )
            number += 1
            scene.files[copy.path] = copy
    for path, file in list(scene.files.items()):
        fate = chance.random()
        if fate < harm / 4:
            del scene.files[path]
        elif fate < harm / 2:
            file.unreadable = True
        elif fate < harm:
            file.damaged.add(chance.randrange(1, len(file.sets) + 1))
    return scene


def scene_of(history: tuple[int, int, float]) -> tuple[Scene, random.Random]:
    seed, length, harm = history
    chance = random.Random(seed)
    return store(live(chance, length), chance, harm), chance
