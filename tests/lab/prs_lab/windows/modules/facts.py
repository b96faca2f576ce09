"""ansible.windows.setup: what the real module tells of a server, from the twin's own state."""

from __future__ import annotations

import fnmatch
import hashlib
import uuid
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from ..models import Task, module

__all__ = ["WINDOWS_ZONES"]

_VERSION = "10.0.20348.0"
_MEMORY_MB = 8192
# IANA zone -> Windows' name; others are shown as they are.
WINDOWS_ZONES = {
    "UTC": "UTC", "Etc/UTC": "UTC", "Europe/London": "GMT Standard Time", "Europe/Berlin": "W. Europe Standard Time", "Europe/Paris": "Romance Standard Time",
    "America/New_York": "Eastern Standard Time", "America/Los_Angeles": "Pacific Standard Time", "Asia/Tokyo": "Tokyo Standard Time",
}  # fmt: skip
_GROUPS = {
    "min": ["date_time", "distribution", "dns", "env", "local", "platform", "powershell_version", "user"],
    "network": ["all_ipv4_addresses", "all_ipv6_addresses", "interfaces", "windows_domain", "winrm"],
    "hardware": ["bios", "memory", "processor", "uptime", "virtual"],
    "external": ["facter"],
}
_ALL = [subset for group in _GROUPS.values() for subset in group]


@module("ansible.windows.setup")
def setup(task: Task) -> dict[str, Any]:
    wanted = _subsets(task)
    facts: dict[str, Any] = {"gather_subset": task.params["gather_subset"], "module_setup": True}
    for names, gather in _GATHERERS.items():
        if wanted & set(names.split()):
            facts.update({f"ansible_{name}": value for name, value in gather(task).items()})
    patterns = task.params.get("filter") or []
    if patterns and patterns != ["*"]:
        facts = {
            name: value for name, value in facts.items() if any(fnmatch.fnmatch(name, pattern) for pattern in patterns)
        }
    return {"ansible_facts": facts}


def _subsets(task: Task) -> set[str]:
    explicit: set[str] = set()
    excluded: set[str] = set()
    for item in task.params["gather_subset"]:
        name = item.removeprefix("!")
        members = set(_ALL) if name == "all" else set(_GROUPS.get(name) or ([name] if name in _ALL else []))
        if item.startswith("!"):
            excluded |= members - set(_GROUPS["min"]) if name == "all" else members
        elif members:
            explicit |= members
        else:
            task.warn(f"invalid value {item} specified in gather_subset")
    return (set(_ALL) - excluded) | explicit


def _addresses(task: Task) -> dict[str, Any]:
    return {"ip_addresses": [task.host.address]}


def _bios(task: Task) -> dict[str, Any]:
    digest = hashlib.sha256(task.host.name.encode()).digest()
    serial = "-".join(f"{int.from_bytes(digest[i : i + 2], 'big'):05d}"[:4] for i in range(0, 14, 2))
    return {
        "bios_date": "08/05/2024", "bios_version": "Hyper-V UEFI Release v4.1", "product_name": "Virtual Machine",
        "product_serial": serial, "product_uuid": str(uuid.UUID(bytes=digest[:16])).upper(),
    }  # fmt: skip


def _date_time(task: Task) -> dict[str, Any]:
    utc = task.host.clock()
    local = utc.astimezone(ZoneInfo(task.host.time_zone))
    offset = f"{local:%z}"
    return {
        "date_time": {
            "date": f"{local:%Y-%m-%d}", "day": f"{local:%d}", "epoch": f"{utc.timestamp():.5f}", "epoch_int": int(utc.timestamp()),
            "epoch_local": f"{utc.timestamp() + local.utcoffset().total_seconds():.5f}", "hour": f"{local:%H}", "iso8601": f"{utc:%Y-%m-%dT%H:%M:%SZ}",
            "iso8601_basic": f"{local:%Y%m%dT%H%M%S%f}", "iso8601_basic_short": f"{local:%Y%m%dT%H%M%S}",
            "iso8601_micro": f"{utc:%Y-%m-%dT%H:%M:%S.%fZ}", "minute": f"{local:%M}", "month": f"{local:%m}", "second": f"{local:%S}",
            "time": f"{local:%H:%M:%S}", "tz": WINDOWS_ZONES.get(task.host.time_zone, task.host.time_zone), "tz_offset": f"{offset[:3]}:{offset[3:]}",
            "weekday": f"{local:%A}", "weekday_number": f"{local:%w}", "weeknumber": str(int(f"{local:%W}")), "year": f"{local:%Y}",
        }
    }  # fmt: skip


