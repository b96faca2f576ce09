# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of two servers serves a mirrored database, by what each of them says."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import RecoveryError
from .session import PRINCIPAL

__all__ = ["DatabaseRole", "choose", "is_certain"]


@dataclass(frozen=True, kw_only=True)
class DatabaseRole:
    """What one server says of the database.

    server: how messages name it. problem: why it could not be asked, "" when it was. state: of the database, "" when it
    is not there. role, session (the mirroring state): "" without a session, and on a mirror for a login without
    sysadmin.
    """

    server: str
    problem: str = ""
    state: str = ""
    role: str = ""
    session: str = ""

    @property
    def serves(self) -> bool:
        return not self.problem and (self.role == PRINCIPAL or (not self.role and self.state == "ONLINE"))

    def __str__(self) -> str:
        if self.problem:
            return self.problem
        if not self.state:
            return f"the database is not on {self.server}"
        role = f"{self.role.lower()}, {self.session}, " if self.role else ""
        return f"on {self.server} it is {role}{self.state}"


def is_certain(first: DatabaseRole) -> bool:
    """Whether the partner need not be asked. A principal that lost sight of its mirror may have been replaced
    meanwhile.
    """
    return first.serves and first.session != "DISCONNECTED"


def choose(first: DatabaseRole, partner: DatabaseRole, *, database: str) -> DatabaseRole:
    """The server to work on. Raises RecoveryError where that is neither, or not to be told."""
    both = (first, partner)
    serving = [side for side in both if side.serves]
    if len(serving) == 2:  # the one that waits for the other, without a quorum, is not open
        serving = [side for side in both if side.state == "ONLINE"]
    if len(serving) == 1:
        return serving[0]
    if len(serving) == 2:
        raise RecoveryError(
            f"Both {first.server} and {partner.server} serve {database}, each a copy of its own",
            code="two_principals",
            advice="Decide which one stays: let the servers reach each other again, or end mirroring and remove the "
            "other copy. To work on one of them as it "
            "is, name it in login_host and leave out failover_partner",
        )
    holding = [side for side in both if side.state]
    if not first.problem and not partner.problem and (not holding or (len(holding) == 1 and not holding[0].role)):
        return holding[0] if holding else first
    raise RecoveryError(
        f"Neither {first.server} nor {partner.server} serves {database} as principal: {first}; {partner}",
        code="wrong_state",
        advice="Bring the principal back, or make the other server principal with sql_mirror_failover. To work on "
        "one of them as it is, name it in login_host "
        "and leave out failover_partner",
    )
