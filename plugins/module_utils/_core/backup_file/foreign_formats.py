# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a file is that is no backup of SQL Server, as far as its first bytes tell."""

from __future__ import annotations

__all__ = ["what_it_is"]

_KNOWN = (
    (b"PK\x03\x04", "a ZIP archive; unpack it first"),
    (b"\x1f\x8b", "packed by gzip; unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive; unpack it first"),
    (b"Rar!", "a RAR archive; unpack it first"),
    (b"version https://git-lfs", "a pointer of Git LFS, not the file itself"),
    (b"\x01\x0f\x00\x00", "a data file of SQL Server (.mdf, .ldf), not a backup; attach it, or restore a backup"),
)


def what_it_is(start: bytes) -> str:
    """A clause about a file that begins with these bytes."""
    if not start:
        return "it is empty"
    if not any(start):
        return "it begins with nothing but zeros: it is no backup, or is only beginning to be written"
    for signature, words in _KNOWN:
        if start.startswith(signature):
            return f"it is {words}"
    return (
        "it is no backup that SQL Server made: it begins with neither TAPE nor MSSQLBAK. Files of LiteSpeed (Quest) "
        "and SQL Backup (Red Gate) are read by these programs alone"
    )
