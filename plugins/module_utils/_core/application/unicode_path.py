# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The name in UTF-8 that Info-ZIP, WinRAR and 7-Zip write beside one in a code page.

Source: PKWARE's APPNOTE, 4.6.9: Info-ZIP Unicode Path Extra Field (0x7075).
"""

from __future__ import annotations

import struct
import zlib

__all__ = ["unicode_path"]

_TAG = 0x7075
_VERSION = 1
_CHECKSUM_AT, _PATH_AT = 1, 5


def unicode_path(name: bytes, extra: bytes) -> str | None:
    """What an entry is called; None where nothing says so, or it was said of another name than this one.

    name: as its header has it. extra: its extra fields, each a tag, its size (bytes), and what it holds.
    """
    while len(extra) >= 4:
        tag, size = struct.unpack_from("<HH", extra)
        field, extra = extra[4 : 4 + size], extra[4 + size :]
        if tag == _TAG:
            return _path(name, field) if len(field) == size >= _PATH_AT else None
    return None


def _path(name: bytes, field: bytes) -> str | None:
    [checksum] = struct.unpack_from("<L", field, _CHECKSUM_AT)
    if field[0] != _VERSION or checksum != zlib.crc32(name):
        return None
    try:
        return field[_PATH_AT:].decode("utf-8")
    except UnicodeDecodeError:
        return None
