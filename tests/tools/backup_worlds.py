"""Random worlds: a life of databases, and what is left of the files of its backups."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import timezone

from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import Label
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.catalog import (
    BackupCatalog,
    FileReading,
    assemble,
)
from backup_history import Database, File, History, Taken
from restore_oracle import Oracle

__all__ = ["NAME", "Scene", "live", "live_with_a_clone", "scene_of", "store"]

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
        return assemble(readings, zone=timezone.utc)

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


def recover(history: History, databases: list[Database], action: str, chance: random.Random) -> None:
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
            taken, name=same, base=base, stop=stop, log_again=chance.random() < 0.5, quiet=chance.random() < 0.1
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
