"""Whether a playbook may begin, by what inventory and command line say."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.decisions.active_site import choices, refusal

HOSTS = ("web-a", "sql-a", "web-b", "sql-b")
SILENT = dict.fromkeys(choices({}), "")


def said(*, values: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """What a good inventory of two sites says, of which all hosts are in the run."""
    facts = {
        "site": "site_a",
        "site_hosts": ["web-a", "sql-a", "files"],
        "web": ["web-a", "web-b"],
        "sql": ["sql-a", "sql-b"],
        "addresses": {"web-a": "10.0.0.1", "sql-a": "10.0.0.2", "web-b": "10.0.0.3", "sql-b": ""},
        "ports": {"web-a": 5986, "sql-a": "5986", "web-b": 5986, "sql-b": ""},
        "hosts": ["web-a", "sql-a", "web-b", "sql-b", "files"],
        "unknown": [],
        "values": {**SILENT, **(values or {})},
    }
    return {**facts, **more}


@pytest.mark.parametrize(
    "facts",
    [
        said(),
        said(site_hosts=["web-a"], sql=["web-a", "sql-b"]),
        said(hosts=["sql-a"]),
        said(addresses=dict.fromkeys(HOSTS, "10.0.0.1"), ports=dict(zip(HOSTS, range(4), strict=True))),
        said(addresses={"web-a": "one", "sql-a": "one", "web-b": "two", "sql-b": "two"}),
        said(addresses=dict.fromkeys(HOSTS, ""), ports=dict.fromkeys(HOSTS, "")),
        said(values={"prs_backup_kind": "log", "prs_allow_data_loss": True, "prs_drill_keep": "No", "prs_ha": "none"}),
        said(values={"prs_take_over_lease": 1, "prs_end_other_branches": False}),
        said(values={"prs_ha": "standby", "prs_standby_sites": ["site_b"]}),
    ],
    ids=[
        "two sites",
        "one host is both",
        "limited to one server",
        "ports",
        "two servers",
        "names",
        "values",
        "numbers and booleans",
        "standby",
    ],
)
def test_what_is_right_is_not_refused(facts: dict[str, Any]):
    assert refusal(facts) == ""


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        (
            said(site="", site_hosts=""),
            "prs_active_site is not set. Set it to the group of the site that serves, for example site_a (see "
            "inventory.example).",
        ),
        (
            said(site="site_x", site_hosts="", unknown=["prs_x is no variable."]),
            "prs_active_site is site_x, and the inventory has no group of that name. Set it to the group of the site "
            "that serves, for example site_a (see inventory.example).",
        ),
        (
            said(unknown=["prs_kin is no variable.", "prs_x is none."], values={"prs_backup_kind": "ful"}),
            "Nothing was done. prs_kin is no variable. prs_x is none. Correct what was given with -e.",
        ),
        (
            said(values={"prs_backup_kind": "diferential", "prs_end_other_branches": "ja"}),
            "Nothing was done. prs_backup_kind is 'diferential'; it is one of full, differential, log. "
            "prs_end_other_branches is 'ja'; it is one of true and false.",
        ),
        (
            said(values={"prs_ha": "mirrored"}),
            "prs_ha is 'mirrored'. It is one of mirror, standby, availability_group and none.",
        ),
        (
            said(site_hosts=["files"]),
            "site_a has 0 hosts of the group prs_web and 0 of the group prs_sql; it needs exactly one of each (one "
            "host may be both). Correct the inventory.",
        ),
        (
            said(site_hosts=["web-a", "web-b", "sql-a"]),
            "site_a has 2 hosts of the group prs_web and 1 of the group prs_sql; it needs exactly one of each (one "
            "host may be both). Correct the inventory.",
        ),
        (
            said(addresses={"web-a": "A.lab", "sql-a": "", "web-b": "a.lab", "sql-b": ""}),
            "Nothing was done: web-a and web-b of the group prs_web are one server, a.lab:5986; each site needs its "
            "own. Correct the inventory.",
        ),
        (
            said(addresses=dict.fromkeys(HOSTS, "sql-b"), ports=dict(zip(HOSTS, ("1", "", "2", ""), strict=True))),
            "Nothing was done: sql-a and sql-b of the group prs_sql are one server, sql-b; each site needs its own. "
            "Correct the inventory.",
        ),
        (
            said(hosts=["web-b", "files"]),
            "Nothing was done: none of the hosts of this run (web-b, files) is a server of site_a, which has web-a, "
            "sql-a. Correct --limit, or name the site that serves in prs_active_site.",
        ),
    ],
)
def test_why_nothing_may_be_done(facts: dict[str, Any], text: str):
    assert refusal(facts) == text
