# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logins of an instance and the users that they are in its databases."""

from __future__ import annotations

import re
from typing import Any

from ..._core.errors import RecoveryError
from ..connection.connection import Connection
from ..connection.quoting import LONGEST_NAME, compose, quote_text, refuse_alike
from ..connection.session import Session

__all__ = [
    "add_to_role",
    "add_to_server_role",
    "alter_login",
    "create_login",
    "create_user",
    "database_users",
    "drop_login",
    "is_hash_of_2025",
    "login_password_is",
    "map_user",
    "normal_hash",
    "normal_sid",
    "orphaned_users",
    "read_login",
    "read_logins",
    "read_password_hashes",
    "set_disabled",
    "set_password",
    "set_schema",
]

_LOGINS = """
SELECT p.name, p.sid, p.type_desc, p.is_disabled, p.default_database_name, p.default_language_name, p.create_date,
       s.is_policy_checked, s.is_expiration_checked
FROM sys.server_principals AS p
LEFT JOIN sys.sql_logins AS s ON s.principal_id = p.principal_id
WHERE p.type IN ('S', 'U', 'G')
"""

_ROLES = """
SELECT m.name AS login, r.name AS role
FROM sys.server_role_members AS x
JOIN sys.server_principals AS r ON r.principal_id = x.role_principal_id
JOIN sys.server_principals AS m ON m.principal_id = x.member_principal_id
"""

_USERS = """
SELECT u.name, u.sid, u.default_schema_name, l.name AS login
FROM {database}.sys.database_principals AS u
LEFT JOIN sys.server_principals AS l ON l.sid = u.sid
WHERE u.type IN ('S', 'U', 'G')
"""

_USER_ROLES = """
SELECT u.name AS name, r.name AS role
FROM {database}.sys.database_role_members AS x
JOIN {database}.sys.database_principals AS r ON r.principal_id = x.role_principal_id
JOIN {database}.sys.database_principals AS u ON u.principal_id = x.member_principal_id
"""

_ORPHANS = """
SELECT u.name, u.sid, n.name AS login
FROM {database}.sys.database_principals AS u
LEFT JOIN sys.server_principals AS l ON l.sid = u.sid
LEFT JOIN sys.server_principals AS n ON n.name = u.name COLLATE DATABASE_DEFAULT AND n.type = 'S'
WHERE u.type = 'S' AND u.authentication_type = 1 AND u.principal_id > 4 AND l.sid IS NULL
"""
"""Names of users have the collation of their database, those of logins the server's (468 without COLLATE)."""


def read_password_hashes(connection: Connection) -> dict[str, str]:
    """What the server keeps in place of the passwords of SQL logins, by name. Secrets; a server shows them to who may
    change any login.
    """
    rows = connection.query(
        "SELECT name, password_hash FROM sys.sql_logins WHERE name NOT LIKE N'##%'",
        doing="Cannot read the hashes of passwords",
    )
    return {row["name"]: row["password_hash"] for row in rows if row["password_hash"]}


def read_logins(connection: Connection) -> list[dict[str, Any]]:
    """What sql_info returns as C(logins): SQL logins, Windows accounts and groups."""
    rows, members = connection.query_each((_LOGINS + "ORDER BY p.name",), (_ROLES,), doing="Cannot read the logins")
    logins = [_shaped(row) for row in rows]
    by_name = {login["name"]: login for login in logins}
    for member in members:
        if member["login"] in by_name:
            by_name[member["login"]]["server_roles"].append(member["role"])
    for login in logins:
        login["server_roles"].sort()
    return logins


def read_login(connection: Connection, name: str) -> dict[str, Any] | None:
    """One login as in C(read_logins), or None. Raises RecoveryError where the server only takes the name for that of
    one.
    """
    rows, members = connection.query_each(
        (_LOGINS + "AND p.name = ?", name), (_ROLES + "WHERE m.name = ?", name), doing=f"Cannot read login {name}"
    )
    if not rows:
        return None
    refuse_alike(rows[0]["name"], name, what="login", server=connection.target.server)
    return {**_shaped(rows[0]), "server_roles": sorted(member["role"] for member in members)}


