# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates in master: made, taken from another server, written to files, given to whom they stand for."""

from __future__ import annotations

import base64
import secrets
from datetime import datetime
from typing import Any

from ..._core.mirroring.certificates import Known, thumbprint
from ..._core.times import parse_stored_time
from ..connection.connection import Connection
from ..connection.quoting import compose, quote_text
from ..connection.session import Session

__all__ = [
    "back_up_key",
    "create_certificate",
    "create_master_key",
    "drop_certificate",
    "drop_master_key",
    "file_thumbprint",
    "give_certificate",
    "has_master_key",
    "import_certificate",
    "provide_identity",
    "read_certificate",
    "read_known",
    "restore_key",
]

_KNOWN = (
    "SELECT name, thumbprint, expiry_date, pvt_key_encryption_type FROM master.sys.certificates WHERE name NOT "
    "LIKE N'##%' ORDER BY name"
)

_CERTIFICATE = """
SELECT c.name, c.subject, c.thumbprint, c.start_date, c.expiry_date, c.pvt_key_encryption_type,
    c.pvt_key_last_backup_date, u.name AS owner, l.name AS login,
       CERTENCODED(c.certificate_id) AS der
FROM sys.certificates AS c
LEFT JOIN sys.database_principals AS u ON u.principal_id = c.principal_id
LEFT JOIN sys.server_principals AS l ON l.sid = u.sid
WHERE c.name = ?
"""

_MASTER_KEY = "SELECT COUNT(*) AS found FROM master.sys.symmetric_keys WHERE name = N'##MS_DatabaseMasterKey##'"

_FILE = "SELECT f.BulkColumn AS content FROM OPENROWSET(BULK {path}, SINGLE_BLOB) AS f"

_IDENTITY = """
SELECT l.name AS login, u.name AS [user]
FROM sys.server_principals AS l
LEFT JOIN sys.database_principals AS u ON u.sid = l.sid
WHERE l.name = ?
"""


def read_known(connection: Connection) -> list[Known]:
    """All certificates of master but the server's own."""
    return [
        Known(
            name=row["name"],
            thumbprint=row["thumbprint"].removeprefix("0x"),
            expires=parse_stored_time(row["expiry_date"]),
            private_key=row["pvt_key_encryption_type"].strip() != "NA",
        )
        for row in connection.query(_KNOWN, doing="Cannot read the certificates")
    ]


def read_certificate(connection: Connection, name: str) -> dict[str, Any] | None:
    """One certificate as sql_certificate returns it, with its public part; None when there is none."""
    row = connection.row(_CERTIFICATE, name, doing=f"Cannot read the certificate {name}")
    if row is None:
        return None
    return {
        "name": row["name"],
        "subject": row["subject"],
        "thumbprint": row["thumbprint"].removeprefix("0x"),
        "starts": row["start_date"],
        "expires": row["expiry_date"],
        "private_key": row["pvt_key_encryption_type"].strip() != "NA",
        "key_backed_up_at": row["pvt_key_last_backup_date"],
        "user": row["owner"],
        "login": row["login"],
        "public": base64.b64encode(bytes.fromhex(row["der"].removeprefix("0x"))).decode() if row["der"] else None,
    }


def has_master_key(connection: Connection) -> bool:
    return bool(connection.value(_MASTER_KEY, doing="Cannot read the keys of master"))


def create_master_key(session: Session, password: str) -> None:
    """The key of master that protects private keys. The server opens it by itself; the password is for
    another server.
    """
    session.change(
        f"CREATE MASTER KEY ENCRYPTION BY PASSWORD = {quote_text(password)}",
        shown="CREATE MASTER KEY ENCRYPTION BY PASSWORD = N'***'",
        doing="Cannot create the master key of master",
    )


def drop_master_key(session: Session) -> None:
    """Refused by the server as long as a private key is protected by it."""
    session.change("DROP MASTER KEY", doing="Cannot remove the master key of master")


