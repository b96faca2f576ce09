"""Which recovery sets may go, and which files with them."""

from __future__ import annotations

import datetime as dt

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_set.retention import surplus
from ansible_collections.prs.recovery.plugins.module_utils._core.retention_rules import Rules
from recovery_set_rhythm import BEGIN, Rhythm, night, taken, weeks


@pytest.mark.parametrize(
    ("rules", "gone"),
    [
        ({"last": 1}, []),
        ({"age": 1}, []),
    ],
)
def test_nothing_goes_that_a_rule_keeps(rules: dict, gone: list[str]):
    assert list(surplus(night().sets, Rules.from_options(rules), now=BEGIN + dt.timedelta(hours=6)).labels) == gone


def test_old_sets_go_with_what_only_they_need():
    gone = surplus(weeks().sets, Rules.from_options({"last": 2}), now=BEGIN + dt.timedelta(days=10))
    assert len(gone.labels) == 16
    assert not any("F8010" in path or "F9010" in path for path in gone.database)
    assert not any(name in path for path in gone.application for name in ("8.zip", "9.zip"))
    assert any("F7010" in path for path in gone.database) and any("7.zip" in path for path in gone.application)


def test_an_age_keeps_the_way_to_its_first_moments():
    """Two days and a half before the end only the log of day 7 follows the full one of that day, and the log of day 8
    goes on from it.
    """
    gone = surplus(weeks().sets, Rules.from_options({"age": 2}), now=BEGIN + dt.timedelta(days=9, hours=12))
    assert gone.labels[-2:] == ("s144", "s145")
    assert not any("F7010" in path or "L7500" in path for path in gone.database)


def test_the_newest_healthy_set_stays_with_its_files_whatever_the_rules_say():
    gone = surplus(weeks(broken_from=4).sets, Rules.from_options({"last": 1}), now=BEGIN + dt.timedelta(days=10))
    assert "s73" not in gone.labels  # day 3, the log
    assert not any("F3010" in path or "L3500" in path for path in gone.database)
    assert not any("3.zip" in path for path in gone.application)
    assert any("F2010" in path for path in gone.database)


def test_a_file_that_a_staying_set_needs_stays_though_its_own_set_goes():
    """The full of day 0 is the base of what came 4 hours later."""
    gone = surplus(night().sets, Rules.from_options({"days": 1, "last": None}), now=BEGIN + dt.timedelta(days=40))
    assert "s1" in gone.labels
    assert not any("F110" in path or "D210" in path or "L250" in path for path in gone.database)
    assert any("L150" in path for path in gone.database)


def test_sets_taken_while_a_clock_was_ahead_push_nothing_out():
    rhythm = Rhythm()
    for day in (400, 401, 1, 2, 3):
        rhythm.take(taken("full", 1000 * day, 1000 * day + 10, hours=24 * day), hours=24 * day, archive=f"{day}.zip")
    gone = surplus(rhythm.sets, Rules.from_options({"last": 2}), now=BEGIN + dt.timedelta(days=3))
    assert gone.labels == ("s24",)


def test_without_rules_everything_stays():
    assert surplus(weeks().sets, Rules(), now=BEGIN + dt.timedelta(days=99)).labels == ()
