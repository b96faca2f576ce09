# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of sql_mirror_failover: the route is chosen in `_core.mirroring`, and taken here."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ..._core.errors import RecoveryError
from ..._core.mirroring.failover import FailoverRoute, plan_failover
from ..._core.mirroring.session import PRINCIPAL, Side, may_be_lost
from ..connection.session import Session
from ..instance.databases import read_database
from ..instance.mirroring_session import read_side, set_partner, wait_until

__all__ = ["FailoverRun"]


class FailoverRun:
    """session: of the server that shall be principal. other: of its partner, None with the problem when it cannot be
    asked.
    """

    def __init__(self, session: Session, other: Session | None, problem: str) -> None:
        self.session, self.other, self.problem = session, other, problem
        self.params = session.params
        self.database: str = session.params["database"]
        self.wait: int = session.params["wait"]

    def local(self) -> Side:
        return read_side(self.session.connection, self.database, address=None)

    def remote(self) -> Side | None:
        return read_side(self.other.connection, self.database, address=None) if self.other is not None else None

    def run(self) -> dict[str, Any]:
        """What the task returns beside its changes."""
        local, remote = self.local(), self.remote()
        yes = self.params["allow_data_loss"]
        route = plan_failover(local, remote, database=self.database, allow_data_loss=yes, rejoin=self.params["rejoin"])
        self.session.progress.line(f"{self.database}: {route.way}, {route.reason}")
        lost = may_be_lost(local) if route.way == "force" or (route.may_lose and route.way == "resume") else {}
        took_over = False
        self._began = time.monotonic()
        if route.way == "wait":
            route, lost, took_over = self._wait_for_the_witness(local, route)
        ways: dict[str, Callable[[], None]] = {
            "manual": self._manual,
            "through_safety": self._through_safety,
            "force": self._force,
            "resume": self._resume,
            "stays": lambda: None,
            "wait": lambda: None,
        }
        ways[route.way]()
        self._settle_safety()
        result: dict[str, Any] = {"way": route.way, "reason": route.reason, "may_be_lost": lost, "took_over": took_over}
        if route.way in ("manual", "through_safety", "force") and not self.session.check_mode:
            if route.way != "through_safety":
                self._until_open()
            result["interrupted_seconds"] = round(self._open_at - self._began, 3)
            if route.way == "manual":
                self._until_in_step()
        return result

    # ---- routes

    def _principal(self) -> Session:
        """The partner, where the route leads over it."""
        if self.other is None:
            raise RecoveryError(
                f"The principal of {self.database} cannot be asked: {self.problem}", code="sql_unreachable"
            )
        return self.other

    def _manual(self) -> None:
        """On the principal, once the mirror is in step."""
        principal = self._principal()
        self._until_in_step()
        self._began = time.monotonic()
        set_partner(principal, self.database, "failover")

    def _through_safety(self) -> None:
        """Asynchronous sessions fail over while they are synchronous; safety is what it was afterwards, also when the
        failover fails.
        """
        set_partner(self._principal(), self.database, "safety", "FULL")
        try:
            self._manual()
            if not self.session.check_mode:
                self._until_open()
                self._until_in_step()
        except RecoveryError:
            self._back_to_asynchronous()
            raise
        set_partner(self.session, self.database, "safety", "OFF")

    def _settle_safety(self) -> None:
        """An interrupted failover of an asynchronous session left it synchronous, and whether it had been nobody can
        see any more.
        """
        wanted, local = self.params["safety"], self.local()
        if (
            wanted
            and local.role == PRINCIPAL
            and local.session in ("SYNCHRONIZED", "SYNCHRONIZING")
            and local.safety != wanted
        ):
            set_partner(self.session, self.database, "safety", wanted)

    def _back_to_asynchronous(self) -> None:
        """Whoever is principal now takes safety back; that it may fail too changes nothing of what is reported."""
        for session in (self.other, self.session):
            if session is not None and read_side(session.connection, self.database, address=None).role == PRINCIPAL:
                try:
                    set_partner(session, self.database, "safety", "OFF")
                except RecoveryError as problem:
                    session.warnings.append(f"Safety of {self.database} is still FULL: {problem.message}")
                return

    def _force(self) -> None:
        self._began = time.monotonic()
        set_partner(self.session, self.database, "force")

    def _resume(self) -> None:
        set_partner(self.session, self.database, "resume")
        self._until_in_step(behind=True)

    def _wait_for_the_witness(self, local: Side, route: FailoverRoute) -> tuple[FailoverRoute, dict[str, Any], bool]:
        """The mirror takes over by itself if it was in step. If it does not, it was not, and only force is left."""
        if self.session.check_mode:
            return route, {}, False
        ends = time.monotonic() + min(self.wait, 2 * (local.timeout or 10) + 10)
        while time.monotonic() < ends:
            if self.local().role == PRINCIPAL:
                return route, {}, True
            time.sleep(0.5)
        if not self.params["allow_data_loss"]:
            raise RecoveryError(
                f"The mirror of {self.database} on {local.server} did not take over by itself, so it was not in step "
                f"when the principal was lost. {may_be_lost(local)['reason']}",
                code="would_lose_data",
                advice="Make sure that the principal is down, then set 'allow_data_loss: true'",
            )
        return (
            FailoverRoute(
                way="force", reason="the mirror was not in step and did not take over by itself", may_lose=True
            ),
            may_be_lost(local),
            False,
        )

    # ---- waiting

    def _until_open(self) -> None:
        ends = time.monotonic() + self.wait
        while (read_database(self.session.connection, self.database) or {}).get("state") != "ONLINE":
            if time.monotonic() > ends:
                raise RecoveryError(
                    f"{self.database} on {self.session.connection.target.server} is principal, but not open after "
                    f"{self.wait} seconds",
                    code="timeout",
                )
            time.sleep(0.2)
        self._open_at = time.monotonic()

    def _until_in_step(self, *, behind: bool = False) -> None:
        """behind: an asynchronous mirror may be a little late."""

        def fits(side: Side) -> bool:
            return side.session == "SYNCHRONIZED" or (
                behind and side.safety == "OFF" and side.session == "SYNCHRONIZING"
            )

        if not self.session.check_mode:
            wait_until(self.local, fits, seconds=self.wait, what="mirroring in step", session=self.session)
