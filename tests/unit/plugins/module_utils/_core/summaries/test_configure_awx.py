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
    [sentence] = problems("Project update failed")
    assert sentence.startswith("AWX could not fetch the project")
    failed = "The inventory_update - {'id': 5, 'name': 'PRS inventory', 'host_filter': None}, failed"
    [sentence] = answer_problems({"results": [{"id": 17, "changed": True, "msg": failed}]})
    assert "the output of its job 17 says why" in sentence
    [sentence] = problems(
        *(
            f"Unable to create job_template PRS {name}: {{'playbook': ['Playbook not found for project.']}}"
            for name in ("backup", "verify")
        )
    )
    assert sentence.startswith("The project in AWX was never fetched")
    assert answer_problems({"results": [{"msg": ["one", "two"]}]}) == ["one; two"]
    assert problems() == []


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
