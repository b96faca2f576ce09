# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a file is that is no backup of SQL Server, as far as its first bytes tell."""

from __future__ import annotations

import re
from codecs import BOM_UTF16_LE

from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.errors import Foreign, NotABackup

__all__ = ["named_after", "not_a_backup"]

_KNOWN = (
    (b"PK\x03\x04", "a ZIP archive; unpack it first"),
    (b"\x1f\x8b", "packed by gzip; unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive; unpack it first"),
    (b"Rar!", "a RAR archive; unpack it first"),
    (b"version https://git-lfs", "a pointer of Git LFS, not the file itself"),
    (b"\x01\x0f\x00\x00", "a data file of SQL Server (.mdf, .ldf), not a backup; attach it, or restore a backup"),
)


_LOOKED_AT = 1024
_PRINTED = re.compile(rb"[^\x00-\x08\x0b\x0e-\x1f\x7f]*", re.DOTALL).fullmatch
"""Bytes of a text, whatever its code page."""


def named_after(path: str) -> str:
    """Whose backup a file is by its name, as a clause; nothing where that tells nothing.

    How files of other programs begin is documented by none of them: SQL Backup (Red Gate) names its own .sqb, those of
    LiteSpeed (Quest) are named as those of SQL Server are.
    """
    if path.lower().endswith(".sqb"):
        return (
            "it is no backup that SQL Server made: by its name it is one of SQL Backup (Red Gate), which alone reads it"
        )
    return ""


def not_a_backup(start: bytes) -> NotABackup:
    """Why a file is none that begins with these bytes."""
    words = _what_it_is(start)
    if words:
        return Foreign(words)
    return NotABackup(
        "it is no backup that SQL Server made: it begins with neither TAPE nor MSSQLBAK. Files of LiteSpeed (Quest) "
        "and SQL Backup (Red Gate) are read by these programs alone"
    )


def _what_it_is(start: bytes) -> str:
    """A clause; nothing where it is not recognized, so that SQL Server might read it all the same."""
    if not start:
        return "it is empty"
    if not any(start):
        return "it begins with nothing but zeros: it is no backup, or is only beginning to be written"
    for signature, words in _KNOWN:
        if start.startswith(signature):
            return f"it is {words}"
    if _is_text(start[:_LOOKED_AT]):
        return "it is text: it begins with neither TAPE nor MSSQLBAK"
    return ""


def _is_text(start: bytes) -> bool:
    if start.startswith(BOM_UTF16_LE):
        text = start.decode("utf-16", "replace")
        return "\ufffd" not in text and _PRINTED(text.encode()) is not None
    return _PRINTED(start) is not None
