# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text of one byte a character: its code page follows from the collation of the column.

The sort id of an SQL_ collation (the top byte) decides where there is one, else the language (the low byte, in the
order of Windows' LCIDs). Only those that occurred in 337 real files are proven; the others follow from the list.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable

__all__ = ["code_page", "text_decoder"]

_LANGUAGES = {
    0x01: 1256, 0x02: 1251, 0x03: 950, 0x04: 1250, 0x05: 1252, 0x06: 1252, 0x07: 1253, 0x08: 1252, 0x09: 1252,
    0x0A: 1252, 0x0B: 1252, 0x0C: 1255, 0x0D: 1250, 0x0E: 1252, 0x0F: 1252, 0x10: 932, 0x11: 949, 0x12: 1252,
    0x13: 1250, 0x14: 1250, 0x15: 1251, 0x16: 1250, 0x17: 1252, 0x18: 1250, 0x19: 874, 0x1A: 1254, 0x1B: 1251,
    0x1C: 1250, 0x1D: 1257, 0x1E: 1257, 0x1F: 1257, 0x20: 1258, 0x21: 1251, 0x24: 936, 0x28: 1252,
}  # fmt: skip
_SORT_IDS = (
    (range(30, 36), 437), (range(40, 46), 850), (range(50, 55), 1252), (range(55, 62), 850), (range(80, 97), 1250),
    (range(105, 107), 1251), (range(113, 115), 1253), (range(128, 131), 1254), (range(136, 138), 1255),
    (range(144, 146), 1256), (range(152, 154), 1257), (range(183, 187), 1252),
)  # fmt: skip
_USUAL = 1252


def code_page(collation: int) -> str:
    """Python's name of the code page of a collation id."""
    sort_id = collation >> 24
    if sort_id:
        number = next((page for ids, page in _SORT_IDS if sort_id in ids), _USUAL)
    else:
        number = _LANGUAGES.get(collation & 0xFF, _USUAL)
    return f"cp{number}"


def text_decoder(collation: int) -> Callable[[bytes], str]:
    """Bytes without a meaning in the code page keep their number, as on Windows, where Python's codecs refuse them."""
    decode = codecs.getdecoder(code_page(collation))

    def decoded(value: bytes) -> str:
        try:
            return decode(value)[0]
        except UnicodeDecodeError:
            return decode(value, "prs_recovery_same_number")[0]

    return decoded


def _same_number(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(map(chr, error.object[error.start : error.end])), error.end


codecs.register_error("prs_recovery_same_number", _same_number)
