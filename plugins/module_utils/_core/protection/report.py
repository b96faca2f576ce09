# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of the rows of a protection check: an order, a table for a terminal, metrics."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from ..prometheus import Metric, lines
from ..protection import backups as protection_backups
from ..protection import mirroring as protection_mirror
from ..protection import servers as protection_servers
from ..protection import standby as protection_standby
from ..text import counted, table_line
from .row import FAIL, OK, WARN, Objectives, Row, gathered

__all__ = ["METRICS", "judge", "metrics", "summary", "table"]

_ORDER = {FAIL: 0, WARN: 1, OK: 2}
_MARKS = {OK: "ok", WARN: "WARN", FAIL: "FAIL"}
_HEAD = ("STATE", "WHAT", "WHERE", "FOUND", "LIMIT")
_WIDEST = 58
"""Columns that what was found may take; more goes on in the next line."""

METRICS = {
    "recovery_point_age_seconds": "How old the newest data are that can be brought back from the backups.",
    "recovery_set_age_seconds": "How old the data of the newest whole and healthy recovery set are.",
    "certificate_seconds": "How long a certificate is still valid.",
    "free_bytes": "Room that is left.",
    "mirror_unsent_bytes": "Log of the principal that its mirror does not have yet.",
    "standby_lag_seconds": "How old the data of a database are that follows at another site.",
    "standby_delay_seconds": "How long backups are kept back from it.",
    "standby_gap_backups": "Newer backups that cannot be applied to it, since a log before them is missing.",
    "drill_age_seconds": "How long ago the last drill passed.",
}


def judge(
    facts: Mapping[str, Any], objectives: Objectives, now: dt.datetime, *, service_only: bool = False
) -> list[Row]:
    """All rows, worst first; what is equally bad stays in the order of the checks. now: aware. service_only: whether it
    serves, not whether it is protected.

    What the control node itself lacks hides the rest: without it nothing else was really looked at.
    """
    if lacks := list(protection_servers.control_node(facts)):
        return lacks
    everything = (
        *protection_servers.CHECKS,
        *protection_mirror.CHECKS,
        *protection_standby.CHECKS,
        *protection_backups.CHECKS,
    )
    result = gathered(protection_servers.SERVICE_CHECKS if service_only else everything, facts, objectives, now)
    return sorted(result, key=lambda entry: _ORDER[entry.state])


def summary(rows: Sequence[Row], *, service_only: bool = False) -> str:
    good, bad = ("SERVES", "DOES NOT SERVE") if service_only else ("PROTECTED", "NOT PROTECTED")
    failed, warned = (sum(row.state == state for row in rows) for state in (FAIL, WARN))
    if not failed:
        return good + (f", {counted(warned, 'warning')}" if warned else "")
    return f"{bad}: {counted(failed, 'check')} failed" + (f", {counted(warned, 'warning')}" if warned else "")


def table(rows: Sequence[Row]) -> list[tuple[str, str]]:
    """(state, line) of a table with aligned columns; the lines of the frame have the state ''. What is wrong says below
    it what to do.
    """
    cells = [(_MARKS[row.state], row.what, row.where, row.value, row.limit) for row in rows]
    widths = [
        min(_WIDEST, max(len(cell[column]) for cell in [_HEAD, *cells]))
        if column == 3
        else max(len(cell[column]) for cell in [_HEAD, *cells])
        for column in range(len(_HEAD))
    ]
    ruler = "-+-".join("-" * width for width in widths)
    drawn = [("", table_line(_HEAD, widths)), ("", ruler)]
    for entry, cell in zip(rows, cells, strict=True):
        first, *more = _wrapped(cell[3], widths[3])
        drawn.append((entry.state, table_line((*cell[:3], first, cell[4]), widths)))
        drawn += [(entry.state, table_line(("", "", "", part, ""), widths)) for part in more]
        if entry.state != OK and entry.next:
            drawn += [
                (entry.state, table_line(("", "", "", part, ""), widths))
                for part in _wrapped(f"-> {entry.next}", widths[3])
            ]
    return [*drawn, ("", ruler)]


def _wrapped(text: str, width: int) -> list[str]:
    """Lines of at most `width`; a word that is longer, such as a path, is cut."""
    parts = [""]
    for word in text.split():
        while len(word) > width:
            room = width - len(parts[-1]) - bool(parts[-1])
            if room > 0:
                parts[-1] += " " * bool(parts[-1]) + word[:room]
                word = word[room:]
            parts.append("")
        if parts[-1] and len(parts[-1]) + 1 + len(word) > width:
            parts.append(word)
        else:
            parts[-1] += " " * bool(parts[-1]) + word
    return [part for part in parts if part] or [""]


def metrics(rows: Sequence[Row], now: dt.datetime) -> str:
    """Prometheus' text format. prs_protection_state is 0 (ok), 1 (warn) or 2 (fail), the worst where one thing has
    several rows.
    """
    states: dict[tuple[str, str], int] = {}
    for row in rows:
        key = (row.what, row.where)
        states[key] = max(states.get(key, 0), 2 - _ORDER[row.state])
    measured = [Metric(f"prs_{name}", report, _samples(rows, name)) for name, report in METRICS.items()]
    return lines(
        [
            Metric("prs_protected", "Whether nothing failed.", [({}, not any(row.state == FAIL for row in rows))]),
            Metric("prs_protection_checked_timestamp_seconds", "When this was found out.", [({}, now.timestamp())]),
            Metric(
                "prs_protection_state",
                "What a check found: 0 ok, 1 warning, 2 failure.",
                [({"what": what, "where": where}, state) for (what, where), state in sorted(states.items())],
            ),
            *measured,
        ]
    )


def _samples(rows: Sequence[Row], name: str) -> list[tuple[dict[str, str], float | None]]:
    result = {(row.what, row.where): row.measure for row in rows if row.metric == name}
    return [({"what": what, "where": where}, measure) for (what, where), measure in sorted(result.items())]
