"""What stops AWX from being told of an estate."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.summaries.configure_awx import inventory_problems


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
