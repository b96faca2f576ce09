# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows paths, put together and taken apart on a machine that is none."""

from __future__ import annotations

import ntpath
import re

from ..._core.errors import RecoveryError

__all__ = ["base_name", "full_path", "join", "lies_in", "parent", "server_asked", "server_of", "share_root"]

_DRIVE = re.compile(r"[A-Za-z]:\\")
_SHARE = re.compile(r"(\\\\[^\\?.][^\\]*\\[^\\]+)(\\.*)?")


def full_path(path: str, *, option: str) -> str:
    """The path in its usual form. Raises RecoveryError when it is neither local and absolute nor a share's."""
    plain = ntpath.normpath(path.strip().replace("/", "\\"))
    if not (_DRIVE.match(plain) or _SHARE.fullmatch(plain)):
        raise RecoveryError(
            f"{option} is '{path}', which is no full path on Windows",
            advice="Give a path with a drive (C:\\folder) or of a share (\\\\server\\share\\folder)",
        )
    return plain


def share_root(path: str) -> str | None:
    """\\\\server\\share of a path on a share, None for a local path."""
    found = _SHARE.fullmatch(path)
    return found[1] if found else None


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


def lies_in(path: str, folder: str) -> bool:
    """Whether a path, which anybody may have written, leads to something below a folder, and nowhere else."""
    return ntpath.normpath(path).lower().startswith(ntpath.normpath(folder).lower().rstrip("\\") + "\\")


def parent(path: str) -> str:
    return ntpath.dirname(path)


def base_name(path: str) -> str:
    return ntpath.basename(path)
