# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of sql_login: compares a login and its users with what is wanted, and changes what differs."""

from __future__ import annotations

from typing import Any

from ..._core.errors import RecoveryError
from ..connection.quoting import quote_identifier
from ..connection.session import Session
from . import logins
from .databases import read_database

__all__ = ["apply"]


COMPARED = ("default_database", "check_policy", "check_expiration")


def apply(session: Session) -> dict[str, Any]:
    """Compare, change what differs, report."""
    params, name = session.params, session.params["name"]
    before = logins.read_login(session.connection, name)
    users: dict[str, Any] = {}
    if params["state"] == "absent":
        if before:
            logins.drop_login(session, name)
    else:
        new_password = _settle_login(session, before)
        known = logins.read_login(session.connection, name) or {
            "sid": params["sid"] and logins.normal_sid(params["sid"])
        }
        for wanted in params["databases"] or []:
            users[wanted["name"]] = _settle_user(session, wanted, sid=known["sid"])
    after = logins.read_login(session.connection, name)
    result = {"changed": session.changed, "login": after or {}, "users": users, "statements": session.statements}
    if params["state"] == "absent":
        return {**result, "diff": {"before": _compared(before, params), "after": {"state": "absent"}}}
    return {
        **result,
        "diff": {"before": _compared(before, params), "after": _wanted(before, params, new_password=new_password)},
    }


def _settle_login(session: Session, before: dict[str, Any] | None) -> bool:
    """The login itself; returns whether it gets a password."""
    params, name = session.params, session.params["name"]
    windows = "\\" in name
    if windows and (params["password"] or params["password_hash"] or params["sid"]):
        raise RecoveryError(
            f"{name} is a Windows account: its password and SID belong to Windows",
            advice="Leave out 'password' and 'sid'",
        )
    new_password = False
    if before is None:
        if not windows and not (params["password"] or params["password_hash"]):
            raise RecoveryError(f"A new SQL login {name} needs a password", advice="Set 'password'")
        settings = _settings({option: params[option] for option in COMPARED if params[option] is not None})
        logins.create_login(
            session,
            name,
            password=params["password"],
            password_hash=params["password_hash"],
            sid=params["sid"],
            settings=settings,
        )
        new_password = not windows
    else:
        if params["sid"] and logins.normal_sid(params["sid"]) != before["sid"]:
            raise RecoveryError(
                f"Login {name} on {session.connection.target.server} has the SID {before['sid']}, not "
                f"{params['sid']}, and a SID cannot be changed",
                advice="Remove the login with 'state: absent' and make it again; the users of databases follow "
                "through 'databases'",
            )
        if params["update_password"] == "always" and not _password_is(session, name):
            logins.set_password(session, name, password=params["password"], password_hash=params["password_hash"])
            new_password = True
        different = {
            option: params[option]
            for option in COMPARED
            if params[option] is not None and params[option] != before[option]
        }
        if different:
            logins.alter_login(session, name, _settings(different))
    for role in params["server_roles"] or []:
        if role not in (before or {"server_roles": []})["server_roles"]:
            logins.add_to_server_role(session, name, role)
    return new_password


def _password_is(session: Session, name: str) -> bool:
    """Whether the login has the password that is asked for, if one is."""
    password, password_hash = session.params["password"], session.params["password_hash"]
    if password_hash:
        return logins.normal_hash(password_hash) == logins.read_password_hashes(session.connection).get(name)
    return not password or logins.login_password_is(session.connection, name, password)


def _settings(values: dict[str, Any]) -> list[str]:
    """Words of WITH. A policy comes before the expiration that depends on it, and is switched off after it."""
    words = {
        "default_database": lambda value: f"DEFAULT_DATABASE = {quote_identifier(value)}",
        "check_policy": lambda value: f"CHECK_POLICY = {'ON' if value else 'OFF'}",
        "check_expiration": lambda value: f"CHECK_EXPIRATION = {'ON' if value else 'OFF'}",
    }
    return [words[option](values[option]) for option in COMPARED if option in values]


def _settle_user(session: Session, wanted: dict[str, Any], *, sid: str | None) -> dict[str, Any]:
    """The login's user in one database. sid: the login's; None while check mode has not made it."""
    name, database = session.params["name"], wanted["name"]
    _require_online(session, database)
    users = logins.database_users(session.connection, database)
    mapped = next((user for user, facts in users.items() if sid and facts["sid"] == sid), None)
    user = wanted["user"] or mapped or name
    if mapped == "dbo":
        return {
            "user": "dbo",
            "schema": "dbo",
            "roles": ["db_owner"],
            "repaired": False,
        }  # the owner needs no user and no role
    if mapped and mapped != user:
        raise RecoveryError(
            f"Login {name} is already the user {mapped} of database {database}, not {user}",
            advice="Leave out 'user', or remove that user first",
        )
    there = users.get(user)
    repaired = False
    if there is None:
        logins.create_user(session, database, user=user, login=name, schema=wanted["schema"])
    elif not mapped:
        logins.map_user(session, database, user=user, login=name)
        repaired = True
    if there and wanted["schema"] and there["schema"] != wanted["schema"]:
        logins.set_schema(session, database, user=user, schema=wanted["schema"])
    has = there["roles"] if there else []
    for role in wanted["roles"]:
        if role not in has:
            logins.add_to_role(session, database, user=user, role=role)
    return {
        "user": user,
        "schema": wanted["schema"] or (there or {}).get("schema"),
        "roles": sorted({*has, *wanted["roles"]}),
        "repaired": repaired,
    }


def _require_online(session: Session, database: str) -> None:
    there = read_database(session.connection, database)
    if there is None or there["state"] != "ONLINE":
        state = "does not exist" if there is None else f"is {there['state']}"
        raise RecoveryError(
            f"Database {database} on {session.connection.target.server} {state}: no user can be mapped there",
            advice="Restore it first with sql_restore, or leave it out of 'databases'",
        )


def _compared(login: dict[str, Any] | None, params: dict[str, Any]) -> dict[str, Any]:
    if login is None:
        return {"state": "absent"}
    compared = {option: login[option] for option in (*COMPARED, "sid") if params[option] is not None}
    if params["server_roles"]:
        compared["server_roles"] = login["server_roles"]
    return {"state": "present", **compared}


def _wanted(before: dict[str, Any] | None, params: dict[str, Any], *, new_password: bool) -> dict[str, Any]:
    wanted = {option: params[option] for option in COMPARED if params[option] is not None}
    if params["sid"]:
        wanted["sid"] = logins.normal_sid(params["sid"])
    if params["server_roles"]:
        wanted["server_roles"] = sorted({*(before or {"server_roles": []})["server_roles"], *params["server_roles"]})
    if new_password:
        wanted["password_set"] = True
    return {"state": "present", **wanted}
