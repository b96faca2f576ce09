# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Selects the recovery set to restore: one run of recovery_set_info."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from ..._core.errors import RecoveryError
from ..._core.recovery_set.branches import Lineage
from ..._core.recovery_set.completeness import MISSING, incomplete_files
from ..._core.recovery_set.lease import is_lease
from ..._core.recovery_set.recovery_set import RecoverySet, relocated
from ..._core.recovery_set.selection import Choice, choose
from ..._core.times import parse_stored_time, parse_user_time, to_text
from ..._core.windows_paths import full_path
from ..host.files import WindowsFiles
from .repository import RecoverySetRepository

__all__ = ["SelectionRun"]


NEWEST = "newest"
BACKUPS = (".bak", ".dif", ".trn")


class SelectionRun:
    """One run: sets are read once, and only as far as somebody asks."""

    def __init__(self, files: WindowsFiles, params: dict[str, Any]) -> None:
        self.params = params
        self.folders = RecoverySetRepository.from_params(files, params)
        self.folders.others = [full_path(folder, option="other_folders") for folder in params["other_folders"]]
        self.host = files.host
        self.unusable: list[dict[str, str]] = []
        self.read: list[RecoverySet] = []
        self.notes: list[str] = []
        self.lineage = Lineage()
        self.named: dict[str, RecoverySet] = {}
        """Those of `read` as their manifests tell them, by label."""
        self.moved: set[str] = set()
        """Files, in lower case, that are not where a manifest says."""
        self._source: Iterator[RecoverySet] = iter(())

    def run(self) -> dict[str, Any]:
        until = self.until()
        with self.folders.archive_access():
            labels = self.folders.labels()
            self.lineage = self.folders.branches.lineage()
        self._source = self.folders.newest_first(unusable=self.unusable, labels=labels)
        chosen = self.choice(labels, until) if self.has_to_choose(labels) else None
        # Sets are read from the newest on: whatever could not be read until now is newer than what was chosen.
        self.notes += [
            f"newer, but not taken because its manifest cannot be used: {entry['label']} ({entry['problem']})"
            for entry in self.unusable
        ]
        if self.params["all"] or not self.params["choose"]:
            with self.folders.archive_access():
                for recovery_set in self.sets():
                    self.lineage = self.lineage.after(recovery_set)
        listing: dict[str, str] = {}
        if chosen:
            with self.folders.database_access():
                listing = self.folders.database_listing()
        return {
            "changed": False,
            "chosen": self.described(chosen) if chosen else {},
            "labels": labels,
            "sets": [self.short(recovery_set) for recovery_set in self.read],
            "unusable": self.unusable,
            "newer_files": self.newer(chosen, listing) if chosen else [],
            "leases": [path for path in listing if is_lease(path)] if chosen else None,
            "living": [branch.to_dict() for branch in self.lineage.living.values()],
        }

    def has_to_choose(self, labels: list[str]) -> bool:
        return self.params["choose"] and bool(labels or not self.params["optional"])

    def until(self) -> dt.datetime | None:
        text = self.params["until"]
        if not text:
            return None
        if self.params["label"]:
            raise RecoveryError(
                "A set and a moment were both named", code="option_invalid", advice="Name one of the two"
            )
        return parse_user_time(text, option="until")

    def sets(self) -> Iterator[RecoverySet]:
        """All of them, newest first; what was read once is not read again."""
        yield from list(self.read)
        for recovery_set in self._source:
            self.remember(recovery_set)
            yield self.read[-1]

    def remember(self, recovery_set: RecoverySet) -> None:
        self.named[recovery_set.label] = recovery_set
        self.read.append(self.as_here(recovery_set))

    def as_here(self, recovery_set: RecoverySet) -> RecoverySet:
        """A set with files of this place for those on another server, which anybody may have written into its manifest,
        and for those that were moved.
        """
        paths = [*recovery_set.database_files, *recovery_set.application_files]
        away = {*self.folders.elsewhere(paths), *(path for path in paths if path.lower() in self.moved)}
        return relocated(recovery_set, self.folders.place, only=away.__contains__) if away else recovery_set

    def take_from_here(self, gone: list[str]) -> bool:
        """Look in this place for files that are not where they were. Answers whether there is any that was not looked
        for yet.
        """
        new = {path.lower() for path in gone if not self.folders.is_here(path)} - self.moved
        if new:
            self.moved |= new
            self.read = [self.as_here(recovery_set) for recovery_set in self.named.values()]
        return bool(new)

    def choice(self, labels: list[str], until: dt.datetime | None) -> Choice:
        label = self.params["label"]
        one_alone = bool(label) and label.lower() != NEWEST
        if one_alone:
            with self.folders.archive_access():
                self.remember(self.folders.named(label))
        incomplete: set[str] = set()
        while True:
            with self.folders.archive_access():
                sets = self.read if one_alone else self.sets()
                choice = choose(
                    (recovery_set for recovery_set in sets if recovery_set.label not in incomplete),
                    until=until,
                    healthy=not label,
                    lineage=None if one_alone else self.lineage,
                )
            gone = self.incomplete(choice)
            if not gone:
                return choice
            if self.take_from_here(list(gone)):
                continue
            incomplete.add(choice.set.label)
            path, wrong = next(iter(gone.items()))
            self.notes.append(
                f"newer, but not taken because {path} {wrong}: {choice.set.label} "
                f"({to_text(choice.set.recovery_point)})"
            )
            if one_alone or len(incomplete) == len(labels):
                self.refuse(gone, choice)

    def incomplete(self, choice: Choice) -> dict[str, str]:
        """Files that cannot be used, each with what is wrong with it."""
        archived = choice.set.application_files
        sizes = self.folders.sizes(database=choice.files, application=archived)
        return incomplete_files(choice.set, archived, sizes) or incomplete_files(choice.set, choice.files, sizes)

    def refuse(self, gone: Mapping[str, str], choice: Choice) -> NoReturn:
        path, wrong = next(iter(gone.items()))
        moved = self.moved_of(choice.set)
        advice = (
            f"Its manifest names {moved[0]}. Bring it there, or choose another set" if moved else "Choose another set"
        )
        wrong = "is not there" if wrong == MISSING else wrong
        raise RecoveryError(
            f"{path}, which the recovery set {choice.set.label} needs, {wrong}, seen from {self.host}",
            code="not_found",
            advice=advice,
        )

    def moved_of(self, recovery_set: RecoverySet) -> list[str]:
        """Files as its manifest names them, of those that are taken from this place instead."""
        original = self.named[recovery_set.label]
        pairs = zip(
            [*original.database_files, *original.application_files],
            [*recovery_set.database_files, *recovery_set.application_files],
            strict=True,
        )
        return [before for before, after in pairs if before != after]

    def newer(self, choice: Choice, listing: Mapping[str, str]) -> list[str]:
        """Backups of the database that nobody would restore, though they are newer. listing: times by path."""
        known = {path.lower() for recovery_set in self.read for path in recovery_set.database_files}
        since = to_text(choice.set.recovery_point)[:19]
        return sorted(
            path
            for path, modified in listing.items()
            if path.lower().endswith(BACKUPS) and path.lower() not in known and modified[:19] > since
        )

    def described(self, choice: Choice) -> dict[str, Any]:
        recovery_set = choice.set
        moved = self.moved_of(recovery_set)
        if moved:
            self.notes.append(f"its manifest names {moved[0]}; the file of that name in {self.params['path']} is used")
        at_target = parse_stored_time(choice.target) if choice.target != "latest" else recovery_set.recovery_point
        return {
            "label": recovery_set.label,
            "healthy": recovery_set.healthy,
            "taken_at": to_text(recovery_set.taken_at),
            "recovery_point": to_text(at_target),
            "files": list(choice.files),
            "target": choice.target,
            "archive": recovery_set.values["application"]["archive"],
            "notes": [*self.notes, *choice.notes],
            "manifest": dict(recovery_set.values),
        }

    def short(self, recovery_set: RecoverySet) -> dict[str, Any]:
        return {
            "label": recovery_set.label,
            "site": recovery_set.values.get("site") or "",
            "taken_at": to_text(recovery_set.taken_at),
            "kind": recovery_set.kind.value,
            "healthy": recovery_set.healthy,
            "problems": list(recovery_set.values["problems"]),
            "recovery_point": to_text(recovery_set.recovery_point),
            "bytes": _bytes_of(recovery_set),
            "replaced": self.lineage.replaced_by(recovery_set) is not None,
        }


def _bytes_of(recovery_set: RecoverySet) -> int:
    """Of all files that bring it back; a backup whose size nobody wrote down counts nothing."""
    archive = recovery_set.values["application"]
    return sum(link.get("size") or 0 for link in recovery_set.chain) + (archive.get("bytes") or 0)
