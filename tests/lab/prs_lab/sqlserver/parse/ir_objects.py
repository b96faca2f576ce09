"""Statements that define things: databases, principals, certificates, endpoints, tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .ir import Statement, Value
from .tables import ColumnDefinition, TableConstraint, TableDefinition

__all__ = [
    "AlterAuthorization",
    "AlterDatabaseCollation",
    "AlterDatabaseFile",
    "AlterDatabaseMirroring",
    "AlterDatabaseName",
    "AlterDatabaseSet",
    "AlterLogin",
    "AlterRole",
    "AlterTable",
    "AlterUser",
    "AttachDatabase",
    "CreateCertificate",
    "CreateDatabase",
    "CreateIndex",
    "CreateLogin",
    "CreateMasterKey",
    "CreateModule",
    "CreateRole",
    "CreateSchema",
    "CreateTable",
    "CreateUser",
    "DropDatabase",
    "DropObject",
    "Endpoint",
    "FileSpec",
    "LoginOptions",
    "Permission",
]


@dataclass(frozen=True)
class FileSpec:
    """One file of a database; sizes in KB, None: the default; max_size -1: unlimited; growth as written ("64MB",
    "10%").
    """

    logical: Value | None = None
    physical: Value | None = None
    size: int | None = None
    max_size: int | None = None
    growth: str | None = None
    new_logical: Value | None = None


@dataclass(frozen=True, kw_only=True)
class AttachDatabase(Statement):
    """CREATE DATABASE ... FOR ATTACH or ATTACH_REBUILD_LOG; paths: the primary data file first."""

    name: str
    paths: tuple[Value | None, ...]
    rebuild_log: bool = False
    restricted: bool = False


@dataclass(frozen=True, kw_only=True)
class CreateDatabase(Statement):
    """Empty file lists: files by the instance's defaults."""

    name: str
    files: tuple[FileSpec, ...] = ()
    logs: tuple[FileSpec, ...] = ()
    collation: str | None = None
    options: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, kw_only=True)
class AlterDatabaseSet(Statement):
    """options: (name, value) in upper case, value True for bare words; termination: None, "immediate", "no_wait" or
    seconds.
    """

    name: str
    options: tuple[tuple[str, Any], ...]
    termination: str | int | None = None


@dataclass(frozen=True, kw_only=True)
class AlterDatabaseName(Statement):
    name: str
    new_name: str


@dataclass(frozen=True, kw_only=True)
class AlterDatabaseCollation(Statement):
    name: str
    collation: str


