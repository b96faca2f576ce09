"""Which servers an inventory names, where they stand, and what is wrong with that."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from .reading import UserInventory

__all__ = ["ELSEWHERE", "ROLES", "Server", "active_site", "problems", "servers", "sites"]

ROLES = ("prs_web", "prs_sql", "prs_witness", "prs_share")
ELSEWHERE = "elsewhere"
"""The site of servers that stand at none of those that serve: witness and file servers."""
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,14}")


@dataclass(frozen=True, kw_only=True)
class Server:
    """``host`` as the inventory calls it, ``name`` of the computer, its full name's ``suffix``, its groups of ROLES."""

    host: str
    name: str
    suffix: str
    site: str
    groups: tuple[str, ...]

    @property
    def fqdn(self) -> str:
        return f"{self.name}.{self.suffix}".lower()


def servers(inventory: UserInventory) -> tuple[Server, ...]:
    """Those of the groups that the playbooks know, in the inventory's order."""
    result = {}
    for role in ROLES:
        for host in inventory.groups.get(role, ()):
            name, _, suffix = _full_name(inventory, host).partition(".")
            site = next((site for site, hosts in sites(inventory).items() if host in hosts), ELSEWHERE)
            groups = tuple(group for group in ROLES if host in inventory.groups.get(group, ()))
            result[host] = Server(host=host, name=name, suffix=suffix.lower(), site=site, groups=groups)
    return tuple(result.values())


def active_site(inventory: UserInventory) -> str:
    """As the first host of the web and database servers has it; '' where nobody says it."""
    hosts = [host for role in ROLES for host in inventory.groups.get(role, ())]
    return next((str(inventory.values[host].get("prs_active_site") or "") for host in hosts), "")


def sites(inventory: UserInventory) -> dict[str, list[str]]:
    """The active site's group, and those others that hold web or database servers and none of its."""
    active = active_site(inventory)
    at_home = set(inventory.groups.get(active, ()))
    serving = {host for role in ("prs_web", "prs_sql") for host in inventory.groups.get(role, ())}
    others = {
        group: hosts
        for group, hosts in inventory.groups.items()
        if group not in (*ROLES, "all", "ungrouped", "prs_servers", active)
        and serving & set(hosts)
        and not at_home & set(hosts)
    }
    return {**({active: sorted(at_home)} if at_home else {}), **others}


def problems(inventory: UserInventory) -> list[str]:
    """A sentence for each thing that is missing or stands twice."""
    return [*_missing(inventory), *_twice(inventory), *_names(inventory)]


def _missing(inventory: UserInventory) -> Iterator[str]:
    absent = [role for role in ("prs_web", "prs_sql") if not inventory.groups.get(role)]
    if absent:
        yield f"the inventory has no hosts in {' and '.join(absent)}; inventory.example is the pattern"
        return
    active = active_site(inventory)
    if active not in inventory.groups:
        named = f"prs_active_site is {active}, and no group has that name" if active else "prs_active_site is not set"
        yield f"{named}; it names the group of the site that serves"
        return
    for site, hosts in sites(inventory).items():
        for role in ("prs_web", "prs_sql"):
            here = [host for host in hosts if host in inventory.groups[role]]
            if len(here) != 1:
                named = f" ({', '.join(here)})" if here else ""
                yield f"{site} has {len(here)} hosts of {role}{named}; a site has exactly one (one host may be both)"


def _twice(inventory: UserInventory) -> Iterator[str]:
    names = Counter(server.name.lower() for server in servers(inventory))
    for name, count in names.items():
        if count > 1:
            hosts = [server.host for server in servers(inventory) if server.name.lower() == name]
            yield f"{' and '.join(hosts)} are the same server, {name}, by their names (prs_fqdn)"
    for host in sorted({host for hosts in sites(inventory).values() for host in hosts}):
        at = [site for site, hosts in sites(inventory).items() if host in hosts]
        if len(at) > 1:
            yield f"{host} stands at {' and at '.join(at)}; a server stands at one site"


def _names(inventory: UserInventory) -> Iterator[str]:
    found = servers(inventory)
    for server in found:
        if not _NAME.fullmatch(server.name) or not server.suffix:
            yield (
                f"{server.host}: its full name is {_full_name(inventory, server.host)!r}; prs_fqdn has to be a computer's name "
                "(letters, digits and dashes, at most 15) with its domain"
            )
    suffixes = {server.suffix for server in found if server.suffix}
    if len(suffixes) > 1:
        yield f"the servers are of the domains {', '.join(sorted(suffixes))} (prs_fqdn); the laboratory has one domain"


def _full_name(inventory: UserInventory, host: str) -> str:
    """By prs_fqdn, else by what Ansible connects to, else by the inventory's own name for it."""
    given = str(inventory.values[host].get("prs_fqdn") or "")
    address = inventory.addresses.get(host, "")
    by_name = [name for name in (given, address, host) if "." in name and not re.fullmatch(r"[\d.]+", name)]
    return by_name[0] if by_name else given or host
