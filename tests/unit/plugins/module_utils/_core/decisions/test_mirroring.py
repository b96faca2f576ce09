"""What the other site of a mirror does and holds."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.decisions.mirroring import (
    other_site_holds,
    other_site_serves,
)


@pytest.mark.parametrize(
    ("runs_here", "runs_there", "state_here", "state_there", "serves"),
    [
        (False, True, "", "", True),
        (True, True, "MIRRORING", "ONLINE", True),
        (True, True, "ONLINE", "ONLINE", False),
        (True, True, "", "MIRRORING", False),
        (True, False, "", "ONLINE", False),
        (False, False, "", "ONLINE", False),
    ],
)
def test_which_site_serves(runs_here, runs_there, state_here, state_there, serves):
    facts = {"runs_here": runs_here, "runs_there": runs_there, "state_here": state_here, "state_there": state_there}
    assert other_site_serves(facts) is serves


@pytest.mark.parametrize(
    ("databases", "holds"),
    [
        ([], ""),
        ([{"name": "Other", "state": "ONLINE"}], ""),
        ([{"name": "other", "state": "ONLINE"}, {"name": "prs", "state": "ONLINE"}], "ONLINE"),
        ([{"name": "PRS", "state": "RESTORING", "mirroring": {"role": "MIRROR"}}], "MIRROR"),
        ([{"name": "PRS", "state": "ONLINE", "mirroring": {"role": "PRINCIPAL"}}], "PRINCIPAL"),
        ([{"name": "PRS", "state": "ONLINE", "mirroring": {}}], "ONLINE"),
        ([{"name": "PRS", "state": "RESTORING", "mirroring": None}], ""),
        ([{"name": "PRS2", "state": "ONLINE"}], ""),
    ],
)
def test_what_the_other_site_holds(databases, holds):
    assert other_site_holds({"name": "PRS", "databases": databases}) == holds
