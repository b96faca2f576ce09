"""Replacing a folder, interrupted after every step, any number of times: the old content is never lost and never mixed
with the new.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.application.swap_steps import (
    Move,
    Remove,
    Step,
    places,
    repair,
    swap_by_children,
    swap_by_renaming,
    undo,
)

WHERE = places("C:\\web\\X\\")
OLD = {"web.config": "old", "bin": "old", "only old": "old"}
NEW = {"web.config": "new", "bin": "new", "only new": "new"}

Folders = dict[str, dict[str, str]]


def act(folders: Folders, step: Step) -> None:
    """What Windows does: a name that is taken, or a folder that is not there, is an error."""
    if isinstance(step, Remove):
        folder, _, name = step.path.rpartition("\\")
        if step.path in folders:
            del folders[step.path]
        else:
            del folders[folder][name]
    elif step.source in folders:
        assert step.target not in folders
        folders[step.target] = folders.pop(step.source)
    else:
        folder, _, name = step.source.rpartition("\\")
        target, _, new_name = step.target.rpartition("\\")
        assert new_name not in folders[target]
        folders[target][new_name] = folders[folder].pop(name)


def repairs(folders: Folders) -> list[Step]:
    children = {
        key: list(folders[path]) if (path := getattr(WHERE, key)) in folders else None
        for key in ("live", "new", "part", "old")
    }
    return repair(WHERE, **children)


def check(folders: Folders) -> None:
    """After a whole repair: the old folder in its place, or the new one in its place with the old one beside it."""
    assert repairs(folders) == []
    assert folders in ({WHERE.live: OLD}, {WHERE.live: NEW, WHERE.old: OLD}), folders


def interrupted(folders: Folders, steps: Sequence[Step], depth: int) -> int:
    """Do the first steps of `steps`, for every number of them, and repair; be interrupted in that as well. Answers how
    many ends were checked.
    """
    ends = 0
    for count in range(len(steps) + 1):
        now = {path: dict(content) for path, content in folders.items()}
        for step in steps[:count]:
            act(now, step)
        if depth:
            ends += interrupted(now, repairs(now), depth - 1)
        else:
            for step in repairs(now):
                act(now, step)
            check(now)
            ends += 1
    return ends


SWAPS = {
    "renaming": ({WHERE.live: OLD, WHERE.new: NEW}, swap_by_renaming(WHERE, live_exists=True)),
    "children": ({WHERE.live: OLD, WHERE.new: NEW, WHERE.part: {}}, swap_by_children(WHERE, live=OLD, new=NEW)),
}


@pytest.mark.parametrize("way", SWAPS)
def test_interrupted_at_any_step_and_again_while_repairing(way: str) -> None:
    folders, steps = SWAPS[way]
    assert interrupted(folders, steps, 2) >= 10


@pytest.mark.parametrize("way", SWAPS)
def test_interrupted_while_undoing(way: str) -> None:
    folders, steps = SWAPS[way]
    for done in range(len(steps) + 1):
        now = {path: dict(content) for path, content in folders.items()}
        for step in steps[:done]:
            act(now, step)
        assert interrupted(now, undo(steps[:done]), 1) > 0


@pytest.mark.parametrize("way", SWAPS)
def test_undo_brings_everything_back(way: str) -> None:
    folders, steps = SWAPS[way]
    now = {path: dict(content) for path, content in folders.items()}
    for step in [*steps, *undo(steps)]:
        act(now, step)
    assert now == folders


def test_nothing_to_repair() -> None:
    assert repair(WHERE, live=["a"], new=None, part=None, old=None) == []
    assert repair(WHERE, live=None, new=None, part=None, old=None) == []


def test_leftovers_of_an_extraction_go() -> None:
    assert repair(WHERE, live=["a"], new=["half"], part=None, old=None) == [Remove(WHERE.new)]
    assert repair(WHERE, live=None, new=["half"], part=None, old=None) == [Remove(WHERE.new)]


def test_first_installation_is_one_rename() -> None:
    assert swap_by_renaming(WHERE, live_exists=False) == [Move(WHERE.new, WHERE.live)]
