"""Restoring: a database in state RESTORING, and sets that are applied to it one after the other.

Data pages are written straight into the .mdf; log records into the .ldf, and their pages into the .mdf. Whenever this
is broken off, what was persisted last says truthfully where the database stands: `redo_start_lsn` None in the middle of
data, else the LSN needed next.
"""

from __future__ import annotations

from collections.abc import Iterable

from ...windows.errors import WinError
from ..errors import Cancelled, SqlError
from .boot import Boot, DifferentialBase, Fork, fork_before, history_before, new_guid
from .database import Database
from .datafile import DataFile
from .logfile import LogFile, read_record
from .pages import PAGE
from .setheader import DIFFERENTIAL, SetHeader
from .stop import Stop

__all__ = [
    "Rollforward",
    "become_restoring",
    "check_differential",
    "check_log",
    "leave_standby",
    "recover",
    "redo_fork",
]


def redo_fork(boot: Boot) -> str | None:
    """redo_start_fork_guid of a restoring database."""
    return fork_before(boot.forks, boot.redo_start_lsn).guid if boot.redo_start_lsn is not None else None


def _another_path() -> SqlError:
    return SqlError(
        4330,
        "This backup set cannot be applied because it is on a recovery path that is inconsistent with the database. "
        "The recovery path is the sequence of "
        "data and log backups that have brought the database to a particular recovery point. Find a compatible "
        "backup to restore, or restore the rest of "
        "the database to match a recovery point within this backup set, which will restore the database to a "
        "different point in time.  For more "
        "information about recovery paths, see SQL Server Books Online.",
    )


def check_differential(boot: Boot, header: SetHeader) -> None:
    """Raises SqlError 3136 unless the set builds on the full that was restored; 4330 from another path."""
    if boot.restored_guid is None or header.base_guid != boot.restored_guid:
        raise SqlError(
            3136,
            "This differential backup cannot be restored because the database has not been restored to the correct "
            "earlier state.",
        )
    x = boot.redo_start_lsn
    if x is not None and history_before(header.database.forks, x) != history_before(boot.forks, x):
        raise _another_path()
    if x is not None and header.last_lsn < x:
        raise SqlError(
            3120,
            "This backup set will not be restored because all data has already been restored to a point beyond the "
            "time covered by this backup set.",
        )


def check_log(boot: Boot, header: SetHeader) -> None:
    """Raises SqlError 4305 (a gap), 4326 (nothing new in it) or 4330 (another recovery path) unless the set goes on
    where the database stands.
    """
    x = boot.redo_start_lsn
    if x is None:
        raise SqlError(
            4319,
            "A previous restore operation was interrupted and did not complete processing on file "
            f"'{boot.data_name}'. Either restore the backup set that "
            "was interrupted or restart the restore sequence.",
        )
    if header.first_lsn > x:
        raise SqlError(
            4305,
            f"The log in this backup set begins at LSN {header.first_lsn}, which is too recent to apply to the "
            "database. An earlier log backup that "
            f"includes LSN {x} can be restored.",
        )
    if header.last_lsn < x or (header.last_lsn == x and header.first_lsn < x):
        raise SqlError(
            4326,
            f"The log in this backup set terminates at LSN {header.last_lsn}, which is too early to apply to the "
            "database. A more recent log backup that "
            f"includes LSN {x} can be restored.",
        )
    if history_before(header.database.forks, x) != history_before(boot.forks, x):
        raise _another_path()


def become_restoring(database: Database) -> None:
    """The database leaves service where its log ends: after a tail was taken WITH NORECOVERY."""
    with database.lock:
        boot = database.boot
        boot.state = "RESTORING"
        boot.clean = False
        boot.redo_start_lsn = boot.next_lsn
        boot.restored_guid = None
        database.save()
        database.state = "RESTORING"


