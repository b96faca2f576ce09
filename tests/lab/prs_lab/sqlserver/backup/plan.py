"""What RESTORE checks before it touches anything: each refusal here leaves everything as it was."""

from __future__ import annotations

import ntpath
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...windows.errors import WinError
from ..context import InstanceContext, SessionContext
from ..errors import SqlError
from ..host_protocol import Files
from ..parse.ir import Move, Restore, RestoreOptions
from ..storage.database import Database
from ..storage.setheader import DIFFERENTIAL, FULL, LOG, SetHeader
from ..storage.stop import Stop
from .messages import error, os_error

__all__ = ["DATABASE_VERSIONS", "Targets", "check_in_use", "check_overwrite", "check_set", "target_files"]

DATABASE_VERSIONS = {13: 852, 14: 869, 15: 904, 16: 957, 17: 998}
"""The internal version of databases, by the server's major version."""

_MADE_BY = {FULL: "BACKUP DATABASE", DIFFERENTIAL: "BACKUP DATABASE WITH DIFFERENTIAL", LOG: "BACKUP LOG"}


@dataclass(frozen=True)
class Targets:
    """Where the files of the restored database will lie."""

    data_path: str
    log_path: str


def check_set(instance: InstanceContext, statement: Restore, header: SetHeader, device: str) -> None:
    """Raises SqlError 3135 (log or data in the wrong statement), 3169 (a newer server's), 3182, 3187."""
    is_log = header.backup_type == LOG
    if is_log != (statement.what == "log") and statement.what in ("log", "database"):
        raise error(3135, device=device, what=_MADE_BY[header.backup_type])
    if header.database.version > DATABASE_VERSIONS.get(instance.version[0], 10**6):
        raise error(3169, theirs=_version(header.software), ours=_version(instance.version))
    if header.damaged and not statement.options.continue_after_error:
        raise error(3182)
    if statement.options.checksum and not header.checksums:
        raise error(3187)


def _version(parts: Sequence[int]) -> str:
    return f"{parts[0]:02}.{parts[1]:02}.{parts[2]:04}"


def check_in_use(instance: InstanceContext, session: SessionContext, database: Database, what: str) -> None:
    """Raises SqlError 3102 (by this session), 3101 (by others), 3104 (mirrored)."""
    if session.database.lower() == database.name.lower():
        raise error(3102, what=what.split()[0], name=database.name, state=3)
    if instance.in_use(database.name, but=session) or database.busy:
        raise error(3101)
    if database.mirroring_role:
        raise error(3104, name=database.name)


def check_overwrite(database: Database, header: SetHeader, options: RestoreOptions, stop: Stop | None) -> None:
    """Raises SqlError 3154 (another database), 3159 or 3173 (the tail of its log would be lost), unless REPLACE is
    said.
    """
    if options.replace:
        return
    if database.boot.family_guid != header.database.family_guid:
        raise error(3154, name=database.name, state=4)
    if database.state == "ONLINE" and not database.is_in_standby and database.chain_intact:
        raise error(3173 if stop is not None and stop.time is not None else 3159, name=database.name)


def target_files(
    instance: InstanceContext, name: str, header: SetHeader, moves: Iterable[Move], *, replace: bool
) -> Targets:
    """Where the files go. Raises SqlError 3234, or everything that is wrong with the paths, closed by 3119."""
    boot = header.database
    wanted = {boot.data_name.lower(): header.data_path, boot.log_name.lower(): header.log_path}
    for move in moves:
        if str(move.logical).lower() not in wanted:
            raise error(3234, logical=str(move.logical), name=header.database_name, state=2)
        wanted[str(move.logical).lower()] = str(move.physical)
    targets = Targets(wanted[boot.data_name.lower()], wanted[boot.log_name.lower()])
    problems: list[SqlError] = []
    for logical, path in ((boot.data_name, targets.data_path), (boot.log_name, targets.log_path)):
        found = _path_problem(instance, name, path, replace=replace)
        if found:
            problems += [found, error(3156, logical=logical, path=path, state=3)]
    if targets.data_path.lower() == targets.log_path.lower():
        problems.append(
            error(3176, path=targets.data_path, one=boot.data_name, one_id=1, other=boot.log_name, other_id=2)
        )
    if not problems:
        problems = _space_problems(instance, name, header, targets)
    if problems:
        first, *rest = problems
        first.follow = (*rest, error(3119))
        raise first
    return targets


def _path_problem(instance: InstanceContext, name: str, path: str, *, replace: bool) -> SqlError | None:
    mine = False
    for other in instance.databases:
        if path.lower() in (other.data_path.lower(), other.log_path.lower()):
            if other.name.lower() != name.lower():
                return error(1834, path=path, name=other.name)
            mine = True
    files = instance.files()
    folder = ntpath.dirname(path)
    try:
        if not files.is_dir(folder):
            # Ask for the folder itself, so that the operating system says why: 2, 3, 5 ...
            files.list(folder)
            raise WinError(3, folder)
        if not mine:
            _ask_to_write(files, path)
    except WinError as failure:
        if failure.number in (2, 3, 53, 67, 123, 267):
            return error(5133, path=path, cause=os_error(failure))
        return error(3634, cause=os_error(failure), call="RestoreContainer::ValidateTargetForCreation", path=path)
    if not mine and not replace and files.exists(path):
        return error(3142, path=path)
    return None


def _ask_to_write(files: Files, path: str) -> None:
    """Raises the WinError that making or overwriting the file would meet."""
    try:
        files.real_path(path, "wb")
    except WinError as failure:
        if failure.number != 2:
            raise


def _space_problems(instance: InstanceContext, name: str, header: SetHeader, targets: Targets) -> list[SqlError]:
    files = instance.files()
    own = instance.databases.get(name)
    needed: dict[str, int] = {}
    for path, size in ((targets.data_path, header.data_size), (targets.log_path, header.log_size)):
        volume = files.mount_point(path)
        already = (
            files.stat(path).size
            if own and path.lower() in (own.data_path.lower(), own.log_path.lower()) and files.exists(path)
            else 0
        )
        needed[volume] = needed.get(volume, 0) + size - already
    return [
        error(3257, volume=volume, needed=size, free=files.free_bytes(volume))
        for volume, size in needed.items()
        if size > files.free_bytes(volume)
    ]
