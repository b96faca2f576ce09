# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of sql_mirror: look at both servers, let `_core.mirroring` decide, carry its steps out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..._core.errors import RecoveryError
from ..._core.mirroring.copy import PrincipalHistory, RestoringCopy, refuse_newer_copy, refuse_unknown_copy
from ..._core.mirroring.session import Side
from ..._core.mirroring.setup import ONCE_MORE, MirrorPlan, Step, Wanted, plan_mirror, plan_removal
from ..connection.errors import SqlError
from ..connection.session import Session
from ..instance.locks import hold
from ..instance.mirroring_session import (
    ALREADY_ENABLED,
    NOT_MIRRORED,
    read_obstacles,
    read_side,
    set_partner,
    wait_until,
)
from .copy import read_copy, read_history_of_forks
from .seeding import Seeding

__all__ = ["MirrorRun"]

ATTEMPTS = 3
"""How often the mirror is brought up to date again, while log backups keep coming in between."""


class MirrorRun:
    """Both servers of a database. The other session may be missing where a session is only ended."""

    def __init__(self, session: Session, other: Session | None) -> None:
        self.session, self.other, self.params = session, other, session.params
        self.database: str = session.params["database"]
        self.seeded: list[str] = []
        self._copy: RestoringCopy | None = None
        self._history: PrincipalHistory | None = None

    def look(self) -> list[Side]:
        """What the servers say now, ours first."""
        sides = [read_side(self.session.connection, self.database, address=self.params["address"])]
        if self.other is not None:
            sides.append(read_side(self.other.connection, self.database, address=self.params["partner"]["address"]))
        return sides

    def end(self) -> None:
        local, *others = self.look()
        remote = others[0] if others else Side(server="", address="")
        for side, _step in plan_removal(local, remote):
            set_partner(self._session_of(side), self.database, "end")

    def establish(self) -> None:
        """Whatever is missing to the wanted session."""
        plan = plan_mirror(*map(self._with_obstacles, self.look()), self._wanted())
        self._refuse_unknown_copy(plan)
        if plan.steps:
            hold(self._session_of(plan.principal), self.database, wait=self.params["wait"])
        for step in plan.steps:
            self._carry_out(plan, step)
        if self._wanted().running:
            self._wait(plan, "mirroring in step")

    def expected(self, before: dict[str, Any]) -> dict[str, Any]:
        """What check mode expects."""
        params = self.params
        if params["state"] == "absent":
            return {}
        wanted = {"safety": params["safety"], "witness": params["witness"], "timeout": params["timeout"]}
        state = "SUSPENDED" if params["state"] == "suspended" else "SYNCHRONIZED"
        return {**before, **{key: value for key, value in wanted.items() if value is not None}, "state": state}

    def _with_obstacles(self, side: Side) -> Side:
        connection = self._session_of(side).connection
        return replace(side, obstacles=read_obstacles(connection, self.database)) if side.state else side

    def _wanted(self) -> Wanted:
        params = self.params
        return Wanted(
            database=self.database,
            safety=params["safety"],
            witness=params["witness"],
            timeout=params["timeout"],
            running=params["state"] == "running",
        )

    def _session_of(self, side: Side) -> Session:
        return (
            self.session if self.other is None or side.server == self.session.connection.target.server else self.other
        )

    def _carry_out(self, plan: MirrorPlan, step: Step) -> None:
        session = self._session_of(plan.principal if step.on == "principal" else plan.mirror)
        if step.action == "seed":
            self._seed(plan)
        elif step.action == "partner":
            self._set_partners(plan, session, step)
        else:
            if step.action in ("witness", "suspend") and step.value:
                self._wait(plan, "a mirror that is caught up, which a witness needs")
            set_partner(session, self.database, step.action, step.value)

    # ---- a new session

    def _seeding(self, plan: MirrorPlan) -> Seeding:
        principal, mirror = self._session_of(plan.principal), self._session_of(plan.mirror)
        return Seeding(
            principal,
            mirror,
            database=self.database,
            folder=self.params["seed_path"],
            relocate=self.params["relocate"],
            encryption=self.params["encryption"],
        )

    def _refuse_unknown_copy(self, plan: MirrorPlan) -> None:
        """Before anything is changed: what is RESTORING at the mirror's place may be more than a mirror that was."""
        if plan.mirror.state != "RESTORING" or Step("seed", "mirror") not in plan.steps:
            return
        principal, mirror = self._session_of(plan.principal), self._session_of(plan.mirror)
        self._copy = read_copy(mirror.connection, self.database)
        self._history = read_history_of_forks(principal.connection, self.database)
        refuse_unknown_copy(self._copy, self._history, database=self.database)

    def _seed(self, plan: MirrorPlan) -> None:
        """The mirror's copy: what is RESTORING there of the same database is brought up to date, else it
        is made anew.
        """
        seeding = self._seeding(plan)
        if plan.mirror.state == "RESTORING":
            self._forget(self._session_of(plan.mirror))
            if not self.session.check_mode and seeding.catch_up() is not None:
                return
        seeding.seed(before_restore=self._refuse_newer_copy)
        self.seeded += seeding.files

    def _refuse_newer_copy(self, end_of_log: int) -> None:
        if self._copy and self._history:
            refuse_newer_copy(self._copy, self._history, end_of_log=end_of_log, database=self.database)

    def _set_partners(self, plan: MirrorPlan, session: Session, step: Step) -> None:
        """SET PARTNER: on the mirror first, which only remembers it; on the principal, which begins."""
        for attempt in range(ATTEMPTS):
            try:
                set_partner(session, self.database, "partner", step.value)
                return
            except SqlError as problem:
                if attempt + 1 == ATTEMPTS or problem.number not in (*ONCE_MORE, ALREADY_ENABLED):
                    raise
                if step.on == "mirror":
                    self._forget(session)
                    continue
                if problem.number == ALREADY_ENABLED:
                    raise
            self._bring_up_to_date(plan)

    def _bring_up_to_date(self, plan: MirrorPlan) -> None:
        """Log backups came in between; without any, only a new copy helps. The mirror restores nothing while it has a
        partner.
        """
        mirror, seeding = self._session_of(plan.mirror), self._seeding(plan)
        self._forget(mirror)
        if not seeding.catch_up():
            seeding.seed(chain=True)
            self.seeded += seeding.files
        set_partner(mirror, self.database, "partner", plan.principal.address)

    def _forget(self, mirror: Session) -> None:
        """A mirror that was told its partner, and of which no session came. The catalog does not show that, the
        statement does.
        """
        if mirror.check_mode:
            return
        before = list(mirror.statements)
        try:
            set_partner(mirror, self.database, "end")
        except SqlError as problem:
            if problem.number != NOT_MIRRORED:
                raise
            mirror.statements[:] = before

    def _wait(self, plan: MirrorPlan, what: str) -> None:
        """Until the mirror is caught up; with safety OFF it may be a little behind for ever."""
        if self.session.check_mode:
            return
        session = self._session_of(plan.principal)
        address = plan.principal.address

        def fits(side: Side) -> bool:
            if side.session == "SUSPENDED":
                raise RecoveryError(
                    f"Mirroring of {self.database} was suspended on its way",
                    code="wrong_state",
                    advice="Look for error 1453 or 1454 in both servers' error logs (a full drive above all), then "
                    "run again",
                )
            return side.session == "SYNCHRONIZED" or (side.session == "SYNCHRONIZING" and side.safety == "OFF")

        wait_until(
            lambda: read_side(session.connection, self.database, address=address),
            fits,
            seconds=self.params["wait"],
            what=what,
            session=session,
        )
