# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what backups there are to what has to be restored, in which order, and what that brings: decided before anything
is touched.

The answer is a :class:`Plan` or a :class:`Refusal`, never an exception for what the backups or the server are like.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone, tzinfo

from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import BackupKind, BackupSet
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.catalog import BackupCatalog
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.recovery_paths import Base, Limits, Tree
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.recovery_points import (
    Found,
    Window,
    at_lsn,
    at_time,
    newest,
    path_limits,
    windows,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.restore.file_placement import check_server, place_files
from ansible_collections.prs.recovery.plugins.module_utils._core.restore.plan import (
    ExistingDatabase,
    Mark,
    Plan,
    RecoveryPoint,
    Refusal,
    Rejections,
    ServerFacts,
    Step,
    Stop,
    Target,
)

__all__ = ["ExistingDatabase", "Mark", "Plan", "Refusal", "Request", "ServerFacts", "Target", "plan_restore"]


@dataclass(slots=True, frozen=True, kw_only=True)
class Request:
    """What is wanted.

    database: the name that the database gets. source_database: its name in the backups; without it, the folder must
    hold one database family only. family_guid, recovery_fork: choose among several. zone: the time zone of the server
    that made the backups, for STOPAT. end: ``recovered``, ``norecovery`` or ``standby`` (then with standby_file).
    marks: of the source's msdb. unusable: sets that turned out bad while restoring, GUID -> reason. allow_damaged: also
    use sets whose database was damaged when it was backed up. resume: go on with a RESTORING database where that is
    less to read than starting over.
    """

    database: str
    target: Target = field(default_factory=Target.latest)
    source_database: str = ""
    family_guid: str = ""
    recovery_fork: str = ""
    zone: tzinfo | None = None
    end: str = "recovered"
    standby_file: str = ""
    marks: Sequence[Mark] = ()
    unusable: Mapping[str, str] | None = None
    allow_damaged: bool = False
    resume: bool = True


@dataclass(slots=True, kw_only=True)
class _Source:
    """The usable sets of one family, and what became of the others."""

    family_guid: str
    usable: list[BackupSet]
    rejected: Rejections
    forks: set[str] | None  # where the wanted database lives; None: on any


def plan_restore(
    inventory: BackupCatalog,
    request: Request,
    *,
    now: datetime,
    existing: ExistingDatabase | None = None,
    server: ServerFacts | None = None,
) -> Plan | Refusal:
    """Decide how to reach the target with these backups; ``now`` is the moment against which the loss is
    told (aware).
    """
    source = _choose(inventory, request, existing)
    if isinstance(source, Refusal):
        return source
    tree = Tree(source.usable)
    for one, reason in tree.unusable:
        source.rejected.add("no_base" if one.kind == BackupKind.DIFFERENTIAL else "contradiction", reason, one)
    forks = _wanted_forks(tree, source, request)
    if request.recovery_fork and not forks:
        return Refusal(
            code="no_fork",
            target=request.target,
            rejected=source.rejected,
            message=f"none of the usable backups lies on the recovery fork {request.recovery_fork}",
            advice="leave recovery_fork out, or name one of those that the backups tell",
        )
    found, stop_at = _find(tree, forks, request)
    resumed = _resume(source, forks, request, existing, found)
    chosen = resumed or found
    if chosen is None:
        return _refuse(tree, forks, source, request)
    return _plan(
        chosen,
        tree,
        source,
        request,
        now=now,
        existing=existing,
        server=server or ServerFacts(),
        resumes=resumed is not None,
        target=stop_at,
    )


def _choose(inventory: BackupCatalog, request: Request, existing: ExistingDatabase | None) -> _Source | Refusal:
    groups: dict[tuple[str, str], list[BackupSet]] = defaultdict(list)
    for one in inventory.sets:
        groups[one.family_guid, one.database].append(one)
    names = sorted(groups)
    by_family: dict[str, list[BackupSet]] = defaultdict(list)
    for family, name in names:
        by_family[family] += groups[family, name]
    wanted = request.source_database.casefold()
    if request.family_guid:
        candidates = [request.family_guid] if request.family_guid in by_family else []
    elif wanted:
        candidates = list(dict.fromkeys(family for family, name in names if name.casefold() == wanted))
    else:
        candidates = list(by_family)
    if len(candidates) > 1:
        # Without a full a family leads nowhere, unless what is RESTORING goes on with it: the saved tail of a database
        # that was overwritten, say.
        goes_on = existing.family_guid if existing is not None and existing.is_restoring and request.resume else ""
        candidates = [
            family
            for family in candidates
            if family == goes_on or any(one.kind == BackupKind.FULL for one in by_family[family])
        ] or candidates
    if len(candidates) > 1 and existing is not None and existing.family_guid in candidates:
        candidates = [existing.family_guid]
    rejected = Rejections()
    for item in inventory.unreadable:
        rejected.add("unreadable", item.reason, path=item.path)
    if not candidates:
        there = ", ".join(sorted({name for _family, name in names})) or "no backup set at all"
        first = next(iter(inventory.unreadable), None)
        unread = f"; {len(rejected)} files cannot be read, the first is {first.path}: {first.reason}" if first else ""
        what = f"of {request.source_database or request.family_guid} " if wanted or request.family_guid else ""
        return Refusal(
            code="no_sets",
            target=request.target,
            rejected=rejected,
            message=f"no backup {what}was found; the sources hold {there}{unread}",
            advice="check the folders and the name of the database as the backups tell it",
        )
    if len(candidates) > 1:
        families = [
            {
                "family_guid": family,
                "databases": sorted({name for of, name in names if of == family}),
                "sets": len(by_family[family]),
                "server": max(by_family[family], key=lambda one: one.finished).server,
                "newest": max(one.finished for one in by_family[family]).isoformat(),
            }
            for family in candidates
        ]
        told = "; ".join(
            (
                f"{' / '.join(family['databases'])} of {family['server']}, family {family['family_guid']}, newest "
                f"backup {family['newest']}"
            )
            for family in families
        )
        return Refusal(
            code="ambiguous",
            target=request.target,
            rejected=rejected,
            details={"families": families},
            message=f"the sources hold backups of {len(candidates)} different databases: {told}",
            advice="say which one is meant by source.database, or by source.family_guid where they have the same name",
        )
    family = candidates[0]
    mine = by_family.pop(family)
    usable = _sort_out(mine, request, rejected)
    for others in by_family.values():
        rejected.add_all("other_database", "it is a backup of another database (its FamilyGUID differs)", others)
    forks = (
        {one.last_fork for name in names if name[0] == family and name[1].casefold() == wanted for one in groups[name]}
        if wanted
        else None
    )
    return _Source(family_guid=family, usable=usable, rejected=rejected, forks=forks)


def _sort_out(sets: Sequence[BackupSet], request: Request, rejected: Rejections) -> list[BackupSet]:
    usable: list[BackupSet] = []
    bad = request.unusable or {}
    for one in sets:
        if one.problem:
            rejected.add("unusable", one.problem, one)
        elif bad and one.guid in bad:
            rejected.add("unusable", bad[one.guid], one)
        elif one.damaged and not request.allow_damaged:
            rejected.add("unusable", "the database was damaged when this backup was made", one)
        else:
            usable.append(one)
    return usable


def _wanted_forks(tree: Tree, source: _Source, request: Request) -> set[str]:
    if request.recovery_fork:
        return {request.recovery_fork} & set(tree.forks)
    return set(tree.forks) if source.forks is None else source.forks & set(tree.forks)


def _find(tree: Tree, forks: set[str], request: Request) -> tuple[Found | None, Target]:
    """The way to the target, and the target with what is known of it: a mark's LSN and time."""
    target = request.target
    if target.kind == "latest":
        return newest(tree.view(Limits()), forks), target
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
        found = at_lsn(tree, mark.lsn, limits, before=target.before)
        return found and found._replace(time=mark.time), replace(target, lsn=mark.lsn, after=mark.time)
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
    source: _Source, forks: set[str], request: Request, existing: ExistingDatabase | None, fresh: Found | None
) -> Found | None:
    """The way on from where a RESTORING database stands, where it leads to the same point and is less to read."""
    if existing is None or not existing.is_restoring or not request.resume or existing.redo_start_lsn is None:
        return None
    position, fork = existing.redo_start_lsn, existing.redo_start_fork
    tree = Tree(
        source.usable,
        existing=Base(position, fork, _passed(source.usable, position, fork)),
        existing_full=existing.differential_base_guid,
    )
    found, _target = _find(tree, (forks | {fork}) & set(tree.forks), request)
    if found is None or fresh is None:
        return found
    same = (found.route.fork, found.route.position, found.stop) == (fresh.route.fork, fresh.route.position, fresh.stop)
    if (
        not same
        and request.target.kind in ("latest", "mark")
        and (found.route.fork != fresh.route.fork or found.route.position < fresh.route.position)
    ):
        return None
    return found if _bytes(found) <= _bytes(fresh) else None


