# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a server is already as a role would set it, so that no module need look at it once more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["features_installed", "rule_in_force", "rules"]

Facts = Mapping[str, Any]

_IN, _ALLOW, _TCP = 1, 1, 6
"""As INetFwRule numbers them."""


def rules(facts: Facts) -> list[str]:
    """Names of the firewall's rules that the roles of a server set. facts: parts: of the server; firewall: who sets
    rules; provision: whether the roles run; instance: of SQL Server.
    """
    names = {"web": "Password Reset Server (HTTPS)", "sql": f"SQL Server ({facts['instance']})"}
    asked = facts["provision"] and facts["firewall"] == "managed"
    return [name for part, name in names.items() if asked and part in facts["parts"]]


def rule_in_force(facts: Facts) -> bool:
    """Whether the firewall lets in what the role wants over TCP, compared as win_firewall_rule does: every rule of that
    name, texts without regard to case. facts: name and ports of the rule, as the task gives them; found: rules of
    inspect_server.ps1, none where nobody looked.
    """
    wanted = {
        "description": "Made by prs.recovery.",
        "direction": _IN,
        "action": _ALLOW,
        "enabled": True,
        "protocol": _TCP,
        "local_ports": facts["ports"],
    }
    named = [rule for rule in facts["found"] if _same(rule["name"], facts["name"])]
    return bool(named) and all(_same(rule[name], value) for rule in named for name, value in wanted.items())


def features_installed(facts: Facts) -> bool:
    """Whether win_feature would install nothing. facts: wanted: names of features; features: those that
    inspect_server.ps1 found, none where nobody looked; pending_restart: why Windows waits for a restart, which has to
    come first.
    """
    installed = {name.lower() for name in facts["features"]}
    return not facts["pending_restart"] and all(name.lower() in installed for name in facts["wanted"])


def _same(value: Any, wanted: Any) -> bool:
    """As PowerShell compares them."""
    texts = isinstance(value, str) and isinstance(wanted, str)
    return value.lower() == wanted.lower() if texts else value == wanted
