# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a way back costs: what is lost by it, and how long it takes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

__all__ = ["EVERYTHING", "NOTHING", "UNKNOWN", "Estimate", "Loss", "Phase", "lost_since"]


@dataclass(frozen=True, kw_only=True, order=True)
class Loss:
    """Ordered: what is known to be little is less than what nobody knows, and that is less than everything.

    rank: 0 where seconds are known, 1 where nobody knows, 2 where all data are lost. seconds: of work, at most.
    """

    rank: int
    seconds: float = 0.0

    @property
    def nothing(self) -> bool:
        return self.rank == 0 and self.seconds == 0


NOTHING = Loss(rank=0)
UNKNOWN = Loss(rank=1)
EVERYTHING = Loss(rank=2)


_CLOCKS_DIFFER = dt.timedelta(minutes=5)
"""Further apart no clocks of one domain are: Kerberos would not work."""


def lost_since(point: dt.datetime | None, now: dt.datetime) -> Loss:
    """What may have been written after a point and until now, never nothing. Of a point in the future nobody knows when
    it was.
    """
    if point is None or point - now > _CLOCKS_DIFFER:
        return UNKNOWN
    return Loss(rank=0, seconds=max(1.0, (now - point).total_seconds()))


class Phase(str, Enum):
    """What a run spends its time with."""

    START = "start what is stopped"
    INSTALL_SQL_SERVER = "install SQL Server"
    INSTALL_IIS = "set up IIS and the application"
    RESTORE_DATABASE = "restore the database"
    ATTACH_FILES = "copy, check and attach the data files"
    RESTORE_APPLICATION = "bring back the application"
    MOVE = "let the other site serve"
    CREATE = "make an empty database"
    VERIFY = "verify the service"


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """runs: of how many runs it is the median; 0: it rests on nothing but what such work usually takes."""

    seconds: float
    runs: int

    @staticmethod
    def total(parts: Sequence[Estimate]) -> Estimate:
        """A sum is as sure as its least sure part."""
        return Estimate(seconds=sum(part.seconds for part in parts), runs=min((part.runs for part in parts), default=0))
