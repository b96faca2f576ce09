"""Which Windows a host runs, as its registry says it, and the .NET Framework that it brought."""

from __future__ import annotations

from .parts import Part, host_part

__all__ = ["OperatingSystem"]

_NT = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
_NET = (
    r"HKLM\SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full",
    r"HKLM\SOFTWARE\Wow6432Node\Microsoft\NET Framework Setup\NDP\v4\Full",
)


@host_part("operating_system")
class OperatingSystem(Part):
    """As the host's character has it."""

    def reset(self) -> None:
        release = self.host.character.windows
        registry = self.host.registry
        registry.set(_NT, "ProductName", release.product)
        registry.set(_NT, "CurrentBuild", release.build)
        registry.set(_NT, "CurrentBuildNumber", release.build)
        registry.set(_NT, "InstallationType", release.installation)
        for key in _NET:
            registry.set(key, "Release", self.host.character.dotnet, "dword")
