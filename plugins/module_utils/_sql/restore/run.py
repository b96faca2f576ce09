# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of sql_restore: ask, plan, decide, save the tail, restore, hand over. Nothing is changed before the
decision.
"""

from __future__ import annotations

from typing import Any

from ..._core.errors import RecoveryError, sentences
from ..._core.restore.overwrite_policy import REFUSE, UNCHANGED, Decision, decide
from ..._core.restore.plan import Plan, Refusal
from ..._core.restore.planner import Request, plan_restore
from ..._core.restore.target import parse_target, parse_zone
from ..._core.standby.position import Position, goes_straight_on
from ..connection.session import Session
from ..instance.databases import read_database
from ..instance.locks import hold
from ..instance.server import read_server, service_account, utc_now
from . import hand_over, standby, statements
from .destination import Destination
from .options import RestoreOptions
from .placement import check_placement
from .preconditions import require_options, require_settings, respect_leases
from .sources import BackupSources
from .tail_log import TailLog
from .volumes import facts_for

__all__ = ["RestoreRun"]


class RestoreRun:
    """Restores one database. Make a new one for each run."""

    def __init__(self, session: Session, options: RestoreOptions) -> None:
        require_options(options)
        self.session = session
        self.options = options
        self.database = options.database
        self.host = session.connection.target.server
        self.target = parse_target(options.target, mark_after=options.mark_after)
        self.zone = parse_zone(options.source.time_zone)
        self.family = options.source.family_guid
        self.destination = Destination(session, options.database)
        self.position: Position | None = None

    def run(self) -> dict[str, Any]:
        """What the task returns."""
        session, options = self.session, self.options
        hold(session, self.database, wait=options.lock_timeout)
        self.server = read_server(session.connection)
        self.standby_file = standby.standby_file_path(options, default_data_path=self.server["default_data_path"])
        self.sources = BackupSources(session, options, server=self.server, kind=self.target.kind, zone=self.zone)
        service_account(session.connection)  # so that every message about a path can say for whom
        self._read_destination()
        require_settings(session.connection, options, version=self.server["version"])
        return self._restore_from_source()

    def _read_destination(self) -> None:
        self.destination.read(may_open=self.options.replace != "never")

    def _restore_from_source(self) -> dict[str, Any]:
        """Where backups have to be staged first, more happens here (StagedRestoreRun)."""
        return self._restore()

    def _restore(self) -> dict[str, Any]:
        """From reading the backups on."""
        session, options = self.session, self.options
        plan = self._plan_since()
        if plan is None:
            self.sources.read(trust=True)
            plan = self._plan()
        self.position = self.destination.position(self.sources.catalog.sets)
        self.family = plan.family_guid  # from here on no other database of that name counts
        if options.open_offline and options.replace != "always":
            self.destination.open_offline(family=self.family)
        if self.destination.would_open:  # what is in it tells only when it is open
            return {"plan": {}, **self._report()}
        tail_log = self._tail_log()
        if self.destination.state == "RESTORING" and not self.sources.has_read(tail_log.folder):
            tails = tail_log.saved_before(self.sources.catalog)
            self.sources.add_tails(tails)
            plan = self._plan() if tails.sets else plan
        decision = self._decide(plan)
        if decision.action == UNCHANGED:
            return self._unchanged()
        if not options.opens and standby.is_up_to_date(plan, self.destination, readable=bool(self.standby_file)):
            report = self._open_standby() if self.standby_file else self._report()
            return {**report, "plan": {}, **standby.beyond_a_gap(plan)}
        standby.require_standby_file(session, self.standby_file, self.destination)
        respect_leases(session, options)
        self.facts = facts_for(session, options, self.destination, server=self.server)
        plan = self._read_back(self._complete_plan())
        try:
            tail = tail_log.save(
                decision, wanted=decision.tail and options.tail_log == "attempt", family=plan.family_guid
            )
            if tail and tail.catalog:
                self.sources.add_tails(tail.catalog)
                self.destination.refresh()
                plan = self._complete_plan()
            plan = self._carry_out(plan, replace=decision.replace)
        except RecoveryError as problem:
            raise self.destination.failure(problem) from None
        report = statements.plan_report(
            plan, database=self.database, replace=decision.replace, guarded=options.is_guarded
        )
        return {
            **self._finish(),
            "plan": {**report, "reason": decision.reason, "ends_mirroring": decision.end_mirroring},
            **({"tail_log": tail.to_dict()} if tail else {}),
            **standby.beyond_a_gap(plan),
        }

    def _plan_since(self) -> Plan | None:
        """The way on from where a standby stands by what came since alone; None where all backups have to be
        looked at.
        """
        stands = standby.read_since(self.session, self.options, self.destination, self.sources)
        if stands is None:
            return None
        try:
            plan = self._plan_of_what_was_read()
        except RecoveryError as problem:
            if "refusal" not in problem.details:
                raise
            return None
        return plan if goes_straight_on(stands, plan, self.sources.catalog.sets) else None

    def _plan(self, *, with_server: bool = False) -> Plan:
        """The way to the target, or a RecoveryError that says why there is none and what could be had instead. Once
        something proved to be unusable, there may be another copy of it, or another way.
        """
        if self.sources.is_partial and self.sources.unusable:
            self.sources.read(trust=True)
        return self._plan_of_what_was_read(with_server=with_server)

    def _plan_of_what_was_read(self, *, with_server: bool = False) -> Plan:
        source = self.options.source
        request = Request(
            database=self.database,
            target=self.target,
            source_database=source.database or ("" if source.family_guid else self.database),
            family_guid=self.family,
            recovery_fork=source.recovery_fork,
            zone=self.zone,
            end=self.options.recovery,
            standby_file=self.standby_file,
            unusable=self.sources.unusable,
            marks=self.sources.marks,
            resume=self.options.replace != "always",
        )
        plan = plan_restore(
            self.sources.catalog,
            request,
            now=utc_now(self.session.connection),
            existing=self.destination.facts(),
            server=self.facts if with_server else None,
        )
        if isinstance(plan, Refusal):
            raise RecoveryError(
                f"Database {self.database} cannot be restored on {self.host}: {plan.message}",
                code="not_restorable",
                advice=sentences(plan.advice[:1].upper() + plan.advice[1:], source.otherwise),
                refusal=plan.to_dict(),
            )
        if not plan.recovery_point.certain and not self.options.opens:
            raise RecoveryError(
                f"Whether the backups of {self.database} hold the {self.target} shows only when the database is "
                "opened there",
                code="not_restorable",
                advice="Set 'recovery: recovered', or give a time or an LSN",
            )
        return plan

    def _complete_plan(self) -> Plan:
        """The plan with the place of every file, once the file list of every set that it uses could be read."""
        while not self.sources.confirm(self._plan(with_server=True)):
            pass
        plan = self._plan(with_server=True)
        own_files = [file["path"] for file in self.destination.files]
        check_placement(self.session.connection, plan, database=self.database, own_files=own_files)
        return plan

    def _read_back(self, plan: Plan) -> Plan:
        """A living database, and one that waits for logs, is given up only for backups that were read from their first
        to their last byte. What cannot be read is left out, and the next best way is tried the same way; where none is
        left, that is said while the database still lives.
        """
        is_given_up = self.destination.is_open or standby.is_given_up(self.options, plan, self.destination)
        if self.session.check_mode or not is_given_up:
            return plan
        whole: set[str] = set()
        while not self.sources.read_to_the_end(plan, whole=whole):
            plan = self._complete_plan()
        return plan

    def _decide(self, plan: Plan) -> Decision:
        info = self.destination.info or {}
        decision = decide(
            state="RESTORING" if self.destination.is_in_standby else info.get("state"),
            family_guid=self.destination.family(self.sources.catalog, wanted=plan.family_guid),
            mirroring_role=(info.get("mirroring") or {}).get("role") or "",
            recovery_model=info.get("recovery_model") or "",
            backup_family_guid=plan.family_guid,
            policy=self.options.replace,
            resumes=plan.resumes,
            holds_data=info.get("state") != "RESTORING" or any(file["redo_start_lsn"] for file in info["files"]),
            tail_wanted=self.options.tail_log == "attempt",
            opens=self.options.opens,
        )
        if decision.action == REFUSE:
            raise RecoveryError(
                f"Database {self.database} on {self.host} is not overwritten: {decision.reason}",
                code="would_lose_data",
                advice=decision.advice,
            )
        standby.require_leave(self.options, plan, self.destination, self.sources)
        return decision

    def _carry_out(self, plan: Plan, *, replace: bool) -> Plan:
        """Restore; a set that turns out to be unreadable is left out, and the next best way is taken. Returns the plan
        that worked.
        """
        while True:
            try:
                statements.restore(
                    self.session, plan, database=self.database, replace=replace, guarded=self.options.is_guarded
                )
                return plan
            except statements.SetUnusable as problem:
                self.sources.unusable[problem.guid] = problem.reason
                self.session.warnings.append(
                    f"A backup could not be read while it was restored, another way was taken: {problem.message}"
                )
                self.destination.refresh()
                replace = replace or self.destination.info is not None
                plan = self._complete_plan()

    def _finish(self) -> dict[str, Any]:
        """What the task returns of a database that was just restored."""
        if self.session.check_mode:
            return self._report()
        if self.options.opens:
            owner = self.options.owner or hand_over.builtin_owner(self.session.connection)
            handed_over = hand_over.hand_over(self.session, self.options, owner=owner, restored=True)
            return {**handed_over, **self._report()}
        self.destination.require_state("in standby" if self.standby_file else "RESTORING")
        return self._open_standby() if self.standby_file else self._report()

    def _tail_log(self) -> TailLog:
        # A tail outlives what was staged.
        first = None if self.sources.is_staged else next(iter(self.options.source.folders), None)
        folder = self.options.tail_log_path or first or self.server["default_backup_path"]
        return TailLog(
            self.session,
            self.destination,
            folder=folder,
            server=self.server,
            zone=self.zone,
            encryption=self.options.encryption,
        )

    def _unchanged(self) -> dict[str, Any]:
        """A healthy database stays; what an interrupted run did not come to is done."""
        owner = self.options.owner or hand_over.unfinished_owner(self.session, self.database)
        handed_over = hand_over.hand_over_found(self.session, self.options, self.destination.info, owner=owner)
        return {**handed_over, **self._report(), "plan": {}}

    def _open_standby(self) -> dict[str, Any]:
        return {**standby.open_standby(self.session, self.options, self.destination), **self._report()}

    def _report(self) -> dict[str, Any]:
        return {
            "changed": self.session.changed,
            "database": read_database(self.session.connection, self.database) or {},
            "statements": self.session.statements,
            **({"stood_at": self.position.to_dict()} if self.position else {}),
        }