def _passed(usable: Iterable[BackupSet], position: int, fork: str) -> datetime | None:
    """A moment that a database at ``position`` has surely not passed: when the first backup with that LSN in it was
    finished.
    """
    beyond = [(one.last_lsn, one.finished) for one in usable if one.last_fork == fork and one.last_lsn >= position]
    return min(beyond)[1] if beyond else None


def _sets(found: Found) -> list[BackupSet]:
    base = found.route.base
    used = [base.full, base.differential, *(move.log for move in found.route.moves), found.stop]
    return [one for one in used if one is not None]


def _bytes(found: Found) -> int:
    return sum(one.compressed_size for one in _sets(found))


def _refuse(tree: Tree, forks: set[str], source: _Source, request: Request) -> Refusal:
    target = request.target
    unknown = next((one for one in source.usable if one.utc_offset is None), None)
    if (
        target.kind == "time" and unknown is not None
    ):  # its times were taken for UTC: what could be said of a moment may be wrong by hours
        return replace(_zone_unknown(unknown, request), rejected=source.rejected)
    reachable = windows(tree, forks)
    refusal = Refusal(code="unreachable", message="", target=target, reachable=reachable, rejected=source.rejected)
    if not reachable:
        refusal.code = "no_full"
        refusal.message = "there is no usable full backup to start from"
        unusable = source.rejected.by_code("unusable", "unreadable")
        if unusable:
            refusal.message += f"; {len(unusable)} sets or files cannot be used, the first because {unusable[0].reason}"
        refusal.advice = "add the folder that holds the full backups, or bring back the missing stripes"
        return refusal
    first, last = reachable[0], max(reachable, key=lambda window: window.end)
    refusal.advice = f"the newest point that can be reached is {last.end:%Y-%m-%d %H:%M:%S} UTC"
    if target.kind == "mark" and not request.marks:
        refusal.code = "mark_unknown"
        refusal.message = f"backup headers do not tell in which log the mark {target.mark} lies"
        refusal.advice = (
            "give a time shortly before the mark, or the marks in msdb.dbo.logmarkhistory of the "
            "server that made the backups"
        )
    elif target.kind != "time" or target.time is None:
        refusal.message = f"{target} cannot be reached: no unbroken chain of usable backups holds it"
    elif target.time > last.end:
        refusal.code = "after_last"
        refusal.message = (
            f"{target} is after the last moment that the backups surely hold, {last.end:%Y-%m-%d %H:%M:%S} UTC"
        )
        refusal.advice = "restore to the newest point, or back up the tail of the log first"
    elif target.time < first.start:
        refusal.code = "before_first"
        refusal.message = (
            f"{target} is before the end of the oldest usable full backup, {first.start:%Y-%m-%d %H:%M:%S} UTC"
        )
        refusal.advice = "add the folder with older backups"
    else:
        _explain_hole(refusal, target.time, tree, reachable)
    return refusal


