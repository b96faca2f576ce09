# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files belong to one database, of which moment they are, and how they could be attached.

No attach was tried on a server for this: what is called sure are facts of the files themselves. SQL Server 2019 and
later were seen to leave the bit "closed cleanly" in running databases, so there it proves less without a log.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from ..binary.values import Lsn
from .boot_page import BootPage
from .database_file import DatabaseFile, Fault, FileKind

__all__ = ["FILE_KINDS", "Attach", "FoundDatabase", "LogFit", "Sureness", "judge_files"]

_SUSPECT_CLEAN_BIT = 904
"""From this version on (SQL Server 2019) the bit alone is weak."""
_UNREAD = (Fault.HELD, Fault.UNREADABLE)
_HARD = (
    Fault.CUT_OFF,
    Fault.HEADER,
    Fault.BOOT_PAGE,
    Fault.PAGES,
    Fault.IN_USE,
    Fault.NOT_SQL_SERVER,
    *_UNREAD,
)
_LOG_BROKEN = (Fault.CUT_OFF, Fault.HEADER, Fault.LOG_CHAIN, Fault.LOG_BLOCKS, Fault.NOT_SQL_SERVER, *_UNREAD)
FILE_KINDS = {0: "data", 1: "log", 2: "FILESTREAM", 4: "full-text"}
_LOG = 1


class Attach(str, Enum):
    """How the files become a database again."""

    WITH_LOG = "FOR ATTACH"
    ONLY_WITH_LOG = "FOR ATTACH only with this log"
    REBUILD_LOG = "FOR ATTACH_REBUILD_LOG"
    NOT_AS_IT_IS = "not as it is"
    INCOMPLETE = "data files are missing"
    DAMAGED = "damaged"
    NO_PRIMARY = "the primary data file is missing"
    NOT_SQL_SERVER = "no files of SQL Server"
    UNREADABLE = "cannot be read"


class LogFit(str, Enum):
    """The log beside the data file's moment."""

    SAME = "of the same moment"
    NEWER = "newer than the data file"
    OLDER = "older than the data file"
    DAMAGED = "damaged"
    UNKNOWN = "of an unknown moment"
    NONE = "not there"


class Sureness(str, Enum):
    SURE, LIKELY, UNSURE = "sure", "likely", "unsure"


@dataclass(frozen=True, kw_only=True)
class FoundDatabase:
    """names: of the files that belong together. log: the name of the log that was compared, empty where there is none.

    missing: (kind, logical name, path at the last server) of files that the database lists and that are not there.
    copies: how many primary files of this database there are, each of another moment. reasons: sentences against it.
    """

    names: tuple[str, ...]
    boot: BootPage | None
    attach: Attach
    sureness: Sureness
    log: str
    log_fit: LogFit
    missing: tuple[tuple[str, str, str], ...]
    copies: int
    reasons: tuple[str, ...]

    @property
    def checkpoint(self) -> Lsn | None:
        return self.boot.checkpoint if self.boot else None


@dataclass(frozen=True, kw_only=True)
class _Verdict:
    attach: Attach
    sureness: Sureness
    reason: str = ""


def judge_files(files: Mapping[str, DatabaseFile]) -> list[FoundDatabase]:
    """A row for each database, and for each of several copies of one. Copies of several moments are never mixed."""
    result = []
    for group in _groups(files):
        primaries = [name for name, file in group.items() if file.kind is FileKind.DATA and file.is_primary]
        if len(primaries) < 2:
            result.append(_judge(group, copies=len(primaries)))
            continue
        left = {name for name, file in group.items() if file.kind is FileKind.LOG}
        logs = _logs_by_moment(group)
        others = [n for n, file in group.items() if file.kind is FileKind.DATA and not file.is_primary]
        for primary in primaries:
            boot = group[primary].boot
            fitting = logs.pop(boot.checkpoint, []) if boot else []
            left -= set(fitting)
            copy = {name: group[name] for name in (primary, *sorted(fitting)[:1], *others)}
            result.append(_judge(copy, copies=len(primaries)))
        if left:
            result.append(_judge({name: group[name] for name in sorted(left)}, copies=len(primaries)))
    return result


def _groups(files: Mapping[str, DatabaseFile]) -> Iterable[dict[str, DatabaseFile]]:
    """Files by the id that all files of a database carry; by family where a file header is damaged; else each alone."""
    bindings = {file.boot.family_guid: file.header.binding_id for file in files.values() if file.boot and file.header}
    groups: dict[str, dict[str, DatabaseFile]] = {}
    for name, file in files.items():
        key = file.header.binding_id if file.header else None
        if key is None and file.boot:
            key = bindings.get(file.boot.family_guid) or file.boot.family_guid
        groups.setdefault(key or f"alone {name}", {})[name] = file
    return groups.values()


def _logs_by_moment(group: Mapping[str, DatabaseFile]) -> dict[Lsn | None, list[str]]:
    """Whole logs by their checkpoint. There may be thousands of copies."""
    logs: dict[Lsn | None, list[str]] = {}
    for name, file in group.items():
        if file.kind is FileKind.LOG and (moment := _moment(file)):
            logs.setdefault(moment, []).append(name)
    return logs


def _moment(log: DatabaseFile) -> Lsn | None:
    """None where the log is damaged, or does not tell."""
    return log.boot.checkpoint if log.boot and log.log and not log.has(*_LOG_BROKEN) else None


