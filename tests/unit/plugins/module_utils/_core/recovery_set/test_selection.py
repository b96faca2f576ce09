"""Which recovery set is chosen, and what leads to a moment."""

from __future__ import annotations

import datetime as dt

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_set.selection import by_label, choose
from recovery_set_rhythm import BEGIN, Rhythm, night, taken


def test_the_newest_healthy_set_is_chosen_and_newer_ones_are_named():
    rhythm = night()
    rhythm.take(taken("log", 250, 300, hours=6), hours=6, state="broken")
    found = choose(rhythm.newest_first)
    assert found.set.label == "s5"
    assert "did not work" in found.notes[0] and "s6" in found.notes[0]
    assert choose(rhythm.newest_first, healthy=False).set.label == "s6"


def test_sets_are_read_only_as_far_as_needed():
    read = []
    rhythm = night()
    choose(one for one in rhythm.newest_first if read.append(one.label) is None)
    assert read == ["s5"]


def test_without_a_healthy_set_the_newest_restorable_one_is_taken_and_that_is_said():
    rhythm = Rhythm()
    rhythm.take(taken("full", 100, 110), hours=0, state="broken")
    rhythm.take(taken("log", 400, 500, hours=1), hours=1)
    found = choose(rhythm.newest_first)
    assert found.set.label == "s0"
    assert "no set is healthy" in found.notes[0]


def test_nothing_to_choose():
    with pytest.raises(RecoveryError, match="no recovery set that can be restored") as raised:
        choose([])
    assert raised.value.code == "no_recovery_set"


def test_a_moment_before_all_sets_says_where_the_past_begins():
    rhythm = Rhythm()
    rhythm.take(taken("full", 100, 110), hours=0)
    rhythm.take(taken("full", 200, 210, hours=5), hours=5)
    with pytest.raises(RecoveryError, match="The oldest is s0, whose data are of 2026-03-01T02:00:00Z"):
        choose(rhythm.newest_first, until=BEGIN - dt.timedelta(hours=9))


@pytest.mark.parametrize(
    ("hours", "label", "files", "target"),
    [
        (1.5, "s1", "F110 L150 L200", "2026-03-01T03:30:00+00:00"),
        (2, "s2", "F110 L150 L200", "latest"),
        (
            2.5,
            "s2",
            "F110 L150 L200 L250",
            "2026-03-01T04:30:00+00:00",
        ),  # not over the differential, which skips that moment
        (4, "s4", "F110 D210 L250", "latest"),
        (4.5, "s4", "F110 D210 L250 L250idle", "2026-03-01T06:30:00+00:00"),
        (9, "s5", "F110 D210 L250 L250idle", "latest"),
    ],
)
def test_a_moment(hours: float, label: str, files: str, target: str):
    rhythm = night()
    found = choose(rhythm.newest_first, until=BEGIN + dt.timedelta(hours=hours))
    assert found.set.label == label
    assert " ".join(path.rpartition("\\")[2].removesuffix(".bak") for path in found.files) == files
    assert found.target == target


def test_a_log_that_was_being_written_at_the_moment_need_not_hold_it():
    rhythm = Rhythm()
    rhythm.take(taken("full", 100, 110, hours=0), hours=0)
    long = taken("log", 100, 150, hours=2)
    long["sets"][0]["started_at"] = (BEGIN + dt.timedelta(hours=1)).isoformat()
    rhythm.take(long, hours=2)
    rhythm.take(taken("log", 150, 200, hours=3), hours=3)
    found = choose(rhythm.newest_first, until=BEGIN + dt.timedelta(hours=1.5))
    assert [path.rpartition("\\")[2] for path in found.files] == ["F110.bak", "L150.bak", "L200.bak"]


def test_a_moment_that_no_log_reaches_is_said():
    rhythm = Rhythm()
    rhythm.take(taken("full", 100, 110), hours=0)
    rhythm.take(taken("full", 200, 210, hours=5), hours=5)
    found = choose(rhythm.newest_first, until=BEGIN + dt.timedelta(hours=3))
    assert (found.set.label, found.target) == ("s0", "latest")
    assert "goes back to 2026-03-01T02:00:00Z" in found.notes[0]


def test_a_label_is_found_whatever_its_case_and_near_ones_are_named():
    labels = ["20260302T020000Z", "20260301T020000Z"]
    assert by_label(labels, "20260301t020000z") == "20260301T020000Z"
    with pytest.raises(RecoveryError, match="20260301T020000Z") as raised:
        by_label(labels, "20260301T020001Z")
    assert raised.value.code == "no_recovery_set"
