# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads which backups folders and files hold, from their headers or from the cache of an earlier run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo

from ..._core.backup.backup_set import guid
from ..._core.backup.catalog import BackupCatalog, FileReading, assemble, same_path
from ..._core.backup.file_names import made_since, pattern_since
from ..._core.errors import RecoveryError
from ..._core.windows_paths import base_name, parent
from ..connection.session import Session
from ..instance.folders import find_files, is_folder
from .header_cache import HeaderCache
from .headers import find_newer_files, identify_files, read_files

__all__ = ["read_catalog", "read_newer"]

MOST_NEWER = 32
"""Files that are looked at beside the last one; where there are more, all are."""


def read_catalog(
    session: Session,
    *,
    folders: Iterable[str],
    files: Iterable[str],
    zone: tzinfo | None,
    server: str = "",
    trust: bool = True,
    skip_unreadable: bool = False,
) -> tuple[BackupCatalog, frozenset[str]]:
    """All backup sets in folders (with everything below) and files, and the GUIDs of those sets that are only
    remembered from an earlier run.

    zone: of times in headers that do not tell theirs. server: whose headers are remembered, name and version; empty to
    read them all. trust: use what is remembered, not only renew it. skip_unreadable: warn of a folder that cannot be
    read, as long as another one can.
    """
    readings = read_files(session.connection, files, progress=session.progress)
    guids: set[str] = set()
    unreadable: list[RecoveryError] = []
    folders = list(folders)
    for folder in folders:
        session.progress.line(f"looking into {folder}")
        try:
            known, fresh = _read_folder(session, folder, server=server, trust=trust)
        except RecoveryError as problem:
            if problem.lost or not skip_unreadable:
                raise
            unreadable.append(problem)
            continue
        readings += [*fresh, *known]
        guids.update(guid(row.get("BackupSetGUID")) for reading in known for row in reading.headers)
    if unreadable and len(unreadable) == len(folders) and not readings:
        raise unreadable[0]
    session.warnings += [f"{problem.message}; what it holds was left out" for problem in unreadable]
    return assemble(readings, zone=zone), frozenset(guids)


def read_newer(
    session: Session, last: str, *, folders: Sequence[str], now: datetime, zone: tzinfo | None, server: str
) -> BackupCatalog:
    """The sets of one backup, by the path of its file, and of those that were written beside it since, there and in the
    same place of the other folders, told by their names: neither the folders nor what is remembered of them is gone
    through, however much lies there. Nothing where that cannot be done, or nothing came since.

    folders: the first one holds the file. now: aware. server: see read_catalog.
    """
    name, below = base_name(last), parent(last)[len(folders[0].rstrip("\\")) :]
    pattern = pattern_since(name, now)
    wanted: dict[str, dict[str, str]] = {}
    for folder in folders if pattern else ():
        place = f"{folder.rstrip(chr(92))}{below}"
        session.progress.line(f"looking into {place} for what came since {name}")
        files = find_newer_files(session.connection, place, pattern=pattern, most=MOST_NEWER + 1)
        if len(files) > MOST_NEWER or (not files and not is_folder(session.connection, place)):
            return BackupCatalog()
        wanted[folder] = {path: files[path] for path in sorted(files) if made_since(base_name(path), name)}
    names = {base_name(path).lower() for paths in wanted.values() for path in paths}
    if len(names) < 2 or name.lower() not in names:
        return BackupCatalog()
    readings: list[FileReading] = []
    for folder, paths in wanted.items():
        fresh = read_files(session.connection, paths, progress=session.progress)
        HeaderCache(server=server, folder=folder).add({reading.path: reading for reading in fresh}, paths)
        readings += fresh
    return assemble(readings, zone=zone)


def _read_folder(
    session: Session, folder: str, *, server: str, trust: bool
) -> tuple[list[FileReading], list[FileReading]]:
    """What is remembered of a folder's files, and what was read anew."""
    connection = session.connection
    if not server:
        return [], read_files(connection, find_files(connection, folder), progress=session.progress)
    cache = HeaderCache(server=server, folder=folder)
    # Before the files are read: what changes meanwhile is read again the next time.
    identified = identify_files(connection, folder)
    paths = find_files(connection, folder)
    identities = {path: identified[same_path(path)] for path in paths if same_path(path) in identified}
    known = {path: reading for path, identity in identities.items() if trust and (reading := cache.get(path, identity))}
    fresh = read_files(connection, [path for path in paths if path not in known], progress=session.progress)
    cache.keep({**known, **{reading.path: reading for reading in fresh}}, identities)
    return list(known.values()), fresh
