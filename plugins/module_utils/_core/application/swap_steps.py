# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a new folder takes the place of an old one, and how to get out of any interruption.

Beside the folder `X` there may be `X.prs-new` (being extracted), `X.prs-part` (holds children of the old folder while
they are moved out one by one) and `X.prs-old` (the whole old folder). What exists says how far a run came, so no
journal is needed:

    by renaming     X -> X.prs-old, X.prs-new -> X
    by children children of X -> X.prs-part, X.prs-part -> X.prs-old, children of X.prs-new -> X (X.prs-new stays,
    empty, until all is well)

The second way is for a folder that Windows will not rename because something in it is open.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["Move", "Places", "Remove", "Step", "places", "repair", "swap_by_children", "swap_by_renaming", "undo"]


class Step:
    """One thing to do on the host."""


@dataclass(frozen=True)
class Move(Step):
    """Give what is at `source` the name `target`, at which nothing is."""

    source: str
    target: str


@dataclass(frozen=True)
class Remove(Step):
    """Remove a file or folder with all it holds."""

    path: str


@dataclass(frozen=True, kw_only=True)
class Places:
    """The folder and its neighbours."""

    live: str
    new: str
    part: str
    old: str


def places(path: str) -> Places:
    """path: a Windows path of a folder, not of a drive or share."""
    plain = re.sub(r"[\\/]+$", "", path)
    return Places(live=plain, new=f"{plain}.prs-new", part=f"{plain}.prs-part", old=f"{plain}.prs-old")


def swap_by_renaming(where: Places, *, live_exists: bool) -> list[Move]:
    """Two renames, or one when there is no old folder."""
    first = [Move(where.live, where.old)] if live_exists else []
    return [*first, Move(where.new, where.live)]


def swap_by_children(where: Places, *, live: Iterable[str], new: Iterable[str]) -> list[Move]:
    """live, new: names of the children of both folders. X.prs-part has been made."""
    return [
        *(Move(_child(where.live, name), _child(where.part, name)) for name in live),
        Move(where.part, where.old),
        *(Move(_child(where.new, name), _child(where.live, name)) for name in new),
    ]


def undo(done: Sequence[Move]) -> list[Move]:
    """The way back from renames that were done."""
    return [Move(step.target, step.source) for step in reversed(done)]


def repair(
    where: Places,
    *,
    live: Sequence[str] | None,
    new: Sequence[str] | None,
    part: Sequence[str] | None,
    old: Sequence[str] | None,
) -> list[Step]:
    """What an interrupted run left, undone as far as the old folder is concerned. Each argument: names of the children,
    None when there is no such folder.

    Afterwards X.prs-new and X.prs-part are gone. X.prs-old is left only where X is complete: whether X is good is then
    for who compares it with its archive.
    """
    steps: list[Step] = []
    if part is None and old is not None and live is not None and new:
        # The children of X.prs-new were being moved in: what X has of them goes, and the way back begins.
        steps += [*(Remove(_child(where.live, name)) for name in live), Move(where.old, where.part)]
        part, old = old, None
    if part is not None and live is not None:
        # The children of X are on their way out or back in: what X has is its own.
        steps += [*(Move(_child(where.part, name), _child(where.live, name)) for name in part), Remove(where.part)]
    elif part is not None or (old is not None and live is None):
        steps.append(Move(where.old if part is None else where.part, where.live))
    if new is not None:
        steps.append(Remove(where.new))
    return steps


def _child(folder: str, name: str) -> str:
    return f"{folder}\\{name}"
