"""A fingerprint of a host that changes when anything on it changes, and with nothing else.

It covers the parts' state (registry, services, accounts, IIS ...), every file with its rights, and what SQL Server
keeps. Left out is what changes by itself or by merely looking: process ids and times, ansible's own temporary folders
and the profile of whoever signs in.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..windows.host import WindowsHost

__all__ = ["digest", "summary"]

_TEMPORARY = re.compile(r"(?i)(^|/)Users/[^/]+(/|$)|/ansible[-.][^/]*tmp[^/]*|/\.ansible_async(/|$)")
_VOLATILE_KEYS = {"process_id"}
# SQLite's index of its write-ahead log changes when a reader looks.
_VOLATILE_FILES = re.compile(r"-shm$")


def digest(host: WindowsHost) -> str:
    """SHA-256 in hex."""
    whole = hashlib.sha256()
    state = host.to_state()
    state["parts"].pop("power", None)
    state["drives"]["descriptors"] = {
        path: entry
        for path, entry in state["drives"]["descriptors"].items()
        if not _TEMPORARY.search(path[2:].replace("\\", "/"))
    }
    whole.update(json.dumps(_steady(state), sort_keys=True, default=str).encode())
    for root in (host.root / "drives", host.root / "sqlserver"):
        for name, content in _files(root):
            whole.update(name.encode() + b"\0" + content)
    return whole.hexdigest()


def summary(host: WindowsHost) -> dict[str, Any]:
    """What a person wants to see of a host."""
    return {
        "name": host.name,
        "address": host.address,
        "power": host.power.state,
        "boots": host.power.boot_count,
        "features": [name for name in host.features.to_state() if name.startswith("web-")],
        "sites": {site.name: site.state for site in host.iis.sites.values()},
        "pools": {pool.name: pool.state for pool in host.iis.pools.values()},
        "sql_instances": {
            item.name: "running" if host.sql_server.running(item.name) else "stopped"
            for item in host.sql_server.installed()
        },
        "shares": sorted(share.name for share in host.shares.by_name.values()),
        "restart_pending": host.power.restart_pending,
        "free_bytes": {letter: volume.count() for letter, volume in host.drives.volumes.items()},
    }


def _steady(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _steady(inner) for key, inner in value.items() if key not in _VOLATILE_KEYS}
    return [_steady(inner) for inner in value] if isinstance(value, list) else value


def _files(root: Path) -> list[tuple[str, bytes]]:
    """(relative name, hash of the content) of every file, (name, b"") of every folder, in order."""
    found: list[tuple[str, bytes]] = []
    for path in sorted(root.rglob("*")):
        # .../drives/C/Users/x -> Users/x
        name = "/".join(path.relative_to(root).parts)
        inside = name.partition("/")[2] if root.name == "drives" else name
        if (
            _TEMPORARY.search("/" + inside if "/" in inside else inside)
            or _TEMPORARY.search(inside)
            or _VOLATILE_FILES.search(name)
        ):
            continue
        found.append((name, hashlib.sha256(path.read_bytes()).digest() if path.is_file() else b""))
    return found
