# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the databases in the backups is meant, and which of its sets can be used."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from itertools import chain
from operator import attrgetter

from ..backup.backup_set import BackupSet
from ..backup.catalog import BackupCatalog
from ..backup.clones import Origin, origin_of, same_name
from ..text import counted
from .plan import ExistingDatabase, Refusal, Rejections
from .request import Request

__all__ = ["Source", "choose_source"]

_OFFSET = attrgetter("utc_offset")

ByFork = Mapping[str, list[BackupSet]]
"""Recovery fork -> sets on it."""

_SECOND, _QUARTER = timedelta(seconds=1), timedelta(minutes=15)

Groups = Mapping[str, Mapping[str, ByFork]]
"""Family -> name of the database -> its sets."""


@dataclass(kw_only=True)
class Source:
    """The usable sets of one family, all that are known of it, and what became of the others. unusable: what cannot be
    restored, though it may tell of two databases. forks: where the wanted database lives; None: on any. origins: of all
    that are known. wanted: the name of the database; empty: whatever it is called.
    """

    family_guid: str
    usable: list[BackupSet]
    unusable: list[BackupSet]
    known: list[BackupSet]
    rejected: Rejections
    forks: set[str] | None
    origins: set[Origin]
    wanted: str = ""

    @cached_property
    def offsets(self) -> set[timedelta | None]:
        """Those that the clocks of its servers had."""
        return set(map(_OFFSET, self.known))

    @cached_property
    def set_back(self) -> list[tuple[BackupSet, timedelta]]:
        """The logs whose last record shows a later time than their own end, and by how much at least a clock was set
        back since, in the quarters of an hour in which zones differ.
        """
        late = [
            (entry, entry.last_valid_time - entry.over)
            for entry in self.known
            if entry.last_valid_time is not None and entry.last_valid_time > entry.finished
        ]
        return [(entry, -(-by // _QUARTER) * _QUARTER) for entry, by in late if by > _SECOND]

    @property
    def servers(self) -> set[str]:
        """Those that made its backups, as they are compared."""
        return {server for server, _database in self.origins}


def choose_source(catalog: BackupCatalog, request: Request, existing: ExistingDatabase | None) -> Source | Refusal:
    """The database that the request means, or why nobody can tell."""
    groups, origins = _by_family_and_name(catalog.sets)
    rejected = Rejections()
    for item in catalog.unreadable:
        rejected.add("unreadable", item.reason, path=item.path)
    candidates = _candidates(groups, request, existing)
    if not candidates:
        return _nothing(groups, request, rejected)
    if len(candidates) > 1:
        return _ambiguous_families(groups, candidates, request, rejected)
    (family,) = candidates
    wanted = _wanted_name(groups[family], request)
    if not wanted and not request.recovery_fork:
        refusal = _ambiguous_names(family, groups[family], request, rejected)
        if refusal is not None:
            return refusal
    known = _all(groups[family])
    usable, unusable = _sort_out(known, request, rejected)
    for other, names in groups.items():
        if other != family:
            reason = "it is a backup of another database (its FamilyGUID differs)"
            rejected.add_all("other_database", reason, _all(names))
    forks = None
    if wanted:
        forks = {
            fork for name, by_fork in groups[family].items() if same_name(name) == same_name(wanted) for fork in by_fork
        }
    return Source(
        family_guid=known[0].family_guid,
        usable=usable,
        unusable=unusable,
        known=known,
        rejected=rejected,
        forks=forks,
        origins=origins[family],
        wanted=wanted,
    )


def _by_family_and_name(sets: Iterable[BackupSet]) -> tuple[Groups, Mapping[str, set[Origin]]]:
    """The sets in groups, on each fork nearly in the order of the log, and by family where they come from."""
    by_fork: dict[str, list[BackupSet]] = {}
    for entry in sets:
        try:
            by_fork[entry.last_fork].append(entry)
        except KeyError:
            by_fork[entry.last_fork] = [entry]
    groups: dict[str, dict[str, dict[str, list[BackupSet]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(list))
    )
    origins: dict[str, set[Origin]] = defaultdict(set)
    for fork, members in by_fork.items():
        _sort_by_position(members)
        family = database = server = None
        for entry in members:  # nearly always, a set is of the same database as the one before
            if entry.family_guid != family or entry.database != database or entry.server != server:
                family, database, server = entry.family_guid, entry.database, entry.server
                origins[entry.family].add(origin_of(entry))
                following = groups[entry.family][database][fork]
            following.append(entry)
    return groups, origins


def _sort_by_position(members: list[BackupSet]) -> None:
    """Nearly: whatever order a million sets came in, all that follows goes through them in the one in which they were
    made. Floating point numbers are compared faster than LSNs are, and 53 bits of how far two are apart are nearly all.
    """
    near = members[0].last_lsn
    members.sort(key=lambda entry: (entry.last_lsn - near) / 1)


def _all(names: Mapping[str, ByFork]) -> list[BackupSet]:
    return list(chain.from_iterable(sets for by_fork in names.values() for sets in by_fork.values()))


def _is_called(names: Collection[str], wanted: str) -> bool:
    return any(same_name(name) == same_name(wanted) for name in names)


def _candidates(groups: Groups, request: Request, existing: ExistingDatabase | None) -> list[str]:
    """The families that the request may mean."""
    if request.family_guid:
        return [request.family_guid] if request.family_guid in groups else []
    candidates = [
        family
        for family in sorted(groups)
        if not request.source_database or _is_called(groups[family], request.source_database)
    ]
    if len(candidates) > 1:
        # Without a full a family leads nowhere, unless what is RESTORING goes on with it: the saved tail of a database
        # that was overwritten, say.
        goes_on = existing.family_guid if existing is not None and existing.is_restoring and request.resume else ""
        candidates = [
            family
            for family in candidates
            if family == goes_on or any(entry.kind.begins_chain for entry in _all(groups[family]))
        ] or candidates
    if len(candidates) > 1 and existing is not None and existing.family_guid in candidates:
        candidates = [existing.family_guid]
    return candidates


def _wanted_name(names: Collection[str], request: Request) -> str:
    if request.source_database:
        return request.source_database
    return request.database if _is_called(names, request.database) else ""


def _nothing(groups: Groups, request: Request, rejected: Rejections) -> Refusal:
    known = sorted({name for names in groups.values() for name in names})
    held = ", ".join(f"'{name}'" for name in known) or "no backup set at all"
    first = next(iter(rejected), None)
    unread = (
        f"; {counted(len(rejected), 'file')} cannot be read, the first is {first.path}: {first.reason}" if first else ""
    )
    name = request.source_database or request.family_guid
    return Refusal(
        code="no_sets",
        target=request.target,
        rejected=rejected,
        message=f"no backup {f'of {name} ' if name else ''}was found; the sources hold {held}{unread}",
        advice="check the folders and the name of the database as the backups tell it",
    )


def _ambiguous_families(groups: Groups, candidates: Sequence[str], request: Request, rejected: Rejections) -> Refusal:
    families = []
    for family in candidates:
        sets = _all(groups[family])
        newest = max(sets, key=attrgetter("finished"))
        families.append(
            {
                "family_guid": newest.family_guid,
                "databases": sorted(groups[family]),
                "sets": len(sets),
                "server": newest.server,
                "newest": newest.finished.isoformat(),
            }
        )
    listed = "; ".join(
        f"{' / '.join(family['databases'])} of {family['server']}, "
        f"family {family['family_guid'] or 'not told'}, newest backup {family['newest']}"
        for family in families
    )
    return Refusal(
        code="ambiguous",
        target=request.target,
        rejected=rejected,
        details={"families": families},
        message=f"the sources hold backups of {len(candidates)} different databases: {listed}",
        advice="say which one is meant by source.database, or by source.family_guid where they have the same name",
    )


def _ambiguous_names(
    family: str, names: Mapping[str, ByFork], request: Request, rejected: Rejections
) -> Refusal | None:
    """Nobody said a name, and databases of several names live on recovery forks of their own."""
    if len({same_name(name) for name in names}) < 2:
        return None
    on_fork: dict[str, list[BackupSet]] = defaultdict(list)
    for by_fork in names.values():
        for fork, sets in by_fork.items():
            on_fork[fork] += sets
    newest = [max(sets, key=attrgetter("finished", "last_lsn")) for sets in on_fork.values()]
    if len({same_name(entry.database) for entry in newest}) < 2:
        return None
    listed = "; ".join(
        f"{entry.database} of {entry.server}, newest backup {entry.finished.isoformat()}"
        for entry in sorted(newest, key=attrgetter("finished"))
    )
    return Refusal(
        code="ambiguous",
        target=request.target,
        rejected=rejected,
        details={"databases": sorted({entry.database for entry in newest})},
        message=f"databases of several names come from the same original, family {family}: {listed}",
        advice="say which one is meant by source.database",
    )


def _sort_out(
    known: Sequence[BackupSet], request: Request, rejected: Rejections
) -> tuple[list[BackupSet], list[BackupSet]]:
    """The usable and the unusable ones."""
    bad = request.unusable or {}
    usable = [
        entry
        for entry in known
        if not (entry.problem or (entry.damaged and not request.allow_damaged) or (bad and entry.guid in bad))
    ]
    if len(usable) == len(known):
        return usable, []
    good = set(map(id, usable))
    unusable = [entry for entry in known if id(entry) not in good]
    for entry in unusable:
        reason = entry.problem or bad.get(entry.guid) or "the database was damaged when this backup was made"
        rejected.add("unusable", reason, entry)
    return usable, unusable