def _explain_hole(refusal: Refusal, when: datetime, tree: Tree, reachable: Sequence[Window]) -> None:
    earlier = max((window for window in reachable if window.end < when), key=lambda window: window.end, default=None)
    later = min((window for window in reachable if window.start > when), key=lambda window: window.start, default=None)
    bulk = next(
        (
            log
            for fork in tree.forks.values()
            for log in fork.logs
            if log.bulk_logged and log.started <= when <= log.finished
        ),
        None,
    )
    if earlier is not None and later is not None and earlier.fork == later.fork:
        inside = [
            log
            for log in tree.forks[earlier.fork].logs
            if log.bulk_logged and earlier.end_lsn <= log.last_lsn <= later.end_lsn
        ]
        bulk = bulk or next(iter(inside), None)
    if bulk is not None:
        refusal.code = "bulk_logged"
        refusal.message = (
            f"{refusal.target} lies in a log backup with bulk-logged changes, which can only be restored to its end"
        )
    else:
        refusal.code = "gap"
        refusal.message = f"{refusal.target} cannot be reached: log backups are missing or unusable there"
    near = [
        f"{window:%Y-%m-%d %H:%M:%S} UTC"
        for window in (earlier and earlier.end, later and later.start)
        if window is not None
    ]
    refusal.advice = f"the nearest moments that can be reached are {' and '.join(near)}" if near else ""


