# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of the wanted database on its own recovery fork (a clone of its server, or attached files): their sets are
left out, and where nothing tells whose they are, the restore is refused.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from ..backup.backup_set import BackupSet
from ..backup.clones import find_rivals, overlapping_logs
from ..backup.recovery_paths import Tree
from .plan import Refusal
from .request import Request
from .source import Source

__all__ = ["contested", "without_strangers"]


def without_strangers(source: Source) -> Source | None:
    """The source without the sets of copies that live on a recovery fork of the wanted database; None where there are
    none.
    """
    if not source.wanted or len(source.origins) < 2:
        return None
    tree = Tree(source.usable)
    by_fork: dict[str, list[BackupSet]] = defaultdict(list)
    for entry in source.known:  # what cannot be restored tells of two databases as well
        by_fork[entry.last_fork].append(entry)
    strangers: list[BackupSet] = []
    for guid, sets in by_fork.items():
        strangers += find_rivals(
            sets, source.wanted, fork_point=tree.forks[guid].point if guid in tree.forks else None
        ).strangers
    if not strangers:
        return None
    gone = {id(entry) for entry in strangers}
    source.rejected.add_all(
        "other_database",
        f"it is of a copy (a clone, or attached files) that lives on the recovery fork of {source.wanted}",
        [entry for entry in source.usable if id(entry) in gone],
    )
    return replace(
        source,
        usable=[entry for entry in source.usable if id(entry) not in gone],
        unusable=[entry for entry in source.unusable if id(entry) not in gone],
    )


def contested(tree: Tree, used: Iterable[BackupSet], request: Request, source: Source) -> Refusal | None:
    """A refusal where the logs on the way are of two databases and nothing tells whose are wanted. Of that also tells a
    log that cannot be restored.
    """
    begins: dict[str, int] = {}
    for entry in used:
        if entry.kind.is_log:
            begins[entry.last_fork] = min(begins.get(entry.last_fork, entry.first_lsn), entry.first_lsn)
    for guid, begin in begins.items():
        fork = tree.forks[guid]
        unusable = (
            entry
            for entry in source.unusable
            if entry.kind.is_log and entry.last_fork == guid and entry.last_lsn > begin
        )
        pairs = overlapping_logs([*fork.ending_after(begin), *unusable], fork_point=fork.point)
        if pairs:
            first, second = pairs[0]
            return Refusal(
                code="ambiguous",
                target=request.target,
                rejected=source.rejected,
                message="the sources hold backups of a database and of a copy of it (a clone of its server, or "
                f"attached files) that lives on the same recovery fork: the {first} of {first.server} and the {second} "
                f"of {second.server} hold the same stretch of the log",
                advice="give only the files of the one that is meant, in source.folders or source.files, or say its "
                "name in source.database where the names differ",
            )
    return None
