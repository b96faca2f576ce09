# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role prs_app works out of the inventory and of what the web server has."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Mapping
from typing import Any

from ..task_result import failure_message

__all__ = [
    "account", "alias_values", "bound_certificates", "config_is_set", "database_servers", "ldap_rules", "pool_is_set",
    "site_is_set", "stopped_by", "without_rights",
]  # fmt: skip

Facts = Mapping[str, Any]

NETWORK_SERVICE = "S-1-5-20"
"""Its name is another one in every language."""
ALLOWED_BELOW = {"allow": True, "inherited": False, "inheritance": 3, "propagation": 0}
"""What a rule says besides the rights, of a folder with the folders and files below it."""
PASSWORD = "processModel.password"
POOL_ENUMERATIONS = {
    "managedPipelineMode": ("Integrated", "Classic"),
    "startMode": ("OnDemand", "AlwaysRunning"),
    "processModel.identityType": (
        "LocalSystem", "LocalService", "NetworkService", "SpecificUser", "ApplicationPoolIdentity",
    ),
}  # fmt: skip
"""Values of an application pool's attributes, in the order of the numbers that IIS' schema gives them."""
TESTING_AID = "MockPhoneQuestionsCaller"
WORKERS = {
    "": "%SystemRoot%\\System32\\inetsrv\\w3wp.exe",
    ", 32 bits": "%SystemRoot%\\SysWOW64\\inetsrv\\w3wp.exe",
}
"""What a rule's name says of the bitness of application pools, and the program that runs them."""


def stopped_by(result: Facts) -> str:
    """Why the folder cannot be brought back, '' where it can. result: of app_restore in check mode."""
    if "archive" in result:
        return ""
    yes = "-e prs_allow_application_loss=true says that yes. " if result.get("error_code") == "would_lose_data" else ""
    return f"{failure_message(result).rstrip('.')}. {yes}Nothing was touched."


def account(facts: Facts) -> str:
    """Who writes into the folder. facts: identity: of the application pool; pool: its name; user: of another
    identity.
    """
    if facts["identity"] == "ApplicationPoolIdentity":
        return f"IIS AppPool\\{facts['pool']}"
    return NETWORK_SERVICE if facts["identity"] == "NetworkService" else facts["user"]


def without_rights(facts: Facts) -> list[str]:
    """Folders on which win_acl would give the account its rights: no rule of its own there is that one. facts: folders;
    rights and rules, as inspect_folder.ps1 says them.
    """
    wanted = {"rights": facts["rights"], **ALLOWED_BELOW}
    has_rights = {rule["path"] for rule in facts["rules"] if all(rule[name] == value for name, value in wanted.items())}
    return [folder for folder in facts["folders"] if folder not in has_rights]


def database_servers(facts: Facts) -> dict[str, str]:
    """The database server of this web server's own site, and of a mirror its partner; empty where there is none.

    facts: ha: prs_ha; active: whether the web server belongs to the active site (another one stands by); active_sql,
    other_sql: the database servers of the active site and all others; host: the web server; groups: of the inventory,
    with their hosts, by which it is told which of several others is at its own site.
    """
    sites = (facts["active_sql"], sorted(facts["other_sql"], key=lambda sql: _distance(sql, facts)))
    own, other = sites if facts["active"] else sites[::-1]
    partner = next(iter(other), "") if facts["ha"] == "mirror" else ""
    return {"server": next(iter(own), ""), "partner": partner}


def _distance(sql: str, facts: Facts) -> float:
    """How many hosts the smallest site has that holds this database server and the web server."""
    here = set(facts["active_sql"])
    shared = [
        len(members)
        for name, members in facts["groups"].items()
        if not name.startswith("prs_") and {sql, facts["host"]} <= set(members) and not here & set(members)
    ]
    return min(shared, default=math.inf)


