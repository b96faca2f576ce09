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
from ..._core.mirroring.certificates import current
from ..connection.connection import Connection
from ..connection.quoting import compose, quote_identifier
from ..connection.session import Session
from .certificates import read_known

__all__ = [
    "backup_encryption_argument_spec",
    "check_encryption",
    "current_certificate",
    "encryption_option",
    "require_certificate",
]

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


def backup_encryption_argument_spec() -> dict[str, Any]:
    """The option that the doc fragment prs.recovery.backup_encryption describes."""
    certificate = {"type": "str", "required": True}
    algorithm = {"type": "str", "choices": list(ALGORITHMS), "default": "aes_256"}
    return {"encryption": {"type": "dict", "options": {"certificate": certificate, "algorithm": algorithm}}}


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
    certificate = _certificate(session.connection, current_certificate(session.connection, encryption["certificate"]))
    name = certificate["name"]
    if certificate["expired"]:
        raise RecoveryError(
            f"The certificate {name} in master of {host} has expired ({certificate['expires']}), and SQL Server takes "
            "no backup with it any more (error 3096)",
            code="wrong_state",
            advice="Let sql_certificate make a successor ('renew_before'), which is used from then on; keep the old "
            "one, without which older backups cannot be restored",
        )
    if certificate["key_backed_up_at"] is None:
        session.warnings.append(
            f"The private key of the certificate {name} was never backed up from {host}. Should this server be lost, "
            "nobody can restore what the certificate encrypted. Run BACKUP CERTIFICATE ... WITH PRIVATE KEY, and keep "
            "both files and the password away from the backups."
        )
    return {
        "certificate": name,
        "algorithm": encryption["algorithm"],
        "thumbprint": str(certificate["thumbprint"]).upper().removeprefix("0X"),
        "key_backed_up_at": certificate["key_backed_up_at"],
    }


def require_certificate(session: Session, report: Mapping[str, Any]) -> None:
    """Raises RecoveryError where a server could not restore what another one is going to encrypt.

    session: with the server that restores. report: what check_encryption returned on the other one.
    """
    host = session.connection.target.server
    for certificate in read_known(session.connection):
        if certificate.thumbprint.upper() == report["thumbprint"] and certificate.private_key:
            return
    raise RecoveryError(
        f"{host} does not have the certificate {report['certificate']} with its private key, and could not restore "
        "what it encrypts",
        code="not_found",
        advice="Bring it there with sql_certificate, from the files of its key ('key_backup', 'create: false')",
    )


def current_certificate(connection: Connection, name: str) -> str:
    """The name of the newest successor of a certificate that has its private key, as sql_certificate makes them; the
    name itself where there is none.
    """
    newest, _superseded = current(read_known(connection), name=name, own=True)
    return newest.name if newest else name


def _certificate(connection: Connection, name: str) -> dict[str, Any]:
    host = connection.target.server
    quote_identifier(name, what="name of the certificate")  # refuses what cannot be one
    row = connection.row(_CERTIFICATE, name, doing=f"Cannot read the certificate {name}")
    if row is None:
        raise RecoveryError(
            f"There is no certificate {name} in master of {host}",
            code="not_found",
            advice="Create it there (CREATE CERTIFICATE), or import it with its private key; sql_info lists the "
            "certificates",
        )
    if row["pvt_key_encryption_type"].strip() == "NA":
        raise RecoveryError(
            f"The certificate {name} in master of {host} has no private key: a backup that it encrypts could not be "
            "read back there",
            code="wrong_state",
            advice="Import it together with its private key, or use another certificate",
        )
    return row
