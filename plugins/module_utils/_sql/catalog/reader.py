# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The backups that folders and files hold, read by the server, or remembered from an earlier run."""

from __future__ import annotations

from typing import Any

from ..._core.backup.backup_set import guid
from ..._core.backup.catalog import BackupCatalog, FileReading, assemble, same_path
from ..._core.restore.target import parse_zone
from ..connection.session import Session
from ..instance.folders import find_files
from .header_cache import HeaderCache
from .headers import identify_files, read_files


def read_inventory(session: Session, source: dict[str, Any]) -> BackupCatalog:
    """All backup sets in C(folders) (with everything below) and C(files)."""
    return read_sources(session, source)[0]


def read_sources(
    session: Session, source: dict[str, Any], *, server: str = "", trust: bool = True
) -> tuple[BackupCatalog, frozenset[str]]:
    """The same, and the GUIDs of those sets that are only remembered from an earlier run.

    server: whose headers are remembered, name and version; empty to read them all. trust: use what is remembered, not
    only renew it.
    """
    readings = read_files(session.connection, source.get("files") or [], progress=session.progress)
    remembered: list[FileReading] = []
    for folder in source.get("folders") or []:
        session.progress.line(f"looking into {folder}")
        known, fresh = _read_folder(session, folder, server=server, trust=trust)
        remembered += known
        readings += fresh
    told = frozenset(guid(row.get("BackupSetGUID")) for one in remembered for row in one.headers)
    return assemble([*readings, *remembered], zone=parse_zone(source.get("time_zone"))), told


def _read_folder(
    session: Session, folder: str, *, server: str, trust: bool
) -> tuple[list[FileReading], list[FileReading]]:
    """What is remembered of a folder's files, and what was read anew."""
    connection = session.connection
    if not server:
        return [], read_files(connection, find_files(connection, folder), progress=session.progress)
    cache = HeaderCache(server=server, folder=folder)
    told = identify_files(
        connection, folder
    )  # before the files are read: what changes meanwhile is read again the next time
    paths = find_files(connection, folder)
    identities = {path: told[same_path(path)] for path in paths if same_path(path) in told}
    known = {path: one for path, identity in identities.items() if trust and (one := cache.get(path, identity))}
    fresh = read_files(connection, [path for path in paths if path not in known], progress=session.progress)
    cache.keep({**known, **{one.path: one for one in fresh}}, identities)
    return list(known.values()), fresh
