# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The principal that a failover takes out of service, and the tail of its log."""

from __future__ import annotations

from ..._core.backup.backup_set import guid
from ..._core.errors import RecoveryError
from ..._core.restore.overwrite_policy import RESTORE, Decision
from ..._core.restore.target import parse_zone
from ..._core.standby.failover import Side
from ..connection.session import Session
from ..instance.server import read_server
from ..restore.tail_log import SavedTail, TailLog
from .options import StandbyFailoverOptions
from .side import read_side

__all__ = ["OldPrincipal"]


class OldPrincipal:
    """session: with its server. side: what that says of the database."""

    side: Side

    def __init__(self, session: Session, options: StandbyFailoverOptions) -> None:
        self.session, self.options = session, options
        self.destination, self.side = read_side(session, options.database)

    def retire(self, folder: str) -> SavedTail:
        """Save the tail of a living database, which leaves service with that: nothing is written after it. Raises
        RecoveryError; the database serves on then.
        """
        return self._save(Decision(action=RESTORE, reason="", tail=True, tail_required=True), folder)

    def salvage(self, folder: str) -> SavedTail:
        """Save the tail of a damaged database, if it can be had."""
        return self._save(Decision(action=RESTORE, reason="", tail=True), folder)

    def _save(self, decision: Decision, folder: str) -> SavedTail:
        tail_log = TailLog(
            self.session,
            self.destination,
            folder=folder,
            server=read_server(self.session.connection),
            zone=parse_zone(self.options.source.time_zone),
            encryption=self.options.encryption,
        )
        family = guid((self.destination.info or {}).get("family_guid"))
        try:
            return tail_log.save(decision, wanted=True, family=family) or SavedTail(file=None)
        except RecoveryError as problem:
            raise self.destination.failure(problem) from None
