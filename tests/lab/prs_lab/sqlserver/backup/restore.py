"""RESTORE DATABASE and RESTORE LOG."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterable, Iterator

from ...windows.errors import WinError
from ..context import InstanceContext, SessionContext
from ..errors import Cancelled, SqlError, Unmodelled
from ..parse.ir import Move, Restore
from ..storage import lifecycle, lsn, target
from ..storage.boot import Boot, new_guid
from ..storage.database import Database
from ..storage.logfile import LogDamage, LogFile
from ..storage.media import Label, StoredSet
from ..storage.pages import PAGE
from ..storage.set_reader import SetReader
from ..storage.setheader import FULL, LOG, SetHeader
from ..storage.stop import Stop
from ..storage.target import Rollforward
from ..wire.items import Done, Info, Item
from . import history
from .devices import MediaSet, key_of, opened
from .messages import error, os_error
from .plan import DATABASE_VERSIONS, Targets, check_in_use, check_overwrite, check_set, target_files
from .progress import Pace, finished, processed
from .rights import check_restore
from .times import from_literal, zone_of

__all__ = ["restore"]

_LEFT_RESTORING = (
    "This backup set contains records that were logged before the designated point in time. The database is being "
    "left in the restoring state so that more "
    "roll forward can be performed."
)
_LEFT_BEFORE_MARK = (
    "This log file contains records logged before the designated mark. The database is being left in the Restoring "
    "state so you can apply another log "
    "file."
)


def restore(instance: InstanceContext, session: SessionContext, statement: Restore) -> Iterator[Item]:
    """The statement, checked and run."""
    name, options = str(statement.database), statement.options
    _check_modelled(statement)
    if name.lower() == "tempdb":
        raise error(3147)
    if name.lower() == "master":
        raise error(3108)
    check_restore(instance, session, database=name)
    stop = _stop(instance, statement)
    if not statement.devices:
        yield from _only_recover(instance, session, statement, name)
    else:
        media_name = None if options.media_name is None else str(options.media_name)
        with opened(instance, statement.devices, media_name=media_name) as media:
            media.check_complete()
            found = media.stored(_position(statement))
            yield from _apply(instance, session, statement, name, media, found, stop)
    yield Done()


def _check_modelled(statement: Restore) -> None:
    options = statement.options
    if statement.files:
        raise Unmodelled(f"RESTORE of single parts ({', '.join(choice.kind for choice in statement.files)})")
    for said, what in (
        (options.partial, "PARTIAL"),
        (options.restart, "RESTART"),
        (options.metadata_only, "METADATA_ONLY"),
    ):
        if said:
            raise Unmodelled(f"RESTORE WITH {what}")


def _position(statement: Restore) -> int:
    return 1 if statement.options.file is None else int(statement.options.file)


def _stop(instance: InstanceContext, statement: Restore) -> Stop | None:
    """STOPAT and its like. Raises SqlError 3217, 4334 (no LSN), 4340 (a mark in RESTORE DATABASE)."""
    options = statement.options
    if options.stop_at is not None:
        return Stop(time=from_literal(str(options.stop_at), "STOPAT"), zone=zone_of(instance))
    if options.mark is None:
        return None
    try:
        place = lsn.from_mark(str(options.mark.name))
    except ValueError as failure:
        raise error(4334) from failure
    if place is not None:
        return Stop(lsn=place, before=options.mark.before)
    if statement.what == "database":
        raise error(4340)
    after = None if options.mark.after is None else from_literal(str(options.mark.after), "AFTER")
    return Stop(mark=str(options.mark.name), after=after, zone=zone_of(instance), before=options.mark.before)


def _apply(
    instance: InstanceContext,
    session: SessionContext,
    statement: Restore,
    name: str,
    media: MediaSet,
    found: StoredSet,
    stop: Stop | None,
) -> Iterator[Item]:
    header, options = found.header, statement.options
    what = f"RESTORE {statement.what.upper()}"
    key = key_of(instance, found)
    reader = SetReader(media.families, found.position, key=key, database=name, tolerant=options.continue_after_error)
    reader.check_whole()
    check_set(instance, statement, header, media.first.device)
    if options.end == "standby" and header.database.version < DATABASE_VERSIONS.get(instance.version[0], 0):
        raise error(3180)
    database = instance.databases.get(name)
    with instance.doors.at(name, session=session):
        if database is not None:
            check_in_use(instance, session, database, what)
        if header.backup_type == FULL:
            if database is not None:
                check_overwrite(database, header, options, stop)
            if stop is not None and _before_end(stop, header.last_lsn, header.database.last_commit):
                raise error(4338)
            targets = target_files(instance, name, header, options.moves, replace=options.replace)
            database = _make_room(instance, name, header, targets, database)
        else:
            database = _check_continues(name, database, header, stop)
            _check_moves(database, options.moves)
    began = time.monotonic()
    with _restoring(database):
        roll = Rollforward(database, header, stop=stop if header.backup_type == LOG else None)
        with _kept_true(roll):
            yield from _run(instance, session, statement, reader, roll)
            reached = _finish(roll, stop)
        ended = _end(instance, statement, database, reached)
    _remember(instance, session, statement, database, found, media, stop, recovered=ended)
    pages = _pages(header.size)
    yield processed(header.pages, database=name, file=database.boot.data_name, position=found.position)
    yield processed(pages - header.pages, database=name, file=database.boot.log_name, position=found.position)
    if not reached:
        yield Info(4329, _LEFT_BEFORE_MARK) if stop is not None and stop.time is None else Info(4322, _LEFT_RESTORING)
    if reader.damaged:
        yield Info(
            3184,
            "RESTORE WITH CONTINUE_AFTER_ERROR was successful but some damage was encountered. Inconsistencies in "
            "the database are possible.",
        )
    yield finished(what, pages, time.monotonic() - began)


def _pages(size: int) -> int:
    return -(-size // PAGE)


def _before_end(stop: Stop, last_lsn: int, last_commit: str | None) -> bool:
    """Whether a stop lies in what a data backup cannot give up any more."""
    if stop.lsn is not None:
        return stop.lsn < last_lsn
    return stop.is_before(last_commit)


def _check_moves(database: Database, moves: Iterable[Move]) -> None:
    """Raises SqlError 3174: only files that the set itself adds can be placed, and this twin's logs add none."""
    paths = {database.boot.data_name.lower(): database.data_path, database.boot.log_name.lower(): database.log_path}
    for move in moves:
        path = paths.get(str(move.logical).lower())
        if path is not None and path.lower() != str(move.physical).lower():
            raise error(3174, logical=str(move.logical))


