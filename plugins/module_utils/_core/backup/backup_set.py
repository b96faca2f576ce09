# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a backup set is, whoever describes it: a file's header, or the history in msdb.

Everything is read by column name, so the extra columns of newer servers and the missing ones of older servers do no
harm. GUIDs are lower-case strings without braces, LSNs are ``int`` (numeric(25,0) does not fit a float), sizes are
bytes and times are aware UTC. Headers carry the source server's local time: see :func:`to_utc` for how it becomes UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone, tzinfo
from enum import Enum
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

__all__ = [
    "SET_BACK",
    "YEARS",
    "BackupKind",
    "BackupSet",
    "Copy",
    "DatabaseFile",
    "HeaderError",
    "Label",
    "backup_set",
    "backup_set_from_history",
    "database_file",
    "guid",
    "label",
    "lsn",
    "to_utc",
]


class BackupKind(str, Enum):
    """What a backup holds. A member is its own word, in results and manifests as well: ``"full"`` and so on.

    What is peculiar to a kind stands in its line, and in what is made of it below: the word; ``number``, by which
    RESTORE HEADERONLY calls it (BackupType); ``letter``, by which msdb.dbo.backupset does (type); ``extension`` of its
    files, empty for a kind that sql_backup does not take; ``missing_base_error``, SQL Server's number for a backup
    without the one it continues.
    """

    FULL = "full", 1, "D", "bak", 0
    DIFFERENTIAL = "differential", 5, "I", "dif", 3035
    LOG = "log", 2, "L", "trn", 4214
    FILE = "file", 4, "F", "", 0
    FILE_DIFFERENTIAL = "file_differential", 6, "G", "", 3035
    PARTIAL = "partial", 7, "P", "", 0
    PARTIAL_DIFFERENTIAL = "partial_differential", 8, "Q", "", 3035

    number: int
    letter: str
    extension: str
    missing_base_error: int
    is_taken: bool
    """Whether sql_backup takes such backups, and sql_restore and the retention work with them."""
    is_log: bool
    """Whether it holds log records alone, and no pages of the database."""
    begins_chain: bool
    """Whether a database can be restored from it and what continues it, without anything older."""
    needs_base: bool
    """Whether it continues an earlier backup."""

    def __new__(cls, word: str, number: int, letter: str, extension: str, missing_base_error: int) -> BackupKind:
        member = str.__new__(cls, word)
        member._value_ = word
        member.number = number
        member.letter = letter
        member.extension = extension
        member.missing_base_error = missing_base_error
        # No properties: a planner asks the kinds of a million sets.
        member.is_taken = extension != ""
        member.is_log = word == "log"
        member.begins_chain = word == "full"
        member.needs_base = missing_base_error != 0
        return member

    __str__ = str.__str__
    __format__ = str.__format__

    @property
    def removal_order(self) -> int:
        """Backups with a lower number are removed first: what needs others goes before what it needs."""
        return 0 if self.is_log else 1 if self.needs_base else 2

    @classmethod
    def taken(cls) -> tuple[BackupKind, ...]:
        """The kinds that sql_backup takes."""
        return tuple(kind for kind in cls if kind.is_taken)


_DIFFERENTIAL = BackupKind.DIFFERENTIAL  # looked up in its class it costs ten times as much
# RESTORE HEADERONLY says it with numbers, msdb.dbo.backupset with letters.
_KINDS = {name: kind for kind in BackupKind for name in (kind.number, kind.letter)}

_UNKNOWN_TIME_ZONE = 127
# Some builds of SQL Server 2022 (16.0.4236 is one) write this into every header, wherever their server stands. msdb is
# right.
_DOUBTFUL_IN_HEADERS = 0
_NAMES_ITS_BASE = 9  # SQL Server 2005
SET_BACK = timedelta(hours=1)
"""What a set is taken to have run longer that ended, by its clock, before it began."""
# Of the T-SQL type datetime; without the last one, so that a moment can be told in every zone.
YEARS = range(1753, 9999)
# What RESTORE HEADERONLY calls a set whose header it cannot understand.
_BROKEN_OFF = "*** INCOMPLETE ***"
_NO_FILE = "no file of it is known"
_NO_GUID = "00000000-0000-0000-0000-000000000000"


