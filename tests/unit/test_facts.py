"""The ledger of what the twins believe of real hosts: every fact has a source and a test that exists."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from facts import FACTS, entry_problems, file_problems, table

GOOD = {
    "fact": "Water is wet.",
    "versions": "all",
    "source": "a book",
    "certainty": "certain",
    "test": "tests/unit/test_facts.py::test_an_entry_is_judged",
}
"""An entry without a fault."""


@pytest.mark.parametrize("path", sorted(FACTS.glob("*.yml")), ids=lambda path: path.stem)
def test_every_fact_has_a_source_and_a_test(path: Path):
    assert file_problems(path) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({}, None),
        ({"test": GOOD["test"] + "[some case]"}, None),
        ({"source": " "}, "its source is no text"),
        ({"versions": 2019}, "its versions is no text"),
        ({"since": "2019"}, "it needs exactly the keys fact, versions, source, certainty, test"),
        ({"certainty": "sure"}, "its certainty is none of certain, likely, unsure"),
        ({"test": "tests/unit/test_facts.py"}, "there is no file of tests tests/unit/test_facts.py"),
        ({"test": "tests/unit/test_fact.py::test_it"}, "there is no file of tests tests/unit/test_fact.py"),
        ({"test": "tests/unit/test_facts.py::test_it"}, "tests/unit/test_facts.py has no test test_it"),
    ],
)
def test_an_entry_is_judged(change: dict[str, Any], problem: str | None):
    assert list(entry_problems(GOOD | change)) == ([problem] if problem else [])


def test_what_is_said_twice_is_a_fault(tmp_path: Path):
    path = tmp_path / "some.yml"
    path.write_text(f"- {GOOD}\n- {GOOD}\n", encoding="utf-8")
    assert file_problems(path) == ["some.yml says twice: Water is wet."]
    path.write_text("{}\n", encoding="utf-8")
    assert file_problems(path) == ["some.yml is no list of facts"]


def test_the_ledger_can_be_read():
    lines = list(table(width=40))
    titles = [line for line in lines if not line.startswith(" ")]
    assert [title.partition(":")[0] for title in titles] == [path.stem for path in sorted(FACTS.glob("*.yml"))]
    facts = sum(int(title.split()[1]) for title in titles)
    assert facts * 3 == len(lines) - len(titles)
    assert "    1  LastLSN of a backup set is the\n       LSN of the next log record after\n       the set." in lines
