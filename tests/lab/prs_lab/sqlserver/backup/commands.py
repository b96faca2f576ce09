"""BACKUP, RESTORE and DBCC CHECKDB, run as generators of wire items in the session's thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..context import InstanceContext, SessionContext
from ..errors import SqlError, Unmodelled
from ..parse.ir import Backup, Restore, Statement
from ..storage.set_reader import SetReader
from ..wire.items import Done, Info, Item
from . import headers, history
from .checkdb import check_database
from .devices import key_of, opened
from .messages import error, terminating
from .plan import check_set
from .progress import Pace
from .restore import restore
from .rights import check_restore
from .take import backup

__all__ = ["check_database", "run"]

_NAMES = {
    "database": "RESTORE DATABASE",
    "log": "RESTORE LOG",
    "headeronly": "RESTORE HEADERONLY",
    "filelistonly": "RESTORE FILELIST",
    "labelonly": "RESTORE LABELONLY",
    "verifyonly": "VERIFY DATABASE",
}


def run(instance: InstanceContext, session: SessionContext, statement: Statement) -> Iterator[Item]:
    """Run one statement whose variables are resolved. Raises SqlError (followed by 3013 as on a real server),
    Cancelled, Unmodelled.

    Closing the generator gives the statement up, like Cancelled: a backup leaves no valid set, a restore leaves
    RESTORING.
    """
    if isinstance(statement, Backup):
        what, action = ("BACKUP LOG" if statement.what == "log" else "BACKUP DATABASE"), backup
    elif isinstance(statement, Restore) and statement.what in _NAMES:
        what, action = _NAMES[statement.what], _action(statement.what)
    else:
        raise Unmodelled(
            f"{type(statement).__name__.upper()} {getattr(statement, 'what', '')}".strip(), line=statement.line
        )
    try:
        if session.transaction_count:
            raise error(3021, state=0)
        yield from action(instance, session, statement)  # type: ignore[operator]
    except Unmodelled:
        raise
    except SqlError as failure:
        raise terminating(failure, what) from failure.__cause__


def _action(what: str) -> Callable[[InstanceContext, SessionContext, Restore], Iterator[Item]]:
    return {"database": restore, "log": restore, "verifyonly": _verify}.get(what, _look)


def _look(instance: InstanceContext, session: SessionContext, statement: Restore) -> Iterator[Item]:
    """HEADERONLY, FILELISTONLY and LABELONLY: they need the right to create databases."""
    options = statement.options
    if statement.what != "labelonly":
        check_restore(instance, session, database=None)
    media_name = None if options.media_name is None else str(options.media_name)
    with opened(instance, statement.devices, media_name=media_name) as media:
        position = None if options.file is None else int(options.file)
        if statement.what == "labelonly":
            yield from headers.label(media.first)
        elif statement.what == "headeronly":
            if position is not None:
                media.stored(position)
            yield from headers.headers(instance, media.first, position=position)
        else:
            media.check_complete()
            found = media.stored(position or 1)
            if not found.foreign:
                SetReader(media.families, found.position, key=key_of(instance, found), database="").check_ended()
            yield from headers.filelist(found)


def _verify(instance: InstanceContext, session: SessionContext, statement: Restore) -> Iterator[Item]:
    """VERIFYONLY: one set is read as if it were restored."""
    options = statement.options
    check_restore(instance, session, database=None)
    with opened(
        instance, statement.devices, media_name=None if options.media_name is None else str(options.media_name)
    ) as media:
        media.check_complete()
        found = media.stored(1 if options.file is None else int(options.file))
        reader = SetReader(
            media.families,
            found.position,
            key=key_of(instance, found),
            database=found.header.database_name,
            tolerant=options.continue_after_error,
        )
        reader.check_whole()
        check_set(instance, statement, found.header, media.first.device)
        pace = Pace(instance, session, command="RESTORE VERIFYONLY", total=reader.stored_bytes, stats=options.stats)
        for _, _, size in reader.chunks():
            yield from pace.advance(size)
        yield from pace.complete()
        if options.load_history:
            history.backup_set_id(instance, found, media.first.label, [family.device for family in media.families])
        yield Info(3262, f"The backup set on file {found.position} is valid.")
        yield Done()
