# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what backups there are to what has to be restored, in which order, and what that brings: decided before anything
is touched.

The answer is a :class:`Plan` or a :class:`Refusal`, never an exception for what the backups or the server are like.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

from ..backup.backup_set import BackupKind, BackupSet
from ..backup.catalog import BackupCatalog
from ..backup.recovery_paths import Base, Limits, Tree
from ..backup.recovery_points import Found, at_lsn, at_time, ends_at, newest, path_limits
from ..garbage import without_garbage_collection
from .file_placement import check_server, place_files
from .plan import ExistingDatabase, Mark, Plan, RecoveryPoint, Refusal, ServerFacts, Step, Stop, Target
from .plan_notes import left_out, plan_notes
from .refusals import refuse
from .request import Request
from .room import needed_by_volume, refused_room, room_doubts
from .source import Source, choose_source
from .stop_clause import clock_doubts, route_steps, stop_clause, used_sets
from .strangers import contested, without_strangers

__all__ = ["ExistingDatabase", "Mark", "Plan", "Refusal", "Request", "ServerFacts", "Target", "plan_restore"]


@dataclass(slots=True, frozen=True, kw_only=True)
class _Way:
    """A way to the target on a tree, its STOP clause, and the target with what is known of it (a mark's LSN)."""

    found: Found
    tree: Tree
    stop: Stop | None
    target: Target
    resumes: bool = False


@without_garbage_collection()
def plan_restore(
    catalog: BackupCatalog,
    request: Request,
    *,
    now: datetime,
    existing: ExistingDatabase | None = None,
    server: ServerFacts | None = None,
) -> Plan | Refusal:
    """Decide how to reach the target with these backups; ``now`` is the moment against which the loss is
    told (aware).
    """
    source = choose_source(catalog, request, existing)
    if isinstance(source, Refusal):
        return source
    source = without_strangers(source) or source
    tree = Tree(source.usable)
    _reject_unusable(tree, source)
    forks = _wanted_forks(tree, source, request)
    if request.recovery_fork and not forks:
        return Refusal(
            code="no_fork",
            target=request.target,
            rejected=source.rejected,
            message=f"none of the usable backups lies on the recovery fork {request.recovery_fork}",
            advice="leave recovery_fork out, or name one of those that the backups tell",
        )
    way = _choose_way(tree, forks, source, request, existing)
    if isinstance(way, Refusal):
        way.rejected = source.rejected
        return way
    if way is None:
        return refuse(tree, forks, source, request, lambda target: _can_reach(target, tree, forks, source, request))
    return contested(way.tree, used_sets(way.found), request, source) or _plan(
        way, tree, forks, source, request, now=now, existing=existing, server=server or ServerFacts()
    )


def _reject_unusable(tree: Tree, source: Source) -> None:
    """Note what has no place on the paths; of a differential also what is wrong with its base, if that is known."""
    known = {item.set.guid: item.reason for item in source.rejected.by_code("unusable") if item.set is not None}
    for entry, reason in tree.unusable:
        problem = known.get(entry.differential_base_guid)
        code = "no_base" if entry.kind == BackupKind.DIFFERENTIAL else "contradiction"
        source.rejected.add(code, f"{reason}: {problem}" if problem else reason, entry)


def _wanted_forks(tree: Tree, source: Source, request: Request) -> set[str]:
    if request.recovery_fork:
        return {request.recovery_fork} & set(tree.forks)
    return set(tree.forks) if source.forks is None else source.forks & set(tree.forks)


def _choose_way(
    tree: Tree, forks: set[str], source: Source, request: Request, existing: ExistingDatabase | None
) -> _Way | Refusal | None:
    """The way to the target: on from where a RESTORING database stands, or anew."""
    result, target = _find(tree, forks, request)
    resumed, resumed_tree = _resume(source, forks, request, existing, result)
    for candidate, its_tree in ((resumed, resumed_tree), (result, tree)):
        if candidate is None:
            continue
        stop = stop_clause(candidate, request, target, source)
        if not isinstance(stop, Refusal):
            return _Way(found=candidate, tree=its_tree, stop=stop, target=target, resumes=candidate is resumed)
        alone = ends_at(tree, target.time, path_limits(tree, forks)) if target.time is not None else None
        if alone is not None and not isinstance(clause := stop_clause(alone, request, target, source), Refusal):
            return _Way(found=alone, tree=tree, stop=clause, target=target)
        if candidate is result:
            return stop
    return None


def _can_reach(target: Target, tree: Tree, forks: set[str], source: Source, request: Request) -> bool:
    """Whether a plan would be made for another target."""
    asked = replace(request, target=target)
    return isinstance(_choose_way(tree, forks, source, asked, None), _Way)


def _find(tree: Tree, forks: set[str], request: Request) -> tuple[Found | None, Target]:
    """The way to the target, and the target with what is known of it: a mark's LSN and time."""
    target = request.target
    if target.kind == "latest":
        return newest(tree.unlimited, forks), target
    limits = path_limits(tree, forks)
    if target.kind == "time" and target.time is not None:
        return at_time(tree, target.time.astimezone(timezone.utc), limits), target
    if target.kind == "lsn" and target.lsn is not None:
        return at_lsn(tree, target.lsn, limits, before=target.before), target
    marks = [
        mark
        for mark in request.marks
        if mark.name == target.mark and (target.after is None or mark.time >= target.after)
    ]
    if marks:
        mark = min(marks, key=lambda mark: mark.time) if target.after else max(marks, key=lambda mark: mark.time)
        result = at_lsn(tree, mark.lsn, limits, before=target.before)
        return result and result._replace(time=mark.time), replace(target, lsn=mark.lsn, after=mark.time)
    if target.after is None:
        return None, target
    after = target.after
    view = tree.view(
        Limits(
            whole=lambda logs: [log for log in logs if not log.bulk_logged or log.finished <= after],
            base=lambda base: base.finished is not None and base.finished <= after,
        )
    )
    return newest(view, forks), target


