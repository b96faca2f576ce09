from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.decisions.configure_awx import (
    name_is_taken,
    schedules,
    would_make,
)

QUESTIONS = [
    {"variable": "host", "required": True, "default": "sql-a"},
    {"variable": "label", "required": False},
]


def told_all(**entry: Any) -> list[dict[str, Any]]:
    facts = {
        "schedules": [{"name": "drill", **entry}],
        "usual": [{"name": "fetch", "template": "project"}],
        "prefix": "PRS",
        "time_zone": "Europe/Berlin",
        "startable": {"drill": "PRS drill", "project": "PRS playbooks"},
        "surveys": {"drill": QUESTIONS},
    }
    return schedules(facts)


def told(**entry: Any) -> dict[str, Any]:
    (schedule,) = told_all(**entry)
    return schedule


def test_a_schedule_answers_what_the_survey_requires():
    told_once = told(template="drill", start="20250105T040000", rule="FREQ=DAILY;INTERVAL=1")
    assert told_once == {
        "key": "drill",
        "name": "PRS drill",
        "state": "present",
        "unified_job_template": "PRS drill",
        "rrule": "DTSTART;TZID=Europe/Berlin:20250105T040000 RRULE:FREQ=DAILY;INTERVAL=1",
        "extra_data": {"host": "sql-a"},
        "enabled": True,
    }


def test_what_the_inventory_says_goes_before_defaults():
    schedule = told(
        template="drill",
        start="20250105T040000",
        rule="FREQ=DAILY;INTERVAL=1",
        time_zone="UTC",
        enabled=False,
        variables={"host": "sql-b", "label": "x"},
    )
    assert schedule["extra_data"] == {"host": "sql-b", "label": "x"}
    assert schedule["rrule"].startswith("DTSTART;TZID=UTC:")
    assert schedule["enabled"] is False


def test_a_template_without_survey_is_given_nothing():
    assert told(template="project", start="20250105T040000", rule="FREQ=DAILY;INTERVAL=1")["extra_data"] == {}


@pytest.mark.parametrize(
    ("entry", "started"),
    [
        ({"template": "drill"}, ["PRS drill"]),
        ({"name": "fetch"}, ["PRS playbooks"]),
        ({}, ["PRS drill", "PRS playbooks"]),
    ],
    ids=["said", "usual", "anything"],
)
def test_what_is_to_be_absent_needs_no_more_than_its_name(entry: dict[str, Any], started: list[str]):
    name = entry.get("name", "drill")
    assert told_all(state="absent", **entry) == [
        {"key": name, "name": f"PRS {name}", "state": "absent", "unified_job_template": one} for one in started
    ]


@pytest.mark.parametrize(
    ("result", "taken"),
    [
        ({"changed": True, "id": 3}, False),
        ({"msg": "Unable to update execution_environment e, see response",
          "response": {"json": {"organization": ["Cannot change the organization of an execution environment"]}}}, True),
        ({"msg": "Unable to create e: {'name': ['Execution environment with this Name already exists.']}"}, True),
        ({"msg": "You don't have permission to PATCH to /api/v2/execution_environments/7/ (HTTP 403)."}, True),
        ({"msg": "You don't have permission to POST to /api/v2/execution_environments/ (HTTP 403)."}, False),
        ({"msg": "Unable to update execution_environment e, see response",
          "response": {"json": {"image": ["not a valid image"]}}}, False),
    ],
    ids=["made", "moved", "unseen", "foreign", "forbidden", "wrong"],
)  # fmt: skip
def test_a_name_of_an_execution_environment_that_another_organization_has(result: dict[str, Any], taken: bool):
    assert name_is_taken(result) is taken


RESULTS = {
    "credential type": {
        "changed": True,
        "results": [
            {"changed": True, "item": {"name": "Windows"}},
            {"changed": True, "id": 4, "item": {"name": "share"}},
            {"changed": False, "skipped": True, "item": {"name": "keys"}},
        ],
    },
    "job template": {"results": [{"changed": True, "item": {"key": "backup"}}]},
    "project": {"changed": True},
    "inventory": {"changed": False, "id": 7},
    "execution environment": {},
}


def test_a_check_run_tells_what_is_missing_and_not_what_merely_differs():
    found = would_make({"check": True, "results": RESULTS})
    assert found == ["credential type Windows", "job template backup", "project"]


def test_a_run_makes_it_itself():
    assert would_make({"check": False, "results": RESULTS}) == []