def _plan(
    found: Found,
    tree: Tree,
    source: _Source,
    request: Request,
    *,
    now: datetime,
    existing: ExistingDatabase | None,
    server: ServerFacts,
    resumes: bool,
    target: Target,
) -> Plan | Refusal:
    used = _sets(found)
    stop = _stop(found, request, target, used)
    if isinstance(stop, Refusal):
        return stop
    steps = _steps(found, stop, zone_given=request.zone is not None)
    steps, moves, space = place_files(
        steps, {one.guid: one for one in used}, database=request.database, server=server, resumes=resumes
    )
    if request.end != "norecovery":
        steps.append(Step(action="recover", standby_file=request.standby_file if request.end == "standby" else ""))
    refusal = check_server(
        used,
        space,
        server=server,
        target=request.target,
        reclaimed=existing.size_by_volume if existing else {},
        standby=request.end == "standby",
    )
    if refusal is not None:
        return refusal
    newest_set = max(used, key=lambda one: one.finished, default=None)
    exact = found.stop is None
    not_needed = _left_out(found, tree, source, used, request)
    time, end_fork = found.time, found.stop.last_fork if found.stop else found.route.fork
    return Plan(
        steps=steps,
        target=request.target,
        resumes=resumes,
        family_guid=source.family_guid,
        recovery_point=RecoveryPoint(
            time=time,
            lsn=found.route.position if exact else target.lsn,
            fork=end_fork,
            certain=target.kind != "mark" or target.lsn is not None,
        ),
        database=newest_set.database if newest_set else request.source_database,
        server=newest_set.server if newest_set else "",
        loss=None if time is None else max(now - time, timedelta()),
        bytes=sum(one.compressed_size for one in used),
        moves=moves,
        space_needed=space,
        build_needed=max((one.version for one in used), default=(0, 0, 0)),
        certificates_needed=sorted({one.encryptor_thumbprint for one in used if one.encryptor_thumbprint}),
        rejected=source.rejected,
        not_needed=not_needed,
        notes=_notes(found, used, source.rejected, existing, resumes=resumes, request=request),
    )


def _stop(found: Found, request: Request, target: Target, used: Sequence[BackupSet]) -> Stop | Refusal | None:
    """The STOP clause of the target, in the words of the server that made the backups."""
    if target.kind == "lsn" and found.stop is not None:
        return Stop(kind="lsn", lsn=target.lsn, before=target.before)
    if target.kind == "mark" and (found.stop is not None or target.lsn is None):
        after = target.after and _local(target.after, request, found.stop or (used[-1] if used else None))
        return Stop(kind="mark", mark=target.mark, before=target.before, after=after, lsn=target.lsn)
    if target.kind != "time" or target.time is None:
        return None
    unknown = next((one for one in used if one.utc_offset is None), None)
    if unknown is not None:
        return _zone_unknown(unknown, request)
    if request.zone is None and found.stop is not None:
        before = max((one for one in used if one is not found.stop), key=lambda one: one.finished, default=found.stop)
        if before.utc_offset != found.stop.utc_offset:
            return _clock_changed(before, found.stop, request)
    return Stop(kind="time", time=_local(target.time, request, found.stop or (used[-1] if used else None)))


def _zone_unknown(one: BackupSet, request: Request) -> Refusal:
    return Refusal(
        code="time_zone_unknown",
        target=request.target,
        message=f"the {one} does not tell the time zone of its server, so a time cannot be found in it",
        advice="say in 'time_zone' (in the inventory prs_sql_time_zone) where the server that made the backups "
        "stands (UTC, Europe/Berlin), "
        "or restore to the newest point, an LSN or a mark; "
        "zone 0 in a header counts as untold, for some builds of SQL Server 2022 write it everywhere",
    )


def _clock_changed(before: BackupSet, stop: BackupSet, request: Request) -> Refusal:
    """In autumn the log holds an hour twice, in spring one never was: STOPAT, which knows no zone, would meet another
    moment.
    """
    return Refusal(
        code="clock_changed",
        target=request.target,
        message=f"the source server's clock was changed (summer time) between the {before} and the {stop}, in which "
        f"{request.target} lies",
        advice="say in 'time_zone' (in the inventory prs_sql_time_zone) where the server that made the backups "
        "stands (Europe/Berlin), or restore "
        "to a moment in another log, an LSN or a mark",
    )


