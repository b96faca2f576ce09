# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which names of a ZIP archive may become files of a Windows server, and which archives are refused for what they hold.

Names are relative, with / between their parts, as a ZIP archive has them; a name that ends in / is a folder. Names that
differ in case alone are one name to Windows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

__all__ = [
    "AcceptedEntry",
    "ArchiveEntry",
    "Limits",
    "ReadEntry",
    "Refusal",
    "Screened",
    "name_key",
    "name_problem",
    "screen_entries",
]

_FORBIDDEN = re.compile(r'[<>"|?*\x00-\x1f\x7f]')
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(\s*\.[^/]*)?", re.IGNORECASE)
_DRIVE = re.compile(r"[A-Za-z]:")
_LONGEST_PART = 255
_LONGEST_NAME = 32_000
_UNIX_KIND, _UNIX_LINK, _UNIX_FILE, _UNIX_FOLDER = 0o170000, 0o120000, 0o100000, 0o040000
_REPARSE_POINT = 0x400
_METHODS = {12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "XZ", 98: "PPMd"}  # PKWARE's APPNOTE, 4.4.5
_METHODS_OF_WINDOWS = (0, 8, 9)
_UNREADABLE = "\ufffd"


@dataclass(frozen=True, kw_only=True)
class ArchiveEntry:
    """An entry as the archive has it; size and packed in bytes, attributes the external ones (0 when unknown)."""

    index: int
    name: str
    size: int
    packed: int
    attributes: int = 0


@dataclass(frozen=True, kw_only=True)
class ReadEntry(ArchiveEntry):
    """An entry that was read to its end. sha256: None when it could not be. intact: whether its checksum is the one
    that the archive says. method: PKWARE's number of how it is packed. Both method and encrypted are None where the
    host does not tell them. held: how many bytes there were, where they were not as many as the size says.
    """

    sha256: str | None
    intact: bool
    method: int | None = None
    encrypted: bool | None = None
    held: int | None = None

    @property
    def problem(self) -> str | None:
        """Why its content cannot be had; None when it was read and is what was packed."""
        if self.encrypted:
            return "is encrypted"
        if self.held is not None:
            return f"holds {self.held} bytes, and not the {self.size} that the archive says"
        if self.intact:
            return None
        if self.sha256 is None and self.method not in (None, *_METHODS_OF_WINDOWS):
            return f"is packed by {_METHODS.get(self.method, f'method {self.method}')}, which Windows does not unpack"
        if self.sha256 is None:
            return "cannot be unpacked: it is damaged"
        return "is damaged: its checksum is not the one that the archive says"


@dataclass(frozen=True, kw_only=True)
class AcceptedEntry:
    """An entry that may be written, under this name."""

    index: int
    name: str
    size: int
    folder: bool


