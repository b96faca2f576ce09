"""Collations as the bits that a backup's records hold."""

from __future__ import annotations

import re

__all__ = ["collation_bits", "collation_of"]

_LOCALES = {
    "Latin1_General": 0x409, "French": 0x40C, "German_PhoneBook": 0x10407, "Modern_Spanish": 0xC0A, "Polish": 0x415,
    "Czech": 0x405, "Danish_Norwegian": 0x406, "Finnish_Swedish": 0x40B, "Turkish": 0x41F, "Cyrillic_General": 0x419,
    "Greek": 0x408, "Hungarian": 0x40E, "Japanese": 0x411,
}  # fmt: skip
_SORT_IDS = {"CP1_CS_AS": 51, "CP1_CI_AS": 52, "CP1_CI_AI": 54, "CP850_CI_AS": 42, "CP437_CI_AS": 32}
_VERSIONS = {"": 0, "_90": 1, "_100": 2, "_140": 3}
_BITS = {"_CI": 20, "_AI": 21, "_BIN": 24, "_BIN2": 25, "_UTF8": 26}
_IGNORED_UNLESS_SAID = {"_WS": 22, "_KS": 23}
UNKNOWN = 0xFFFFF
"""A locale that there is not, for collations whose bits are not known here."""


def collation_bits(name: str | None) -> tuple[int, int]:
    """The word of bits and the sort id, which is 0 but for SQL Server's own collations."""
    if name is None:
        return 0, 0
    own = re.fullmatch(r"SQL_Latin1_General_(.*)", name)
    if own:
        sort_id = _SORT_IDS.get(own[1], 0)
        bits = 0x409 | sum(1 << bit for part, bit in _BITS.items() if part in name) | 3 << 22
        return (bits, sort_id) if sort_id else (UNKNOWN, 0)
    parts = re.fullmatch(r"(.+?)((?:_90|_100|_140)?)((?:_(?:CI|CS|AI|AS|KS|WS|SC|UTF8|BIN2?))+)", name)
    if parts is None or parts[1] not in _LOCALES or "_SC" in parts[3]:
        return UNKNOWN, 0
    said = re.findall(r"_[A-Z0-9]+", parts[3])
    bits = sum(1 << _BITS[part] for part in said if part in _BITS)
    if not {"_BIN", "_BIN2"} & set(said):
        bits |= sum(1 << bit for part, bit in _IGNORED_UNLESS_SAID.items() if part not in said)
    return _LOCALES[parts[1]] | bits | _VERSIONS[parts[2]] << 28, 0


def collation_of(bits: int, sort_id: int) -> str | None:
    """Its name; None where the tables above do not have it."""
    if sort_id:
        name = next((name for name, number in _SORT_IDS.items() if number == sort_id), None)
        return name and f"SQL_Latin1_General_{name}"
    locale = next((name for name, number in _LOCALES.items() if number == bits & 0xFFFFF), None)
    version = next((name for name, number in _VERSIONS.items() if number == bits >> 28), None)
    if locale is None or version is None:
        return None
    if bits & 3 << 24:
        return f"{locale}{version}{'_BIN2' if bits >> 25 & 1 else '_BIN'}"
    parts = ("_CI" if bits >> 20 & 1 else "_CS", "_AI" if bits >> 21 & 1 else "_AS")
    wide = ("" if bits >> 23 & 1 else "_KS", "" if bits >> 22 & 1 else "_WS", "_UTF8" if bits >> 26 & 1 else "")
    return "".join((locale, version, *parts, *wide))
