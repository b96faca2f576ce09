# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups that the service account of SQL Server may not read are brought to a disk of its server first, by Windows.

Which of them a restore needs, their headers tell, and those only SQL Server reads, where it may. So a folder is brought
whole, unless a manifest lies beside each backup: then those that lead to the target are. What an interrupted run
brought already stays and is not copied again. Imported only where C(stage_path) is given.
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
from ..connection.session import Session
from ..instance.windows_host import Windows

__all__ = ["Staged", "bring", "clear"]

PARTIAL = ".partial"


@dataclass(frozen=True, kw_only=True)
class _File:
    """One file to bring. modified: as the listing tells it, which a copy keeps."""

    source: str
    target: str
    size: int
    modified: str


@dataclass(kw_only=True)
class Staged:
    """What was brought: the folder that holds it, and the source of the restore instead of the given one.

    left: files that stayed where they are, because manifests tell that others are needed. missing: in check mode, to be
    brought yet.
    """

    folder: str
    source: dict[str, Any]
    files: int
    bytes: int
    left: int
    missing: int
    copied_from: list[str] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        return {
            "path": self.folder,
            "files": self.files,
            "bytes": self.bytes,
            "left": self.left,
            "sources": self.copied_from,
        }


def bring(
    session: Session, source: dict[str, Any], *, needed: Callable[[BackupCatalog], Collection[str] | None] | None = None
) -> Staged:
    """Copy the files and folders of a source below C(stage_path). In check mode nothing is copied. Raises
    RecoveryError.

    needed: from what manifests tell of the backups in the folders, the paths (in lower case) that a restore reads; None
    where that does not suffice.
    """
    params = session.params
    if not (params["winrm_host"] and params["winrm_user"]):
        raise RecoveryError(
            "'stage_path' needs WinRM to the database server",
            code="option_invalid",
            advice="Let the task target that host, or give winrm_host and winrm_user",
        )
    check_folder(params["stage_path"])
    folder = join(
        full_path(params["stage_path"], option="stage_path"),
        f"prs-restore {safe_name(params['database']).rstrip(' .')}",
    )
    with closing(Windows(session)) as windows:
        all_files, stored = _look(session, windows, source, folder)
        wanted = _without_needless(all_files, stored, needed) if stored and needed else all_files
        present = _present(windows, folder)
        missing = [one for one in wanted if present.get(one.target.lower()) != (one.size, one.modified)]
        _require_room(windows, folder, sum(one.size for one in missing))
        if not session.check_mode:
            for number, one in enumerate(missing, 1):
                session.progress.line(
                    f"bringing {one.source} to {parent(one.target)} ({one.size / 1e6:.0f} MB, {number} of "
                    f"{len(missing)})"
                )
                _copy(windows, one)
    return Staged(
        folder=folder,
        source={**source, "folders": [folder], "files": []},
        files=len(wanted),
        bytes=sum(one.size for one in wanted),
        left=len(all_files) - len(wanted),
        missing=len(missing) if session.check_mode else 0,
        copied_from=[*source["folders"], *source["files"]],
    )


def clear(session: Session, staged: Staged) -> None:
    """Remove what was brought: the restore does not need it any more. That it cannot be removed is no
    reason to fail.
    """
    try:
        with closing(Windows(session)) as windows:
            windows.files().remove(staged.folder)
    except RecoveryError as problem:
        session.warnings.append(f"The staged backups in {staged.folder} could not be removed: {problem}")


def _look(
    session: Session, windows: Windows, source: dict[str, Any], stage: str
) -> tuple[list[_File], list[StoredBackup]]:
    """All files of a source, and what the manifests in its folders tell. Of files that were named all are wanted."""
    places = [(folder, None) for folder in source["folders"]]
    of_folder: dict[str, set[str]] = {}
    for file in source["files"]:
        of_folder.setdefault(parent(file), set()).add(base_name(file).lower())
    places += list(of_folder.items())
    files: list[_File] = []
    stored: list[StoredBackup] = []
    for number, (folder, names) in enumerate(places, 1):
        session.progress.line(f"looking into {folder} as Windows sees it")
        entries = [
            entry
            for entry in windows.files(folder).list(folder, recurse=names is None)
            if not (entry.folder or entry.link)
        ]
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
                target = join(stage, str(number), entry.name.replace("/", "\\"))
                files.append(_File(source=path, target=target, size=entry.size, modified=entry.modified))
    return files, stored


def _stored(windows: Windows, sizes: dict[str, int]) -> Iterator[StoredBackup]:
    """The backups of which manifests tell. sizes: of all files of a folder."""
    present = {path.lower(): size for path, size in sizes.items()}
    for path in sizes:
        if path.lower().endswith(manifest_name("")):
            told = parse_manifest(windows.files(parent(path)).read_lines(path), path=path, present=present)
            if told:
                yield told


def _without_needless(
    files: list[_File], stored: list[StoredBackup], needed: Callable[[BackupCatalog], Collection[str] | None]
) -> list[_File]:
    """The files that a plan needs, where manifests tell of all of them: one that is not known may be what leads further
    than any plan without it.
    """
    told = {file.lower() for one in stored if not one.set.problem for file in one.files}
    if any(one.source.lower() not in told for one in files):
        return files
    paths = needed(merge(*(BackupCatalog(sets=[one.set]) for one in stored)))
    return files if paths is None else [one for one in files if one.source.lower() in paths]


def _present(windows: Windows, stage: str) -> dict[str, tuple[int, str]]:
    files = windows.files()
    if not files.stat(stage)[0].folder:
        return {}
    return {
        join(stage, entry.name.replace("/", "\\")).lower(): (entry.size, entry.modified)
        for entry in files.list(stage)
        if not entry.folder
    }


def _require_room(windows: Windows, stage: str, needed: int) -> None:
    place, free = stage, None
    while free is None and parent(place) != place:
        place = parent(place)
        free = windows.files().stat(place)[0].free
    if free is not None and needed > free:
        raise RecoveryError(
            f"The backups need {needed / 2**20:,.0f} MiB in {stage}, where {free / 2**20:,.0f} MiB are free",
            code="no_space",
            advice="Give another folder in 'stage_path', or name in 'source' only the files that are needed",
        )


def _copy(windows: Windows, one: _File) -> None:
    """Under another name until it is whole: a copy that was broken off is no backup."""
    files = windows.files(parent(one.source))
    files.make_folder(parent(one.target))
    files.copy(one.source, f"{one.target}{PARTIAL}")
    files.remove(one.target)
    files.rename(f"{one.target}{PARTIAL}", one.target)
