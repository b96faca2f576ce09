"""What makes a recovery set healthy."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_set.chain import link_of
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_set.creation import compose
from recovery_set_rhythm import BEGIN, archived, taken


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({}, ""),
        ({"state": "broken"}, "did not work"),
        ({"backup": {"verified": False}}, "not read back"),
        ({"archive": {"verified": False}}, "archive was not read back"),
        ({"chain": []}, "cannot be restored by itself"),
        (
            {"elsewhere": [r"\\elsewhere\share\full.bak"]},
            r"\\elsewhere\share\full.bak lies on another server than the sets",
        ),
    ],
)
def test_what_makes_a_set_unhealthy(change: dict, problem: str):
    backup = {**taken("full", 1, 2), **change.get("backup", {})}
    made = compose(
        label="x",
        site="",
        now=BEGIN,
        backup=backup,
        archive={**archived(), **change.get("archive", {})},
        facts={},
        application_state=change.get("state", "answered"),
        chain=change.get("chain", [link_of(backup)]),
        elsewhere=change.get("elsewhere", ()),
    )
    assert made.healthy == (not problem)
    assert problem in "; ".join(made.values["problems"])