def _distribution(task: Task) -> dict[str, Any]:
    read = task.host.registry.get
    key = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
    name = f"Microsoft {read(key, 'ProductName', '')}"
    installation = read(key, "InstallationType", "Server")
    return {
        "distribution": name if task.token.is_admin else None, "distribution_major_version": "10", "distribution_version": _VERSION,
        "os_family": "Windows", "os_install_date": "2024-09-02T08:15:00Z", "os_installation_type": installation,
        "os_name": name if task.token.is_admin else None, "os_product_type": "workstation" if installation == "Client" else "server",
    }  # fmt: skip


def _environment(task: Task) -> dict[str, Any]:
    return {"env": {name: value.rstrip("\\") for name, value in task.environment.items()}}


def _interfaces(task: Task) -> dict[str, Any]:
    mac = "00:15:5D:" + ":".join(f"{int(part):02X}" for part in task.host.address.split(".")[1:])
    return {
        "interfaces": [
            {
                "connection_name": "Ethernet", "default_gateway": None, "dns_domain": task.host.directory.dns_name if task.host.directory else None,
                "interface_index": 4, "interface_name": "Microsoft Hyper-V Network Adapter", "ipv4": {"address": task.host.address, "prefix": "8"},
                "ipv6": None, "macaddress": mac, "mtu": 1500, "speed": 10000,
            }
        ]
    }  # fmt: skip


def _memory(task: Task) -> dict[str, Any]:
    page_file = 1408 if task.token.is_admin else None
    return {
        "memtotal_mb": _MEMORY_MB, "memfree_mb": 5120, "swaptotal_mb": 0, "pagefiletotal_mb": page_file, "pagefilefree_mb": page_file,
    }  # fmt: skip


def _platform(task: Task) -> dict[str, Any]:
    host, admin = task.host, task.token.is_admin
    return {
        "architecture": "64-bit" if admin else None, "architecture2": "x86_64", "domain": host.directory.dns_name if host.directory else "", "fqdn": host.fqdn,
        "hostname": host.name, "kernel": _VERSION, "machine_id": host.accounts.authority, "netbios_name": host.name[:15], "nodename": host.fqdn,
        "owner_contact": "", "owner_name": "Windows User", "reboot_pending": host.power.restart_pending, "system": "Win32NT", "system_description": "",
        "system_vendor": "Microsoft Corporation",
    }  # fmt: skip


def _processor(_task: Task) -> dict[str, Any]:
    name = ["GenuineIntel", "Intel(R) Xeon(R) CPU"]
    return {
        "processor": ["0", *name, "1", *name], "processor_cores": 2, "processor_count": 1, "processor_threads_per_core": 1, "processor_vcpus": 2,
    }  # fmt: skip


def _uptime(task: Task) -> dict[str, Any]:
    booted = task.host.power.booted_at
    return {
        "lastboot": f"{booted:%Y-%m-%d %H:%M:%SZ}",
        "uptime_seconds": round((task.host.clock() - booted).total_seconds()),
    }


def _user(task: Task) -> dict[str, Any]:
    return {
        "user_dir": task.environment["USERPROFILE"],
        "user_gecos": "",
        "user_id": task.environment["USERNAME"],
        "user_sid": task.token.sid,
    }


def _windows_domain(task: Task) -> dict[str, Any]:
    directory = task.host.directory
    return {
        "windows_domain": directory.dns_name if directory else "WORKGROUP", "windows_domain_member": directory is not None,
        "windows_domain_role": "Member server" if directory else "Stand-alone server",
    }  # fmt: skip


_GATHERERS: dict[str, Callable[[Task], dict[str, Any]]] = {
    "all_ipv4_addresses all_ipv6_addresses": _addresses,
    "bios": _bios,
    "date_time": _date_time,
    "distribution": _distribution,
    "env": _environment,
    "interfaces": _interfaces,
    "memory": _memory,
    "platform": _platform,
    "powershell_version": lambda _: {"powershell_version": 5},
    "processor": _processor,
    "uptime": _uptime,
    "user": _user,
    "windows_domain": _windows_domain,
    "virtual": lambda _: {"virtualization_role": "guest", "virtualization_type": "Hyper-V"},
}
