# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What sets_prs says: the recovery sets of every place, as whichever server answered saw them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..text import age, bytes_text, counted, table_line
from ..times import parse_stored_time

__all__ = ["listing", "problems", "seen"]

Facts = Mapping[str, Any]

_HEADINGS = ("", "set", "taken", "kind", "brings back the moment", "size", "remarks")


def seen(facts: Facts) -> list[dict[str, Any]]:
    """Each place as the first server saw it that could read it: site, path, server, and sets, unusable, living; or
    problem.

    facts: servers: of each that was asked {name, places, results}, in the order in which they are believed; places:
    {site, path}, which the servers of two sites may know differently; results: of recovery_set_info, one for each.
    """
    answers: dict[str, list[tuple[str, Facts, Facts]]] = {}
    for server in facts["servers"]:
        for place, result in zip(server["places"], server["results"], strict=True):
            answers.setdefault(place["path"].lower().rstrip("\\"), []).append((server["name"], place, result))
    return [_place(of_place) for of_place in answers.values()]


def _place(answers: Sequence[tuple[str, Facts, Facts]]) -> dict[str, Any]:
    _name, place, _result = answers[0]
    known = {"site": place.get("site") or "", "path": place["path"]}
    for name, _place_there, result in answers:
        if "sets" in result:
            return {**known, "server": name, **{key: result[key] for key in ("sets", "unusable", "living")}}
    said = [str(result.get("msg") or f"{name} did not answer") for name, _place_there, result in answers]
    return {**known, "problem": " ".join(dict.fromkeys(said))}


def listing(facts: Facts) -> list[str]:
    """The lines of all places. facts: as for `seen`; now: seconds since 1970."""
    now = dt.datetime.fromtimestamp(float(facts["now"]), dt.timezone.utc)
    return [line for place in seen(facts) for line in _lines(place, now)]


def problems(facts: Facts) -> list[str]:
    """Why the run fails: places that nobody could read. facts: as for `seen`."""
    if not facts["servers"]:
        return ["No server could be asked."]
    return [f"{place['path']}: {place['problem']}" for place in seen(facts) if "problem" in place]


def _lines(place: Facts, now: dt.datetime) -> Iterator[str]:
    where = f"{place['path']} ({place['site']})" if place["site"] else place["path"]
    if "problem" in place:
        yield f"{where}: NOT READ. {place['problem']}"
        return
    healthy = sum(map(_is_reliable, place["sets"]))
    yield f"{where}, seen by {place['server']}: {counted(len(place['sets']), 'recovery set')}, {healthy} healthy"
    yield from _table([_HEADINGS, *(_row(entry, now) for entry in place["sets"])] if place["sets"] else [])
    for entry in place["unusable"]:
        yield f"  CANNOT BE USED: {entry['label']}: {entry['problem']}"
    if len(place["living"]) > 1:
        servers = ", ".join(branch["server"] or branch["site"] for branch in place["living"])
        yield (
            f"  THE DATABASE LIVES MORE THAN ONCE ({servers}): nothing is chosen by itself. Say which goes on: "
            "prs_end_other_branches, or prs_restore_set for a rebuild"
        )


def _is_reliable(entry: Facts) -> bool:
    return bool(entry["healthy"] and not entry["replaced"])


def _row(entry: Facts, now: dt.datetime) -> tuple[str, ...]:
    taken = parse_stored_time(entry["taken_at"])
    remarks = ["of a database that a restore replaced"] if entry["replaced"] else []
    return (
        "ok" if _is_reliable(entry) else "NO",
        entry["label"],
        f"{age((now - taken).total_seconds())} ago",
        entry["kind"],
        entry["recovery_point"],
        bytes_text(entry["bytes"]),
        "; ".join([*entry["problems"], *remarks]),
    )


def _table(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))] if rows else []
    for row in rows:
        yield f"  {table_line(row, widths)}".rstrip(" |")
