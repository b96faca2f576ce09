# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of sql_standby_failover: the route is chosen in `_core.standby`, and taken here.

Wherever it is interrupted, what the servers say of the database tells the next run how to go on: the old principal is
open, or RESTORING since its tail was saved; the standby is RESTORING, or open.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from ..._core.errors import RecoveryError
from ..._core.restore.plan import Plan, Step
from ..._core.restore.target import parse_target
from ..._core.standby.failover import BROKEN, plan_standby_failover, require_no_gap, require_tail
from ..connection.quoting import compose
from ..connection.session import Session
from ..instance.databases import change_alone, read_database
from ..instance.folders import from_disk
from ..instance.locks import hold
from ..instance.server import utc_now
from ..restore import hand_over
from ..restore.options import RestoreOptions
from ..restore.statements import restore_statement
from ..restore.tail_log import SavedTail
from .folders import lies_in, readable_folders, visible
from .gated_restore import GatedRestore
from .loss import Loss
from .old_principal import OldPrincipal
from .options import StandbyFailoverOptions
from .side import read_side

__all__ = ["StandbyFailoverRun"]

_BACK = "If the tail is lost, let the old principal serve again: a failover back to it opens it, with every row"


class StandbyFailoverRun:
    """session: of the standby's server, which shall serve. other: of the old principal, None with the problem when it
    cannot be asked.
    """

    def __init__(self, session: Session, other: Session | None, problem: str, options: StandbyFailoverOptions) -> None:
        self.session, self.other, self.options = session, other, options
        self.database = options.database
        self.loss = Loss(session, options, problem)
        self.tail: SavedTail | None = None
        self.plan: dict[str, Any] = {}
        self.users: dict[str, Any] = {}
        self.folders: list[str] = []

    def run(self) -> dict[str, Any]:
        """What the task returns beside its statements."""
        session, options = self.session, self.options
        if options.until and parse_target(options.until).kind != "time":
            raise RecoveryError(
                f"'{options.until}' is no moment",
                code="option_invalid",
                advice="Give a time with its zone, such as 2026-03-01T14:30:00+01:00",
            )
        for side in (session, self.other):
            if side is not None:
                hold(side, self.database, wait=options.lock_timeout)
        self.local = read_side(session, self.database)[1]
        self.old = OldPrincipal(self.other, options) if self.other is not None else None
        route = plan_standby_failover(
            self.local,
            self.old.side if self.old else None,
            database=self.database,
            allow_data_loss=options.allow_data_loss,
            goes_back=bool(options.until),
        )
        session.progress.line(f"{self.database}: {route.way}, {route.reason}")
        self.folders = readable_folders(session, options)
        self.began = time.monotonic()
        ways: dict[str, Callable[[], None]] = {
            "stays": self._stay,
            "rejoin": self._rejoin,
            "planned": self._back_to_the_moment if options.until else self._take_over,
            "finish": self._finish,
            "force": self._force,
        }
        ways[route.way]()
        self._describe_tail()
        opened = route.way in ("planned", "finish", "force") and not session.check_mode
        closed = {"interrupted_seconds": round(time.monotonic() - self.began, 3)} if opened else {}
        return {"way": route.way, "reason": route.reason, **self._report(), **closed}

    def _report(self) -> dict[str, Any]:
        side = read_side(self.session, self.database)[1]
        left = side.is_open and bool(side.parent_fork)
        return {
            "may_be_lost": self.loss.report,
            "tail_log": self.tail.to_dict() if self.tail else {},
            "plan": self.plan,
            "users": self.users,
            "branch": {"fork": side.fork, "parent": side.parent_fork, "left_lsn": side.fork_point_lsn} if left else {},
            "before": {"standby": self.local.to_dict(), "partner": self.old.side.to_dict() if self.old else {}},
            "database": read_database(self.session.connection, self.database) or {},
        }

    # ---- routes

    def _stay(self) -> None:
        """The server serves. What an interrupted run did not come to is done."""
        session, options = self.session, self.options
        if options.until:
            session.warnings.append(
                f"{self.database} is open on {session.connection.target.server} already and stays as it is; going back "
                f"to {options.until} now is a restore (restore_prs)"
            )
        self._hand_over(options.owner or hand_over.unfinished_owner(session, self.database))

    def _rejoin(self) -> None:
        """An old principal came back with a database of its own: it leaves service, and what it holds is kept."""
        self._stay()
        self.tail = self._principal().retire(self.options.required_unsent_path())
        self.loss.of_old_principal(self._principal().side.server, kept_in=self.tail.file)

    def _take_over(self) -> None:
        """The principal answers: nothing is lost. The standby catches up while that still serves: less is left to do
        when it does not, and a log that is missing or damaged shows in time.
        """
        old = self._principal()
        catch_up = GatedRestore(self.session, self._options("norecovery"), self._require_no_gap)
        self.plan = catch_up.run()["plan"]
        self.began = time.monotonic()
        self.tail = old.retire(self.options.tail_path)
        if self.session.check_mode:
            _show_opening(self.session, self.database, self.tail.file or "")
            return
        end_of_log = max(entry.last_lsn for entry in self.tail.catalog.sets) if self.tail.catalog else 0
        advice = f"Look why {self.tail.file} cannot be read, then run again. {_BACK}"
        self._open(self._require_tail(end_of_log, advice=advice))

    def _back_to_the_moment(self) -> None:
        """To a moment before a mistake. What the principal holds is saved apart: it is given up, and no restore shall
        take it for the newest backup.
        """
        unsent = self.options.required_unsent_path()
        self.loss.after_the_target()
        reaches = self._reaches_the_moment()
        self.began = time.monotonic()
        self.tail = self._principal().retire(unsent)
        if reaches or not self.session.check_mode:
            self._open(lambda plan: None)

    def _finish(self) -> None:
        """Both are RESTORING: the old principal since its tail was saved."""
        if self.options.until:
            self.loss.after_the_target()
            self._open(lambda plan: None)
            return
        end_of_log = self._principal().side.stands_at or 0
        advice = (
            f"Bring the tail to a folder that is read, then run again. {_BACK}. To open {self.database} here without "
            "it, set 'allow_data_loss: true'"
        )
        require = self._require_tail(end_of_log, advice=advice)

        def judge(plan: Plan) -> None:
            lsn = plan.recovery_point.lsn
            if self.options.allow_data_loss and lsn is not None and lsn < end_of_log:
                self.loss.of_plan(plan)
            else:
                require(plan)

        self._open(judge)

    def _force(self) -> None:
        """Without the old principal: what can be read is applied, and the rest is lost."""
        if self.old is not None and self.old.side.state in BROKEN and self.options.allow_data_loss:
            self.tail = self.old.salvage(self.options.tail_path)
        if self.options.until:
            self.loss.after_the_target()
            self._open(lambda plan: None)
            return
        try:
            if self.folders or self.options.source.files:
                self._open(self.loss.of_plan)
                return
        except RecoveryError as problem:
            if (problem.details.get("refusal") or {}).get("code") != "no_sets":
                raise
        self._open_as_it_stands()

    # ---- steps

    def _open(self, judge: Callable[[Plan], None]) -> None:
        """Apply what leads to the target, open the database and hand it over."""
        files = [self.tail.file] if self.tail and self.tail.file and not self.session.check_mode else []
        result = GatedRestore(self.session, self._options("recovered", files=files), judge).run()
        self.plan, self.users = result["plan"], result.get("users", {})

    def _open_as_it_stands(self) -> None:
        """No backup can be read: the standby has what it has."""
        session, local = self.session, self.local
        if local.stands_at is None and not local.is_in_standby:
            raise RecoveryError(
                f"{self.database} on {local.server} was never restored to an end, and no backup can be read",
                code="not_restorable",
                advice="Bring backups to a folder that SQL Server reads there, then run again (or rebuild_prs)",
            )
        self.loss.since(self.loss.moment_of(local.stands_at))
        session.warnings.append(f"No backup of {self.database} can be read, so the standby is opened as it stands")
        statement = restore_statement(self.database, Step(action="recover"))
        doing = f"The standby {self.database} on {local.server} cannot be opened"
        change_alone(session, self.database, statement, doing=doing)
        if not session.check_mode:
            self._hand_over(self.options.owner or hand_over.builtin_owner(session.connection))

    def _hand_over(self, owner: str | None) -> None:
        self.users = hand_over.hand_over(self.session, self._options("recovered"), owner=owner)["users"]

    def _describe_tail(self) -> None:
        """Whatever run saved the tail with which the database was opened, recovery sets shall know it."""
        if self.session.check_mode or not self.options.has_windows:
            return
        side = read_side(self.session, self.database)[1]
        if side.is_open and side.fork_point_lsn:
            from .tail_manifest import describe_tail  # a run that speaks SQL alone does not pay for it

            describe_tail(self.session, self.database, self.options.tail_path, ends_at=side.fork_point_lsn)

    # ---- what is asked before anything is touched

    def _reaches_the_moment(self) -> bool:
        """Whether the backups hold the moment. Where they end before it, the tail has to go on where they end. Raises
        RecoveryError for neither, before the principal leaves service.
        """
        only_asks = Session(params=self.session.params, check_mode=True, progress=self.session.progress)
        only_asks.connection = self.session.connection
        try:
            GatedRestore(only_asks, self._options("recovered"), lambda plan: None).run()
            return True
        except RecoveryError as problem:
            moment = parse_target(self.options.until).time
            if problem.code != "not_restorable" or moment is None or moment > utc_now(self.session.connection):
                raise
            latest = GatedRestore(only_asks, self._options("norecovery", target="latest"), self._require_no_gap)
            latest.run()
            reached = latest.plan.recovery_point.time
            if reached is None or moment < reached:
                raise problem from None
            return False

    def _require_no_gap(self, plan: Plan) -> None:
        point = plan.recovery_point
        require_no_gap(
            (point.lsn, point.fork), self._principal().side, database=self.database, standby=self.local.server
        )

    def _require_tail(self, end_of_log: int, *, advice: str) -> Callable[[Plan], None]:
        old = self._principal().side.server
        return lambda plan: require_tail(
            plan.recovery_point.lsn, end_of_log, database=self.database, old=old, advice=advice
        )

    # ---- where things lie

    def _principal(self) -> OldPrincipal:
        """The old one, where the route leads over it."""
        if self.old is None:
            raise RecoveryError(
                f"The principal of {self.database} cannot be asked: {self.loss.problem}", code="sql_unreachable"
            )
        return self.old

    def _options(self, recovery: str, *, files: Sequence[str] = (), target: str = "") -> RestoreOptions:
        folders = list(self.folders)
        if self.options.until and self.options.unsent_path and not target:
            folders += visible(self.session, self.options.unsent_path)
        return self.options.restore_options(
            folders=folders,
            files=[*self.options.source.files, *(file for file in files if not lies_in(file, folders))],
            family=self.local.family,
            recovery=recovery,
            target=target or self.options.until or "latest",
        )


def _show_opening(session: Session, database: str, tail: str) -> None:
    """The statements of a check run, whose tail is not there to be read."""
    log = compose("RESTORE LOG {database}", database=database) + f" FROM {from_disk([tail])} WITH NORECOVERY"
    session.change(log, doing="-")
    session.change(restore_statement(database, Step(action="recover")), doing="-")
