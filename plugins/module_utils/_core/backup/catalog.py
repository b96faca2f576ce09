# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What backups there are: from files that were read, from the history in msdb, or from both reconciled.

Files say everything about themselves, their names nothing. A set is known by its GUID: stripes are put together by
media set and sequence number, a second file of the same stripe becomes another copy, and whatever cannot be used stays
in the inventory with the reason, so that a plan can tell why it left it out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from pathlib import PureWindowsPath
from typing import Any, NamedTuple

from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import (
    BackupSet,
    Copy,
    DatabaseFile,
    HeaderError,
    Label,
    backup_set,
    backup_set_from_history,
    database_file,
    guid,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.clock import settle_times
from ansible_collections.prs.recovery.plugins.module_utils._core.garbage import without_garbage_collection

__all__ = [
    "BackupCatalog",
    "FileReading",
    "Reconciliation",
    "UnreadableFile",
    "assemble",
    "from_history",
    "merge",
    "reconcile",
    "same_path",
    "tell_zones",
]

# msdb.dbo.backupmediafamily.device_type (+ 100 for a device known to the server by a name of its own).
_DISK = 2
_PLAIN_PATH = re.compile(r"(?:[A-Za-z]:|\\\\[^\\/.?:][^\\/:]*\\[^\\/:]+)(?:\\[^\\/:.][^\\/:]*)+").fullmatch


@dataclass(slots=True, kw_only=True)
class FileReading:
    """What one backup file answered.

    ``headers`` are the rows of RESTORE HEADERONLY, ``label`` is that of LABELONLY, ``files`` are the rows of
    FILELISTONLY by position. ``problem`` says why the file could not be read at all, ``os_error`` is the Windows error
    that kept it from being read, ``set_problems`` what is wrong with the set at a position (a failed VERIFYONLY, say),
    ``verified`` names the positions that VERIFYONLY has found good, ``unknown`` the columns by position that this
    source cannot tell.
    """

    path: str
    label: Label | None = None
    headers: Sequence[Mapping[str, Any]] = ()
    files: Mapping[int, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    problem: str = ""
    os_error: int | None = None
    set_problems: Mapping[int, str] = field(default_factory=dict)
    verified: frozenset[int] = frozenset()
    unknown: Mapping[int, frozenset[str]] = field(default_factory=dict)


@dataclass(slots=True, frozen=True, kw_only=True)
class UnreadableFile:
    """A file, or a place in a file, from which no set is known at all."""

    path: str
    reason: str
    position: int | None = None


@dataclass(slots=True, kw_only=True)
class BackupCatalog:
    """Every set that is known (usable or not, each with its copies) and every file that gave none."""

    sets: list[BackupSet] = field(default_factory=list)
    unreadable: list[UnreadableFile] = field(default_factory=list)


def _folder(path: str) -> str:
    return path[: max(path.rfind("\\"), path.rfind("/")) + 1].lower()


def same_path(path: str) -> str:
    """A path as it is compared: without regard to case, unless it is one of Linux."""
    if path.startswith("/"):
        return path
    # Most paths are written as pathlib writes them, which takes its time.
    return path.lower() if _PLAIN_PATH(path) else str(PureWindowsPath(path)).lower()


def _copies(
    stripes: Mapping[int, list[tuple[str, str]]], *, count: int, position: int, media_set_id: str
) -> list[Copy]:
    """All ways to read one set from one media set; ``stripes``: sequence number -> [(path, problem of the set in it)].

    A folder that holds every stripe without a problem makes a copy of its own; the stripes scattered over folders are
    joined into one more only when no folder has them all.
    """
    missing = [number for number in range(1, count + 1) if not stripes.get(number)]
    if missing:
        there = tuple(path for number in sorted(stripes) for path, _problem in stripes[number][:1])
        numbers = ", ".join(str(number) for number in missing)
        problem = (
            f"stripe {numbers} of {count} is missing"
            if len(missing) == 1
            else f"stripes {numbers} of {count} are missing"
        )
        if any(number < 1 or number > count for number in stripes):
            problem = f"it says that it has {count} stripes, but there are more"
        return [Copy(stripes=there, position=position, media_set_id=media_set_id, problem=problem)]
    by_folder: dict[str, dict[int, list[tuple[str, str]]]] = {}
    for number in range(1, count + 1):
        for path, problem in sorted(stripes[number]):
            by_folder.setdefault(_folder(path), {}).setdefault(number, []).append((path, problem))
    complete: list[Copy] = []
    for numbers in by_folder.values():
        if len(numbers) == count:
            for turn in range(max(len(files) for files in numbers.values())):
                chosen = [files[min(turn, len(files) - 1)] for _number, files in sorted(numbers.items())]
                complete.append(_copy(chosen, position=position, media_set_id=media_set_id))
    if not any(not copy.problem for copy in complete):
        # The best file of each stripe, wherever it lies.
        chosen = [min(stripes[number], key=lambda file: (bool(file[1]), file[0])) for number in range(1, count + 1)]
        joined = _copy(chosen, position=position, media_set_id=media_set_id)
        if not joined.problem or not complete:
            complete.append(joined)
    return complete


def _copy(files: Sequence[tuple[str, str]], *, position: int, media_set_id: str) -> Copy:
    problems = [f"{problem} ({path})" for path, problem in files if problem]
    return Copy(
        stripes=tuple([path for path, _problem in files]),
        position=position,
        media_set_id=media_set_id,
        problem="; ".join(dict.fromkeys(problems)) if problems else "",
    )


class _Piece(NamedTuple):
    """A file with a set in it. problem: of the set there, or nothing."""

    media_set_id: str
    position: int
    stripe: int
    path: str
    problem: str


@dataclass(slots=True)
class _Gathered:
    """What the files say of one set, and where they lie.

    The earlier one's word counts, but a sound one's before all: a file that is cut off tells what is not final.
    """

    made: BackupSet
    files: tuple[DatabaseFile, ...]
    verified: bool
    pieces: list[_Piece]

    def is_doubtful(self) -> bool:
        return all(piece.problem for piece in self.pieces)

    def add(self, piece: _Piece, files: tuple[DatabaseFile, ...], *, verified: bool, better: BackupSet | None) -> None:
        """One more file. better: what it makes of the set, where its word counts more than that of the others."""
        if better is not None:
            self.made, self.files = better, files or self.files
        else:
            self.files = self.files or files
        self.verified = self.verified and verified
        self.pieces.append(piece)

    def finish(self, counts: Mapping[tuple[str, int], int]) -> BackupSet:
        """The set with its copies. counts: of the stripes of a media set, by (media set, position)."""
        self.made.lie_in(self._copies(counts), self.files)
        self.made.verified = self.verified and not self.made.problem
        return self.made

    def _copies(self, counts: Mapping[tuple[str, int], int]) -> tuple[Copy, ...]:
        """The copies in all media sets, those without a problem first."""
        media_set_id, position, stripe, path, problem = self.pieces[0]
        if len(self.pieces) == 1 and stripe == 1 == counts[media_set_id, position]:
            return (Copy((path,), position, media_set_id, f"{problem} ({path})" if problem else ""),)
        media_sets: dict[tuple[str, int], dict[int, list[tuple[str, str]]]] = {}
        for media_set_id, position, stripe, path, problem in self.pieces:
            media_sets.setdefault((media_set_id, position), {}).setdefault(stripe, []).append((path, problem))
        copies = [
            copy
            for (media_set_id, position), stripes in sorted(media_sets.items())
            for copy in _copies(
                stripes, count=counts[media_set_id, position], position=position, media_set_id=media_set_id
            )
        ]
        return tuple(sorted(copies, key=lambda copy: bool(copy.problem)))


class _Assembly:
    """Files, and the sets in them, as they are put together."""

    def __init__(self, zone: tzinfo | None) -> None:
        self.zone = zone
        self.unreadable: list[UnreadableFile] = []
        self.gathered: dict[str, _Gathered] = {}
        self.counts: dict[tuple[str, int], int] = {}
        self._seen_paths: set[str] = set()

    def add_file(self, reading: FileReading) -> None:
        same = same_path(reading.path)
        if same in self._seen_paths:
            return
        self._seen_paths.add(same)
        if reading.problem or not reading.headers:
            reason = reading.problem or "it has no backup sets in it"
            self.unreadable.append(UnreadableFile(path=reading.path, reason=reason))
            return
        media = reading.label or Label(media_set_id="file:" + same, family_count=1, family_sequence=1)
        for number, row in enumerate(reading.headers, start=1):
            self._add_set(row, reading, media, int(_column(row, "Position") or number))

    def _add_set(self, row: Mapping[str, Any], reading: FileReading, media: Label, position: int) -> None:
        problem = reading.set_problems.get(position, "") if reading.set_problems else ""
        identity = guid(_column(row, "BackupSetGUID"))
        known, made = self.gathered.get(identity), None
        if known is None or (not problem and known.is_doubtful()):
            unknown = reading.unknown.get(position, frozenset()) if reading.unknown else frozenset()
            try:
                made = backup_set(row, zone=self.zone, unknown=unknown)
            except (ValueError, TypeError) as error:
                self.unreadable.append(
                    UnreadableFile(path=reading.path, position=position, reason=problem or _header_problem(error))
                )
                return
        piece = _Piece(media.media_set_id, position, media.family_sequence, reading.path, problem)
        self.counts[media.media_set_id, position] = media.family_count
        files = tuple([database_file(file) for file in reading.files.get(position, ())]) if reading.files else ()
        verified = position in reading.verified
        if known is not None:
            known.add(piece, files, verified=verified, better=made)
        elif made is not None:
            self.gathered[identity] = _Gathered(made, files, verified, [piece])


def assemble(readings: Iterable[FileReading], *, zone: tzinfo | None = None) -> BackupCatalog:
    """Put together what the files said. ``zone``: of the server that made them, for headers that do not say their own.

    A file given twice under the same path counts once. Two files with the same set in them are two copies of it.
    """
    assembly = _Assembly(zone)
    with without_garbage_collection():
        for reading in readings:
            assembly.add_file(reading)
        sets = [gathered.finish(assembly.counts) for gathered in assembly.gathered.values()]
    settle_times(sets, zone)
    return BackupCatalog(sets=sets, unreadable=assembly.unreadable)


def _header_problem(error: Exception) -> str:
    return str(error) if isinstance(error, HeaderError) else f"its header holds a value that cannot be read: {error}"


def _column(row: Mapping[str, Any], name: str) -> Any:
    if name in row:
        return row[name]
    return next((value for column, value in row.items() if column.lower() == name.lower()), None)


def from_history(
    backupset: Iterable[Mapping[str, Any]],
    families: Iterable[Mapping[str, Any]],
    files: Iterable[Mapping[str, Any]] = (),
    *,
    zone: tzinfo | None = None,
) -> BackupCatalog:
    """Sets as a living server's msdb knows them.

    ``backupset``: rows of msdb.dbo.backupset; ``families``: rows of msdb.dbo.backupmediafamily (media_set_id,
    family_sequence_number, mirror, physical_device_name, device_type); ``files``: rows of msdb.dbo.backupfile,
    optional. The history says where a set was written to, not that it still lies there; a set on a tape, a virtual
    device or a URL is kept with that reason.
    """
    stripes: dict[int, dict[int, list[tuple[int, Mapping[str, Any]]]]] = {}
    for family in families:
        mirrors = stripes.setdefault(int(family["media_set_id"]), {})
        mirrors.setdefault(int(family.get("mirror") or 0), []).append((int(family["family_sequence_number"]), family))
    of_set: dict[int, list[DatabaseFile]] = {}
    for file in files:
        of_set.setdefault(int(file["backup_set_id"]), []).append(database_file(file))
    inventory = BackupCatalog()
    for row in backupset:
        copies = []
        for _mirror, members in sorted(stripes.get(int(row["media_set_id"]), {}).items()):
            members.sort(key=lambda member: member[0])
            devices = [member for _number, member in members]
            elsewhere = [device for device in devices if int(device.get("device_type") or _DISK) % 100 != _DISK]
            problem = (
                f"it was written to {elsewhere[0].get('physical_device_name')}, which is not a file"
                if elsewhere
                else ""
            )
            copies.append(
                Copy(
                    stripes=tuple(str(device["physical_device_name"]) for device in devices),
                    position=int(row.get("position") or 1),
                    problem=problem,
                )
            )
        try:
            made = backup_set_from_history(
                row, copies=tuple(copies), files=tuple(of_set.get(int(row["backup_set_id"]), ())), zone=zone
            )
        except (ValueError, TypeError) as error:
            inventory.unreadable.append(
                UnreadableFile(path=copies[0].stripes[0] if copies else "msdb", reason=_header_problem(error))
            )
            continue
        inventory.sets.append(made)
    settle_times(inventory.sets, zone)
    return inventory


def merge(*inventories: BackupCatalog) -> BackupCatalog:
    """One inventory of several, the earlier one's word first; the same set in two of them gets the copies of both."""
    merged: dict[str, BackupSet] = {}
    unreadable: dict[tuple[str, int | None], UnreadableFile] = {}
    for inventory in inventories:
        for item in inventory.unreadable:
            unreadable.setdefault((same_path(item.path), item.position), item)
        for entry in inventory.sets:
            known = merged.get(entry.guid)
            merged[entry.guid] = entry if known is None else _joined(known, entry)
    return BackupCatalog(sets=list(merged.values()), unreadable=list(unreadable.values()))


def tell_zones(catalog: BackupCatalog, history: BackupCatalog) -> None:
    """Many files do not say in which time zone their times are, and a person's word holds for one server; the history
    knows.
    """
    known = {entry.guid: entry for entry in history.sets if entry.utc_offset is not None}
    for entry in catalog.sets:
        report = known.get(entry.guid)
        if report is None or report.utc_offset == entry.utc_offset:
            continue
        shift = report.started - entry.started
        entry.utc_offset, entry.ambiguous_time = report.utc_offset, report.ambiguous_time
        entry.started, entry.finished = report.started, report.finished
        entry.last_valid_time = entry.last_valid_time and entry.last_valid_time + shift
    settle_times(catalog.sets)


def _joined(known: BackupSet, other: BackupSet) -> BackupSet:
    copies = {
        (tuple(same_path(path) for path in copy.stripes), copy.position): copy
        for copy in (*other.copies, *known.copies)
    }
    ordered = sorted(copies.values(), key=lambda copy: (bool(copy.problem), copy not in known.copies))
    return replace(
        known, copies=tuple(ordered), files=known.files or other.files, verified=known.verified or other.verified
    )


@dataclass(slots=True, kw_only=True)
class Reconciliation:
    """The history in msdb against the files that were found.

    ``inventory`` is what to plan with: the files' word, with the history's sets whose files were not found kept as
    unusable.
    ``lost``: known to msdb, in none of the files. ``unknown_to_history``: in the files, not in msdb (made by another
    server, or msdb was rebuilt or pruned). ``moved``: in both, at another path than msdb says.
    """

    inventory: BackupCatalog
    lost: list[BackupSet]
    unknown_to_history: list[BackupSet]
    moved: list[BackupSet]


def reconcile(history: BackupCatalog, backup_catalog: BackupCatalog) -> Reconciliation:
    """Set against set, by GUID. Headers win over history wherever both speak of a set."""
    in_history = {entry.guid: entry for entry in history.sets}
    in_files = {entry.guid: entry for entry in backup_catalog.sets}
    lost: list[BackupSet] = []
    for identity, entry in in_history.items():
        if identity in in_files:
            continue
        gone = tuple(
            copy._replace(problem=copy.problem or "msdb knows it, but no such file was found") for copy in entry.copies
        )
        lost.append(
            replace(entry, copies=gone or (Copy(stripes=(), problem="msdb knows it, but not where it was written to"),))
        )
    moved = []
    for identity, entry in in_files.items():
        report = in_history.get(identity)
        if report is not None:
            here = {same_path(path) for copy in entry.copies for path in copy.stripes}
            there = {same_path(path) for copy in report.copies for path in copy.stripes}
            if not here & there:
                moved.append(entry)
    return Reconciliation(
        inventory=BackupCatalog(sets=[*backup_catalog.sets, *lost], unreadable=list(backup_catalog.unreadable)),
        lost=lost,
        unknown_to_history=[entry for identity, entry in in_files.items() if identity not in in_history],
        moved=moved,
    )
