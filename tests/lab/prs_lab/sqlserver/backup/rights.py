"""Who may back up and who may restore."""

from __future__ import annotations

from ..catalog.store import Metadata
from ..context import InstanceContext, SessionContext
from ..security import Access
from ..storage.database import Database
from .messages import error

__all__ = ["check_backup", "check_restore"]


def check_backup(instance: InstanceContext, session: SessionContext, *, what: str, database: Database) -> None:
    """BACKUP needs sysadmin, to own the database, or db_owner, db_backupoperator or a GRANT in it. Raises SqlError 262."""
    owner = instance.owner_sid(database)
    if session.is_sysadmin() or session.login_sid == owner:
        return
    if database.is_open:
        connection = database.connect()
        try:
            if Access(session.login, database.name, owner, Metadata(connection)).may(what):
                return
        finally:
            connection.close()
    raise error(262, what=what, name=database.name)


def check_restore(instance: InstanceContext, session: SessionContext, *, database: str | None) -> None:
    """RESTORE needs sysadmin, dbcreator, or to own an existing database: membership in db_owner does not do. Raises
    SqlError 262, 3110.

    database None: only headers are read.
    """
    if session.login.may("CREATE ANY DATABASE"):
        return
    found = instance.databases.get(database) if database else None
    if found is None:
        raise error(262, what="CREATE DATABASE", name="master")
    if instance.owner_sid(found) != session.login_sid:
        raise error(3110, name=found.name)
