# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backup files on the control node: found, and read as they lie there. They are opened for reading alone."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable

from .._core.backup.file_names import is_beside
from .._core.backup_file.backup_file import read_backup_file
from .._core.backup_file.deep_check import check_content
from .._core.backup_file.errors import FileFormatError
from .._core.backup_file.reading import ExaminedFile
from .._local_files import walk
from .._progress import Progress

__all__ = ["examine_files", "find_files"]

STILL_WARM = 60.0
"""Seconds after its last change in which a file without an end may well be one that is being written."""

SHOWN_EVERY = 500
"""Files whose headers are read from one line of progress to the next."""

SHOWN_AFTER = 1.0
"""Seconds from one line of progress to the next while the content of a file is read."""


def find_files(folders: Iterable[str], files: Iterable[str]) -> list[str]:
    """All files in the folders and below them, whatever they are called, except what this collection leaves beside
    backups; then the files named. Links to folders are not followed. Raises RecoveryError for a folder that cannot be
    looked into.
    """
    result = [path for folder in folders for path in walk(os.path.abspath(os.path.expanduser(folder)))]
    result = [path for path in result if not is_beside(path)]
    result += [os.path.abspath(os.path.expanduser(path)) for path in files]
    return list(dict.fromkeys(result))


def examine_files(paths: list[str], *, content: bool, progress: Progress) -> list[ExaminedFile]:
    """Read each. content: its pages or frames as well, from its start to its end. None stops the others."""
    examined = []
    for number, path in enumerate(paths, start=1):
        what = f"reading {path} ({number} of {len(paths)})"
        if content or number % SHOWN_EVERY == 0:
            progress.line(what)
        examined.append(_examine(path, content=_ContentProgress(progress, what) if content else None))
    return examined


class _ContentProgress:
    """Shows how far into a file its reader is, once a second. size: bytes of it."""

    def __init__(self, progress: Progress, what: str) -> None:
        self._progress = progress
        self._what = what
        self._since = self._shown_at = time.monotonic()
        self.size = 0

    def __call__(self, done: int) -> None:
        now = time.monotonic()
        if now - self._shown_at >= SHOWN_AFTER:
            self._shown_at = now
            self._progress.percent(self._what, 100 * done // max(1, self.size), since=self._since)


def _examine(path: str, *, content: _ContentProgress | None) -> ExaminedFile:
    result = ExaminedFile(path=path)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # so that opening a pipe does not wait for its writer
    except OSError as problem:
        result.reason, result.os_error = f"it cannot be opened: {problem.strerror}", True
        return result
    try:
        before = os.fstat(descriptor)
        result.size, result.modified = before.st_size, before.st_mtime
        if not stat.S_ISREG(before.st_mode):
            result.reason, result.os_error = "it is no file", True
            return result
        _read(descriptor, result, content=content)
        after = os.fstat(descriptor)
        result.changing = (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns)
        result.changing = result.changing or 0 <= time.time() - after.st_mtime < STILL_WARM
    except OSError as problem:
        result.file, result.reason, result.os_error = None, f"it cannot be read: {problem.strerror}", True
    finally:
        os.close(descriptor)
    return result


def _read(descriptor: int, result: ExaminedFile, *, content: _ContentProgress | None) -> None:
    def ranged(offset: int, length: int) -> bytes:
        return os.pread(descriptor, length, offset)

    try:
        result.file = read_backup_file(ranged, result.size)
    except FileFormatError as problem:
        result.refuse(problem)
        return
    if content is not None:
        content.size = result.size
        result.deep = check_content(ranged, result.size, result.file, on_progress=content)
