"""What installing the web server role puts on a host, and what removing it takes away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .security import CONTAINER, INHERIT_ONLY, OBJECT, WELL_KNOWN, Ace, Descriptor, Rights
from .services import Service

if TYPE_CHECKING:
    from .host import WindowsHost
    from .iis import Iis

__all__ = ["follow_features"]

ROOT = "C:\\inetpub"
WEB_ROOT = "C:\\inetpub\\wwwroot"
INETSRV = "C:\\Windows\\System32\\inetsrv"
_SYSTEM = "NT AUTHORITY\\SYSTEM"
_BOTH = CONTAINER | OBJECT


def follow_features(iis: Iis) -> None:
    """Called after features changed."""
    present = iis.host.services.find("W3SVC") is not None
    if iis.installed and not present:
        _install(iis)
    elif present and not iis.installed:
        _remove(iis)


def _install(iis: Iis) -> None:
    host = iis.host
    view = host.files(_SYSTEM)
    view.make_dir(WEB_ROOT)
    view.make_dir(INETSRV + "\\config")
    view.make_dir(ROOT + "\\logs\\LogFiles")
    view.write(INETSRV + "\\w3wp.exe", b"MZ w3wp\n")
    view.write(INETSRV + "\\Microsoft.Web.Administration.dll", b"MZ Microsoft.Web.Administration\n")
    if not view.exists(WEB_ROOT + "\\iisstart.htm"):
        view.write(
            WEB_ROOT + "\\iisstart.htm",
            b"<!DOCTYPE html><html><head><title>IIS Windows Server</title></head><body></body></html>\r\n",
        )
    _protect(host)
    services = host.services
    if services.find("WAS") is None:
        services.add(
            Service(
                name="WAS",
                display_name="Windows Process Activation Service",
                path=_svchost("iissvcs"),
                start_mode="manual",
                dependencies=["RPCSS"],
            )
        )
        services.add(
            Service(name="AppHostSvc", display_name="Application Host Helper Service", path=_svchost("apphost"))
        )
    services.add(
        Service(
            name="W3SVC",
            display_name="World Wide Web Publishing Service",
            path=_svchost("iissvcs"),
            dependencies=["WAS", "HTTP"],
        )
    )
    host.registry.set(r"HKLM\SOFTWARE\Microsoft\InetStp", "MajorVersion", 10, "dword")
    host.registry.set(r"HKLM\SOFTWARE\Microsoft\InetStp", "MinorVersion", 0, "dword")
    host.registry.set(r"HKLM\SOFTWARE\Microsoft\InetStp", "PathWWWRoot", WEB_ROOT)
    if not iis.pools:
        from .iis import Binding

        iis.add_pool("DefaultAppPool")
        site = iis.add_site(name="Default Web Site", physical_path=WEB_ROOT, number=1)
        site.bindings.append(Binding(port=80))
    services.start("AppHostSvc")
    services.start("W3SVC")


def _remove(iis: Iis) -> None:
    services = iis.host.services
    for name in ("W3SVC", "AppHostSvc", "WAS"):
        if services.find(name) is not None:
            services.remove(name)
    iis.host.registry.delete_key(r"HKLM\SOFTWARE\Microsoft\InetStp")
    iis.pools.clear()
    iis.sites.clear()


def _protect(host: WindowsHost) -> None:
    """C:\\inetpub and wwwroot as icacls shows them on a server: users read, IIS_IUSRS read the web root, nobody else
    writes.
    """
    full = [
        Ace(sid=WELL_KNOWN[name], mask=Rights.FULL, inheritance=_BOTH) for name in (_SYSTEM, "BUILTIN\\Administrators")
    ]
    read = Ace(sid=WELL_KNOWN["BUILTIN\\Users"], mask=Rights.READ_EXECUTE, inheritance=_BOTH)
    owner = Ace(sid=WELL_KNOWN["CREATOR OWNER"], mask=Rights.FULL, inheritance=_BOTH, propagation=INHERIT_ONLY)
    host.drives.set_descriptor(ROOT, Descriptor(entries=[*full, read, owner], protected=True))
    web_users = Ace(sid=WELL_KNOWN["BUILTIN\\IIS_IUSRS"], mask=Rights.READ_EXECUTE, inheritance=_BOTH)
    host.drives.set_descriptor(WEB_ROOT, Descriptor(entries=[web_users]))


def _svchost(group: str) -> str:
    return f"C:\\Windows\\system32\\svchost.exe -k {group}"
