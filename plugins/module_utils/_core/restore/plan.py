# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shapes that go into and come out of :mod:`restore_planner`: target, facts of the server, plan, refusal.

Everything is plain data. ``to_dict()`` gives JSON types for a module's result: LSNs stay integers, times become ISO
8601 in UTC.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import BackupSet, Copy
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.recovery_points import Window

__all__ = [
    "ExistingDatabase",
    "Mark",
    "Plan",
    "RecoveryPoint",
    "Refusal",
    "Rejected",
    "Rejections",
    "ServerFacts",
    "Step",
    "Stop",
    "Target",
]

LATEST, TIME, LSN, MARK = "latest", "time", "lsn", "mark"


@dataclass(slots=True, frozen=True, kw_only=True)
class Target:
    """Where to: make one with the class methods."""

    kind: str = LATEST
    time: datetime | None = None
    lsn: int | None = None
    mark: str = ""
    before: bool = False
    after: datetime | None = None

    @classmethod
    def latest(cls) -> Target:
        """The newest point that can be reached."""
        return cls()

    @classmethod
    def at_time(cls, moment: datetime) -> Target:
        """The database as it was at a moment; ``moment`` must carry its time zone."""
        if moment.tzinfo is None:
            raise ValueError("a target time needs its time zone")
        return cls(kind=TIME, time=moment)

    @classmethod
    def at_lsn(cls, lsn: int, *, before: bool = False) -> Target:
        """Up to a log record, that one included unless ``before``."""
        return cls(kind=LSN, lsn=lsn, before=before)

    @classmethod
    def at_mark(cls, mark: str, *, before: bool = False, after: datetime | None = None) -> Target:
        """Up to a marked transaction, that one included unless ``before``; the first of that name at or after
        ``after``.
        """
        return cls(kind=MARK, mark=mark, before=before, after=after)

    def __str__(self) -> str:
        side = "just before " if self.before else ""
        if self.kind == TIME:
            return f"{self.time:%Y-%m-%d %H:%M:%S %z}"
        if self.kind == LSN:
            return f"{side}LSN {self.lsn}"
        return f"{side}mark {self.mark}" if self.kind == MARK else "the newest reachable point"


@dataclass(slots=True, frozen=True, kw_only=True)
class Mark:
    """A row of msdb.dbo.logmarkhistory: where a marked transaction lies."""

    name: str
    lsn: int
    time: datetime


@dataclass(slots=True, frozen=True, kw_only=True)
class ExistingDatabase:
    """The database of the wanted name, if the server has one. The redo fields (of sys.master_files) only count while
    RESTORING.
    """

    state: str = "ONLINE"  # of sys.databases
    family_guid: str = ""
    is_in_standby: bool = False
    redo_start_lsn: int | None = None
    redo_start_fork: str = ""
    differential_base_guid: str = ""
    file_names: frozenset[str] = frozenset()  # logical names of its files, in lower case
    size_by_folder: Mapping[str, int] = field(default_factory=dict)  # bytes that overwriting it gives back

    @property
    def is_restoring(self) -> bool:
        return (self.state.upper() == "RESTORING" or self.is_in_standby) and self.redo_start_lsn is not None


@dataclass(slots=True, frozen=True, kw_only=True)
class Volume:
    """What a folder takes its room from. mount_point: "D:", or a folder, without a backslash at its end."""

    mount_point: str
    free_bytes: int


@dataclass(slots=True, frozen=True, kw_only=True)
class ServerFacts:
    """What must be known of the server that restores; unknown things (``None``, empty) are not judged."""

    version: tuple[int, int, int] = (0, 0, 0)
    edition: str = ""
    data_dir: str = ""
    log_dir: str = ""
    free_bytes: Mapping[str, int] = field(
        default_factory=dict
    )  # by drive, "D:", without volumes mounted in its folders
    volumes: Mapping[str, Volume] = field(default_factory=dict)  # by folder_key, as far as they were measured
    certificates: frozenset[str] | None = (
        None  # thumbprints of those in master with a private key, upper-case hexadecimal
    )
    database_version: int = 0  # internal version of its own databases