class HeaderError(ValueError):
    """A header row that describes no backup set of a SQL Server database; its text says why."""


@dataclass(slots=True, frozen=True, kw_only=True)
class DatabaseFile:
    """One row of RESTORE FILELISTONLY (or of msdb.dbo.backupfile): a file of the database inside a set."""

    logical_name: str
    physical_name: str
    type: str  # D data, L log, S FILESTREAM, F full-text
    size: int  # bytes that the file takes on disk once restored
    file_id: int
    is_present: bool = True
    tde_thumbprint: str = ""


@dataclass(slots=True, frozen=True, kw_only=True)
class Label:
    """The row of RESTORE LABELONLY: where a file stands among the stripes (media families) of its media set."""

    media_set_id: str
    family_count: int
    family_sequence: int
    mirror_count: int = 1


class Copy(NamedTuple):
    """One place where a set can be read from: all its stripes, in order, and the ``FILE = position`` inside them.

    ``problem`` is empty for a copy that can be used and otherwise a sentence for a person.
    """

    stripes: tuple[str, ...]
    position: int = 1
    media_set_id: str = ""
    problem: str = ""


@dataclass(slots=True, kw_only=True, eq=False)
class BackupSet:
    """One backup set. Its identity is ``guid``; names of databases, servers and files are only shown.

    Treat it as immutable: it is not frozen only because a planner may be handed a million of them.
    """

    guid: str
    kind: BackupKind
    family_guid: str
    database: str = ""
    server: str = ""
    first_lsn: int = 0
    last_lsn: int = 0  # the LSN after the last record in the set
    checkpoint_lsn: int = 0
    database_backup_lsn: int = 0  # of a full: the full before it
    first_fork: str = ""
    last_fork: str = ""
    fork_point_lsn: int | None = None
    differential_base_guid: str = ""
    differential_base_lsn: int | None = None
    multi_based: bool = False  # a differential whose files have different bases
    started: datetime
    finished: datetime
    last_valid_time: datetime | None = None  # SQL Server 2022: the newest moment to which a log can be stopped
    utc_offset: timedelta | None = None  # of the clock at the start; None: nobody knows, the times were taken for UTC
    ambiguous_time: bool = False  # the clock showed one of the times twice: the earliest start, the latest finish
    copy_only: bool = False
    bulk_logged: bool = False
    damaged: bool = False  # the database was damaged when it was backed up (CONTINUE_AFTER_ERROR)
    snapshot: bool = False
    checksums: bool = False
    begins_log_chain: bool = False
    incomplete_metadata: bool = False
    force_offline: bool = False  # BACKUP LOG ... WITH NORECOVERY: the tail
    recovery_model: str = ""
    collation: str = ""
    compatibility_level: int = 0
    database_version: int = 0
    version: tuple[int, int, int] = (0, 0, 0)  # of the server that made it
    size: int = 0
    compressed_size: int = 0
    key_algorithm: str = ""  # empty: not encrypted
    encryptor_thumbprint: str = ""
    binding_id: str = ""
    name: str = ""
    verified: bool = False
    copies: tuple[Copy, ...] = ()
    files: tuple[DatabaseFile, ...] = ()
    unknown: frozenset[str] = frozenset()  # columns of RESTORE HEADERONLY and FILELISTONLY that the source cannot tell
    problem: str = field(
        init=False, default=""
    )  # why the set cannot be restored, or nothing: the reasons of all its copies

    def lie_in(self, copies: tuple[Copy, ...], files: tuple[DatabaseFile, ...]) -> None:
        """Note where the set can be read from, and which files of the database are in it."""
        self.copies, self.files = copies, files
        usable = copies and not copies[0].problem and not self.snapshot and self.kind.is_taken
        self.problem = "" if usable else self._find_problem()

    def __post_init__(self) -> None:
        if not self.copies or self.copies[0].problem or self.snapshot or not self.kind.is_taken:
            self.problem = self._find_problem()

    def _find_problem(self) -> str:
        if not self.kind.is_taken:
            return f"it is a {self.kind.replace('_', ' ')} backup; only full, differential and log backups are restored"
        if self.snapshot:
            return (
                "it is a snapshot, whose data other backup software (VSS) keeps, or the storage (WITH METADATA_ONLY): "
                "RESTORE cannot read them from a file"
            )
        if not self.copies:
            return _NO_FILE
        if self.best_copy is None:
            return "; ".join(dict.fromkeys(copy.problem for copy in self.copies)) or _NO_FILE
        return ""

    @property
    def family(self) -> str:
        """What sets of one database have in common. Before SQL Server 2005 there was no FamilyGUID: then its name."""
        return self.family_guid or f"database {self.database.rstrip(' ').casefold()}"

    @property
    def place(self) -> str:
        """The first file of its first copy, or its GUID where no file is known."""
        return self.copies[0].stripes[0] if self.copies and self.copies[0].stripes else self.guid

    @property
    def over(self) -> datetime:
        """A moment at or after its end, which by a clock that was set back meanwhile was before its start."""
        return max(self.started, self.finished)

    @property
    def covered_until(self) -> datetime:
        """What was logged before this moment is surely in the set (a log is cut off some time after it was started)."""
        if self.last_valid_time is not None and self.last_valid_time > self.started:
            return min(self.last_valid_time, self.finished)
        return self.started

    @property
    def is_idle(self) -> bool:
        """A log backup of a time in which nothing was logged."""
        return self.kind.is_log and self.first_lsn == self.last_lsn

    @property
    def best_copy(self) -> Copy | None:
        """The first copy without a problem."""
        for copy in self.copies:
            if not copy.problem:
                return copy
        return None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, for results and manifests."""
        return {
            "guid": self.guid,
            "kind": self.kind.value,
            "database": self.database,
            "server": self.server,
            "family_guid": self.family_guid,
            "first_lsn": self.first_lsn,
            "last_lsn": self.last_lsn,
            "checkpoint_lsn": self.checkpoint_lsn,
            "database_backup_lsn": self.database_backup_lsn,
            "differential_base_guid": self.differential_base_guid,
            "first_fork": self.first_fork,
            "last_fork": self.last_fork,
            "started_at": self.started.isoformat(),
            "finished_at": self.finished.isoformat(),
            "time_zone_known": self.utc_offset is not None,
            "copy_only": self.copy_only,
            "checksums": self.checksums,
            "damaged": self.damaged,
            "size": self.size,
            "compressed_size": self.compressed_size,
            "server_version": ".".join(map(str, self.version)),
            "database_version": self.database_version,
            "collation": self.collation,
            "recovery_model": self.recovery_model,
            "encryptor_thumbprint": self.encryptor_thumbprint,
            "files": list(self.copies[0].stripes) if self.copies else [],
            "position": self.copies[0].position if self.copies else None,
        }

    def __str__(self) -> str:
        return f"{self.kind} backup of {self.database} of {self.finished:%Y-%m-%d %H:%M:%S} UTC ({self.place})"


def guid(value: Any) -> str:
    """A GUID as the drivers, JSON or T-SQL give it, as one lower-case string; nothing and zero become an
    empty string.
    """
    return "" if value is None else _guid_text(value if isinstance(value, str) else str(value))


@lru_cache(maxsize=4096)
def _guid_text(value: str) -> str:
    text = value.strip("{} ").lower()
    return "" if text == _NO_GUID else text


def lsn(value: Any) -> int | None:
    """An LSN as ``int``. A float is refused: it has already lost digits."""
    if isinstance(value, int):
        return value
    if value is None or value == "":
        return None
    if isinstance(value, float):
        raise HeaderError(f"the LSN {value!r} was read as a floating point number and is no longer exact")
    try:
        return int(value)
    except (ValueError, TypeError):
        raise HeaderError(f"the LSN {value!r} is no number") from None


def to_utc(
    value: Any, *, quarter_hours: Any = None, zone: tzinfo | None = None, latest: bool = False
) -> tuple[datetime, timedelta | None]:
    """A time from a header as aware UTC, and the offset that was used (``None``: unknown, taken for UTC).

    The header's own offset (``TimeZone``, in quarter hours, 127 = unknown) comes first; then ``zone``, which a person
    gave for servers that do not tell theirs. Without either the time is taken for UTC and the caller can see that it
    was. A zone's clock shows an hour twice in autumn: the earlier of both moments is meant, or the ``latest``.
    Raises :class:`HeaderError` for what is no time, or one outside of the years of T-SQL's datetime.
    """
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        raise HeaderError(f"its time '{value}' is none that can be understood") from None
    if moment.year not in YEARS:
        raise HeaderError(f"its time {moment} is none that SQL Server writes")
    if moment.tzinfo is not None:
        return moment.astimezone(timezone.utc), moment.utcoffset()
    if quarter_hours is not None and int(quarter_hours) != _UNKNOWN_TIME_ZONE:
        offset = timedelta(minutes=15 * int(quarter_hours))
    elif zone is not None:
        offsets = [moment.replace(tzinfo=zone, fold=fold).utcoffset() or timedelta() for fold in (0, 1)]
        offset = min(offsets) if latest else max(offsets)
    else:
        return _called_utc(moment), None
    return _called_utc(moment) - offset, offset


def _called_utc(moment: datetime) -> datetime:
    """What replace(tzinfo=timezone.utc) makes of it, in a third of the time."""
    return datetime.combine(moment, moment.time(), timezone.utc)


def _thumbprint(value: Any) -> str:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex().upper()
    return str(value or "").upper().removeprefix("0X")


def _algorithm(value: Any) -> str:
    text = str(value or "")
    return "" if text.lower() in ("no_encryption", "none") else text


def _bool(value: Any) -> bool:
    return bool(int(value)) if value is not None else False


def _forks(
    first: Any, last: str, point: int | None, *, kind: BackupKind, first_lsn: int
) -> tuple[str, str, int | None]:
    """On which recovery fork a set begins, on which it ends, and where the latter begins, if that is inside the set.

    Files go on naming the last fork point, however long ago that was: before its first record a set has no other fork.
    """
    if not kind.is_log or (point is not None and point < first_lsn):
        return last, last, None
    return guid(first) or last, last, point


def _has_no_single_base(row: Mapping[str, Any], unknown: frozenset[str]) -> bool:
    """Since SQL Server 2005 a differential names its base, unless its files have different ones. What somebody recorded
    may lack the columns.
    """
    row = {name.lower(): value for name, value in row.items()}
    return (
        "differentialbaseguid" in row
        and "DifferentialBaseGUID" not in unknown
        and not guid(row["differentialbaseguid"])
        and lsn(row.get("differentialbaselsn")) is None
        and int(row.get("softwareversionmajor") or 0) >= _NAMES_ITS_BASE
    )


# The columns of a header whose values hardly change from one set of a database to the next. What is made of them is
# remembered.
_STEADY = (
    "familyguid",
    "databasename",
    "servername",
    "iscopyonly",
    "hasbulkloggeddata",
    "isdamaged",
    "issnapshot",
    "hasbackupchecksums",
    "beginslogchain",
    "hasincompletemetadata",
    "isforceoffline",
    "recoverymodel",
    "collation",
    "compatibilitylevel",
    "databaseversion",
    "softwareversionmajor",
    "softwareversionminor",
    "softwareversionbuild",
    "keyalgorithm",
    "bindingid",
)
_IDENTITY = ("backupsetguid", "backuptype", "backupstartdate", "backupname")
_TIMES = ("backupstartdate", "backupfinishdate", "lastvalidrestoretime", "timezone")
_LOG = (
    "firstlsn",
    "lastlsn",
    "checkpointlsn",
    "databasebackuplsn",
    "firstrecoveryforkid",
    "recoveryforkid",
    "forkpointlsn",
    "differentialbaseguid",
    "differentialbaselsn",
)
_REST = ("backupsize", "compressedbackupsize", "encryptorthumbprint", "backupname")

_Values = Callable[[tuple[Any, ...]], tuple[Any, ...]]


class _Layout(NamedTuple):
    """Takes groups of columns from the values of a row and a last None, which stands for columns that it lacks."""

    steady: _Values
    identity: _Values
    times: _Values
    log: _Values
    rest: _Values


@lru_cache(maxsize=256)
def _layout(names: tuple[str, ...]) -> _Layout:
    """Of columns in this order; all rows of a result have the same."""
    places = {name.lower(): place for place, name in enumerate(names)}
    groups = (_STEADY, _IDENTITY, _TIMES, _LOG, _REST)
    return _Layout(*(itemgetter(*(places.get(name, len(names)) for name in group)) for group in groups))


@lru_cache(maxsize=4096)
def _steady(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """What the fields of :class:`BackupSet` from ``family_guid`` on get from the steady columns."""
    row = dict(zip(_STEADY, values, strict=True))
    return (
        guid(row["familyguid"]),
        row["databasename"] or "",
        row["servername"] or "",
        _bool(row["iscopyonly"]),
        _bool(row["hasbulkloggeddata"]),
        _bool(row["isdamaged"]),
        _bool(row["issnapshot"]),
        _bool(row["hasbackupchecksums"]),
        _bool(row["beginslogchain"]),
        _bool(row["hasincompletemetadata"]),
        _bool(row["isforceoffline"]),
        row["recoverymodel"] or "",
        row["collation"] or "",
        int(row["compatibilitylevel"] or 0),
        int(row["databaseversion"] or 0),
        tuple([int(row[f"softwareversion{part}"] or 0) for part in ("major", "minor", "build")]),
        _algorithm(row["keyalgorithm"]),
        guid(row["bindingid"]),
    )


def backup_set(
    row: Mapping[str, Any],
    *,
    copies: tuple[Copy, ...] = (),
    files: tuple[DatabaseFile, ...] = (),
    zone: tzinfo | None = None,
    from_msdb: bool = False,
    unknown: frozenset[str] = frozenset(),
) -> BackupSet:
    """A row of RESTORE HEADERONLY (column name -> value) as a :class:`BackupSet`. ``from_msdb``: its time zone can be
    relied on. ``unknown``: columns that are missing because the source cannot tell them, not because there is nothing.

    Raises :class:`HeaderError` for a row without a backup set of SQL Server in it: another program's, or one behind a
    password.
    """
    layout, values = _layout(tuple(row)), (*row.values(), None)
    # Filled group by group: a call with forty names takes longer than reading the row does.
    made = BackupSet.__new__(BackupSet)
    made.guid, made.kind = _identity(*layout.identity(values))
    _fill_times(made, *layout.times(values), zone=zone, from_msdb=from_msdb)
    _fill_lsns(made, *layout.log(values))
    _fill_rest(made, *layout.rest(values))
    _fill_steady(made, layout.steady(values))
    made.multi_based = made.kind is _DIFFERENTIAL and _has_no_single_base(row, unknown)
    made.verified, made.unknown = False, unknown
    made.lie_in(copies, files)
    return made


def _fill_steady(made: BackupSet, values: tuple[Any, ...]) -> None:
    (
        made.family_guid,
        made.database,
        made.server,
        made.copy_only,
        made.bulk_logged,
        made.damaged,
        made.snapshot,
        made.checksums,
        made.begins_log_chain,
        made.incomplete_metadata,
        made.force_offline,
        made.recovery_model,
        made.collation,
        made.compatibility_level,
        made.database_version,
        made.version,
        made.key_algorithm,
        made.binding_id,
    ) = _steady(values)


def _fill_lsns(
    made: BackupSet,
    first: Any,
    last: Any,
    checkpoint: Any,
    database_backup: Any,
    first_fork: Any,
    last_fork: Any,
    point: Any,
    base: Any,
    base_lsn: Any,
) -> None:
    made.first_lsn, made.last_lsn = lsn(first) or 0, lsn(last) or 0
    made.checkpoint_lsn, made.database_backup_lsn = lsn(checkpoint) or 0, lsn(database_backup) or 0
    made.first_fork, made.last_fork, made.fork_point_lsn = _forks(
        first_fork, guid(last_fork), lsn(point), kind=made.kind, first_lsn=made.first_lsn
    )
    made.differential_base_guid, made.differential_base_lsn = guid(base), lsn(base_lsn)


def _fill_rest(made: BackupSet, size: Any, compressed_size: Any, thumbprint: Any, name: Any) -> None:
    made.size = int(size or 0)
    made.compressed_size = int(compressed_size or made.size)
    made.encryptor_thumbprint = _thumbprint(thumbprint) if thumbprint else ""
    made.name = name or ""


def _fill_times(
    made: BackupSet,
    start: Any,
    finish: Any,
    last_valid: Any,
    quarter_hours: Any,
    *,
    zone: tzinfo | None,
    from_msdb: bool,
) -> None:
    if quarter_hours is not None and int(quarter_hours) == _DOUBTFUL_IN_HEADERS and not from_msdb:
        quarter_hours = None
    started, offset = to_utc(start, quarter_hours=quarter_hours, zone=zone)
    if zone is None and (not finish or finish == start):
        finished, finish_offset = started, offset
    else:
        finished, finish_offset = to_utc(finish or start, quarter_hours=quarter_hours, zone=zone, latest=True)
    set_back = finished < started  # the clock, meanwhile
    if set_back:
        finished += SET_BACK
    made.started, made.finished, made.utc_offset = started, finished, offset
    made.ambiguous_time = finish_offset != offset or set_back
    made.last_valid_time = to_utc(last_valid, quarter_hours=quarter_hours, zone=zone)[0] if last_valid else None


def _identity(set_guid: Any, number: Any, start: Any, name: Any) -> tuple[str, BackupKind]:
    """GUID and kind of a set. Raises :class:`HeaderError` where it is none."""
    identity = guid(set_guid)
    kind = _KINDS.get(number)
    if identity and kind is not None and start is not None:
        return identity, kind
    name = name or "a backup set without a name"
    if name == _BROKEN_OFF:
        raise HeaderError(
            "the backup was broken off before it was complete, or a newer SQL Server made it than reads it here"
        )
    raise HeaderError(
        f"{name!s} has no readable header (it is protected by a password or was written by another program)"
    )


# Where msdb.dbo.backupset calls a header's column by another name than the header's own with underscores.
_HISTORY_NAMES = {
    "backup_set_uuid": "BackupSetGUID",
    "type": "BackupType",
    "database_guid": "BindingID",
    "family_guid": "FamilyGUID",
    "last_recovery_fork_guid": "RecoveryForkID",
    "first_recovery_fork_guid": "FirstRecoveryForkID",
    "software_major_version": "SoftwareVersionMajor",
    "software_minor_version": "SoftwareVersionMinor",
    "software_build_version": "SoftwareVersionBuild",
    "name": "BackupName",
    "description": "BackupDescription",
    "collation_name": "Collation",
    "has_bulk_logged_data": "HasBulkLoggedData",
}


def backup_set_from_history(
    row: Mapping[str, Any],
    *,
    copies: tuple[Copy, ...] = (),
    files: tuple[DatabaseFile, ...] = (),
    zone: tzinfo | None = None,
) -> BackupSet:
    """A row of msdb.dbo.backupset (any of its columns) as a :class:`BackupSet`; raises :class:`HeaderError` as for a
    header.
    """
    renamed = {_HISTORY_NAMES.get(name.lower(), name.replace("_", "")): value for name, value in row.items()}
    if isinstance(renamed.get("BackupType"), str):
        renamed["BackupType"] = renamed["BackupType"].strip().upper()
    return backup_set(renamed, copies=copies, files=files, zone=zone, from_msdb=True)


def label(row: Mapping[str, Any]) -> Label:
    """The row of RESTORE LABELONLY (column name -> value)."""
    row = {name.lower(): value for name, value in row.items()}
    return Label(
        media_set_id=guid(row.get("mediasetid")),
        family_count=int(row.get("familycount") or 1),
        family_sequence=int(row.get("familysequencenumber") or 1),
        mirror_count=int(row.get("mirror_count") or 1),
    )


def database_file(row: Mapping[str, Any]) -> DatabaseFile:
    """A row of RESTORE FILELISTONLY, or of msdb.dbo.backupfile (column name -> value)."""
    row = {name.lower().replace("_", ""): value for name, value in row.items()}
    return DatabaseFile(
        logical_name=row["logicalname"],
        physical_name=row.get("physicalname") or "",
        type=str(row.get("type") or row.get("filetype") or "D").strip().upper(),
        size=int(row.get("size") or row.get("filesize") or 0),
        file_id=int(row.get("fileid") or row.get("filenumber") or 0),
        is_present=_bool(row.get("ispresent", 1)),
        tde_thumbprint=_thumbprint(row.get("tdethumbprint")),
    )