def _check_continues(name: str, database: Database | None, header: SetHeader, stop: Stop | None) -> Database:
    """The restoring database that the set goes on with. Raises SqlError 3118, 3117, 3136, 4305, 4326, 4330, 4335, 4338,
    4341.
    """
    if database is None:
        raise error(3118, name=name)
    if database.boot.state not in ("RESTORING", "STANDBY") or database.state not in ("RESTORING", "ONLINE"):
        raise error(3117)
    if database.boot.family_guid != header.database.family_guid:
        raise error(3154, name=name, state=4)
    if header.backup_type != LOG:
        target.check_differential(database.boot, header)
        if stop is not None and _before_end(stop, header.last_lsn, header.database.last_commit):
            raise error(4338)
        return database
    target.check_log(database.boot, header)
    if stop is not None:
        if Rollforward(database, header, stop=stop).too_early():
            raise error(4335)
        if stop.lsn is not None and stop.lsn < (database.boot.redo_start_lsn or 0) - 1 and not stop.before:
            raise error(4338)
        inside = stop.time is None or stop.is_before(header.last_commit)
        if header.bulk and inside:
            raise error(4341)
    return database


def _make_room(
    instance: InstanceContext, name: str, header: SetHeader, targets: Targets, database: Database | None
) -> Database:
    """Empty files at the targets; an existing database gives up its own. From here on the database is RESTORING."""
    files = instance.files()
    if database is not None:
        database.crash()
        for path in (database.data_path, database.log_path):
            with contextlib.suppress(WinError):
                files.remove(path)
        database.data_path, database.log_path = targets.data_path, targets.log_path
    else:
        work = instance.root / "work" / f"restored-{new_guid()}"
        empty = Boot(name=name, created=header.database.created, forks=header.database.forks)
        database = Database(
            name=name, files=files, data_path=targets.data_path, log_path=targets.log_path, work=work, boot=empty
        )
    database.boot.state = database.state = "RESTORING"
    database.boot.redo_start_lsn = None
    for path in (targets.data_path, targets.log_path):
        try:
            with contextlib.suppress(WinError):
                files.remove(path)
            real = lifecycle.make_file(files, path)
        except WinError as failure:
            raise error(
                3634, cause=os_error(failure), call="RestoreContainer::ValidateTargetForCreation", path=path
            ) from failure
        if path == targets.log_path:
            LogFile.create(real, database.boot).close()
    database.open_files()
    if instance.databases.get(name) is None:
        instance.databases.add(database)
    instance.databases.update(
        database, offline=False, user_access="SINGLE_USER" if header.single_user else "MULTI_USER"
    )
    return database


@contextlib.contextmanager
def _restoring(database: Database) -> Iterator[None]:
    """Nobody else restores or backs up meanwhile. Raises SqlError 3101."""
    with database.lock:
        if database.busy:
            raise error(3101)
        database.busy.add("restore")
    try:
        yield
    finally:
        database.busy.discard("restore")


