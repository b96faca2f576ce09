"""Lives with the very same headers, and other data at a moment: what no header tells of a clock.

A header tells the clock of its server at the start of a backup alone. Where all backups of a server tell one clock, it
may have had another one before the first of them, between two of them, or since the start of the last one; then there
is a twin of that life in which the clock never was another one, with the same local times in its headers. A planner,
which sees headers alone, has one answer for both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise, product
from typing import NamedTuple

from backup_history import Clock, Database, History, Record, Taken
from backup_worlds import Scene

__all__ = ["headers", "is_possible", "untold_twins"]

TOLERANCE = timedelta(seconds=1)
"""Headers have whole seconds."""


class Way(NamedTuple):
    """How a clock is taken back in a twin. same_times: what it showed stays, so that all of it happened at other moments
    then; else it happened when it did, and the clock showed something else.
    """

    same_times_in_headers: bool
    same_times_in_records: bool


WAYS = (Way(False, False), Way(True, True), Way(True, False))


def headers(scene: Scene) -> list[dict[str, object]]:
    return [taken.header(1) for taken in scene.history.taken]


def untold_twins(scene: Scene) -> Iterator[Scene]:
    """All twins in which some of the servers whose backups tell one clock never had another one."""
    history = scene.history
    if not history.tells_offset:
        return
    offsets: dict[str, set[timedelta]] = {}
    for taken in history.taken:
        offsets.setdefault(taken.server, set()).add(taken.clock(taken.started))
    always = {server: told.pop() for server, told in offsets.items() if len(told) == 1}
    for ways in product((None, *WAYS), repeat=len(always)):
        chosen = {server: way for server, way in zip(always, ways, strict=True) if way is not None}
        twin = _Retold(scene, always, chosen).scene() if chosen else scene
        if chosen and headers(twin) == headers(scene) and is_possible(twin.history):
            yield twin


def is_possible(history: History) -> bool:
    """Whether a life could have gone so. Some of its backups may have been lost: a database may have been recovered at
    a point in a backup that nobody knows.
    """
    return all(map(_in_order, history.databases)) and all(_is_possible(taken, history) for taken in history.taken)


def _in_order(database: Database) -> bool:
    return all(earlier.time < later.time for earlier, later in pairwise(database.records))


def _is_possible(taken: Taken, history: History) -> bool:
    """A backup holds what was written before it was begun, and nothing from after its end. A data backup begins with a
    record of its own, the last record of a log is what it tells in LastValidRestoreTime, and a log is backed up when
    the one before it is.
    """
    databases = [database for database in history.databases if database.fork == taken.last_fork]
    written_later = [record for database in databases for record in database.records if record.lsn >= taken.last_lsn]
    own = [record for record in taken.path if record.lsn == taken.first_lsn and taken.kind != "log"]
    continued = [
        other
        for other in history.taken
        if taken.kind == other.kind == "log" and not other.copy_only and other.first_lsn < other.last_lsn
        if (other.last_fork, other.last_lsn) == (taken.first_fork, taken.first_lsn)
    ]
    return (
        taken.started <= taken.finished
        and all(record.time < taken.finished + TOLERANCE for record in taken.path)
        and all(record.time > taken.started for record in (*written_later, *own))
        and (taken.last_valid is None or _tells_last_record(taken))
        and all(other.started <= taken.started for other in continued)
    )


def _tells_last_record(taken: Taken) -> bool:
    last, told = taken.path[-1], taken.header(1)["LastValidRestoreTime"]
    return last.server != taken.server or (last.shown is not None and told == last.shown.replace(microsecond=0))


@dataclass(frozen=True)
class _Retold:
    """A life in which servers always had one clock. always: that clock, by server; ways: only of those that get it."""

    original: Scene
    always: Mapping[str, timedelta]
    ways: Mapping[str, Way]

    def scene(self) -> Scene:
        history = self.original.history
        clocks = {server: _constant(self.always[server]) for server in self.ways}
        twin = History(
            history.clock, clocks={**history.clocks, **clocks}, pace=history.pace, tells_offset=history.tells_offset
        )
        backed_up = {taken.last_fork for taken in history.taken}
        twin.databases = [
            replace(database, records=list(map(self._record, database.records)))
            for database in history.databases
            if database.fork in backed_up  # of any other no header tells, so the twin does without it
        ]
        sets = {taken.guid: self._taken(taken, clocks) for taken in history.taken}
        twin.taken = list(sets.values())
        files = {
            path: replace(file, sets=[sets[taken.guid] for taken in file.sets])
            for path, file in self.original.files.items()
        }
        return replace(self.original, history=twin, files=files)

    def _taken(self, taken: Taken, clocks: Mapping[str, Clock]) -> Taken:
        path = tuple(map(self._record, taken.path))
        if taken.server not in self.ways:
            return replace(taken, path=path)
        same_times = self.ways[taken.server].same_times_in_headers
        return replace(
            taken,
            path=path,
            started=self._moment(taken.server, taken.started, same_times=same_times),
            finished=self._moment(taken.server, taken.finished, same_times=same_times),
            last_valid=taken.last_valid and self._moment(taken.server, taken.last_valid, same_times=same_times),
            clock=clocks[taken.server],
        )

    def _record(self, record: Record) -> Record:
        if record.server not in self.ways:
            return record
        same_times = self.ways[record.server].same_times_in_records
        moment = self._moment(record.server, record.time, same_times=same_times)
        return record._replace(time=moment, shown=moment.replace(tzinfo=None) + self.always[record.server])

    def _moment(self, server: str, moment: datetime, *, same_times: bool) -> datetime:
        """When it happens in the twin."""
        was = self.original.history.clock_of(server)(moment)
        return moment + was - self.always[server] if same_times else moment


def _constant(offset: timedelta) -> Clock:
    return lambda _moment: offset
