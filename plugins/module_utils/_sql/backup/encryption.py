# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups encrypted by a certificate in master: whether this server can make them, and whether anybody could read them
later.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._core.errors import RecoveryError
from ..connection.connection import Connection
from ..connection.quoting import compose, quote_identifier
from ..connection.session import Session

__all__ = ["ALGORITHMS", "check_encryption", "encryption_option"]

ALGORITHMS = {"aes_128": "AES_128", "aes_192": "AES_192", "aes_256": "AES_256", "triple_des_3key": "TRIPLE_DES_3KEY"}
"""Choice of a module -> the word of T-SQL."""

NEVER_ENCRYPT = ("Express", "Web")
"""Editions, by the first word of their name, that cannot write encrypted backups. They can restore them."""

_CERTIFICATE = """
SELECT name, thumbprint, pvt_key_encryption_type, CONVERT(nvarchar(30), pvt_key_last_backup_date,
    126) AS key_backed_up_at,
       CONVERT(nvarchar(30), expiry_date, 126) AS expires,
           CASE WHEN expiry_date < GETUTCDATE() THEN 1 ELSE 0 END AS expired
FROM master.sys.certificates
WHERE name = ?
"""


def encryption_option(encryption: Mapping[str, str]) -> str:
    """ENCRYPTION (...) of a BACKUP. encryption: certificate and algorithm, one of ALGORITHMS."""
    algorithm = ALGORITHMS[encryption["algorithm"]]
    return compose(
        f"ENCRYPTION (ALGORITHM = {algorithm}, SERVER CERTIFICATE = {{certificate}})",
        certificate=encryption["certificate"],
    )


def check_encryption(session: Session, server: dict[str, Any], encryption: Mapping[str, str]) -> dict[str, Any]:
    """What the result tells of the encryption: certificate, thumbprint, algorithm, key_backed_up_at (the server's local
    time, or None).

    server: what read_server returned. Warns of what would be noticed at the restore only. Raises RecoveryError where
    the server could not make the backup, or could not read it back.
    """
    host = session.connection.target.server
    if server["edition"].startswith(NEVER_ENCRYPT):
        raise RecoveryError(
            f"SQL Server on {host} is an {server['edition']}, which cannot encrypt backups",
            code="unsupported",
            advice="Leave out 'encryption', and protect the folder of the backups instead; Standard and Enterprise can",
        )
    certificate = _certificate(session.connection, encryption["certificate"])
    name = certificate["name"]
    if certificate["expired"]:
        session.warnings.append(
            f"The certificate {name} in master of {host} has expired ({certificate['expires']}): replace it soon, "
            "and keep the old one"
        )
    if certificate["key_backed_up_at"] is None:
        session.warnings.append(
            f"The private key of the certificate {name} was never backed up from {host}. Should this server be "
            "lost, nobody can restore what the "
            "certificate encrypted. Run BACKUP CERTIFICATE ... WITH PRIVATE KEY, and keep both files and the "
            "password away from the backups."
        )
    return {
        "certificate": name,
        "algorithm": encryption["algorithm"],
        "thumbprint": str(certificate["thumbprint"]).upper().removeprefix("0X"),
        "key_backed_up_at": certificate["key_backed_up_at"],
    }


def _certificate(connection: Connection, name: str) -> dict[str, Any]:
    host = connection.target.server
    quote_identifier(name, what="name of the certificate")  # refuses what cannot be one
    found = connection.row(_CERTIFICATE, name, doing=f"Cannot read the certificate {name}")
    if found is None:
        raise RecoveryError(
            f"There is no certificate {name} in master of {host}",
            code="not_found",
            advice="Create it there (CREATE CERTIFICATE), or import it with its private key; sql_info lists the "
            "certificates",
        )
    if found["pvt_key_encryption_type"].strip() == "NA":
        raise RecoveryError(
            f"The certificate {name} in master of {host} has no private key: a backup that it encrypts could not be "
            "read back there",
            code="wrong_state",
            advice="Import it together with its private key, or use another certificate",
        )
    return found
