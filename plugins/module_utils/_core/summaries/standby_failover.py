# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of the role failover says of a move to a warm standby."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["moved", "moves", "not_moved"]

Facts = Mapping[str, Any]


def moves(facts: Facts) -> Iterator[str]:
    """What will be done; facts as those of failover.plan."""
    planned = facts["planned"]
    if planned["way"] in ("stays", "rejoin"):
        yield f"{facts['new_sql']} serves {facts['database']} already, and {facts['new_web']} will serve the page."
    else:
        yield (
            f"Password Reset Server moves to {facts['site']}: the standby of {facts['database']} on {facts['new_sql']} "
            f"is opened ({planned['reason']}), and {facts['new_web']} serves the page."
        )
    if planned["way"] == "rejoin":
        yield (
            f"{facts['old_sql']} came back with a database that was replaced: it is taken out of service, and the tail "
            "of its log is kept (prs_standby_unsent_path)."
        )
    if planned["way"] in ("planned", "finish") and not facts["until"]:
        yield (
            f"The application on {facts['old_web']} stops first. Then {facts['old_sql']} hands over the tail of its "
            "log, so nothing is lost, and is the standby afterwards."
        )
    lost = planned["may_be_lost"]
    if facts["until"]:
        yield f"It goes back to {facts['until']}. {lost['reason']} (prs_allow_data_loss)."
    elif lost:
        yield f"WARNING, WILL BE LOST: {lost['reason']} (prs_allow_data_loss)."


def not_moved(facts: Facts) -> list[str]:
    """Why the standby does not serve, after the old application was stopped.

    facts: new_sql, old_web: servers; problem: what the module said, empty where it went well; stays: whether the old
    site has the database still, so that its application was started again.
    """
    if not facts["problem"]:
        return []
    then = (
        f"The application on {facts['old_web']} was started again where it ran before."
        if facts["stays"]
        else f"The application on {facts['old_web']} stays stopped. Run this again: it goes on where it was."
    )
    return [f"{facts['new_sql']}: {facts['problem']} {then}"]


def moved(facts: Facts) -> Iterator[str]:
    """What became of the database; facts as those of failover.summary."""
    done = facts["done"]
    seconds = done.get("interrupted_seconds")
    closed = "" if seconds is None else f", the database was closed for {seconds} seconds"
    yield f"{facts['database']}: {facts['new_sql']} serves it ({done['reason']}){closed}"
    if done["may_be_lost"]:
        yield f"WARNING, LOST: {done['may_be_lost']['reason']}."
    tail = done["tail_log"].get("file")
    if tail and done["may_be_lost"]:
        yield f"What {facts['old_sql']} held is kept in {tail}."
    if tail and not done["may_be_lost"]:
        yield f"{facts['old_sql']} is the standby now: backup_prs (or standby_prs) brings it what comes from here on."
    elif done["way"] != "stays":
        yield (
            f"{facts['old_sql']} does not follow yet: once it answers, run backup_prs, and standby_prs -e "
            "prs_allow_data_loss=true, which lets it begin anew."
        )
    if facts["branch_problem"]:
        yield (
            f"WARNING: that the database goes on here could not be written down beside the recovery sets "
            f"({facts['branch_problem']}). Run this again before the next backup."
        )
