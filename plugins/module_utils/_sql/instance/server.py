# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instance itself: version, edition, folders, service account."""

from __future__ import annotations

import datetime as dt
from typing import Any

from ..._core.times import parse_stored_time
from ..connection.connection import Connection, Question
from ..connection.errors import SqlError

__all__ = [
    "private_keys",
    "read_certificates",
    "read_endpoints",
    "read_server",
    "read_server_and_session",
    "server_questions",
    "service_account",
    "utc_now",
]

_PROPERTIES = """
SELECT CAST(SERVERPROPERTY('ServerName') AS nvarchar(256)) AS name,
       CAST(SERVERPROPERTY('MachineName') AS nvarchar(256)) AS host_name,
       CAST(SERVERPROPERTY('InstanceName') AS nvarchar(256)) AS instance,
       CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128)) AS version,
       CAST(SERVERPROPERTY('ProductLevel') AS nvarchar(128)) AS level,
       CAST(SERVERPROPERTY('Edition') AS nvarchar(128)) AS edition,
       CAST(SERVERPROPERTY('EngineEdition') AS int) AS engine_edition,
       CAST(SERVERPROPERTY('Collation') AS nvarchar(128)) AS collation,
       CAST(SERVERPROPERTY('IsIntegratedSecurityOnly') AS int) AS windows_only,
       CAST(SERVERPROPERTY('InstanceDefaultDataPath') AS nvarchar(512)) AS default_data_path,
       CAST(SERVERPROPERTY('InstanceDefaultLogPath') AS nvarchar(512)) AS default_log_path,
       CAST(SERVERPROPERTY('InstanceDefaultBackupPath') AS nvarchar(512)) AS default_backup_path,
       CAST(DATABASEPROPERTYEX('master', 'Version') AS int) AS database_version,
       CAST(IS_SRVROLEMEMBER('sysadmin') AS int) AS sysadmin
"""

_SERVICES = "SELECT servicename, service_account FROM sys.dm_server_services"

_NOW = "SELECT SYSUTCDATETIME() AS utc"

_ENCRYPTION = "SELECT encrypt_option FROM sys.dm_exec_connections WHERE session_id = @@SPID"

_BACKUP_DIRECTORY = """
EXEC master.dbo.xp_instance_regread N'HKEY_LOCAL_MACHINE', N'Software\\Microsoft\\MSSQLServer\\MSSQLServer',
    N'BackupDirectory'
"""

_ENDPOINTS = """
SELECT e.endpoint_id, e.name, e.state_desc, e.role_desc, e.connection_auth_desc, e.encryption_algorithm_desc,
    e.is_encryption_enabled,
       c.name AS certificate
FROM sys.database_mirroring_endpoints AS e
LEFT JOIN master.sys.certificates AS c ON c.certificate_id = e.certificate_id
ORDER BY e.name
"""

_PORTS = "SELECT endpoint_id, port FROM sys.tcp_endpoints"

_CERTIFICATES = (
    "SELECT name, subject, thumbprint, expiry_date, pvt_key_encryption_type FROM master.sys.certificates ORDER BY name"
)

_PRIVATE_KEYS = "SELECT thumbprint FROM master.sys.certificates WHERE pvt_key_encryption_type = 'MK'"
# A key that is protected by a password alone does not open by itself.

NEVER_COMPRESS = ("Express", "Web")
"""Editions, by the first word of their name, that cannot write compressed backups."""


def read_server_and_session(connection: Connection) -> dict[str, Any]:
    """What sql_info returns as C(server). How the session is protected is told to who has VIEW SERVER STATE."""
    try:
        properties, sessions = connection.query_each((_PROPERTIES,), (_ENCRYPTION,))
    except SqlError as problem:
        if problem.lost:
            raise
        return {**read_server(connection), "encrypted_connection": None}
    return {**_described(connection, properties[0]), "encrypted_connection": sessions[0]["encrypt_option"] == "TRUE"}


def read_server(connection: Connection) -> dict[str, Any]:
    """The same, except what the session is like."""
    return _described(connection, connection.row(_PROPERTIES, doing="Cannot read the properties of the instance") or {})


def server_questions() -> list[Question]:
    """What C(read_server), C(service_account) and C(utc_now) ask."""
    return [(_PROPERTIES,), (_SERVICES,), (_NOW,)]


