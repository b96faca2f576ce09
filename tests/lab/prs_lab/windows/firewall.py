"""The Windows Firewall of one host: rules, and what they let through.

As Windows does it: inbound is refused unless a rule allows it, outbound is allowed unless a rule blocks it, and a block
wins over an allow. Rules carry the properties of ``INetFwRule`` under their own names.
"""

from __future__ import annotations

import ipaddress
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from .parts import Part, host_part

__all__ = ["ALL_PROFILES", "Firewall", "Rule"]

ALL_PROFILES = 0x7FFFFFFF
TCP, UDP, ANY = 6, 17, 256
IN, OUT = 1, 2
BLOCK, ALLOW = 0, 1


@dataclass(kw_only=True)
class Rule:
    """One rule, with the names and numbers of INetFwRule (Direction 1 in, 2 out; Action 0 block, 1 allow; Protocol 256
    any).
    """

    Name: str
    Description: str | None = None
    Direction: int = IN
    Action: int = ALLOW
    ApplicationName: str | None = None
    Grouping: str | None = None
    ServiceName: str | None = None
    Enabled: bool = False
    Profiles: int = ALL_PROFILES
    LocalAddresses: str = "*"
    RemoteAddresses: str = "*"
    LocalPorts: str | None = None
    RemotePorts: str | None = None
    Protocol: int = ANY
    InterfaceTypes: str = "All"
    EdgeTraversalOptions: int = 0
    SecureFlags: int = 0
    IcmpTypesAndCodes: str | None = None
    feature: str = field(default="", metadata={"why": "belongs to this Windows feature and goes with it"})

    def covers(
        self, *, direction: int, protocol: int, local_port: int | None, remote_port: int | None, remote: str
    ) -> bool:
        return (
            self.Enabled
            and self.Direction == direction
            and self.Protocol in (ANY, protocol)
            and _port_in(self.LocalPorts, local_port)
            and _port_in(self.RemotePorts, remote_port)
            and _address_in(self.RemoteAddresses, remote)
        )


_FRESH = [
    Rule(
        Name="Windows Remote Management (HTTP-In)",
        Grouping="@FirewallAPI.dll,-30267",
        Protocol=TCP,
        LocalPorts="5985",
        Enabled=True,
    ),
    Rule(Name="Windows Remote Management (HTTPS-In)", Protocol=TCP, LocalPorts="5986", Enabled=True),
    Rule(
        Name="File and Printer Sharing (SMB-In)",
        Grouping="@FirewallAPI.dll,-28502",
        Protocol=TCP,
        LocalPorts="445",
        Enabled=True,
    ),
    Rule(
        Name="Remote Desktop - User Mode (TCP-In)", Grouping="@FirewallAPI.dll,-28752", Protocol=TCP, LocalPorts="3389"
    ),
]
_WEB = [
    Rule(
        Name="World Wide Web Services (HTTP Traffic-In)",
        Grouping="@%windir%\\system32\\inetsrv\\iisres.dll,-30501",
        Protocol=TCP,
        LocalPorts="80",
        Enabled=True,
        feature="Web-Server",
    ),
    Rule(
        Name="World Wide Web Services (HTTPS Traffic-In)",
        Grouping="@%windir%\\system32\\inetsrv\\iisres.dll,-30501",
        Protocol=TCP,
        LocalPorts="443",
        Enabled=True,
        feature="Web-Server",
    ),
]


@host_part("firewall")
class Firewall(Part):
    """Rules in their order; several may have one name."""

    def __init__(self, host: Any) -> None:
        super().__init__(host)
        self.rules: list[Rule] = []
        host.features.on_change(self._follow_features)

    def reset(self) -> None:
        self.rules = [replace(rule) for rule in _FRESH]

    def named(self, name: str) -> list[Rule]:
        return [rule for rule in self.rules if rule.Name.lower() == name.lower()]

    def grouped(self, group: str) -> list[Rule]:
        return [rule for rule in self.rules if (rule.Grouping or "").lower() == group.lower()]

    def add(self, rule: Rule) -> None:
        with self.host.lock:
            self.rules.append(rule)

    def remove(self, rule: Rule) -> None:
        with self.host.lock:
            self.rules = [other for other in self.rules if other is not rule]

    def accepts(self, *, protocol: str, port: int, remote: str) -> bool:
        """Whether a packet from ``remote`` to our ``port`` comes in. Loopback within a host is never filtered."""
        return remote == self.host.address or self._verdict(
            direction=IN, protocol=_number(protocol), local_port=port, remote_port=None, remote=remote, otherwise=False
        )

    def lets_out(self, *, protocol: str, port: int, remote: str) -> bool:
        """Whether we may connect to ``port`` of ``remote``."""
        return self._verdict(
            direction=OUT, protocol=_number(protocol), local_port=None, remote_port=port, remote=remote, otherwise=True
        )

    @property
    def works(self) -> bool:
        """Without its service no rule can be read or written, and every packet passes."""
        return self.host.services.is_running("MpsSvc")

    def _verdict(self, *, otherwise: bool, **packet: Any) -> bool:
        if not self.works:
            return True
        actions = {rule.Action for rule in self.rules if rule.covers(**packet)}
        if BLOCK in actions:
            return False
        return True if ALLOW in actions else otherwise

    def _follow_features(self) -> None:
        """The web server's rules come and go with its role."""
        present = {rule.Name for rule in self.rules if rule.feature}
        for rule in _WEB:
            if self.host.features.installed(rule.feature) and rule.Name not in present:
                self.add(replace(rule))
        for rule in [rule for rule in self.rules if rule.feature and not self.host.features.installed(rule.feature)]:
            self.remove(rule)

    def to_state(self) -> Any:
        return [asdict(rule) for rule in self.rules]

    def load_state(self, state: Any) -> None:
        self.rules = [Rule(**rule) for rule in state]


def _number(protocol: str) -> int:
    return {"tcp": TCP, "udp": UDP}[protocol.lower()]


def _port_in(ports: str | None, port: int | None) -> bool:
    """``1433``, ``80,443``, ``5000-5010``, ``*`` or None for any; a port that is not known (None) lies in any list."""
    if not ports or ports in ("*", "any") or port is None:
        return True
    for part in ports.split(","):
        first, _, last = part.strip().partition("-")
        if first.isdigit() and int(first) <= port <= int(last or first):
            return True
    return False


def _address_in(addresses: str | None, address: str) -> bool:
    """Addresses, networks, ranges and ``LocalSubnet`` (which is the whole lab), joined by commas."""
    if not addresses or addresses in ("*", "any"):
        return True
    wanted = ipaddress.ip_address(address)
    for part in (part.strip() for part in addresses.split(",")):
        if part.lower() in ("*", "any", "localsubnet"):
            return True
        first, dash, last = part.partition("-")
        try:
            if dash:
                if ipaddress.ip_address(first) <= wanted <= ipaddress.ip_address(last):
                    return True
            elif wanted in ipaddress.ip_network(part, strict=False):
                return True
        except (ValueError, TypeError):
            continue
    return False
