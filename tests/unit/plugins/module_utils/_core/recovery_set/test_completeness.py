"""A manifest against its files."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_set.completeness import incomplete_files
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_set.recovery_set import RecoverySet

ARCHIVE, FULL, STRIPES = "\\\\f\\a.zip", "\\\\f\\Full.bak", ["\\\\f\\1.trn", "\\\\f\\2.trn"]
WHOLE: dict[str, int | None] = {ARCHIVE: 500, "\\\\f\\full.bak": 1100, STRIPES[0]: 60, STRIPES[1]: 60}


def recovery_set(**archive: Any) -> RecoverySet:
    chain = [{"files": [FULL], "size": 1000}, {"files": STRIPES, "size": 100}]
    values = {"application": {"archive": ARCHIVE, "bytes": 500, **archive}, "database": {"chain": chain}}
    return RecoverySet(label="s", taken_at=dt.datetime.now(dt.timezone.utc), healthy=True, values=values)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, {}),
        ({ARCHIVE: None}, {ARCHIVE: "is missing"}),
        ({ARCHIVE: 499}, {ARCHIVE: "has 499 bytes, and its manifest says 500 bytes"}),
        ({"\\\\f\\full.bak": 950}, {}),
        ({"\\\\f\\full.bak": 0}, {FULL: "is cut off, 0 bytes of 1000 bytes"}),
        ({STRIPES[1]: 10}, {STRIPES[0]: "is cut off, 70 bytes of 100 bytes"}),
        ({STRIPES[1]: None, ARCHIVE: 1}, {STRIPES[1]: "is missing"}),
    ],
)
def test_what_is_wrong_with_a_file(changed: dict[str, int | None], said: dict[str, str]):
    wanted = [ARCHIVE, FULL, *STRIPES]
    assert incomplete_files(recovery_set(), wanted, {**WHOLE, **changed}) == said


def test_what_nobody_wrote_down_or_asked_for_is_not_held_against_a_file():
    assert incomplete_files(recovery_set(bytes=None), [ARCHIVE], {ARCHIVE: 1}) == {}
    assert incomplete_files(recovery_set(), [FULL], {"\\\\f\\full.bak": 1000}) == {}
