"""Who reaches whom: names, addresses, sites that are cut off."""

from __future__ import annotations

from typing import Any

from .config import EstateConfig

__all__ = ["Network"]


class Network:
    """The estate's DNS and its lines between sites. Hosts are added as they are made.

    A cut site is reached by nobody outside, and reaches nobody outside; within itself it goes on.
    """

    def __init__(self, *, config: EstateConfig, base: str):
        self._config = config
        self.base = base
        self._hosts: dict[str, Any] = {}
        self._cut: set[str] = set()
        # Names beyond the hosts' own, such as the site's public name; a failover may point them elsewhere.
        self.aliases: dict[str, str] = {name: host.lower() for name, host in config.aliases.items()}

    def add(self, host: Any) -> None:
        config = self._config.host(host.name)
        for name in (config.name, self._config.fqdn(config), host.address):
            self._hosts[name.lower()] = host

    def resolve(self, name: str) -> Any | None:
        """The host of a short or full name, an alias or an address; None when nobody has it."""
        key = name.lower().rstrip(".")
        return self._hosts.get(self.aliases.get(key, key).lower())

    def site_of(self, host: Any) -> str:
        return self._config.host(host.name).site

    def is_cut(self, host: Any) -> bool:
        """Whether the host's site is cut off."""
        return self.site_of(host) in self._cut

    def reachable(self, from_host: Any, to_host: Any) -> bool:
        """Whether a packet from one arrives at the other, both being on."""
        if from_host is to_host:
            return True
        if not from_host.power.is_on or not to_host.power.is_on:
            return False
        return self.site_of(from_host) == self.site_of(to_host) or not (self.is_cut(from_host) or self.is_cut(to_host))

    @property
    def cut_sites(self) -> tuple[str, ...]:
        return tuple(sorted(self._cut))

    def cut(self, site: str) -> None:
        """The site as the estate's file writes it, or as the inventory does, without dashes. Raises KeyError with the
        sites that there are.
        """
        found = next(
            (
                known
                for known in self._config.sites
                if known.lower().replace("-", "_") == site.lower().replace("-", "_")
            ),
            None,
        )
        if found is None:
            raise KeyError(f"no site {site}; there are {', '.join(self._config.sites)}")
        self._cut.add(found)

    def heal(self) -> None:
        self._cut.clear()

    def to_state(self) -> dict[str, Any]:
        return {"cut": sorted(self._cut), "aliases": self.aliases}

    def load_state(self, state: dict[str, Any]) -> None:
        self._cut, self.aliases = set(state["cut"]), state["aliases"]