def login_password_is(connection: Connection, name: str, password: str) -> bool:
    """Whether a SQL login has this password. The server compares; the password travels as a bound value."""
    same = connection.value(
        "SELECT PWDCOMPARE(?, password_hash) AS same FROM sys.sql_logins WHERE name = ?",
        password,
        name,
        doing=f"Cannot compare the password of login {name}",
    )
    return same == 1


def database_users(connection: Connection, database: str) -> dict[str, dict[str, Any]]:
    """Users of a database that is online, by name: C(sid), C(schema), C(login) of that SID or None, C(roles)."""
    rows, members = connection.query_each(
        (compose(_USERS, database=database),),
        (compose(_USER_ROLES, database=database),),
        doing=f"Cannot read the users of database {database}",
    )
    users = {
        row["name"]: {"sid": row["sid"], "schema": row["default_schema_name"], "login": row["login"], "roles": []}
        for row in rows
    }
    for row in members:
        if row["name"] in users:
            users[row["name"]]["roles"].append(row["role"])
    return users


def orphaned_users(connection: Connection, database: str) -> list[dict[str, Any]]:
    """Users whose SID no login of this instance has: C(name), C(sid), C(login) of the same name or None.

    Users without login and contained users are left out: they have no login on purpose.
    """
    return connection.query(compose(_ORPHANS, database=database), doing=f"Cannot read the users of database {database}")


def _shaped(row: dict[str, Any]) -> dict[str, Any]:
    def flag(value: Any) -> bool | None:
        return None if value is None else bool(value)

    return {
        "name": row["name"],
        "sid": row["sid"],
        "type": row["type_desc"],
        "disabled": bool(row["is_disabled"]),
        "default_database": row["default_database_name"],
        "default_language": row["default_language_name"],
        "check_policy": flag(row["is_policy_checked"]),
        "check_expiration": flag(row["is_expiration_checked"]),
        "created": row["create_date"],
        "server_roles": [],
    }


def create_login(
    session: Session,
    name: str,
    *,
    password: str | None,
    password_hash: str | None = None,
    sid: str | None,
    settings: list[str],
) -> None:
    """CREATE LOGIN; a name with a backslash is a Windows account. settings: further words of its WITH."""
    head = compose("CREATE LOGIN {login} ", login=name)
    if "\\" in name:
        words, hidden = [], []
    else:
        word, hidden_word = _password_words(password, password_hash)
        words, hidden = [f"PASSWORD = {word}"], [f"PASSWORD = {hidden_word}"]
    rest = ([f"SID = {normal_sid(sid)}"] if sid else []) + settings
    source = "FROM WINDOWS " if "\\" in name else ""

    def statement(parts: list[str]) -> str:
        return f"{head}{source}{'WITH ' if parts else ''}{', '.join(parts)}".rstrip()

    session.change(statement(words + rest), shown=statement(hidden + rest), doing=f"Cannot create login {name}")


def _password_words(password: str | None, password_hash: str | None) -> tuple[str, str]:
    """What follows PASSWORD =, as it is and as it may be shown."""
    if password_hash:
        return f"{normal_hash(password_hash)} HASHED", "0x*** HASHED"
    return _quoted_password(password or ""), "N'***'"


def _quoted_password(password: str) -> str:
    if "\x00" in password or len(password.encode("utf-16-le", "surrogatepass")) // 2 > LONGEST_NAME:
        raise RecoveryError(
            f"A password of SQL Server has at most {LONGEST_NAME} characters, and no NUL among them",
            code="option_invalid",
        )
    return quote_text(password)


