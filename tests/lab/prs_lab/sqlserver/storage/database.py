"""A database: its .mdf and .ldf on the host's virtual drives, and while it is in use a working copy that SQLite has open.

Sessions open connections of their own (`connect`, or ATTACH `file`). Whatever they commit goes through `commit`, which
copies the page images of the commit from SQLite's write-ahead log to the .ldf, with an LSN and a time. The .mdf itself
changes at checkpoints only; after a crash the log brings it up to date. README.md says the rest.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import pathlib
import shutil
import sqlite3
import threading
from collections.abc import Collection, Iterable
from typing import Any

from ..host_protocol import Files
from . import faults
from .boot import Boot
from .datafile import DataFile
from .disk.system_tables import TableFacts
from .logfile import LogFile, RecordHead
from .pages import HEADER, PAGE, page_count_in, place_of, stamped
from .tables import tables_in
from .wal import WalReader

__all__ = ["STATES", "Database", "commit", "prepare"]

STATES = ("ONLINE", "RESTORING", "RECOVERING", "RECOVERY_PENDING", "SUSPECT", "EMERGENCY", "OFFLINE")
"""In the order of sys.databases.state: 0 is ONLINE."""

_CHECKPOINT_FRAMES = 2000
_ROOM_NEEDED = 64 << 10


def prepare(connection: sqlite3.Connection) -> None:
    """What every connection needs that databases are attached to: SQLite must not checkpoint on its own account."""
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("PRAGMA synchronous = OFF")


def commit(
    connection: sqlite3.Connection,
    databases: Iterable[Database],
    *,
    time: dt.datetime,
    mark: str | None = None,
    mark_description: str = "",
    bulk: bool = False,
) -> list[tuple[Database, RecordHead]]:
    """COMMIT on the connection, and log what it changed in these databases (name all that it may have written to).

    Returns the log record of each database that was changed.
    time: aware UTC. mark: of a marked transaction (BEGIN TRAN name WITH MARK). bulk: minimally logged under
    BULK_LOGGED. Raises SqlError 9002 or 1105 before anything is committed when a drive is full.
    """
    touched = sorted(set(databases), key=id)
    with contextlib.ExitStack() as locks:
        for database in touched:
            locks.enter_context(database.lock)
        for database in touched:
            database.check_room()
        if connection.in_transaction:
            connection.execute("COMMIT")
        return [
            (database, head)
            for database in touched
            for head in database.committed(time, mark=mark, mark_description=mark_description, bulk=bulk)
        ]


class Database:
    """One database of an instance, in whatever state it is.

    `data_path` and `log_path` are Windows paths seen through `files`; `work` is a folder of this machine for what must
    not lie on the virtual drives. Make one with `lifecycle.create`, `lifecycle.start` or `attaching.attach`.
    `incarnation` grows when `file` changes: an attached connection must then attach anew.
    """

    def __init__(
        self,
        *,
        name: str,
        files: Files,
        data_path: str,
        log_path: str,
        work: pathlib.Path,
        boot: Boot,
        owner: str = "sqlservr",
    ) -> None:
        self.name = name
        self.files = files
        self.data_path = data_path
        self.log_path = log_path
        self.work = work
        self.boot = boot
        self.owner = owner
        self.database_id = 0
        self.state = "OFFLINE"
        self.lock = threading.RLock()
        self.data: DataFile | None = None
        self.log: LogFile | None = None
        self.incarnation = 0
        self.file = ""
        self.pins: list[int] = []
        self.busy: set[str] = set()
        """What runs on it: "database" or "log" (a backup), "restore"."""
        self.leaving = False
        self.has_room = False
        """It is made anew in files that are there, so that a full drive does not matter."""
        self.mirroring_role: str | None = None
        """PRINCIPAL or MIRROR while it is in a mirroring session."""
        self.mirror_lsn: int | None = None
        """What the mirror needs next of the log."""
        self._keeper: sqlite3.Connection | None = None
        self._wal: WalReader | None = None
        self._generation = 0
        self._frames: list[
            tuple[int, bytes, int, int]
        ] = []  # of SQLite's WAL: page, its header in the .mdf, LSN of the commit, pages after the commit
        self._copy = -1
        """The working copy, open as long as SQLite has it: to close it would take SQLite's locks away."""
        self._in_data = 0
        self._signature: tuple[int, int, int] | None = None
        self._damaged: list[int] = []

    # What the catalog shows

    @property
    def recovery_model(self) -> str:
        return self.boot.recovery_model

    @property
    def family_guid(self) -> str:
        return self.boot.family_guid

    @property
    def is_in_standby(self) -> bool:
        return self.boot.state == "STANDBY" and self.state == "ONLINE"

    @property
    def options(self) -> dict[str, Any]:
        """Options that travel with the database; change them by `set_option`."""
        return self.boot.options

    @property
    def next_lsn(self) -> int:
        return self.boot.next_lsn

    @property
    def log_reuse_wait(self) -> str:
        """log_reuse_wait_desc: what keeps the log from being truncated."""
        if self.pins:
            return "ACTIVE_BACKUP_OR_RESTORE"
        if (
            self.boot.log_start_lsn is not None
            and self.log is not None
            and any(self.log.since(self.boot.log_start_lsn))
        ):
            return "LOG_BACKUP"
        if self.mirror_lsn is not None and self.log is not None and any(self.log.since(self.mirror_lsn)):
            return "DATABASE_MIRRORING"
        return "NOTHING"

    @property
    def chain_intact(self) -> bool:
        """Whether a log backup is possible now: full recovery, and a full backup taken since."""
        return self.boot.log_start_lsn is not None

    @property
    def busy_with(self) -> str | None:
        """One of the things that run on it, None when nothing does."""
        return next(iter(sorted(self.busy)), None)

    # Connections

    @property
    def is_open(self) -> bool:
        """Whether its SQLite file is in use: ONLINE (standby included) or EMERGENCY."""
        return self._keeper is not None

    def check_open(self) -> None:
        """Raises SqlError (927, 926, 942, 945, 954, 955) unless the database can be used now."""
        self._look_at_disk()
        if not self.is_open and self.mirroring_role and self.state in ("RESTORING", "RECOVERING"):
            raise faults.cannot_open(self.name, self.mirroring_role)
        if not self.is_open:
            raise faults.cannot_open(
                self.name, self.state if self.state in ("RESTORING", "SUSPECT", "OFFLINE") else "RECOVERY_PENDING"
            )

    def connect(self) -> sqlite3.Connection:
        """A new connection in autocommit mode, for any one thread at a time; its transactions end by `commit`. Raises
        like `check_open`.
        """
        self.check_open()
        connection = None
        try:
            connection = sqlite3.connect(self.file, isolation_level=None, check_same_thread=False)
            prepare(connection)
        except sqlite3.Error:
            if connection is not None:
                connection.close()
            self.check_open()  # it may have been closed since it was looked at
            raise
        return connection

    def check_pages(self, tables: Collection[str] | None = None) -> None:
        """Raises SqlError 824 when a page of these tables (None: of any) is damaged on disk. Cheap as long as nobody
        touched the file.
        """
        with self.lock:
            self._look_at_disk()
            for number in self._damaged:
                owner = self.table_of_page(number)
                if tables is None or owner is None or owner.lower() in {name.lower() for name in tables}:
                    raise faults.bad_page(database_id=self.database_id, page=place_of(number), path=self.data_path)

    def table_of_page(self, number: int) -> str | None:
        """The table or index that a page belongs to; None when that cannot be known, "" for a free page."""
        if self._keeper is None:
            return None
        if number > self.boot.pages:
            return self.data.owner_at(number) if self.data is not None else None
        try:
            row = self._keeper.execute(
                "SELECT coalesce(s.tbl_name, d.name) FROM dbstat AS d LEFT JOIN sqlite_schema AS s ON s.name = "
                "d.name WHERE d.pageno = ?",
                (number,),
            ).fetchone()
        except sqlite3.Error:
            return None
        return row[0] if row else ""

    def damaged_pages(self) -> list[int]:
        """Pages (from 1) with a wrong checksum in the .mdf, read from the disk now. Pages that the log will rewrite
        anyway do not count.
        """
        with self.lock:
            if self.data is None:
                return []
            rewritten = {number for number, *_ in self._frames[self._in_data :]}
            count = max(self.boot.pages, self.data.count)
            self._damaged = [number for number in self.data.damaged_pages(count) if number not in rewritten]
            self._signature = self.data.signature()
            return list(self._damaged)

    def broken_structures(self) -> list[str]:
        """What SQLite finds wrong with what the .mdf holds now."""
        with self.lock:
            if self.data is None:
                return []
            self.checkpoint()
            path = f"{self.file}-check"
            try:
                self.data.unpack_to(path, self.boot.pages)
                connection = sqlite3.connect(f"file:{path}?immutable=1", uri=True)
                try:
                    found = connection.execute("PRAGMA integrity_check").fetchall()
                finally:
                    connection.close()
            except sqlite3.DatabaseError as failure:
                return [str(failure)]
            finally:
                with contextlib.suppress(OSError):
                    os.remove(path)
        return [text for (text,) in found if text != "ok"]

    def _look_at_disk(self) -> None:
        """Notice what others did to the .mdf: damage, or its loss."""
        with self.lock:
            if not self.is_open or self.data is None:
                return
            try:
                found = os.stat(self.data.path)
            except OSError:
                found = None
            if found is None or found.st_ino != self.data.signature()[0]:
                self.crash()
                self.state = "RECOVERY_PENDING"
            elif self._signature != (found.st_ino, found.st_size, found.st_mtime_ns):
                self.damaged_pages()

    # Commits and checkpoints

    def check_room(self) -> None:
        """Raises SqlError 9002 or 1105 when the drive of the log or of the data has no room for a commit."""
        if not self.is_open or self.has_room:
            return
        if self.files.free_bytes(self.log_path) < _ROOM_NEEDED:
            raise faults.log_full(self.name, self.log_reuse_wait)
        if self.files.free_bytes(self.data_path) < _ROOM_NEEDED:
            raise faults.data_full(self.name)

    def committed(
        self, time: dt.datetime, *, mark: str | None = None, mark_description: str = "", bulk: bool = False
    ) -> list[RecordHead]:
        """Log every commit that SQLite has written since the last call; returns the heads of the new records. Rather
        use `commit`.
        """
        with self.lock:
            if self._wal is None or self.log is None:
                return []
            commits = self._wal.poll()
            written = []
            for place, found in enumerate(commits):
                if found.generation != self._generation:
                    self._generation, self._frames, self._in_data = found.generation, [], 0
                lsn = self.boot.next_lsn
                frames = [
                    (number, stamped(image, number, lsn + slot)) for slot, (number, image) in enumerate(found.frames, 1)
                ]
                images = dict(frames)
                pages = page_count_in(dict(found.frames)[1]) if 1 in images else self._pages_now()
                last = place == len(commits) - 1
                head = self.log.write(
                    "commit",
                    lsn=lsn,
                    time=time,
                    pages=pages,
                    images=list(images.items()),
                    bulk=bulk and self.recovery_model == "BULK_LOGGED",
                    mark=mark if last else None,
                    mark_description=mark_description if last else "",
                )
                self.boot.next_lsn = head.next_lsn
                self.boot.last_commit = time.isoformat()
                self._frames += [(number, image[:HEADER], lsn, pages) for number, image in frames]
                written.append(head)
            if len(self._frames) - self._in_data > _CHECKPOINT_FRAMES:
                self.checkpoint()
            return written

    def checkpoint(self, *, force: bool = False) -> int:
        """Bring the .mdf up to date as far as no reader still needs old pages; returns the checkpoint's LSN. force: log
        one even when idle.
        """
        with self.lock:
            if self._keeper is None or self.data is None or self.log is None:
                return self.boot.checkpoint_lsn
            idle = self._in_data == len(self._frames)
            if idle and not force:
                return self.boot.checkpoint_lsn
            if not idle:
                _, _, done = self._keeper.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
                self._write_out(max(done, self._in_data))
            complete = self._in_data == len(self._frames)
            lsn = self.boot.next_lsn
            self.boot.next_lsn = self.log.write("checkpoint", lsn=lsn, time=None).next_lsn
            self.boot.checkpoint_lsn = lsn if complete else self._frames[self._in_data][2]
            self.save(tables=not idle)
            self.truncate_log()
            return self.boot.checkpoint_lsn

    def _write_out(self, done: int) -> None:
        """Bring pages that SQLite has moved from its log to the working copy into the .mdf."""
        assert self.data is not None
        newest = {number: head for number, head, _, _ in self._frames[self._in_data : done]}
        for number, head in newest.items():
            image = os.pread(self._copy, PAGE - HEADER, (number - 1) * PAGE)
            self.data.write_page(number, head + image.ljust(PAGE - HEADER, b"\0"))
        if done:
            at_end = self._frames[done - 1][3]
            self.boot.pages = at_end if done == len(self._frames) else max(self.boot.pages, at_end)
        self._in_data = done

    def _pages_now(self) -> int:
        return self._frames[-1][3] if self._frames else self.boot.pages

    def save(self, *, tables: bool = False) -> None:
        """Write the boot page's facts to both files. tables: and what tables there are, with their rows."""
        with self.lock:
            self.boot.paths = [self.data_path, self.log_path]
            if self.log is not None:
                self.log.write_boot(self.boot)
            if self.data is not None:
                self.data.finish(self.boot, self._tables() if tables else None)
                self._signature = self.data.signature()

    def _tables(self) -> list[TableFacts] | None:
        """None where they cannot be counted now."""
        try:
            if self._keeper is None:
                return None
            return tables_in(self._keeper, collation=str(self.options.get("collation") or ""))
        except sqlite3.DatabaseError:
            return None

    def set_option(self, name: str, value: Any) -> None:
        """Keep an option that belongs to the database (JSON types only)."""
        self.boot.options[name] = value
        self.save()

    def truncate_log(self) -> None:
        """Forget what neither recovery nor the next log backup nor a running backup needs."""
        if self.log is None:
            return
        needed = [self.boot.checkpoint_lsn, *self.pins]
        if self.boot.log_start_lsn is not None:
            needed.append(self.boot.log_start_lsn)
        if self.mirror_lsn is not None:
            needed.append(self.mirror_lsn)
        self.log.discard_before(min(needed))

    def set_recovery_model(self, model: str) -> None:
        """FULL, BULK_LOGGED or SIMPLE. Leaving SIMPLE begins no chain: that takes a full or differential backup."""
        with self.lock:
            self.boot.recovery_model = model
            if model == "SIMPLE":
                self.boot.log_start_lsn = None
                self.boot.begins_chain = True
            self.save()
            self.truncate_log()

    # Opening and closing of the working copy

    def activate(self) -> None:
        """Open what the recovered .mdf holds for use. Raises sqlite3.DatabaseError when it is no database."""
        assert self.data is not None
        self.incarnation += 1
        self.work.mkdir(parents=True, exist_ok=True)
        self.file = os.fspath(self.work / f"{self.boot.data_guid}-{self.incarnation}.mdf")
        self._remove_working_files()
        self._damaged = self.data.unpack_to(self.file, self.boot.pages)
        behind = range(self.boot.pages + 1, self.data.count + 1)
        self._damaged += [number for number in self.data.damaged_pages(self.data.count) if number in behind]
        self._signature = self.data.signature()
        keeper = sqlite3.connect(self.file, isolation_level=None, check_same_thread=False)
        try:
            prepare(keeper)
            keeper.execute("SELECT count(*) FROM sqlite_schema").fetchall()
        except sqlite3.DatabaseError:
            keeper.close()
            self._remove_working_files()
            raise
        self._keeper, self._wal = keeper, WalReader(self.file + "-wal")
        self._copy = os.open(self.file, os.O_RDONLY)
        self._generation, self._frames, self._in_data = 0, [], 0

    def close(self) -> None:
        """Shut down properly: everything into the .mdf, marked clean. The state is left to the caller."""
        with self.lock:
            if self.is_open:
                if self.boot.state == "ONLINE" and self.state == "ONLINE":
                    self.checkpoint(force=self._log_goes_on())
                    self.boot.clean = self._in_data == len(self._frames)
                self._release_keeper()
                self.save()
            self._close_files()

    def crash(self) -> None:
        """What a loss of power leaves: the .mdf as of the last checkpoint, and the log."""
        with self.lock:
            if self.is_open:
                # Without its frames SQLite cannot checkpoint on closing; the log has them all.
                with contextlib.suppress(OSError):
                    os.truncate(self.file + "-wal", 0)
                self._release_keeper()
            self._close_files()

    def _log_goes_on(self) -> bool:
        """Whether something was logged behind the last checkpoint; whoever closes a database properly writes another."""
        records = self.log.records if self.log is not None else []
        return bool(records) and records[-1].kind != "checkpoint"

    def deactivate(self) -> None:
        """Take the working copy out of use, everything in the .mdf, files still open: before they are restored over or
        a tail is taken.
        """
        with self.lock:
            if self.is_open:
                if self.boot.state == "ONLINE":
                    self.checkpoint()
                    self._write_rest()
                self._release_keeper()
                self.save()

    def _write_rest(self) -> None:
        """What a reader kept SQLite from moving to the working copy, from the log."""
        if self._in_data == len(self._frames) or self.data is None or self.log is None:
            return
        for head in self.log.since(self._frames[self._in_data][2]):
            record = self.log.read(head)
            for number, image in record.images:
                self.data.write_page(number, image)
            self.boot.pages = record.pages or self.boot.pages

    def _release_keeper(self) -> None:
        keeper, self._keeper, self._wal = self._keeper, None, None
        if keeper is not None:
            with contextlib.suppress(sqlite3.Error):
                keeper.close()
        if self._copy >= 0:
            os.close(self._copy)
            self._copy = -1
        self._remove_working_files()
        self._damaged = []

    def _remove_working_files(self) -> None:
        for suffix in ("-wal", "-shm", ""):
            with contextlib.suppress(OSError):
                os.remove(self.file + suffix)

    def open_files(self) -> None:
        """Open and hold what there is of both files. Raises WinError of the first that cannot be opened; the other one
        is open then.
        """
        failed: Exception | None = None
        for attribute, path, kind in (("data", self.data_path, DataFile), ("log", self.log_path, LogFile)):
            if getattr(self, attribute) is None:
                try:
                    self.files.real_path(path, "rb")
                    setattr(self, attribute, kind(self.files.real_path(path, "r+b")))
                    self.files.hold(path, self.owner)
                except Exception as error:
                    if not hasattr(error, "number"):
                        raise
                    failed = failed or error
        if failed:
            raise failed

    def _close_files(self) -> None:
        for attribute, path in (("data", self.data_path), ("log", self.log_path)):
            file = getattr(self, attribute)
            if file is not None:
                file.close()
                setattr(self, attribute, None)
                with contextlib.suppress(Exception):
                    self.files.release(path, self.owner)

    def forget_working_folder(self) -> None:
        """Remove what lies outside the virtual drives (the database is dropped)."""
        shutil.rmtree(self.work, ignore_errors=True)
