"""BACKUP DATABASE and BACKUP LOG."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import time
from collections.abc import Iterator
from typing import Any

from ...windows.errors import WinError
from ..context import InstanceContext, SessionContext
from ..errors import SqlError, Unmodelled
from ..parse.ir import Backup
from ..storage import faults, lifecycle, target
from ..storage.boot import new_guid
from ..storage.database import Database
from ..storage.headerblocks import provisional
from ..storage.media import StoredSet
from ..storage.pages import PAGE
from ..storage.set_writer import SetWriter
from ..storage.setheader import DIFFERENTIAL, FULL, LOG, Encrypted, SetHeader
from ..storage.source import DataBackup, LogBackup
from ..wire.items import Done, Info, Item
from . import history
from .destination import Destination
from .headers import local_time
from .messages import error
from .progress import Pace, finished, processed
from .rights import check_backup
from .times import from_literal, quarter_hours, zone_of

__all__ = ["backup"]

_SMALL_EDITIONS = ("express", "web")
_MIRRORING_EDITIONS = ("enterprise", "developer", "evaluation")


def backup(instance: InstanceContext, session: SessionContext, statement: Backup) -> Iterator[Item]:
    """The statement, checked and run."""
    what = "BACKUP LOG" if statement.what == "log" else "BACKUP DATABASE"
    database = _database(instance, session, statement, what)
    _check_edition(instance, statement, what)
    with _alone(database, statement.what):
        if statement.what == "log":
            yield from _log(instance, session, statement, database)
        else:
            yield from _data(instance, session, statement, database)
    yield Done()


def _database(instance: InstanceContext, session: SessionContext, statement: Backup, what: str) -> Database:
    """The database, in a state in which it can be backed up. Raises SqlError."""
    name, options = str(statement.database), statement.options
    if statement.files:
        raise Unmodelled("BACKUP of single files or filegroups")
    if options.restart:
        raise Unmodelled("BACKUP WITH RESTART")
    if name.lower() == "tempdb":
        raise error(3147)
    database = instance.databases.get(name)
    if database is None:
        raise error(911, name=name, state=11)
    check_backup(instance, session, what=what, database=database)
    if database.mirroring_role == "MIRROR":
        raise error(3059)
    if database.name.lower() == "master":
        if statement.what == "log":
            raise error(4212)
        if options.differential:
            raise error(3024)
    if database.state == "EMERGENCY":
        raise error(3033)
    salvage = statement.what == "log" and (options.no_truncate or options.continue_after_error)
    if database.state == "ONLINE":
        with contextlib.suppress(SqlError):
            database.check_open()
    if database.state != "ONLINE" and not (salvage and database.state in ("RECOVERY_PENDING", "SUSPECT")):
        raise faults.cannot_open(database.name, database.state)
    if database.is_in_standby:
        raise error(3036, name=database.name)
    if statement.what == "log":
        if database.recovery_model == "SIMPLE":
            raise error(4208)
        if not database.chain_intact:
            raise error(4214)
        if database.state != "ONLINE" and database.log is None:
            raise faults.cannot_open(database.name, database.state)
    elif options.differential and database.boot.base is None:
        raise error(3035, name=database.name)
    return database


def _check_edition(instance: InstanceContext, statement: Backup, what: str) -> None:
    edition = instance.settings.edition
    options = statement.options
    if edition.lower().startswith(_SMALL_EDITIONS):
        if options.compression:
            raise error(1844, what=f"{what} WITH COMPRESSION", edition=edition)
        if options.encryption:
            raise error(1844, what=f"{what} WITH ENCRYPTION", edition=edition)
    if statement.mirrors and not edition.lower().startswith(_MIRRORING_EDITIONS):
        raise error(3218)


@contextlib.contextmanager
def _alone(database: Database, what: str) -> Iterator[None]:
    """Two data backups, or two log backups, never run at once; nor any beside a restore. Raises SqlError 3023, 3101."""
    with database.lock:
        if "restore" in database.busy:
            raise error(3101)
        if what in database.busy:
            raise error(3023)
        database.busy.add(what)
    try:
        yield
    finally:
        with database.lock:
            database.busy.discard(what)


def _default(instance: InstanceContext, asked: bool | None, configuration: str) -> bool:
    """An option, or what sp_configure says when it is not given."""
    if asked is not None:
        return asked
    return bool(instance.configuration.get(configuration, 0))


def _new_header(instance: InstanceContext, session: SessionContext, statement: Backup, database: Database) -> SetHeader:
    options = statement.options
    small = instance.settings.edition.lower().startswith(_SMALL_EDITIONS)
    server = instance.name
    header = SetHeader(
        set_guid=new_guid(),
        backup_type=LOG if statement.what == "log" else DIFFERENTIAL if options.differential else FULL,
        database_name=database.name,
        boot=database.boot.to_dict(),
        started=instance.now().replace(microsecond=0).isoformat(),
        time_zone=quarter_hours(instance),
        name=_text(options.name),
        description=_text(options.description),
        expiration=_expiration(instance, statement),
        user_name=session.login_name,
        server_name=server,
        machine_name=server.partition("\\")[0],
        software=list(instance.version),
        compressed=not small and _default(instance, options.compression, "backup compression default"),
        checksums=_default(instance, options.checksum, "backup checksum default"),
        data_path=database.data_path,
        log_path=database.log_path,
        single_user=instance.databases.entry(database).get("user_access") == "SINGLE_USER",
        created=_created(instance, database),
    )
    return header


def _created(instance: InstanceContext, database: Database) -> str | None:
    created = local_time(database.boot.created, zone_of(instance))
    return created.isoformat() if created else None


def _announce(header: SetHeader, source: DataBackup | LogBackup) -> None:
    """What is known of the set when it begins; from 2019 on some LSNs are not."""
    before = header.database
    source.describe(header)
    header.provisional = provisional(header, before)


def _close(instance: InstanceContext, database: Database, header: SetHeader) -> None:
    """What is known at the end of the set only."""
    header.finished = instance.now().replace(microsecond=0).isoformat()
    header.data_size = database.data.size if database.data else database.boot.pages * PAGE
    header.log_size = _pages(database.log.size) * PAGE if database.log else 0


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _expiration(instance: InstanceContext, statement: Backup) -> str | None:
    options = statement.options
    if options.expire_date is not None:
        return from_literal(str(options.expire_date), "EXPIREDATE").isoformat()
    if options.retain_days is not None:
        return (instance.now().replace(microsecond=0) + dt.timedelta(days=int(options.retain_days))).isoformat()
    return None


def _encrypt(instance: InstanceContext, statement: Backup, header: SetHeader) -> bytes | None:
    """The key of an encrypted set; the header says how it is to be had again."""
    wanted = statement.options.encryption
    if wanted is None:
        return None
    if wanted.by != "certificate":
        raise Unmodelled("backup encryption by an asymmetric key")
    certificate = instance.certificate(wanted.name)
    if certificate is None:
        raise error(15151, kind="certificate", name=wanted.name)
    if certificate.expires < instance.utc_now():
        raise error(3096)
    key = os.urandom(32)
    header.encryption = Encrypted(
        algorithm=wanted.algorithm, thumbprint=certificate.thumbprint.hex().upper(), key=certificate.encrypt(key).hex()
    )
    return key


@contextlib.contextmanager
def _written(destination: Destination, source: DataBackup | LogBackup) -> Iterator[None]:
    """Whatever ends the block early leaves no valid set and no hold on the log."""
    try:
        yield
        destination.close()
    except WinError as failure:
        source.abort()
        destination.abort()
        raise destination.write_error(failure) from failure
    except BaseException:
        source.abort()
        destination.abort()
        raise


def _data(instance: InstanceContext, session: SessionContext, statement: Backup, database: Database) -> Iterator[Item]:
    options = statement.options
    began = time.monotonic()
    header = _new_header(instance, session, statement, database)
    key = _encrypt(instance, statement, header)
    destination = Destination.open(instance, statement, owner=f"backup {session.spid}", compressed=header.compressed)
    try:
        source = DataBackup(
            database,
            differential=options.differential,
            copy_only=options.copy_only,
            checksum=header.checksums,
            continue_after_error=options.continue_after_error,
        )
    except BaseException:
        destination.abort()
        raise
    with _written(destination, source):
        pace = Pace(instance, session, command="BACKUP DATABASE", total=source.page_total * PAGE, stats=options.stats)
        destination.begin()
        _announce(header, source)
        writer = SetWriter(destination.tapes, header, key=key)
        writer.begin()
        read = 0
        for images in source.pages():
            writer.pages(images)
            yield from pace.advance((images[-1][0] - read) * PAGE)
            read = images[-1][0]
        pages = header.pages
        yield processed(pages, database=database.name, file=database.boot.data_name, position=destination.position)
        yield from pace.complete()
        for records in source.log():
            writer.log(records)
            session.check()
        yield processed(
            _pages(header.size) - pages,
            database=database.name,
            file=database.boot.log_name,
            position=destination.position,
        )
        source.describe(header)
        _close(instance, database, header)
        writer.finish()
    source.finish(header)
    history.remember_backup(
        instance,
        StoredSet(destination.position, header, tail=header),
        destination.labels,
        destination.paths,
        destination.logical,
    )
    if header.damaged:
        yield Info(
            3042,
            "BACKUP WITH CONTINUE_AFTER_ERROR successfully generated a backup of the damaged database. Refer to the "
            "SQL Server error log for "
            "information about the errors that were encountered.",
        )
    what = "BACKUP DATABASE WITH DIFFERENTIAL" if options.differential else "BACKUP DATABASE"
    yield finished(what, _pages(header.size), time.monotonic() - began)


def _pages(size: int) -> int:
    return -(-size // PAGE)


def _log(instance: InstanceContext, session: SessionContext, statement: Backup, database: Database) -> Iterator[Item]:
    options = statement.options
    began = time.monotonic()
    tail = options.norecovery or options.standby is not None
    if tail and database.mirroring_role:
        raise Unmodelled("BACKUP LOG WITH NORECOVERY of a mirrored database")
    header = _new_header(instance, session, statement, database)
    header.force_offline = tail
    key = _encrypt(instance, statement, header)
    destination = Destination.open(instance, statement, owner=f"backup {session.spid}", compressed=header.compressed)
    try:
        if tail:
            _leave_service(instance, session, database)
        # NO_TRUNCATE is COPY_ONLY together with CONTINUE_AFTER_ERROR.
        source = LogBackup(
            database,
            copy_only=options.copy_only or options.no_truncate,
            continue_after_error=options.continue_after_error or options.no_truncate,
        )
    except BaseException:
        destination.abort()
        _back_to_service(database)
        raise
    try:
        with _written(destination, source):
            pace = Pace(instance, session, command="BACKUP LOG", total=source.size, stats=options.stats)
            destination.begin()
            _announce(header, source)
            writer = SetWriter(destination.tapes, header, key=key)
            writer.begin()
            for records in source.log():
                writer.log(records)
                yield from pace.advance(sum(map(len, records)))
            yield from pace.complete()
            source.describe(header)
            _close(instance, database, header)
            writer.finish()
    except BaseException:
        _back_to_service(database)
        raise
    source.finish(header)
    if tail:
        _stay_out(instance, database, standby=_text(options.standby))
    history.remember_backup(
        instance,
        StoredSet(destination.position, header, tail=header),
        destination.labels,
        destination.paths,
        destination.logical,
    )
    yield processed(
        _pages(header.size), database=database.name, file=database.boot.log_name, position=destination.position
    )
    yield finished("BACKUP LOG", _pages(header.size), time.monotonic() - began)


def _leave_service(instance: InstanceContext, session: SessionContext, database: Database) -> None:
    """WITH NORECOVERY or STANDBY: nobody may change anything from here on. Raises SqlError 924, 3101, 3102."""
    if session.database.lower() == database.name.lower():
        raise error(3102, what="BACKUP LOG", name=database.name)
    if instance.in_use(database.name, but=session):
        if instance.databases.entry(database).get("user_access") == "SINGLE_USER":
            raise error(924, name=database.name)
        raise error(3101)
    with database.lock:
        if database.state == "ONLINE":
            database.deactivate()
            database.state = "RESTORING"
            database.leaving = True


def _back_to_service(database: Database) -> None:
    """The tail was not taken: the database goes on as if nothing had been."""
    with database.lock:
        if database.leaving:
            database.leaving = False
            database.crash()
            lifecycle.bring_up(database)


def _stay_out(instance: InstanceContext, database: Database, *, standby: str | None) -> None:
    database.leaving = False
    target.become_restoring(database)
    if standby is not None:
        try:
            instance.files().write(standby, b"PRSLAB-UNDO")
        except WinError as failure:
            raise error(
                3441,
                name=database.name,
                id=database.database_id,
                path=standby,
                cause=f"{failure.number}({failure.text})",
            ) from failure
        target.recover(database, standby=standby)
