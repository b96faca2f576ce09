"""What follows from the inventory."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.decisions.estate import (
    page_url,
    site_name,
    sites,
    witness,
)

PAGE = {"host": "reset.example.com", "port": 443, "site": "PasswordResetServer", "application": "PRS"}


@pytest.mark.parametrize(
    ("changed", "url"),
    [
        ({}, "https://reset.example.com:443/"),
        ({"port": "8443"}, "https://reset.example.com:8443/"),
        ({"site": "Default Web Site"}, "https://reset.example.com:443/PRS/"),
        ({"site": ""}, "https://reset.example.com:443/"),
    ],
)
def test_the_address_of_the_page(changed, url):
    assert page_url(PAGE | changed) == url


@pytest.mark.parametrize(
    ("ha", "safety", "chosen"),
    [("mirror", "synchronous", "wit"), ("mirror", "asynchronous", ""), ("none", "synchronous", "")],
)
def test_only_a_synchronous_mirror_has_a_witness(ha, safety, chosen):
    assert witness({"ha": ha, "safety": safety, "witness": "wit"}) == chosen


def test_a_site_has_a_web_server_and_a_database_server():
    web = [["all", "prs_web", "prs_servers", "site_b"], ["prs_web", "site_a", "site_c"]]
    sql = [["all", "prs_sql", "prs_servers", "site_a"], ["prs_sql", "site_b", "ungrouped"]]
    assert sites({"web": web, "sql": sql}) == ["site_a", "site_b"]


@pytest.mark.parametrize(
    ("servers", "not_groups", "name"),
    [
        ([["prs_sql", "site_b"], ["prs_web", "site_b"]], ["prs_sql", "site_a"], "site_b"),
        ([["europe", "site_b"]], ["europe", "site_a"], "site_b"),
        ([["site_b", "site_c"], ["site_c"]], [], "site_c"),
        ([["prs_sql", "ungrouped"]], [], "the other site"),
        ([["site_b"], []], [], "the other site"),
    ],
)
def test_a_site_is_called_after_the_group_of_its_servers(servers, not_groups, name):
    assert site_name({"servers": servers, "not_groups": not_groups, "default": "the other site"}) == name
