"""What stops AWX from being told of an estate."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.summaries.configure_awx import (
    answer_problems,
    inventory_problems,
    organization_problems,
)


def test_an_inventory_that_names_the_sites():
    assert inventory_problems({"sites": ["site_a", "site_b"], "active_site": "site_b"}) == []


@pytest.mark.parametrize(
    ("sites", "active_site", "said"),
    [
        (["site_a", "site_b"], "", "Found site_a, site_b; prs_active_site is not set."),
        (["site_a"], "site_c", "Found site_a; prs_active_site is site_c."),
        ([], "site_a", "Found no group that has both a web server (prs_web) and a database server (prs_sql); prs_active_site is site_a."),
    ],
)  # fmt: skip
def test_an_inventory_that_does_not(sites, active_site, said):
    [sentence] = inventory_problems({"sites": sites, "active_site": active_site})
    assert sentence.endswith(said)


def problems(*messages: str) -> list[str]:
    """Of modules that failed with these, and of one that did not."""
    results = [{"changed": False, "id": 3}, *({"changed": False, "msg": message} for message in messages)]
    return answer_problems({"results": results})


def test_what_awx_refused_is_said_once_and_with_what_to_do():
    denied = "You don't have permission to POST to /api/v2/credential_types/ (HTTP 403)."
    [sentence] = problems(denied, denied)
    assert sentence.startswith("AWX lets only a system administrator make or change credential types")
    [sentence] = problems("Failed to associate item {'Error': 'Relationship not allowed.'}")
    assert sentence.startswith("Somebody linked the nodes of the workflow")
    assert problems("Invalid authentication credentials", "Bad gateway") == [
        "Invalid authentication credentials",
        "Bad gateway",
    ]
    changing = "You don't have permission to PATCH to /api/v2/credential_types/7/ (HTTP 403)."
    [sentence] = problems(changing)
    assert sentence.startswith("AWX refused to change a credential type")
    [sentence] = problems(
        *(
            f"Unable to create job_template PRS {name}: {{'playbook': ['Playbook not found for project.']}}"
            for name in ("backup", "verify")
        )
    )
    assert sentence.startswith("The project in AWX was never fetched")
    assert answer_problems({"results": [{"msg": ["one", "two"]}]}) == ["one; two"]
    assert problems() == []


WHOLE = "{'id': 5, 'name': 'PRS inventory', 'host_filter': None}"
FAILED = {"id": 17, "job_data": {"execution_node": "awx-1", "job_explanation": ""}}
STOPPED = {"id": 17, "job_data": {"execution_node": "", "job_explanation": "Job terminated due to timeout"}}
WAITING = {"id": 17, "status": "pending"}


@pytest.mark.parametrize(
    ("message", "result", "said"),
    [
        ("The Project Update - PRS playbooks, failed", FAILED,
         "AWX could not fetch the project from its repository: job 17 on awx-1 failed, and its output in AWX says why."),
        ("Monitoring of Project Update - PRS playbooks aborted due to timeout", WAITING,
         "AWX could not fetch the project from its repository: job 17 is still pending after ten minutes, so AWX"),
        (f"The inventory_update - {WHOLE}, failed", STOPPED,
         "AWX could not read the inventory from the project: job 17 failed (Job terminated due to timeout), and"),
        (f"Monitoring of inventory_update - {WHOLE} aborted due to timeout", WAITING,
         "AWX could not read the inventory from the project: job 17 is still pending"),
    ],
    ids=["fetch", "fetch waits", "read", "read waits"],
)  # fmt: skip
def test_an_update_that_failed_is_told_with_its_job_and_not_with_the_whole_object(message, result, said):
    [sentence] = answer_problems({"results": [{"changed": True, "msg": message, **result}]})
    assert sentence.startswith(said)
    assert "host_filter" not in sentence


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "AWX shows this account nothing called git read among its credentials: make it"),
     (2, "AWX shows this account 2 credentials called git read: give the number of the right one")],
)  # fmt: skip
def test_a_name_that_is_not_that_of_one_object(count, said):
    [sentence] = problems(f"Request to /api/v2/credentials/?name=git+read returned {count} items, expected 1")
    assert sentence.startswith(said)


@pytest.mark.parametrize(
    ("message", "answer", "said"),
    [
        ("Unable to update project p, see response", {"scm_url": ["Not a URL.", "Too long."]},
         "Unable to update project p: scm_url: Not a URL., Too long."),
        ("Failed to update project, see response for details", {"detail": "Not possible."},
         "Failed to update project: detail: Not possible."),
    ],
)  # fmt: skip
def test_what_an_answer_says_is_told(message, answer, said):
    assert answer_problems({"results": [{"msg": message, "response": {"json": answer}}]}) == [said]


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ({"changed": False, "id": 1}, []),
        ({"changed": False, "msg": "Invalid authentication credentials"}, ["Invalid authentication credentials"]),
    ],
    ids=["there", "refused"],
)
def test_an_organization_that_is_there_or_cannot_be_asked_for(result, said):
    assert organization_problems({"organization": "Estate", "result": result}) == said


def test_an_organization_that_is_missing():
    [sentence] = organization_problems({"organization": "Estate", "result": {"changed": True}})
    assert sentence.startswith("AWX has no organization Estate")
