# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of the role configure_awx says: facts that the role gathered in, sentences out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["answer_problems", "inventory_problems", "organization_problems"]

Facts = Mapping[str, Any]


def inventory_problems(facts: Facts) -> list[str]:
    """Why AWX cannot be told of the estate. facts: sites: groups with a web and a database server; active_site: what
    the inventory calls the active one, or empty.
    """
    if facts["active_site"] in facts["sites"]:
        return []
    existing = (
        ", ".join(facts["sites"]) or "no group that has both a web server (prs_web) and a database server (prs_sql)"
    )
    return [
        f"The estate's inventory is needed here as well (-i): it names the sites. Found {existing}; prs_active_site is "
        f"{facts['active_site'] or 'not set'}."
    ]


def organization_problems(facts: Facts) -> list[str]:
    """facts: organization: its name; result: of awx.awx.organization in check mode, with an id where there is one."""
    if problems := answer_problems({"results": [facts["result"]]}):
        return problems
    if "id" in facts["result"]:
        return []
    return [
        f"AWX has no organization {facts['organization']}, or this account may not see it: make it there, or name "
        "another one in prs_awx_organization. Nothing was changed."
    ]


def answer_problems(facts: Facts) -> list[str]:
    """What AWX refused, each thing once. facts: results: what modules of awx.awx returned, with a msg where they
    failed.
    """
    return list(dict.fromkeys(_explained(result) for result in facts["results"] if result.get("msg")))


def _explained(result: Mapping[str, Any]) -> str:
    message = "; ".join(map(str, result["msg"])) if isinstance(result["msg"], list) else str(result["msg"])
    if "/credential_types/" in message and "HTTP 403" in message:
        return (
            "AWX lets only a system administrator make or change credential types: run this once with an account of "
            "such a one. From then on an administrator of the organization can run it."
        )
    if message == "Project update failed":
        return (
            "AWX could not fetch the project from its repository. The output of the project's last job in AWX says "
            "why: often the address, the branch or the credential. Nothing that needs the project was tried."
        )
    if message.startswith("The inventory_update - "):
        return (
            f"AWX could not read the inventory from the project: the output of its job {result.get('id', '')} says "
            "why. When that is mended, update the inventory's source in AWX once."
        )
    if "Relationship not allowed" in message:
        return (
            "Somebody linked the nodes of the workflow that rebuilds and verifies otherwise than this sets them: "
            "remove those links in AWX, or the workflow, and run this again."
        )
    if "Playbook not found for project" in message:
        return (
            "The project in AWX was never fetched, or its repository lacks playbooks: copy inventory.example/playbooks "
            "into it, and update the project in AWX."
        )
    return message
