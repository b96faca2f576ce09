"""Who may do what: logins and their passwords, server roles, database users, roles and permissions."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import os
from dataclasses import dataclass, field
from typing import Any

from .catalog.store import Metadata
from .errors import SqlError

__all__ = [
    "SERVER_ROLES",
    "Access",
    "Login",
    "check_password_policy",
    "hash_password",
    "is_password_hash",
    "password_matches",
]

SERVER_ROLES = {
    "public": 2,
    "sysadmin": 3,
    "securityadmin": 4,
    "serveradmin": 5,
    "setupadmin": 6,
    "processadmin": 7,
    "diskadmin": 8,
    "dbcreator": 9,
    "bulkadmin": 10,
}
_IMPLIED = {
    "securityadmin": {"ALTER ANY LOGIN"}, "serveradmin": {"ALTER SETTINGS", "SHUTDOWN", "VIEW SERVER STATE", "ALTER SERVER STATE"},
    "processadmin": {"ALTER ANY CONNECTION", "ALTER SERVER STATE", "VIEW SERVER STATE"}, "dbcreator": {"CREATE ANY DATABASE", "ALTER ANY DATABASE"},
    "public": {"VIEW ANY DATABASE", "CONNECT SQL"},
}  # fmt: skip


@dataclass(kw_only=True)
class Login:
    """A server principal. type: S (SQL), U (Windows user), G (Windows group), C (certificate)."""

    name: str
    sid: bytes
    principal_id: int
    type: str = "S"
    password_hash: bytes | None = field(default=None, repr=False)
    disabled: bool = False
    default_database: str = "master"
    default_language: str = "us_english"
    check_policy: bool = True
    check_expiration: bool = False
    must_change: bool = False
    expired: bool = False
    created: str = ""
    modified: str = ""
    password_set: str = ""
    roles: list[str] = field(default_factory=list)
    granted: list[str] = field(default_factory=list)
    denied: list[str] = field(default_factory=list)

    def to_document(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Login:
        return cls(**document)

    @property
    def is_sysadmin(self) -> bool:
        return "sysadmin" in self.roles

    def may(self, permission: str) -> bool:
        """A server permission, by role or by GRANT."""
        if self.is_sysadmin:
            return True
        if permission in self.denied:
            return False
        implied = set().union(*(_IMPLIED.get(role, set()) for role in (*self.roles, "public")))
        wanted = {permission, "CONTROL SERVER"}
        if permission == "CREATE ANY DATABASE":
            wanted.add("ALTER ANY DATABASE")
        return bool(wanted & (implied | set(self.granted)))


ITERATED_SINCE = 17
"""The version from which on passwords are kept by PBKDF2, SHA-512 with 100,000 rounds."""


def hash_password(password: str, *, version: str) -> bytes:
    """What an instance of this version keeps in place of a password that is set now."""
    if int(version.split(".")[0]) >= ITERATED_SINCE:
        return _iterated_hash(password, os.urandom(16))
    return _salted_hash(password, os.urandom(4))


def _salted_hash(password: str, salt: bytes) -> bytes:
    """As 2012 to 2022 keep it: 0x0200, four bytes of salt, SHA-512 of the UTF-16 password and the salt."""
    return b"\x02\x00" + salt + hashlib.sha512(password.encode("utf-16-le") + salt).digest()


def _iterated_hash(password: str, salt: bytes) -> bytes:
    """As 2025 keeps it. That it begins with 0x03 is documented; how long the salt is is not, so nobody may count on
    it.
    """
    return b"\x03\x00" + salt + hashlib.pbkdf2_hmac("sha512", password.encode("utf-16-le"), salt, 100_000)


def is_password_hash(value: bytes, *, version: str) -> bool:
    """Whether an instance of this version can compare passwords with it: a newer one reads older hashes too."""
    if value[:2] == b"\x02\x00":
        return len(value) == 70
    return value[:2] == b"\x03\x00" and len(value) == 82 and int(version.split(".")[0]) >= ITERATED_SINCE


def password_matches(password: str, stored: bytes | None) -> bool:
    """Also for hashes that came from another server."""
    if not stored:
        return False
    expected = _iterated_hash(password, stored[2:18]) if stored[:1] == b"\x03" else _salted_hash(password, stored[2:6])
    return hmac.compare_digest(expected, stored)


def check_password_policy(login: str, password: str) -> None:
    """Windows' complexity rule. Raises 15116, 15118, 33062."""
    if len(password) > 128:
        raise SqlError(15662, "The password cannot be longer than 128 characters.")
    if len(password) < 6:
        raise SqlError(
            15116,
            "Password validation failed. The password does not meet the operating system policy requirements "
            "because it is too short.",
        )
    kinds = [
        any(c.isupper() for c in password),
        any(c.islower() for c in password),
        any(c.isdigit() for c in password),
        any(not c.isalnum() for c in password),
    ]
    if sum(kinds) < 3 or (len(login) > 2 and login.lower() in password.lower()):
        raise SqlError(
            15118,
            "Password validation failed. The password does not meet the operating system policy requirements "
            "because it is not complex enough.",
        )


