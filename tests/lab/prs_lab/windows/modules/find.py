"""ansible.windows.win_find."""

from __future__ import annotations

import fnmatch
import ntpath
import re
from collections.abc import Iterator
from typing import Any

from ..errors import WinError
from ..filesystem import Stat
from ..models import Task, module
from .files import checksum, stat_result

_AGE_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_SIZE_UNITS = {"b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


@module("ansible.windows.win_find")
def win_find(task: Task) -> dict[str, Any]:
    age = _amount(task, "age", _AGE_UNITS)
    size = _amount(task, "size", _SIZE_UNITS)
    found, seen = [], set()
    for given in task.params["paths"]:
        path = task.expand(given)
        if not task.files.exists(path):
            task.warn(f"Argument path '{path}' does not exist or is not accessible, skipping")
            continue
        if not task.files.is_dir(path):
            task.warn(f"Argument path '{path}' is a file not a directory, skipping")
            continue
        depth = task.params["depth"] if task.params["depth"] is not None else -1
        for child, stat in _walk(task, task.files.spelling(path), depth):
            if child.lower() in seen:
                continue
            seen.add(child.lower())
            if _matches(task, stat, age=age, size=size):
                found.append(_describe(task, child, stat))
    return {
        "examined": len(seen),
        "matched": len(found),
        "files": sorted(found, key=lambda entry: entry["path"].lower()),
    }


def _walk(task: Task, folder: str, depth: int) -> Iterator[tuple[str, Stat]]:
    """Children, deeper ones first where asked for; folders that may not be listed are left out, as the real module
    does.
    """
    try:
        names = task.files.list(folder)
    except WinError:
        return
    for name in names:
        child = ntpath.join(folder, name)
        stat = task.files.stat(child)
        if stat.is_dir and task.params["recurse"] and depth != 1:
            yield from _walk(task, child, depth - 1)
        yield child, stat


def _matches(task: Task, stat: Stat, *, age: int | None, size: int | None) -> bool:
    kind = task.params["file_type"]
    if kind != "any" and (kind == "directory") != stat.is_dir:
        return False
    if age is not None:
        stamp = stat.created if task.params["age_stamp"] == "ctime" else stat.modified
        seconds = (task.host.clock() - stamp).total_seconds()
        if (seconds < age) if age >= 0 else (seconds > -age):
            return False
    if size is not None and ((stat.size < size) if size >= 0 else (stat.size > -size)):
        return False
    patterns = task.params["patterns"]
    if not patterns:
        return True
    if task.params["use_regex"]:
        flags = 0 if task.params["case_sensitive"] else re.IGNORECASE
        return any(re.search(pattern, stat.name, flags) for pattern in patterns)
    return any(fnmatch.fnmatchcase(stat.name.lower(), pattern.lower()) for pattern in patterns)


def _describe(task: Task, path: str, stat: Stat) -> dict[str, Any]:
    entry = {
        "checksum": None,
        "extension": None,
        "sharename": None,
        "size": None,
        "lnk_source": None,
        "lnk_target": None,
        **stat_result(task, path, stat),
    }
    if not stat.is_dir:
        entry.update(extension=ntpath.splitext(path)[1], size=stat.size)
        if task.params["get_checksum"]:
            entry["checksum"] = checksum(task, path, task.params["checksum_algorithm"])
    return entry


def _amount(task: Task, option: str, units: dict[str, int]) -> int | None:
    given = task.params[option]
    if given is None:
        return None
    match = re.fullmatch(rf"(-?\d+)([{''.join(units)}])?", str(given).lower())
    if not match:
        task.fail(f"Invalid {option} pattern specified")
    return int(match[1]) * units[match[2] or next(iter(units))]