@dataclass(slots=True, frozen=True, kw_only=True)
class Stop:
    """A STOP clause. ``kind``: ``time`` (STOPAT), ``lsn`` or ``mark``; ``before``: STOPBEFOREMARK instead of
    STOPATMARK.

    ``time`` and ``after`` are naive: they are the *source* server's local time, as RESTORE takes them.
    """

    kind: str
    time: datetime | None = None
    lsn: int | None = None
    mark: str = ""
    before: bool = False
    after: datetime | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class Step:
    """One RESTORE. ``action``: ``database``, ``log``, or ``recover`` (no devices: RESTORE DATABASE ... WITH RECOVERY or
    STANDBY).

    Every step but ``recover`` leaves the database RESTORING (NORECOVERY). ``fits_from``/``leads_to``: LSNs before and
    after.
    ``copies`` are the places to read from, best first; all stripes of the one that is used must be given.
    ``skip_if_stopped``: a log before this one was cut off at about the target time, and may have reached it; then
    redo_start_lsn is below ``fits_from``, this log no longer applies (4305), and the database is where it should be.
    """

    action: str
    kind: str = ""  # full, differential, log
    guid: str = ""
    copies: tuple[Copy, ...] = ()
    moves: tuple[tuple[str, str], ...] = ()  # logical name -> path
    stop: Stop | None = None
    checksum: bool = False
    continue_after_error: bool = False
    standby_file: str = ""
    size: int = 0
    fits_from: int | None = None
    leads_to: int | None = None
    finished: datetime | None = None
    skip_if_stopped: bool = False

    def to_dict(self) -> dict[str, Any]:
        copy = self.copies[0] if self.copies else None
        return {
            "action": self.action,
            "kind": self.kind,
            "guid": self.guid,
            "devices": list(copy.stripes) if copy else [],
            "position": copy.position if copy else None,
            "other_copies": [list(other.stripes) for other in self.copies[1:]],
            "moves": [{"logical_name": name, "path": path} for name, path in self.moves],
            "size": self.size,
            "stop": None
            if self.stop is None
            else {
                "kind": self.stop.kind,
                "time": _iso(self.stop.time),
                "lsn": self.stop.lsn,
                "mark": self.stop.mark,
                "before": self.stop.before,
                "after": _iso(self.stop.after),
            },
            "fits_from": self.fits_from,
            "leads_to": self.leads_to,
            "finished": _iso(self.finished),
        }


@dataclass(slots=True, frozen=True, kw_only=True)
class RecoveryPoint:
    """The moment whose data the plan brings back. ``lsn`` is unknown when the plan stops inside a log at a time or
    mark;
    ``certain`` is false only for a mark of which nobody knows where it lies."""

    time: datetime | None
    lsn: int | None
    fork: str
    certain: bool = True


class Rejected(NamedTuple):
    """A set or file that cannot serve the target. ``code``: ``unusable`` (damaged, incomplete, of a kind that is not
    restored),
    ``unreadable`` (a file without a known set), ``other_database``, ``no_base``, ``other_fork``, ``contradiction`` or
    ``gap``.
    """

    code: str
    reason: str
    set: BackupSet | None = None
    path: str = ""

    def to_dict(self) -> dict[str, Any]:
        entry = self.set
        if entry is None:
            return {"code": self.code, "reason": self.reason, "path": self.path}
        copy = entry.copies[0] if entry.copies else None
        return {
            "code": self.code,
            "reason": self.reason,
            "path": copy.stripes[0] if copy and copy.stripes else "",
            "guid": entry.guid,
            "kind": entry.kind.value,
            "database": entry.database,
            "position": copy.position if copy else None,
            "finished": _iso(entry.finished),
        }


