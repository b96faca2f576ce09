# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies recovery sets to another place: one run of recovery_set_copy."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from ..._core.errors import RecoveryError
from ..._core.recovery_set.branches import Lineage
from ..._core.recovery_set.recovery_set import RecoverySet, relocated
from ..._core.recovery_set.retention import Surplus, surplus
from ..._core.retention_rules import Rules
from ..._core.times import to_text
from ..._core.windows_paths import parent
from ..host.files import WindowsFiles
from .repository import RecoverySetRepository

__all__ = ["ReplicationRun"]


PARTIAL = ".partial"


class ReplicationRun:
    """One run. now: the control node's clock, aware."""

    def __init__(self, files: WindowsFiles, params: dict[str, Any], *, now: dt.datetime) -> None:
        self.files = files
        self.params = params
        self.now = now
        self.rules = Rules.from_options(params["retention"])
        self.source = RecoverySetRepository.from_params(files, params)
        self.target = RecoverySetRepository.from_params(files, params["to"])
        if self.source.place == self.target.place:
            raise RecoveryError(
                f"The copies would go where the sets are, {self.source.place.sets}",
                code="option_invalid",
                advice="Name another place, best at another site",
            )
        self.source.must_go_with(self.target)
        self.copied_files: list[str] = []
        self.bytes = 0

    def run(self) -> dict[str, Any]:
        sets = self.missing_sets()
        self.join_branches(sets)
        for recovery_set in sets:
            self.bring(recovery_set)
        gone = Surplus()
        if self.rules and any(recovery_set.kind.begins_chain for recovery_set in sets):
            gone = self.prune(self.rules, now=min(self.now, sets[-1].taken_at))
        return {
            "changed": bool(sets) or bool(gone.labels),
            "copied": [recovery_set.label for recovery_set in sets],
            "copied_files": self.copied_files,
            "bytes": self.bytes,
            "removed": list(gone.labels),
        }

    def missing_sets(self) -> list[RecoverySet]:
        """What is newer than the newest set that both have, oldest first; where they have none in common, from the
        newest healthy one on.

        A set is as old as it says itself: somebody may have written its file anew. It was not taken after that, so
        older files need not be read.
        """
        with self.target.archive_access():
            existing = {label.lower() for label in self.target.labels()}
        newer: list[RecoverySet] = []
        newest: dt.datetime | None = None
        with self.source.archive_access():
            files = self.source.labels_written()
            common = any(label.lower() in existing for label in files)
            for label, changed in files.items():
                if newest and changed[:19] < to_text(newest)[:19]:
                    break
                recovery_set = self.readable(label)
                if recovery_set is None:
                    continue
                if recovery_set.label.lower() not in existing:
                    newer.append(recovery_set)
                if recovery_set.label.lower() in existing or (not common and recovery_set.healthy):
                    newest = max(newest or recovery_set.taken_at, recovery_set.taken_at)
        newer = [
            recovery_set
            for recovery_set in newer
            if newest is None or recovery_set.taken_at > newest or (not common and recovery_set.taken_at == newest)
        ]
        return sorted(newer, key=lambda recovery_set: (recovery_set.taken_at, recovery_set.label))

    def join_branches(self, sets: Sequence[RecoverySet]) -> None:
        """Both places know of the same restores afterwards. Raises RecoveryError when the sets are of a database that
        was replaced and lives on: at the other place they would pass for newer ones of the living database.
        """
        ours, theirs = _lineage(self.source), _lineage(self.target)
        lineage = Lineage([*ours.branches, *theirs.branches])
        known = lineage.branches
        for recovery_set in sets:
            lineage = lineage.after(recovery_set)
        for place, its in ((self.source, ours), (self.target, theirs)):
            missing = [branch for branch in known if branch not in its.branches]
            if missing:
                with place.archive_access():
                    place.branches.write(missing)
        lineage.refuse_rivals()

    def readable(self, label: str) -> RecoverySet | None:
        """A set that can be copied. One that names files elsewhere cannot: they are no backups of this place, and not
        everybody may read them.
        """
        try:
            recovery_set = self.source.read(label)
        except RecoveryError:
            return None
        foreign = self.source.foreign(recovery_set)
        if foreign:
            self.files.warnings.append(
                f"The recovery set {label} is not copied: it names {foreign[0]}, which does not lie in "
                f"{self.source.place.database} or {self.source.place.application}. If the folders have changed, take a "
                f"full backup; else find out who wrote {self.source.path_of(label)}."
            )
            return None
        return recovery_set

    def bring(self, recovery_set: RecoverySet) -> None:
        """The files, then the manifest."""
        moved = relocated(recovery_set, self.target.place)
        hashes = {
            path: value
            for link in [recovery_set.values["database"], *recovery_set.chain]
            for path, value in (link.get("sha256") or {}).items()
        }
        hashes[recovery_set.values["application"]["archive"]] = recovery_set.values["application"].get("sha256") or ""
        with self.source.database_access(), self.target.database_access():
            self.copy(recovery_set.database_files, moved.database_files, hashes)
        with self.source.archive_access(), self.target.archive_access():
            self.copy(recovery_set.application_files, moved.application_files, hashes)
            self.target.write(moved)

    def copy(self, sources: Sequence[str], targets: Sequence[str], hashes: Mapping[str, str]) -> None:
        """Files, unless they are there: under its own name nothing lies that was not compared. hashes: what files had
        when they were written.
        """
        states = self.files.stat(*sources, *targets)
        for source, target, original, copy in zip(
            sources, targets, states[: len(sources)], states[len(sources) :], strict=True
        ):
            if not original.exists:
                raise RecoveryError(
                    f"{source} is not there, seen from {self.files.host}, so that its set cannot be copied",
                    code="not_found",
                    advice="Take a full backup",
                )
            if not copy.exists or copy.size != original.size:
                self.copy_one(source, target, known=hashes.get(source, ""), over=copy.exists)
                self.copied_files.append(target)
                self.bytes += original.size

    def copy_one(self, source: str, target: str, *, known: str, over: bool) -> None:
        self.files.make_folder(parent(target))
        partial = target + PARTIAL
        try:
            self.files.copy(source, partial)
            if not self.files.check_mode:
                expected, written = known or self.source.sha256(source), self.target.sha256(partial)
                if written != expected:
                    raise RecoveryError(
                        f"{target} is not what {source} was: its SHA-256 is {written}, not {expected}",
                        code="damaged",
                        advice="The copy was removed. The disk of one of the two or the network damages data; look "
                        "into that before anything else",
                    )
            if over:
                self.files.remove(target)
            self.files.rename(partial, target)
        except BaseException:
            self.files.discard(partial)
            raise

    def prune(self, rules: Rules, *, now: dt.datetime) -> Surplus:
        """now: sets are as old as the database server says, so what the newest of them says counts, unless the control
        node's clock lets less go.
        """
        with self.target.archive_access():
            gone = surplus(self.target.newest_first(unusable=[]), rules, now=now)
        return self.target.remove(gone)


def _lineage(place: RecoverySetRepository) -> Lineage:
    """A connection is made only where there is something to read."""
    if not place.branches.names:
        return Lineage()
    with place.archive_access():
        return place.branches.lineage()
