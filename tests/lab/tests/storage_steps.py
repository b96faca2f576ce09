"""One SQL Server's storage without the server: databases, backup sets on media, restores, and what every moment's rows
were.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import pathlib
from dataclasses import dataclass, field

from prs_lab.sqlserver.errors import SqlError
from prs_lab.sqlserver.storage import lifecycle
from prs_lab.sqlserver.storage.boot import Boot, fork_before, new_guid
from prs_lab.sqlserver.storage.database import Database, commit
from prs_lab.sqlserver.storage.logfile import LogFile
from prs_lab.sqlserver.storage.media import Family, labels_for, scan
from prs_lab.sqlserver.storage.set_reader import SetReader
from prs_lab.sqlserver.storage.set_writer import SetWriter, begin_media
from prs_lab.sqlserver.storage.setheader import DIFFERENTIAL, FULL, LOG, SetHeader
from prs_lab.sqlserver.storage.source import DataBackup, LogBackup
from prs_lab.sqlserver.storage.stop import Stop
from prs_lab.sqlserver.storage.target import Rollforward, check_differential, check_log, recover

from .files_double import FolderFiles

T0 = dt.datetime(2025, 3, 1, 12, 0, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Moment:
    """One commit: on which fork, at which LSN, when, and the rows after it."""

    fork: str
    lsn: int
    time: dt.datetime
    rows: frozenset[int]
    mark: str | None = None


@dataclass(frozen=True)
class Taken:
    """A backup set and where it lies."""

    header: SetHeader
    devices: tuple[str, ...]
    position: int = 1


@dataclass
class Steps:
    """A world of one database PRS that is backed up, and of databases restored from its backups."""

    root: pathlib.Path
    clock: dt.datetime = T0
    moments: list[Moment] = field(default_factory=list)
    taken: list[Taken] = field(default_factory=list)
    made: int = 0

    def __post_init__(self) -> None:
        self.files = FolderFiles(self.root / "drives")
        self.files.make_dir(r"C:\Data")
        self.files.make_dir(r"C:\Backup")
        self.database = lifecycle.create(
            name="PRS",
            files=self.files,
            data_path=r"C:\Data\PRS.mdf",
            log_path=r"C:\Data\PRS_log.ldf",
            work=self.root / "work",
            now=T0,
        )
        self.rows: frozenset[int] = frozenset()
        self.change("CREATE TABLE t(n INTEGER PRIMARY KEY, filler TEXT)")

    # Life

    def change(self, *statements: str, mark: str | None = None, bulk: bool = False, seconds: float = 1) -> Moment:
        """One transaction on PRS, `seconds` after the last thing that happened."""
        self.clock += dt.timedelta(seconds=seconds)
        connection = self.database.connect()
        connection.execute("BEGIN")
        for statement in statements:
            connection.execute(statement)
        commit(connection, [self.database], time=self.clock, mark=mark, bulk=bulk)
        connection.close()
        head = self.database.log.records[-1]
        moment = Moment(self.database.boot.fork.guid, head.end_lsn, self.clock, self.rows, mark)
        self.moments.append(moment)
        return moment

    def insert(self, *numbers: int, mark: str | None = None, size: int = 10, **more: object) -> Moment:
        self.rows = self.rows | set(numbers)
        return self.change(
            *[f"INSERT INTO t VALUES({number}, '{'x' * size}')" for number in numbers], mark=mark, **more
        )

    def delete(self, number: int) -> Moment:
        self.rows = self.rows - {number}
        return self.change(f"DELETE FROM t WHERE n = {number}")

    # Backups

    def backup(
        self,
        kind: str = "full",
        *,
        copy_only: bool = False,
        stripes: int = 1,
        compressed: bool = True,
        checksums: bool = True,
        during=None,
    ) -> Taken:
        """kind: full, diff, log. during: called between the data and the log of the set, as if others were working
        meanwhile.
        """
        source: DataBackup | LogBackup
        if kind == "log":
            source = LogBackup(self.database, copy_only=copy_only)
        else:
            source = DataBackup(self.database, differential=kind == "diff", copy_only=copy_only, checksum=checksums)
        self.clock += dt.timedelta(seconds=1)
        backup_type = {"full": FULL, "diff": DIFFERENTIAL, "log": LOG}[kind]
        header = SetHeader(
            set_guid=new_guid(),
            backup_type=backup_type,
            database_name="PRS",
            boot=self.database.boot.to_dict(),
            started=self.clock.replace(tzinfo=None).isoformat(),
            time_zone=0,
            compressed=compressed,
            checksums=checksums,
        )
        self.made += 1
        devices = tuple(rf"C:\Backup\{self.made}-{number}.bak" for number in range(stripes))
        files = [[self.files.open(device, "wb")] for device in devices]
        labels = labels_for(stripes, compressed=compressed)
        tapes = [begin_media(copies, label) for copies, label in zip(files, labels, strict=True)]
        source.describe(header)
        writer = SetWriter(tapes, header)
        writer.begin()
        if isinstance(source, DataBackup):
            for images in source.pages():
                writer.pages(images)
        if during:
            during()
        for records in source.log():
            writer.log(records)
        source.describe(header)
        header.finished = self.clock.replace(tzinfo=None).isoformat()
        writer.finish()
        source.finish(header)
        for (file,) in files:
            file.close()
        found = Taken(self.families(devices)[0].sets[0].header, devices)
        self.taken.append(found)
        return found

    def families(self, devices: tuple[str, ...]) -> list[Family]:
        return [scan(device, self.files.open(device)) for device in devices]

    # Restores

    def restore(self, *sets: Taken, stop: Stop | None = None, name: str = "Copy", end: bool = True) -> Database:
        """A new database from these sets in this order. Raises the SqlError of the set that does not fit."""
        copy = self.empty(name)
        try:
            for one in sets:
                self.apply(copy, one, stop=stop)
            if end:
                recover(copy)
        except SqlError:
            self.discard(copy)
            raise
        return copy

    def empty(self, name: str) -> Database:
        self.made += 1
        data_path, log_path = rf"C:\Data\{name}{self.made}.mdf", rf"C:\Data\{name}{self.made}_log.ldf"
        boot = Boot(name=name, created="", forks=self.database.boot.forks, state="RESTORING")
        for path in (data_path, log_path):
            self.files.write(path, b"")
        LogFile.create(self.files.real(log_path), boot).close()
        copy = Database(
            name=name,
            files=self.files,
            data_path=data_path,
            log_path=log_path,
            work=self.root / f"work{self.made}",
            boot=boot,
        )
        copy.open_files()
        copy.state = "RESTORING"
        return copy

    def apply(self, copy: Database, one: Taken, *, stop: Stop | None = None) -> bool:
        families = self.families(one.devices)
        reader = SetReader(families, one.position, key=None, database=copy.name)
        reader.check_whole()
        header = reader.header
        roll = Rollforward(copy, header, stop=stop if header.backup_type == LOG else None)
        if header.backup_type == FULL:
            roll.begin_full(keep_identity=False)
        elif header.backup_type == DIFFERENTIAL:
            check_differential(copy.boot, header)
            roll.begin_differential()
        else:
            check_log(copy.boot, header)
        for kind, items, _ in reader.chunks():
            if kind == "PAGE":
                roll.pages(items)
            elif not roll.records(items):
                break
        for family in families:
            family.file.close()
        if header.backup_type == LOG:
            return roll.finish_log()
        roll.finish_data()
        return True

    def discard(self, copy: Database) -> None:
        copy.crash()
        for path in (copy.data_path, copy.log_path):
            with contextlib.suppress(Exception):
                self.files.remove(path)
        copy.forget_working_folder()

    def adopt(self, copy: Database) -> None:
        """Work goes on in the restored database; PRS as it was is gone."""
        self.rows = rows_in(copy)
        self.discard(self.database)
        self.database = copy

    # Truth

    def expected(self, boot: Boot, x: int) -> frozenset[int]:
        """The rows of a database that stands on these forks before LSN x."""
        best: frozenset[int] = frozenset()
        for moment in sorted(self.moments, key=lambda one: one.lsn):
            if moment.lsn < x and fork_before(boot.forks, moment.lsn).guid == moment.fork:
                best = moment.rows
        return best


def wall(moment: dt.datetime) -> dt.datetime:
    """A moment as STOPAT names it for a server whose clock shows UTC."""
    return moment.replace(tzinfo=None)


def rows_in(database: Database) -> frozenset[int]:
    connection = database.connect()
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return frozenset(row[0] for row in connection.execute("SELECT n FROM t"))
    finally:
        connection.close()
