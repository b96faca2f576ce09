# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether and how surviving files become a database again: decided before the server touches them.

An attach changes the files for good (recovery rolls back, a newer server upgrades), but it never loses a committed row
that they hold.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError

__all__ = ["AttachPlan", "PrimaryFile", "RecordedFile", "already_attached", "plan_attach"]


@dataclass(frozen=True, kw_only=True)
class RecordedFile:
    """A file of a database as its primary data file remembers it: logical name, and the path that it had then."""

    name: str
    path: str
    is_log: bool


@dataclass(frozen=True, kw_only=True)
class PrimaryFile:
    """What a primary data file says of its database. version: the internal one, 0 where it is not told."""

    database: str
    version: int
    files: Sequence[RecordedFile] = ()


@dataclass(frozen=True, kw_only=True)
class AttachPlan:
    """files: the primary data file first, the logs last. rebuild_log: the log is gone, and the server shall make a new
    one.
    """

    files: tuple[str, ...]
    rebuild_log: bool
    notes: list[str] = field(default_factory=list)


def already_attached(there: Sequence[Mapping[str, object]], wanted: Collection[str]) -> bool:
    """Whether the files of a database (each with C(path) and C(type)) are those that were asked for."""
    data = {str(file["path"]).lower() for file in there if file["type"] != "LOG"}
    return data == {path.lower() for path in wanted}


def plan_attach(
    *,
    data: Sequence[str],
    logs: Sequence[str],
    primary: PrimaryFile | None,
    exists: Collection[str],
    server_version: int,
) -> AttachPlan:
    """data: the primary file first. logs: empty where nobody gave one. primary: None where the server would not tell.

    exists: those of the given and of the recorded paths where the service account sees a file. server_version: internal
    version that the server writes, 0 when unknown. Raises RecoveryError for what cannot work.
    """
    present = {path.lower() for path in exists}
    _require_given(data, logs, present)
    if primary is None:
        note = (
            "the server does not tell this login what the primary file holds, so it finds the log where that file "
            "says, or refuses"
        )
        return AttachPlan(files=(*data, *logs), rebuild_log=False, notes=[note])
    _require_version(primary, server_version)
    _require_data_files(primary, data, present)
    notes: list[str] = []
    if 0 < primary.version < server_version:
        notes.append(
            f"the server upgrades the files (version {primary.version} to {server_version}); no older server can "
            "open them afterwards"
        )
    log_files = list(logs) or [file.path for file in primary.files if file.is_log and file.path.lower() in present]
    if not log_files:
        notes.append(
            "the log is gone: the server makes a new one only if the database was shut down cleanly, else it "
            "refuses and changes nothing"
        )
        notes.append("a new log begins a new chain: take a full backup afterwards")
    return AttachPlan(files=(*data, *log_files), rebuild_log=not log_files, notes=notes)


def _require_given(data: Sequence[str], logs: Sequence[str], present: Collection[str]) -> None:
    """What somebody named has to be there. present: paths in lower case."""
    missing = next((path for path in (*data, *logs) if path.lower() not in present), None)
    if missing is None:
        return
    way_out = "" if missing in data else ", or leave out 'log_files': after a clean shutdown a lost log can be rebuilt"
    raise RecoveryError(
        f"There is no file {missing} for the SQL Server service account",
        code="not_found",
        advice=f"Correct the path{way_out}",
    )


def _require_version(primary: PrimaryFile, server_version: int) -> None:
    if server_version and primary.version > server_version:
        raise RecoveryError(
            f"The files are of a newer SQL Server (internal version {primary.version}, this server has "
            f"{server_version})",
            code="unsupported",
            advice="Attach them to a server of at least that version",
        )


def _require_data_files(primary: PrimaryFile, data: Sequence[str], present: Collection[str]) -> None:
    """The other data files of the database have to be given, or to lie where they were."""
    given = {_name(path) for path in data}
    others = [file for file in primary.files if not file.is_log][1:]
    lost = [file for file in others if _name(file.path) not in given and file.path.lower() not in present]
    if lost:
        raise RecoveryError(
            f"The database {primary.database} has a data file {lost[0].name} ({lost[0].path}) that is neither given "
            "nor where it was",
            code="not_found",
            advice="Add it to 'data_files': without all of its data files a database cannot be attached, only restored",
        )


def _name(path: str) -> str:
    return path.rpartition("\\")[2].lower()
