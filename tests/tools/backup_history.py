"""A small, faithful model of what SQL Server writes into backups and of what RESTORE accepts, for tests of the restore
planner.

It knows nothing of the planner. A :class:`History` lives through writes, backups of all kinds, restores that start
recovery forks, copies under other names and other databases of the same name. What it leaves behind are *files* with
headers like those of RESTORE HEADERONLY, and the truth: which records every set really holds. Servers have clocks of
their own: headers and log records carry local times, and so does STOPAT. A :class:`RestoreRun`
database takes one RESTORE after the other by the documented rules and raises :class:`RestoreError` with the server's
number where one does not apply.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

__all__ = ["Clock", "Database", "File", "History", "Record", "RestoreError", "RestoreRun", "Taken"]


Clock = Callable[[datetime], timedelta]
"""By how much the clock on the wall of a server is ahead of UTC at a moment."""

QUARTER = timedelta(minutes=15)


class Record(NamedTuple):
    """shown: the local time of the server that wrote it; nothing where all servers show UTC."""

    lsn: int
    time: datetime
    name: int
    shown: datetime | None = None
    server: str = ""

    def is_before(self, stop_at: datetime) -> bool:
        """Whether STOPAT lets the record pass. stop_at: local time as it is told to RESTORE, or an aware one."""
        return self.time < stop_at if stop_at.tzinfo else (self.shown or self.time.replace(tzinfo=None)) < stop_at


class RestoreError(Exception):
    """What RESTORE says: the number and a few words."""

    def __init__(self, number: int, text: str) -> None:
        super().__init__(f"{number}: {text}")
        self.number = number


# (fork, LSN where it begins), from the first to the current one
Lineage = tuple[tuple[str, int], ...]


@dataclass(eq=False)
class Taken:
    """A backup set: its header's fields, and the truth: the whole path of records up to its end, with the forks that it
    crosses.
    """

    guid: str
    kind: str
    family: str
    database: str
    first_lsn: int
    last_lsn: int
    started: datetime
    finished: datetime
    path: tuple[Record, ...]
    lineage: Lineage
    first_fork: str
    last_fork: str
    fork_point: int | None = None
    copy_only: bool = False
    bulk: bool = False
    base: Taken | None = None
    last_valid: datetime | None = None
    checkpoint_lsn: int = 0
    stripes: int = 1
    server: str = "SQL1"
    snapshot: bool = False
    multi_based: bool = False
    clock: Clock = lambda moment: timedelta()
    tells_offset: bool = True

    def _local(self, moment: datetime) -> datetime:
        return moment.replace(tzinfo=None) + self.clock(moment)

    def header(self, position: int) -> dict[str, object]:
        """The row of RESTORE HEADERONLY, as far as it matters here."""
        return {
            "BackupName": None,
            "BackupType": {"full": 1, "log": 2, "file": 4, "differential": 5}[self.kind],
            "Position": position,
            "DatabaseName": self.database,
            "ServerName": self.server,
            "FirstLSN": self.first_lsn,
            "LastLSN": self.last_lsn,
            "CheckpointLSN": self.checkpoint_lsn,
            "DatabaseBackupLSN": 0,
            "BackupStartDate": self._local(self.started),
            "BackupFinishDate": self._local(self.finished),
            "RecoveryForkID": self.last_fork,
            "FirstRecoveryForkID": self.first_fork,
            "ForkPointLSN": self.fork_point,
            "FamilyGUID": self.family,
            "BackupSetGUID": self.guid,
            "IsCopyOnly": self.copy_only,
            "HasBulkLoggedData": self.bulk,
            "DifferentialBaseGUID": self.base.guid if self.base and not self.multi_based else None,
            "DifferentialBaseLSN": self.base.first_lsn if self.base and not self.multi_based else None,
            "IsSnapshot": self.snapshot,
            "TimeZone": self.clock(self.started) // QUARTER if self.tells_offset else 127,
            "BackupSize": 1000,
            "LastValidRestoreTime": self._local(self.last_valid) if self.last_valid else None,
            "SoftwareVersionMajor": 15,
        }


@dataclass(eq=False)
class File:
    """A backup file: one stripe of one media set, with the sets at their positions. ``damaged``: positions that cannot
    be read.
    """

    path: str
    media_set: str
    stripe: int
    stripes: int
    sets: list[Taken] = field(default_factory=list)
    unreadable: bool = False
    damaged: set[int] = field(default_factory=set)


@dataclass(eq=False)
class Database:
    """A living database."""

    name: str
    family: str
    records: list[Record]
    lineage: Lineage
    next_lsn: int
    log_start: int
    base: Taken | None = None
    backed_up: bool = False
    server: str = "SQL1"
    several_bases: bool = False  # a file was backed up by itself since the last full

    @property
    def fork(self) -> str:
        return self.lineage[-1][0]


class History:
    """Time, databases and everything that was ever backed up. GUIDs are counted, so that a failing case can be read.

    clocks: of servers whose clock does not show UTC; pace: how many seconds pass instead of one. tells_offset: whether
    headers tell by how much the clock was ahead of UTC.
    """

    def __init__(
        self,
        begin: datetime = datetime(2024, 1, 1, tzinfo=timezone.utc),
        *,
        clocks: Mapping[str, Clock] | None = None,
        pace: int = 1,
        tells_offset: bool = True,
    ) -> None:
        self.clock = begin
        self.clocks = clocks or {}
        self.pace = pace
        self.tells_offset = tells_offset
        self.databases: list[Database] = []
        self.taken: list[Taken] = []
        self._count = 0

    def guid(self) -> str:
        self._count += 1
        return str(uuid.UUID(int=self._count))

    def pass_time(self, seconds: float) -> None:
        self.clock += timedelta(seconds=seconds * self.pace)

    def clock_of(self, server: str) -> Clock:
        return self.clocks.get(server, lambda moment: timedelta())

    def second(self) -> datetime:
        """What a header tells of this moment: whole seconds."""
        return self.clock.replace(microsecond=0)

    def create(self, name: str, *, lsn: int) -> Database:
        database = Database(
            name=name, family=self.guid(), records=[], lineage=((self.guid(), 0),), next_lsn=lsn, log_start=lsn
        )
        self.databases.append(database)
        return database

    def write(self, database: Database, count: int = 1) -> None:
        for step in range(count):
            self.pass_time(0.7)
            self._count += 1
            shown = self.clock.replace(tzinfo=None) + self.clock_of(database.server)(self.clock)
            database.records.append(Record(database.next_lsn, self.clock, self._count, shown, database.server))
            database.next_lsn += 1 + (self._count + step) % 3

    def back_up_data(
        self,
        database: Database,
        *,
        differential: bool = False,
        copy_only: bool = False,
        busy: int = 0,
        log_meanwhile: bool = False,
        snapshot: bool = False,
    ) -> Taken:
        """A full or differential; ``busy`` records are written, and perhaps the log is backed up, while it runs."""
        if differential and database.base is None:
            differential = False
        self.pass_time(1)
        started = self.second()
        self.write(database)  # the checkpoint
        first = database.records[-1].lsn
        database.backed_up = database.backed_up or not differential
        self.write(database, busy)
        if log_meanwhile:
            self.back_up_log(database)
            self.write(database, busy)
        self.pass_time(busy)
        fork = database.fork
        taken = Taken(
            guid=self.guid(),
            kind="differential" if differential else "full",
            family=database.family,
            database=database.name,
            first_lsn=first,
            last_lsn=database.next_lsn,
            checkpoint_lsn=first,
            started=started,
            finished=self.second(),
            path=tuple(database.records),
            lineage=database.lineage,
            first_fork=fork,
            last_fork=fork,
            copy_only=copy_only and not differential,
            base=database.base if differential else None,
            server=database.server,
            snapshot=snapshot and not differential,
            multi_based=differential and database.several_bases,
            clock=self.clock_of(database.server),
            tells_offset=self.tells_offset,
        )
        self.taken.append(taken)
        if not differential and not copy_only:
            database.base, database.several_bases = taken, False
        return taken

    def back_up_file(self, database: Database) -> None:
        """One file of the database: the differentials that follow are based on two backups."""
        taken = self.back_up_data(database, copy_only=True)
        taken.kind, taken.copy_only = "file", False
        database.several_bases = database.base is not None

    def clone(self, database: Database, *, name: str, server: str) -> Database:
        """The server is cloned, or the files are copied and attached: both go on from here, on one recovery fork."""
        twin = replace(database, name=name, server=server, records=list(database.records))
        self.databases.append(twin)
        return twin

    def back_up_log(
        self, database: Database, *, copy_only: bool = False, bulk: bool = False, busy: int = 0, tells_end: bool = False
    ) -> Taken | None:
        """A log backup; it is cut off somewhere between its start and its end. Nothing logged since the last one: an
        idle one.
        """
        if not database.backed_up:
            return None
        self.pass_time(1)
        started = self.second()
        self.write(database, busy // 2)
        last, path = database.next_lsn, tuple(database.records)
        self.write(database, busy - busy // 2)
        self.pass_time(busy)
        first = database.log_start
        # A log that begins at or before the point at which the database was recovered begins on the fork before.
        crossed = [(fork, point) for fork, point in database.lineage if point >= first and point > 0]
        before = next(fork for fork, point in reversed(database.lineage) if point < first or point == 0)
        taken = Taken(
            guid=self.guid(),
            kind="log",
            family=database.family,
            database=database.name,
            first_lsn=first,
            last_lsn=last,
            started=started,
            finished=self.second(),
            path=path,
            lineage=database.lineage,
            first_fork=before,
            last_fork=database.fork,
            fork_point=crossed[-1][1] if crossed else None,
            copy_only=copy_only,
            bulk=bulk and first < last,
            server=database.server,
            last_valid=path[-1].time.replace(microsecond=0) if tells_end and path else None,
            clock=self.clock_of(database.server),
            tells_offset=self.tells_offset,
        )
        self.taken.append(taken)
        if not copy_only:
            database.log_start = last
        return taken

    def recover(
        self,
        taken: Taken,
        *,
        name: str,
        base: Taken | None,
        stop: int | None = None,
        log_again: bool = False,
        quiet: bool = False,
        server: str = "SQL1",
    ) -> Database:
        """Restore up to ``taken``, perhaps stop inside it, and recover: a new recovery fork begins.

        The next log backup begins at the recovery point or, with ``log_again``, where ``taken`` began. Recovery itself
        is logged, unless ``quiet``.
        """
        lineage, path, point = taken.lineage, taken.path, taken.last_lsn
        if stop is not None and taken.kind == "log" and taken.first_lsn < stop < taken.last_lsn and not taken.bulk:
            point = stop
            lineage = tuple(part for part in lineage if part[1] < point)
            path = tuple(record for record in path if record.lsn < point)
        start = taken.first_lsn if log_again and taken.first_lsn > lineage[-1][1] else point
        database = Database(
            name=name,
            family=taken.family,
            records=list(path),
            lineage=(*lineage, (self.guid(), point)),
            next_lsn=point,
            log_start=start,
            base=base,
            backed_up=True,
            server=server,
        )
        self.databases.append(database)
        if not quiet:
            self.write(database)
        return database


class RestoreRun:
    """A database in the state RESTORING, changed by one RESTORE at a time."""

    def __init__(self) -> None:
        self.records: tuple[Record, ...] | None = None
        self.position = 0
        self.lineage: Lineage = ()
        self.base = ""

    @property
    def fork(self) -> str:
        return self.lineage[-1][0]

    @staticmethod
    def read(files: dict[str, File], devices: list[str], position: int) -> Taken:
        """Open the devices as RESTORE does: all stripes of one media set, each readable at the position."""
        opened = [files.get(device) for device in devices]
        if any(file is None for file in opened):
            raise RestoreError(3201, "cannot open backup device")
        media = {file.media_set for file in opened}
        if len(media) != 1 or sorted(file.stripe for file in opened) != list(range(1, opened[0].stripes + 1)):
            raise RestoreError(3132, "the media set has other or more media families")
        if any(file.unreadable or position in file.damaged for file in opened):
            raise RestoreError(3183, "damaged")
        if not 1 <= position <= len(opened[0].sets):
            raise RestoreError(3287, "no such file on the device")
        return opened[0].sets[position - 1]

    def restore_database(self, taken: Taken) -> None:
        if taken.kind == "log":
            raise RestoreError(3118, "not a database backup")
        if taken.kind == "differential":
            if self.records is None:
                raise RestoreError(3135, "no files are ready to roll forward")
            if self.base != taken.base.guid or taken.last_lsn <= self.position:
                raise RestoreError(3136, "the database has not been restored to the correct earlier state")
        else:
            self.base = "" if taken.copy_only else taken.guid
        self.records, self.position, self.lineage = taken.path, taken.last_lsn, taken.lineage

    def restore_log(self, taken: Taken, *, stop_at: datetime | None = None, stop_lsn: int | None = None) -> None:
        """``stop_at``: STOPAT, records are applied until the first that was not logged before it. ``stop_lsn``: only
        records below it are.
        """
        if taken.kind != "log":
            raise RestoreError(3118, "not a log backup")
        if self.records is None:
            raise RestoreError(4306, "nothing to roll forward")
        if taken.first_lsn > self.position:
            raise RestoreError(4305, f"begins at {taken.first_lsn}, too recent for {self.position}")
        if taken.last_lsn <= self.position:
            raise RestoreError(4326, f"ends at {taken.last_lsn}, too early for {self.position}")
        forks = [fork for fork, _start in taken.lineage]
        bounds = [start for _fork, start in taken.lineage] + [taken.last_lsn]
        if (
            self.fork not in forks
            or not bounds[forks.index(self.fork)] <= self.position <= bounds[forks.index(self.fork) + 1]
        ):
            raise RestoreError(4330, "another recovery path")
        if tuple(record for record in taken.path if record.lsn < self.position) != self.records:
            raise RestoreError(
                4330, "the data belong to another recovery path"
            )  # a wrong fork that the GUIDs did not tell
        if stop_at is not None and self.records and not self.records[-1].is_before(stop_at):
            raise RestoreError(4335, "the time is too early")
        if stop_lsn is not None and stop_lsn < self.position:
            raise RestoreError(4335, "the LSN is too early")
        end = taken.last_lsn
        for record in taken.path:
            if record.lsn >= self.position and (
                (stop_at is not None and not record.is_before(stop_at))
                or (stop_lsn is not None and record.lsn >= stop_lsn)
            ):
                end = record.lsn if stop_lsn is None else stop_lsn
                break
        if stop_lsn is not None and stop_lsn < taken.last_lsn:
            end = stop_lsn
        if end < taken.last_lsn and taken.bulk:
            raise RestoreError(4341, "contains bulk-logged changes, cannot stop inside")
        self.records = tuple(record for record in taken.path if record.lsn < end)
        crossed = tuple(part for part in taken.lineage if part[1] < end or part[1] == 0)
        self.lineage = crossed if end < taken.last_lsn else taken.lineage
        self.position = end
