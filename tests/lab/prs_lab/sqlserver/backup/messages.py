"""The errors of BACKUP and RESTORE, in Microsoft's words (severity 16 unless said otherwise)."""

from __future__ import annotations

from typing import Any

from ...windows.errors import WinError
from ..errors import SqlError

__all__ = ["error", "os_error", "terminating"]

_TEXTS: dict[int, tuple[int, str] | str] = {
    262: (14, "{what} permission denied in database '{name}'."),
    911: "Database '{name}' does not exist. Make sure that the name is entered correctly.",
    924: "Database '{name}' is already open and can only have one user at a time.",
    1834: "The file '{path}' cannot be overwritten.  It is being used by database '{name}'.",
    1844: "{what} is not supported on {edition}.",
    3013: "{what} is terminating abnormally.",
    3021: "Cannot perform a backup or restore operation within a transaction.",
    3023: "Backup, file manipulation operations (such as ALTER DATABASE ADD FILE) and encryption changes on a "
    "database must be serialized. Reissue the "
    "statement after the current backup or file manipulation operation is completed.",
    3024: (
        "You can only perform a full backup of the master database. Use BACKUP DATABASE to back up the entire "
        "master database."
    ),
    3033: "BACKUP DATABASE cannot be used on a database opened in emergency mode.",
    3035: 'Cannot perform a differential backup for database "{name}", because a current database backup does not '
    "exist. Perform a full database backup by "
    "reissuing BACKUP DATABASE, omitting the WITH DIFFERENTIAL option.",
    3036: 'The database "{name}" is in warm-standby state (set by executing RESTORE WITH STANDBY) and cannot be '
    "backed up until the entire restore "
    "sequence is completed.",
    3044: "Invalid zero-length device name. Reissue the BACKUP statement with a valid device name.",
    3057: "Invalid device name. The length of the device name provided exceeds supported limit (maximum length "
    "is:{limit}). Reissue the BACKUP statement "
    "with a valid device name.",
    3059: "This BACKUP or RESTORE command is not supported on a database mirror or secondary replica.",
    3096: "The Certificate specified for backup encryption has expired.",
    3095: "The backup cannot be performed because 'ENCRYPTION' was requested after the media was formatted with an "
    "incompatible structure. To append to "
    "this media set, either omit 'ENCRYPTION' or create a new media set by using WITH FORMAT in your BACKUP "
    "statement. If you use WITH FORMAT on an "
    "existing media set, all its backup sets will be overwritten.",
    3098: "The backup cannot be performed because '{asked}' was requested after the media was formatted with an "
    "incompatible structure. To append to this "
    "media set, either omit '{asked}' or specify '{instead}'. Alternatively, you can create a new media set by "
    "using WITH FORMAT in your BACKUP statement. "
    "If you use WITH FORMAT on an existing media set, all its backup sets will be overwritten.",
    3101: "Exclusive access could not be obtained because the database is in use.",
    3102: "{what} cannot process database '{name}' because it is in use by this session. It is recommended that the "
    "master database be used when "
    "performing this operation.",
    3104: "RESTORE cannot operate on database '{name}' because it is configured for database mirroring or has "
    "joined an availability group. If you intend "
    "to restore the database, use ALTER DATABASE to remove mirroring or to remove the database from its "
    "availability group.",
    3108: "To restore the master database, the server must be running in single-user mode. For information on "
    'starting in single-user mode, see "How to: '
    'Start an Instance of SQL Server (sqlservr.exe)" in Books Online.',
    3110: (14, "User does not have permission to RESTORE database '{name}'."),
    3117: "The log or differential backup cannot be restored because no files are ready to rollforward.",
    3118: 'The database "{name}" does not exist. RESTORE can only create a database when restoring either a full '
    "backup or a file backup of the primary "
    "file.",
    3119: "Problems were identified while planning for the RESTORE statement. Previous messages provide details.",
    3132: "The media set has {families} media families but only {given} are provided. All members must be provided.",
    3135: "The backup set in file '{device}' was created by {what} and cannot be used for this restore operation.",
    3142: 'File "{path}" cannot be restored over the existing "{path}". Reissue the RESTORE statement using WITH '
    "REPLACE to overwrite pre-existing files, "
    "or WITH MOVE to identify an alternate location.",
    3147: "Backup and restore operations are not allowed on database tempdb.",
    3153: "The database is already fully recovered.",
    3154: "The backup set holds a backup of a database other than the existing '{name}' database.",
    3156: "File '{logical}' cannot be restored to '{path}'. Use WITH MOVE to identify a valid location for the file.",
    3159: 'The tail of the log for the database "{name}" has not been backed up. Use BACKUP LOG WITH NORECOVERY to '
    "backup the log if it contains work you "
    "do not want to lose. Use the WITH REPLACE or WITH STOPAT clause of the RESTORE statement to just overwrite the "
    "contents of the log.",
    3169: "The database was backed up on a server running version {theirs}. That version is incompatible with this "
    "server, which is running version "
    "{ours}. Either restore the database on a server that supports the backup, or use a backup that is compatible "
    "with this server.",
    3173: "The STOPAT clause provided with this RESTORE statement indicates that the tail of the log contains "
    "changes that must be backed up to reach the "
    'target point in time. The tail of the log for the database "{name}" has not been backed up. Use BACKUP LOG '
    "WITH NORECOVERY to back up the log, or use "
    "the WITH REPLACE clause in your RESTORE statement to overwrite the tail of the log.",
    3174: "The file '{logical}' cannot be moved by this RESTORE operation.",
    3176: (
        "File '{path}' is claimed by '{one}'({one_id}) and '{other}'({other_id}). The WITH MOVE clause can be "
        "used to relocate one or more files."
    ),
    3180: (
        "This backup cannot be restored using WITH STANDBY because a database upgrade is needed. Reissue the "
        "RESTORE without WITH STANDBY."
    ),
    3182: "The backup set cannot be restored because the database was damaged when the backup occurred. Salvage "
    "attempts may exploit WITH "
    "CONTINUE_AFTER_ERROR.",
    3187: "RESTORE WITH CHECKSUM cannot be specified because the backup set does not contain checksum information.",
    3201: "Cannot open backup device '{device}'. Operating system error {cause}.",
    3202: 'Write on "{device}" failed: {cause}',
    3206: "Backup device '{device}' does not exist. To view existing backup devices, use the sys.backup_devices "
    "catalog view. To create a new backup device "
    "use either sp_addumpdevice or SQL Server Management Studio.",
    3215: "Use WITH FORMAT to create a new mirrored backup set.",
    3010: "Invalid backup mirror specification. All mirrors must have the same number of members.",
    3217: "Invalid value specified for {what} parameter.",
    3218: "Backup mirroring is not available in this edition of SQL Server. See Books Online for more details on "
    "feature support in different SQL Server "
    "editions.",
    3227: 'The backup media on "{device}" is part of media family {family} which has already been processed on '
    '"{other}". Ensure that backup devices are '
    "correctly specified. For tape devices, ensure that the correct volumes are loaded.",
    3231: 'The media loaded on "{device}" is formatted to support {found} media families, but {wanted} media '
    "families are expected according to the backup "
    "device specification.",
    3234: (
        "Logical file '{logical}' is not part of database '{name}'. Use RESTORE FILELISTONLY to list the logical "
        "file names."
    ),
    3257: "There is insufficient free space on disk volume '{volume}' to create the database. The database requires "
    "{needed} additional free bytes, while "
    "only {free} bytes are available.",
    3258: 'The volume on the device "{device}" is not part of the media set that is currently being processed. '
    "Ensure that the backup devices are loaded "
    "with the correct media.",
    3266: 'The backup data at the end of "{device}" is incorrectly formatted. Backup sets on the media might be '
    "damaged and unusable. To determine the "
    "backup sets on the media, use RESTORE HEADERONLY. To determine the usability of the backup sets, run RESTORE "
    "VERIFYONLY. If all of the backup sets are "
    "incomplete, reformat the media using BACKUP WITH FORMAT, which destroys all the backup sets.",
    3441: (
        21,
        "During startup of warm standby database '{name}' (database ID {id}), its standby file ('{path}') was "
        "inaccessible to the RESTORE statement. The "
        "operating system error was '{cause}'. Diagnose the operating system error, correct the problem, and retry "
        "startup.",
    ),
    3634: "The operating system returned the error '{cause}' while attempting '{call}' on '{path}'.",
    4030: "The medium on device '{device}' expires on {date} and cannot be overwritten.",
    4037: 'The user-specified MEDIANAME "{asked}" does not match the MEDIANAME "{found}" of the device "{device}".',
    4038: "Cannot find file ID {position} on device '{device}'.",
    4208: "The statement BACKUP LOG is not allowed while the recovery model is SIMPLE. Use BACKUP DATABASE or "
    "change the recovery model using ALTER "
    "DATABASE.",
    4212: "Cannot back up the log of the master database. Use BACKUP DATABASE instead.",
    4214: "BACKUP LOG cannot be performed because there is no current database backup.",
    4334: "The named mark does not identify a valid LSN.",
    4335: (
        "The specified STOPAT time is too early. All or part of the database is already rolled forward beyond "
        "that point."
    ),
    4338: "The STOPAT clause specifies a point too early to allow this backup set to be restored. Choose a "
    "different stop point or use RESTORE DATABASE "
    "WITH RECOVERY to recover at the current point.",
    4340: "The point-in-time clause of this RESTORE statement is restricted for use by RESTORE LOG statements only. "
    "Omit the clause or use a clause that "
    "includes a timestamp.",
    4341: "This log backup contains bulk-logged changes. It cannot be used to stop at an arbitrary point in time.",
    5133: 'Directory lookup for the file "{path}" failed with the operating system error {cause}.',
    15151: "Cannot find the {kind} '{name}', because it does not exist or you do not have permission.",
}


def error(number: int, *, state: int = 1, follow: tuple[SqlError, ...] = (), **values: Any) -> SqlError:
    """The error of that number, its placeholders filled in."""
    entry = _TEXTS[number]
    severity, text = (16, entry) if isinstance(entry, str) else entry
    return SqlError(number, text.format(**values), severity=severity, state=state, follow=follow)


def os_error(failure: WinError) -> str:
    """An operating system error as SQL Server quotes it: 5(Access is denied.)."""
    return f"{failure.number}({failure.text})"


def terminating(failure: SqlError, what: str) -> SqlError:
    """The same error, followed by 3013."""
    if failure.number != 3013 and all(after.number != 3013 for after in failure.follow):
        failure.follow = (*failure.follow, error(3013, what=what))
    return failure
