# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of database_file_info: find, read, judge, report. Nothing is changed anywhere."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._core.data_file.database_file import DatabaseFile, Fault, inspect_file
from .._core.data_file.judgement import judge_files
from .._core.data_file.report import database_report, file_report
from .._core.errors import RecoveryError
from .._local_files import find_files, range_reader
from .._progress import Progress
from .tables import Opener, rows_of_data_files, wants_rows

if TYPE_CHECKING:
    from .._winrm.host.files import WindowsFiles

__all__ = ["control_node_files_report", "refuse_wishes", "windows_files_report"]

ENDINGS = {".mdf", ".ndf", ".ldf"}


def refuse_wishes(params: Mapping[str, Any]) -> None:
    """Raises RecoveryError for what cannot be done where the files are, before anybody connects."""
    if params["remote_src"] and params["check"] == "pages":
        raise RecoveryError(
            "Pages are checked of files on the control node alone: all of them would have to come over WinRM, a "
            "gigabyte in some minutes",
            advice="Copy the files there. Or let sql_restore attach copies of them ('source.attach.copy') with "
            "'checkdb': SQL Server then reads every page, and the files stay as they are",
            code="option_invalid",
        )


def control_node_files_report(params: Mapping[str, Any], *, progress: Progress) -> dict[str, Any]:
    """What the task returns of files on the control node. Raises RecoveryError."""
    paths = [os.path.expandvars(os.path.expanduser(path)) for path in params["paths"]]
    if params["skip_missing"]:
        paths = [path for path in paths if os.path.lexists(path)]
    files, pages = {}, params["check"] == "pages"
    for path in find_files(paths, endings=ENDINGS, recurse=params["recurse"]):
        if pages:
            progress.line(f"reading {path}")
        files[str(path)] = _inspect(path, pages=pages)
    return _report(files, params, lambda name: range_reader(Path(name)))


def windows_files_report(files: WindowsFiles, params: Mapping[str, Any]) -> dict[str, Any]:
    """What the task returns of files on a Windows host, or on a share that it reaches. Raises RecoveryError."""
    from .._winrm.backup_files.examine import shares_of
    from .._winrm.data_files.examine import examine_windows_files, find_windows_files
    from .._winrm.data_files.far_file import far_file

    with shares_of(files, params["paths"], user=params["share_user"], password=params["share_password"]):
        paths = find_windows_files(
            files, params["paths"], endings=ENDINGS, recurse=params["recurse"], skip_missing=params["skip_missing"]
        )
        examined = examine_windows_files(files, paths)
        return _report(examined, params, lambda name: far_file(files, name, examined[name].size))


def _inspect(path: Path, *, pages: bool) -> DatabaseFile:
    """One file; that it cannot be opened or read is no reason to leave the others out."""
    try:
        with range_reader(path) as (read, size):
            file = inspect_file(read, size, pages=pages)
        file.modified = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.timezone.utc).isoformat()
        return file
    except OSError as problem:
        file = DatabaseFile(size=0)
        file.add(Fault.UNREADABLE, f"cannot be read: {problem.strerror or problem}")
        return file


def _report(files: Mapping[str, DatabaseFile], params: Mapping[str, Any], open_file: Opener) -> dict[str, Any]:
    judged = judge_files(files)
    databases = [database_report(database, files) for database in judged]
    if wants_rows(params):
        for database, report in zip(judged, databases, strict=True):
            report |= rows_of_data_files(database.names, files, params, open_file)
    return {
        "changed": False,
        "databases": databases,
        "files": [file_report(path, file) for path, file in files.items()],
    }
