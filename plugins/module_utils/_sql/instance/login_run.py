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
from .server import read_server

__all__ = ["apply"]


COMPARED = ("default_database", "default_language", "check_policy", "check_expiration", "disabled")
"""Options that are called as sql_info calls what they set."""
ITERATED_SINCE = 17
"""The version of SQL Server (2025) from which on it keeps passwords by iterated hashes."""


def apply(session: Session) -> dict[str, Any]:
    """Compare, change what differs, report."""
    params, name = session.params, session.params["name"]
    before = logins.read_login(session.connection, name)
    users: dict[str, Any] = {}
    if params["state"] == "absent":
        if before:
            logins.drop_login(session, name)
    else:
        new_password = _apply_login(session, before)
        known = logins.read_login(session.connection, name) or {
            "sid": params["sid"] and logins.normal_sid(params["sid"])
        }
        for wanted in params["databases"] or []:
            users[wanted["name"]] = _apply_user(session, wanted, sid=known["sid"])
    after = logins.read_login(session.connection, name)
    result = {"changed": session.changed, "login": after or {}, "users": users, "statements": session.statements}
    if params["state"] == "absent":
        return {**result, "diff": {"before": _compared(before, params), "after": {"state": "absent"}}}
    return {
        **result,
        "diff": {"before": _compared(before, params), "after": _wanted(before, params, new_password=new_password)},
    }


def _apply_login(session: Session, before: dict[str, Any] | None) -> bool:
    """The login itself; returns whether it gets a password."""
    params, name = session.params, session.params["name"]
    _check_options(session)
    new_password = _create(session) if before is None else _alter(session, before)
    for role in params["server_roles"] or []:
        if role not in (before or {"server_roles": []})["server_roles"]:
            logins.add_to_server_role(session, name, role)
    return new_password


def _check_options(session: Session) -> None:
    """What the server would refuse, or could only refuse after something was changed."""
    params, name = session.params, session.params["name"]
    if "\\" in name and (params["password"] or params["password_hash"] or params["sid"]):
        raise RecoveryError(
            f"{name} is a Windows account: its password and SID belong to Windows",
            advice="Leave out 'password', 'password_hash' and 'sid'",
            code="option_invalid",
        )
    policies = [option for option in ("check_policy", "check_expiration") if params[option] is not None]
    if "\\" in name and policies:
        raise RecoveryError(
            f"{name} is a Windows account: SQL Server has no password policy for it, Windows applies its own",
            advice=f"Leave out {' and '.join(repr(option) for option in policies)}",
            code="option_invalid",
        )
    if params["password_hash"] and logins.is_hash_of_2025(params["password_hash"]):
        server = read_server(session.connection)
        if server["version_major"] < ITERATED_SINCE:
            raise RecoveryError(
                f"The password hash for login {name} is of SQL Server 2025 (0x03), and "
                f"{session.connection.target.server} has version {server['version']}, which cannot use it",
                advice="Give 'password' instead, or update SQL Server there",
                code="unsupported",
            )


def _create(session: Session) -> bool:
    params, name = session.params, session.params["name"]
    windows = "\\" in name
    if not windows and not (params["password"] or params["password_hash"]):
        raise RecoveryError(f"A new SQL login {name} needs a password", advice="Set 'password'", code="option_invalid")
    logins.create_login(
        session,
        name,
        password=params["password"],
        password_hash=params["password_hash"],
        sid=params["sid"],
        settings=_settings({option: params[option] for option in COMPARED if params[option] is not None}),
    )
    if params["disabled"]:
        logins.set_disabled(session, name, True)
    return not windows


def _alter(session: Session, before: dict[str, Any]) -> bool:
    params, name = session.params, session.params["name"]
    if params["sid"] and logins.normal_sid(params["sid"]) != before["sid"]:
        raise RecoveryError(
            f"Login {name} on {session.connection.target.server} has the SID {before['sid']}, not "
            f"{params['sid']}, and a SID cannot be changed",
            advice="Remove the login with 'state: absent' and make it again; the users of databases follow "
            "through 'databases'",
            code="already_exists",
        )
    new_password = params["update_password"] == "always" and not _password_is(session, name)
    if new_password:
        _set_password(session, before)
    different = {option: params[option] for option in COMPARED if _differs(option, before, params)}
    settings = _settings(different)
    if settings:
        logins.alter_login(session, name, settings)
    if "disabled" in different:
        logins.set_disabled(session, name, different["disabled"])
    return new_password


def _differs(option: str, before: dict[str, Any], params: dict[str, Any]) -> bool:
    wanted, current = params[option], before[option]
    if option == "default_language" and wanted is not None:  # the server finds a language in any case
        return wanted.lower() != (current or "").lower()
    return wanted is not None and wanted != current


def _set_password(session: Session, before: dict[str, Any]) -> None:
    """A hash is refused by ALTER LOGIN while the password policy applies, so that is lifted meanwhile.

    Lifting it lifts the expiration too. A run that is killed in between leaves both off; the next one sees that where
    'check_policy' is given.
    """
    params, name = session.params, session.params["name"]
    lifted = bool(params["password_hash"] and before["check_policy"])
    if lifted:
        logins.alter_login(session, name, _settings({"check_policy": False}))
    try:
        logins.set_password(session, name, password=params["password"], password_hash=params["password_hash"])
    finally:
        if lifted:
            logins.alter_login(
                session, name, _settings({"check_policy": True, "check_expiration": before["check_expiration"]})
            )


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
        "default_language": lambda value: f"DEFAULT_LANGUAGE = {quote_identifier(value)}",
        "check_policy": lambda value: f"CHECK_POLICY = {'ON' if value else 'OFF'}",
        "check_expiration": lambda value: f"CHECK_EXPIRATION = {'ON' if value else 'OFF'}",
    }
    return [word(values[option]) for option, word in words.items() if option in values]


def _apply_user(session: Session, wanted: dict[str, Any], *, sid: str | None) -> dict[str, Any]:
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
            code="wrong_state",
            advice="Leave out 'user', or remove that user first",
        )
    existing = users.get(user)
    repaired = False
    if existing is None:
        logins.create_user(session, database, user=user, login=name, schema=wanted["schema"])
    elif not mapped:
        logins.map_user(session, database, user=user, login=name)
        repaired = True
    if existing and wanted["schema"] and existing["schema"] != wanted["schema"]:
        logins.set_schema(session, database, user=user, schema=wanted["schema"])
    roles = existing["roles"] if existing else []
    for role in wanted["roles"]:
        if role not in roles:
            logins.add_to_role(session, database, user=user, role=role)
    return {
        "user": user,
        "schema": wanted["schema"] or (existing or {}).get("schema"),
        "roles": sorted({*roles, *wanted["roles"]}),
        "repaired": repaired,
    }


def _require_online(session: Session, database: str) -> None:
    existing = read_database(session.connection, database)
    if existing is None or existing["state"] != "ONLINE":
        state = "does not exist" if existing is None else f"is {existing['state']}"
        raise RecoveryError(
            f"Database {database} on {session.connection.target.server} {state}: no user can be mapped there",
            code="wrong_state",
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
