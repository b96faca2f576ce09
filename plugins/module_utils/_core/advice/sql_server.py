# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an admin can do about an error of SQL Server, by its number. Texts are translated on real servers; numbers are
not.
"""

from __future__ import annotations

import re

from . import windows

__all__ = ["NO_RIGHTS", "advice_for", "operating_system_error"]

ADVICE: dict[int, str] = {
    229: "Give the login the right that the message names, or use a login with the server role sysadmin",
    262: "Give the login the right that the message names, or use a login with the server role sysadmin",
    911: "Check the name of the database; sql_info lists those of the instance",
    916: "Map the login to a user of that database, or use a login with the server role sysadmin",
    924: "Another session holds the database in single-user mode: end it, then run again",
    927: "A restore of this database has not ended: sql_restore continues it or starts over",
    945: (
        "The files of the database are missing or cannot be opened: look into the server's error log, then restore "
        "with sql_restore"
    ),
    948: "The files are of a newer SQL Server: use a server of at least that version",
    954: "The database is a mirror: work on the principal",
    955: "The database is mirrored with a witness, and reaches neither it nor the partner: bring one of them back",
    978: "The database is a secondary replica: work on the primary",
    1205: "Another session was in the way (deadlock): run again",
    1404: "The mirror is busy: run again in a moment",
    1405: (
        "The database has a partner already: end that session first (sql_mirror with 'state: absent'), or run "
        "sql_mirror, which reuses it"
    ),
    1408: "Log backups of the principal are missing on the mirror: sql_mirror restores them, or makes the mirror anew",
    1409: "Log backups of the principal are missing on the mirror: sql_mirror restores them, or makes the mirror anew",
    1411: "Log backups of the principal are missing on the mirror: sql_mirror restores them, or makes the mirror anew",
    1412: "Log backups of the principal are missing on the mirror: sql_mirror restores them, or makes the mirror anew",
    1413: "The other server was not reached before mirroring had begun: see that it runs, then run again",
    1416: "The database has no mirroring session: set it up with sql_mirror",
    1418: "Check that the other server's endpoint is started and its port open in the firewall, and that both know "
    "each other's certificate or account and "
    "may connect (sql_certificate, sql_endpoint); the other server's error log says who was refused and why",
    1421: "The other server's answer came too late, and the command may have worked: run again, which looks first",
    1422: "The mirror is behind: wait until it is SYNCHRONIZED, then run again",
    1426: (
        "All three servers must reach each other, and the mirror must be in step: check the witness' certificate "
        "and rights on both partners"
    ),
    1427: "The witness' endpoint needs the role WITNESS or ALL: set it with sql_endpoint",
    1431: "Bring the partner or the witness back, then run again",
    1438: "The other server refused for the moment, and its error log says why: run again",
    1447: "The partner must be there and connected: bring it back, then run again",
    1455: (
        "Service can be forced on a mirror only that does not reach its principal: use sql_mirror_failover "
        "without force while it does"
    ),
    1456: "Check that the witness' endpoint is started and its port open in the firewall, and that it and both "
    "partners know each other's certificate or "
    "account and may connect (sql_certificate, sql_endpoint)",
    1468: "The database is mirrored: end mirroring first (sql_mirror with 'state: absent')",
    1470: "That runs on the principal only",
    1473: "The edition mirrors synchronously only: leave 'safety' at FULL",
    1475: "Take a log backup of the principal, then run again",
    1477: "Safety must be FULL for a failover: sql_mirror_failover sees to it",
    1478: "Log backups of the principal are missing on the mirror: sql_mirror restores them, or makes the mirror anew",
    1486: "The mirroring endpoint is not started: set it up with sql_endpoint",
    1801: "A database of this name exists already",
    1813: "Look into the server's error log for the cause; the files are as they were",
    1834: "Another database uses a file of this path: give other folders in 'relocate'",
    1844: "The edition of this server cannot do that: for backups leave 'compression' at 'auto'",
    3013: "Look into the server's error log for the cause",
    3021: "Backups and restores cannot run inside a transaction",
    3023: "Another backup, or a change of the database's files, is running: wait until it has ended",
    3032: "The options of the statement exclude each other: see the documentation of this module",
    3035: "A differential or log backup needs a full backup first: run sql_backup with 'kind: full'",
    3043: (
        "Pages of the database are damaged: restore it from a backup, and check the disk; a backup of a damaged "
        "database cannot be trusted"
    ),
    3049: "The log of the database is damaged: run DBCC CHECKDB, and take a full backup once it is sound. A log backup "
    "may go on with CONTINUE_AFTER_ERROR",
    3059: "The database is a mirror: back up the principal",
    3096: "The certificate of the backups has expired: let sql_certificate make a successor (renew_before), and keep "
    "the old one for older backups",
    3095: (
        "SQL Server appends an encrypted backup to no file that exists: use a 'file_name' that is new each time, "
        "or 'overwrite: true'"
    ),
    3101: "Other sessions use the database: stop the application's site and pool, then run again",
    3102: "Connect to another database than the one that is to be restored",
    3104: "The database takes part in mirroring or an availability group: end that for this database first",
    3110: "Restoring needs the server role dbcreator (or sysadmin); being db_owner is not enough",
    3117: "The database is not in a state that this backup can be rolled forward on: start over from a full backup",
    3119: "Look into the server's error log for the cause",
    3132: "The backup is striped over several files: give all of them",
    3133: "The files do not belong to one another: give the files of one backup",
    3136: "This differential backup belongs to another full backup",
    3137: "The database cannot be reverted to that snapshot: only one snapshot of it may exist, and it must be whole",
    3154: (
        "The backup is one of another database than the one on the server: use 'replace: always' only if that one "
        "may be lost"
    ),
    3156: "A file cannot be placed there: give existing folders with room in 'relocate'",
    3159: "The tail of the log has not been backed up: leave 'tail_log' at 'attempt', or take one by hand",
    3169: "The backup was made by a newer SQL Server: restore it on a server of at least that version",
    3173: "The tail of the log has not been backed up: leave 'tail_log' at 'attempt', or take one by hand",
    3176: "Two files would get the same path: give other folders in 'relocate'",
    3183: "The backup is damaged: use another one",
    3189: "The backup is damaged: use another one",
    3201: "Check that the path exists and that the SQL Server service account has rights on it",
    3202: "The backup could not be written: check the disk or share, and its free space",
    3203: "The backup could not be read: check the disk or share",
    3241: "The file is no backup, or an incomplete one",
    3242: "The file is no backup that SQL Server understands",
    3243: "The file was written by a newer SQL Server: use a server of at least that version",
    3257: "There is not enough room for the database's files: free space, or give other folders in 'relocate'",
    3268: "The file was written to a disk with another sector size: copy it to a disk with the same one",
    3743: "The database is mirrored: end mirroring first (sql_mirror with 'state: absent')",
    4060: "The database does not exist, is not online, or the login may not use it",
    4064: "The login's default database cannot be opened: set another one with sql_login",
    4208: (
        "The database has the SIMPLE recovery model, which keeps no log: set it to FULL with sql_database and "
        "take a full backup"
    ),
    4214: "A log backup needs a full backup first: run sql_backup with 'kind: full'",
    4305: "A log backup between the restored ones and this one is missing",
    4326: "This log backup ends before the point that the database has reached",
    4330: "This backup belongs to another recovery path: the database was restored to an earlier point in between",
    4335: "The point in time lies before this backup",
    4338: "The point in time lies before the backup ended: choose a later point or an older backup",
    5030: "Other sessions use the database: stop the application's site and pool, then run again",
    5061: "Other sessions use the database: stop the application's site and pool, then run again",
    5069: "Other sessions may use the database: stop the application's site and pool, then run again",
    5123: (
        "The file could not be created: check that the folder exists and that the SQL Server service account has "
        "rights on it"
    ),
    5133: "The folder does not exist for the SQL Server service account: give an existing one in 'relocate'",
    5120: "Check that the file exists and that the SQL Server service account has Modify on it",
    5170: "A file of that path exists already: give other folders in 'relocate', or move the old file away",
    5171: "The file is no primary data file: give the .mdf first",
    5172: "The file is no data file of SQL Server, or a damaged one",
    6104: "A session cannot end itself",
    15007: "The login does not exist: create it with sql_login",
    15023: "A user or role of this name exists already in the database",
    15025: "A login of this name exists already",
    15063: "This login is already mapped to another user of the database",
    15081: "Membership of the role public cannot be changed",
    15116: "The password does not meet the policy of Windows: choose a stronger one, or set 'check_policy: false'",
    15118: "The password does not meet the policy of Windows: choose a stronger one, or set 'check_policy: false'",
    15151: "It does not exist, or the login has no right to change it",
    15352: "An endpoint or a backup uses the certificate: give the endpoint another one first (sql_endpoint)",
    15170: "The login owns something: give that to another login first",
    15174: "The login owns a database: give that to another login first",
    15240: (
        "The folder must exist for the SQL Server service account, which needs Modify there, and a file of that "
        "name must not be there yet"
    ),
    15247: "Use a login with the server role sysadmin",
    15401: "Windows does not know this account: check its name and that the server reaches its domain",
    15433: "Another login has this SID: remove that one first, or see with sql_info which it is",
    15434: "The login is connected: end its sessions first",
    18401: "The server is starting up: run again in a moment",
    18452: "The server accepts Windows accounts only: switch it to mixed mode (SQL Server and Windows authentication)",
    18456: (
        "Check login_user and login_password; the server's error log says whether the login is unknown, "
        "disabled, or SQL logins are off"
    ),
    18470: "The login is disabled: enable it with sql_login",
    18486: "The login is locked out: unlock it, and find out who tried wrong passwords",
    18487: "The password has expired: set a new one with sql_login and switch off 'check_expiration'",
    18488: "The password must be changed: set a new one with sql_login",
    22048: "Check that the path exists and that the SQL Server service account has rights on it",
    22049: "Check that the path exists and that the SQL Server service account may delete there",
    28055: (
        "The certificate has expired, is not valid yet, or has no private key under the master key: make a "
        "successor with sql_certificate"
    ),
    33111: (
        "The certificate that encrypted this backup is not in master: create it there from its backup, with its "
        "private key"
    ),
    33117: "The edition of this server cannot use this feature",
}
"""Number -> the next thing to do, as a sentence without its stop."""

NO_RIGHTS = (5, 1326)
"""Errors of Windows that keep SQL Server out of a folder, whoever else may be let in."""

_OPERATING_SYSTEM_ERROR = re.compile(
    r"(?:[Oo]perating system error|returned error|OS error:?) (\d+)|(?:xp_\w+|FindFirstFile)\(\)\D{1,60}?(\d+)"
)
_BEHIND_A_BRACKET = re.compile(r"(?<![\w])(\d+)\s?\([^()]*\)\.?\s*$")
_IN_QUOTES = re.compile(r"'(\d+)\([^()]*\)'")


def operating_system_error(message: str) -> int | None:
    """The number of the Windows error that a message of SQL Server carries.

    English servers say "Operating system error 5(Access is denied.)", others translate the words and keep "5(...)" at
    the end. Extended procedures name the function that failed: "FindFirstFile() returned error 5, '...'"; a restore
    (3634) says "the error '112(...)'".
    """
    match = _OPERATING_SYSTEM_ERROR.search(message) or _BEHIND_A_BRACKET.search(message) or _IN_QUOTES.search(message)
    return int(match.group(match.lastindex or 1)) if match else None


def advice_for(number: int | None, message: str = "", *, account: str = "") -> str:
    """The next thing to do about an error of SQL Server; empty when there is nothing better to say than the message.

    account: the service account of SQL Server, where it is known.
    """
    if number in OPERATING_SYSTEM_CARRIERS:
        cause = operating_system_error(message)
        if advice := windows.advice_for(number=cause, access=windows.of_sql_service(account)):
            return advice
    return ADVICE.get(number or 0, "")


OPERATING_SYSTEM_CARRIERS = frozenset({3201, 3202, 3203, 3271, 3634, 5120, 5123, 5133, 5149, 22006, 22048, 22049})
"""Errors of SQL Server whose message carries an error of Windows."""
