"""What mirroring answers, in SQL Server's words (Microsoft's list of errors 1400 to 1499, and its neighbours)."""

from __future__ import annotations

from ..errors import SqlError

__all__ = ["error", "text"]

_TEXTS = {
    1405: 'The database "{name}" is already enabled for database mirroring.',
    1407: 'The remote copy of database "{name}" is not related to the local copy of the database.',
    1412: (
        'The remote copy of database "{name}" has not been rolled forward to a point in time that is encompassed '
        "in the local copy of the database log."
    ),
    1416: 'Database "{name}" is not configured for database mirroring.',
    1418: 'The server network address "{address}" can not be reached or does not exist. Check the network address '
    "name and that the ports for the local "
    "and remote endpoints are operational.",
    1422: (
        'The mirror server instance is not caught up to the recent changes to database "{name}". Unable to fail over.'
    ),
    1426: "To issue ALTER DATABASE SET WITNESS, all three server instances must be interconnected, and the mirror "
    "database must be caught up. When these "
    "conditions are met, reissue the command.",
    1427: (
        "The server instance '{address}' could not act as the witness. The ALTER DATABASE SET WITNESS command failed."
    ),
    1429: "The witness server instance name must be distinct from both of the server instances that manage the "
    "database. The ALTER DATABASE SET WITNESS "
    "command failed.",
    1431: 'Neither the partner nor the witness server instance for database "{name}" is available. Reissue the '
    "command when at least one of the instances "
    "becomes available.",
    1439: 'There is currently no witness associated with database "{name}".',
    1446: 'The "{address}" server instance is already acting as the witness.',
    1447: 'ALTER DATABASE "{name}" command cannot be executed until both partner server instances are up, running, '
    "and connected. Start the partner and "
    "reissue the command.",
    1448: 'The remote copy of database "{name}" does not exist. Check the database name and reissue the command.',
    1449: "ALTER DATABASE command failed due to an invalid server connection string.",
    1452: "The partner server instance name must be distinct from the server instance that manages the database. "
    "The ALTER DATABASE SET PARTNER command "
    "failed.",
    1455: 'The database mirroring service cannot be forced for database "{name}" because the database is not in the '
    "correct state to become the principal "
    "database.",
    1456: "The ALTER DATABASE command could not be sent to the remote server instance '{address}'. The database "
    "mirroring configuration was not changed. "
    "Verify that the server is connected, and try again.",
    1460: 'The database "{name}" is already configured for database mirroring on the remote server. Drop database '
    "mirroring on the remote server to "
    "establish a new partner.",
    1463: "Database mirroring is not available in the edition of this SQL Server instance. See books online for "
    "more details on feature support in "
    "different SQL Server editions.",
    1464: 'Database mirroring cannot be enabled for the remote copy of database "{name}" because the database is '
    "not in a recovering state. The remote "
    "database must be restored using WITH NORECOVERY.",
    1465: (
        'Database mirroring cannot be enabled because the "{name}" database is not in full recovery mode on both '
        "partners."
    ),
    1466: 'Database mirroring cannot be enabled because the "{name}" database is read-only on one of the partners.',
    1467: (
        'Database mirroring cannot be enabled because the "{name}" database is in emergency or suspect mode on '
        "one of the partners."
    ),
    1468: (
        'The operation cannot be performed on database "{name}" because it is involved in a database mirroring session.'
    ),
    1469: (
        'Database mirroring cannot be enabled because the "{name}" database is an auto-close database on one of '
        "the partners."
    ),
    1470: (
        "The alter database for this partner config values may only be initiated on the current principal server "
        'for database "{name}".'
    ),
    1473: "This SQL Server edition does not allow changing the safety level. ALTER DATABASE command failed.",
    1475: 'Database mirroring cannot be enabled because the "{name}" database may have bulk logged changes that '
    "have not been backed up. The last log "
    "backup on the principal must be restored on the mirror.",
    1476: "Database mirroring timeout value {value} exceeds the maximum value 32767.",
    1477: (
        'The database mirroring safety level must be FULL to manually failover database "{name}". Set safety '
        "level to FULL and retry."
    ),
    1478: 'The mirror database, "{name}", has insufficient transaction log data to preserve the log backup chain of '
    "the principal database. This may happen "
    "if a log backup from the principal database has not been taken or has not been restored on the mirror database.",
    1484: (
        'Database mirroring cannot be enabled because the "{name}" database has accelerated database recovery enabled.'
    ),
    1486: "Database Mirroring Transport is disabled in the endpoint configuration.",
    1488: 'Database mirroring cannot be enabled because the "{name}" database is in single user mode.',
    1493: 'Database mirroring cannot be enabled because the "{name}" database is a ledger database.',
    3743: (
        "The database '{name}' is enabled for database mirroring. Database mirroring must be removed before you "
        "drop the database."
    ),
    # Of the error log only:
    1440: (
        "Database mirroring is active with database '{name}' as the principal copy. This is an informational "
        "message only. No user action is required."
    ),
    1441: (
        "Database mirroring is active with database '{name}' as the mirror copy. This is an informational message "
        "only. No user action is required."
    ),
    1442: (
        "Database mirroring is inactive for database '{name}'. This is an informational message only. No user "
        "action is required."
    ),
    1443: (
        "Database mirroring has been terminated for database '{name}'. This is an informational message only. No "
        "user action is required."
    ),
    1445: "Bypassing recovery for database '{name}' because it is marked as an inaccessible database mirroring "
    "database. A problem exists with the mirroring "
    "session. The session either lacks a quorum or the communications links are broken because of problems with "
    "links, endpoint configuration, or "
    "permissions (for the server account or security certificate). To gain access to the database, figure out what "
    "has changed in the session "
    "configuration and undo the change.",
    1453: "'{address}', the remote mirroring partner for database '{name}', encountered error {met}, status 1, "
    "severity 16. Database mirroring has been "
    "suspended. Resolve the error on the remote server and resume mirroring, or remove mirroring and re-establish "
    "the mirror server instance.",
    1480: 'The mirrored database "{name}" is changing roles from "{old}" to "{new}" due to {why}.',
}
_STATES = {1416: 31, 1412: 0, 1486: 14}
_SEVERITIES = {1486: 14}


def text(number: int, **values: object) -> str:
    """The message of a number."""
    return _TEXTS[number].format(**values)


def error(number: int, **values: object) -> SqlError:
    """The error of a number; `values` fill its text (name: of the database, address, value)."""
    return SqlError(number, text(number, **values), state=_STATES.get(number, 1), severity=_SEVERITIES.get(number, 16))
