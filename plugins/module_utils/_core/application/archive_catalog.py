# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder of archives: their names, which of them are whole, which one to take, which to remove."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ..errors import RecoveryError
from ..retention_rules import Rules, kept
from ..times import STAMP, to_stamp
from ..windows_files import FolderEntry
from .archive_entries import name_key
from .archive_manifest import Manifest

__all__ = [
    "ArchiveCatalog",
    "StoredArchive",
    "abandoned",
    "archive_label",
    "archive_name",
    "folder_label",
    "is_archive_name",
    "manifest_name",
    "newest",
    "partial_name",
    "read_store",
    "removable",
    "restore_order",
    "stale_leftovers",
]

_PARTIAL = re.compile(r"(?P<plain>.+?\.zip(?:\.manifest\.jsonl)?)(?:\.(?P<owner>[^.]+))?\.partial", re.IGNORECASE)
_STAMP = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"(?P<label>.+)_(?P<stamp>\d{8}T\d{6}Z)(?:-(?P<number>\d+))?\.zip", re.IGNORECASE)
_ABANDONED_AFTER = dt.timedelta(days=1)
"""What is not whole may be another run's that is about to end; after this time it is not."""


@dataclass(frozen=True, kw_only=True)
class StoredArchive:
    """One archive of ours by its name; moment: when it was begun, number: which one of that second.

    manifest: what lies beside it, if that can be read. problem: why it does not count, empty when it does. unfinished:
    it has no manifest. stray: the manifest beside it is another archive's.
    """

    name: str
    moment: dt.datetime
    size: int
    number: int = 1
    manifest: Manifest | None = None
    problem: str = ""
    unfinished: bool = False
    stray: bool = False

    @property
    def age(self) -> tuple[dt.datetime, int]:
        """Greater for a newer one."""
        return self.moment, self.number

    @property
    def complete(self) -> bool:
        return self.manifest is not None and not self.problem

    @property
    def state(self) -> str:
        """whole, unpaired (it and no manifest belong together), or damaged."""
        if self.complete:
            return "whole"
        return "unpaired" if self.unfinished or self.stray else "damaged"

    @property
    def unhealthy(self) -> bool:
        """It was taken while the application did not answer. Nobody having looked is no reason to think so."""
        return self.manifest is not None and self.manifest.healthy is False

    def described_by(self, manifest: Manifest) -> StoredArchive:
        """The archive with the manifest that lies beside it, and with what does not fit."""
        if name_key(manifest.archive_name) != name_key(self.name):
            named = manifest.archive_name or "of none"
            return replace(
                self, manifest=manifest, stray=True, problem=f"has the manifest of another archive beside it ({named})"
            )
        if manifest.archive_size != self.size:
            return replace(
                self, manifest=manifest, problem=f"has {self.size} bytes, but its manifest says {manifest.archive_size}"
            )
        return replace(self, manifest=manifest)


@dataclass(frozen=True, kw_only=True)
class ArchiveCatalog:
    """What a folder holds of one application: archives, newest first, and what interrupted runs left, or runs of this
    moment have not finished.

    orphans: those of the leftovers that are whole manifests, whose archives are gone.
    """

    archives: tuple[StoredArchive, ...]
    leftovers: tuple[str, ...]
    orphans: tuple[str, ...] = ()


def folder_label(path: str) -> str:
    """The part of an archive's name that says which folder it is of: the folder's own name."""
    name = re.split(r"[\\/]", path.rstrip("\\/"))[-1]
    label = re.sub(r'[<>:"/\\|?*\x00-\x1f]', "_", name).strip(" .")
    if not label:
        raise RecoveryError(
            f"{path} is no folder that could be archived",
            code="option_invalid",
            advice="Give the application's folder, not a drive",
        )
    return label


def archive_name(*, label: str, moment: dt.datetime, taken: Iterable[str] = ()) -> str:
    """moment: aware; the name says it in UTC, and a number follows where that name is taken."""
    stem = f"{label}_{to_stamp(moment)}"
    used = {name_key(_plain(name)) for name in taken}
    candidate, number = f"{stem}.zip", 1
    while name_key(candidate) in used:
        number += 1
        candidate = f"{stem}-{number}.zip"
    return candidate


def archive_label(name: str) -> str:
    """The label in an archive's name; empty where app_backup gives no such names."""
    match = _NAME.fullmatch(name)
    return match["label"] if match else ""


def is_archive_name(name: str) -> bool:
    """Whether app_backup gives such names."""
    return _NAME.fullmatch(name) is not None


def manifest_name(archive: str) -> str:
    return f"{archive}.manifest.jsonl"