def set_password(session: Session, name: str, *, password: str | None, password_hash: str | None = None) -> None:
    head = compose("ALTER LOGIN {login} WITH PASSWORD = ", login=name)
    word, hidden_word = _password_words(password, password_hash)
    session.change(head + word, shown=head + hidden_word, doing=f"Cannot set the password of login {name}")


def alter_login(session: Session, name: str, settings: list[str]) -> None:
    """ALTER LOGIN; settings: words of its WITH."""
    session.change(
        compose("ALTER LOGIN {login} WITH ", login=name) + ", ".join(settings), doing=f"Cannot change login {name}"
    )


def set_disabled(session: Session, name: str, disabled: bool) -> None:
    session.change(
        compose("ALTER LOGIN {login} ", login=name) + ("DISABLE" if disabled else "ENABLE"),
        doing=f"Cannot {'disable' if disabled else 'enable'} login {name}",
    )


def drop_login(session: Session, name: str) -> None:
    session.change(compose("DROP LOGIN {login}", login=name), doing=f"Cannot drop login {name}")


def add_to_server_role(session: Session, name: str, role: str) -> None:
    statement = compose("ALTER SERVER ROLE {role} ADD MEMBER {login}", role=role, login=name)
    session.change(statement, doing=f"Cannot add login {name} to server role {role}")


def create_user(session: Session, database: str, *, user: str, login: str, schema: str | None) -> None:
    statement = compose("CREATE USER {user} FOR LOGIN {login}", user=user, login=login)
    if schema:
        statement += compose(" WITH DEFAULT_SCHEMA = {schema}", schema=schema)
    session.change(statement, database=database, doing=f"Cannot create user {user} in database {database}")


def map_user(session: Session, database: str, *, user: str, login: str) -> None:
    """Give a user, an orphan above all, to a login; its rights stay."""
    statement = compose("ALTER USER {user} WITH LOGIN = {login}", user=user, login=login)
    session.change(
        statement, database=database, doing=f"Cannot map user {user} of database {database} to login {login}"
    )


def set_schema(session: Session, database: str, *, user: str, schema: str) -> None:
    statement = compose("ALTER USER {user} WITH DEFAULT_SCHEMA = {schema}", user=user, schema=schema)
    session.change(statement, database=database, doing=f"Cannot set the schema of user {user} in database {database}")


def add_to_role(session: Session, database: str, *, user: str, role: str) -> None:
    statement = compose("ALTER ROLE {role} ADD MEMBER {user}", role=role, user=user)
    session.change(statement, database=database, doing=f"Cannot add user {user} to role {role} of database {database}")


def normal_sid(sid: str) -> str:
    """A SID as this collection writes it: "0x" and capitals. Raises RecoveryError for anything else than 16 bytes."""
    digits = sid.lower().removeprefix("0x")
    if not re.fullmatch(r"[0-9a-f]{32}", digits):
        raise RecoveryError(
            "The SID of a SQL login is 0x and 32 hexadecimal digits",
            code="option_invalid",
            advice="sql_info shows the SID of each login of another server",
        )
    return "0x" + digits.upper()


def normal_hash(password_hash: str) -> str:
    """A hash as the server shows it: "0x" and capitals. Raises RecoveryError for what is none, without showing it."""
    digits = password_hash.lower().removeprefix("0x")
    if not re.fullmatch(r"0[12]00[0-9a-f]{40,256}|0300[0-9a-f]{40,508}", digits) or len(digits) % 2:
        raise RecoveryError(
            "The hash of a password is 0x0200, or 0x0300 from SQL Server 2025 on, and its hexadecimal digits",
            advice="sql_info reads it with the subset password_hashes",
            code="option_invalid",
        )
    return "0x" + digits.upper()


def is_hash_of_2025(password_hash: str) -> bool:
    """Whether it is an iterated hash (PBKDF2), which SQL Server makes and understands from 2025 (17) on; it is up to
    256 bytes long (sys.sql_logins).
    """
    return normal_hash(password_hash).startswith("0x03")
