# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stages backups: Windows copies those that SQL Server's service account may not read to a disk of its server.

Which of them a restore needs, their headers tell, and those only SQL Server reads, where it may. So a folder is staged
whole, unless a manifest lies beside each backup: then those that lead to the target are. What an interrupted run
staged already stays and is not copied again. Imported only where C(stage_path) is given.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from ..._core.backup.catalog import BackupCatalog, merge
from ..._core.backup.file_names import is_beside, manifest_name
from ..._core.backup.manifest import StoredBackup, parse_manifest
from ..._core.errors import RecoveryError
from ..._core.windows_paths import base_name, check_folder, full_path, join, parent, safe_name
from ..._winrm.host.readable_folders import list_readable
from ..connection.session import Session
from ..instance.windows_host import Windows
from .options import RestoreOptions, RestoreSource

__all__ = ["Staged", "stage", "unstage"]

PARTIAL = ".partial"


@dataclass(frozen=True, kw_only=True)
class _File:
    """One file to copy. modified: as the listing tells it, which a copy keeps."""

    source: str
    target: str
    size: int
    modified: str


@dataclass(kw_only=True)
class Staged:
    """What was staged, and the folder that holds it.

    left: files that stayed where they are, because manifests tell that others are needed. missing: in check mode, still
    to be copied.
    """

    folder: str
    files: int
    bytes: int
    left: int
    missing: int
    copied_from: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        return {
            "path": self.folder,
            "files": self.files,
            "bytes": self.bytes,
            "left": self.left,
            "sources": self.copied_from,
        }


def stage(
    session: Session,
    options: RestoreOptions,
    *,
    needed: Callable[[BackupCatalog], Collection[str] | None] | None = None,
) -> Staged:
    """Copy the files and folders of the source below `stage_path`. In check mode nothing is copied. Raises
    RecoveryError.

    needed: from what manifests tell of the backups in the folders, the paths (in lower case) that a restore reads; None
    where that does not suffice.
    """
    source = options.source
    if not options.has_windows:
        raise RecoveryError(
            "'stage_path' needs WinRM to the database server",
            code="option_invalid",
            advice="Let the task target that host, or give winrm_host and winrm_user",
        )
    check_folder(options.stage_path)
    folder = join(
        full_path(options.stage_path, option="stage_path"),
        f"prs-restore {safe_name(options.database).rstrip(' .')}",
    )
    with closing(Windows(session)) as windows:
        all_files, stored = _list_source(session, windows, source, folder)
        wanted = _without_needless(all_files, stored, needed) if stored and needed else all_files
        present = _present(windows, folder)
        missing = [file for file in wanted if present.get(file.target.lower()) != (file.size, file.modified)]
        _require_room(windows, folder, sum(file.size for file in missing))
        if not session.check_mode:
            for number, file in enumerate(missing, 1):
                session.progress.line(
                    f"copying {file.source} to {parent(file.target)} ({file.size / 1e6:.0f} MB, {number} of "
                    f"{len(missing)})"
                )
                _copy(windows, file)
    return Staged(
        folder=folder,
        files=len(wanted),
        bytes=sum(file.size for file in wanted),
        left=len(all_files) - len(wanted),
        missing=len(missing) if session.check_mode else 0,
        copied_from=[*source.folders, *source.files],
    )


def unstage(session: Session, staged: Staged) -> None:
    """Remove what was staged: the restore does not need it any more. That it cannot be removed is no reason to
    fail.
    """
    try:
        with closing(Windows(session)) as windows:
            windows.files().remove(staged.folder)
    except RecoveryError as problem:
        session.warnings.append(f"The staged backups in {staged.folder} could not be removed: {problem}")


def _list_source(
    session: Session, windows: Windows, source: RestoreSource, stage_folder: str
) -> tuple[list[_File], list[StoredBackup]]:
    """All files of a source, and what the manifests in its folders tell. Of files that were named all are wanted."""
    places = [(folder, None) for folder in source.folders]
    of_folder: dict[str, set[str]] = {}
    for file in source.files:
        of_folder.setdefault(parent(file), set()).add(base_name(file).lower())
    places += list(of_folder.items())
    files: list[_File] = []
    stored: list[StoredBackup] = []
    for number, (folder, names) in enumerate(places, 1):
        session.progress.line(f"looking into {folder} as Windows sees it")
        files_of = windows.files(folder)
        listed = list_readable(files_of, folder) if names is None else files_of.list(folder, recurse=False)
        entries = [entry for entry in listed if not (entry.folder or entry.link)]
        present = {join(folder, entry.name.replace("/", "\\")): entry for entry in entries}
        if names is None:
            stored += _stored(windows, {path: entry.size for path, entry in present.items()})
        elif missing := names - {base_name(path).lower() for path in present}:
            raise RecoveryError(
                f"There is no file {sorted(missing)[0]} in {folder} for the account of WinRM",
                code="not_found",
                advice="Correct the path in 'source'",
            )
        for path, entry in present.items():
            if not is_beside(path) and (names is None or base_name(path).lower() in names):
                target = join(stage_folder, str(number), entry.name.replace("/", "\\"))
                files.append(_File(source=path, target=target, size=entry.size, modified=entry.modified))
    return files, stored


def _stored(windows: Windows, sizes: dict[str, int]) -> Iterator[StoredBackup]:
    """The backups of which manifests tell. sizes: of all files of a folder."""
    present = {path.lower(): size for path, size in sizes.items()}
    for path in sizes:
        if path.lower().endswith(manifest_name("")):
            backup = parse_manifest(windows.files(parent(path)).read_lines(path), path=path, present=present)
            if backup:
                yield backup


def _without_needless(
    files: list[_File], stored: list[StoredBackup], needed: Callable[[BackupCatalog], Collection[str] | None]
) -> list[_File]:
    """The files that a plan needs, where manifests tell of all of them: one that is not known may be what leads further
    than any plan without it.
    """
    known = {path.lower() for backup in stored if not backup.set.problem for path in backup.files}
    if any(file.source.lower() not in known for file in files):
        return files
    paths = needed(merge(*(BackupCatalog(sets=[backup.set]) for backup in stored)))
    return files if paths is None else [file for file in files if file.source.lower() in paths]


def _present(windows: Windows, stage_folder: str) -> dict[str, tuple[int, str]]:
    files = windows.files()
    if not files.stat(stage_folder)[0].folder:
        return {}
    return {
        join(stage_folder, entry.name.replace("/", "\\")).lower(): (entry.size, entry.modified)
        for entry in files.list(stage_folder)
        if not entry.folder
    }


def _require_room(windows: Windows, stage_folder: str, needed: int) -> None:
    place, free = stage_folder, None
    while free is None and parent(place) != place:
        place = parent(place)
        free = windows.files().stat(place)[0].free
    if free is not None and needed > free:
        raise RecoveryError(
            f"The backups need {needed / 2**20:,.0f} MiB in {stage_folder}, where {free / 2**20:,.0f} MiB are free",
            code="no_space",
            advice="Give another folder in 'stage_path', or name in 'source' only the files that are needed",
        )


def _copy(windows: Windows, file: _File) -> None:
    """Under another name until it is whole: a copy that was broken off is no backup."""
    files = windows.files(parent(file.source))
    files.make_folder(parent(file.target))
    files.copy(file.source, f"{file.target}{PARTIAL}")
    files.remove(file.target)
    files.rename(f"{file.target}{PARTIAL}", file.target)
