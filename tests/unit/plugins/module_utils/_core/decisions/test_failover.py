"""Which site serves until now, and whether it has its database still after a move that failed."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.decisions.failover import old_site, old_site_serves

TAIL = "BACKUP LOG [PRS] TO DISK = N'tail.trn' WITH NORECOVERY"


@pytest.mark.parametrize(
    ("done", "serves"),
    [
        ({"way": "planned", "statements": [TAIL]}, False),
        ({"way": "stays", "statements": []}, False),
        ({"msg": "a gap", "error_code": "not_restorable"}, True),
        ({"msg": "a log is damaged", "statements": ["RESTORE LOG [PRS]"]}, True),
        ({"msg": "the tail failed", "statements": ["ALTER", TAIL], "database_state": "ONLINE"}, True),
        ({"msg": "the tail cannot be read", "statements": ["ALTER", TAIL], "database_state": "RESTORING"}, False),
        ({"msg": "it broke", "statements": ["ALTER"], "error_code": "sql_connection_lost"}, False),
    ],
)
def test_only_where_it_surely_stayed(done: dict[str, Any], serves: bool):
    assert old_site_serves({"done": done}) is serves


SITES = [{"site": "site_a", "sql": ["sql-a"], "web": []}, {"site": "site_c", "sql": ["sql-c"], "web": []}]


def seen(host: str, state: str | None, *, standby: bool = False) -> dict[str, Any]:
    """state: None where the server does not answer, empty without the database."""
    database = {"state": state, "standby": standby} if state else {}
    return {"host": host, "answers": state is not None, "database": database}


@pytest.mark.parametrize(
    ("a", "c", "site"),
    [
        (seen("sql-a", "ONLINE"), seen("sql-c", "RESTORING"), "site_a"),
        (seen("sql-a", "RESTORING"), seen("sql-c", "ONLINE"), "site_c"),
        (seen("sql-a", "ONLINE"), seen("sql-c", "ONLINE", standby=True), "site_a"),
        (seen("sql-a", "ONLINE"), seen("sql-c", None), "site_a"),
        (seen("sql-a", None), seen("sql-c", "RESTORING"), "site_a"),
        (seen("sql-a", None), seen("sql-c", ""), "site_a"),
        (seen("sql-a", None), seen("sql-c", None), ""),
        (seen("sql-a", "ONLINE"), seen("sql-c", "ONLINE"), ""),
        (seen("sql-a", "RESTORING"), seen("sql-c", "RESTORING"), ""),
    ],
)
def test_who_serves_until_now(a: dict[str, Any], c: dict[str, Any], site: str):
    assert old_site({"named": "", "sites": SITES, "seen": [a, c]}) == site
    assert old_site({"named": "site_c", "sites": SITES, "seen": []}) == "site_c"
    assert old_site({"named": "", "sites": SITES[:1], "seen": []}) == ""
