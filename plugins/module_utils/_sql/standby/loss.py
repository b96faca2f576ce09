# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a failover loses, told before it is lost, and lost only with a yes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ..._core.errors import RecoveryError
from ..._core.restore.plan import Plan
from ..._core.restore.target import parse_target
from ..._core.standby.failover import loss_report
from ..connection.session import Session
from ..instance.server import utc_now
from .options import StandbyFailoverOptions
from .side import moment_of

__all__ = ["Loss"]


class Loss:
    """session: of the standby's server. problem: why the old principal cannot be asked, or empty. report: empty where
    nothing is lost.
    """

    def __init__(self, session: Session, options: StandbyFailoverOptions, problem: str) -> None:
        self.session, self.options, self.problem = session, options, problem
        self.report: dict[str, Any] = {}

    @property
    def server(self) -> str:
        return self.session.connection.target.server

    def of_plan(self, plan: Plan) -> None:
        """What comes after the plan's recovery point. Raises RecoveryError without a yes."""
        point = plan.recovery_point
        self.since(point.time or self.moment_of(point.lsn))

    def since(self, moment: datetime | None) -> None:
        """What comes after a moment, None where nothing tells it. Raises RecoveryError without a yes."""
        self.report = loss_report(since=moment, now=utc_now(self.session.connection), standby=self.server)
        if not self.options.allow_data_loss:
            why = f" ({self.problem})" if self.problem else ""
            raise RecoveryError(
                f"The principal of {self.options.database} cannot hand over the tail of its log{why}. "
                f"{self.report['reason']}",
                code="would_lose_data",
                advice="Make sure that the principal is down, then set 'allow_data_loss: true'",
                may_be_lost=self.report,
            )

    def after_the_target(self) -> None:
        """What comes after the moment that somebody asked for."""
        moment = parse_target(self.options.until).time
        self.report = loss_report(since=moment, now=utc_now(self.session.connection), standby=self.server)

    def of_old_principal(self, server: str, *, kept_in: str | None) -> None:
        """What a database got that was replaced meanwhile."""
        reason = f"What {server} got while {self.server} served is not in the database any more"
        self.report = {
            "since": None,
            "minutes": None,
            "reason": f"{reason}; the tail of its log is kept in {kept_in}",
        }

    def moment_of(self, lsn: int | None) -> datetime | None:
        """When the standby stood at an LSN, as its server remembers."""
        return moment_of(self.session.connection, self.options.database, lsn=lsn)
