"""ansible.windows.win_copy: the steps that its action plugin asks for one after the other, and copying on the host
itself.
"""

from __future__ import annotations

import base64
import ntpath
import time
import zipfile
from collections.abc import Callable
from typing import Any

from ..models import Task, module
from .files import checksum

_OCCUPIED = "object at dest parent dir is not a folder"


@module("ansible.windows.win_copy")
def win_copy(task: Task) -> dict[str, Any]:
    mode = task.params.get("_copy_mode") or "single"
    dest = task.expand(task.params["dest"])
    steps: dict[str, Callable[[Task, str, str], dict[str, Any]]] = {
        "query": _query,
        "explode": _explode,
        "single": _single,
        "remote": _remote,
    }
    return steps[mode](task, task.expand(task.params["src"] or ""), dest)


def _query(task: Task, _src: str, dest: str) -> dict[str, Any]:
    """Which of these files and folders differ from what is there."""
    files = task.files
    changed = []
    for wanted in task.params.get("files") or []:
        path = ntpath.join(dest, wanted["dest"])
        if files.is_dir(path):
            path = ntpath.join(path, ntpath.basename(wanted["src"].replace("/", "\\")))
        if files.is_dir(path):
            task.fail(f"cannot copy file to dest '{path}': object at path is already a directory")
        if not files.is_file(path) or (task.params["force"] and checksum(task, path) != wanted["checksum"]):
            changed.append(wanted)
    folders = []
    for wanted in task.params.get("directories") or []:
        path = ntpath.join(dest, wanted["dest"])
        for place, what in ((ntpath.dirname(path), "parent directory path"), (path, "path")):
            if files.is_file(place):
                task.fail(f"cannot copy folder to dest '{path}': object at {what} is already a file")
        if not files.is_dir(path):
            folders.append(wanted)
    return {"files": changed, "directories": folders, "symlinks": []}


def _explode(task: Task, src: str, dest: str) -> dict[str, Any]:
    """Unpack what the action plugin packed; names are in base64, folders end with a slash."""
    if not task.files.is_file(src):
        task.fail(f"Cannot expand src zip file: '{src}' as it does not exist")
    with task.files.open(src) as file, zipfile.ZipFile(file) as archive:
        for entry in archive.infolist():
            name = base64.b64decode(entry.filename.rstrip("/\\")).decode()
            path = ntpath.normpath(ntpath.join(dest, name))
            is_folder = len(entry.filename) % 4 == 1
            task.files.make_dir(path if is_folder else ntpath.dirname(path))
            if not is_folder:
                task.files.write(path, archive.read(entry))
    return {"changed": True}


def _single(task: Task, src: str, dest: str) -> dict[str, Any]:
    """A file that was put into the temporary folder goes to its place."""
    if not task.files.is_file(src):
        task.fail(f"Cannot copy src file: '{src}' as it does not exist")
    target = _target(task, dest, task.params.get("_original_basename") or ntpath.basename(src))
    result: dict[str, Any] = {"changed": True}
    if task.params["backup"]:
        result["backup_file"] = _back_up(task, target)
    task.files.copy(src, target)
    return result


def _remote(task: Task, src: str, dest: str) -> dict[str, Any]:
    files = task.files
    if not files.exists(src):
        task.fail(f"Cannot copy src file: '{src}' as it does not exist", src=src, dest=dest)
    result: dict[str, Any] = {"src": src, "dest": dest, "changed": False}
    steps: list[str] = []
    if files.is_dir(src):
        result["operation"] = "folder_copy"
        if src.endswith(("/", "\\")):
            for name in _folders_first(task, src):
                _copy_any(task, ntpath.join(src, name), ntpath.join(dest, name), steps, result)
        else:
            result["dest"] = dest = ntpath.join(dest, ntpath.basename(files.spelling(src)))
            _copy_any(task, src, dest, steps, result)
    else:
        name = ntpath.basename(files.spelling(src))
        result.update(operation="file_copy", original_basename=name)
        result["dest"] = dest = _target(task, dest, name)
        result["checksum"] = checksum(task, src) if task.params["force"] else None
        _copy_any(task, src, dest, steps, result)
    result["changed"] = bool(steps)
    result["size"] = None
    if files.is_file(dest):
        result["size"] = files.stat(dest).size
    elif files.is_dir(dest):
        result["size"] = sum(stat.size for _, stat in files.walk(dest))
    result["diff"] = {"prepared": "".join(steps)}
    return result


def _target(task: Task, dest: str, name: str) -> str:
    """Where a single file goes; a folder named with a trailing slash is made, even in check mode, as the real module
    does.
    """
    target = ntpath.join(dest, name) if dest.endswith(("/", "\\")) or task.files.is_dir(dest) else dest
    parent = ntpath.dirname(target)
    if task.files.is_file(parent):
        task.fail(f"object at destination parent dir '{parent}' is currently a file")
    if not task.files.is_dir(parent):
        if target == dest:
            task.fail(f"Destination directory '{parent}' does not exist")
        task.files.make_dir(parent)
    return target


def _copy_any(task: Task, source: str, dest: str, steps: list[str], result: dict[str, Any]) -> None:
    files = task.files
    if files.is_file(ntpath.dirname(dest)):
        task.fail(f"cannot copy file from '{source}' to '{dest}': {_OCCUPIED}")
    if files.is_dir(source):
        if files.is_file(dest):
            task.fail(f"cannot copy folder from '{source}' to '{dest}': dest is already a file")
        if not files.is_dir(dest):
            steps.append(f"+{dest}\\\n")
            if not task.check_mode:
                files.make_dir(dest)
        for name in _folders_first(task, source):
            _copy_any(task, ntpath.join(source, name), ntpath.join(dest, name), steps, result)
        return
    if files.is_dir(dest):
        task.fail(f"cannot copy file from '{source}' to '{dest}': dest is already a folder")
    if files.is_file(dest):
        if not task.params["force"] or checksum(task, source) == checksum(task, dest):
            return
        if task.params["backup"]:
            result["backup_file"] = None if task.check_mode else _back_up(task, dest)
        steps.append(f"-{dest}\n")
    steps.append(f"+{dest}\n")
    if not task.check_mode:
        files.make_dir(ntpath.dirname(dest))
        files.copy(source, dest)


def _folders_first(task: Task, folder: str) -> list[str]:
    """As Get-ChildItem lists it."""
    return sorted(task.files.list(folder), key=lambda name: not task.files.is_dir(ntpath.join(folder, name)))


def _back_up(task: Task, path: str) -> str | None:
    if not task.files.is_file(path):
        return None
    backup = f"{path}.{time.time_ns() // 1_000_000 % 100_000}.{task.host.clock():%Y%m%d-%H%M%S}.bak"
    task.files.copy(path, backup)
    return backup