def create_certificate(session: Session, name: str, *, subject: str, starts: datetime, expires: datetime) -> None:
    """A new one with its private key. Times are UTC days: SQL Server knows them to the day in this statement."""
    statement = compose("CREATE CERTIFICATE {name}", name=name)
    session.change(
        f"{statement} WITH SUBJECT = {quote_text(subject)}, START_DATE = '{starts:%Y%m%d}', EXPIRY_DATE = "
        f"'{expires:%Y%m%d}'",
        doing=f"Cannot create the certificate {name}",
    )


def import_certificate(session: Session, name: str, der: bytes, *, user: str | None) -> None:
    """The public part of another server's certificate; user: of master, whom it stands for."""
    statement = compose("CREATE CERTIFICATE {name}", name=name)
    owner = compose(" AUTHORIZATION {user}", user=user) if user else ""
    session.change(
        f"{statement}{owner} FROM BINARY = 0x{der.hex().upper()}", doing=f"Cannot import the certificate {name}"
    )


def give_certificate(session: Session, name: str, user: str) -> None:
    session.change(
        compose("ALTER AUTHORIZATION ON CERTIFICATE::{name} TO {user}", name=name, user=user),
        doing=f"Cannot give the certificate {name} to {user}",
    )


def drop_certificate(session: Session, name: str) -> None:
    session.change(compose("DROP CERTIFICATE {name}", name=name), doing=f"Cannot remove the certificate {name}")


def back_up_key(session: Session, name: str, *, certificate_file: str, key_file: str, password: str) -> None:
    """Certificate and private key as files of the server, the key under a password."""
    head = compose("BACKUP CERTIFICATE {name}", name=name)
    where = (
        f"{head} TO FILE = {quote_text(certificate_file, what='path')} WITH PRIVATE KEY (FILE = "
        f"{quote_text(key_file, what='path')}"
    )
    session.change(
        f"{where}, ENCRYPTION BY PASSWORD = {quote_text(password)})",
        shown=f"{where}, ENCRYPTION BY PASSWORD = N'***')",
        doing=f"Cannot back up the certificate {name} with its private key",
    )


def file_thumbprint(connection: Connection, path: str) -> str:
    """Of the certificate that back_up_key wrote to a file, which holds its DER and nothing else."""
    content = connection.value(_FILE.format(path=quote_text(path, what="path")), doing=f"Cannot read {path}")
    return thumbprint(bytes.fromhex(content.removeprefix("0x")))


def restore_key(session: Session, name: str, *, certificate_file: str, key_file: str, password: str) -> None:
    """Certificate and private key from the files that back_up_key wrote. The master key of master protects it from then
    on.
    """
    head = compose("CREATE CERTIFICATE {name}", name=name)
    where = (
        f"{head} FROM FILE = {quote_text(certificate_file, what='path')} WITH PRIVATE KEY (FILE = "
        f"{quote_text(key_file, what='path')}"
    )
    session.change(
        f"{where}, DECRYPTION BY PASSWORD = {quote_text(password)})",
        shown=f"{where}, DECRYPTION BY PASSWORD = N'***')",
        doing=f"Cannot bring the certificate {name} back from {certificate_file}",
    )


def provide_identity(session: Session, login: str) -> str:
    """The user in master of the login that a certificate stands for; both are made where they are missing. Nobody knows
    the login's password.
    """
    row = session.connection.row(_IDENTITY, login, doing=f"Cannot read the login {login}")
    if row is None:
        password = secrets.token_urlsafe(40) + "aA1!"
        session.change(
            compose("CREATE LOGIN {login}", login=login)
            + f" WITH PASSWORD = {quote_text(password)}, CHECK_EXPIRATION = OFF",
            shown=compose("CREATE LOGIN {login}", login=login) + " WITH PASSWORD = N'***', CHECK_EXPIRATION = OFF",
            doing=f"Cannot create the login {login}",
        )
    if row is None or row["user"] is None:
        session.change(
            compose("CREATE USER {login} FOR LOGIN {login}", login=login),
            doing=f"Cannot create the user {login} in master",
            database="master",
        )
        return login
    return row["user"]
