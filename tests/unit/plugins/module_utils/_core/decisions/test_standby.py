from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.decisions import standby

GROUPS = {
    "all": ["web-a", "sql-a", "web-b", "sql-b", "sql-c", "files"],
    "ungrouped": [],
    "prs_web": ["web-a", "web-b"],
    "prs_sql": ["sql-a", "sql-b", "sql-c"],
    "site_a": ["web-a", "sql-a"],
    "site_b": ["web-b", "sql-b"],
    "site_c": ["sql-c"],
    "windows": ["web-a", "sql-a", "web-b", "sql-b", "sql-c"],
}
B = {"site": "site_b", "sql": ["sql-b"], "web": ["web-b"]}
C = {"site": "site_c", "sql": ["sql-c"], "web": []}


@pytest.mark.parametrize(
    ("wanted", "sites"),
    [
        ([], [B, C]),
        (["site_c"], [C]),
        (["site_a", "site_b", "site_c"], [B, C]),
        (["site_a"], [{"site": "site_a", "sql": ["sql-a"], "web": ["web-a"]}]),
        (["site_b", "site_b"], [B, B]),
        (["nowhere"], [{"site": "nowhere", "sql": [], "web": []}]),
    ],
)
def test_which_sites_follow(wanted, sites):
    assert standby.sites({"groups": GROUPS, "active": "site_a", "wanted": wanted}) == sites


SHARE = r"\\files\backup\database"


@pytest.mark.parametrize(
    ("site", "first_only", "folders"),
    [
        ("site_b", False, [r"\\b\copy\database", SHARE]),
        ("site_b", True, [r"\\b\copy\database"]),
        ("site_c", False, [r"\\c\apart", SHARE]),
        ("site_d", True, [SHARE]),
    ],
)
def test_the_copy_at_its_own_site_is_read_first(site, first_only, folders):
    copies = [
        {"path": r"\\b\copy", "site": "site_b"},
        {"path": r"\\c\copy", "site": "site_c", "database_path": r"\\c\apart"},
        {"path": r"\\tape\copy"},
    ]
    facts = {"site": site, "share": SHARE, "copies": copies, "first_only": first_only}
    assert standby.folders(facts) == folders


@pytest.mark.parametrize(("minutes", "until"), [(0, ""), (90, "2026-03-01T12:30:00Z")])
def test_until_when_backups_are_taken(minutes, until):
    assert standby.kept_back_until({"now": "2026-03-01T14:00:00+00:00", "minutes": minutes}) == until


def test_what_verify_prs_judges():
    asked = {
        "instance": {"databases": [], "logins": [{"name": "prs_app", "sid": "0x01"}, {"name": "sa", "sid": "0x02"}]},
        "database": {"state": "RESTORING"},
        "opening": {"msg": "no room"},
        "logins": ["prs_app"],
        "minutes": 5,
    }
    judged = standby.inspected(asked)
    assert (judged["answers"], judged["planned"], judged["problem"]) == (True, False, "no room")
    assert judged["logins"] == {"prs_app": "0x01"} and judged["steps"] == []
    plan = {"plan": {}, "stood_at": {"time": "t"}, "beyond_gap": []}
    assert standby.inspected({**asked, "opening": plan})["planned"] is True
    assert standby.inspected({**asked, "instance": {"msg": "refused"}, "opening": {}})["problem"] == "refused"