@dataclass(frozen=True, kw_only=True)
class AlterDatabaseFile(Statement):
    """action: add, add log, modify, remove."""

    name: str
    action: str
    files: tuple[FileSpec, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AlterDatabaseMirroring(Statement):
    """action: partner (value: address), partner
    off|failover|force_service_allow_data_loss|resume|suspend|safety|timeout, witness (value or "off").
    """

    name: str
    action: str
    value: Value | None = None


@dataclass(frozen=True, kw_only=True)
class DropDatabase(Statement):
    names: tuple[str, ...]
    if_exists: bool = False


@dataclass(frozen=True, kw_only=True)
class LoginOptions:
    """Of CREATE LOGIN and ALTER LOGIN; None: not said."""

    password: Value | None = field(default=None, repr=False)
    hashed: bool = False
    old_password: Value | None = field(default=None, repr=False)
    must_change: bool = False
    unlock: bool = False
    sid: bytes | None = None
    default_database: str | None = None
    default_language: str | None = None
    check_policy: bool | None = None
    check_expiration: bool | None = None
    new_name: str | None = None
    credential: str | None = None


@dataclass(frozen=True, kw_only=True)
class CreateLogin(Statement):
    """source: sql, windows, certificate, asymmetric_key (then `source_name`)."""

    name: str
    source: str
    source_name: str = ""
    options: LoginOptions = LoginOptions()


@dataclass(frozen=True, kw_only=True)
class AlterLogin(Statement):
    """enable: True ENABLE, False DISABLE, None neither."""

    name: str
    enable: bool | None = None
    options: LoginOptions = LoginOptions()


@dataclass(frozen=True, kw_only=True)
class CreateUser(Statement):
    """login: None and not without_login: the login of the same name."""

    name: str
    login: str | None = None
    without_login: bool = False
    certificate: str | None = None
    default_schema: str | None = None


@dataclass(frozen=True, kw_only=True)
class AlterUser(Statement):
    name: str
    new_name: str | None = None
    default_schema: str | None = None
    login: str | None = None


@dataclass(frozen=True, kw_only=True)
class CreateRole(Statement):
    name: str
    server: bool = False
    owner: str | None = None


@dataclass(frozen=True, kw_only=True)
class AlterRole(Statement):
    """action: add, drop (member) or name (member is the new name)."""

    name: str
    server: bool
    action: str
    member: str


@dataclass(frozen=True, kw_only=True)
class CreateSchema(Statement):
    name: str
    owner: str | None = None


@dataclass(frozen=True, kw_only=True)
class AlterAuthorization(Statement):
    """securable_class in lower case: database, schema, endpoint, object ...; owner None: SCHEMA OWNER."""

    securable_class: str
    name: tuple[str, ...]
    owner: str | None


@dataclass(frozen=True, kw_only=True)
class Permission(Statement):
    """verb: grant, deny, revoke. securable_class "" with no name: the database or the server."""

    verb: str
    permissions: tuple[str, ...]
    securable_class: str = ""
    securable: tuple[str, ...] = ()
    principals: tuple[str, ...] = ()
    grant_option: bool = False


@dataclass(frozen=True, kw_only=True)
class CreateMasterKey(Statement):
    password: Value | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class CreateCertificate(Statement):
    """From files, from bytes, or made new with a subject."""

    name: str
    owner: str | None = None
    file: Value | None = None
    binary: bytes | None = None
    key_file: Value | None = None
    key_binary: bytes | None = None
    encryption_password: Value | None = field(default=None, repr=False)
    decryption_password: Value | None = field(default=None, repr=False)
    subject: Value | None = None
    start_date: Value | None = None
    expiry_date: Value | None = None


@dataclass(frozen=True, kw_only=True)
class Endpoint(Statement):
    """CREATE or ALTER ENDPOINT for database mirroring; None: not said. authentication as the catalog says it:
    NEGOTIATE, "CERTIFICATE, NTLM" ...
    """

    name: str
    create: bool
    owner: str | None = None
    state: str | None = None
    port: int | None = None
    authentication: str | None = None
    certificate: str | None = None
    encryption: str | None = None
    algorithm: str | None = None
    role: str | None = None


@dataclass(frozen=True, kw_only=True)
class CreateTable(Statement):
    table: tuple[str, ...]
    definition: TableDefinition


@dataclass(frozen=True, kw_only=True)
class AlterTable(Statement):
    """Columns and constraints to add; or one column to alter; or names of what to drop ("column" or "constraint",
    name).
    """

    table: tuple[str, ...]
    columns: tuple[ColumnDefinition, ...] = ()
    constraints: tuple[TableConstraint, ...] = ()
    altered: ColumnDefinition | None = None
    dropped: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class CreateIndex(Statement):
    name: str
    table: tuple[str, ...]
    columns: tuple[str, ...]
    unique: bool = False


@dataclass(frozen=True, kw_only=True)
class CreateModule(Statement):
    """CREATE or ALTER VIEW, PROCEDURE, FUNCTION, TRIGGER: recognised, not modelled."""

    kind: str
    name: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class DropObject(Statement):
    """kind in lower case: table, login, user, role, server role, schema, certificate, endpoint, master key, index,
    view, procedure ...
    """

    kind: str
    names: tuple[tuple[str, ...], ...] = ()
    if_exists: bool = False