def _fit(primary: DatabaseFile, log: DatabaseFile) -> LogFit:
    if log.has(*_LOG_BROKEN):
        return LogFit.DAMAGED
    ours = primary.boot.checkpoint if primary.boot else None
    theirs = _moment(log)
    if not ours or not theirs:
        return LogFit.UNKNOWN
    return LogFit.SAME if ours == theirs else LogFit.NEWER if theirs > ours else LogFit.OLDER


def _judge(group: Mapping[str, DatabaseFile], *, copies: int) -> FoundDatabase:
    primary = next((file for file in group.values() if file.kind is FileKind.DATA and file.is_primary), None)
    logs = {name: file for name, file in group.items() if file.kind is FileKind.LOG}
    boot = next((file.boot for file in (primary, *logs.values()) if file and file.boot), None)
    reasons = [f"{name} {sentence}" for name, file in group.items() for _fault, sentence in file.faults]
    if copies > 1:
        reasons.append(f"one of {copies} copies of this database: files of several moments must never be mixed")
    if primary is None:
        verdict = _Verdict(attach=_without_primary(group), sureness=Sureness.SURE)
        log, fit, missing = "", LogFit.NONE, ()
    else:
        log, fit = _best_log(primary, logs)
        missing = _missing(primary, group)
        verdict = _decide(primary, logs.get(log), fit, missing)
    return FoundDatabase(
        names=tuple(group),
        boot=boot,
        attach=verdict.attach,
        sureness=verdict.sureness,
        log=log,
        log_fit=fit,
        missing=missing,
        copies=copies,
        reasons=tuple([*reasons, verdict.reason] if verdict.reason else reasons),
    )


def _without_primary(group: Mapping[str, DatabaseFile]) -> Attach:
    if any(file.kind is not FileKind.UNKNOWN for file in group.values()):
        return Attach.NO_PRIMARY
    unreadable = any(file.has(*_UNREAD) for file in group.values())
    return Attach.UNREADABLE if unreadable else Attach.NOT_SQL_SERVER


def _best_log(primary: DatabaseFile, logs: Mapping[str, DatabaseFile]) -> tuple[str, LogFit]:
    """The log of the data file's moment where there is one, else the first."""
    fits = {name: _fit(primary, file) for name, file in logs.items()}
    name = next((name for name, fit in fits.items() if fit is LogFit.SAME), next(iter(fits), ""))
    return name, fits.get(name, LogFit.NONE)


def _missing(primary: DatabaseFile, group: Mapping[str, DatabaseFile]) -> tuple[tuple[str, str, str], ...]:
    present = {file.header.file_id for file in group.values() if file.header}
    return tuple(
        (FILE_KINDS.get(listed.kind, str(listed.kind)), listed.logical_name, listed.path)
        for listed in primary.files or ()
        if listed.file_id not in present and listed.state in (0, None)
    )


def _decide(
    primary: DatabaseFile, log: DatabaseFile | None, fit: LogFit, missing: Sequence[tuple[str, str, str]]
) -> _Verdict:
    boot = primary.boot
    if boot is None or primary.has(*_HARD):
        return _Verdict(attach=Attach.DAMAGED, sureness=Sureness.SURE)
    if any(kind != FILE_KINDS[_LOG] for kind, _name, _path in missing):
        return _Verdict(attach=Attach.INCOMPLETE, sureness=Sureness.SURE)
    if boot.clean:
        return _decide_clean(primary, boot, log, fit)
    if fit is LogFit.SAME and log and log.log and log.log.holds_checkpoint:
        return _Verdict(
            attach=Attach.ONLY_WITH_LOG,
            sureness=Sureness.LIKELY,
            reason="it was not closed cleanly: SQL Server has to recover it from its log",
        )
    why = "its log is missing" if fit is LogFit.NONE else f"its log is {fit.value}"
    if fit is LogFit.SAME:
        why = "its log does not hold the last checkpoint"
    return _Verdict(
        attach=Attach.NOT_AS_IT_IS,
        sureness=Sureness.SURE if fit is LogFit.NONE else Sureness.LIKELY,
        reason=f"it was not closed cleanly, and {why}: changes since the last checkpoint are lost, pages may not fit",
    )


def _decide_clean(primary: DatabaseFile, boot: BootPage, log: DatabaseFile | None, fit: LogFit) -> _Verdict:
    if fit is LogFit.SAME and log and log.log and log.log.is_quiet:
        return _Verdict(attach=Attach.WITH_LOG, sureness=Sureness.LIKELY)
    if fit is LogFit.SAME and log and log.log and log.log.holds_checkpoint:
        return _Verdict(
            attach=Attach.ONLY_WITH_LOG,
            sureness=Sureness.UNSURE,
            reason="it says that it was closed cleanly, but its log goes on behind the last checkpoint",
        )
    logs = sum(listed.kind == _LOG for listed in primary.files or ())
    if logs > 1:
        return _Verdict(attach=Attach.REBUILD_LOG, sureness=Sureness.UNSURE, reason=f"it had {logs} log files")
    reason = "" if fit is LogFit.NONE else f"without this log, which is {fit.value}"
    weak = boot.version >= _SUSPECT_CLEAN_BIT or fit is not LogFit.NONE
    return _Verdict(attach=Attach.REBUILD_LOG, sureness=Sureness.UNSURE if weak else Sureness.LIKELY, reason=reason)
