# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the backup files say where no SQL Server can answer: the recovery point, what a restore needs, damage.

They were read by backup_file_info. What it cannot read (encrypted backups) SQL Server may: nothing is refused for that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from ntpath import basename
from typing import Any

from ..backup.backup_set import guid
from ..text import bytes_text, counted
from ..times import parse_stored_time, to_text
from .facts import FAILED, BackupFiles, HostFacts
from .versions import version_numbers

__all__ = ["CHECKS", "backup_build", "contents", "faults", "notes", "recovery_point"]

MOST_FILES = 5
"""Files that are named in the plan; the others are counted."""

_SAME_SECOND = 1.0

_OF_LINK = {
    "kind": "the kind",
    "first_lsn": "FirstLSN",
    "last_lsn": "LastLSN",
    "first_fork": "FirstRecoveryForkID",
    "last_fork": "RecoveryForkID",
    "differential_base_guid": "DifferentialBaseGUID",
}
"""What both say of a backup, and what it is called."""


def recovery_point(facts: HostFacts) -> str:
    """UTC, '' where the files do not say it, or not all of them could be read: then a later one may be reached."""
    files = facts.backup_files.value if facts.backup_files.ok else None
    return files.recovery_point if files and not files.unclear else ""


def backup_build(facts: HostFacts) -> str:
    """Build of the SQL Server that made the backups: what they say themselves goes before a manifest."""
    return (facts.backup_files.value.build if facts.backup_files.ok else "") or facts.chosen.build


# ---- problems


def refused(facts: HostFacts) -> Iterator[str]:
    """Where an instance is there already, what is restored depends on what is in it. A file that we cannot read may be
    one that SQL Server can.
    """
    if not (facts.backup_files.ok and facts.install_sql):
        return
    files = facts.backup_files.value
    if files.refusal and not files.unclear:
        yield f"the backups cannot bring back the database: {files.refusal}"


def too_little_room(facts: HostFacts) -> Iterator[str]:
    """Where the inventory does not say which folders, nobody knows the drives before SQL Server is there.

    The need is known by drive. Where volumes are mounted in folders of it, the files find room in all of them together.
    """
    if not (facts.backup_files.ok and facts.install_sql and all(facts.settings.sql_folders[:2])):
        return
    windows = facts.windows.value
    for drive, needed in facts.backup_files.value.space.items():
        folders = [folder for folder in facts.settings.sql_folders[:2] if folder[:2].upper() == drive.upper()]
        free = {volume: windows.free_on(volume) for volume in sorted({windows.volume_of(folder) for folder in folders})}
        room = sum(filter(None, free.values()))
        if free and None not in free.values() and needed > room:
            yield (
                f"has {bytes_text(room)} free on {' and '.join(free)}, the files of the database need "
                f"{bytes_text(needed)} there. Make room, or name other folders in prs_sql_data_dir and prs_sql_log_dir."
            )


# ---- the plan


def notes(facts: HostFacts) -> Iterator[str]:
    """What the files say, what is wrong with some, and where the manifest says something else."""
    if facts.backup_files.state == FAILED:
        yield f"NOTE: the backups could not be read without a SQL Server: {facts.backup_files.problem}"
    if not facts.backup_files.ok:
        return
    files = facts.backup_files.value
    if files.backups:
        yield contents(files)
    yield from faults(files)
    if files.refusal and (files.unclear or not facts.install_sql):
        yield f"NOTE: what could be read cannot bring back the database: {files.refusal}"
    yield from manifest_lies(facts)


def faults(files: BackupFiles) -> Iterator[str]:
    """What is wrong with some of the files."""
    yield from _limited(f"NOTE: {basename(path)}: {reason}" for path, reason in files.faults)
    yield from _limited(f"NOTE: {basename(path)} is left to SQL Server: {reason}" for path, reason in files.unclear)


def contents(files: BackupFiles) -> str:
    """What the files bring back and need, as a clause."""
    room = " and ".join(f"{bytes_text(size)} on {drive}" for drive, size in files.space.items())
    striped = f", in up to {files.stripes} stripes" if files.stripes > 1 else ""
    return (
        f"the backup files themselves say: recovery point {to_text(parse_stored_time(files.recovery_point))[:19]} UTC, "
        f"{counted(files.backups, 'backup')} of {files.server}{striped}, made by SQL Server {files.build}; "
        f"{bytes_text(files.read_bytes)} to read, room for {room}"
    )


def manifest_lies(facts: HostFacts) -> Iterator[str]:
    """Where both say something, the files are right: nobody writes into them."""
    files, chosen = facts.backup_files.value, facts.chosen
    if not (chosen.label and files.backups) or files.unclear:
        return
    for name, manifest, own in _told_twice(facts):
        yield (
            f"NOTE: the manifest of recovery set {chosen.label} is wrong: it says {name} {manifest}, the backup files "
            f"say {own}"
        )


def _told_twice(facts: HostFacts) -> Iterator[tuple[str, str, str]]:
    files, chosen = facts.backup_files.value, facts.chosen
    if chosen.target == "latest" and chosen.recovery_point and files.finished:
        manifest, own = parse_stored_time(chosen.recovery_point), parse_stored_time(files.finished)
        if abs((manifest - own).total_seconds()) > _SAME_SECOND:
            yield "its last backup ended at", to_text(manifest), to_text(own)
    if chosen.build and files.build and version_numbers(chosen.build)[:3] != version_numbers(files.build)[:3]:
        yield "it was made by SQL Server", chosen.build, files.build
    if chosen.server and files.server and chosen.server.lower() != files.server.lower():
        yield "it was taken on", chosen.server, files.server
    for link in chosen.chain:
        yield from _link_told_twice(link, files.sets)


def _link_told_twice(link: Mapping[str, Any], sets: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """link: a backup of the chain as the manifest tells it. What one of both does not tell is not compared."""
    name = basename(link["files"][0])
    in_file = [entry for entry in sets if any(basename(path).lower() == name.lower() for path in entry["files"])]
    same = [entry for entry in in_file if guid(entry["guid"]) == guid(link["set_guid"])]
    if in_file and not same:
        yield f"{name} holds the set", guid(link["set_guid"]), guid(in_file[0]["guid"])
    for entry in same[:1]:
        for column, words in _OF_LINK.items():
            manifest, own = link.get(column), entry.get(column)
            if manifest and own and str(manifest).lower() != str(own).lower():
                yield f"{words} of {name} is", str(manifest), str(own)


def _limited(sentences: Iterable[str]) -> Iterator[str]:
    every = list(sentences)
    yield from every[:MOST_FILES]
    if len(every) > MOST_FILES:
        yield f"NOTE: and {counted(len(every) - MOST_FILES, 'file')} more; backup_file_info names all"


CHECKS = (refused, too_little_room)
