"""Times that people write and times that are stored."""

from __future__ import annotations

import datetime as dt

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._core.times import (
    parse_stored_time,
    parse_user_time,
    to_stamp,
    to_text,
)

NOON = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.timezone.utc)
BERLIN = dt.timezone(dt.timedelta(hours=1))
WITH_ZONE = [
    "2026-03-02T12:00:00Z",
    "2026-03-02T12:00:00z",
    " 2026-03-02T13:00:00+01:00\n",
    "2026-03-02 12:00:00.0000000Z",
    "2026-03-02T13:00:00.0+01:00",
    "2026-03-02T12:00Z",
]


@pytest.mark.parametrize("text", WITH_ZONE)
def test_a_time_with_its_zone_is_read_everywhere(text):
    assert parse_user_time(text, option="until") == parse_stored_time(text) == NOON


@pytest.mark.parametrize("text", ["2026-03-02T12:00:00", "2026-03-02 12:00:00.000", "2026-03-02T12:00"])
def test_without_a_zone_a_stored_time_is_utc_and_a_person_is_asked(text):
    assert parse_stored_time(text) == NOON
    with pytest.raises(RecoveryError, match=r"until is '2026.*', which has no zone") as refused:
        parse_user_time(text, option="until")
    assert "Z for UTC" in refused.value.advice


@pytest.mark.parametrize("text", ["", "noon", "2026-13-01T00:00:00Z", "Z", "2026-03-02T25:00Z"])
def test_what_is_no_time(text):
    with pytest.raises(ValueError, match=r"."):
        parse_stored_time(text)
    with pytest.raises(RecoveryError, match=r"target is '.*', which is no time") as refused:
        parse_user_time(text, option="target", advice="Write latest")
    assert refused.value.advice == "Write latest"


def test_seven_digits_of_a_second_are_read_to_the_microsecond():
    assert parse_stored_time("2026-03-02T12:00:00.1234567Z").microsecond == 123456
    assert parse_stored_time("2026-03-02T12:00:00.5").microsecond == 500000


def test_texts_are_in_utc_and_to_the_second():
    moment = dt.datetime(2026, 3, 2, 13, 0, 0, 999, tzinfo=BERLIN)
    assert (to_text(moment), to_stamp(moment)) == ("2026-03-02T12:00:00Z", "20260302T120000Z")
