# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which backups may go. Every rule only adds to what is kept; what no rule keeps may go, unless something kept needs
it.

Whatever the rules say, two chains stay: the one that leads to the newest point, and the last one of which every set was
verified. A file that cannot be read, and a file that also holds a set to keep, stay as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .. import retention_rules
from ..retention_rules import Rules
from .backup_set import BackupKind, BackupSet
from .recovery_paths import Base, Tree
from .recovery_points import newest, way_to_log

__all__ = ["Decision", "Retention", "decide_retention"]


@dataclass(slots=True, frozen=True, kw_only=True)
class Decision:
    """What becomes of one set, and why. ``rule``: one of retention_rules.kept, newest_chain, verified_chain, needed,
    shared_file, or ``none`` for a set that may go.
    """

    set: BackupSet
    keep: bool
    rule: str
    reason: str

    def to_dict(self) -> dict[str, Any]:
        paths = [path for copy in self.set.copies for path in copy.stripes]
        return {
            "guid": self.set.guid,
            "kind": self.set.kind.value,
            "finished": self.set.finished.isoformat(),
            "files": paths,
            "keep": self.keep,
            "rule": self.rule,
            "reason": self.reason,
        }


@dataclass(slots=True, kw_only=True)
class Retention:
    """All decisions, oldest set first, and the files to remove, in an order that never leaves a chain cut off at its
    beginning: logs before the differentials and fulls that they need.
    """

    decisions: list[Decision]
    remove: list[str]


class _Kept:
    """The sets to keep, each with the first rule that keeps it."""

    def __init__(self) -> None:
        self.why: dict[int, tuple[str, str]] = {}

    def add(self, backup_set: BackupSet, rule: str, reason: str) -> None:
        self.why.setdefault(id(backup_set), (rule, reason))

    def __contains__(self, backup_set: BackupSet) -> bool:
        return id(backup_set) in self.why


def decide_retention(sets: Iterable[BackupSet], rules: Rules, *, now: datetime) -> Retention:
    """Decide over all sets of one database family (aware ``now``). Sets of several families are a caller's error:
    ValueError.
    """
    ordered = sorted(sets, key=lambda backup_set: (backup_set.finished, backup_set.last_lsn))
    families = {backup_set.family_guid for backup_set in ordered}
    if len(families) > 1:
        raise ValueError(f"retention is decided for one database at a time, not for {len(families)}")
    usable = [backup_set for backup_set in ordered if not backup_set.problem]
    kept = _Kept()
    if not rules.keeps_all:
        _keep_chains(kept, usable)
    _keep_by_rule(kept, ordered, rules, now=now)
    _keep_needed(kept, usable)
    _keep_shared(kept, ordered)
    return _result(kept, ordered)


def _keep_chains(kept: _Kept, usable: Sequence[BackupSet]) -> None:
    for rule, sets in (
        ("newest_chain", usable),
        ("verified_chain", [backup_set for backup_set in usable if backup_set.verified]),
    ):
        tree = Tree(sets)
        result = newest(tree.unlimited, tree.forks)
        if result is not None:
            base, moves = result.route.base, result.route.moves
            reason = (
                "the way to the newest point that can be reached"
                if rule == "newest_chain"
                else "the last chain of which every set was verified"
            )
            for backup_set in (base.full, base.differential, *(move.log for move in moves)):
                if backup_set is not None:
                    kept.add(backup_set, rule, reason)
            end = result.route
            for backup_set in sets:
                if backup_set.kind.is_log and (backup_set.last_fork, backup_set.last_lsn) == (end.fork, end.position):
                    kept.add(
                        backup_set,
                        rule,
                        f"shows that nothing happened after it until {backup_set.covered_until:%Y-%m-%d %H:%M} UTC",
                    )


def _keep_by_rule(kept: _Kept, ordered: Sequence[BackupSet], rules: Rules, *, now: datetime) -> None:
    staying = retention_rules.kept(
        ordered,
        rules,
        now=now,
        when=lambda backup_set: backup_set.finished,
        is_full=lambda backup_set: not backup_set.problem and backup_set.kind.begins_chain,
        is_data=lambda backup_set: not backup_set.problem and not backup_set.kind.is_log,
    )
    for entry in staying:
        kept.add(entry.item, entry.rule, entry.reason)


def _keep_needed(kept: _Kept, usable: Sequence[BackupSet]) -> None:
    """Whatever the kept sets need to be restored, as long as there is a way to restore them at all."""
    tree = Tree(usable)
    fulls: dict[int, BackupSet] = {}
    for guid, fork in tree.forks.items():
        bases = sorted(fork.bases, key=lambda base: base.position)
        fulls.update(
            (id(base.differential), base.full)
            for base in bases
            if base.differential is not None and base.full is not None
        )
        _keep_ways(kept, tree, guid, bases)
    for backup_set in usable:
        if backup_set.kind == BackupKind.DIFFERENTIAL and backup_set in kept and id(backup_set) in fulls:
            kept.add(
                fulls[id(backup_set)],
                "needed",
                f"the differential of {backup_set.finished:%Y-%m-%d %H:%M} UTC is based on it",
            )


def _keep_ways(kept: _Kept, tree: Tree, guid: str, bases: Sequence[Base]) -> None:
    """For every kept log of a fork: a base, and the logs between the two."""
    fork, index, reach = tree.forks[guid], 0, -1
    for log in sorted(fork.logs, key=lambda log: log.last_lsn):
        if log not in kept:
            continue
        while index < len(bases) and bases[index].position < log.last_lsn:
            if (bases[index].differential or bases[index].full) in kept:
                reach = max(reach, bases[index].position)
            index += 1
        if reach < fork.start(log):
            route = way_to_log(tree, log)
            if route is None:
                continue
            reason = f"the log backup of {log.finished:%Y-%m-%d %H:%M} UTC cannot be restored without it"
            for entry in (route.base.full, route.base.differential, *(move.log for move in route.moves)):
                if entry is not None:
                    kept.add(entry, "needed", reason)
        reach = log.last_lsn


def _keep_shared(kept: _Kept, ordered: Sequence[BackupSet]) -> None:
    in_file: dict[str, list[BackupSet]] = {}
    for backup_set in ordered:
        for path in {path for copy in backup_set.copies for path in copy.stripes}:
            in_file.setdefault(path, []).append(backup_set)
    for path, sets in in_file.items():
        if any(backup_set in kept for backup_set in sets):
            for backup_set in sets:
                kept.add(backup_set, "shared_file", f"{path} also holds a backup that is kept")


def _result(kept: _Kept, ordered: Sequence[BackupSet]) -> Retention:
    decisions = []
    staying = {
        path for backup_set in ordered if backup_set in kept for copy in backup_set.copies for path in copy.stripes
    }
    leaving: dict[str, int] = {}
    for backup_set in ordered:
        rule, reason = kept.why.get(id(backup_set), ("none", "no rule keeps it, and nothing that is kept needs it"))
        decisions.append(Decision(set=backup_set, keep=backup_set in kept, rule=rule, reason=reason))
        if backup_set not in kept:
            for path in (path for copy in backup_set.copies for path in copy.stripes if path not in staying):
                leaving[path] = max(leaving.get(path, 0), backup_set.kind.removal_order)
    return Retention(decisions=decisions, remove=sorted(leaving, key=lambda path: leaving[path]))