class Rejections(Sequence[Rejected]):
    """All that was rejected, in the order of judgement. Sets that share a reason are kept together: there may be a
    million of them.
    """

    def __init__(self) -> None:
        self._groups: list[tuple[str, str, Sequence[BackupSet | None], str]] = []

    def add(self, code: str, reason: str, recovery_set: BackupSet | None = None, *, path: str = "") -> None:
        self._groups.append((code, reason, (recovery_set,), path))

    def add_all(self, code: str, reason: str, sets: Sequence[BackupSet]) -> None:
        if sets:
            self._groups.append((code, reason, sets, ""))

    def __len__(self) -> int:
        return sum(len(sets) for _code, _reason, sets, _path in self._groups)

    def __iter__(self) -> Iterator[Rejected]:
        for code, reason, sets, path in self._groups:
            for backup_set in sets:
                yield Rejected(code, reason, backup_set, path)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return list(islice(self, *index.indices(len(self))))
        return next(islice(self, index if index >= 0 else len(self) + index, None))

    def by_code(self, *codes: str) -> list[Rejected]:
        """Only those with one of these codes."""
        return [
            Rejected(code, reason, backup_set, path)
            for code, reason, sets, path in self._groups
            if code in codes
            for backup_set in sets
        ]


@dataclass(slots=True, kw_only=True)
class Plan:
    """What to do, in order, and what it brings."""

    steps: list[Step]
    recovery_point: RecoveryPoint
    target: Target
    resumes: bool  # goes on with the RESTORING database instead of starting over
    database: str  # as the backups call it
    server: str
    family_guid: str
    loss: timedelta | None  # of everything after the recovery point, against now
    bytes: int  # to read
    moves: tuple[tuple[str, str], ...]
    space_needed: dict[str, int]  # by volume
    build_needed: tuple[int, int, int]
    certificates_needed: list[str]
    rejected: Rejections
    not_needed: int  # good sets that this plan does without
    notes: list[str]

    def to_dict(self, *, most_rejected: int = 1000) -> dict[str, Any]:
        return {
            "steps": [step.to_dict() for step in self.steps],
            "target": str(self.target),
            "resumes": self.resumes,
            "recovery_point": {
                "time": _iso(self.recovery_point.time),
                "lsn": self.recovery_point.lsn,
                "fork": self.recovery_point.fork,
                "certain": self.recovery_point.certain,
            },
            "source": {"database": self.database, "server": self.server, "family_guid": self.family_guid},
            "loss_seconds": None if self.loss is None else int(self.loss.total_seconds()),
            "bytes": self.bytes,
            "moves": [{"logical_name": name, "path": path} for name, path in self.moves],
            "space_needed": dict(self.space_needed),
            "build_needed": ".".join(str(part) for part in self.build_needed),
            "certificates_needed": list(self.certificates_needed),
            "rejected": [item.to_dict() for item in self.rejected[:most_rejected]],
            "rejected_count": len(self.rejected),
            "not_needed_count": self.not_needed,
            "notes": list(self.notes),
        }


@dataclass(slots=True, kw_only=True)
class Refusal:
    """Why there is no plan. ``message`` says it to a person, ``advice`` what to do next; ``reachable``: what could be
    had instead.
    """

    code: str
    message: str
    advice: str = ""
    target: Target = field(default_factory=Target)
    reachable: list[Window] = field(default_factory=list)
    rejected: Rejections = field(default_factory=Rejections)
    details: dict[str, Any] = field(default_factory=dict)

    def to_dict(self, *, most_rejected: int = 1000) -> dict[str, Any]:
        return {
            "code": self.code,
            "message": self.message,
            "advice": self.advice,
            "target": str(self.target),
            "reachable": [_window(window) for window in self.reachable],
            "rejected": [item.to_dict() for item in self.rejected[:most_rejected]],
            "rejected_count": len(self.rejected),
            **self.details,
        }


def _window(window: Window) -> dict[str, Any]:
    return {
        "from": _iso(window.start),
        "until": _iso(window.end),
        "fork": window.fork,
        "from_lsn": window.start_lsn,
        "until_lsn": window.end_lsn,
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