@contextlib.contextmanager
def _kept_true(roll: Rollforward) -> Iterator[None]:
    """Whatever ends the block early, the database says where it stands. Raises SqlError 3634 for a full drive, 3189 for
    a damaged record.
    """
    try:
        yield
    except WinError as failure:
        roll.abort()
        raise error(3634, cause=os_error(failure), call="SetEndOfFile", path=failure.path) from failure
    except OSError as failure:
        # The instance stopped and closed the files under our hands.
        raise Cancelled from failure
    except LogDamage as failure:
        roll.abort()
        raise SqlError(3189, "Damage to the backup set was detected.") from failure
    except BaseException:
        roll.abort()
        raise


def _run(
    instance: InstanceContext, session: SessionContext, statement: Restore, reader: SetReader, roll: Rollforward
) -> Iterator[Item]:
    """Move the set's contents into the files."""
    database, header = roll.database, roll.header
    if database.is_in_standby:
        target.leave_standby(database)
    if header.backup_type == FULL:
        same = database.boot.family_guid == header.database.family_guid
        roll.begin_full(keep_identity=same)
    elif header.backup_type != LOG:
        roll.begin_differential()
    pace = Pace(
        instance,
        session,
        command=f"RESTORE {statement.what.upper()}",
        total=reader.stored_bytes,
        stats=statement.options.stats,
    )
    for kind, items, size in reader.chunks():
        if kind == "PAGE":
            roll.pages(items)
        elif not roll.records(items):
            break
        yield from pace.advance(size)
    yield from pace.complete()


def _finish(roll: Rollforward, stop: Stop | None) -> bool:
    """Whether the database may be recovered now: a stop that this set does not reach keeps it RESTORING."""
    if roll.header.backup_type == LOG:
        return roll.finish_log()
    roll.finish_data()
    return stop is None


def _end(instance: InstanceContext, statement: Restore, database: Database, reached: bool) -> bool:
    """RECOVERY, NORECOVERY or STANDBY; returns whether the database was recovered."""
    options = statement.options
    if not reached or options.end == "norecovery":
        instance.databases.update(database)
        return False
    _recover(instance, database, standby=str(options.standby) if options.end == "standby" else None)
    instance.databases.update(database, **({"user_access": "RESTRICTED_USER"} if options.restricted_user else {}))
    return options.end != "standby"


def _recover(instance: InstanceContext, database: Database, *, standby: str | None) -> None:
    if standby is not None:
        try:
            instance.files().write(standby, b"PRSLAB-UNDO")
        except WinError as failure:
            raise error(
                3441, name=database.name, id=database.database_id, path=standby, cause=os_error(failure)
            ) from failure
    undo = database.boot.undo_file
    try:
        target.recover(database, standby=standby)
    except sqlite3.DatabaseError as failure:
        database.crash()
        database.state = "SUSPECT"
        raise SqlError(3167, f"RESTORE could not start database '{database.name}'.") from failure
    if standby is None:
        if undo:
            with contextlib.suppress(WinError):
                instance.files().remove(undo)
        database.boot.version = max(database.boot.version, DATABASE_VERSIONS.get(instance.version[0], 0))
        database.save()


def _only_recover(instance: InstanceContext, session: SessionContext, statement: Restore, name: str) -> Iterator[Item]:
    """RESTORE DATABASE name WITH RECOVERY (or STANDBY): nothing more is applied."""
    database = instance.databases.get(name)
    if database is None:
        raise error(911, name=name, state=11)
    check_in_use(instance, session, database, "RESTORE DATABASE")
    if database.boot.state not in ("RESTORING", "STANDBY") or database.state not in ("RESTORING", "ONLINE"):
        raise error(3153)
    if statement.options.end == "standby" and database.boot.version < DATABASE_VERSIONS.get(instance.version[0], 0):
        raise error(3180)
    began = time.monotonic()
    with _restoring(database):
        if database.is_in_standby:
            target.leave_standby(database)
        _end(instance, statement, database, True)
    yield finished(f"RESTORE {statement.what.upper()}", 0, time.monotonic() - began)


def _remember(
    instance: InstanceContext,
    session: SessionContext,
    statement: Restore,
    database: Database,
    found: StoredSet,
    media: MediaSet,
    stop: Stop | None,
    *,
    recovered: bool,
) -> None:
    options = statement.options
    label: Label = media.first.label
    set_id = history.backup_set_id(instance, found, label, [family.device for family in media.families])
    kind = "L" if found.header.backup_type == LOG else "D" if found.header.backup_type == FULL else "I"
    stop_at = from_literal(str(options.stop_at), "STOPAT") if options.stop_at is not None else None
    history.remember_restore(
        instance,
        database=database.name,
        user=session.login_name,
        set_id=set_id,
        kind=kind,
        replace=options.replace,
        recovery=recovered,
        stop_at=stop_at,
        mark=str(options.mark.name) if options.mark else None,
        before=bool(options.mark and options.mark.before),
        device_count=len(media.families),
        paths=(database.data_path, database.log_path),
    )
