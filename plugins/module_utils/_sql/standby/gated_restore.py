# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A restore each plan of which is judged before anything is touched, also the one that is made anew where a backup
proves to be unreadable on the way: a standby is never opened with less than was asked for.
"""

from __future__ import annotations

from collections.abc import Callable

from ..._core.restore.plan import Plan
from ..connection.session import Session
from ..restore.options import RestoreOptions
from ..restore.run import RestoreRun

__all__ = ["GatedRestore"]


class GatedRestore(RestoreRun):
    """judge: raises RecoveryError for a plan that is not good enough. plan: the last one that was."""

    plan: Plan

    def __init__(self, session: Session, options: RestoreOptions, judge: Callable[[Plan], None]) -> None:
        super().__init__(session, options)
        self.judge = judge

    def _plan(self, *, with_server: bool = False) -> Plan:
        plan = super()._plan(with_server=with_server)
        self.judge(plan)
        self.plan = plan
        return plan
