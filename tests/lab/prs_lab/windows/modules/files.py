"""ansible.windows.win_file, win_tempfile, win_stat, slurp."""

from __future__ import annotations

import base64
import hashlib
import ntpath
import os
import secrets
from typing import Any

from ..errors import WinError
from ..filesystem import Stat
from ..models import Task, module

__all__ = ["checksum", "stat_result"]


def checksum(task: Task, path: str, algorithm: str = "sha1") -> str:
    """The digest of a file's content in hex."""
    digest = hashlib.new(algorithm)
    with task.files.open(path) as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def stat_result(task: Task, path: str, stat: Stat) -> dict[str, Any]:
    """What win_stat and win_find tell of a file or folder alike."""
    attributes = "Directory" if stat.is_dir else "Archive"
    modified = stat.modified.timestamp()
    return {
        "attributes": attributes, "creationtime": stat.created.timestamp(), "exists": True, "filename": stat.name, "hlnk_targets": [],
        "isarchive": not stat.is_dir, "isdir": stat.is_dir, "ishidden": False, "isjunction": False, "islnk": False, "isreadonly": False,
        "isreg": not stat.is_dir, "isshared": False, "lastaccesstime": modified, "lastwritetime": modified, "nlink": 1,
        "owner": _owner(task, path), "path": path, **_share_of(task, path, stat),
    }  # fmt: skip


def _owner(task: Task, path: str) -> str | None:
    try:
        return task.host.accounts.name_of(task.files.security(path).owner)
    except WinError:
        return None


def _share_of(task: Task, path: str, stat: Stat) -> dict[str, Any]:
    shared = [
        share.name for share in task.host.shares.by_name.values() if stat.is_dir and share.path.lower() == path.lower()
    ]
    return {"isshared": True, "sharename": shared[0]} if shared else {}


@module("ansible.windows.win_file")
def win_file(task: Task) -> dict[str, Any]:
    files = task.files
    path, state = task.expand(task.params["path"]), task.params["state"]
    if files.is_dir(path) and task.params.get("_original_basename"):
        path = ntpath.join(path, task.params["_original_basename"])
    if state == "touch":
        if not task.check_mode:
            _touch(task, path)
        return {"changed": True}
    if files.exists(path):
        if state == "absent":
            _remove(task, path)
            return {"changed": True}
        if state == "directory" and files.is_file(path):
            task.fail(f"path {path} is not a directory")
        if state == "file" and files.is_dir(path):
            task.fail(f"path {path} is not a file")
        return {}
    state = state or ("file" if ntpath.basename(path) else "directory")
    if state == "file":
        task.fail(f"path {path} will not be created")
    if state == "directory":
        _need_drive(task, path)
        if not task.check_mode:
            try:
                files.make_dir(path)
            except WinError as error:
                task.fail(error.dotnet)
        return {"changed": True}
    return {}


def _need_drive(task: Task, path: str) -> None:
    """New-Item looks for the drive in check mode as well."""
    drive = ntpath.splitdrive(path)[0]
    if drive[1:] == ":" and not task.files.is_dir(f"{drive}\\"):
        task.fail(f"Cannot find drive. A drive with the name '{drive[0]}' does not exist.")


def _touch(task: Task, path: str) -> None:
    if task.files.exists(path):
        now = task.host.clock().timestamp()
        os.utime(task.files.real_path(path) if task.files.is_file(path) else task.files.real_folder(path), (now, now))
    else:
        task.files.write(path, b"")


def _remove(task: Task, path: str) -> None:
    if task.check_mode:
        return
    try:
        task.files.remove_tree(path)
    except WinError as error:
        task.fail(f"Failed to delete {error.path or path}: {error.dotnet}")


@module("ansible.windows.win_tempfile")
def win_tempfile(task: Task) -> dict[str, Any]:
    """Without a path below the account's own TEMP, where nobody but the account and administrators may write."""
    folder = task.expand(task.params["path"])
    # As GetRandomFileName of .NET makes one.
    name = f"{secrets.token_hex(4)}.{secrets.token_hex(2)[:3]}"
    name = f"{task.expand(task.params['prefix'])}{name}{task.expand(task.params['suffix'] or '')}"
    path = ntpath.join(folder, name)
    if not task.check_mode:
        try:
            if task.params["state"] == "directory":
                task.files.make_dir(path)
            else:
                task.files.write(path, b"")
        except WinError as error:
            task.fail(f"No random temporary file worked in 5 attempts. Error: {error.dotnet}")
    return {"changed": True, "state": task.params["state"], "path": path}


@module("ansible.windows.win_stat")
def win_stat(task: Task) -> dict[str, Any]:
    path = task.expand(task.params["path"])
    try:
        stat = task.files.stat(path)
    except WinError:
        return {"stat": {"exists": False}}
    path = task.files.spelling(path)
    result = stat_result(task, path, stat)
    if stat.is_dir:
        if task.params["get_size"]:
            result["size"] = sum(entry.size for _, entry in task.files.walk(path))
        return {"stat": result}
    result["extension"] = ntpath.splitext(path)[1]
    if task.params["get_checksum"]:
        try:
            result["checksum"] = checksum(task, path, task.params["checksum_algorithm"])
        except WinError as error:
            task.fail(f"Failed to get hash of file, set get_checksum to False to ignore this error: {error.dotnet}")
    if task.params["get_size"]:
        result["size"] = stat.size
    return {"stat": result}


@module("ansible.windows.slurp")
def slurp(task: Task) -> dict[str, Any]:
    path = task.expand(task.params["src"])
    if task.files.is_dir(path):
        task.fail(f"Path {path} is a directory")
    if not task.files.is_file(path):
        task.fail(f"Path {path} is not found")
    return {"content": base64.b64encode(task.files.read(path)).decode(), "encoding": "base64"}
