"""Which Windows a host runs, as its registry says it, and the .NET Framework that it brought."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .parts import Part, host_part

__all__ = ["SYSTEMS", "OperatingSystem"]

_NT = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
_NET = (
    r"HKLM\SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full",
    r"HKLM\SOFTWARE\Wow6432Node\Microsoft\NET Framework Setup\NDP\v4\Full",
)


@dataclass(frozen=True, kw_only=True)
class _System:
    product: str
    build: str
    installation: str = "Server"


# name in the estate's file -> what the registry says
SYSTEMS = {
    "server-2016": _System(product="Windows Server 2016 Standard", build="14393"),
    "server-2019": _System(product="Windows Server 2019 Standard", build="17763"),
    "server-2022": _System(product="Windows Server 2022 Standard", build="20348"),
    "server-2022-core": _System(product="Windows Server 2022 Standard", build="20348", installation="Server Core"),
    "windows-11": _System(product="Windows 11 Pro", build="22631", installation="Client"),
}


@host_part("operating_system")
class OperatingSystem(Part):
    """Set by the estate before a host is made: ``estate.system_of(host name) -> (system, .NET release)``. Without one:
    Server 2022.
    """

    def reset(self) -> None:
        ask: Any = getattr(self.host.estate, "system_of", None)
        if ask is None:
            return
        name, release = ask(self.host.name)
        system = SYSTEMS[name]
        registry = self.host.registry
        registry.set(_NT, "ProductName", system.product)
        registry.set(_NT, "CurrentBuild", system.build)
        registry.set(_NT, "CurrentBuildNumber", system.build)
        registry.set(_NT, "InstallationType", system.installation)
        for key in _NET:
            if release:
                registry.set(key, "Release", release, "dword")
            else:
                registry.delete_key(key)
