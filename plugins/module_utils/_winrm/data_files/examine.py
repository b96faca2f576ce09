# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Data and log files on a Windows host or on a share: found there, and read over WinRM in few round trips.

They are opened for reading alone, and so that others may go on using them; those of a running SQL Server cannot be
opened at all (error 32).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ..._core.binary.fetched_ranges import FetchedRanges
from ..._core.binary.page_checksums import PAGE
from ..._core.data_file.database_file import DatabaseFile, Fault, inspect_file
from ..._core.windows_paths import full_path, join
from ..connection.errors import WindowsFault
from ..host.files import WindowsFiles
from ..host.read_in_rounds import Refusal, read_in_rounds
from ..host.readable_folders import list_readable
from ..host.reader import FileRanges

__all__ = ["examine_windows_files", "find_windows_files"]

HEAD = 32 * PAGE
"""Bytes of the beginning that are fetched of each file first: header, boot page and the first of the system tables."""

AT_ONCE = 128 * PAGE
"""Bytes that are fetched with a page that turns out to be needed: the next ones of its table mostly lie behind it. Real
files needed 2 to 6 rounds, and 1.8 MB of them on average, most of it zeros; with an eighth of it up to 17 rounds.
"""

SHARING_VIOLATION = (32, 33)


def find_windows_files(
    files: WindowsFiles,
    paths: Iterable[str],
    *,
    endings: Collection[str],
    recurse: bool,
    skip_missing: bool = False,
) -> list[str]:
    """The files that are named, by one of the endings (lower case), and those that have one in the folders named.

    Links are not followed. skip_missing: what is not there is left out. Raises RecoveryError for a folder that is not
    there, or cannot be looked into.
    """
    result: list[str] = []
    wanted = [full_path(path, option="paths") for path in paths]
    if skip_missing and wanted:
        wanted = [path for path, state in zip(wanted, files.stat(*wanted), strict=True) if state.exists]
    for path in wanted:
        if path.lower().endswith(tuple(endings)):
            result.append(path)
            continue
        for entry in list_readable(files, path):
            inside = recurse or "/" not in entry.name
            if inside and not entry.folder and not entry.link and entry.name.lower().endswith(tuple(endings)):
                result.append(join(path, *entry.name.split("/")))
    return [path for _lower, path in sorted({path.lower(): path for path in result}.items())]


def examine_windows_files(files: WindowsFiles, paths: list[str]) -> dict[str, DatabaseFile]:
    """What each of the files says. None stops the others."""
    results: dict[str, DatabaseFile] = {}

    def parse(answer: FileRanges, fetched: FetchedRanges) -> None:
        results[answer.path] = inspect_file(fetched.read, fetched.size)
        results[answer.path].modified = answer.modified

    def refuse(path: str, refusal: Refusal) -> None:
        results[path] = DatabaseFile(size=0)
        if refusal.fault is None:
            results[path].add(Fault.UNREADABLE, f"cannot be read: {refusal.reason}")
        else:
            results[path].add(*_fault(refusal.fault))

    read_in_rounds(files, paths, first=[(0, HEAD)], parse=parse, refuse=refuse, at_once=AT_ONCE)
    return {path: results[path] for path in paths}


def _fault(fault: WindowsFault) -> tuple[Fault, str]:
    if fault.number in SHARING_VIOLATION:
        return Fault.HELD, "is held by another program, a running SQL Server most likely, and cannot be read"
    return Fault.UNREADABLE, f"cannot be read: {fault}"
