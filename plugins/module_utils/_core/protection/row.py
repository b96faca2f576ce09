# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an estate is protected now: facts that somebody gathered, objectives and the time in, rows of a table out.

Facts are plain JSON, gathered by the role verify (its README says their shape); what is not there was not looked at.
Every check makes its row also when all is well, so that a row which is missing is seen.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["FAIL", "OK", "WARN", "Finding", "Objectives", "Row", "absent", "row"]

OK, WARN, FAIL = "ok", "warn", "fail"


@dataclass(frozen=True, kw_only=True)
class Row:
    """what was looked at, where; state: ok, warn or fail; value: what was found; limit: what it should be; next: what
    to do.

    metric: a name of protection_report.METRICS, measure: its value, where one was measured.
    """

    what: str
    where: str
    state: str
    value: str
    limit: str = ""
    next: str = ""
    metric: str = ""
    measure: float | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Objectives:
    """What the owner of the estate asks for. Seconds, days, bytes; drill_days None: no rule.

    shared_readers: the owner knows that somebody reads the keys and an unencrypted database together.
    """

    recovery_point_seconds: int = 93600
    certificate_days: int = 30
    drill_days: int | None = None
    free_bytes: int = 5 << 30
    database: str = "PasswordResetServer"
    share_account: str = ""
    shared_readers: bool = False


Finding = Callable[[Mapping[str, Any], Objectives, dt.datetime], Iterable[Row]]
"""A check: facts, objectives and now in, rows out."""


def row(
    what: str,
    where: str,
    problem: str,
    *,
    good: str = "",
    limit: str = "",
    next: str = "",
    state: str = FAIL,
    metric: str = "",
    measure: float | None = None,
) -> Row:
    """`state` with the problem where there is one, else ok with what is good."""
    if problem:
        return Row(
            what=what, where=where, state=state, value=problem, limit=limit, next=next, metric=metric, measure=measure
        )
    return Row(what=what, where=where, state=OK, value=good, limit=limit, metric=metric, measure=measure)


def absent(paths: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those that were looked for and are not there. Error 5 is what is there and may not be read, as keys
    are for most.
    """
    return [path for path in paths if path["error"] not in (0, 5)]


def gathered(
    checks: Iterable[Finding], facts: Mapping[str, Any], objectives: Objectives, now: dt.datetime
) -> Iterator[Row]:
    for check in checks:
        yield from check(facts, objectives, now)