def _resume(
    source: Source, forks: set[str], request: Request, existing: ExistingDatabase | None, fresh: Found | None
) -> tuple[Found | None, Tree]:
    """The way on from where a RESTORING database stands, where it leads to the same point and is less to read.

    Without its recovery fork nobody knows which logs go on from there.
    """
    nowhere = Tree(())
    if existing is None or not existing.is_restoring or not request.resume:
        return None, nowhere
    position, fork = existing.redo_start_lsn, existing.redo_start_fork
    if position is None or not fork:
        return None, nowhere
    base = Base(position, fork, _passed(source.usable, position, fork))
    wanted = forks if request.recovery_fork else forks | {fork}

    def go_on(full: str) -> tuple[Found | None, Tree]:
        tree = Tree(source.usable, existing=base, existing_full=full)
        return _find(tree, wanted & set(tree.forks), request)[0], tree

    result, tree = go_on(existing.differential_base_guid)
    # After logs a differential is one way of two; right after its full it is the way of a restore from the beginning.
    begun = any(entry.guid == existing.differential_base_guid and entry.last_lsn == position for entry in source.usable)
    if result is not None and result.route.base.differential is not None and not begun:
        logs_alone, its_tree = go_on("")
        if logs_alone is not None and _ends(logs_alone) == _ends(result) and _bytes(logs_alone) <= _bytes(result):
            result, tree = logs_alone, its_tree
    if result is None or fresh is None:
        return result, tree
    if (
        _ends(result) != _ends(fresh)
        and request.target.kind in ("latest", "mark")
        and (result.route.fork != fresh.route.fork or result.route.position < fresh.route.position)
    ):
        return None, tree
    return (result if _bytes(result) <= _bytes(fresh) else None), tree


def _ends(candidate: Found) -> tuple[str, int, BackupSet | None]:
    """Where a way leads to."""
    return candidate.route.fork, candidate.route.position, candidate.stop


def _passed(usable: Iterable[BackupSet], position: int, fork: str) -> datetime | None:
    """A moment that a database at ``position`` has surely not passed: when the first backup with that LSN in it was
    finished.
    """
    beyond = [
        (entry.last_lsn, entry.finished) for entry in usable if entry.last_fork == fork and entry.last_lsn >= position
    ]
    return min(beyond)[1] if beyond else None


def _bytes(candidate: Found) -> int:
    return sum(entry.compressed_size for entry in used_sets(candidate))


def _plan(
    way: _Way,
    tree: Tree,
    forks: set[str],
    source: Source,
    request: Request,
    *,
    now: datetime,
    existing: ExistingDatabase | None,
    server: ServerFacts,
) -> Plan | Refusal:
    result, used = way.found, used_sets(way.found)
    steps, moves, needed = place_files(
        route_steps(result, way.stop, request, source),
        {entry.guid: entry for entry in used},
        database=request.database,
        server=server,
        resumes=way.resumes,
        existing_files=existing.file_names if existing else (),
    )
    if request.end != "norecovery":
        steps.append(Step(action="recover", standby_file=request.standby_file if request.end == "standby" else ""))
    reclaimed = existing.size_by_folder if existing else {}
    refusal = check_server(
        used, server=server, target=request.target, standby=request.end == "standby"
    ) or refused_room(needed, reclaimed, server=server, target=request.target)
    if refusal is not None:
        return refusal
    newest_set = max(used, key=lambda entry: entry.finished, default=None)
    not_needed = left_out(result, tree, source.usable, used, request.target, source.rejected)
    return Plan(
        steps=steps,
        target=request.target,
        resumes=way.resumes,
        family_guid=source.family_guid,
        recovery_point=_recovery_point(way),
        database=newest_set.database if newest_set else request.source_database,
        server=newest_set.server if newest_set else "",
        loss=None if result.time is None else max(now - result.time, timedelta()),
        bytes=_bytes(result),
        moves=moves,
        space_needed=needed_by_volume(needed, server),
        build_needed=max((entry.version for entry in used), default=(0, 0, 0)),
        certificates_needed=sorted({entry.encryptor_thumbprint for entry in used if entry.encryptor_thumbprint}),
        rejected=source.rejected,
        not_needed=not_needed,
        notes=[
            *plan_notes(result, tree, forks, used, source.rejected, existing, resumes=way.resumes, request=request),
            *clock_doubts(result, request, source),
            *room_doubts(needed, reclaimed, server=server),
        ],
    )


def _recovery_point(way: _Way) -> RecoveryPoint:
    result = way.found
    return RecoveryPoint(
        time=result.time,
        lsn=result.route.position if result.stop is None else way.target.lsn,
        fork=result.stop.last_fork if result.stop else result.route.fork,
        certain=way.target.kind != "mark" or way.target.lsn is not None,
    )
