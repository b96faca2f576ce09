# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backup files on a Windows host or on a share: found there, and read over WinRM in few round trips.

Of all files both ends are fetched at once; what else a file turns out to need comes with that of the others in the next
call. Nothing of the data between is fetched: what is to be read whole is judged by the host.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

from ..._core.backup.file_names import is_beside
from ..._core.backup_file.backup_file import read_backup_file
from ..._core.backup_file.errors import FileFormatError
from ..._core.backup_file.reading import ExaminedFile
from ..._core.binary.fetched_ranges import FetchedRanges
from ..._core.times import parse_stored_time
from ..._core.windows_paths import full_path, join
from ..._progress import Progress
from ..connection.errors import WindowsFault
from ..host.files import WindowsFiles
from ..host.read_in_rounds import Refusal, read_in_rounds
from ..host.readable_folders import list_readable
from ..host.reader import FileRanges
from .content import judge_content

__all__ = ["examine_windows_files", "find_windows_files", "shares_of"]

HEAD, TAIL = 8192, 9728
"""Bytes of both ends that are fetched of each file first: enough for 107 of 107 real ones, and little for 5,000."""

LOOK_BACK = 1 << 20
"""Bytes that are fetched besides of a file without an end, which may hold whole sets before the one that breaks off."""

FILES_A_CALL = 5000
"""Keeps what is held at the same time to some 100 MB."""

SHARING_VIOLATION = (32, 33)
STILL_WARM = 60.0


@contextmanager
def shares_of(files: WindowsFiles, paths: Iterable[str], *, user: str | None, password: str | None) -> Iterator[None]:
    """The shares that the paths lie on, connected under an account of their own."""
    with ExitStack() as connected:
        for path in paths:
            connected.enter_context(files.share(path, user=user, password=password))
        yield


def find_windows_files(files: WindowsFiles, folders: Iterable[str], named: Iterable[str]) -> list[str]:
    """All files in the folders and below them, except what this collection leaves beside backups; then those named.

    Links are not followed. Raises RecoveryError for a folder that cannot be looked into.
    """
    result = []
    for folder in folders:
        path = full_path(folder, option="folders")
        entries = [entry for entry in list_readable(files, path) if not entry.folder and not entry.link]
        result += sorted(join(path, *entry.name.split("/")) for entry in entries if not is_beside(entry.name))
    result += [full_path(path, option="files") for path in named]
    return list({path.lower(): path for path in result}.values())


def examine_windows_files(
    files: WindowsFiles, paths: list[str], *, content: bool, progress: Progress
) -> list[ExaminedFile]:
    """Read the headers of each, in their order; content: and its pages or frames. None stops the others."""
    examined: dict[str, ExaminedFile] = {}
    for start in range(0, len(paths), FILES_A_CALL):
        progress.line(f"reading backup files ({start} of {len(paths)})")
        examined |= _examine(files, paths[start : start + FILES_A_CALL])
    for result, fault in judge_content(files, examined.values(), progress=progress) if content else ():
        if fault is not None:
            _give_up(result, fault)
    return [examined[path] for path in paths]


def _examine(files: WindowsFiles, paths: list[str]) -> dict[str, ExaminedFile]:
    results = {path: ExaminedFile(path=path) for path in paths}

    def parse(answer: FileRanges, fetched: FetchedRanges) -> None:
        result = results[answer.path]
        if not result.size:
            _meet(files, result, answer)
        try:
            result.file = read_backup_file(fetched.read, fetched.size, head=HEAD, tail=TAIL, look_back=LOOK_BACK)
        except FileFormatError as problem:
            result.refuse(problem)

    def refuse(path: str, refusal: Refusal) -> None:
        result = results[path]
        if refusal.fault is not None:
            _give_up(result, refusal.fault)
        else:
            result.reason, result.changing = refusal.reason, result.changing or refusal.changing

    read_in_rounds(files, paths, first=[(0, HEAD), (-TAIL, TAIL)], parse=parse, refuse=refuse)
    return results


def _meet(files: WindowsFiles, result: ExaminedFile, answer: FileRanges) -> None:
    """What the first answer says of a file as a whole."""
    modified = parse_stored_time(answer.modified)
    result.size, result.modified = answer.size, modified.timestamp()
    result.changing = 0 <= (files.now - modified).total_seconds() < STILL_WARM or modified > files.now


def _give_up(result: ExaminedFile, fault: WindowsFault) -> None:
    locked = fault.number in SHARING_VIOLATION
    result.file = None
    result.reason = "another program has it open for itself" if locked else f"it cannot be read: {fault}"
    result.os_error, result.changing = not locked, locked