class Rollforward:
    """Applies one set. Use `pages` and `records` for its chunks in their order, then `finish`; or `abort`."""

    def __init__(self, database: Database, header: SetHeader, *, stop: Stop | None = None) -> None:
        self.database = database
        self.header = header
        self.stop = stop
        self.stopped = False
        self.applied = 0
        self._log_started = False
        self._pages = 0

    def _files(self) -> tuple[DataFile, LogFile]:
        """The open files. Raises Cancelled when the instance stopped meanwhile."""
        if self.database.data is None or self.database.log is None:
            raise Cancelled
        return self.database.data, self.database.log

    # Data

    def begin_full(self, *, keep_identity: bool) -> None:
        """Take on the set's identity. keep_identity: the same database is overwritten, so its own GUIDs stay."""
        old, boot = self.database.boot, self.header.database
        boot.name = self.database.name
        boot.data_guid, boot.log_guid = old.data_guid, old.log_guid
        boot.database_guid = old.database_guid if keep_identity else new_guid()
        boot.state, boot.clean, boot.redo_start_lsn, boot.undo_file = "RESTORING", False, None, None
        boot.restored_guid = None
        boot.pages = 0
        self.database.boot = boot
        self.database.state = "RESTORING"
        self._files()[1].replace([])
        self.database.save()

    def begin_differential(self) -> None:
        self.database.boot.redo_start_lsn = None
        self.database.save()

    def pages(self, images: Iterable[tuple[int, bytes]]) -> None:
        """Write data pages. Raises WinError 112 when the drive is full."""
        data, boot = self._files()[0], self.database.boot
        images = list(images)
        if self.database.files.free_bytes(self.database.data_path) < len(images) * PAGE:
            raise WinError(112, self.database.data_path)
        for number, image in images:
            data.write_page(number, image)
            boot.pages = max(boot.pages, number)

    # Log

    def records(self, chunk: Iterable[bytes]) -> bool:
        """Apply packed log records; False once the stop is reached (the rest of the set is not wanted)."""
        (data, log), boot = self._files(), self.database.boot
        if not self._log_started:
            log.replace([])
            self._log_started = True
        chunk = list(chunk)
        if self.database.files.free_bytes(self.database.log_path) < sum(map(len, chunk)):
            raise WinError(112, self.database.log_path)
        for raw in chunk:
            record = read_record(raw)
            if boot.redo_start_lsn is not None and record.head.lsn < boot.redo_start_lsn:
                log.append(raw)
                continue
            if self.stop is not None and not self.stop.takes(record.head):
                self.stopped = True
                return False
            log.append(raw)
            for number, image in record.images:
                data.write_page(number, image)
            boot.pages = self._pages = record.pages or self._pages or boot.pages
            boot.redo_start_lsn = record.head.next_lsn if boot.redo_start_lsn is not None else None
            boot.last_commit = record.head.time.isoformat() if record.head.time else boot.last_commit
            self.applied += len(record.images)
            if self.stop is not None and self.stop.ends_with(record.head):
                self.stopped = True
                return False
        return True

    # Ends

    def finish_data(self) -> None:
        """The data set is applied as a whole."""
        boot, header = self.database.boot, self.header
        at_end = header.database
        boot.redo_start_lsn = boot.next_lsn = boot.checkpoint_lsn = header.last_lsn
        boot.forks = at_end.forks
        boot.last_commit = at_end.last_commit
        boot.pages = self._pages or at_end.pages
        if header.backup_type == DIFFERENTIAL:
            boot.base = at_end.base
        else:
            boot.restored_guid = header.set_guid
            if not header.copy_only:
                boot.base = DifferentialBase(lsn=header.first_lsn, guid=header.set_guid, time=header.started)
                boot.database_backup_lsn = header.checkpoint_lsn
        starts_chain = boot.recovery_model != "SIMPLE" and (not header.copy_only or at_end.log_start_lsn is not None)
        boot.log_start_lsn = header.first_lsn if starts_chain else None
        boot.begins_chain = True
        self.database.save()

    def finish_log(self) -> bool:
        """The log set is applied, or applied up to the stop. Returns whether the stop was reached (True without a
        stop).
        """
        boot, header, log = self.database.boot, self.header, self._files()[1]
        assert boot.redo_start_lsn is not None
        reached = self.stop is None or self.stopped or self.stop.reached_at_end_of(header)
        if self.stopped:
            boot.log_start_lsn = header.first_lsn
            boot.forks = history_before(header.database.forks, boot.redo_start_lsn)
        else:
            boot.redo_start_lsn = header.last_lsn
            boot.log_start_lsn = header.last_lsn
            boot.forks = header.database.forks
            log.replace([])
        boot.begins_chain = False
        boot.next_lsn = boot.checkpoint_lsn = boot.redo_start_lsn
        boot.recovery_model = header.database.recovery_model
        self.database.save()
        return reached

    def abort(self) -> None:
        """Broken off: persist where the database stands."""
        boot = self.database.boot
        if boot.redo_start_lsn is not None:
            boot.next_lsn = boot.checkpoint_lsn = boot.redo_start_lsn
            boot.forks = history_before(self.header.database.forks, boot.redo_start_lsn)
        self.database.save()

    def too_early(self) -> bool:
        """Whether the wanted time lies before what the database already holds."""
        return self.stop is not None and self.stop.is_before(self.database.boot.last_commit)


def recover(database: Database, *, standby: str | None = None) -> None:
    """RESTORE ... WITH RECOVERY: online, on a recovery fork of its own. standby: path of the undo file; readable, and
    more log can follow.

    Raises SqlError 4333 when the data is not complete, sqlite3.DatabaseError when it makes no database.
    """
    with database.lock:
        boot = database.boot
        if boot.redo_start_lsn is None or database.data is None:
            raise SqlError(4333, "The database cannot be recovered because the log was not restored.")
        boot.next_lsn = boot.checkpoint_lsn = boot.redo_start_lsn
        if standby is None:
            boot.state = "ONLINE"
            boot.forks = [*boot.forks, Fork(new_guid(), boot.redo_start_lsn)]
            boot.redo_start_lsn = boot.restored_guid = boot.undo_file = None
        else:
            boot.state, boot.undo_file = "STANDBY", standby
        database.save()
        database.activate()
        database.save(tables=True)
        database.state = "ONLINE"


def leave_standby(database: Database) -> None:
    """A standby database is made RESTORING again, for the next set. Nobody may use it any more."""
    with database.lock:
        database.deactivate()
        database.boot.state = database.state = "RESTORING"
        database.save()
