"""What every play says itself, because ansible.cfg may say something else for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
LINEAR, PINNED = "ansible.builtin.linear", "ansible.builtin.host_pinned"
PLAYS = [
    pytest.param(path, play, id=f"{path.relative_to(ROOT / 'playbooks')}: {play['name']}")
    for path in sorted(ROOT.glob("playbooks/**/*.yml"))
    for play in yaml.safe_load(path.read_text(encoding="utf-8"))
    if "hosts" in play
]
INCLUDES = ("include_tasks", "import_tasks", "include_role", "import_role")


def tasks_of(tasks: list[dict[str, Any]], folder: Path) -> Iterator[dict[str, Any]]:
    """All tasks, those of blocks, files and roles that they include as well."""
    for task in tasks:
        yield task
        for part in ("block", "rescue", "always"):
            yield from tasks_of(task.get(part, []), folder)
        for kind in INCLUDES:
            argument = task.get(f"ansible.builtin.{kind}")
            if argument is None or "{{" in str(argument):
                continue
            if isinstance(argument, dict):
                role = ROOT / "roles" / argument["name"].removeprefix("prs.recovery.")
                path = role / "tasks" / f"{argument.get('tasks_from', 'main')}.yml"
            else:
                path = folder / argument
            yield from tasks_of(yaml.safe_load(path.read_text(encoding="utf-8")), path.parent)


@pytest.mark.parametrize(("path", "play"), PLAYS)
def test_a_play_says_its_strategy(path: Path, play: dict[str, Any]):
    """Under the free strategy, which a site may have for its other playbooks, run_once is none."""
    assert play.get("strategy") in (LINEAR, PINNED)


@pytest.mark.parametrize(("path", "play"), PLAYS)
def test_a_play_says_whether_an_error_ends_it_for_all(path: Path, play: dict[str, Any]):
    assert isinstance(play.get("any_errors_fatal"), bool)


@pytest.mark.parametrize(
    ("path", "play"), [entry for entry in PLAYS if entry.values[1].get("strategy", PINNED) != LINEAR]
)
def test_a_play_whose_hosts_do_not_wait_for_each_other_has_nothing_for_all_of_them(path: Path, play: dict[str, Any]):
    """Such a play says so; it has no run_once, and no error that is to end it for all."""
    assert play["any_errors_fatal"] is False
    tasks = list(tasks_of(play["tasks"], path.parent))
    assert len(tasks) > 1, "nothing was looked at"
    assert [task["name"] for task in tasks if task.get("run_once")] == []


@pytest.mark.parametrize(("path", "play"), PLAYS)
def test_a_play_has_all_of_its_hosts_at_once(path: Path, play: dict[str, Any]):
    """What is judged over ansible_play_hosts_all needs all of them."""
    assert "serial" not in play and "max_fail_percentage" not in play
