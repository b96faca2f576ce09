# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows from the inventory: the page's address, the witness, the sites."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["page_url", "site_name", "sites", "witness"]

Facts = Mapping[str, Any]

DEFAULT_SITE = "Default Web Site"
"""The site of IIS below which the application is one of several."""
_NO_SITES = ("all", "ungrouped")


def page_url(facts: Facts) -> str:
    """The address of the page. facts: host: its public name; port; site: the site in IIS; application: the name below
    the default web site.
    """
    below = f"{facts['application']}/" if facts["site"] == DEFAULT_SITE else ""
    return f"https://{facts['host']}:{facts['port']}/{below}"


def witness(facts: Facts) -> str:
    """The witness of the mirror, empty where there is none: only a synchronous mirror uses one.

    facts: ha: prs_ha; safety: prs_mirror_safety; witness: the host that the inventory means, or empty.
    """
    return facts["witness"] if facts["ha"] == "mirror" and facts["safety"] == "synchronous" else ""


def sites(facts: Facts) -> list[str]:
    """The groups that have both a web server and a database server, sorted. facts: web, sql: for each server of that
    role its groups.
    """
    web, sql = ({group for groups in facts[role] for group in groups} for role in ("web", "sql"))
    return sorted(_site_groups(web & sql))


def site_name(facts: Facts) -> str:
    """The name of a site: the first group that all its servers are in and that is neither a role nor a group of the
    active site.

    facts: servers: for each of its servers its groups; not_groups: groups that it cannot be; default: what it is called
    where no group remains.
    """
    first, *others = facts["servers"]
    shared = [group for group in first if all(group in groups for groups in others)]
    return next((group for group in _site_groups(shared) if group not in facts["not_groups"]), facts["default"])


def _site_groups(groups: Iterable[str]) -> list[str]:
    return [group for group in groups if not group.startswith("prs_") and group not in _NO_SITES]