class Access:
    """What one login may do in one database. Reads the database's metadata once."""

    def __init__(self, login: Login, database_name: str, owner_sid: bytes, metadata: Metadata) -> None:
        self.database_name = database_name
        self._metadata = metadata
        self.is_owner = login.is_sysadmin or login.sid == owner_sid
        self.user = self._user(login)
        self.roles = self._roles() if self.user else set()
        self.is_db_owner = self.user == "dbo" or "db_owner" in self.roles

    def _user(self, login: Login) -> str | None:
        if self.is_owner:
            return "dbo"
        for user in self._metadata.all("user"):
            if user.get("sid") == login.sid:
                return user["name"]
        return "guest" if self.database_name.lower() in ("master", "msdb", "tempdb") else None

    def _roles(self) -> set[str]:
        found, added = {"public"}, True
        roles = list(self._metadata.all("role"))
        while added:
            added = False
            for role in roles:
                members = {member.lower() for member in role["members"]}
                if role["name"] not in found and members & {self.user.lower(), *(name.lower() for name in found)}:
                    found.add(role["name"])
                    added = True
        return found

    def may(self, permission: str) -> bool:
        """A permission on the database: CREATE TABLE, BACKUP DATABASE, ALTER ANY USER ..."""
        if self.user is None:
            return False
        if self.is_db_owner:
            return True
        by_role = {
            "db_backupoperator": {"BACKUP DATABASE", "BACKUP LOG", "CHECKPOINT"}, "db_accessadmin": {"ALTER ANY USER", "CREATE SCHEMA"},
            "db_securityadmin": {"ALTER ANY ROLE", "CREATE SCHEMA"},
            "db_ddladmin": {"CREATE TABLE", "CREATE VIEW", "CREATE PROCEDURE", "CREATE SCHEMA", "ALTER ANY SCHEMA"},
        }  # fmt: skip
        states = self._states("", permission)
        if "deny" in states:
            return False
        return (
            "grant" in states
            or any(permission in by_role.get(role, ()) for role in self.roles)
            or "grant" in self._states("", "CONTROL")
        )

    def may_on(self, right: str, schema: str, name: str) -> bool:
        """SELECT, INSERT, UPDATE, DELETE ... on an object."""
        if self.user is None:
            return False
        if self.user == "dbo":
            return True
        reads = right == "SELECT"
        if ("db_denydatareader" if reads else "db_denydatawriter") in self.roles and right in (
            "SELECT",
            "INSERT",
            "UPDATE",
            "DELETE",
        ):
            return False
        states = {
            state
            for key in (f"object:{schema}.{name}", f"schema:{schema}", "")
            for p in (right, "CONTROL")
            for state in self._states(key, p)
        }
        if "deny" in states:
            return False
        if self.is_db_owner or "grant" in states:
            return True
        return ("db_datareader" if reads else "db_datawriter") in self.roles and right in (
            "SELECT",
            "INSERT",
            "UPDATE",
            "DELETE",
        )

    def _states(self, securable: str, permission: str) -> set[str]:
        found = set()
        for principal in (self.user, *self.roles):
            document = self._metadata.get("permission", f"{securable}|{permission}|{principal}".lower())
            if document:
                found.add(document["state"])
        return found
