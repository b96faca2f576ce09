# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a playbook may begin: what the inventory and the command line say of the site that serves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..summaries.mirroring import kind_problems

__all__ = ["CHOICES", "choices", "refusal"]

Facts = Mapping[str, Any]

CHOICES = {
    "prs_backup_kind": ("full", "differential", "log"),
    "prs_backup_unreadable": ("fail", "report"),
    "prs_drill_checkdb": ("full", "physical"),
    "prs_database_recovery_model": ("SIMPLE", "FULL", "BULK_LOGGED"),
    "prs_firewall": ("managed", "ignored"),
    "prs_mirror_safety": ("synchronous", "asynchronous"),
    "prs_mirror_authentication": ("certificates", "windows"),
}
_YES_OR_NO = (
    "prs_allow_data_loss", "prs_allow_database_loss", "prs_allow_application_loss", "prs_accept_shared_readers",
    "prs_allow_recovery_model", "prs_backup_accept_unhealthy", "prs_backup_password_hashes", "prs_drill_keep",
    "prs_end_other_branches", "prs_old_application_stopped", "prs_standby_readable", "prs_take_over_lease",
)  # fmt: skip
_OF_HA = ("prs_ha", "prs_standby_sites")
_BOOLEANS = ("true", "yes", "on", "y", "t", "1", "1.0", "false", "no", "off", "n", "f", "0", "0.0")
"""What Ansible takes for one. Any other word is false to it: a yes that is none would be a no without a word."""


def choices(facts: Facts) -> list[str]:
    """The names of the variables that C(refusal) wants the values of. facts: none."""
    return [*CHOICES, *_YES_OR_NO, *_OF_HA]


def refusal(facts: Facts) -> str:
    """Why nothing may be done, '' where all is well. What somebody typed for this very run is meant: a full backup
    would be no answer to a misspelt type of it.

    facts: site: prs_active_site, empty where it is not set; site_hosts: the hosts of that group, no list where there is
    none; web, sql: the hosts of the roles; addresses, ports: by all of these, empty where the inventory does not say;
    hosts: of this run; unknown: sentences on variables of the command line that nothing reads; values: by the names of
    C(choices), empty where the inventory does not say.
    """
    return next(_refusals(facts), "")


def _refusals(facts: Facts) -> Iterator[str]:
    site, hosts = facts["site"], facts["site_hosts"]
    if not isinstance(hosts, list):
        no_group = f"prs_active_site is {site}, and the inventory has no group of that name"
        wrong = no_group if site else "prs_active_site is not set"
        yield f"{wrong}. Set it to the group of the site that serves, for example site_a (see inventory.example)."
        return
    if facts["unknown"]:
        yield f"Nothing was done. {' '.join(facts['unknown'])} Correct what was given with -e."
    misspelt = list(_misspelt(facts["values"]))
    if misspelt:
        yield f"Nothing was done. {' '.join(misspelt)}"
    # A rebuild that came to this only at its end would have been for nothing, and a backup never would.
    kind = {"kind": facts["values"]["prs_ha"] or "none", "standby_sites": facts["values"]["prs_standby_sites"] or []}
    yield from kind_problems(kind)
    servers = {role: [host for host in facts[role] if host in hosts] for role in ("web", "sql")}
    if any(len(of_role) != 1 for of_role in servers.values()):
        yield (
            f"{site} has {len(servers['web'])} hosts of the group prs_web and {len(servers['sql'])} of the group "
            "prs_sql; it needs exactly one of each (one host may be both). Correct the inventory."
        )
    yield from (f"Nothing was done: {sentence}" for role in servers for sentence in _twice(role, facts))
    both = list(dict.fromkeys([*servers["web"], *servers["sql"]]))
    if not set(both).intersection(facts["hosts"]):
        yield (
            f"Nothing was done: none of the hosts of this run ({', '.join(facts['hosts'])}) is a server of {site}, "
            f"which has {', '.join(both)}. Correct --limit, or name the site that serves in prs_active_site."
        )


def _twice(role: str, facts: Facts) -> Iterator[str]:
    """One that is another site's as well would be set up, and its application stopped, as if it were another."""
    known: dict[tuple[str, str], str] = {}
    for host in facts[role]:
        where = (str(facts["addresses"][host] or host).lower(), str(facts["ports"][host]))
        if where in known:
            named = ":".join(filter(None, where))
            yield (
                f"{known[where]} and {host} of the group prs_{role} are one server, {named}; each site needs its own. "
                "Correct the inventory."
            )
        known[where] = host


def _misspelt(values: Facts) -> Iterator[str]:
    for name, allowed in CHOICES.items():
        if values[name] not in ("", *allowed):
            yield f"{name} is '{values[name]}'; it is one of {', '.join(allowed)}."
    for name in _YES_OR_NO:
        if str(values[name]).lower() not in ("", *_BOOLEANS):
            yield f"{name} is '{values[name]}'; it is one of true and false."
