"""The figures of the house keep within their limits (`make figures` names the places)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import figures
import pytest

ROOT = Path(__file__).resolve().parents[2]
ENFORCED = {
    "functions over 60 lines": lambda root: figures.long_definitions(root)[0],
    "classes over 250 lines": lambda root: figures.long_definitions(root)[1],
    "conditions in templates": figures.conditions,
    "expressions over 120 characters in roles": figures.long_expressions,
    "variables called one, found, told": figures.riddles,
    "duplicated runs of six lines": figures.duplicated_runs,
}
"""How each figure is counted. Its limit stands beside the others, in figures.py."""
SEEDED = {
    "functions over 60 lines": ("plugins/module_utils/long.py", "def long():\n" + "    pass\n" * 60),
    "classes over 250 lines": ("plugins/module_utils/long.py", "class Long:\n" + "    field = 1\n" * 250),
    "conditions in templates": ("roles/backup/templates/other_sites.j2", "{{ 'a' if b else c }}\n" * 46),
    "expressions over 120 characters in roles": (
        "roles/verify/vars/main.yml",
        "a: >-\n  {{ " + "b +\n  " * 40 + "c }}\n",
    ),
    "variables called one, found, told": ("plugins/module_utils/riddle.py", "found = 1\n"),
    "duplicated runs of six lines": (
        "plugins/module_utils/twice.py",
        "".join(f"first{run} = 1\n" + "second = 2\nthird = 3\n" * 3 for run in range(6)),
    ),
}
"""A file that goes beyond the limit."""


def beyond(root: Path, name: str, count: Callable[[Path], list[figures.Place]]) -> list[str]:
    return figures.beyond({name: count(root)})


@pytest.mark.parametrize(("name", "count"), ENFORCED.items(), ids=ENFORCED)
def test_a_figure_keeps_within_its_limit(name: str, count: Callable[[Path], list[figures.Place]]):
    assert beyond(ROOT, name, count) == []


@pytest.mark.parametrize(("name", "count"), ENFORCED.items(), ids=ENFORCED)
def test_a_figure_beyond_its_limit_is_seen(name: str, count: Callable[[Path], list[figures.Place]], tmp_path: Path):
    path, text = SEEDED[name]
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text(text, encoding="utf-8")
    [sentence] = beyond(tmp_path, name, count)
    assert sentence.startswith(f"{name}: ") and path in sentence
