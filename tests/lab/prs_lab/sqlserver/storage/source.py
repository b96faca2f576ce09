"""Taking backups: what of a database goes into a set, while the database stays in use.

    source = DataBackup(database, ...); for images in source.pages(): ...; for records in source.log(): ...;
    source.finish(header)

`finish` is what makes the backup count for the database; without it, `abort` lets go of the log.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import Cancelled, SqlError
from .boot import DifferentialBase
from .database import Database
from .datafile import DataFile
from .logfile import LogFile, RecordHead
from .pages import PAGE, intact, page_lsn, place_of
from .set_writer import CHUNK_PAGES
from .setheader import DIFFERENTIAL, FULL, SetHeader

__all__ = ["DataBackup", "LogBackup", "bad_page_error"]

_CHUNK_BYTES = CHUNK_PAGES * PAGE


def bad_page_error(path: str, page: int) -> SqlError:
    """3043; `page` counts as SQLite does, from 1."""
    return SqlError(3043, f"BACKUP '{path}' detected an error on page (1:{place_of(page)}) in file '{path}'.")


class _Backup:
    def __init__(self, database: Database, *, continue_after_error: bool) -> None:
        self.database = database
        self.continue_after_error = continue_after_error
        self.damaged = False
        self.first_lsn = 0
        self.last_lsn = 0

    def _log(self) -> LogFile:
        """The open log. Raises Cancelled when the instance stopped meanwhile."""
        if self.database.log is None:
            raise Cancelled
        return self.database.log

    def _data(self) -> DataFile:
        """The open data file. Raises Cancelled when the instance stopped meanwhile."""
        if self.database.data is None:
            raise Cancelled
        return self.database.data

    def _records(self, heads: list[RecordHead]) -> Iterator[list[bytes]]:
        group: list[bytes] = []
        size = 0
        for head in heads:
            with self.database.lock:
                group.append(self._log().raw(head))
            size += head.size
            if size >= _CHUNK_BYTES:
                yield group
                group, size = [], 0
        if group:
            yield group

    def _describe(self, header: SetHeader, heads: list[RecordHead]) -> None:
        """What header and database agree on at the end of the set."""
        boot = self.database.boot.copy()
        boot.next_lsn = self.last_lsn
        times = [head.time for head in heads if head.time]
        header.boot = boot.to_dict()
        header.first_lsn, header.last_lsn = self.first_lsn, self.last_lsn
        header.database_backup_lsn = boot.database_backup_lsn
        header.base_lsn, header.base_guid = None, None
        header.bulk = any(head.bulk for head in heads)
        header.damaged = self.damaged
        header.last_commit = times[-1].isoformat() if times else None


class DataBackup(_Backup):
    """A full or differential backup. checksum: verify every page; a bad one raises SqlError 3043 (or is taken along,
    continue_after_error).
    """

    def __init__(
        self,
        database: Database,
        *,
        differential: bool = False,
        copy_only: bool = False,
        checksum: bool = True,
        continue_after_error: bool = False,
    ) -> None:
        super().__init__(database, continue_after_error=continue_after_error)
        self.differential = differential
        self.copy_only = copy_only and not differential
        self.checksum = checksum
        self._heads: list[RecordHead] = []
        with database.lock:
            self.base = database.boot.base if differential else None
            self.checkpoint_lsn = self.first_lsn = database.checkpoint(force=True)
            self.last_lsn = database.next_lsn
            self.page_total = database.boot.pages
            database.pins.append(self.first_lsn)

    def pages(self) -> Iterator[list[tuple[int, bytes]]]:
        """The data file in groups of (number, image). The file may change underneath: the log in the set makes that
        good.
        """
        group: list[tuple[int, bytes]] = []
        for number in range(1, self.page_total + 1):
            with self.database.lock:
                image = self._data().read_page(number).ljust(PAGE, b"\0")
            sound = intact(image)
            if self.base is not None and sound and page_lsn(image) < self.base.lsn:
                continue
            if not sound and self.checksum:
                self._take_damaged(number)
            group.append((number, image))
            if len(group) == CHUNK_PAGES:
                yield group
                group = []
        if group:
            yield group
        if self.checksum and self.base is None:
            for number in self.database.damaged_pages():
                if number > self.page_total:  # the rows as SQL Server has them, which a restore writes anew
                    self._take_damaged(number)

    def _take_damaged(self, number: int) -> None:
        if not self.continue_after_error:
            raise bad_page_error(self.database.data_path, number)
        self.damaged = True

    def log(self) -> Iterator[list[bytes]]:
        """The log from the beginning of the set to now: with it the set stands for this moment."""
        with self.database.lock:
            self._heads = list(self._log().since(self.first_lsn))
            self.last_lsn = self.database.next_lsn
        yield from self._records(self._heads)

    def describe(self, header: SetHeader) -> None:
        """Fill in what the set holds; before the set is finished."""
        with self.database.lock:
            self._describe(header, self._heads)
            header.backup_type = DIFFERENTIAL if self.differential else FULL
            header.checkpoint_lsn = self.checkpoint_lsn
            header.copy_only = self.copy_only
            if self.base is not None:
                header.base_lsn, header.base_guid = self.base.lsn, self.base.guid

    def finish(self, header: SetHeader) -> None:
        """The backup is complete: it becomes the differential base, and the log chain begins if there was none.

        That is logged, after the last record of the set. So the next log backup ends later than this one even if nobody
        writes, and fits on it.
        """
        with self.database.lock:
            self.abort()
            if self.database.log is not None and not self.database.options.get("is_read_only"):
                self.database.boot.next_lsn = self.database.log.write(
                    "backup", lsn=self.database.boot.next_lsn, time=None
                ).next_lsn
            boot = self.database.boot
            if not self.copy_only:
                if boot.log_start_lsn is None and boot.recovery_model != "SIMPLE":
                    boot.log_start_lsn, boot.begins_chain = self.first_lsn, True
                if not self.differential:
                    boot.database_backup_lsn = self.checkpoint_lsn
                    boot.base = DifferentialBase(lsn=self.first_lsn, guid=header.set_guid, time=header.started)
            self.database.save()

    def abort(self) -> None:
        """Let go of the log."""
        with self.database.lock:
            if self.first_lsn in self.database.pins:
                self.database.pins.remove(self.first_lsn)


class LogBackup(_Backup):
    """A log backup, which needs nothing but the .ldf. copy_only: the log is not truncated.

    Raises SqlError 3049 when the log itself is damaged; with continue_after_error what comes before the damage is
    taken.
    """

    def __init__(self, database: Database, *, copy_only: bool = False, continue_after_error: bool = False) -> None:
        super().__init__(database, continue_after_error=continue_after_error)
        self.copy_only = copy_only
        with database.lock:
            boot, log = database.boot, database.log
            assert log is not None and boot.log_start_lsn is not None
            self.first_lsn, self.last_lsn = boot.log_start_lsn, boot.next_lsn
            self._heads = list(log.since(self.first_lsn))
            if log.damaged_at is not None:
                if not continue_after_error:
                    raise SqlError(
                        3049, "BACKUP detected corruption in the database log. Check the errorlog for more information."
                    )
                self.damaged = True
                self.last_lsn = self._heads[-1].next_lsn if self._heads else self.first_lsn
            database.pins.append(self.first_lsn)

    @property
    def size(self) -> int:
        """Bytes of records to come."""
        return sum(head.size for head in self._heads)

    def log(self) -> Iterator[list[bytes]]:
        """The records in groups."""
        yield from self._records(self._heads)

    def describe(self, header: SetHeader) -> None:
        """Fill in what the set holds; before the set is finished."""
        with self.database.lock:
            self._describe(header, self._heads)
            boot = self.database.boot
            header.checkpoint_lsn = boot.checkpoint_lsn
            header.begins_chain = boot.begins_chain
            header.copy_only = self.copy_only
            header.incomplete_metadata = self.database.data is None

    def finish(self, header: SetHeader) -> None:
        """The backup is complete: the log is truncated, unless the backup was copy-only."""
        with self.database.lock:
            self.abort()
            if not self.copy_only:
                if self.database.boot.begins_chain:
                    self.database.boot.chain_start_lsn = self.first_lsn
                self.database.boot.log_start_lsn = self.last_lsn
                self.database.boot.last_log_backup = header.started
                self.database.boot.begins_chain = False
                self.database.save()
                self.database.truncate_log()

    def abort(self) -> None:
        """Let go of the log."""
        with self.database.lock:
            if self.first_lsn in self.database.pins:
                self.database.pins.remove(self.first_lsn)
