"""community.windows.win_unzip."""

from __future__ import annotations

import ntpath
import zipfile
from typing import Any

from ..errors import WinError
from ..languages import calling
from ..models import Task, module
from ..scripts.verb_files import is_named_in_utf_8

__all__: list[str] = []


@module("community.windows.win_unzip")
def win_unzip(task: Task) -> dict[str, Any]:
    params, files = task.params, task.files
    source, target = task.expand(params["src"]), task.expand(params["dest"])
    # As the real module writes it: its pattern '\$' takes dollar signs away.
    result: dict[str, Any] = {
        "changed": False,
        "dest": target.replace("$", ""),
        "removed": False,
        "src": source.replace("$", ""),
    }
    if params["creates"] and files.exists(task.expand(params["creates"])):
        return {**result, "skipped": True, "msg": f"The file or directory '{params['creates']}' already exists."}
    if not files.exists(source):
        task.fail(f"File '{source}' does not exist.", **result)
    try:
        if not files.is_dir(target) and not task.check_mode:
            files.make_dir(target)
    except WinError as error:
        task.fail(f"Error creating '{target}' directory! Msg: {error.dotnet}", **result)
    if ntpath.splitext(source)[1].lower() != ".zip" or params["recurse"] or params["password"]:
        task.fail(
            "PowerShellCommunityExtensions PowerShell Module (PSCX) is required for non-'.zip' compressed archive "
            "types.",
            **result,
        )
    try:
        _expand(task, source, target, result)
    except (WinError, zipfile.BadZipFile) as error:
        if isinstance(error, zipfile.BadZipFile) and _has_an_end(task, source):
            return result  # PowerShell takes the list of entries that cannot be read for an empty one
        text = error.dotnet if isinstance(error, WinError) else "End of Central Directory record could not be found."
        text = calling("Open", 3, text)
        task.fail(
            f"Error unzipping '{source}' to '{target}'!. Method: System.IO.Compression.ZipFile, Exception: {text}",
            **result,
        )
    if params["delete_archive"]:
        if not task.check_mode:
            files.remove(source)
        result["removed"] = True
    return result


def _expand(task: Task, source: str, target: str, result: dict[str, Any]) -> None:
    """Entry after entry: what was written before one that is refused stays, and is told."""
    files = task.files
    with files.open(source, "rb") as stream, zipfile.ZipFile(stream) as archive:
        for entry in archive.infolist():
            if not is_named_in_utf_8(entry) and not entry.orig_filename.isascii():
                task.host.record.unmodelled(task.host.name, "module win_unzip: a name in a code page", source)
                task.fail("The lab does not know which code page Windows takes for names in a ZIP archive")
            relative = entry.filename.replace("/", "\\")
            path = ntpath.normpath(ntpath.join(target, relative))
            if not (path.lower() + "\\").startswith(ntpath.normpath(target).lower() + "\\"):
                task.fail(
                    f"Error unzipping '{source}' to '{target}'! Filename contains relative paths which would "
                    f"extract outside the destination: {ntpath.join(target, entry.filename)}",
                    **result,
                )
            result["changed"] = True
            if task.check_mode:
                continue
            files.make_dir(path if entry.is_dir() else ntpath.dirname(path))
            if not entry.is_dir():
                files.write(path, archive.read(entry))


def _has_an_end(task: Task, source: str) -> bool:
    return b"PK\x05\x06" in task.files.read(source)[-65557:]
