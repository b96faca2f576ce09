"""What the role drill works out."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.decisions.drill import (
    brought,
    certificate_problem,
    closed_record,
    lacks_certificate,
    page_state,
    seconds,
)

ENCRYPTED = {"certificate": "Backups", "keys_path": r"\\k\keys", "asked": True, "certificates": [{"name": "other"}]}


@pytest.mark.parametrize(
    ("changed", "lacks"),
    [
        ({}, True),
        ({"certificate": ""}, False),
        ({"keys_path": ""}, False),
        ({"asked": False, "certificates": []}, False),
        ({"certificates": [{"name": "BACKUPS"}]}, False),
    ],
)
def test_a_drill_brings_the_certificate_where_it_lacks(changed, lacks):
    assert lacks_certificate(ENCRYPTED | changed) is lacks


@pytest.mark.parametrize(
    ("lacks", "result", "problem"),
    [
        (True, {"statements": []}, ""),
        (True, {"msg": "no such file"}, "no such file"),
        (True, {}, "no answer"),
        (False, {"skipped": True, "msg": "x"}, ""),
    ],
)
def test_why_it_cannot_be_brought(lacks, result, problem):
    assert certificate_problem({"lacks": lacks, "result": result}) == problem


BRINGS = {"certificate": "backups", "statements": [], "serves": False, "unfinished": []}
KILLED = {"brought": {"certificate": "backups", "master_key": True}}


@pytest.mark.parametrize(
    ("changed", "certificate", "master_key"),
    [
        ({}, "", False),
        ({"statements": ["CREATE MASTER KEY ...", "CREATE CERTIFICATE ..."]}, "backups", True),
        ({"statements": ["CREATE CERTIFICATE ..."]}, "backups", False),
        ({"unfinished": [{}, KILLED]}, "backups", True),
        ({"unfinished": [{"brought": {"certificate": "old", "master_key": False}}]}, "", False),
        ({"unfinished": [KILLED], "serves": True}, "", False),
    ],
)
def test_what_a_drill_brings_and_takes_away(changed, certificate, master_key):
    assert brought(BRINGS | changed) == {"certificate": certificate, "master_key": master_key}


@pytest.mark.parametrize(
    ("page", "state"),
    [
        ({}, "none"),
        ({"status": None}, "none"),
        ({"status": 500, "text": "welcome"}, "none"),
        ({"status": 200, "path": "/Installer.aspx", "text": "welcome"}, "wizard"),
        ({"status": "200", "path": None, "text": "Welcome"}, "ready"),
        ({"status": 200, "path": "/", "text": None}, "other"),
    ],
)
def test_what_the_page_is(page, state):
    facts = {"wizard_pattern": "(?i)/installer", "ready_pattern": "(?i)welcome"}
    assert page_state(facts | {"page": page}) == state


@pytest.mark.parametrize(
    ("begin", "end", "between"),
    [
        ("2026-01-01T00:00:00Z", "2026-01-02T00:00:01Z", 86401),
        ("2026-01-01T00:00:00.750", "2026-01-01T00:01:00Z", 60),
        ("2026-01-01T00:00:05+00:00", "2026-01-01T00:00:00Z", -5),
    ],
)
def test_seconds_between_two_moments(begin, end, between):
    assert seconds({"begin": begin, "end": end}) == between


@pytest.mark.parametrize(
    ("record", "closed"),
    [
        ({"state": "running", "cleaned": False}, {"state": "failed", "problem": "it did not end"}),
        ({"state": "failed", "problem": "no room"}, {"state": "failed", "problem": "no room"}),
        ({"state": "kept"}, {"state": "kept", "problem": ""}),
    ],
)
def test_the_record_of_a_drill_that_was_cleared_up(record, closed):
    assert closed_record({"record": record | {"label": "x"}, "by": "y"}) == {
        "label": "x", "cleaned": True, "cleaned_by": "y", **closed
    }  # fmt: skip