def _described(connection: Connection, server: dict[str, Any]) -> dict[str, Any]:
    numbers = [int(part) for part in server["version"].split(".")]
    server["version_major"] = numbers[0]
    server["build"] = numbers[2]
    server["mixed_mode"] = not server.pop("windows_only")
    server["sysadmin"] = bool(server["sysadmin"])
    server["backup_compression"] = not server["edition"].startswith(NEVER_COMPRESS)
    for name in ("default_data_path", "default_log_path", "default_backup_path"):
        server[name] = _without_slash(server[name])
    if not server["default_backup_path"]:  # the property came with SQL Server 2019
        server["default_backup_path"] = _without_slash(_registered_backup_folder(connection))
    return server


def service_account(connection: Connection) -> str:
    """The account SQL Server runs as, or "" where the login may not ask. Remembered for error messages."""
    if not connection.account:
        try:
            rows = connection.query(_SERVICES)
        except SqlError:
            return ""
        engine = [
            row["service_account"]
            for row in rows
            if "agent" not in row["servicename"].lower() and "full" not in row["servicename"].lower()
        ]
        connection.account = engine[0] if engine else ""
    return connection.account


def utc_now(connection: Connection) -> dt.datetime:
    """The server's clock, aware, in UTC."""
    return parse_stored_time(connection.value(_NOW))


def read_endpoints(connection: Connection) -> list[dict[str, Any]]:
    """What sql_info returns as C(endpoints)."""
    listening, endpoints = connection.query_each((_PORTS,), (_ENDPOINTS,), doing="Cannot read the endpoints")
    ports = {row["endpoint_id"]: row["port"] for row in listening}
    return [
        {
            "name": row["name"],
            "state": row["state_desc"],
            "port": ports.get(row["endpoint_id"]),
            "role": row["role_desc"],
            "authentication": row["connection_auth_desc"],
            "encryption": row["encryption_algorithm_desc"] if row["is_encryption_enabled"] else None,
            "certificate": row["certificate"],
        }
        for row in endpoints
    ]


def read_certificates(connection: Connection) -> list[dict[str, Any]]:
    """What sql_info returns as C(certificates): those of master, without the server's own (##...)."""
    return [
        {
            "name": row["name"],
            "subject": row["subject"],
            "thumbprint": row["thumbprint"],
            "expires": row["expiry_date"],
            "private_key": row["pvt_key_encryption_type"].strip() != "NA",
        }
        for row in connection.query(_CERTIFICATES, doing="Cannot read the certificates")
        if not row["name"].startswith("##")
    ]


def private_keys(connection: Connection) -> frozenset[str] | None:
    """Thumbprints, in capitals, of the certificates in master that can decrypt a backup or a database; None where the
    login may not ask.
    """
    try:
        return frozenset(row["thumbprint"].removeprefix("0x") for row in connection.query(_PRIVATE_KEYS))
    except SqlError as problem:
        if problem.lost:
            raise
        return None


def _registered_backup_folder(connection: Connection) -> str | None:
    try:
        row = connection.row(_BACKUP_DIRECTORY)
    except SqlError:
        return None
    return (row or {}).get("Data")


def _without_slash(path: str | None) -> str | None:
    return path.rstrip("\\") if path and not path.endswith(":\\") else path


_CLOCK = """
SELECT CONVERT(nvarchar(23), SYSUTCDATETIME(), 126) AS utc, DATEDIFF(minute, GETUTCDATE(), GETDATE()) AS utc_offset
"""


def clock(connection: Connection) -> tuple[dt.datetime, dt.timezone]:
    """The server's clock, aware, and its time zone of now."""
    row = connection.row(_CLOCK, doing="Cannot read the server's clock") or {}
    zone = dt.timezone(dt.timedelta(minutes=row["utc_offset"]))
    return parse_stored_time(row["utc"]), zone


def free_space(connection: Connection) -> dict[str, int]:
    """Free bytes by drive ("D:"), as far as the server tells; not those of volumes mounted in folders."""
    try:
        rows = connection.query("EXEC master.sys.xp_fixeddrives")
    except SqlError:
        return {}
    return {f"{row['drive']}:": int(row["MB free"]) * 2**20 for row in rows}