def _local(moment: datetime, request: Request, one: BackupSet | None) -> datetime:
    """A moment as the clock on the wall of the source server showed it."""
    if request.zone is not None:
        return moment.astimezone(request.zone).replace(tzinfo=None)
    offset = one.utc_offset if one is not None and one.utc_offset is not None else timedelta()
    return moment.astimezone(timezone.utc).replace(tzinfo=None) + offset


def _steps(found: Found, stop: Stop | None, *, zone_given: bool) -> list[Step]:
    base = found.route.base
    steps = [_step("database", one) for one in (base.full, base.differential) if one is not None]
    position, reached = base.position, False
    everywhere = stop if stop is not None and (stop.kind == "time" or stop.lsn is None) else None
    for move in found.route.moves:
        halt = Stop(kind="lsn", lsn=move.stop_before, before=True) if move.stop_before is not None else None
        # The clause belongs on every log, lest one goes past the moment; a bulk-logged one, which is wholly before it,
        # would refuse it.
        # Nor has it a place on logs from before a change of the clock: there it names another moment.
        other_clock = (
            stop is not None
            and found.stop is not None
            and not zone_given
            and move.log.utc_offset != found.stop.utc_offset
        )
        halt = halt or (everywhere if not move.log.bulk_logged and not other_clock else None)
        steps.append(replace(_step("log", move.log), stop=halt, fits_from=position, skip_if_stopped=reached))
        reached = reached or (
            found.time is not None and halt is everywhere and halt is not None and move.log.finished > found.time
        )
        position = move.stop_before or move.log.last_lsn
    if found.stop is not None:
        steps.append(
            replace(_step("log", found.stop), stop=stop, fits_from=position, leads_to=None, skip_if_stopped=reached)
        )
    return steps


def _step(action: str, one: BackupSet) -> Step:
    copies = tuple(copy for copy in one.copies if not copy.problem)
    return Step(
        action=action,
        kind=one.kind.value,
        guid=one.guid,
        copies=copies,
        checksum=one.checksums,
        continue_after_error=one.damaged,
        size=one.compressed_size,
        leads_to=one.last_lsn,
        finished=one.finished,
    )


def _left_out(
    found: Found, tree: Tree, source: _Source, used: Sequence[BackupSet], request: Request
) -> list[BackupSet]:
    """Reject what cannot lead to the recovery point; the good sets that remain are returned: this plan does without
    them.
    """
    done = {id(one) for one in used} | {id(one) for one, _reason in tree.unusable}
    path = path_limits(tree, {found.stop.last_fork if found.stop else found.route.fork})
    end_fork, position, latest = found.route.fork, found.route.position, request.target.kind == "latest"
    not_needed: list[BackupSet] = []
    later = request.target.time
    elsewhere: list[BackupSet] = []
    beyond: list[BackupSet] = []
    for one in source.usable:
        if id(one) in done:
            continue
        if later is not None and one.started >= later:
            not_needed.append(one)
            continue
        limit = path.get(one.last_fork)
        if limit is None or one.last_lsn > limit:
            elsewhere.append(one)
        elif latest and one.last_lsn > position and one.last_fork == end_fork:
            beyond.append(one)
        else:
            not_needed.append(one)
    source.rejected.add_all(
        "other_fork", "it lies on a recovery fork that does not lead to the recovery point", elsewhere
    )
    source.rejected.add_all("gap", f"the logs that go on from LSN {position} are missing or unusable", beyond)
    return not_needed


def _notes(
    found: Found,
    used: Sequence[BackupSet],
    rejected: Rejections,
    existing: ExistingDatabase | None,
    *,
    resumes: bool,
    request: Request,
) -> list[str]:
    notes: list[str] = []
    newest_used = max((one.finished for one in used), default=None)
    bad = [item.set for item in rejected.by_code("unusable", "gap", "contradiction", "no_base") if item.set is not None]
    newer = [one for one in bad if newest_used is not None and one.finished > newest_used]
    if newer and request.target.kind == "latest":
        notes.append(
            f"{len(newer)} newer backups cannot be used, the newest is the {max(newer, key=lambda one: one.finished)}"
        )
    if resumes:
        notes.append(f"goes on from LSN {found.route.base.position}, where the RESTORING database stands")
    elif existing is not None and existing.is_restoring:
        notes.append(
            f"starts over: what is RESTORING stands at LSN {existing.redo_start_lsn}, from where the target is not "
            "reached with less to read"
        )
    if request.target.kind == "mark" and not request.marks:
        notes.append("whether the mark lies in these logs is only known once they are restored")
    return notes
