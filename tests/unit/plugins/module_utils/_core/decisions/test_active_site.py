"""Whether a playbook may begin, by what inventory and command line say."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.decisions.active_site import choices, refusal

SILENT = dict.fromkeys(choices({}), "")


def said(*, values: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """What a good inventory of two sites says, of which all hosts are in the run."""
    facts = {
        "site": "site_a",
        "site_hosts": ["web-a", "sql-a", "files"],
        "web": ["web-a", "web-b"],
        "sql": ["sql-a", "sql-b"],
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
        said(values={"prs_backup_kind": "log", "prs_allow_data_loss": True, "prs_drill_keep": "No", "prs_ha": "none"}),
        said(values={"prs_take_over_lease": 1, "prs_end_other_branches": False}),
        said(values={"prs_ha": "standby", "prs_standby_sites": ["site_b"]}),
    ],
    ids=["two sites", "one host is both", "limited to one server", "values", "numbers and booleans", "standby"],
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
            said(hosts=["web-b", "files"]),
            "Nothing was done: none of the hosts of this run (web-b, files) is a server of site_a, which has web-a, "
            "sql-a. Correct --limit, or name the site that serves in prs_active_site.",
        ),
    ],
)
def test_why_nothing_may_be_done(facts: dict[str, Any], text: str):
    assert refusal(facts) == text
