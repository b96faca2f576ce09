from __future__ import annotations

import datetime as dt

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_set.lease import (
    ABANDONED,
    FREE,
    GIVEN_UP,
    HELD,
    OURS,
    STALE,
    Lease,
    judge,
    lease_name,
    owner_process,
    parse_lease,
    refusal,
)

NOON = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.timezone.utc)
HOUR = dt.timedelta(hours=1)
ME, OTHER = "me@here pid 1", "she@there pid 2"
LEASE = Lease(
    database="PRS", owner=OTHER, place="boot pid:[1]", taken_at=NOON - HOUR, renewed_at=NOON, stale_after=HOUR
)


@pytest.mark.parametrize(
    ("lease", "owner", "now", "ended", "verdict"),
    [
        (None, ME, NOON, False, FREE),
        (LEASE, OTHER, NOON, False, OURS),
        (LEASE, OTHER, NOON + 9 * HOUR, True, OURS),
        (LEASE, ME, NOON + HOUR - dt.timedelta(seconds=1), False, HELD),
        (LEASE, ME, NOON - HOUR, False, HELD),  # a clock that is slow makes nothing stale
        (LEASE, ME, NOON + HOUR, False, STALE),
        (LEASE, ME, NOON, True, ABANDONED),
    ],
)
def test_verdicts(lease, owner, now, ended, verdict):
    assert judge(lease, owner=owner, now=now, ended=ended) == verdict


@pytest.mark.parametrize(("lease", "owner", "verdict"), [(None, ME, FREE), (LEASE, OTHER, OURS), (LEASE, ME, GIVEN_UP)])
def test_a_person_says_that_the_other_one_does_nothing_any_more(lease, owner, verdict):
    assert judge(lease, owner=owner, now=NOON, take_over=True) == verdict


def test_what_is_written_is_read():
    assert parse_lease(LEASE.lines(), database="?", renewed_at=NOON) == LEASE


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["nonsense"],
        ["{}"],
        ["[]"],
        [line.replace("lease 1", "lease 9") for line in LEASE.lines()],
        [line.replace("60.0", "1e300") for line in LEASE.lines()],
    ],
)
def test_a_file_that_cannot_be_read_counts_all_the_same(lines):
    lease = parse_lease(lines, database="PRS", renewed_at=NOON)
    assert (
        judge(lease, owner=ME, now=NOON + 11 * HOUR) == HELD and judge(lease, owner=ME, now=NOON + 12 * HOUR) == STALE
    )


def test_the_loser_is_told_who_since_when_and_what_to_do():
    told = str(refusal(LEASE, path="D:\\Backup\\PRS.lease.json"))
    times = ("since 2026-03-01 11:00 UTC", "from 2026-03-01 13:00 UTC on")
    for part in (OTHER, *times, "take_over: true", "prs_take_over_lease=true", "D:\\Backup\\PRS.lease.json"):
        assert part in told


@pytest.mark.parametrize(("owner", "process"), [(OTHER, 2), ("AWX nightly", None), ("x pid 12 more", None)])
def test_the_process_of_an_owner(owner, process):
    assert owner_process(owner) == process


def test_a_name_of_a_file_whatever_the_database_is_called():
    assert lease_name("a/b:c") == "a_b_c.lease.json"
