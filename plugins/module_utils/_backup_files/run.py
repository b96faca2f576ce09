# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of backup_file_info: find, read, judge, report. Nothing is changed anywhere."""

from __future__ import annotations

import datetime as dt
import platform
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from .._core.backup.backup_set import BackupSet, guid
from .._core.backup.catalog import BackupCatalog, assemble
from .._core.backup.chain_report import families, metrics, unknown_zones_warning
from .._core.backup_file.reading import ExaminedFile, file_reading
from .._core.errors import RecoveryError
from .._core.prometheus import lines
from .._core.restore.target import parse_target, parse_zone
from .._progress import Progress
from .control_node import examine_files, find_files
from .report import checked_report, database_report, media_report, sets_report, unreadable_report
from .tables import rows_of_backups, wants_rows

if TYPE_CHECKING:
    from .._winrm.host.files import WindowsFiles

__all__ = ["control_node_report", "parse_wishes", "report", "windows_report"]


def control_node_report(params: Mapping[str, Any], *, progress: Progress, warnings: list[str]) -> dict[str, Any]:
    """What the task returns of files on the control node. Raises RecoveryError."""
    parse_wishes(params)
    paths = find_files(params["folders"], params["files"])
    examined = examine_files(paths, content=params["check"] == "pages", progress=progress)
    now = dt.datetime.now(dt.timezone.utc).replace(microsecond=0)
    rows = partial(rows_of_backups, params=params) if wants_rows(params) else None
    return report(examined, params, now=now, place=platform.node(), warnings=warnings, rows=rows)


def windows_report(
    files: WindowsFiles, params: Mapping[str, Any], *, progress: Progress, warnings: list[str]
) -> dict[str, Any]:
    """What the task returns of files on a Windows host, or on a share that it reaches. Raises RecoveryError."""
    from .._winrm.backup_files.examine import examine_windows_files, find_windows_files, shares_of

    parse_wishes(params)
    sources = [*params["folders"], *params["files"]]
    with shares_of(files, sources, user=params["share_user"], password=params["share_password"]):
        paths = find_windows_files(files, params["folders"], params["files"])
        examined = examine_windows_files(files, paths, content=params["check"] == "pages", progress=progress)
    return report(examined, params, now=files.now, place=files.computer, warnings=warnings)


def parse_wishes(params: Mapping[str, Any]) -> None:
    """Raises RecoveryError for what could not be done later on, before anything is read."""
    if not params["folders"] and not params["files"]:
        raise RecoveryError(
            "Neither 'folders' nor 'files' is given",
            advice="Say where the backup files are",
            code="option_invalid",
        )
    if params["remote_src"] and wants_rows(params):
        raise RecoveryError(
            "Rows are read from files on the control node alone",
            advice="Copy the backup there, or leave out 'tables' and 'last_change'",
            code="option_invalid",
        )
    parse_zone(params["time_zone"])
    if params["target"]:
        parse_target(params["target"])


def report(
    examined: list[ExaminedFile],
    params: Mapping[str, Any],
    *,
    now: dt.datetime,
    place: str,
    warnings: list[str],
    rows: Callable[[Sequence[BackupSet]], dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """The result of the task. place: name of the machine whose view this is; now: aware.

    rows: reads what is asked of the tables of one database, by its sets.
    """
    zone = parse_zone(params["time_zone"])
    catalog = assemble(map(file_reading, examined), zone=zone)
    chosen = families(catalog.sets, database=params["database"], family_guid=guid(params["family_guid"]) or None)
    warning = unknown_zones_warning(backup_set for sets in chosen for backup_set in sets)
    if warning:
        warnings.append(warning)
    seconds = params["recovery_point_objective"]
    objective = None if seconds is None else dt.timedelta(seconds=seconds)
    databases = [
        database_report(sets, now=now, recovery_point_objective=objective) | (rows(sets) if rows else {})
        for sets in chosen
    ]
    unreadable = unreadable_report(catalog)
    result = {
        "changed": False,
        "databases": databases,
        "sets": sets_report(chosen),
        "media": media_report(examined),
        "files": [item.to_dict() for item in examined],
        "unreadable": unreadable,
        "checked": checked_report(examined) if params["check"] == "pages" else None,
    }
    if params["target"]:
        result |= _plan(catalog, params, now=now)
    if params["prometheus"]:
        result["prometheus"] = lines(
            metrics(databases, asked=place, now=now, recovery_point_objective=seconds, unreadable=len(unreadable))
        )
    return result


def _plan(catalog: BackupCatalog, params: Mapping[str, Any], *, now: dt.datetime) -> dict[str, Any]:
    from .plan import PlanRequest, plan_report  # only who asks for a plan pays for it

    relocate = params["relocate"] or {}
    request = PlanRequest(
        target=parse_target(params["target"]),
        database=params["database"] or "",
        family_guid=guid(params["family_guid"]),
        recovery_fork=guid(params["recovery_fork"]),
        restore_as=params["restore_as"] or "",
        data_dir=relocate.get("data_dir") or "",
        log_dir=relocate.get("log_dir") or "",
        zone=parse_zone(params["time_zone"]),
    )
    return plan_report(catalog, request, now=now)
