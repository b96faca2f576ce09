"""Whether the old site has its database still, after a move that failed."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.decisions.failover import old_site_serves

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