def alias_values(facts: Facts) -> list[dict[str, str]]:
    """The values of the registry that lead aliases of SQL Server's clients to their servers: key, name, data.

    facts: aliases: name and server of each; keys: of the registry, for both bitnesses; port.
    """
    return [
        {"key": key, "name": alias["name"], "data": f"DBMSSOCN,{alias['server']},{facts['port']}"}
        for alias in facts["aliases"]
        for key in facts["keys"]
    ]


def ldap_rules(facts: Facts) -> list[dict[str, str]]:
    """The firewall's rules for what application pools ask by LDAP: name, description, action, program, remote_ports,
    remote_addresses. facts: addresses: by action (allow, block) whom it is for; ports.
    """
    return [
        {
            "name": f"Password Reset Server (LDAP, {action}{bitness})",
            "description": "Made by prs.recovery.",
            "action": action,
            "program": program,
            "remote_ports": ",".join(map(str, facts["ports"])),
            "remote_addresses": ",".join(addresses),
        }
        for action, addresses in facts["addresses"].items()
        for bitness, program in WORKERS.items()
    ]


def bound_certificates(facts: Facts) -> list[str]:
    """Thumbprints of the certificates in the binding that the role makes, of all addresses and host names, in upper
    case: one or none. Other bindings are somebody else's.

    facts: site: the application's, as inspect_web_server.ps1 found it; port.
    """
    return [
        binding["certificate_hash"].upper()
        for binding in facts["site"].get("bindings", ())
        if (binding["protocol"], binding["ip"], binding["port"]) == ("https", "*", int(facts["port"]))
        and not binding["hostname"]
    ]


def site_is_set(facts: Facts) -> bool:
    """Whether the site is as the role would set it. facts: found: the site, as inspect_web_server.ps1 says it; port and
    thumbprint of the binding that the role makes; state; own: whether the site is the application's alone, which then
    has path and pool.
    """
    site = facts["found"]
    if bound_certificates({"site": site, "port": facts["port"]}) != [facts["thumbprint"].upper()]:
        return False
    root = (site["physical_path"].lower(), site["application_pool"])
    in_place = not facts["own"] or root == (facts["path"].lower(), facts["pool"])
    return in_place and site["state"].lower() == facts["state"]


def pool_is_set(facts: Facts) -> bool:
    """Whether web_app_pool would change nothing, which compares texts without regard to case. facts: found: the pool,
    as inspect_web_server.ps1 says it; wanted: the attributes; state. A password is never looked at, so with one nobody
    knows.
    """
    pool, wanted = facts["found"], facts["wanted"]
    if not pool or PASSWORD in wanted:
        return False
    same_state = (pool["state"] == "Stopped") == (facts["state"] == "stopped")
    return same_state and all(
        _text(name, pool["attributes"].get(name)) == _text(name, value) for name, value in wanted.items()
    )


def _text(name: str, value: Any) -> str:
    """A value of an attribute as the module's user writes it, in small letters."""
    names = POOL_ENUMERATIONS.get(name, ())
    written = names[value] if isinstance(value, int) and value < len(names) else value
    return str(written).lower()


def config_is_set(facts: Facts) -> bool:
    """Whether web.config reads as the role would make it: large uploads go through, the testing aid is gone.

    facts: content: of web.config in base64; upload_bytes; upload_page: the page that takes an upgrade, with request_kb
    and timeout. What is commented out does not count.
    """
    text = re.sub(r"(?s)<!--.*?-->", "", base64.b64decode(facts["content"]).decode("utf-8", "surrogateescape"))
    page = re.escape(facts["upload_page"])
    locations = re.findall(rf'(?s)<location[^>]*path="{page}"[^>]*(?<!/)>(.*?)</location>', text)
    runtime = "".join(element for location in locations for element in re.findall("<httpRuntime[^>]*>", location))
    wanted = (
        (text, f'<requestLimits[^>]*maxAllowedContentLength="{facts["upload_bytes"]}"'),
        (runtime, f'maxRequestLength="{facts["request_kb"]}"'),
        (runtime, f'executionTimeout="{facts["timeout"]}"'),
    )
    return TESTING_AID not in text and all(re.search(pattern, part) for part, pattern in wanted)
