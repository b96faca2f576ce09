"""The rules of a retention: read as a calendar, D full and d not, one item a day."""

from __future__ import annotations

import datetime as dt

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._core.retention_rules import (
    RULES,
    Rules,
    kept,
    retention_argument_spec,
)

BEGIN = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.timezone.utc)  # a Monday


def day(number: float) -> dt.datetime:
    return BEGIN + dt.timedelta(days=number)


def staying(fulls: str, rules: Rules, *, now: float) -> dict[int, str]:
    """Day -> rule, of items of which those of a capital letter are full; small letters follow from them."""
    entries = kept(
        list(enumerate(fulls)),
        rules,
        now=day(now),
        when=lambda item: day(item[0]),
        is_full=lambda item: item[1].isupper(),
    )
    result: dict[int, str] = {}
    for entry in entries:
        assert entry.reason
        result.setdefault(entry.item[0], entry.rule)
    return result


CALENDAR = [
    # items by day, rules, day of now, days that stay
    ("FllFll", {}, 6, [0, 1, 2, 3, 4, 5]),
    ("FllFll", {"last": 1}, 6, [3, 4, 5]),
    ("FllFll", {"last": 2}, 6, [0, 1, 2, 3, 4, 5]),
    ("FllFll", {"last": 9}, 6, [0, 1, 2, 3, 4, 5]),
    ("llllll", {"last": 1}, 6, []),
    ("FllFll", {"age": 2}, 6, [3, 4, 5]),
    ("FllFll", {"age": 1}, 4, [0, 1, 2, 3, 4, 5]),
    ("llllll", {"age": 1}, 5, [4, 5]),
    ("FllFll", {"age": 1}, 99, [3, 4, 5]),
    ("FFFFFF", {"days": 2}, 6, [4, 5]),
    ("FFFFFFFFF", {"weeks": 2}, 9, [6, 8]),
    ("F" * 40, {"months": 2}, 40, [29, 39]),
    ("F" * 40, {"years": 5}, 40, [39]),
    ("FlFlFl", {"days": 2}, 6, [2, 4]),
]


@pytest.mark.parametrize(("items", "options", "now", "days"), CALENDAR)
def test_rules_read_as_a_calendar(items, options, now, days):
    rules = Rules.from_options(options) if options else Rules()
    assert sorted(staying(items, rules, now=now)) == days


def test_what_is_dated_in_the_future_stays_and_counts_for_no_rule():
    assert staying("FFFFFF", Rules(last=1), now=2) == {3: "clock", 4: "clock", 5: "clock", 2: "last"}


def test_what_a_restore_can_go_on_from_may_differ_from_what_counts_as_full():
    entries = kept(
        list(enumerate("FdldlFl")),
        Rules(age=dt.timedelta(days=2.5)),
        now=day(6),
        when=lambda item: day(item[0]),
        is_full=lambda item: item[1] == "F",
        is_data=lambda item: item[1] in "Fd",
    )
    assert [entry.item[0] for entry in entries] == [3, 4, 5, 6]


def test_days_are_those_of_utc():
    zone = dt.timezone(dt.timedelta(hours=5))
    late = [dt.datetime(2026, 3, 3, hour, 0, tzinfo=zone) for hour in (4, 6)]  # 2 March 23:00 and 3 March 01:00
    assert [entry.item for entry in kept(late, Rules(days=2), now=day(3), when=lambda when: when)] == late[::-1]


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({}, "at least one rule"),
        ({"last": None}, "at least one"),
        ({"last": 0}, "at least 1"),
        ({"age": -1}, "at least 1"),
        ({"years": 36501}, "at most 36500"),
    ],
)
def test_options_that_keep_nothing_or_leave_the_calendar(options, part):
    with pytest.raises(RecoveryError, match=f"'copy_retention' .*{part}"):
        Rules.from_options(options, option="copy_retention")


def test_an_option_that_was_not_given_has_no_rules():
    assert Rules.from_options(None) is None


def test_the_argument_spec_knows_every_rule():
    assert set(retention_argument_spec("x")["x"]["options"]) == set(RULES)
