# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands over a restored database: owner, page verify, users, CHECKDB. Each thing is compared first, so it may be run
again at any time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any

from ..._core.errors import RecoveryError, sentences
from ..connection.connection import Connection, connect
from ..connection.quoting import compose
from ..connection.session import Session
from ..instance.databases import (
    disconnect_sessions,
    read_database,
    set_multi_user,
    set_option,
    set_owner,
    set_restricted_user,
)
from ..instance.logins import map_user, orphaned_users
from .options import RestoreOptions

__all__ = ["builtin_owner", "check_restored", "hand_over", "hand_over_found", "unfinished_owner"]


def builtin_owner(connection: Connection) -> str:
    """The login sa, whatever it is called on this instance."""
    return connection.value("SELECT SUSER_SNAME(0x01) AS name")


def unfinished_owner(session: Session, database: str) -> str | None:
    """The login sa for a database that still belongs to whoever restored it, which was us: that run did not come to
    hand it over.
    """
    ours = session.connection.value(
        "SELECT COUNT(*) AS ours FROM sys.databases AS d WHERE d.name = ? AND d.owner_sid = SUSER_SID() "
        "AND EXISTS (SELECT 1 FROM msdb.dbo.restorehistory AS h WHERE h.destination_database_name = d.name AND "
        "h.user_name = SUSER_SNAME())",
        database,
        doing="Cannot read who restored the database",
    )
    return builtin_owner(session.connection) if ours else None


def hand_over(
    session: Session, options: RestoreOptions, *, owner: str | None, restored: bool = False
) -> dict[str, Any]:
    """Put it in order, check it, and then open it to everybody.

    That it is opened last tells a later run whether the one before came to its end. restored: by this run. Returns
    C(users) and C(checked).
    """
    with _others_kept_out(session, options.database, closed=restored and options.is_guarded):
        return _hand_over(session, options, owner=owner)


def hand_over_found(
    session: Session, options: RestoreOptions, existing: Mapping[str, Any] | None, *, owner: str | None
) -> dict[str, Any]:
    """As :func:`hand_over`, of a database that was there before, as read_database told it. One that is closed was left
    so by a run that did not come to check it, or found it damaged: it is not opened without a check, whether this run
    asks for one or not.
    """
    is_closed = existing is not None and existing["state"] == "ONLINE" and existing["user_access"] != "MULTI_USER"
    if is_closed and not options.is_guarded:
        options = replace(options, checkdb="full")
    return hand_over(session, options, owner=owner)


@contextmanager
def _others_kept_out(session: Session, database: str, *, closed: bool) -> Iterator[None]:
    """Until a database that was restored closed is checked, nobody else gets in: RESTRICTED_USER lets in members of
    db_owner, which applications are. So this session takes its only place. Where a check fails it is RESTRICTED_USER
    again.

    closed: whether it has to be closed, whatever the server made of RESTRICTED_USER.
    """
    existing = read_database(session.connection, database)
    access = existing["user_access"] if existing and existing["state"] == "ONLINE" else ""
    if not access or (access == "MULTI_USER" and not closed):
        yield
        return
    if access == "SINGLE_USER":
        set_restricted_user(session, database)  # whoever took the only place that an interrupted run left
    with nullcontext() if session.check_mode else session.connection.using(database):
        disconnect_sessions(session, database)
        try:
            yield
        except RecoveryError as problem:
            if problem.lost:
                _connect_anew(session, database)
            _close_to_others(session, database)
            raise


def _connect_anew(session: Session, database: str) -> None:
    """The place of a lost session is free, and the first who comes would have it, an application as well."""
    try:
        lost, session.connection = session.connection, connect(session.connection.target, may_be_down=True)
    except RecoveryError:
        return  # the next change says that the connection is lost
    lost.close()


def _close_to_others(session: Session, database: str) -> None:
    """What a check found is more important than why the database stays in single-user mode."""
    try:
        set_restricted_user(session, database)
    except RecoveryError as problem:
        session.warnings.append(f"{database} is left in single-user mode: {problem}")


