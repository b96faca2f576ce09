# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an admin reads of the roads at three in the morning: every sentence of the plan."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from ..text import age
from ..times import to_text
from .choice import Choice
from .cost import Estimate, Loss
from .roads import Road, unsaid
from .wreck import Consents

__all__ = ["duration_text", "loss_text", "steps_text", "table", "told"]


def told(
    every: Sequence[Road],
    choice: Choice,
    *,
    consents: Consents,
    now: dt.datetime,
    awaited: Sequence[str] = (),
    sites: Sequence[str] = (),
) -> list[str]:
    """The whole plan: the roads, the steps of the chosen one, and what will be lost; or why there is none. awaited:
    silent servers, in whose place the roads expect new ones. sites: others, whose servers answer.
    """
    hosts = " and ".join(awaited)
    condition = f" once new servers stand in the place of {hosts}" if awaited else ""
    sentences = [f"ROADS{condition}, the one that loses least first", *table(every, choice, consents)]
    elsewhere = [
        f"Instead of waiting for {hosts}: {site} answers, and rebuild_prs -e prs_active_site={site} tells what it "
        "would bring back there"
        for site in sites
        if awaited
    ]
    if choice.road is None:
        return [*sentences, choice.problem, *elsewhere]
    tied = ", ".join(name.value for name in choice.tied)
    use = choice.road.files.use if choice.road.files else ""
    return [
        *sentences,
        *([f"It loses and takes as much as {tied}; prs_road takes another one"] if tied else []),
        *steps_text(choice.road),
        *([f"THE ROWS IN ITS FILES SAY: {use}"] if use else []),
        *(
            [
                f"This road is gone by: {choice.road.command}, with prs_share_user and prs_share_password of an "
                "account that may read that place"
            ]
            if choice.road.place
            else []
        ),
        f"WHAT WILL BE LOST: {loss_text(choice.road.loss, now)}",
        *([f"Unless what {hosts} held is whole: the roads are weighed again once it answers"] if awaited else []),
        *elsewhere,
    ]


def table(every: Sequence[Road], choice: Choice, consents: Consents) -> list[str]:
    """A line for each road."""
    return [_row(road, choice, consents) for road in every]


def _row(road: Road, choice: Choice, consents: Consents) -> str:
    name = f"{'->' if road is choice.road else '  '} {road.name.value}{f' ({road.source})' if road.source else ''}"
    if road.obstacle:
        return f"{name}: cannot be gone, {road.obstacle}"
    row = f"{name}: loses {_short_loss(road.loss)}, takes {duration_text(road.estimate)}"
    needs = [f"{variable} ({reason})" for variable, reason in unsaid(road, consents).items()]
    return f"{row}; needs {' and '.join(needs)}" if needs else row


def steps_text(road: Road) -> list[str]:
    """What is done, in its order."""
    return [
        f"{number} of {len(road.work)}, {work.host}: {work.sentence}" for number, work in enumerate(road.work, start=1)
    ] or ["Nothing has to be done"]


def loss_text(loss: Loss, now: dt.datetime) -> str:
    """What is lost, in words. now: aware."""
    if loss.rank == 0 and loss.seconds:
        since = to_text(now - dt.timedelta(seconds=loss.seconds))
        return f"what was written since {since}, which is {age(loss.seconds)} at most"
    return {
        0: "nothing of the database",
        1: "nobody can say how much: what it comes from does not tell its time",
        2: "everything: all users, their questions and answers, and the history",
    }[loss.rank]


def _short_loss(loss: Loss) -> str:
    if loss.rank == 0 and loss.seconds:
        return f"at most {age(loss.seconds)}"
    return ("nothing", "nobody knows how much", "everything")[loss.rank]


def duration_text(estimate: Estimate) -> str:
    """With what it rests on."""
    if not estimate.seconds:
        return "no time"
    basis = "as no run was measured yet, a guess"
    if estimate.runs:
        basis = f"as {'the last run' if estimate.runs == 1 else f'the last {estimate.runs} runs'} did"
    return f"about {age(estimate.seconds)} ({basis})"
