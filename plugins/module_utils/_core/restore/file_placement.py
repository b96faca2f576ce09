# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a restored database's files go, what room they take, and whether the server can restore it at all."""

from __future__ import annotations

import ntpath
import posixpath
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import BackupSet, DatabaseFile
from ansible_collections.prs.recovery.plugins.module_utils._core.restore.plan import Refusal, ServerFacts, Step, Target

__all__ = ["check_server", "express_limit", "place_files"]

# The data of one database on Express may not be larger: 10 GiB since 2008 R2, 50 since 2025 (version 17).
_EXPRESS_GIB = ((17, 50), (0, 10))


def express_limit(version: int) -> int:
    """Bytes of data that one database may have on Express. version: of SQL Server, its first number."""
    return next(gib for least, gib in _EXPRESS_GIB if version >= least) * 1024**3


def _destination(file: DatabaseFile, *, database: str, source: str, server: ServerFacts, taken: set[str]) -> str:
    folder = server.log_dir if file.type == "L" else server.data_dir
    name = ntpath.basename(file.physical_name) if "\\" in file.physical_name else posixpath.basename(file.physical_name)
    stem, extension = ntpath.splitext(name or file.logical_name)
    if source and database.casefold() != source.casefold():
        # Another name must not collide with the files of the database that was backed up, should both live on one
        # server.
        stem = f"{database}_{file.logical_name}"
    stem = "".join("_" if sign in '<>:"/\\|?*' or ord(sign) < 32 else sign for sign in stem)
    path_of = posixpath if folder.startswith("/") else ntpath
    path, number = path_of.join(folder, stem + extension), 2
    while path.casefold() in taken:
        path, number = path_of.join(folder, f"{stem}_{number}{extension}"), number + 1
    taken.add(path.casefold())
    return path


def place_files(
    steps: Sequence[Step],
    sets: Mapping[str, BackupSet],
    *,
    database: str,
    server: ServerFacts,
    resumes: bool,
    existing_files: Collection[str] = (),
) -> tuple[list[Step], tuple[tuple[str, str], ...], dict[str, int]]:
    """The steps with their MOVE clauses, all moves together, and the bytes needed by folder.

    A file is moved by the first step that brings it: the full for most, a differential or log for one that was added
    later. existing_files: logical names, in lower case, of the RESTORING database that the plan goes on with: those
    stay where they are, and a MOVE of them is refused (3174). Sets whose file list is unknown, or a server whose
    folders are, leave the files where they were.
    """
    placed: dict[int, tuple[str, str]] = {}  # file id -> (logical name, path)
    sizes: dict[int, int] = {}
    taken: set[str] = set()
    result: list[Step] = []
    for step in steps:
        moves: list[tuple[str, str]] = []
        entry = sets[step.guid]
        for file in entry.files:
            if not file.is_present:
                continue
            sizes[file.file_id] = max(sizes.get(file.file_id, 0), file.size)
            if file.file_id in placed:
                continue
            if not (server.log_dir if file.type == "L" else server.data_dir):
                path = file.physical_name
            else:
                path = _destination(file, database=database, source=entry.database, server=server, taken=taken)
                # The files of a RESTORING database are already where they are; only new ones can be placed.
                if not resumes or (step.action == "log" and file.logical_name.lower() not in existing_files):
                    moves.append((file.logical_name, path))
            placed[file.file_id] = (file.logical_name, path)
        result.append(replace(step, moves=tuple(moves)) if moves else step)
    needed: dict[str, int] = {}
    if not resumes:
        for number, (_name, path) in placed.items():
            folder = (posixpath if path.startswith("/") else ntpath).dirname(path)
            needed[folder] = needed.get(folder, 0) + sizes[number]
    return result, tuple(move for step in result for move in step.moves), needed


def check_server(
    used: Sequence[BackupSet],
    *,
    server: ServerFacts,
    target: Target,
    standby: bool = False,
) -> Refusal | None:
    """Whether this server can restore these sets: its version, its certificates, its edition. standby: it ends in
    standby.
    """
    return (
        _refused_build(used, server, target)
        or (_refused_standby(used, server, target) if standby else None)
        or _refused_certificates(used, server, target)
        or _refused_edition(used, server, target)
    )


def _refused_build(used: Sequence[BackupSet], server: ServerFacts, target: Target) -> Refusal | None:
    newest = max(used, key=lambda backup_set: backup_set.version[:2], default=None)
    if newest is None or not server.version[0] or newest.version[:2] <= server.version[:2]:
        return None
    needed, here = (".".join(str(part) for part in version) for version in (newest.version, server.version))
    return Refusal(
        code="build",
        target=target,
        details={"build_needed": needed, "build": here},
        message=f"the {newest} was made by SQL Server {needed}; this server is {here}, and no server restores a "
        "newer one's backup",
        advice=f"install SQL Server {newest.version[0]}.{newest.version[1]} or newer here",
    )


def _refused_standby(used: Sequence[BackupSet], server: ServerFacts, target: Target) -> Refusal | None:
    older = next((entry for entry in used if 0 < entry.database_version < server.database_version), None)
    if older is None:
        return None
    return Refusal(
        code="standby",
        target=target,
        details={"database_version": older.database_version},
        message=f"the {older} is of an older SQL Server, and a database that has to be upgraded cannot stay in standby",
        advice="restore it with 'recovery: norecovery', or on a server of the version that made the backup",
    )


def _refused_certificates(used: Sequence[BackupSet], server: ServerFacts, target: Target) -> Refusal | None:
    needed = {backup_set.encryptor_thumbprint for backup_set in used}
    needed |= {file.tde_thumbprint for backup_set in used for file in backup_set.files}
    missing = [] if server.certificates is None else sorted(needed - {""} - set(server.certificates))
    if not missing:
        return None
    return Refusal(
        code="certificate",
        target=target,
        details={"certificates_missing": missing},
        message="the backups are encrypted with a certificate whose private key this server does not have in "
        f"master: {', '.join(missing)}",
        advice="create the certificate from its backup (CREATE CERTIFICATE ... FROM FILE ... WITH PRIVATE KEY) "
        "and start again",
    )


def _refused_edition(used: Sequence[BackupSet], server: ServerFacts, target: Target) -> Refusal | None:
    if "express" not in server.edition.lower():
        return None
    sizes = [sum(file.size for file in entry.files if file.type == "D" and file.is_present) for entry in used]
    limit = express_limit(server.version[0])
    data = max(sizes, default=0)
    if data <= limit:
        return None
    return Refusal(
        code="edition",
        target=target,
        message=f"the data of the database takes {data / 1024**3:.1f} GiB; Express holds at most "
        f"{limit / 1024**3:.0f} GiB",
        advice="restore it on another edition",
    )
