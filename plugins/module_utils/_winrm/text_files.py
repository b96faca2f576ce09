# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of text_file: small text files of a folder, each there whole or not at all, in one session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._core.errors import RecoveryError
from .._core.generations import outgrown
from .._core.windows_paths import full_path, join
from .connection.errors import WindowsFault
from .host.files import WindowsFiles

__all__ = ["write_text_files"]

_FORBIDDEN = frozenset('\\/:*?"<>|')


def write_text_files(files: WindowsFiles, params: Mapping[str, Any]) -> dict[str, Any]:
    """What the task returns. Raises RecoveryError. Without files the folder alone is made. keep: how many files stay
    that are like one of these but for their times; 0 for all.
    """
    folder, keep = full_path(params["path"], option="path"), params["keep"]
    if keep < 0:
        raise RecoveryError(f"'{keep}' is no number of files", advice="Give 0 or more in 'keep'", code="option_invalid")
    texts = {_file_name(entry["name"]): _Text.of(entry) for entry in params["files"]}
    with files.share(folder, user=params["share_user"], password=params["share_password"]):
        if not texts:
            return {"changed": _make(files, folder), "written": [], "removed": []}
        there = {entry.name.lower(): entry for entry in files.list_if_there(folder) if not entry.folder}
        written = []
        if not there:
            files.make_folder(folder, ahead=True)
        for name, text in texts.items():
            path, entry = join(folder, name), there.get(name.lower())
            if not (entry and text.may_have(entry.size) and _read(files, path) == text.lines):
                files.write_lines(path, text.lines, utf16=text.utf16)
                written.append(path)
        names = {*(entry.name for entry in there.values()), *texts}
        gone = [join(folder, old) for name in texts if keep for old in outgrown(names, like=name, keep=keep)]
        _remove(files, gone)
    return {"changed": bool(written or gone), "written": written, "removed": gone}


def _make(files: WindowsFiles, folder: str) -> bool:
    """Whether there was none."""
    [state] = files.stat(folder)
    if not state.folder:
        files.make_folder(folder)
    return not state.folder


def _remove(files: WindowsFiles, paths: Sequence[str]) -> None:
    """All in one message. What cannot be removed is no reason to fail: the next run tries again."""
    if not paths:
        return
    for path in paths[:-1]:
        files.discard(path, ahead=True)
    files.discard(paths[-1])


@dataclass(frozen=True)
class _Text:
    """What a file shall hold."""

    lines: list[str]
    utf16: bool

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> _Text:
        return cls(lines=(entry["content"] or "").splitlines(), utf16=entry.get("encoding") == "utf-16")

    def may_have(self, size: int) -> bool:
        """Whether a file of this size may be it. Lines alone do not tell in which encoding they were read."""
        return not self.utf16 or size == len("".join(f"{line}\n" for line in self.lines).encode("utf-16"))


def _file_name(name: str) -> str:
    if not name.strip(". ") or _FORBIDDEN & set(name):
        raise RecoveryError(
            f"'{name}' is no name of a file",
            advice="Give the folder in 'path', and a name without a path in 'files'",
            code="option_invalid",
        )
    return name


def _read(files: WindowsFiles, path: str) -> list[str] | None:
    """The lines of a file; None of one that cannot be read, which is written anew then."""
    try:
        return files.read_lines(path)
    except WindowsFault:
        return None
