"""Roles and features of one host, as Server Manager and as DISM see them.

One table serves both views: a server role service such as ``Web-Asp-Net45`` is DISM's ``IIS-ASPNET45``. Client Windows
has the DISM view only. What is listed is what the web server role, .NET and a fresh server bring; other names are
unknown, as on a real host that lacks them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .parts import Part, host_part
from .registry import REBOOT_PENDING

__all__ = ["Feature", "FeatureError", "Features"]


class FeatureError(Exception):
    """What Install-WindowsFeature or Enable-WindowsOptionalFeature throws."""


@dataclass(frozen=True, kw_only=True)
class Feature:
    """``default``: comes along with its parent; ``needs``: other role services that are installed with it."""

    name: str
    display: str
    optional: str
    parent: str = ""
    default: bool = False
    needs: tuple[str, ...] = ()
    fresh: bool = False
    restart: bool = False
    payload: bool = True
    number: int = 0


# name, DISM name, display name, parent, then flags: d comes with its parent, f installed on a fresh server, r needs a
# restart,
# x payload removed from the image; what it needs
_TABLE = [
    ("Web-Server", "IIS-WebServerRole", "Web Server (IIS)", "", "", ()),
    ("Web-WebServer", "IIS-WebServer", "Web Server", "Web-Server", "d", ()),
    ("Web-Common-Http", "IIS-CommonHttpFeatures", "Common HTTP Features", "Web-WebServer", "d", ()),
    ("Web-Default-Doc", "IIS-DefaultDocument", "Default Document", "Web-Common-Http", "d", ()),
    ("Web-Dir-Browsing", "IIS-DirectoryBrowsing", "Directory Browsing", "Web-Common-Http", "d", ()),
    ("Web-Http-Errors", "IIS-HttpErrors", "HTTP Errors", "Web-Common-Http", "d", ()),
    ("Web-Static-Content", "IIS-StaticContent", "Static Content", "Web-Common-Http", "d", ()),
    ("Web-Http-Redirect", "IIS-HttpRedirect", "HTTP Redirection", "Web-Common-Http", "", ()),
    ("Web-DAV-Publishing", "IIS-WebDAV", "WebDAV Publishing", "Web-Common-Http", "", ()),
    ("Web-Health", "IIS-HealthAndDiagnostics", "Health and Diagnostics", "Web-WebServer", "d", ()),
    ("Web-Http-Logging", "IIS-HttpLogging", "HTTP Logging", "Web-Health", "d", ()),
    ("Web-Log-Libraries", "IIS-LoggingLibraries", "Logging Tools", "Web-Health", "", ()),
    ("Web-Request-Monitor", "IIS-RequestMonitor", "Request Monitor", "Web-Health", "", ()),
    ("Web-Http-Tracing", "IIS-HttpTracing", "Tracing", "Web-Health", "", ()),
    ("Web-Performance", "IIS-Performance", "Performance", "Web-WebServer", "d", ()),
    ("Web-Stat-Compression", "IIS-HttpCompressionStatic", "Static Content Compression", "Web-Performance", "d", ()),
    ("Web-Dyn-Compression", "IIS-HttpCompressionDynamic", "Dynamic Content Compression", "Web-Performance", "", ()),
    ("Web-Security", "IIS-Security", "Security", "Web-WebServer", "d", ()),
    ("Web-Filtering", "IIS-RequestFiltering", "Request Filtering", "Web-Security", "d", ()),
    ("Web-Basic-Auth", "IIS-BasicAuthentication", "Basic Authentication", "Web-Security", "", ()),
    ("Web-IP-Security", "IIS-IPSecurity", "IP and Domain Restrictions", "Web-Security", "", ()),
    ("Web-Url-Auth", "IIS-URLAuthorization", "URL Authorization", "Web-Security", "", ()),
    ("Web-Windows-Auth", "IIS-WindowsAuthentication", "Windows Authentication", "Web-Security", "", ()),
    ("Web-App-Dev", "IIS-ApplicationDevelopment", "Application Development", "Web-WebServer", "", ()),
    (
        "Web-Net-Ext45",
        "IIS-NetFxExtensibility45",
        ".NET Extensibility 4.8",
        "Web-App-Dev",
        "",
        ("NET-Framework-45-ASPNET", "Web-Filtering"),
    ),
    ("Web-AppInit", "IIS-ApplicationInit", "Application Initialization", "Web-App-Dev", "", ()),
    ("Web-ASP", "IIS-ASP", "ASP", "Web-App-Dev", "", ("Web-ISAPI-Ext", "Web-Filtering")),
    (
        "Web-Asp-Net45",
        "IIS-ASPNET45",
        "ASP.NET 4.8",
        "Web-App-Dev",
        "",
        (
            "Web-Net-Ext45",
            "Web-ISAPI-Ext",
            "Web-ISAPI-Filter",
            "Web-Default-Doc",
            "Web-Filtering",
            "NET-Framework-45-ASPNET",
        ),
    ),
    ("Web-CGI", "IIS-CGI", "CGI", "Web-App-Dev", "", ()),
    ("Web-ISAPI-Ext", "IIS-ISAPIExtensions", "ISAPI Extensions", "Web-App-Dev", "", ()),
    ("Web-ISAPI-Filter", "IIS-ISAPIFilter", "ISAPI Filters", "Web-App-Dev", "", ()),
    ("Web-WebSockets", "IIS-WebSockets", "WebSocket Protocol", "Web-App-Dev", "", ()),
    ("Web-Mgmt-Tools", "IIS-WebServerManagementTools", "Management Tools", "Web-Server", "", ()),
    (
        "Web-Mgmt-Console",
        "IIS-ManagementConsole",
        "IIS Management Console",
        "Web-Mgmt-Tools",
        "",
        ("NET-Framework-45-Core",),
    ),
    (
        "Web-Scripting-Tools",
        "IIS-ManagementScriptingTools",
        "IIS Management Scripts and Tools",
        "Web-Mgmt-Tools",
        "",
        (),
    ),
    (
        "Web-Mgmt-Service",
        "IIS-ManagementService",
        "Management Service",
        "Web-Mgmt-Tools",
        "",
        ("NET-Framework-45-ASPNET",),
    ),
    ("NET-Framework-Features", "NetFx3ServerFeatures", ".NET Framework 3.5 Features", "", "", ()),
    (
        "NET-Framework-Core",
        "NetFx3",
        ".NET Framework 3.5 (includes .NET 2.0 and 3.0)",
        "NET-Framework-Features",
        "dx",
        (),
    ),
    ("NET-Framework-45-Features", "NetFx4ServerFeatures", ".NET Framework 4.8 Features", "", "f", ()),
    ("NET-Framework-45-Core", "NetFx4", ".NET Framework 4.8", "NET-Framework-45-Features", "df", ()),
    ("NET-Framework-45-ASPNET", "NetFx4Extended-ASPNET45", "ASP.NET 4.8", "NET-Framework-45-Features", "", ()),
    ("FileAndStorage-Services", "File-Services-Search-Service", "File and Storage Services", "", "f", ()),
    ("Storage-Services", "Storage-Services", "Storage Services", "FileAndStorage-Services", "f", ()),
    ("File-Services", "File-Services", "File and iSCSI Services", "FileAndStorage-Services", "", ()),
    ("FS-FileServer", "CoreFileServer", "File Server", "File-Services", "d", ()),
    ("Failover-Clustering", "FailoverCluster-FullServer", "Failover Clustering", "", "r", ()),
    ("AD-Domain-Services", "DirectoryServices-DomainController", "Active Directory Domain Services", "", "", ()),
    ("Telnet-Client", "TelnetClient", "Telnet Client", "", "", ()),
    ("PowerShellRoot", "MicrosoftWindowsPowerShellRoot", "Windows PowerShell", "", "f", ()),
    ("PowerShell", "MicrosoftWindowsPowerShell", "Windows PowerShell 5.1", "PowerShellRoot", "f", ()),
    ("WoW64-Support", "ServerCore-WOW64", "WoW64 Support", "", "f", ()),
]
FEATURES = {
    name.lower(): Feature(
        name=name,
        optional=optional,
        display=display,
        parent=parent,
        default="d" in flags,
        fresh="f" in flags,
        restart="r" in flags,
        payload="x" not in flags,
        needs=needs,
        number=position,
    )
    for position, (name, optional, display, parent, flags, needs) in enumerate(_TABLE, 1)
}
_BY_OPTIONAL = {feature.optional.lower(): feature for feature in FEATURES.values()}


@host_part("features")
class Features(Part):
    """What is installed. Names go without regard to case; other parts watch with ``on_change``."""

    def __init__(self, host: Any) -> None:
        super().__init__(host)
        self._installed: set[str] = set()
        self._watchers: list[Any] = []

    def reset(self) -> None:
        self._installed = {name for name, feature in FEATURES.items() if feature.fresh}

    def on_change(self, watcher: Any) -> None:
        """``watcher()`` is called after features were added or removed."""
        self._watchers.append(watcher)

    @property
    def is_client(self) -> bool:
        """Client Windows has no roles, thus no Install-WindowsFeature."""
        return (
            self.host.registry.get(r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion", "InstallationType") == "Client"
        )

    def installed(self, name: str) -> bool:
        return name.lower() in self._installed

    def find(self, pattern: str = "*") -> list[Feature]:
        """By name or wildcard, in Server Manager's order."""
        from fnmatch import fnmatchcase

        return [feature for name, feature in FEATURES.items() if fnmatchcase(name, pattern.lower())]

    def by_optional_name(self, name: str) -> Feature | None:
        """DISM's name -> feature; None when this Windows has no such feature."""
        found = _BY_OPTIONAL.get(name.lower())
        return (
            None
            if found is None
            or (self.is_client and found.parent == "" and not found.optional.startswith(("IIS-", "NetFx", "Telnet")))
            else found
        )

    def depth(self, feature: Feature) -> int:
        return 1 if not feature.parent else 1 + self.depth(FEATURES[feature.parent.lower()])

    def children(self, feature: Feature) -> list[Feature]:
        return [other for other in FEATURES.values() if other.parent.lower() == feature.name.lower()]

    def plan_install(
        self, names: list[str], *, sub_features: bool = False, management_tools: bool = False
    ) -> list[Feature]:
        """What installing these names would add, in Server Manager's order; raises FeatureError."""
        wanted: set[str] = set()
        for name in names:
            if name.lower() not in FEATURES:
                raise FeatureError(
                    f"ArgumentNotValid: The role, role service, or feature name is not valid: '{name}'. The name "
                    "was not found."
                )
            self._want(name, wanted, with_defaults=True)
            if sub_features:
                self._want_all_below(FEATURES[name.lower()], wanted)
        if management_tools and any(name.startswith("web-") for name in wanted):
            if self._is_core():
                raise FeatureError(
                    "The request to add or remove features on the specified server failed. Web-Mgmt-Console is not "
                    "available on Server Core."
                )
            self._want("Web-Mgmt-Console", wanted, with_defaults=True)
        new = [feature for name, feature in FEATURES.items() if name in wanted - self._installed]
        self._refuse(new)
        return new

    def plan_remove(self, names: list[str]) -> list[Feature]:
        """What removing these names would take away: them, what lies below and what needs them."""
        gone: set[str] = set()
        for name in names:
            if name.lower() not in FEATURES:
                raise FeatureError(
                    f"ArgumentNotValid: The role, role service, or feature name is not valid: '{name}'. The name "
                    "was not found."
                )
            self._unwant(name.lower(), gone)
        return [feature for name, feature in FEATURES.items() if name in gone & self._installed]

    def add(self, features: list[Feature]) -> bool:
        """Installs; True when Windows wants a restart for it."""
        restart = any(feature.restart for feature in features)
        with self.host.lock:
            self._installed |= {feature.name.lower() for feature in features}
            if restart:
                self.host.registry.create(REBOOT_PENDING)
        self._changed()
        return restart

    def remove(self, features: list[Feature]) -> bool:
        with self.host.lock:
            self._installed -= {feature.name.lower() for feature in features}
            # Removing IIS leaves files in use, which go at the next start.
            restart = any(feature.restart or feature.name == "Web-Server" for feature in features)
            if restart:
                self.host.registry.create(REBOOT_PENDING)
        self._changed()
        return restart

    def enable_optional(self, names: list[str], *, with_parents: bool) -> list[Feature]:
        """What DISM would enable; raises FeatureError where a parent is missing and was not asked for."""
        found = [self.by_optional_name(name) for name in names]
        wanted: set[str] = set()
        asked = {feature.name.lower() for feature in found if feature}
        for feature in found:
            if feature is None:
                raise FeatureError("A Windows feature name was not recognized. (0x800f080c)")
            missing = {name for name in self._above(feature) if name not in self._installed}
            if not with_parents and missing - asked:
                raise FeatureError(
                    "One or several parent features are disabled so current feature can not be enabled. (0x800f0826)"
                )
            wanted |= missing | {feature.name.lower()}
        new = [feature for name, feature in FEATURES.items() if name in wanted - self._installed]
        self._refuse(new)
        return new

    def _above(self, feature: Feature) -> set[str]:
        """Parents and needed features, all the way up."""
        direct = {name.lower() for name in (feature.parent, *feature.needs) if name}
        return direct | {above for name in direct for above in self._above(FEATURES[name])}

    def _want(self, name: str, wanted: set[str], *, with_defaults: bool) -> None:
        key = name.lower()
        if key in wanted:
            return
        wanted.add(key)
        feature = FEATURES[key]
        if feature.parent:
            # Parents that are new bring their defaults along, as in Server Manager.
            self._want(
                feature.parent, wanted, with_defaults=with_defaults and feature.parent.lower() not in self._installed
            )
        for needed in feature.needs:
            self._want(needed, wanted, with_defaults=False)
        if with_defaults and key not in self._installed:
            for child in self.children(feature):
                if child.default:
                    self._want(child.name, wanted, with_defaults=True)

    def _want_all_below(self, feature: Feature, wanted: set[str]) -> None:
        for child in self.children(feature):
            if child.payload:
                self._want(child.name, wanted, with_defaults=True)
                self._want_all_below(child, wanted)

    def _unwant(self, key: str, gone: set[str]) -> None:
        if key in gone:
            return
        gone.add(key)
        for other in FEATURES.values():
            if other.parent.lower() == key or key in {needed.lower() for needed in other.needs}:
                self._unwant(other.name.lower(), gone)

    def _refuse(self, features: list[Feature]) -> None:
        for feature in features:
            if not feature.payload:
                raise FeatureError(
                    "The request to add or remove features on the specified server failed. Installation of one or "
                    "more roles, role services, "
                    'or features failed. The source files could not be found. Use the "Source" option to specify '
                    "the location of the files "
                    f"that are required to restore the feature. Error: 0x800f081f ({feature.name})"
                )
            if feature.name == "Web-Mgmt-Console" and self._is_core():
                raise FeatureError(
                    "The request to add or remove features on the specified server failed. The feature "
                    "Web-Mgmt-Console is not available on Server Core."
                )

    def _is_core(self) -> bool:
        return (
            self.host.registry.get(r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion", "InstallationType")
            == "Server Core"
        )

    def _changed(self) -> None:
        for watcher in self._watchers:
            watcher()

    def to_state(self) -> Any:
        return sorted(self._installed)

    def load_state(self, state: Any) -> None:
        self._installed = set(state)
