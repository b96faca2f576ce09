# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows paths, checked, put together and taken apart on a machine that is none."""

from __future__ import annotations

import ntpath
import re

from .errors import RecoveryError

__all__ = [
    "FORBIDDEN_IN_NAMES",
    "base_name",
    "check_folder",
    "device_path",
    "full_path",
    "is_full_path",
    "join",
    "lies_in",
    "parent",
    "safe_name",
    "same_folder",
    "server_asked",
    "server_of",
    "share_root",
]

FORBIDDEN_IN_NAMES = re.compile(r'[<>:"/\\|?*\x00-\x1f]')
"""Characters that no name of a file on Windows holds."""

LONGEST_PATH = 259
"""Characters; SQL Server takes no longer path of a backup device."""

_DRIVE = re.compile(r"[A-Za-z]:\\")
_SHARE = re.compile(r"(\\\\[^\\?.][^\\]*\\[^\\]+)(\\.*)?")


def full_path(path: str, *, option: str) -> str:
    """The path in its usual form. Raises RecoveryError when it is neither local and absolute nor a share's."""
    plain = ntpath.normpath(path.strip().replace("/", "\\"))
    if not (_DRIVE.match(plain) or _SHARE.fullmatch(plain)):
        raise RecoveryError(
            f"{option} is '{path}', which is no full path on Windows",
            code="option_invalid",
            advice="Give a path with a drive (C:\\folder) or of a share (\\\\server\\share\\folder)",
        )
    return plain


def is_full_path(path: str) -> bool:
    """Whether a path begins with a drive, a share, or (on Linux) at the root."""
    return re.match(r"[A-Za-z]:($|[\\/])|\\\\|/", path) is not None


def check_folder(folder: str) -> None:
    """Raises RecoveryError for a folder that Windows cannot have, before anything is written that would have to be
    brought there.
    """
    if not is_full_path(folder):
        raise RecoveryError(
            f"'{folder}' is no full path, and what it is below depends on who looks",
            code="option_invalid",
            advice="Begin it with a drive or a share",
        )
    parts = folder.replace("/", "\\").removeprefix("\\\\?\\").split("\\")
    if any(part[-1:] in (" ", ".") and part.strip(".") for part in parts):
        raise RecoveryError(
            f"'{folder}' is no path on Windows, which leaves out a blank or a dot at the end of a folder's name",
            code="option_invalid",
            advice="Choose another",
        )
    if not folder.startswith("/") and any(map(FORBIDDEN_IN_NAMES.search, parts[1:] if parts[0][1:] == ":" else parts)):
        raise RecoveryError(
            f"'{folder}' is no path on Windows",
            code="option_invalid",
            advice='The name of a folder must not contain any of < > : " / \\ | ? *',
        )


def share_root(path: str) -> str | None:
    """\\\\server\\share of a path on a share, None for a local path."""
    match = _SHARE.fullmatch(path)
    return match[1] if match else None


def server_of(path: str) -> str:
    """\\\\server of a path on a share."""
    return "\\\\" + path.lstrip("\\").partition("\\")[0]


def server_asked(path: str) -> str | None:
    """Which file server a path that anybody may have written leads to, \\\\server in lower case: None for a local path,
    "" for what is no usual path.
    """
    plain = ntpath.normpath(path.strip().replace("/", "\\"))
    if _DRIVE.match(plain):
        return None
    return server_of(plain).lower() if _SHARE.fullmatch(plain) else ""


def join(folder: str, *names: str) -> str:
    return ntpath.join(folder, *names)


def device_path(folder: str, name: str) -> str:
    """The file of a backup device. Raises RecoveryError for a path longer than SQL Server takes.

    folder: of Windows, or, where SQL Server runs on Linux, one that begins with a slash.
    """
    separator = "/" if folder.startswith("/") else "\\"
    path = f"{folder.rstrip(separator)}{separator}{name}"
    if len(path) > LONGEST_PATH:
        raise RecoveryError(
            f"The path {path} has {len(path)} characters, more than the {LONGEST_PATH} that SQL Server takes",
            code="option_invalid",
            advice="Choose a shorter folder or template",
        )
    return path


def lies_in(path: str, folder: str) -> bool:
    """Whether a path, which anybody may have written, leads to something below a folder, and nowhere else."""
    return ntpath.normpath(path).lower().startswith(ntpath.normpath(folder).lower().rstrip("\\") + "\\")


def same_folder(left: str, right: str) -> bool:
    """Whether two paths name one folder, however they are written."""
    return left.rstrip("\\").lower() == right.rstrip("\\").lower()


def parent(path: str) -> str:
    """The folder that a path lies in."""
    folder = ntpath.dirname(path)
    return folder if _DRIVE.fullmatch(folder) else folder.rstrip("\\")


def base_name(path: str) -> str:
    """The last part of a path."""
    return ntpath.basename(path)


def safe_name(text: str) -> str:
    """A text as a part of a file's name."""
    return FORBIDDEN_IN_NAMES.sub("_", text)
