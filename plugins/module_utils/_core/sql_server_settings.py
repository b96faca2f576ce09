# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an instance of SQL Server reads from the registry when it starts: what it says, and what it has to say.

Other applications may reach the same instance on ports of their own, so a port is added to those that are there. An
instance with a fixed port and a dynamic one listens on both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["StartSetting", "start_settings"]

SQL_LOGINS = 2
"""LoginMode of an instance that lets SQL logins in as well."""


@dataclass(frozen=True, kw_only=True)
class StartSetting:
    """One value of the registry. key: below the key MSSQLServer of the instance, '' for that itself; type: dword or
    string; found, wanted: as text.
    """

    key: str
    name: str
    type: str
    found: str
    wanted: str

    @property
    def differs(self) -> bool:
        return self.found != self.wanted


def start_settings(
    instance: Mapping[str, Any], *, mixed_mode: bool, certificate: str, port: int, keeps_ports: bool
) -> list[StartSetting]:
    """instance: of inspect_sql_instance.ps1. certificate: thumbprint, '' where the instance has none. keeps_ports:
    whether somebody may use the ports that are set already; those of an instance that was just installed nobody does.
    """
    mode = str(instance["login_mode"])
    network = "SuperSocketNetLib"
    settings = [
        StartSetting(
            key="", name="LoginMode", type="dword", found=mode, wanted=str(SQL_LOGINS) if mixed_mode else mode
        ),
        StartSetting(
            key=network,
            name="Certificate",
            type="string",
            found=instance["certificate"].lower(),
            wanted=certificate.lower(),
        ),
        StartSetting(
            key=f"{network}\\Tcp",
            name="Enabled",
            type="dword",
            found=str(instance["tcp_enabled"]),
            wanted="1",
        ),
    ]
    return settings + list(_ports(instance, port=port, keeps_ports=keeps_ports))


def _ports(instance: Mapping[str, Any], *, port: int, keeps_ports: bool) -> Iterator[StartSetting]:
    """Nothing where an administrator chose single addresses: the ports of all addresses then count for none."""
    if not instance["listens_on_all_addresses"]:
        return
    fixed, dynamic = instance["tcp_port"], instance["tcp_dynamic_ports"]
    key = "SuperSocketNetLib\\Tcp\\IPAll"
    wanted_fixed = _with_port(fixed, port) if keeps_ports else str(port)
    # The same port cannot be both.
    wanted_dynamic = dynamic if keeps_ports and dynamic != str(port) else ""
    yield StartSetting(key=key, name="TcpPort", type="string", found=fixed, wanted=wanted_fixed)
    yield StartSetting(key=key, name="TcpDynamicPorts", type="string", found=dynamic, wanted=wanted_dynamic)


def _with_port(ports: str, port: int) -> str:
    """The list of ports as it is where it has the port, else with the port at its end."""
    numbers = [number for number in re.findall(r"\d+", ports) if int(number)]
    return ports if str(port) in numbers else ",".join([*numbers, str(port)])
