from __future__ import annotations

import datetime as dt

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._core.restore.plan import Target
from ansible_collections.prs.recovery.plugins.module_utils._core.restore.target import parse_target, parse_zone

MOMENT = dt.datetime(2026, 3, 1, 13, 30, tzinfo=dt.timezone.utc)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("latest", Target.latest()),
        ("2026-03-01T13:30:00Z", Target.at_time(MOMENT)),
        ("2026-03-01T14:30:00+01:00", Target.at_time(MOMENT)),
        ("2026-03-01 14:30:00+01:00", Target.at_time(MOMENT)),
        ("lsn:36000000014400001", Target.at_lsn(36000000014400001)),
        ("before-lsn:36000000014400001", Target.at_lsn(36000000014400001, before=True)),
        ("lsn:00000024:00000090:0001", Target.at_lsn(36000000014400001)),
        ("mark:before upgrade: 5.3", Target.at_mark("before upgrade: 5.3")),
        ("before-mark:m", Target.at_mark("m", before=True)),
    ],
)
def test_forms(text, target):
    assert parse_target(text) == target


def test_a_mark_may_have_a_time():
    assert parse_target("mark:m", mark_after="2026-03-01T13:30:00Z") == Target.at_mark("m", after=MOMENT)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("yesterday", "lsn:NUMBER"), ("2026-03-01T13:30:00", "no zone"), ("lsn:x", "LSN"), ("", "target"), ("mark:", "target"),
        ("lsn:²", "LSN"), ("lsn:-1", "LSN"), ("before-lsn:" + "9" * 5000, "LSN"),
        ("0001-01-01T00:00:00+01:00", "year 1"), ("9999-12-31T23:59:59-01:00", "latest"),
    ],
)  # fmt: skip
def test_what_is_no_target_is_refused_with_the_forms(text, part):
    with pytest.raises(RecoveryError) as refused:
        parse_target(text)
    assert part in str(refused.value)


def test_zones():
    assert parse_zone(None) is None
    assert parse_zone("Europe/Berlin").utcoffset(dt.datetime(2026, 7, 1)) == dt.timedelta(hours=2)
    with pytest.raises(RecoveryError, match="Europe/Berlin"):
        parse_zone("Middle-earth/Shire")
