# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of text_file: small text files of a folder, each there whole or not at all, in one session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._core.errors import RecoveryError
from .._core.windows_paths import full_path, join
from .connection.errors import WindowsFault
from .host.files import WindowsFiles

__all__ = ["write_text_files"]

_FORBIDDEN = frozenset('\\/:*?"<>|')


def write_text_files(files: WindowsFiles, params: Mapping[str, Any]) -> dict[str, Any]:
    """What the task returns. Raises RecoveryError."""
    folder = full_path(params["path"], option="path")
    contents = {_file_name(entry["name"]): entry["content"] or "" for entry in params["files"]}
    with files.share(folder, user=params["share_user"], password=params["share_password"]):
        paths = {join(folder, name): content.splitlines() for name, content in contents.items()}
        states = files.stat(folder, *paths)
        written = []
        if not states[0].exists:
            files.make_folder(folder)
        for (path, lines), state in zip(paths.items(), states[1:], strict=True):
            if not state.exists or _read(files, path) != lines:
                files.write_lines(path, lines)
                written.append(path)
    return {"changed": bool(written), "written": written}


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