@dataclass(frozen=True)
class Refusal:
    """An entry's name and what is wrong with it."""

    name: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What no honest archive of an application exceeds. ratio: unpacked to packed bytes; it counts from ratio_from
    bytes on.
    """

    ratio: int = 250
    ratio_from: int = 16 << 20
    entries: int = 2_000_000


@dataclass(frozen=True, kw_only=True)
class Screened:
    """What may be written and what was refused; an archive with a refusal is not unpacked at all."""

    accepted: tuple[AcceptedEntry, ...]
    refused: tuple[Refusal, ...]

    @property
    def bytes(self) -> int:
        return sum(entry.size for entry in self.accepted)


def name_key(name: str) -> str:
    """Equal for names that Windows takes for one: it folds character by character, so that no character becomes two."""
    if name.isascii():
        return name.upper()
    return "".join(upper if len(upper := character.upper()) == 1 else character for character in name)


def name_problem(name: str) -> str | None:
    """What keeps a name from being a file below the folder that it is meant for; None when nothing does."""
    plain = name.replace("\\", "/")
    if not plain.strip("/"):
        return "has no name"
    if plain.startswith("/") or _DRIVE.match(plain):
        return "is an absolute path"
    parts = plain.removesuffix("/").split("/")
    if ".." in parts:
        return "climbs out of the folder"
    if len(plain) > _LONGEST_NAME or any(
        len(part.encode("utf-16-le", "surrogatepass")) > 2 * _LONGEST_PART for part in parts
    ):
        return "is too long"
    for part in parts:
        if part in ("", "."):
            return "has an empty part"
        if ":" in part:
            return "names a stream of a file"
        if _FORBIDDEN.search(part):
            return "has a character that Windows does not allow"
        if part[-1] in " .":
            return "ends in a dot or a space, which Windows drops"
        if _RESERVED.fullmatch(part):
            return "is the name of a device"
        if any("\ud800" <= character <= "\udfff" for character in part):
            return "is no valid Unicode"
    return None


def screen_entries(
    entries: Iterable[ArchiveEntry], *, vouched: Mapping[str, int] | None = None, limits: Limits = Limits()
) -> Screened:
    """Decide entry by entry. vouched: size by name_key of what a verified manifest names; those may be packed as
    tightly as they are.
    """
    vouched = vouched or {}
    accepted: list[AcceptedEntry] = []
    refused: list[Refusal] = []
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    for entry in entries:
        name = entry.name.replace("\\", "/")
        reason = (
            name_problem(name)
            or _text_problem(name, vouched=vouched)
            or _kind_problem(entry)
            or _size_problem(entry, vouched=vouched, limits=limits)
        )
        folder = name.endswith("/")
        name = name.removesuffix("/")
        if not reason and not folder:
            reason = _clash(name, files, folders)
        elif not reason and name_key(name) in files:
            reason = f"is a folder where {files[name_key(name)]} is a file"
        if not reason:
            reason = next((f"lies below {files[key]}, which is a file" for key in _parents(name) if key in files), None)
        if reason:
            refused.append(Refusal(entry.name, reason))
            continue
        for key in _parents(name):
            folders.setdefault(key, name)
        (folders if folder else files)[name_key(name)] = name
        accepted.append(AcceptedEntry(index=entry.index, name=name, size=entry.size, folder=folder))
        if len(accepted) > limits.entries:
            refused.append(Refusal(entry.name, f"is more than the {limits.entries} entries that are allowed"))
            break
    return Screened(accepted=tuple(accepted), refused=tuple(refused))


def _clash(name: str, files: Mapping[str, str], folders: Mapping[str, str]) -> str | None:
    key = name_key(name)
    if key in files:
        return "is there twice" if files[key] == name else f"is the same name as {files[key]} to Windows"
    if key in folders:
        return f"is a file where {folders[key]} needs a folder"
    return None


def _parents(name: str) -> list[str]:
    parts = name_key(name).split("/")
    return ["/".join(parts[:length]) for length in range(1, len(parts))]


def _text_problem(name: str, *, vouched: Mapping[str, int]) -> str | None:
    """A name that is no UTF-8 is in a code page that the archive does not name: it would get other letters."""
    if _UNREADABLE in name and name_key(name) not in vouched:
        return "has letters in a code page that the archive does not name"
    return None


def _kind_problem(entry: ArchiveEntry) -> str | None:
    kind = (entry.attributes >> 16) & _UNIX_KIND
    if kind == _UNIX_LINK or entry.attributes & _REPARSE_POINT:
        return "is a link"
    if kind not in (0, _UNIX_FILE, _UNIX_FOLDER):
        return "is neither a file nor a folder"
    return None


def _size_problem(entry: ArchiveEntry, *, vouched: Mapping[str, int], limits: Limits) -> str | None:
    if entry.size < limits.ratio_from or vouched.get(name_key(entry.name.replace("\\", "/"))) == entry.size:
        return None
    if entry.size > limits.ratio * max(entry.packed, 1):
        return f"would grow from {entry.packed} to {entry.size} bytes, which no file of an application does"
    return None
