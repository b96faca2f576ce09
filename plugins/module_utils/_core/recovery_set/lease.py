# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lease: a file beside the backups of a database that says who works on it, for work that outlives an instance of SQL
Server.

It counts as long as its holder renews it. How old it is, the file's own time says: that is the clock of the machine
that the folder is on, whoever looks.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..errors import RecoveryError
from ..times import parse_stored_time
from ..windows_paths import safe_name

__all__ = [
    "ABANDONED",
    "FREE",
    "GIVEN_UP",
    "HELD",
    "OURS",
    "STALE",
    "Lease",
    "is_lease",
    "judge",
    "lease_name",
    "owner_process",
    "parse_lease",
    "refusal",
]

FORMAT = "prs.recovery lease 1"
UNKNOWN = "somebody whose name cannot be read"
STALE_AFTER = dt.timedelta(hours=12)
"""Of a lease that cannot be read."""

FREE = "free"
OURS = "ours"
HELD = "held"
STALE = "stale"
ABANDONED = "abandoned"
GIVEN_UP = "given up"

_ENDING = ".lease.json"
_PROCESS = re.compile(r" pid (\d+)$")


@dataclass(frozen=True, kw_only=True)
class Lease:
    """Who works on a database. All times are aware, UTC.

    place: which machine's processes the owner's one is among; empty when nobody can tell. renewed_at: the time of the
    file.
    """

    database: str
    owner: str
    place: str
    taken_at: dt.datetime
    renewed_at: dt.datetime
    stale_after: dt.timedelta

    @property
    def stale_at(self) -> dt.datetime:
        return self.renewed_at + self.stale_after

    def lines(self) -> list[str]:
        """What is in the file."""
        content = {
            "format": FORMAT,
            "database": self.database,
            "owner": self.owner,
            "place": self.place,
            "taken_at": self.taken_at.isoformat(timespec="seconds"),
            "stale_after_minutes": self.stale_after.total_seconds() / 60,
        }
        return json.dumps(content, indent=2).split("\n")

    def to_dict(self) -> dict[str, Any]:
        """For results."""
        moments = {
            name: getattr(self, name).isoformat(timespec="seconds") for name in ("taken_at", "renewed_at", "stale_at")
        }
        return {"database": self.database, "owner": self.owner, **moments}


def lease_name(database: str) -> str:
    """Name of the file."""
    return f"{safe_name(database)}{_ENDING}"


def is_lease(path: str) -> bool:
    """Of whatever database."""
    return path.lower().endswith(_ENDING)


def owner_process(owner: str) -> int | None:
    """The process that an owner names, "user@controller pid 4711"; None when it names none."""
    match = _PROCESS.search(owner)
    return int(match[1]) if match else None


def parse_lease(lines: Iterable[str], *, database: str, renewed_at: dt.datetime) -> Lease:
    """What a file says. One that cannot be read counts all the same: somebody wrote it."""
    try:
        content = json.loads("\n".join(lines))
        if content["format"] != FORMAT:
            raise ValueError
        return Lease(
            database=str(content["database"]),
            owner=str(content["owner"]),
            place=str(content["place"]),
            taken_at=parse_stored_time(content["taken_at"]).astimezone(dt.timezone.utc),
            renewed_at=renewed_at,
            stale_after=dt.timedelta(minutes=content["stale_after_minutes"]),
        )
    except (ValueError, TypeError, KeyError, OverflowError):
        return Lease(
            database=database,
            owner=UNKNOWN,
            place="",
            taken_at=renewed_at,
            renewed_at=renewed_at,
            stale_after=STALE_AFTER,
        )


def judge(lease: Lease | None, *, owner: str, now: dt.datetime, ended: bool = False, take_over: bool = False) -> str:
    """FREE, OURS, HELD (by somebody else), STALE (not renewed in time), ABANDONED or GIVEN_UP.

    ended: the owner's process was on this machine and is gone. take_over: a person says that the owner does nothing any
    more.
    """
    if lease is None:
        return FREE
    if lease.owner == owner:
        return OURS
    if ended:
        return ABANDONED
    if now >= lease.stale_at:
        return STALE
    return GIVEN_UP if take_over else HELD


def refusal(lease: Lease, *, path: str) -> RecoveryError:
    """What the loser is told."""
    since, renewed, end = map(_shown, (lease.taken_at, lease.renewed_at, lease.stale_at))
    return RecoveryError(
        f"{lease.owner} works on database {lease.database} since {since} (lease {path}, renewed {renewed})",
        code="in_use",
        advice=f"Wait until that has ended; from {end} on it counts as given up. Where it surely does nothing any "
        "more, say take_over: true "
        "(restore_prs, rebuild_prs: -e prs_take_over_lease=true)",
        lease={**lease.to_dict(), "path": path},
    )


def _shown(moment: dt.datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
