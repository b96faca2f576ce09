# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of the role configure_awx says: facts that the role gathered in, sentences out."""

from __future__ import annotations

import re
import urllib.parse
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
    if query := re.search(r"/([a-z_]+)/\?(\S+) returned (\d+) items, expected 1", message):
        return _not_one(*query.groups())
    if message.endswith(("see response", "see response for details")):
        return f"{message.rpartition(',')[0]}: {_said(result.get('response', {}).get('json'))}"
    if "PATCH to " in message and "/credential_types/" in message:
        return (
            "AWX refused to change a credential type: only a system administrator may, and nobody may change the "
            "fields of one that credentials have. Run this with an account of such a one; if it was one, delete the "
            "credentials of that type first, in every organization."
        )
    if "/credential_types/" in message and "HTTP 403" in message:
        return (
            "AWX lets only a system administrator make or change credential types: run this once with an account of "
            "such a one. From then on an administrator of the organization can run it."
        )
    if "Project Update - " in message:
        return (
            f"AWX could not fetch the project from its repository: {_job(result)}. Often it is the address, the branch "
            "or the credential. Nothing that needs the project was tried: mend that, and run this again."
        )
    if "inventory_update - " in message:
        return (
            f"AWX could not read the inventory from the project: {_job(result)}. Nothing that needs the inventory was "
            "tried: mend that, and run this again."
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


def _not_one(kind: str, query: str, count: str) -> str:
    """Of a name that is not the name of one object. query: of the request, with the name."""
    name = urllib.parse.parse_qs(query).get("name", [query])[0]
    if count == "0":
        return f"AWX shows this account nothing called {name} among its {kind}: make it, or give a right to use it."
    return (
        f"AWX shows this account {count} {kind} called {name}: give the number of the right one in place of its name."
    )


def _job(result: Mapping[str, Any]) -> str:
    """What became of AWX's job, on which of its nodes, and why, as far as AWX tells."""
    job = result.get("job_data")
    if not job:
        return (
            f"job {result.get('id')} is still {result.get('status')} after ten minutes, so AWX is busy or has no node "
            "that works"
        )
    node = f" on {job['execution_node']}" if job.get("execution_node") else ""
    reason = f" ({job['job_explanation']})" if job.get("job_explanation") else ""
    return f"job {result['id']}{node} failed{reason}, and its output in AWX says why"


def _said(answer: Any) -> str:
    """The sentences of an answer of AWX, which names fields."""
    if isinstance(answer, Mapping):
        return "; ".join(f"{field}: {_said(value)}" for field, value in answer.items())
    return ", ".join(map(str, answer)) if isinstance(answer, list) else str(answer)