def partial_name(archive: str, *, owner: str) -> str:
    """What an archive is called until it is whole. owner: the host that writes it, for others write there as well."""
    return f"{archive}.{re.sub(r'[^A-Za-z0-9_-]', '_', owner)}.partial"


def _plain(name: str) -> str:
    """The name that something which is not whole is to have one day."""
    match = _PARTIAL.fullmatch(name)
    return match["plain"] if match else name


def read_store(listing: Sequence[FolderEntry], *, label: str) -> ArchiveCatalog:
    """listing: the folder's own files. No manifest has been read yet; which archives have one beside them is known."""
    names = {name_key(entry.name) for entry in listing if not entry.folder}
    archives, leftovers, orphans = [], [], []
    for entry in listing:
        if entry.folder:
            continue
        plain = _plain(entry.name)
        match = _NAME.fullmatch(plain.removesuffix(".manifest.jsonl"))
        if not match or name_key(match["label"]) != name_key(label):
            continue
        if plain != entry.name:
            leftovers.append(entry.name)
        elif plain.endswith(".manifest.jsonl"):
            if name_key(plain.removesuffix(".manifest.jsonl")) not in names:
                leftovers.append(entry.name)
                orphans.append(entry.name)
        else:
            has_manifest = name_key(manifest_name(entry.name)) in names
            archives.append(
                StoredArchive(
                    name=entry.name,
                    moment=dt.datetime.strptime(match["stamp"], STAMP).replace(tzinfo=dt.timezone.utc),
                    size=entry.size,
                    number=int(match["number"] or 1),
                    unfinished=not has_manifest,
                    problem="" if has_manifest else "has no manifest beside it: the run that wrote it did not end",
                )
            )
    archives.sort(key=lambda archive: archive.age, reverse=True)
    return ArchiveCatalog(archives=tuple(archives), leftovers=tuple(sorted(leftovers)), orphans=tuple(sorted(orphans)))


def newest(archives: Iterable[StoredArchive], *, until: dt.datetime | None = None) -> StoredArchive | None:
    """The newest whole one, or the newest that was begun at `until` at the latest."""
    whole = [archive for archive in archives if archive.complete and (until is None or archive.moment <= until)]
    return max(whole, key=lambda archive: archive.age, default=None)


def restore_order(archives: Iterable[StoredArchive], *, until: dt.datetime | None = None) -> list[StoredArchive]:
    """The order in which archives are tried: newest first, and those of an application that did not answer only after
    all others.

    until: aware; nothing that was begun later.
    """
    fitting = [archive for archive in archives if until is None or archive.moment <= until]
    return sorted(fitting, key=lambda archive: (not archive.unhealthy, archive.age), reverse=True)


def removable(archives: Iterable[StoredArchive], rules: Rules, *, now: dt.datetime) -> list[StoredArchive]:
    """What retention takes away, oldest first: whole archives that no rule keeps, and what nobody completes any more.

    Whatever the rules say, the newest whole archive stays, and the newest one of an application that answered.
    """
    ordered = sorted(archives, key=lambda archive: archive.age)
    complete = [archive for archive in ordered if archive.complete]
    whole = [archive for archive in complete if archive.moment <= now]
    healthy = [archive for archive in whole if not archive.unhealthy]
    by_rule = kept(complete, rules, now=now, when=lambda archive: archive.moment)
    staying = {archive.name for archive in (*whole[-1:], *healthy[-1:], *(entry.item for entry in by_rule))}
    surplus = [archive for archive in complete if archive.name not in staying]
    return sorted([*surplus, *(abandoned(ordered, now=now) if whole else [])], key=lambda archive: archive.age)


def stale_leftovers(store: ArchiveCatalog, *, owner: str, now: dt.datetime) -> list[str]:
    """The leftovers that nobody writes any more: manifests of no archive, what an earlier run of this host left, and
    what has been there for long.
    """
    gone = list(store.orphans)
    for name in store.leftovers:
        result, named = _PARTIAL.fullmatch(name), _NAME.fullmatch(_plain(name).removesuffix(".manifest.jsonl"))
        if not result or not named:
            continue
        own = name_key(name) == name_key(partial_name(result["plain"], owner=owner))
        begun = dt.datetime.strptime(named["stamp"], _STAMP).replace(tzinfo=dt.timezone.utc)
        if own or now - begun > _ABANDONED_AFTER:
            gone.append(name)
    return gone


def abandoned(archives: Iterable[StoredArchive], *, now: dt.datetime) -> list[StoredArchive]:
    """What has no manifest, and will not get one any more."""
    return [archive for archive in archives if archive.unfinished and now - archive.moment > _ABANDONED_AFTER]
