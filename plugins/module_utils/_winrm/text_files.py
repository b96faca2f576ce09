# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of text_file: small text files of a folder, each there whole or not at all, in one session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
    texts = {join(folder, _file_name(entry["name"])): _Text.of(entry) for entry in params["files"]}
    with files.share(folder, user=params["share_user"], password=params["share_password"]):
        states = files.stat(folder, *texts)
        written = []
        if not states[0].exists:
            files.make_folder(folder)
        for (path, text), state in zip(texts.items(), states[1:], strict=True):
            if not (state.exists and text.may_have(state.size) and _read(files, path) == text.lines):
                files.write_lines(path, text.lines, utf16=text.utf16)
                written.append(path)
    return {"changed": bool(written), "written": written}


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
