"""What of a server need not be set, as it is there already."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.decisions.windows import (
    features_installed,
    rule_in_force,
    rules,
)

RULED = {"parts": ["web", "sql"], "firewall": "managed", "provision": True, "instance": "PRS"}


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ({}, ["Password Reset Server (HTTPS)", "SQL Server (PRS)"]),
        ({"parts": ["sql"]}, ["SQL Server (PRS)"]),
        ({"parts": []}, []),
        ({"firewall": "unmanaged"}, []),
        ({"provision": False}, []),
    ],
)
def test_rules_that_are_looked_at(changed, names):
    assert rules(RULED | changed) == names


FOUND = {
    "name": "Browsers",
    "description": "made by PRS.recovery.",
    "direction": 1,
    "action": 1,
    "enabled": True,
    "protocol": 6,
    "local_ports": "443,8443",
}


@pytest.mark.parametrize(
    ("found", "in_force"),
    [
        ([], False),
        ([FOUND], True),
        ([FOUND | {"name": "BROWSERS"}], True),
        ([FOUND | {"name": "Other"}], False),
        ([FOUND, FOUND], True),
        ([FOUND, FOUND | {"enabled": False}], False),
        *(
            ([FOUND | {name: value}], False)
            for name, value in {
                "description": "",
                "direction": 2,
                "action": 0,
                "enabled": False,
                "protocol": 17,
                "local_ports": "443",
            }.items()
        ),
    ],
)
def test_a_rule_that_is_in_force(found, in_force):
    assert rule_in_force({"name": "Browsers", "ports": "443,8443", "found": found}) is in_force


FEATURES = {
    "wanted": ["Web-Server", "web-asp-net45"],
    "features": ["Web-Server", "Web-Asp-Net45"],
    "pending_restart": [],
}


@pytest.mark.parametrize(
    ("changed", "installed"),
    [
        ({}, True),
        ({"features": ["Web-Server"]}, False),
        ({"features": []}, False),
        ({"pending_restart": ["component servicing"]}, False),
    ],
)
def test_features_that_are_installed(changed, installed):
    assert features_installed(FEATURES | changed) is installed