def _hand_over(session: Session, options: RestoreOptions, *, owner: str | None) -> dict[str, Any]:
    database = options.database
    users = _put_in_order(session, options, owner=owner)
    expected = {name.lower() for name in options.expected_users}
    if unexpected := [name for name in users["left"] if name.lower() not in expected]:
        named, server = ", ".join(unexpected), session.connection.target.server
        session.warnings.append(
            f"Users of {database} that have no login on {server}: {named}. sql_login makes logins and maps them."
        )
    checked = check_restored(session, options)
    existing = read_database(session.connection, database)
    if existing and existing["user_access"] != "MULTI_USER":
        set_multi_user(session, database)
    return {"users": users, "checked": checked}


def check_restored(session: Session, options: RestoreOptions) -> str:
    """CHECKDB and the query of C(validation_query), where asked for. Returns which check ran: none, physical or full.
    Raises for what does not hold.
    """
    database, depth, query = options.database, options.checkdb, options.validation_query
    if session.check_mode:
        return "none"
    try:
        if depth != "none":
            _check_database(session, database, depth=depth)
        if query:
            _validate(session, database, query)
    except RecoveryError as problem:
        existing = None if problem.lost else read_database(session.connection, database)
        closed = existing is not None and existing["user_access"] != "MULTI_USER"
        advice = sentences(
            problem.advice,
            "Until then it is open to members of db_owner, dbcreator and sysadmin only (RESTRICTED_USER)"
            if closed
            else "",
        )
        code = problem.code if problem.lost else "check_failed"
        raise RecoveryError(problem.message, advice=advice, code=code, **problem.details) from None
    return depth


def _put_in_order(session: Session, options: RestoreOptions, *, owner: str | None) -> dict[str, list[str]]:
    """Pages verified, owner and compatibility level as wanted, users joined to their logins.

    Returns the names of the users that were C(repaired), and of those C(left) without a login. A read-only database is
    left as it is.
    """
    database = options.database
    existing = read_database(session.connection, database)
    if existing is None or existing["state"] != "ONLINE":
        raise RecoveryError(
            f"Database {database} on {session.connection.target.server} is {existing['state'] if existing else 'gone'} "
            "instead of ONLINE",
            code="unconfirmed",
        )
    users: dict[str, list[str]] = {"repaired": [], "left": []}
    if existing["read_only"]:
        session.warnings.append(
            f"{database} was read-only, and is so again: its owner, its options and its users stay as they are. Where "
            "it is to be worked with, run ALTER DATABASE ... SET READ_WRITE, then this again"
        )
        return {**users, "left": [user["name"] for user in orphaned_users(session.connection, database)]}
    if existing["page_verify"] != "CHECKSUM":
        set_option(session, database, "PAGE_VERIFY CHECKSUM")
    if options.compatibility_level and existing["compatibility_level"] != options.compatibility_level:
        set_option(session, database, f"COMPATIBILITY_LEVEL = {options.compatibility_level}")
    if owner and (existing["owner"] or "").lower() != owner.lower():
        set_owner(session, database, owner)
    for user in orphaned_users(session.connection, database):
        if options.repair_users and user["login"]:
            map_user(session, database, user=user["name"], login=user["login"])
            users["repaired"].append(user["name"])
        else:
            users["left"].append(user["name"])
    return users


def _check_database(session: Session, database: str, *, depth: str) -> None:
    """DBCC CHECKDB: physical or full. Raises SqlError with its first finding."""
    session.progress.line(f"checking database {database}")
    words = "NO_INFOMSGS, ALL_ERRORMSGS" + (", PHYSICAL_ONLY" if depth == "physical" else "")
    statement = compose("DBCC CHECKDB ({database}) WITH ", database=database) + words
    session.connection.execute(statement, doing=f"DBCC CHECKDB found damage in database {database}")


def _validate(session: Session, database: str, query: str) -> None:
    """A query of the user's own: it holds when its first column of its first row is neither empty nor
    zero nor false.
    """
    with session.connection.using(database):
        answer = session.connection.value(query, doing="The query in 'validation_query' failed")
    if not answer or answer in ("0", "0x"):
        raise RecoveryError(
            f"Database {database} on {session.connection.target.server} is restored, but the query in "
            f"'validation_query' answers {answer!r}",
            code="check_failed",
            advice="Look into the data; perhaps another backup or another target is the right one",
        )
